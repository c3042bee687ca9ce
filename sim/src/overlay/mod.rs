//! DHT protocols as state machines without I/O.
//!
//! A node gets a message or a timer and a [`Context`]; it changes its own state, says what is
//! to be done, and returns. It never sees another node's state, a clock or a thread. An
//! overlay answers one pure question, [`Overlay::next_hop`]; the router above sends, counts and
//! retries, the same for every protocol, and makes the upcalls of the common API of Dabek,
//! Zhao, Druschel, Kubiatowicz and Stoica (IPTPS 2003), which is [`Application`] here.

mod application;
pub mod chord;
mod configuration;
mod context;
mod ground_truth;
mod id_assignment;
mod identity;
pub mod kademlia;
pub mod urdht;
pub mod vhash;

pub use application::{Action, AppContext, Application, Forward, ItemState, LocalRouting};
pub use configuration::{Configuration, CostEstimate, Deployment, ProtocolVisitor, Start};
pub use context::{Context, Effect, LookupHandle};
pub use ground_truth::{GroundTruth, MemberIndex, RootIndex};
pub use id_assignment::{IdRule, IdScheme, bep42_id, is_bep42_valid, is_public, public_address};
pub use identity::{Node, NodeIds};

use crate::engine::Duration;
use crate::space::{Coordinates, Geometry, Key};
use std::cmp::Ordering;
use std::fmt::Debug;

/// Where a message for a key goes from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// Nowhere: this node is the root of the key.
    Root,
    /// To this node, which this one holds to be the root.
    Last(Node),
    /// To this node, which is closer to the key.
    Next(Node),
}

/// Bytes of a message that names nobody: IP and UDP headers, as Li et al. (INFOCOM 2005) count.
pub const HEADER_BYTES: u32 = 20;
/// Bytes of an address or an ID in a message, as Li et al. (INFOCOM 2005) count.
pub const NODE_BYTES: u32 = 4;

