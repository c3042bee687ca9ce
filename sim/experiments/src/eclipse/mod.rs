//! `experiment = "eclipse"`: the fraction of a network's links that the keys of an adversary
//! occlude, with all keys on the ring at once.
//!
//! Experiments 2 and 3 of the published paper on the Sybil attack. Links are those from each node
//! to the next, or the 160 fingers of Chord. A link is occluded if it leads to a Sybil on the ring
//! with the Sybils. No messages are sent, so the result is exact at the size of Mainline DHT.
//!
//! The published program counts the gap over zero only up to the first node, and leaves out keys
//! above the last. Here the ring is closed. The difference is one gap in n: k/(n + k) instead of
//! k/(n + k - 1) in the mean, 6e-5 at 50 nodes and one address, which is a hundredth of the
//! standard deviation of one network.

mod group;
mod links;

use super::honest_ids::HonestParameters;
use cpu_time::ProcessTime;
use dhtlab_core::adversary::{AdversaryParameters, IndexedKey, probability};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table};
use dhtlab_core::space::Key;
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableSpec, sections};
use group::{Group, Question};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

dhtlab_core::choices! {
    /// The links that an adversary may occlude.
    pub enum Links {
        /// From each node to the next: one per node.
        Neighbours = "neighbours",
        /// The fingers of Chord, from each node to the first node at or after its ID + 2^i: 160 per
        /// node.
        Fingers = "fingers",
    }
}

dhtlab_core::parameters! {
    /// The links to count and the number of networks.
    pub struct EclipseParameters {
        /// The links.
        pub links: Links = Links::Neighbours;
        /// Number of networks, each with its own addresses if these are random; the results are
        /// their means.
        pub networks: usize = 1, within 1..=1_000_000;
    }
}

/// The experiment kind `eclipse`.
pub struct Eclipse;

impl Experiment for Eclipse {
    fn name(&self) -> &'static str {
        "eclipse"
    }

    fn doc(&self) -> &'static str {
        "all keys of an adversary on a ring of random nodes: the fraction of their links that lead to a Sybil"
    }

    fn sections(&self) -> Vec<Section> {
        vec![
            Section::of::<HonestParameters>("overlay"),
            Section::of::<AdversaryParameters>("adversary"),
            Section::of::<EclipseParameters>("eclipse"),
        ]
    }

    fn metrics(&self) -> &'static [Column] {
        METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[]
    }

    fn prepare(&self, values: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let question = Question {
            honest: HonestParameters::read(&values.sub("overlay")?)?,
            adversary: AdversaryParameters::read_checked(&values.sub("adversary")?)?,
            eclipse: EclipseParameters::read(&values.sub("eclipse")?)?,
        };
        Ok(Box::new(EclipseRun {
            group: Group::of(&question),
            question,
        }))
    }
}

dhtlab_scenario::columns! {
    METRICS, fn metrics(m: &EclipseResults<'_>) {
        /// Links that lead to a Sybil over all links; the mean over the networks.
        occluded_fraction ["fraction"] = m.mean,
        /// Standard deviation of this fraction over the networks; empty for one network.
        occluded_sd [""] = libm::sqrt(m.squares / (m.networks - 1.0)),
        /// Sybils over honest nodes; pairs of address and port with the same key are one Sybil.
        sybils_per_region [""] = m.sybils as f64 / (m.n * m.networks),
        /// Occluded links of a node; the mean over nodes and networks.
        occlusions_per_node [""] = m.mean * links::a_node(m.question.eclipse.links) as f64,
        /// Equation 2: k / (n + k - 1) for n nodes and k pairs of address and port.
        predicted ["fraction"] = probability::occluded(m.n, m.k),
        /// Expected standard deviation of the fraction in one network; empty for fingers, as several
        /// of a node lead to the same Sybil.
        predicted_sd [""] = m.deviation(),
        /// Equation 1: k / n, at most 1.
        predicted_equation_1 ["fraction"] = probability::occluded_if_few(m.n, m.k),
        /// 1 - (1 - 1 / n)^k, for gaps of equal size.
        predicted_equal_gaps ["fraction"] = probability::occluded_if_equal(m.n, m.k),
        /// Addresses that occlude half of the links, by Equation 2.
        ips_for_half [""] = probability::addresses_for_half(
            m.question.honest.nodes as u64,
            m.question.adversary.ports
        ),
    }
}

/// What the networks have, and what the equations take.
struct EclipseResults<'a> {
    question: &'a Question,
    /// Nodes, and pairs of address and port.
    n: f64,
    k: f64,
    networks: f64,
    /// Mean of the occluded fraction, and the sum of the squared distances from it.
    mean: f64,
    squares: f64,
    /// Sybils in all networks.
    sybils: u64,
}

impl EclipseResults<'_> {
    /// Links of one node to the same Sybil are occluded together, so the spread of fingers differs.
    fn deviation(&self) -> Option<f64> {
        let independent = self.question.eclipse.links == Links::Neighbours;
        independent.then(|| probability::deviation(self.n, self.k))
    }
}

