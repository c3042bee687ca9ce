//! The job that a picture shows, run as in the experiment `job`.

use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table};
use dhtlab_core::service::file_job::{Input, InputParameters};
use dhtlab_core::underlay::Facts;
use dhtlab_format::recording::Recording;
use dhtlab_network_experiments::JobExperiment;
use dhtlab_scenario::{Cost, Experiment, NetworkScenario, Run, RunOutput};
use std::path::Path;

/// A job on a network, read and checked.
pub(super) struct RecordedJob(Box<dyn Run>);

impl RecordedJob {
    /// Reads the job from the tables of the scenario. It must be small enough to be recorded.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn read(values: &Table<'_>, folder: &Path) -> Result<Self, ConfigError> {
        let network = NetworkScenario::read(values, folder)?;
        for (key, stands) in [
            ("churn", network.churn.is_some()),
            ("adversary", network.adversary.is_some()),
        ] {
            if stands {
                let message = "a diagram of a job needs a network without churn and adversary";
                return Err(ConfigError::new(key, message));
            }
        }
        let input = InputParameters::read(&values.sub("job")?)?;
        if input.input == Input::File {
            let message = "a diagram shows a job over keys";
            return Err(ConfigError::new("job.input", message));
        }
        let run = JobExperiment.prepare(values, folder)?;
        run.recorded()?;
        Ok(Self(run))
    }

    /// The tables of the job, as resolved.
    pub fn resolved(&self) -> Map {
        self.0.resolved()
    }

    /// Cost estimate.
    pub fn cost(&self) -> Cost {
        self.0.cost()
    }

    /// Facts of the underlay file, if there is one.
    pub fn facts(&self) -> Option<Facts> {
        self.0.facts()
    }

    /// Runs and records the job.
    ///
    /// # Errors
    /// Errors that are found only when the network is built, or an incomplete recording.
    pub fn record(&self, seed: Seed) -> Result<(RunOutput, Recording), ConfigError> {
        let mut recording = Recording::default();
        let outcome = self.0.recorded()?.record(seed, &mut recording)?;
        if recording.cut {
            let message = "the run has more messages than a recording can hold; set fewer atoms";
            return Err(ConfigError::new("job.atoms", message));
        }
        if Self::metric(&outcome, "atoms_counted") < Self::metric(&outcome, "atoms") {
            let message = "the job is not finished at the end of the run; set a longer time";
            return Err(ConfigError::new("time.max", message));
        }
        Ok((outcome, recording))
    }

    /// A metric of the job; NaN if there is none of that name or it has no value.
    pub fn metric(outcome: &RunOutput, name: &str) -> f64 {
        outcome.metric(&JobExperiment, name).unwrap_or(f64::NAN)
    }
}
