//! Messages on their way to the root of a key, and what they meet on it.

use super::event::RoutedId;
use crate::engine::Instant;
use crate::overlay::{Application, LookupHandle, Node, Overlay};
use crate::space::Key;
use smallvec::SmallVec;

/// What a routed message is for.
pub(super) enum Payload<P: Overlay, A: Application> {
    /// A lookup of the workload.
    Lookup,
    /// A query of the protocol.
    Query(P::Query),
    /// A message of the application.
    Message(A::Message),
}

// Not derived: that would ask for `P: Clone` and `A: Clone`.
impl<P: Overlay, A: Application> Clone for Payload<P, A> {
    fn clone(&self) -> Self {
        match self {
            Self::Lookup => Self::Lookup,
            Self::Query(query) => Self::Query(*query),
            Self::Message(message) => Self::Message(message.clone()),
        }
    }
}

/// A routed message. Only the network writes it: protocols know no underlay.
pub(super) struct RoutedMessage<P: Overlay, A: Application> {
    /// Tells this trip from others that have had its place.
    pub number: u32,
    pub key: Key,
    pub origin: Node,
    /// The life of the origin in which it began.
    pub origin_session: u32,
    /// The origin looks for its place by way of another node: nobody hands it the message, even if
    /// others know it from an earlier life.
    pub is_join: bool,
    pub payload: Payload<P, A>,
    /// The origin conducts the lookup itself.
    pub by_overlay: bool,
    /// The receiver was told that it is the root.
    pub last: bool,
    /// The node that sent it last, and when; for an iterative lookup, the node that is asked.
    pub holder: Node,
    /// The life of the holder in which it sent it.
    pub holder_session: u32,
    pub target: Node,
    pub sent: Instant,
    pub issued: Instant,
    pub hops: u32,
    pub underlay_hops: u32,
    /// Underlay links of the hop that is under way, if it is to be counted.
    pub links: Option<u32>,
    pub timeouts: u32,
    /// It has waited for its turn at the node where it is.
    pub handled: bool,
    /// A Sybil has handled it.
    pub intercepted: bool,
    /// A Sybil has altered it.
    pub forged: bool,
    /// Nodes that have not taken the message: what the initiator of an iterative lookup tells
    /// those it asks, and what the present node of a recursive one knows.
    pub silent: SmallVec<[Node; 2]>,
    /// The nodes it has passed, for an answer that goes back the same way; in an iterative
    /// lookup, the nodes that were asked and have answered.
    pub path: Vec<Node>,
}

/// The routed messages that are under way, in places that are used again.
pub(super) struct RoutedMessages<P: Overlay, A: Application> {
    in_flight: Vec<RoutedMessage<P, A>>,
    free: Vec<RoutedId>,
    started: u32,
}

impl<P: Overlay, A: Application> Default for RoutedMessages<P, A> {
    fn default() -> Self {
        Self {
            in_flight: Vec::new(),
            free: Vec::new(),
            started: 0,
        }
    }
}

impl<P: Overlay, A: Application> RoutedMessages<P, A> {
    /// Starts a trip of `origin` in its life `session`.
    pub fn start(
        &mut self,
        (origin, session): (Node, u32),
        key: Key,
        payload: Payload<P, A>,
        now: Instant,
    ) -> RoutedId {
        self.started = self.started.wrapping_add(1);
        let mut routed = RoutedMessage {
            number: self.started,
            key,
            origin,
            origin_session: session,
            is_join: false,
            payload,
            by_overlay: false,
            last: false,
            holder: origin,
            holder_session: session,
            target: origin,
            sent: now,
            issued: now,
            hops: 0,
            underlay_hops: 0,
            links: None,
            timeouts: 0,
            handled: false,
            intercepted: false,
            forged: false,
            silent: SmallVec::new(),
            path: Vec::new(),
        };
        match self.free.pop() {
            Some(id) => {
                let old = &mut self.in_flight[id as usize];
                // The old trip's path keeps its memory.
                routed.path = std::mem::take(&mut old.path);
                routed.path.clear();
                *old = routed;
                id
            }
            None => {
                self.in_flight.push(routed);
                (self.in_flight.len() - 1) as RoutedId
            }
        }
    }

    pub fn get(&self, id: RoutedId) -> &RoutedMessage<P, A> {
        &self.in_flight[id as usize]
    }

    pub fn get_mut(&mut self, id: RoutedId) -> &mut RoutedMessage<P, A> {
        &mut self.in_flight[id as usize]
    }

    /// Ends a trip; its place may be used again.
    pub fn end(&mut self, id: RoutedId) {
        self.in_flight[id as usize].by_overlay = false;
        self.free.push(id);
    }

    /// The place of the trip that `handle` stands for, if it is still under way.
    pub fn of(&self, handle: LookupHandle) -> Option<RoutedId> {
        let routed = self.in_flight.get(handle.routed as usize)?;
        (routed.by_overlay && routed.number == handle.number).then_some(handle.routed)
    }

    /// The places of the lookups that `origin` conducts itself.
    pub fn overlay_lookups_of(&self, origin: Node) -> Vec<RoutedId> {
        let own = |routed: &RoutedMessage<P, A>| routed.by_overlay && routed.origin == origin;
        let places = self.in_flight.iter().enumerate();
        places
            .filter(|(_, routed)| own(routed))
            .map(|(place, _)| place as RoutedId)
            .collect()
    }
}
