//! PageRank (Brin and Page, Computer Networks 30, 1998): links, one per line as `source target`. The first
//! round counts the links of each node; in each later one a node gives its rank to its targets in equal
//! parts. The rank of nodes without links goes to all nodes, so that ranks add up to 1.

use super::{Records, fields, number, text, to_fixed};
use std::collections::BTreeMap;

/// The nodes with their links and ranks, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranks(BTreeMap<Box<[u8]>, Rank>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Rank {
    links: u64,
    rank: f64,
}

/// Ranks in fixed point: 2^-96 is the unit of the last place.
const UNIT: f64 = 79_228_162_514_264_337_593_543_950_336.0;

fn link(line: &[u8]) -> Option<[&[u8]; 2]> {
    let mut fields = fields(line);
    match [fields.next(), fields.next(), fields.next()] {
        [Some(source), Some(target), None] => Some([source, target]),
        _ => None,
    }
}

/// Counts the link of a line at its source, and notes that its target exists.
pub(super) fn emit_links(line: &[u8], into: &mut Records) {
    if let Some([source, target]) = link(line) {
        into.add(source, 1);
        into.add(target, 0);
    }
}

impl Ranks {
    /// Equal ranks for all nodes, whose links are counted in `sums`.
    pub(super) fn of_links(sums: &Records) -> Self {
        let rank = 1.0 / sums.counts().count().max(1) as f64;
        let node = |(name, links): (&[u8], i128)| {
            let links = links as u64;
            (name.into(), Rank { links, rank })
        };
        Self(sums.counts().map(node).collect())
    }

    /// Reads the file of a round.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let lines = file.split(|byte| *byte == b'\n').filter(|l| !l.is_empty());
        let node = |line| {
            let mut fields = fields(line);
            let name = fields.next()?.into();
            let links = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
            let rank = number(fields.next()?)?;
            Some((name, Rank { links, rank }))
        };
        lines.map(node).collect::<Option<_>>().map(Self)
    }

    /// The file of a round: numbers are written so that they are read back exactly.
    pub(super) fn to_file(&self) -> Vec<u8> {
        let mut file = Vec::new();
        for (name, Rank { links, rank }) in &self.0 {
            file.extend_from_slice(name);
            file.extend_from_slice(format!(" {links} {rank}\n").as_bytes());
        }
        file
    }

    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let nodes = self.0.iter();
        nodes
            .map(|(name, of)| (text(name), of.rank.to_string()))
            .collect()
    }

    /// Adds the part of its source's rank to the target of a line's link. O(log n) for n nodes.
    pub(super) fn emit(&self, line: &[u8], into: &mut Records) {
        if let Some([source, target]) = link(line)
            && let Some(Rank { links, rank }) = self.0.get(source)
            && *links > 0
        {
            into.add(target, to_fixed(rank / *links as f64, UNIT));
        }
    }

    /// The next ranks, and the sum of their changes.
    pub(super) fn advance(&self, sums: &Records, damping: f64) -> (Self, f64) {
        let n = self.0.len() as f64;
        let without = self.0.values().filter(|node| node.links == 0);
        let dangling: f64 = without.map(|node| node.rank).sum();
        let mut change = 0.0;
        let mut next = self.clone();
        for (name, node) in &mut next.0 {
            let given = sums.count_of(name) as f64 / UNIT;
            let rank = (1.0 - damping) / n + damping * (given + dangling / n);
            change += (rank - node.rank).abs();
            node.rank = rank;
        }
        (next, change)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Iteration, IterationParameters};
    use super::*;
    use crate::engine::Seed;
    use crate::service::file_job::{FileTask, Mapper};
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        /// The ranks are those of the power method on the whole matrix, to 12 digits.
        #[test]
        fn ranks_are_those_of_a_plain_program(
            links in prop::collection::vec((0usize..9, 0usize..12), 1..80),
        ) {
            let line = |(a, b): &(usize, usize)| format!("{a:02} {b:02}\n");
            let file = [links.iter().map(line).collect::<String>()];
            let parameters = IterationParameters::default();
            let damping = parameters.damping;
            let iteration = Iteration { parameters, seed: Seed::new(1), start: Arc::default() };
            let task = FileTask::PageRank;
            let (rows, rounds) = Mapper { task, pattern: vec![], iteration }.plain_rows(&file, &[]);
            let mut names: Vec<usize> = links.iter().flat_map(|(a, b)| [*a, *b]).collect();
            names.sort_unstable();
            names.dedup();
            let n = names.len();
            let place = |name: usize| names.binary_search(&name).expect("a node");
            let mut matrix = vec![vec![0.0; n]; n];
            for (a, b) in &links {
                matrix[place(*a)][place(*b)] += 1.0;
            }
            for row in &mut matrix {
                let sum: f64 = row.iter().sum();
                for cell in row {
                    *cell = if sum > 0.0 { *cell / sum } else { 1.0 / n as f64 };
                }
            }
            let mut ranks = vec![1.0 / n as f64; n];
            for _ in 1..rounds {
                let given = |to| (0..n).map(|from| ranks[from] * matrix[from][to]).sum::<f64>();
                ranks = (0..n).map(|to| (1.0 - damping) / n as f64 + damping * given(to)).collect();
            }
            prop_assert!(rounds > 1);
            prop_assert_eq!(rows.len(), n);
            for ((_, rank), expected) in rows.iter().zip(ranks) {
                let rank: f64 = rank.parse().expect("a rank");
                prop_assert!((rank / expected - 1.0).abs() < 1e-12, "{} {}", rank, expected);
            }
        }
    }

    #[test]
    fn what_is_no_link_is_passed_over() {
        for line in ["", "# a b", "a", "a b c"] {
            assert_eq!(link(line.as_bytes()), None, "{line}");
        }
        assert_eq!(link(b"a\tb\r"), Some([&b"a"[..], &b"b"[..]]));
        assert_eq!(Ranks::read(b"a 1 x\n"), None);
        let mut sums = Records::default();
        emit_links(b"a b", &mut sums);
        let ranks = Ranks::of_links(&sums);
        assert_eq!(Ranks::read(&ranks.to_file()), Some(ranks));
    }
}
