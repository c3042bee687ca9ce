//! DHT protocols as state machines without I/O.
//!
//! A node gets a message or a timer and a [`Context`]; it changes its own state, requests effects,
//! and returns. It never reads another node's state, a clock or a thread. An overlay answers one
//! pure question, [`Overlay::next_hop`]; the router above sends, counts and retries, in the same
//! way for every protocol, and makes the upcalls of the common API of Dabek, Zhao, Druschel,
//! Kubiatowicz and Stoica (IPTPS 2003), which is [`Application`] here.

mod application;
pub mod chord;
mod configuration;
mod context;
mod ground_truth;
mod id_assignment;
mod identity;
pub mod kademlia;
mod layout;
mod lookups;
mod member_index;
mod metric;
pub mod pastry;
mod prefix_divergence;
mod size_estimate;
pub mod urdht;
pub mod vhash;

pub use application::{Action, AppContext, Application, Forward, ItemState, LocalRouting};
pub use configuration::{Configuration, CostEstimate, Deployment, ProtocolVisitor, Start};
pub use context::{Context, Effect, LookupHandle};
pub use ground_truth::{GroundTruth, RootIndex};
pub use id_assignment::{IdRule, IdScheme, bep42_id, is_bep42_valid, is_public};
pub use identity::{Node, NodeIds};
pub use layout::{Layout, OnRing, OnTwoWayRing, OnXorLine};
pub use lookups::{ByRouter, LookupAlgorithm};
pub use member_index::{MemberIndex, Members};
pub use metric::{Metric, RoundTrip};
pub use prefix_divergence::{PrefixModel, prefix_counts, region_prefix};
pub use size_estimate::{SizeEstimator, SizeSample, sample_weight};

use crate::space::Key;
use std::cmp::Ordering;
use std::fmt::Debug;

/// The next hop of a message for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// None: this node is the root of the key.
    Root,
    /// This node, which the present one considers the root.
    Last(Node),
    /// To this node, which is closer to the key.
    Next(Node),
}

/// The membership stage of a node of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The node looks for its place for the first time.
    #[default]
    Joining,
    /// The node has its place.
    Member,
    /// The node has lost all its neighbours on the ring and looks for its place again.
    Lost,
}

/// Bytes of a message without nodes: IP and UDP headers, as Li et al. (INFOCOM 2005) count.
pub const HEADER_BYTES: u32 = 20;

/// Bytes of the header of a routed message, with its key and its origin.
pub const ROUTED_BYTES: u32 = HEADER_BYTES + 2 * NODE_BYTES;
/// Bytes of an address or an ID in a message, as Li et al. (INFOCOM 2005) count.
pub const NODE_BYTES: u32 = 4;

/// A protocol: the state of one node and how it changes.
///
/// Two parts have traits of their own, [`LookupAlgorithm`] and [`Layout`]. Most protocols use a
/// ready-made implementation of each.
///
/// # A protocol of your own
///
/// A minimal correct ring: a node knows its predecessor and its successor, a key belongs to the
/// first node at or after it, and messages go around until they reach it. Nodes join; the successor
/// of a joiner gives it its place, and if several nodes join there at once, the later ones are
/// forwarded. No node crashes, so nothing is repaired, and all hosts are equally far apart, so no
/// message overtakes another. The protocol has fewer than 100 lines of code; the rest runs it.
///
/// ```
/// use dhtlab_core::engine::{Instant, Seed, Duration, Stream};
/// use dhtlab_core::network::{End, Network, Setup, Travel, oracle};
/// use dhtlab_core::overlay::{ByRouter, Context, HEADER_BYTES, MemberIndex, NODE_BYTES, NodeIds};
/// use dhtlab_core::overlay::{GroundTruth, NextHop, Node, OnRing, Overlay, RoundTrip};
/// use dhtlab_core::space::Key;
/// use dhtlab_core::underlay::{Distances, Host, Underlay};
/// use dhtlab_core::workload::LookupPlan;
/// use std::cmp::Ordering;
/// use std::sync::Arc;
///
/// /// A node of the ring. One without neighbours is alone, or has no place yet.
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
///     Place(Node),
/// }
///
/// impl Neighbours {
///     /// Gives `joiner` the place before this node, or passes it on to where its place is.
///     fn place_joiner(&mut self, context: &mut Context<'_, Self>, joiner: Node) {
///         let before = self.before.unwrap_or(context.me);
///         if context.ids.id(joiner).is_between(context.ids.id(before), context.id()) {
///             self.before = Some(joiner);
///             context.send(joiner, Message::Welcome(before));
///         } else {
///             context.send(before, Message::Place(joiner));
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
///     type Purpose = ();
///     type Route = ();
///     type Lookups = ByRouter;
///     type Layout = OnRing;
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
///         self.place_joiner(context, origin);
///     }
///     fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
///         match message {
///             Message::Place(joiner) => self.place_joiner(context, joiner),
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
///     fn on_reply(&mut self, _: &mut Context<'_, Self>, _: Node, (): (), _: Message, _: RoundTrip) {}
///     fn on_timeout(&mut self, _: &mut Context<'_, Self>, _: Node, _: Option<()>) {}
///     fn on_timer(&mut self, _: &mut Context<'_, Self>, (): ()) {}
/// }
///
/// // What needs the state of all nodes: the converged network, and the root of a key.
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
/// let timeout = Duration::from_millis(500);
/// let setup = Setup { seed, travel: Travel::SemiRecursive, timeout, ask_root: true };
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
/// [`Configuration`] is what a scenario needs of a protocol before a run; [`chord`] is a complete
/// protocol.
pub trait Overlay: Sized {
    /// The immutable state shared by all nodes: the space and the protocol's parameters.
    type Shared: Sync;
    /// The direct messages between nodes.
    type Message: Clone + Debug;
    /// The queries that the protocol itself routes to the root of a key.
    type Query: Copy + Debug;
    /// The timers of a node.
    type Timer: Copy + Debug;
    /// The purposes of its requests: each comes back with the reply or the time-out.
    type Purpose: Copy + Debug;
    /// What a message for a key carries besides the key, from node to node: its state at the beginning is
    /// the default one. `()` where the hops depend on the key alone.
    type Route: Copy + Debug + Default;
    /// How nodes conduct iterative lookups; [`ByRouter`] leaves them to the router.
    type Lookups: LookupAlgorithm<Self>;
    /// Where nodes and keys are in pictures, such as [`OnRing`].
    type Layout: Layout<Self>;