/// A protocol: the state of one node and how it changes.
///
/// # A protocol of your own
///
/// The smallest ring that is right: a node knows who is before it and who follows it, a key belongs
/// to the first node at or after it, and messages go around until they are there. Nodes join; a
/// joiner's place is given by the node that follows it, and if several join there at once, the later
/// one is passed on. Nobody crashes, so that nothing is mended, and hosts are all equally far apart,
/// so that no message overtakes another. The protocol is less than 100 lines of code; the rest runs it.
///
/// ```
/// use dhtlab::engine::{Instant, Seed, Duration, Stream};
/// use dhtlab::network::{End, Network, Setup, Travel, oracle};
/// use dhtlab::overlay::{MemberIndex, Context, HEADER_BYTES, NodeIds, NODE_BYTES};
/// use dhtlab::overlay::{NextHop, Node, GroundTruth, Overlay};
/// use dhtlab::space::Key;
/// use dhtlab::underlay::{Distances, Host, Underlay};
/// use dhtlab::workload::LookupPlan;
/// use std::cmp::Ordering;
/// use std::sync::Arc;
///
/// /// A node of the ring; who knows nobody is alone, or has no place yet.
/// #[derive(Clone, Copy, Debug, Default)]
/// struct Neighbours {
///     before: Option<Node>,
///     after: Option<Node>,
/// }
///
/// #[derive(Clone, Copy, Debug)]
/// enum Message {
///     /// To a joiner from the node that follows it: "that one is before you."
///     Welcome(Node),
///     /// From a joiner to the node before it: "I follow you."
///     Follow,
///     /// "That joiner's place is before me."
///     Seat(Node),
/// }
///
/// impl Neighbours {
///     /// Gives `joiner` the place before this node, or passes it on to where its place is.
///     fn seat(&mut self, context: &mut Context<'_, Self>, joiner: Node) {
///         let before = self.before.unwrap_or(context.me);
///         if context.ids.id(joiner).is_between(context.ids.id(before), context.id()) {
///             self.before = Some(joiner);
///             context.send(joiner, Message::Welcome(before));
///         } else {
///             context.send(before, Message::Seat(joiner));
///         }
///     }
/// }
///
/// impl Overlay for Neighbours {
///     type Shared = ();
///     type Message = Message;
///     /// All that a node asks a root for is a place.
///     type Query = ();
///     type Timer = ();
///
///     fn next_hop(&self, (): &(), ids: &NodeIds, me: Node, key: &Key) -> NextHop {
///         let [before, after] = [self.before, self.after].map(|node| node.unwrap_or(me));
///         let [behind, here, ahead] = [before, me, after].map(|node| ids.id(node));
///         match key {
///             key if *key == here || key.is_between(behind, here) => NextHop::Root,
///             key if *key == ahead || key.is_between(here, ahead) => NextHop::Last(after),
///             _ => NextHop::Next(after),
///         }
///     }
///     fn cmp_closeness((): &(), key: &Key, a: &Key, b: &Key) -> Ordering {
///         a.wrapping_sub(*key).cmp(&b.wrapping_sub(*key))
///     }
///     fn bytes(message: &Message) -> u32 {
///         HEADER_BYTES + NODE_BYTES * u32::from(!matches!(message, Message::Follow))
///     }
///     fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
///         match bootstrap {
///             Some(member) => context.route_via(member, context.id(), ()),
///             None => context.joined(),
///         }
///     }
///     fn on_query(&mut self, context: &mut Context<'_, Self>, origin: Node, (): (), _: Node) {
///         self.seat(context, origin);
///     }
///     fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
///         match message {
///             Message::Seat(joiner) => self.seat(context, joiner),
///             Message::Welcome(before) => {
///                 (self.before, self.after) = (Some(before), Some(from));
///                 context.send(before, Message::Follow);
///                 context.joined();
///             }
///             Message::Follow => {
///                 let after = self.after.unwrap_or(context.me);
///                 if context.ids.id(from).is_between(context.id(), context.ids.id(after)) {
///                     self.after = Some(from);
///                 }
///             }
///         }
///     }
///     fn each_peer(&self, see: &mut dyn FnMut(Node)) {
///         self.before.into_iter().chain(self.after).for_each(see);
///     }
///     // Nothing is asked, nothing times out, and nothing has to be kept up.
///     fn maintain(&mut self, _: &mut Context<'_, Self>) {}
///     fn on_request(&mut self, _: &mut Context<'_, Self>, _: Node, message: Message) -> Message {
///         message
///     }
///     fn on_reply(&mut self, _: &mut Context<'_, Self>, _: Node, (): (), _: Message, _: Duration) {}
///     fn on_timeout(&mut self, _: &mut Context<'_, Self>, _: Node, _: Option<()>) {}
///     fn on_timer(&mut self, _: &mut Context<'_, Self>, (): ()) {}
/// }
///
/// // What only one who sees everybody can say: the converged state, and who is right.
/// impl GroundTruth for Neighbours {
///     type Index = ();
///     fn new((): &(), _: &Key) -> Self {
///         Self::default()
///     }
///     fn converged((): &(), ids: &NodeIds, members: &[Node], _: &mut [Stream]) -> Vec<Self> {
///         let ring = MemberIndex::new(ids, members);
///         let at = |place: usize| Some(ring.nodes()[place % members.len()]);
///         let state = |node: &Node| {
///             let place = ring.place(&ids.id(*node), *node).expect("a member");
///             Self { before: at(place + members.len() - 1), after: at(place + 1) }
///         };
///         members.iter().map(state).collect()
///     }
///     fn root((): &(), member_index: &MemberIndex, _: &[Self], (): &(), key: &Key) -> Option<Node> {
///         (!member_index.nodes().is_empty()).then(|| member_index.nodes()[member_index.successor(key)])
///     }
/// }
///
/// // Eight nodes know each other, 56 more join in one second, and then 4000 keys are looked up.
/// let seed = Seed::new(3);
/// let hosts = Underlay::from_latencies(64, |_, _| Duration::from_millis(20))?;
/// let distances = Distances::new(Arc::new(hosts), (0..64).map(Host).collect());
/// let setup = Setup { seed, travel: Travel::SemiRecursive, timeout: Duration::from_millis(500), ask_root: true };
/// let mut network: Network<Neighbours> = Network::new(setup, (), distances);
/// let mut stream = seed.stream("ids", 0);
/// let ids: Vec<Key> = (0..64).map(|_| Key::random(&mut stream)).collect();
/// oracle::populate_converged(&mut network, &ids[..8], &[0, 1, 2, 3, 4, 5, 6, 7]);
/// for site in 8..64 {
///     let time = Instant::START + Duration::from_millis(u64::from(site) * 1000 / 64);
///     network.join_at(time, ids[site as usize], site);
/// }
/// let joined = Instant::START + Duration::from_secs(60);
/// network.run(joined, false, 1_000_000);
/// assert_eq!(network.members().len(), 64);
///
/// let lookups = seed.stream("lookups", 0);
/// network.plan_lookups(LookupPlan::evenly(lookups, joined, Duration::from_millis(1), 4000));
/// assert_eq!(network.run(joined + Duration::from_secs(60), true, 1_000_000), End::Done);
/// let tally = network.tally();
/// assert_eq!((tally.counts.ok, tally.counts.wrong, tally.counts.failed), (4000, 0, 0));
/// // The root is any of 0 to 63 steps away, with the same probability: 31.5 on average, and its
/// // standard error 18.5 / sqrt(4000) = .29, of which three are allowed.
/// let steps: u64 = tally.hops.iter().zip(0..).map(|(count, hops)| count * hops).sum();
/// let mean = steps as f64 / 4000.0;
/// assert!((mean - 31.5).abs() < 0.9, "{mean}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What a scenario has to know of a protocol before it runs says [`Configuration`]; [`chord`] is a
/// protocol with all of it.
pub trait Overlay: Sized {
    /// What all nodes share and none changes: the space and the protocol's parameters.
    type Shared: Sync;
    /// What nodes tell each other directly.
    type Message: Clone + Debug;
    /// What the protocol itself sends to the root of a key.
    type Query: Copy + Debug;
    /// What a node wakes up for, and what it wanted of a request.
    type Timer: Copy + Debug;

