//! `experiment = "mashing"`: an adversary searches its keys for one between two neighbours of a
//! network.
//!
//! Experiments 0 and 1 of the published paper on the Sybil attack: for a random node and the next
//! one, the ports of the adversary's addresses are tried in order until a key is between the two.
//! Experiment 0, two random keys, is a network of two nodes. As published, all trials are of one
//! network and one address; [`probability`] describes the effect on their spread.
//!
//! Where many trials are of one network, they use sorted keys ([`KeyIndex::search`]), which give
//! the same result as the search. The search itself is timed for the first trials. Wall time is a
//! result only in this experiment, so it is in a separate file, `wall.csv`, and all other files are
//! reproducible. Times are those of one core if runs are sequential (`--jobs 1`).

use super::honest_ids::HonestParameters;
use dhtlab_core::adversary::{AdversaryParameters, IndexedKey, KeyIndex, Pairs, probability};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table};
use dhtlab_core::space::Key;
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableRows, TableSpec, sections};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

dhtlab_core::parameters! {
    /// Searches for keys in the gaps between neighbours (mashing).
    pub struct MashingParameters {
        /// Number of trials.
        pub trials: usize = 100, within 1..=100_000_000;
        /// Number of networks, each with its own addresses if these are random; the trials are
        /// spread evenly over them.
        pub networks: usize = 1, within 1..=100_000_000;
        /// Number of first trials whose search is timed; with 0 there is no `wall.csv`.
        pub timed: usize = 100, within 0..=100_000_000;
    }
}

/// The experiment kind `mashing`.
pub struct Mashing;

impl Experiment for Mashing {
    fn name(&self) -> &'static str {
        "mashing"
    }

    fn doc(&self) -> &'static str {
        "the search of an adversary for a key between two neighbours of a ring, by addresses and ports"
    }

    fn sections(&self) -> Vec<Section> {
        vec![
            Section::of::<HonestParameters>("overlay"),
            Section::of::<AdversaryParameters>("adversary"),
            Section::of::<MashingParameters>("mashing"),
        ]
    }

    fn metrics(&self) -> &'static [Column] {
        METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "wall",
            columns: WALL,
            quantities: &[],
        }]
    }

    fn prepare(&self, values: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let run = MashingRun {
            honest: HonestParameters::read(&values.sub("overlay")?)?,
            adversary: AdversaryParameters::read_checked(&values.sub("adversary")?)?,
            mashing: MashingParameters::read(&values.sub("mashing")?)?,
        };
        for (key, value) in [
            ("mashing.networks", run.mashing.networks),
            ("mashing.timed", run.mashing.timed),
        ] {
            if value > run.mashing.trials {
                return Err(ConfigError::new(
                    key,
                    format_args!(
                        "expected at most `trials` = {}, found {value}",
                        run.mashing.trials
                    ),
                ));
            }
        }
        Ok(Box::new(run))
    }
}

dhtlab_scenario::columns! {
    METRICS, fn metrics(m: &MashingResults<'_>) {
        /// Trials in which a key of the adversary is between the two neighbours, over all trials.
        success_rate ["fraction"] = m.counts.mashed as f64 / m.trials,
        /// Mean number of keys that a trial has tried, up to the first that is between the two.
        tries_mean [""] = m.counts.tries as f64 / m.trials,
        /// Equation 2: k / (n + k - 1) for n nodes and k pairs of address and port.
        predicted ["fraction"] = probability::occluded(m.n, m.k),
        /// Expected standard deviation of `success_rate`, with this many trials and networks.
        predicted_sd [""] = probability::deviation_of_trials(m.n, m.k, m.trials, m.networks),
        /// Expected mean number of tries.
        tries_predicted [""] = m.tries_predicted,
    }
}

dhtlab_scenario::columns! {
    WALL, fn wall(counts: &MashCounts) {
        /// Number of timed trials.
        timed [""] = counts.timed,
        /// Mean wall time of the search of a timed trial.
        wall_us_mean ["us"] = counts.seconds * 1e6 / counts.timed as f64,
    }
}

/// What the trials have counted, and what the equations take.
struct MashingResults<'a> {
    counts: &'a MashCounts,
    trials: f64,
    networks: f64,
    /// Nodes, and pairs of address and port.
    n: f64,
    k: f64,
    tries_predicted: f64,
}

struct MashingRun {
    honest: HonestParameters,
    adversary: AdversaryParameters,
    mashing: MashingParameters,
}

/// The results of the trials.
#[derive(Default)]
struct MashCounts {
    mashed: u64,
    tries: u64,
    /// Timed trials; `seconds` is the time of their searches.
    timed: u64,
    seconds: f64,
}

impl MashCounts {
    /// Adds trials between the neighbours in `gaps`. A search is expected to end after `tries`
    /// keys; the first `timed` searches are timed.
    fn add(&mut self, pairs: &Pairs, gaps: &[(Key, Key)], tries: f64, timed: usize) {
        // Selects the way with fewer hashes: a search for each gap, or an index of all keys.
        let sorts = gaps.len() as f64 * tries > pairs.len() as f64;
        let key_index = sorts.then(|| KeyIndex::new(pairs.clone()));
        for (after, before) in gaps {
            let search = match &key_index {
                Some(key_index) => key_index.search(*after, *before),
                None => pairs.search(*after, *before),
            };
            self.mashed += u64::from(search.found.is_some());
            self.tries += u64::from(search.tries);
        }
        let timed = &gaps[..timed.min(gaps.len())];
        let started = Instant::now();
        for (after, before) in timed {
            black_box(pairs.search(*after, *before));
        }
        self.seconds += started.elapsed().as_secs_f64();
        self.timed += timed.len() as u64;
    }
}

