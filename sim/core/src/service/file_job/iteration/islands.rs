//! Genetic islands with migration: one island per line, its number and the words of its population in
//! hex. In a round every island makes children as in [`Genetic`], and then its best word migrates: it
//! takes the place of the worst one on the next island of the ring.

use super::{Records, fields, text};
use crate::engine::Seed;
use crate::service::job::tasks::Genetic;

/// An island: its number and its population.
fn island(line: &[u8]) -> Option<(u32, Vec<u64>)> {
    let mut fields = fields(line).map(|field| std::str::from_utf8(field).ok());
    let number = fields.next()??.parse().ok()?;
    let words = fields.map(|word| u64::from_str_radix(word?, 16).ok());
    let words: Vec<u64> = words.collect::<Option<_>>()?;
    (!words.is_empty()).then_some((number, words))
}

/// The line of an island, without its end. The number has leading zeros: lines have the order of islands.
pub(in crate::service::file_job) fn line(number: u32, words: &[u64]) -> Vec<u8> {
    let words = words.iter().map(|word| format!(" {word:016x}"));
    format!("{number:010}{}", words.collect::<String>()).into_bytes()
}

/// Lets the island of a line make children, and emits it.
pub(super) fn emit(seed: Seed, round: u32, children: u64, from: &[u8], into: &mut Records) {
    if let Some((number, mut words)) = island(from) {
        let index = u64::from(round) << 32 | u64::from(number);
        let mut stream = seed.stream("island", index);
        Genetic::evolve(&mut words, children, &mut stream);
        into.add(&line(number, &words), 1);
    }
}

/// Migrates between all islands. The change is the number of ones that the best word lacks.
pub(super) fn advance(sums: &Records) -> (Vec<u8>, f64) {
    let islands = sums.counts().filter_map(|(line, _)| island(line));
    let mut islands: Vec<(u32, Vec<u64>)> = islands.collect();
    let migrants: Vec<Option<u64>> = islands
        .iter()
        .map(|(_, words)| words.iter().copied().max_by_key(|word| word.count_ones()))
        .collect();
    let best = migrants.iter().flatten().map(|word| word.count_ones());
    let lacking = u64::BITS - best.max().unwrap_or(0);
    let last = migrants.len().saturating_sub(1);
    for (place, (_, words)) in islands.iter_mut().enumerate() {
        let from = if place == 0 { last } else { place - 1 };
        let worst = (0..words.len()).min_by_key(|word| words[*word].count_ones());
        if let (Some(worst), Some(migrant)) = (worst, migrants[from]) {
            words[worst] = migrant;
        }
    }
    let mut file = Vec::new();
    for (number, words) in islands {
        file.extend(line(number, &words));
        file.push(b'\n');
    }
    (file, f64::from(lacking))
}

/// The best number of ones on each island.
pub(super) fn rows(file: &[u8]) -> Vec<(String, String)> {
    let islands = file.split(|byte| *byte == b'\n').filter_map(island);
    let row = |(number, words): (u32, Vec<u64>)| {
        let best = words.iter().map(|word| word.count_ones()).max();
        (text(&line(number, &[])), best.unwrap_or(0).to_string())
    };
    islands.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The best word of each island takes the place of the worst one on the next.
    #[test]
    fn the_best_migrate_around_the_ring() {
        let mut sums = Records::default();
        for (number, words) in [(0, [1, 3]), (1, [7, 0]), (2, [1, 1])] {
            sums.add(&line(number, &words), 1);
        }
        sums.add(b"no island", 1);
        let (file, lacking) = advance(&sums);
        let islands: Vec<_> = file
            .split(|byte| *byte == b'\n')
            .filter_map(island)
            .collect();
        let expected = [(0, vec![1, 3]), (1, vec![7, 3]), (2, vec![7, 1])];
        assert_eq!((islands, lacking), (expected.to_vec(), 61.0));
        assert_eq!(rows(&file)[1], ("0000000001".to_owned(), "3".to_owned()));
    }

    #[test]
    fn an_island_becomes_better() {
        let mut sums = Records::default();
        emit(Seed::new(1), 3, 500, &line(5, &[0, 1, 2, 3]), &mut sums);
        emit(Seed::new(1), 3, 500, b"5", &mut sums);
        let lines: Vec<_> = sums.counts().filter_map(|(line, _)| island(line)).collect();
        assert_eq!((lines.len(), lines[0].0), (1, 5));
        assert!(lines[0].1.iter().all(|word| word.count_ones() > 10));
    }
}