    /// Where a message for `key` goes; `me` is this node. Pure and without allocation.
    fn next_hop(&self, shared: &Self::Shared, ids: &NodeIds, me: Node, key: &Key) -> NextHop;

    /// Where a message for `key` goes instead, since the peers in `silent` have not taken it.
    fn next_hop_avoiding(
        &mut self,
        context: &mut Context<'_, Self>,
        key: &Key,
        silent: &[Node],
    ) -> NextHop {
        for peer in silent {
            self.on_timeout(context, *peer, None);
        }
        self.next_hop(context.shared, context.ids, context.me, key)
    }

    /// Where a message for `key` would go from here if there were no `except`. Asked when a joiner,
    /// which others may know from before, looks for its place.
    fn next_hop_without(
        &self,
        shared: &Self::Shared,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        except: Node,
    ) -> NextHop {
        match self.next_hop(shared, ids, me, key) {
            NextHop::Next(next) | NextHop::Last(next) if next == except => NextHop::Root,
            next => next,
        }
    }

    /// Which of two IDs is nearer to being the root of `key`: the one whose node would be it if
    /// there were no others.
    fn cmp_closeness(shared: &Self::Shared, key: &Key, a: &Key, b: &Key) -> Ordering;

    /// The shape of the space in which nodes and keys have their places, for pictures of it.
    fn geometry(_shared: &Self::Shared) -> Geometry {
        Geometry::Ring
    }

    /// The place of `key` in that space.
    fn locate(_shared: &Self::Shared, key: &Key) -> Coordinates {
        Geometry::fraction(key)
    }

    /// The place of this node, which has `id`: where that is, unless nodes move.
    fn place(&self, shared: &Self::Shared, id: &Key) -> Coordinates {
        Self::locate(shared, id)
    }

