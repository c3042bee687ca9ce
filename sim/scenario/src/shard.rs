//! Distribution of a scenario over independent machines.

use super::{PlannedRun, Point, Scenario};
use rustc_hash::FxHashSet;
use sha1::{Digest, Sha1};
use std::fmt;
use std::str::FromStr;

/// Upper bound on the number of shards.
const MOST: u32 = 100_000;

/// Shard number `place` of `of`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number.
    pub place: u32,
    /// The number of shards.
    pub of: u32,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected i/n with i between 1 and n, at most 100000, such as 2/8";
        // `parse` would accept a sign.
        let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse().map_err(|_| expected),
            false => Err(expected),
        };
        let (place, of) = text.split_once('/').ok_or(expected)?;
        let (place, of) = (number(place)?, number(of)?);
        match (1..=of).contains(&place) && of <= MOST {
            true => Ok(Self { place, of }),
            false => Err(expected),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.of)
    }
}

/// What a scenario restricted to a shard knows of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardInfo {
    /// The shard.
    pub shard: Shard,
    /// The SHA-1 of the whole list of runs, in hex: only shards with an equal value fit together.
    pub plan: String,
    /// The number of runs in the whole list.
    pub runs: usize,
    /// The indices of its runs in the whole list, ascending.
    pub places: Vec<usize>,
}

impl Scenario {
    /// Restricts the runs to those of `shard`.
    ///
    /// Distinct runs are assigned in the order of falling cost, so the estimated costs of two
    /// shards differ by at most that of the most costly run. A run that occurs at several points
    /// goes to one shard with all its occurrences. O(n log n) for n runs.
    pub fn restrict_to_shard(&mut self, shard: Shard) {
        let plan = plan(&self.runs, &self.points);
        let mut seen = FxHashSet::default();
        let mut different: Vec<&PlannedRun> = self
            .runs
            .iter()
            .filter(|run| seen.insert(run.id.as_str()))
            .collect();
        let cost = |run: &PlannedRun| self.points[run.point].run.cost().events;
        different.sort_by(|a, b| cost(b).total_cmp(&cost(a)));
        let own: FxHashSet<String> = different
            .into_iter()
            .skip(shard.place as usize - 1)
            .step_by(shard.of as usize)
            .map(|run| run.id.clone())
            .collect();
        let is_own = |run: &PlannedRun| own.contains(&run.id);
        let places = (0..self.runs.len()).filter(|place| is_own(&self.runs[*place]));
        self.share = Some(ShardInfo {
            shard,
            plan,
            runs: self.runs.len(),
            places: places.collect(),
        });
        self.runs.retain(is_own);
    }

    /// The name of the folder of its results: that of the scenario, with the shard.
    pub fn folder_name(&self) -> String {
        match &self.share {
            None => self.name.clone(),
            Some(share) => format!(
                "{}.shard-{}-of-{}",
                self.name, share.shard.place, share.shard.of
            ),
        }
    }
}

/// The SHA-1 of a list of runs with their points.
fn plan(runs: &[PlannedRun], points: &[Point]) -> String {
    let mut digest = Sha1::new();
    for run in runs {
        digest.update(&run.id);
        for value in &points[run.point].values {
            // Lengths separate values that may contain any character.
            digest.update(format!(" {} {value}", value.len()));
        }
        digest.update("\n");
    }
    let bytes = digest.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Source};
    use super::*;
    use crate::plain_network::KINDS;
    use proptest::prelude::*;

    #[test]
    fn a_shard_is_read_and_told() {
        for text in ["1/1", "2/8", "100000/100000"] {
            assert_eq!(text.parse::<Shard>().expect(text).to_string(), text);
        }
        for text in [
            "",
            "/",
            "1",
            "x",
            "0/4",
            "5/4",
            "1/0",
            "0/0",
            "+1/4",
            "-1/4",
            "1/4/8",
            " 1/4",
            "1.0/4",
            "1/100001",
            "1/4294967296",
        ] {
            let told = text.parse::<Shard>().expect_err(text);
            assert!(
                told.starts_with("expected i/n with i between 1 and n"),
                "{told}"
            );
        }
    }

    /// Sizes that differ by a factor of a thousand, one run at two points (Chord ignores
    /// dimensions), and repetitions.
    fn scenario(repetitions: u32) -> Scenario {
        let text = format!(
            "experiment = \"network\"\nrepetitions = {repetitions}\n[sweep]\n\
             \"overlay.nodes\" = [10, 5000, 70]\n\"overlay.protocol\" = [\"chord\", \"vhash\"]\n\
             \"overlay.vhash.dimensions\" = [2, 3]\n"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.toml");
        std::fs::write(&path, text).expect("a file");
        let source = Source::load(&path).expect("TOML");
        Scenario::read(source, &Overrides::default(), KINDS).expect("valid")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn shards_part_the_runs_and_are_alike_in_cost(repetitions in 1_u32..5, of in 1_u32..20) {
            let whole = scenario(repetitions);
            let cost = |run: &PlannedRun| whole.points[run.point].run.cost().events;
            let most = whole.runs.iter().map(cost).fold(0.0, f64::max);
            let mut holders = vec![Vec::new(); whole.runs.len()];
            let mut costs = Vec::new();
            for place in 1..=of {
                let mut part = scenario(repetitions);
                part.restrict_to_shard(Shard { place, of });
                let share = part.share.as_ref().expect("a share");
                prop_assert_eq!(share.runs, whole.runs.len());
                let own: Vec<&PlannedRun> = share.places.iter().map(|p| &whole.runs[*p]).collect();
                prop_assert_eq!(own, part.runs.iter().collect::<Vec<_>>());
                share.places.iter().for_each(|p| holders[*p].push(place));
                let mut seen = FxHashSet::default();
                let different = part.runs.iter().filter(|run| seen.insert(&run.id));
                costs.push(different.map(cost).sum::<f64>());
            }
            let holder_of = holders.clone();
            for (run, holders) in whole.runs.iter().zip(&holders) {
                prop_assert_eq!(holders.len(), 1);
                // A run that occurs at two points is in one shard.
                let first = whole.runs.iter().position(|other| other.id == run.id);
                prop_assert_eq!(holders, &holder_of[first.expect("itself")]);
            }
            let (low, high) = costs
                .iter()
                .fold((f64::MAX, 0.0_f64), |(low, high), x| (low.min(*x), high.max(*x)));
            prop_assert!(high - low <= most * (1.0 + 1e-9), "{costs:?}");
        }
    }
}