impl MashingRun {
    /// Number of trials of network number `network`: they are spread evenly, and the first networks
    /// have the remainder.
    fn trials(&self, network: usize) -> usize {
        let MashingParameters {
            trials, networks, ..
        } = self.mashing;
        trials / networks + usize::from(network < trials % networks)
    }

    /// Runs all trials; a search is expected to end after `tries` keys.
    fn tally(&self, seed: Seed, tries: f64) -> MashCounts {
        let (mut tally, mut done) = (MashCounts::default(), 0);
        let mut gaps = Vec::new();
        for network in 0..self.mashing.networks {
            let trials = self.trials(network);
            let network = network as u64;
            let ids = self.honest.ids(seed, network);
            let pairs = self.adversary.pairs(&mut seed.stream("addresses", network));
            let mut stream = seed.stream("gaps", network);
            gaps.clear();
            gaps.extend((0..trials).map(|_| {
                let place = stream.index(ids.len());
                (ids[place], ids[(place + 1) % ids.len()])
            }));
            let timed = self.mashing.timed.saturating_sub(done);
            tally.add(&pairs, &gaps, tries, timed);
            done += trials;
        }
        tally
    }
}

impl Run for MashingRun {
    fn resolved(&self) -> Map {
        sections([
            ("overlay", self.honest.table()),
            ("adversary", self.adversary.table()),
            ("mashing", self.mashing.table()),
        ])
    }

    fn cost(&self) -> Cost {
        let (n, k) = (self.honest.nodes as f64, self.adversary.sybils() as f64);
        let MashingParameters {
            trials,
            networks,
            timed,
        } = self.mashing;
        let (trials, networks) = (trials as f64, networks as f64);
        // Each hashed key costs a sixth of an event.
        let tries = probability::tries(n, self.adversary.sybils());
        let hashed = (trials * tries).min(networks * k * 2.0) + timed as f64 * tries;
        Cost {
            events: networks * n / 5.0 + hashed / 6.0 + trials,
            bytes: n * size_of::<Key>() as f64
                + k * size_of::<IndexedKey>() as f64
                + self.trials(0) as f64 * size_of::<(Key, Key)>() as f64,
        }
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let (n, k) = (self.honest.nodes as f64, self.adversary.sybils());
        let tries = probability::tries(n, k);
        let counts = self.tally(seed, tries);
        let timed = (counts.timed > 0).then(|| wall(&counts));
        let measured = MashingResults {
            counts: &counts,
            trials: self.mashing.trials as f64,
            networks: self.mashing.networks as f64,
            n,
            k: k as f64,
            tries_predicted: tries,
        };
        Ok(RunOutput {
            metrics: metrics(&measured),
            tables: vec![TableRows(timed.into_iter().collect())],
            notes: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_scenario::Cell;

    fn run(nodes: usize, trials: usize, networks: usize, timed: usize) -> MashingRun {
        MashingRun {
            honest: HonestParameters { nodes },
            adversary: AdversaryParameters {
                ports: 2000,
                ..AdversaryParameters::default()
            },
            mashing: MashingParameters {
                trials,
                networks,
                timed,
            },
        }
    }

    /// The seed is fixed; four standard deviations: of the rate as in [`probability`], of the tries
    /// at most the mean itself per trial.
    #[test]
    fn the_rate_is_that_of_equation_2() {
        for (nodes, trials, networks) in [(2, 2000, 2000), (500, 4000, 40), (20_000, 2000, 2)] {
            let run = run(nodes, trials, networks, 0);
            let outcome = run.run(Seed::new(3)).expect("an outcome");
            assert_eq!(outcome.tables, [TableRows::default()]);
            let cells: Vec<f64> = outcome.metrics.iter().filter_map(Cell::number).collect();
            let [rate, tries, predicted, deviation, tries_predicted] = cells[..] else {
                panic!("{cells:?}");
            };
            assert!((rate - predicted).abs() < 4.0 * deviation, "{cells:?}");
            let spread = 4.0 * 2000.0 * deviation;
            assert!(
                (tries - tries_predicted).abs() < spread.max(10.0),
                "{cells:?}"
            );
        }
    }

    #[test]
    fn trials_are_spread_evenly_and_the_first_are_timed() {
        let run = run(50, 23, 5, 7);
        let trials: Vec<usize> = (0..5).map(|network| run.trials(network)).collect();
        assert_eq!(trials, [5, 5, 5, 4, 4]);
        let outcome = run.run(Seed::new(1)).expect("an outcome");
        let wall = &outcome.tables[0].0;
        assert_eq!((wall.len(), &wall[0][0]), (1, &Cell::Count(7)));
        let micros = wall[0][1].number().expect("a number");
        assert!(micros > 0.0, "{micros}");
    }
}
