//! How the nodes of the published growth experiment choose their peers.

use dhtlab_core::engine::Stream;
use dhtlab_core::space::{self, DiscPoint, Key, Ring, Space, Xor};
use ordered_float::OrderedFloat;

/// Minimum number of short peers.
const SHORT_PEERS: usize = 7;
/// Maximum number of long peers in the plane and in the disc.
const LONG_PEERS: usize = 49;
/// Size of one of Kademlia's buckets.
const BUCKET: usize = 3;
/// The Euclidean radius of the hyperbolic disc in which the nodes of the figures are.
const DISC_RADIUS: f64 = 0.8;

/// The part of the program that depends on the topology.
pub trait Program {
    /// The position of a node.
    type Place;
    /// The distance from one position to another.
    type Distance: Copy + Ord;

    /// A random position.
    fn place(stream: &mut Stream) -> Self::Place;

    /// The distance from one position to another.
    fn distance(from: &Self::Place, to: &Self::Place) -> Self::Distance;

    /// Appends to `chosen` the peers that node `me` selects from `pool`, short ones first, each
    /// once. Returns the number of short peers. The pool has no duplicates and does not contain
    /// `me`.
    fn choose(
        me: usize,
        places: &[Self::Place],
        pool: &[u32],
        choices: &mut Stream,
        chosen: &mut Vec<u32>,
    ) -> usize;
}

/// A ring.
pub struct Chord;
/// The XOR metric.
pub struct Kademlia;
/// The unit square.
pub struct Euclidean;
/// A disc of the hyperbolic plane.
pub struct Hyperbolic;

impl Program for Chord {
    type Place = Key;
    type Distance = Key;

    fn place(stream: &mut Stream) -> Key {
        Key::random(stream)
    }

    fn distance(from: &Key, to: &Key) -> Key {
        Ring.distance(from, to)
    }

    fn choose(
        me: usize,
        places: &[Key],
        pool: &[u32],
        _: &mut Stream,
        chosen: &mut Vec<u32>,
    ) -> usize {
        let order = by_distance::<Self>(me, places, pool);
        // The nearest in either direction are short peers; the fingers are chosen among the others.
        let ([first, others @ .., last], true) = (order.as_slice(), order.len() > 2) else {
            chosen.extend(pool);
            return pool.len();
        };
        chosen.extend([first.1, last.1]);
        let mut passed = 0;
        for bit in 0..Key::BITS {
            let reach = Key::power_of_two(bit);
            while others.get(passed).is_some_and(|(way, _)| *way <= reach) {
                passed += 1;
            }
            // If all others are beyond, the preceding one is the last before the node itself.
            let place = passed.checked_sub(1).unwrap_or(others.len() - 1);
            let finger = others[place].1;
            // Fingers increase, except where the shortest ones wrap.
            if !chosen[2..].contains(&finger) {
                chosen.push(finger);
            }
        }
        2
    }
}

impl Program for Kademlia {
    type Place = Key;
    type Distance = Key;

    fn place(stream: &mut Stream) -> Key {
        Key::random(stream)
    }

    fn distance(from: &Key, to: &Key) -> Key {
        Xor.distance(from, to)
    }

    fn choose(
        me: usize,
        places: &[Key],
        pool: &[u32],
        _: &mut Stream,
        chosen: &mut Vec<u32>,
    ) -> usize {
        let order = by_distance::<Self>(me, places, pool);
        let (accepted, short) = short_peers::<Self>(places, &order);
        chosen.extend(order[..short].iter().map(|(_, node)| *node));
        let mut buckets = Buckets::default();
        for (i, (distance, node)) in order.iter().enumerate().skip(accepted) {
            buckets.offer(
                Key::BITS - 1 - distance.log2().unwrap_or(0),
                *node,
                i < short,
            );
        }
        chosen.extend(
            buckets
                .members()
                .filter(|member| !member.short)
                .map(|member| member.node),
        );
        short
    }
}

impl Program for Euclidean {
    type Place = [f64; 2];
    type Distance = OrderedFloat<f64>;

    fn place(stream: &mut Stream) -> [f64; 2] {
        [stream.unit(), stream.unit()]
    }

    fn distance(from: &[f64; 2], to: &[f64; 2]) -> OrderedFloat<f64> {
        space::Plane.distance(from, to)
    }

    fn choose(
        me: usize,
        places: &[[f64; 2]],
        pool: &[u32],
        choices: &mut Stream,
        chosen: &mut Vec<u32>,
    ) -> usize {
        short_and_random::<Self>(me, places, pool, choices, chosen)
    }
}

