//! What knows the type of the protocol of a run.

use dhtlab_core::overlay::{Configuration, ProtocolVisitor};
use dhtlab_scenario::NetworkScenario;

/// What knows the type of the protocol of a run. The compiler makes a task for each protocol that
/// [`accept`](Self::accept) names.
pub(crate) trait ProtocolType: Send + Sync + 'static {
    /// Calls `visitor` with the type of the protocol of `network`.
    fn accept<V: ProtocolVisitor>(&self, network: &NetworkScenario, visitor: V) -> V::Output;
}

/// Any protocol of `dhtlab-core`.
pub(crate) struct AnyShipped;

impl ProtocolType for AnyShipped {
    fn accept<V: ProtocolVisitor>(&self, network: &NetworkScenario, visitor: V) -> V::Output {
        network.protocol.accept(visitor)
    }
}

/// The protocol with these parameters.
pub(crate) struct Only<C>(pub C);

impl<C: Configuration + Send + Sync + 'static> ProtocolType for Only<C> {
    fn accept<V: ProtocolVisitor>(&self, _: &NetworkScenario, visitor: V) -> V::Output {
        self.0.accept(visitor)
    }
}
