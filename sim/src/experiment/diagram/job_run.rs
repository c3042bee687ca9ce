//! The job of which a picture shows something: run as the experiment `job` runs it.

use crate::engine::Seed;
use crate::experiment::JobExperiment;
use crate::parameter::{ConfigError, Table};
use crate::scenario::{Cost, Experiment, NetworkScenario, Run, RunOutput};
use crate::underlay::Facts;
use dhtlab_analysis::view::Recording;
use std::path::Path;

/// A job on a network, read and checked.
pub(super) struct RecordedJob(Box<dyn Run>);

impl RecordedJob {
    /// Reads it from the tables of the scenario; it has to be small enough to be recorded.
    ///
    /// # Errors
    /// The first key that is wrong.
    pub fn read(values: &Table<'_>, folder: &Path) -> Result<Self, ConfigError> {
        let network = NetworkScenario::read(values, folder)?;
        for (key, stands) in [
            ("churn", network.churn.is_some()),
            ("adversary", network.adversary.is_some()),
        ] {
            if stands {
                let message = "a picture shows a job on nodes that stay and are honest";
                return Err(ConfigError::new(key, message));
            }
        }
        let run = JobExperiment.prepare(values, folder)?;
        run.recorded()?;
        Ok(Self(run))
    }

    /// The tables of the job, as resolved.
    pub fn resolved(&self) -> toml::Table {
        self.0.resolved()
    }

    /// What it takes.
    pub fn cost(&self) -> Cost {
        self.0.cost()
    }

    /// What is in the file of its underlay, if it has one.
    pub fn facts(&self) -> Option<Facts> {
        self.0.facts()
    }

    /// Runs it, and takes it down.
    ///
    /// # Errors
    /// What became clear only with the world, or a recording that is not whole.
    pub fn record(&self, seed: Seed) -> Result<(RunOutput, Recording), ConfigError> {
        let mut recording = Recording::default();
        let outcome = self.0.recorded()?.record(seed, &mut recording)?;
        if recording.cut {
            let message = "more messages than a recording takes down; expected fewer atoms";
            return Err(ConfigError::new("job.atoms", message));
        }
        if Self::metric(&outcome, "atoms_counted") < Self::metric(&outcome, "atoms") {
            let message = "the job had not come to its end by then; expected more time";
            return Err(ConfigError::new("time.max", message));
        }
        Ok((outcome, recording))
    }

    /// A metric of the job; NaN if it has none of that name, or no value.
    pub fn metric(outcome: &RunOutput, name: &str) -> f64 {
        let names = JobExperiment.metrics().iter();
        let found = names
            .zip(&outcome.metrics)
            .find(|(metric, _)| **metric == name);
        found.map_or(f64::NAN, |(_, cell)| cell.parse().unwrap_or(f64::NAN))
    }
}
