//! An experiment for tests that reads the tables of a network and has no results.

use super::{Column, Cost, Experiment, NetworkScenario, Run, RunOutput, TableSpec};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Section, Table};
use std::path::Path;

crate::columns! {
    HISTOGRAM {
        /// What is counted.
        quantity ["text"],
        /// Its value.
        value [""],
        /// How often.
        count [""],
    }
}

crate::columns! {
    TIMELINE {
        /// The end of an interval.
        time_s ["s"],
    }
}

pub(crate) struct PlainNetwork;

/// Every kind of experiment.
pub(crate) const KINDS: &[&'static dyn Experiment] = &[&PlainNetwork];

impl Experiment for PlainNetwork {
    fn name(&self) -> &'static str {
        "network"
    }

    fn doc(&self) -> &'static str {
        "nothing"
    }

    fn sections(&self) -> Vec<Section> {
        NetworkScenario::sections()
    }

    fn metrics(&self) -> &'static [Column] {
        &[]
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[
            TableSpec {
                name: "histogram",
                columns: HISTOGRAM,
                quantities: &["degree", "stretch"],
            },
            TableSpec {
                name: "timeline",
                columns: TIMELINE,
                quantities: &[],
            },
        ]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        Ok(Box::new(PlainRun(NetworkScenario::read(values, folder)?)))
    }
}

struct PlainRun(NetworkScenario);

impl Run for PlainRun {
    fn resolved(&self) -> Map {
        self.0.resolved()
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn run(&self, _: Seed) -> Result<RunOutput, ConfigError> {
        Ok(RunOutput::default())
    }
}
