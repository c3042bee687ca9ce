//! A sample of real values with their frequencies.

/// A multiset of finite values >= 0. Its memory grows with the number of distinct values: on most
/// underlays the latencies of a million lookups are a few thousand values.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Distinct values, ascending, with their counts.
    counted: Vec<(f64, u64)>,
    fresh: Vec<f64>,
}

/// Number of values that are collected before they are sorted in.
const BATCH: usize = 4096;

impl Sample {
    /// Adds a value. Amortised O(log n) for n distinct values, plus the sorting of a batch.
    pub fn push(&mut self, value: f64) {
        self.fresh.push(value);
        if self.fresh.len() >= BATCH.max(self.counted.len() / 4) {
            self.sort_in();
        }
    }

    /// The distinct values, ascending, with their counts.
    pub fn counted(&self) -> Vec<(f64, u64)> {
        let mut all = self.clone();
        all.sort_in();
        all.counted
    }

    fn sort_in(&mut self) {
        self.fresh.sort_unstable_by(f64::total_cmp);
        let mut old = std::mem::take(&mut self.counted).into_iter().peekable();
        let mut merged: Vec<(f64, u64)> = Vec::new();
        for value in self.fresh.drain(..) {
            while let Some(next) = old.next_if(|(known, _)| *known <= value) {
                merged.push(next);
            }
            match merged.last_mut() {
                Some((last, count)) if *last == value => *count += 1,
                _ => merged.push((value, 1)),
            }
        }
        merged.extend(old);
        self.counted = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_what_was_pushed(draws in prop::collection::vec(0u16..500, 0..20_000)) {
            let mut sample = Sample::default();
            let mut expected = std::collections::BTreeMap::<u16, u64>::new();
            for draw in &draws {
                sample.push(f64::from(*draw) / 8.0);
                *expected.entry(*draw).or_default() += 1;
            }
            let expected: Vec<(f64, u64)> = expected
                .into_iter()
                .map(|(value, count)| (f64::from(value) / 8.0, count))
                .collect();
            prop_assert_eq!(sample.counted(), expected);
        }
    }
}