    /// Any number that stands in the node itself: reading it brings the node into the cache
    /// before it is needed.
    fn prefetch(&self) -> u32 {
        0
    }

    /// How many bytes `message` has.
    fn bytes(message: &Self::Message) -> u32;

    /// Whether `query` asks for the name of the root alone: then the node that names the root
    /// answers, and nobody knows whether the root is alive.
    fn answered_by_predecessor(_shared: &Self::Shared, _query: &Self::Query) -> bool {
        false
    }

    /// Looks up `key` in the protocol's own way and says [`Context::found`] in the end, once
    /// for each `handle`; false if it leaves lookups to the router.
    ///
    /// Only asked for lookups that the initiator conducts itself (iterative ones).
    fn look_up(
        &mut self,
        _context: &mut Context<'_, Self>,
        _key: &Key,
        _handle: LookupHandle,
    ) -> bool {
        false
    }

    /// The search that requests for `purpose` are steps of: they count as its hops.
    fn lookup_of(_purpose: &Self::Timer) -> Option<LookupHandle> {
        None
    }

    /// The key to which `request` asks the way, if it is a step of a lookup that its sender
    /// conducts itself.
    fn lookup_target(_request: &Self::Message) -> Option<Key> {
        None
    }

    /// The answer to such a request that names the first of `nodes`, as many as fit, and nobody
    /// else.
    fn lookup_reply(_shared: &Self::Shared, _nodes: &[Node]) -> Option<Self::Message> {
        None
    }

    /// Comes to life and joins through `bootstrap`, or begins a network of its own. Says
    /// [`Context::joined`] once it has its place, and [`Context::rejoin`] if nobody answers.
    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>);

    /// Comes up again in the state in which it stopped, where `bootstrap` is a member; its timers and
    /// what it waited for are gone. Says [`Context::joined`] at once if it still has a place, and
    /// joins otherwise.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        self.join(context, bootstrap);
    }

    /// Starts the maintenance; what [`join`](Self::join) does in the end, and what a node
    /// does that was put into a converged network.
    fn maintain(&mut self, context: &mut Context<'_, Self>);

    /// Goes, and may tell others before it does.
    fn leave(&mut self, _context: &mut Context<'_, Self>) {}

    /// A message came from `from`.
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Self::Message);

    /// A request came from `from`; the answer is sent back.
    fn on_request(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        message: Self::Message,
    ) -> Self::Message;

    /// The answer to a request made for `purpose` came from `from`, `round_trip` after it was sent.
    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Self::Timer,
        message: Self::Message,
        round_trip: Duration,
    );

    /// No answer came from `from` to a request made for `purpose`; or, without a purpose, it
    /// did not take a message that was routed to it.
    fn on_timeout(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Option<Self::Timer>,
    );

    /// A timer that the node has set is due.
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Self::Timer);

    /// A query of `origin` ended here: this node is the root of the key, or, if the query goes
    /// [`answered_by_predecessor`](Self::answered_by_predecessor), holds `root` to be that.
    fn on_query(
        &mut self,
        context: &mut Context<'_, Self>,
        origin: Node,
        query: Self::Query,
        root: Node,
    );

    /// At most `count` peers of `me` that would be the root of `key` one after the other if those
    /// before them went, as far as it knows. O(p log p) for p peers.
    fn replica_set(
        &self,
        shared: &Self::Shared,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let mut peers = Vec::new();
        self.each_peer(&mut |peer| peers.push(peer));
        peers.sort_unstable();
        peers.dedup();
        peers.retain(|peer| *peer != me);
        peers.sort_by(|a, b| Self::cmp_closeness(shared, key, &ids.id(*a), &ids.id(*b)));
        peers.truncate(count);
        peers
    }

    /// The keys of which `me` holds itself to be the root, where these are an interval: those after
    /// the first up to the second.
    fn range(&self, _: &Self::Shared, _: &NodeIds, _me: Node) -> Option<(Key, Key)> {
        None
    }

    /// Calls `see` for every peer that the node knows, short and long; a peer may come twice.
    fn each_peer(&self, see: &mut dyn FnMut(Node));
}
