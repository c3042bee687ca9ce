//! A protocol that is not in this crate, as a scenario needs to know it.

use dhtlab_core::engine::Duration;
use dhtlab_core::overlay::{Configuration, CostEstimate, Deployment, Metric};
use dhtlab_core::parameter::{ConfigError, Map};
use std::fmt::Debug;

/// The parameters of a protocol of one's own, without their type. Every [`Configuration`] is one.
pub trait OwnProtocol: Debug + Send + Sync {
    /// See [`Configuration::check`].
    ///
    /// # Errors
    /// The first key that is invalid in this deployment.
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError>;

    /// See [`Configuration::cost_estimate`].
    fn cost_estimate(&self, nodes: usize) -> CostEstimate;

    /// See [`Configuration::maintenance_rates`].
    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)>;

    /// See [`Configuration::metric`].
    fn metric(&self) -> Metric;

    /// Every key with its value.
    fn values(&self) -> Map;

    /// See [`Configuration::is_ring`].
    fn is_ring(&self) -> bool;

    /// See [`Configuration::max_replicas`].
    fn max_replicas(&self) -> Option<(usize, &'static str)>;

    /// See [`Configuration::join_interval`].
    fn join_interval(&self) -> Option<Duration>;
}

impl<C: Configuration + Debug + Send + Sync> OwnProtocol for C {
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        Configuration::check(self, deployment)
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        Configuration::cost_estimate(self, nodes)
    }

    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
        Configuration::maintenance_rates(self, nodes)
    }

    fn metric(&self) -> Metric {
        Configuration::metric(self)
    }

    fn values(&self) -> Map {
        self.resolved().into_iter().collect()
    }

    fn is_ring(&self) -> bool {
        Configuration::is_ring(self)
    }

    fn max_replicas(&self) -> Option<(usize, &'static str)> {
        Configuration::max_replicas(self)
    }

    fn join_interval(&self) -> Option<Duration> {
        Configuration::join_interval(self)
    }
}