    /// The next hop of a message for `key`; `me` is this node. Pure and without allocation.
    fn next_hop(&self, shared: &Self::Shared, ids: &NodeIds, me: Node, key: &Key) -> NextHop;

    /// The next hop of a message for `key` that carries `route`. It carries on what this leaves in
    /// `route`; if the next hop is silent, this node is asked again with what it carried before. By default
    /// that of [`next_hop`](Self::next_hop), which is for a message that begins here.
    fn next_hop_with_route(
        &self,
        shared: &Self::Shared,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        _route: &mut Self::Route,
    ) -> NextHop {
        self.next_hop(shared, ids, me, key)
    }

    /// The next hop of a message for `key` after the peers in `silent` have timed out.
    fn next_hop_avoiding(
        &mut self,
        context: &mut Context<'_, Self>,
        key: &Key,
        silent: &[Node],
        route: &mut Self::Route,
    ) -> NextHop {
        for peer in silent {
            self.on_timeout(context, *peer, None);
        }
        self.next_hop_with_route(context.shared, context.ids, context.me, key, route)
    }

    /// The next hop of a message for `key` if `except` did not exist. Used when a joiner that
    /// others may know from an earlier session looks for its place.
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

    /// Calls `see` with the other nodes to which this one may send a message for `key` instead of the next
    /// hop, since they bring it nearer to the root, too: the router chooses the one of all these with
    /// the shortest round trip that the transport knows (proximity route selection). None by default.
    fn each_other_hop(
        &self,
        _shared: &Self::Shared,
        _ids: &NodeIds,
        _key: &Key,
        _see: &mut dyn FnMut(Node),
    ) {
    }

    /// Compares two IDs by closeness to `key`: the nearer one belongs to the root if there are no
    /// other nodes.
    fn cmp_closeness(shared: &Self::Shared, key: &Key, a: &Key, b: &Key) -> Ordering;

    /// Prefetch hook: reads any field of the node, which loads the node into the cache.
    fn prefetch(&self) -> u32 {
        0
    }

    /// Whether nodes use the IPv4 addresses of others ([`NodeIds::group`]).
    fn uses_addresses(_shared: &Self::Shared) -> bool {
        false
    }

    /// Size of `message` in bytes.
    fn bytes(message: &Self::Message) -> u32;

    /// Whether `query` asks only for the identity of the root: then the node before the root
    /// answers, and it is unknown whether the root is alive.
    fn answered_by_predecessor(_shared: &Self::Shared, _query: &Self::Query) -> bool {
        false
    }

    /// Joins through `bootstrap`, or starts a new network. Calls [`Context::joined`] once it has
    /// found its place, and [`Context::rejoin`] if it gets no reply.
    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>);

    /// Resumes in the state in which the node stopped; `bootstrap` is a member; its timers and
    /// outstanding requests are lost. Calls [`Context::joined`] at once if it still has a place,
    /// and joins otherwise.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        self.join(context, bootstrap);
    }

    /// Starts the maintenance, at the end of [`join`](Self::join) or when the node is placed into a
    /// converged network.
    fn maintain(&mut self, context: &mut Context<'_, Self>);

    /// Leaves, and may notify other nodes before it does.
    fn leave(&mut self, _context: &mut Context<'_, Self>) {}

    /// A member that the bootstrap service names, which may belong to another part of a network that
    /// was divided: finds the neighbours there. By default nothing.
    fn on_introduced(&mut self, _context: &mut Context<'_, Self>, _member: Node) {}

    /// A message from `from` has arrived.
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Self::Message);

    /// A request from `from` has arrived; the result is sent back.
    fn on_request(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        message: Self::Message,
    ) -> Self::Message;

    /// The reply of `from` to a request for `purpose` has arrived; `round_trip` is what the two
    /// messages have measured.
    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Self::Purpose,
        message: Self::Message,
        round_trip: RoundTrip,
    );

    /// A request to `from` for `purpose` has timed out; without a purpose, a routed message to it
    /// has.
    fn on_timeout(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Option<Self::Purpose>,
    );

    /// A timer of the node is due.
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Self::Timer);

    /// A query of `origin` ended here: this node is the root of the key, or, if the query is
    /// [`answered_by_predecessor`](Self::answered_by_predecessor), considers `root` the root.
    fn on_query(
        &mut self,
        context: &mut Context<'_, Self>,
        origin: Node,
        query: Self::Query,
        root: Node,
    );

    /// At most `count` peers of `me` that would become the root of `key` one after the other if
    /// their predecessors in the list left, as far as `me` knows. O(p log p) for p peers.
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

    /// The keys of which `me` considers itself the root, where they form an interval: those after
    /// the first up to and including the second.
    fn range(&self, _: &Self::Shared, _: &NodeIds, _me: Node) -> Option<(Key, Key)> {
        None
    }

    /// Calls `see` for every peer of the node, short and long; a peer may occur twice.
    fn each_peer(&self, see: &mut dyn FnMut(Node));
}
