//! Iterative lookups that a protocol conducts itself.

use super::{Context, LookupHandle, Node, Overlay};
use crate::space::Key;

/// How the nodes of protocol `P` conduct iterative lookups: an algorithm of the protocol, or
/// [`ByRouter`].
///
/// The requests of such an algorithm are the hops of its lookups.
pub trait LookupAlgorithm<P: Overlay> {
    /// Whether the protocol has an algorithm of its own; otherwise the router conducts lookups, and
    /// no other function of this trait has an effect.
    const IS_OWN: bool;

    /// Looks up `key` and reports the result by [`Context::found`], once for each `handle`.
    fn look_up(state: &mut P, context: &mut Context<'_, P>, key: &Key, handle: LookupHandle);

    /// The lookup of which requests for `purpose` are steps: they count as its hops.
    fn lookup_of(purpose: &P::Purpose) -> Option<LookupHandle>;

    /// The key of `request` if it is a step of a lookup of its sender.
    fn target(request: &P::Message) -> Option<Key>;

    /// A reply to such a request with the first of `nodes`, as many as fit, and no other nodes.
    fn reply(shared: &P::Shared, nodes: &[Node]) -> Option<P::Message>;
}

/// The router conducts the iterative lookups: it asks one node after the other for its next hop.
#[derive(Clone, Copy, Debug)]
pub struct ByRouter;

impl<P: Overlay> LookupAlgorithm<P> for ByRouter {
    const IS_OWN: bool = false;

    fn look_up(_: &mut P, _: &mut Context<'_, P>, _: &Key, _: LookupHandle) {}

    fn lookup_of(_: &P::Purpose) -> Option<LookupHandle> {
        None
    }

    fn target(_: &P::Message) -> Option<Key> {
        None
    }

    fn reply(_: &P::Shared, _: &[Node]) -> Option<P::Message> {
        None
    }
}
