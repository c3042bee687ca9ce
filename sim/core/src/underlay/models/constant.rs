use crate::engine::Duration;
use crate::parameters;
use crate::underlay::pairwise::Pairwise;

parameters! {
    /// Every message takes the same time.
    ///
    /// There are no links: each message is one underlay hop, and `link-latency` has no effect. It
    /// takes no memory, however many hosts there are.
    pub struct Constant {
        /// One-way latency between two different hosts.
        pub latency: Duration = Duration::from_millis(50);
    }
}

impl Constant {
    pub(in crate::underlay) fn pairs(&self, nodes: usize) -> Pairwise {
        Pairwise::Constant {
            hosts: nodes,
            latency: self.latency,
        }
    }
}