struct EclipseRun {
    question: Question,
    group: Arc<Group>,
}

impl Run for EclipseRun {
    fn resolved(&self) -> Map {
        self.question.resolved()
    }

    /// The first run of a group computes the counts for all; each run is charged an equal share.
    fn cost(&self) -> Cost {
        let Question {
            honest,
            adversary,
            eclipse,
        } = &self.question;
        let n = honest.nodes as f64;
        let k = f64::from(self.group.most_addresses()) * f64::from(adversary.ports);
        let (walks, merged) = match eclipse.links {
            Links::Neighbours => (1.0, 0.0),
            // From the distance of the nearest two keys to half the ring.
            Links::Fingers => (2.0 * libm::log2(n + k), n + k),
        };
        let events = n / 5.0 + k / 3.0 + walks * (n + k) / 300.0;
        Cost {
            events: events * eclipse.networks as f64 / self.group.members() as f64,
            bytes: n * size_of::<Key>() as f64
                + k * size_of::<IndexedKey>() as f64
                + merged * links::MERGED_BYTES as f64,
        }
    }

    fn least_trial(&self) -> f64 {
        let networks = self.question.eclipse.networks as f64;
        self.cost().events * self.group.members() as f64 / networks
    }

    /// Times one network and charges the run its share.
    fn trial(&self, seed: Seed, _: std::time::Duration) -> Result<Option<f64>, ConfigError> {
        let before = ProcessTime::now();
        black_box(self.group.count(seed, 0));
        let networks = self.question.eclipse.networks as f64 / self.group.members() as f64;
        Ok(Some(before.elapsed().as_secs_f64() * networks))
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let Question {
            honest,
            adversary,
            eclipse,
        } = &self.question;
        let counts = self.group.counts(seed, adversary.ips);
        let (n, k) = (honest.nodes as f64, adversary.sybils() as f64);
        let links = links::a_node(eclipse.links) as f64;
        let last = adversary.ips as usize - 1;
        let parts: Vec<f64> = counts
            .iter()
            .map(|count| count.occluded[last] as f64 / (n * links))
            .collect();
        let networks = parts.len() as f64;
        let mean = parts.iter().sum::<f64>() / networks;
        let squares: f64 = parts.iter().map(|part| (part - mean) * (part - mean)).sum();
        let sybils: u64 = counts.iter().map(|count| count.sybils[last]).sum();
        let doubled = adversary.sybils() * parts.len() as u64 - sybils;
        let note = format!(
            "{doubled} pairs of address and port have the key of another pair; `predicted` counts them"
        );
        let measured = EclipseResults {
            question: &self.question,
            n,
            k,
            networks,
            mean,
            squares,
            sybils,
        };
        Ok(RunOutput {
            metrics: metrics(&measured),
            tables: Vec::new(),
            notes: (doubled > 0).then_some(note).into_iter().collect(),
        })
    }
}

impl Question {
    fn resolved(&self) -> Map {
        sections([
            ("overlay", self.honest.table()),
            ("adversary", self.adversary.table()),
            ("eclipse", self.eclipse.table()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_scenario::Cell;

    fn cells(nodes: usize, ips: u32, links: Links, networks: usize) -> Vec<Option<f64>> {
        let question = Question {
            honest: HonestParameters { nodes },
            adversary: AdversaryParameters {
                ips,
                ports: 1000,
                ..AdversaryParameters::default()
            },
            eclipse: EclipseParameters { links, networks },
        };
        let run = EclipseRun {
            group: Group::of(&question),
            question,
        };
        let outcome = run.run(Seed::new(5)).expect("an outcome");
        assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
        outcome.metrics.iter().map(Cell::number).collect()
    }

    /// The seed is fixed; four standard errors. The deviation of neighbours is known, and a sample
    /// of 60 gives it within 9.2 % per standard error.
    #[test]
    fn the_part_is_that_of_equation_2() {
        for (nodes, ips) in [(50, 1), (1000, 1), (1000, 7), (5000, 2)] {
            for links in Links::ALL {
                let cells = cells(nodes, ips, *links, 60);
                let (n, k) = (nodes as f64, f64::from(ips) * 1000.0);
                let at = |column: usize| cells[column].expect("a number");
                let (part, deviation) = (at(0), at(1));
                let error = deviation / 60f64.sqrt();
                assert!((part - at(4)).abs() < 4.0 * error, "{cells:?}");
                assert_eq!(at(2), k / n);
                assert_eq!(at(3), part * links::a_node(*links) as f64);
                if *links == Links::Neighbours {
                    let apart = (deviation / at(5) - 1.0).abs();
                    assert!(apart < 4.0 * 0.092, "{cells:?}");
                } else {
                    assert_eq!(cells[5], None);
                }
                assert!(at(4) < at(7) && at(7) <= at(6), "{cells:?}");
            }
        }
        // One network has no spread.
        assert_eq!(cells(50, 1, Links::Neighbours, 1)[1], None);
    }
}
