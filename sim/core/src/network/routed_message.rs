//! Messages on the way to the root of a key, and their state.

use super::event::RoutedId;
use crate::engine::{Duration, Instant};
use crate::overlay::{Application, LookupHandle, Node, Overlay};
use crate::space::Key;
use smallvec::SmallVec;

/// The content of a routed message.
pub(super) enum Payload<P: Overlay, A: Application> {
    /// A lookup of the workload.
    Lookup,
    /// A query of the protocol.
    Query(P::Query),
    /// A message of the application.
    Message(A::Message),
}

// Not derived: a derive would require `P: Clone` and `A: Clone`.
impl<P: Overlay, A: Application> Clone for Payload<P, A> {
    fn clone(&self) -> Self {
        match self {
            Self::Lookup => Self::Lookup,
            Self::Query(query) => Self::Query(*query),
            Self::Message(message) => Self::Message(message.clone()),
        }
    }
}

/// A routed message. Only the network writes it: protocols do not know the underlay.
pub(super) struct RoutedMessage<P: Overlay, A: Application> {
    /// Distinguishes this message from earlier ones with the same index.
    pub number: u32,
    pub key: Key,
    pub origin: Node,
    /// The session of the origin in which it began.
    pub origin_session: u32,
    /// The origin joins by way of another node: no node forwards the message to the origin, even if
    /// it knows the origin from an earlier session.
    pub is_join: bool,
    pub payload: Payload<P, A>,
    /// The origin's overlay runs the lookup itself.
    pub by_overlay: bool,
    /// The sender considers the receiver the root.
    pub last: bool,
    /// The node that sent it last, to `target` at `sent`; once answered, the node with the answer.
    pub holder: Node,
    /// The session of the holder in which it was sent.
    pub holder_session: u32,
    pub target: Node,
    pub sent: Instant,
    /// How long the holder waits to learn that it has arrived.
    pub patience: Duration,
    /// How often the holder has sent it to the target before.
    pub attempts: u8,
    /// The target has it, and the holder does not know: this is the copy of the holder.
    pub has_arrived: bool,
    /// The message of which this and others are copies, if there are several.
    copies: Option<u32>,
    pub issued: Instant,
    pub hops: u32,
    pub underlay_hops: u32,
    /// Underlay links of the current hop, if it counts.
    pub links: Option<u32>,
    pub timeouts: u32,
    /// It has waited in the service queue of its current node.
    pub handled: bool,
    /// It was a lookup, and has ended at the root.
    pub is_correct: bool,
    /// A Sybil has handled it.
    pub intercepted: bool,
    /// A Sybil has altered it.
    pub forged: bool,
    /// Nodes that did not accept the message: those that the initiator of an iterative lookup sends
    /// along, and those that the current node of a recursive lookup knows.
    pub silent: SmallVec<[Node; 2]>,
    /// What it carries at the node that it has reached.
    pub route: P::Route,
    /// What it carries from there on.
    pub onward: P::Route,
    /// It goes back to a node of an iterative lookup that was asked before.
    pub is_back: bool,
    /// The nodes it has passed, for an answer on the same path; in an iterative lookup, the nodes
    /// that have answered.
    pub path: Vec<Node>,
}

/// The routed messages in flight; free indices are used again.
pub(super) struct RoutedMessages<P: Overlay, A: Application> {
    in_flight: Vec<RoutedMessage<P, A>>,
    free: Vec<RoutedId>,
    started: u32,
    copies: Vec<Copies>,
    free_copies: Vec<u32>,
}

/// The copies of one message.
#[derive(Clone, Copy)]
struct Copies {
    in_flight: u32,
    /// One has reached its end.
    is_delivered: bool,
}

impl<P: Overlay, A: Application> Default for RoutedMessages<P, A> {
    fn default() -> Self {
        Self {
            in_flight: Vec::new(),
            free: Vec::new(),
            started: 0,
            copies: Vec::new(),
            free_copies: Vec::new(),
        }
    }
}

