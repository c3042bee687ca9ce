//! Messages on their way to the root of a key, and what they meet on it.

use super::event::TripId;
use crate::engine::Instant;
use crate::overlay::{Application, Node, Overlay, Search};
use crate::space::Key;
use smallvec::SmallVec;

/// What a routed message is for.
pub(super) enum Cargo<P: Overlay, A: Application> {
    /// A lookup of the workload.
    Lookup,
    /// A query of the protocol.
    Query(P::Query),
    /// A message of the application.
    Message(A::Message),
}

// Not derived: that would ask for `P: Clone` and `A: Clone`.
impl<P: Overlay, A: Application> Clone for Cargo<P, A> {
    fn clone(&self) -> Self {
        match self {
            Self::Lookup => Self::Lookup,
            Self::Query(query) => Self::Query(*query),
            Self::Message(message) => Self::Message(message.clone()),
        }
    }
}

/// A routed message. Only the network writes it: protocols know no underlay.
pub(super) struct Trip<P: Overlay, A: Application> {
    /// Tells this trip from others that have had its place.
    pub number: u32,
    pub key: Key,
    pub origin: Node,
    /// The life of the origin in which it began.
    pub origin_life: u32,
    /// The origin looks for its place by way of another node: nobody hands it the message, even if
    /// others know it from an earlier life.
    pub seeks_place: bool,
    pub cargo: Cargo<P, A>,
    /// The origin conducts the lookup itself.
    pub searching: bool,
    /// The receiver was told that it is the root.
    pub last: bool,
    /// The node that sent it last, and when; for an iterative lookup, the node that is asked.
    pub holder: Node,
    /// The life of the holder in which it sent it.
    pub holder_life: u32,
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
pub(super) struct Trips<P: Overlay, A: Application> {
    trips: Vec<Trip<P, A>>,
    free: Vec<TripId>,
    started: u32,
}

impl<P: Overlay, A: Application> Default for Trips<P, A> {
    fn default() -> Self {
        Self {
            trips: Vec::new(),
            free: Vec::new(),
            started: 0,
        }
    }
}

impl<P: Overlay, A: Application> Trips<P, A> {
    /// Starts a trip of `origin` in its life `life`.
    pub fn start(
        &mut self,
        (origin, life): (Node, u32),
        key: Key,
        cargo: Cargo<P, A>,
        now: Instant,
    ) -> TripId {
        self.started = self.started.wrapping_add(1);
        let mut trip = Trip {
            number: self.started,
            key,
            origin,
            origin_life: life,
            seeks_place: false,
            cargo,
            searching: false,
            last: false,
            holder: origin,
            holder_life: life,
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
                let old = &mut self.trips[id as usize];
                // The old trip's path keeps its memory.
                trip.path = std::mem::take(&mut old.path);
                trip.path.clear();
                *old = trip;
                id
            }
            None => {
                self.trips.push(trip);
                (self.trips.len() - 1) as TripId
            }
        }
    }

    pub fn get(&self, id: TripId) -> &Trip<P, A> {
        &self.trips[id as usize]
    }

    pub fn get_mut(&mut self, id: TripId) -> &mut Trip<P, A> {
        &mut self.trips[id as usize]
    }

    /// Ends a trip; its place may be used again.
    pub fn end(&mut self, id: TripId) {
        self.trips[id as usize].searching = false;
        self.free.push(id);
    }

    /// The place of the trip that `search` stands for, if it is still under way.
    pub fn of(&self, search: Search) -> Option<TripId> {
        let trip = self.trips.get(search.trip as usize)?;
        (trip.searching && trip.number == search.number).then_some(search.trip)
    }

    /// The places of the lookups that `origin` conducts itself.
    pub fn searches_of(&self, origin: Node) -> Vec<TripId> {
        let own = |trip: &Trip<P, A>| trip.searching && trip.origin == origin;
        let places = self.trips.iter().enumerate();
        places
            .filter(|(_, trip)| own(trip))
            .map(|(place, _)| place as TripId)
            .collect()
    }
}
