//! A metric: the bytes that each node sends.

use dhtlab_core::network::NetworkState;
use dhtlab_core::network::observer::{Observer, Signal};
use dhtlab_core::overlay::{Application, GroundTruth};

/// Bytes sent, by node.
#[derive(Default)]
pub struct BytesSent(Vec<u64>);

impl BytesSent {
    /// The most bytes that a node has sent.
    pub fn most(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or(0)
    }
}

impl<P: GroundTruth, A: Application> Observer<P, A> for BytesSent {
    fn on(&mut self, signal: &Signal, state: &NetworkState<P, A>) {
        if let Signal::MessageSent(sent) = signal {
            self.0.resize(state.nodes().count(), 0);
            self.0[sent.from.index()] += u64::from(sent.bytes);
        }
    }
}