impl Program for Hyperbolic {
    type Place = DiscPoint;
    type Distance = OrderedFloat<f64>;

    fn place(stream: &mut Stream) -> DiscPoint {
        let radius = DISC_RADIUS * stream.unit().sqrt();
        space::Hyperbolic::polar(radius, stream.unit())
    }

    fn distance(from: &DiscPoint, to: &DiscPoint) -> OrderedFloat<f64> {
        space::Hyperbolic.distance(from, to)
    }

    fn choose(
        me: usize,
        places: &[DiscPoint],
        pool: &[u32],
        choices: &mut Stream,
        chosen: &mut Vec<u32>,
    ) -> usize {
        short_and_random::<Self>(me, places, pool, choices, chosen)
    }
}

/// The pool in the order of the distance from `me`.
fn by_distance<P: Program>(
    me: usize,
    places: &[P::Place],
    pool: &[u32],
) -> Vec<(P::Distance, u32)> {
    let away = |node: &u32| P::distance(&places[me], &places[*node as usize]);
    let mut order: Vec<_> = pool.iter().map(|node| (away(node), *node)).collect();
    order.sort_unstable();
    order
}

/// The number of leading nodes of `order` that the rule accepts, and the number of short peers once
/// filled.
fn short_peers<P: Program>(places: &[P::Place], order: &[(P::Distance, u32)]) -> (usize, usize) {
    if order.len() <= SHORT_PEERS {
        return (order.len(), order.len());
    }
    let hidden = |i: &usize| {
        let (mine, candidate) = order[*i];
        let candidate = &places[candidate as usize];
        order[..*i]
            .iter()
            .any(|(_, taken)| P::distance(&places[*taken as usize], candidate) < mine)
    };
    // The program's flag is never reset: behind the first rejected node all are rejected.
    let accepted = (1..order.len()).find(hidden).unwrap_or(order.len());
    (accepted, accepted.max(SHORT_PEERS))
}

/// Short peers by the rule, and a random sample of the rejected as long peers.
fn short_and_random<P: Program>(
    me: usize,
    places: &[P::Place],
    pool: &[u32],
    choices: &mut Stream,
    chosen: &mut Vec<u32>,
) -> usize {
    let order = by_distance::<P>(me, places, pool);
    let (accepted, short) = short_peers::<P>(places, &order);
    chosen.extend(order[..short].iter().map(|(_, node)| *node));
    // Nodes that filled the short peers can be drawn again, without effect.
    let mut rejected: Vec<usize> = (accepted..order.len()).collect();
    if rejected.len() > LONG_PEERS {
        choices.sample_to_front(&mut rejected, LONG_PEERS);
        rejected.truncate(LONG_PEERS);
    }
    chosen.extend(
        rejected
            .iter()
            .filter(|i| **i >= short)
            .map(|i| order[*i].1),
    );
    short
}

/// A node in a bucket.
#[derive(Clone, Copy)]
struct Member {
    /// Number of leading bits shared with the owner of the buckets.
    common: u32,
    node: u32,
    /// Whether the node is already a short peer.
    short: bool,
}

/// The program's buckets: the owner's own, of nodes that share at least `others.len()` leading bits
/// with it, and one for each smaller number of shared bits.
#[derive(Default)]
struct Buckets {
    own: Vec<Member>,
    /// Bucket i has the nodes that share exactly i bits.
    others: Vec<Vec<Member>>,
}

impl Buckets {
    /// Offers a node that shares `common` leading bits with the owner.
    fn offer(&mut self, common: u32, node: u32, short: bool) {
        let newcomer = Member {
            common,
            node,
            short,
        };
        // The owner takes a slot in its own bucket. A full bucket is split once.
        if common as usize >= self.others.len() && self.own.len() + 1 >= BUCKET {
            let depth = self.others.len() as u32;
            let leave = |member: &Member| member.common == depth;
            self.others
                .push(self.own.iter().copied().filter(leave).collect());
            self.own.retain(|member| !leave(member));
        }
        let (bucket, room) = match self.others.get_mut(common as usize) {
            Some(bucket) => (bucket, BUCKET),
            None => (&mut self.own, BUCKET - 1),
        };
        if bucket.len() < room {
            bucket.push(newcomer);
        }
    }

    fn members(&self) -> impl Iterator<Item = &Member> {
        self.others.iter().flatten().chain(&self.own)
    }
}