impl<P: Overlay, A: Application> RoutedMessages<P, A> {
    /// Starts a routed message of `origin` in its session `session`.
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
            patience: Duration::ZERO,
            attempts: 0,
            has_arrived: false,
            copies: None,
            is_correct: false,
            issued: now,
            hops: 0,
            underlay_hops: 0,
            links: None,
            timeouts: 0,
            handled: false,
            intercepted: false,
            forged: false,
            silent: SmallVec::new(),
            route: P::Route::default(),
            onward: P::Route::default(),
            is_back: false,
            path: Vec::new(),
        };
        if let Some(id) = self.free.last() {
            // Reuses the memory of the old path.
            routed.path = std::mem::take(&mut self.in_flight[*id as usize].path);
            routed.path.clear();
        }
        self.add(routed)
    }

    fn add(&mut self, routed: RoutedMessage<P, A>) -> RoutedId {
        match self.free.pop() {
            Some(id) => {
                self.in_flight[id as usize] = routed;
                id
            }
            None => {
                self.in_flight.push(routed);
                (self.in_flight.len() - 1) as RoutedId
            }
        }
    }

    /// Makes a copy of a message in its present state.
    pub fn copy(&mut self, id: RoutedId) -> RoutedId {
        let copies = match self.get(id).copies {
            Some(copies) => copies,
            None => {
                let only = Copies {
                    in_flight: 1,
                    is_delivered: false,
                };
                match self.free_copies.pop() {
                    Some(place) => {
                        self.copies[place as usize] = only;
                        place
                    }
                    None => {
                        self.copies.push(only);
                        (self.copies.len() - 1) as u32
                    }
                }
            }
        };
        self.copies[copies as usize].in_flight += 1;
        self.started = self.started.wrapping_add(1);
        let number = self.started;
        let original = self.get_mut(id);
        original.copies = Some(copies);
        let copy = RoutedMessage {
            number,
            payload: original.payload.clone(),
            silent: original.silent.clone(),
            path: original.path.clone(),
            ..*original
        };
        self.add(copy)
    }

    /// The copy `id` of a message ends, at its destination if `is_delivered`: whether this is the
    /// end of the message, which is the first delivery, or the loss of the last copy if none was
    /// delivered.
    pub fn decides(&mut self, id: RoutedId, is_delivered: bool) -> bool {
        let Some(place) = self.get_mut(id).copies.take() else {
            return true;
        };
        let copies = &mut self.copies[place as usize];
        copies.in_flight -= 1;
        let was_delivered = copies.is_delivered;
        copies.is_delivered |= is_delivered;
        let is_last = copies.in_flight == 0;
        if is_last {
            self.free_copies.push(place);
        }
        !was_delivered && (is_delivered || is_last)
    }

    pub fn get(&self, id: RoutedId) -> &RoutedMessage<P, A> {
        &self.in_flight[id as usize]
    }

    pub fn get_mut(&mut self, id: RoutedId) -> &mut RoutedMessage<P, A> {
        &mut self.in_flight[id as usize]
    }

    /// Ends a routed message and frees its index.
    pub fn end(&mut self, id: RoutedId) {
        self.in_flight[id as usize].by_overlay = false;
        self.free.push(id);
    }

    /// The index of the message with `handle`, if it is still in flight.
    pub fn of(&self, handle: LookupHandle) -> Option<RoutedId> {
        let routed = self.in_flight.get(handle.routed as usize)?;
        (routed.by_overlay && routed.number == handle.number).then_some(handle.routed)
    }

    /// The indices of the lookups that the overlay of `origin` runs itself.
    pub fn overlay_lookups_of(&self, origin: Node) -> Vec<RoutedId> {
        let own = |routed: &RoutedMessage<P, A>| routed.by_overlay && routed.origin == origin;
        let places = self.in_flight.iter().enumerate();
        places
            .filter(|(_, routed)| own(routed))
            .map(|(place, _)| place as RoutedId)
            .collect()
    }
}
