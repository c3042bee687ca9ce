//! The whole command with a protocol of one's own beside the shipped ones:
//!
//! ```sh
//! cargo run --release --example own_protocol -- run mine.toml
//! ```
//!
//! with `overlay.protocol = "full-table"` in `mine.toml`, or in a sweep with others.

#[path = "../../../docs/examples/own-protocol/src/full_table.rs"]
mod full_table;

use dhtlab_core::overlay::{Configuration, CostEstimate, Deployment, ProtocolVisitor};
use dhtlab_core::parameter::ConfigError;
use dhtlab_experiments::kinds_with;
use dhtlab_network_experiments::with_protocol;
use full_table::FullTable;
use std::process::ExitCode;

dhtlab_core::parameters! {
    /// A DHT in which each node knows all others.
    pub struct FullTableParameters {
        /// The largest network for which this is meant.
        pub most_nodes: usize = 10_000, within 1..=1_000_000;
    }
}

impl Configuration for FullTableParameters {
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        if deployment.nodes <= self.most_nodes {
            return Ok(());
        }
        let message = format!(
            "expected at least the {} nodes of the network, found {}",
            deployment.nodes, self.most_nodes
        );
        Err(ConfigError::new("overlay.full-table.most-nodes", message))
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        let peers = nodes as f64;
        CostEstimate {
            hops: 1.0,
            maintenance: 0.0,
            build: peers,
            bytes: 4.0 * peers,
            peers,
        }
    }

    fn maintenance_rates(&self, _: usize) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
        visitor.visit::<FullTable>(())
    }
}

fn main() -> ExitCode {
    let kinds = with_protocol::<FullTableParameters>("full-table", "Each node knows all others.");
    dhtlab::main_with(kinds_with(&kinds), std::env::args_os())
}
