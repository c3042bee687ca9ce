//! Chord with messages: joins, maintenance, lookups, failures.

use crate::testbed::{at, ids, look_up, network, sites};
use dhtlab_core::engine::{Duration, Period};
use dhtlab_core::network::{Travel, oracle};
use dhtlab_core::overlay::chord::{Base, Chord, ChordParameters, Closest};
use dhtlab_core::overlay::{NextHop, Node, Overlay};
use dhtlab_core::space::{Key, Ring, Space};

/// Parameters of a ring that is maintained every few seconds.
pub fn parameters(successors: usize) -> ChordParameters {
    ChordParameters {
        successors,
        stabilise: Period::every(Duration::from_secs(10)),
        fix_fingers: Period::every(Duration::from_secs(5)),
        check_predecessor: Period::every(Duration::from_secs(10)),
        ..ChordParameters::default()
    }
}

/// The same with fingers of base `b`.
fn with_base(b: u32, successors: usize) -> ChordParameters {
    ChordParameters {
        base: Base::new(b).expect("a power of 2"),
        ..parameters(successors)
    }
}

/// Nodes that join one after the other and maintain themselves end up with exactly the
/// successor lists, fingers and predecessors that the oracle builds.
#[test]
fn chord_joins_reach_the_converged_state() {
    let sizes = [(1, 1), (2, 1), (3, 2), (40, 1), (40, 5), (64, 16)].map(|size| (size, 2));
    for ((nodes, successors), base) in sizes.into_iter().chain([((40, 2), 8), ((40, 1), 128)]) {
        let parameters = || with_base(base, successors);
        let ids = ids(nodes, nodes as u64);
        let mut joined = network::<Chord, ()>(parameters(), nodes, Travel::Recursive);
        for (i, id) in ids.iter().enumerate() {
            joined.join_at(at(20 * i as u64), *id, i as u32);
        }
        // Successor lists settle one node further each stabilisation, fingers once around.
        joined.run(at(20 * nodes as u64 + 6000), false, u64::MAX);
        let mut built = network::<Chord, ()>(parameters(), nodes, Travel::Recursive);
        oracle::populate_converged(&mut built, &ids, &sites(nodes));
        for node in (0..nodes as u32).map(Node) {
            let (a, b) = (joined.node(node), built.node(node));
            assert_eq!(a.predecessor(), b.predecessor(), "{nodes} nodes, {node:?}");
            assert_eq!(
                a.peers(),
                b.peers(),
                "{nodes} nodes, {successors} successors, base {base}, {node:?}"
            );
        }
    }
}

/// A converged ring is a fixed point of maintenance.
#[test]
fn chord_maintenance_keeps_the_converged_state() {
    let ids = ids(100, 3);
    let mut network = network::<Chord, ()>(parameters(4), 100, Travel::Recursive);
    oracle::populate_converged(&mut network, &ids, &sites(100));
    let before: Vec<_> = (0..100)
        .map(|i| network.node(Node(i)).peers().clone())
        .collect();
    network.run(at(2000), false, u64::MAX);
    let after: Vec<_> = (0..100)
        .map(|i| network.node(Node(i)).peers().clone())
        .collect();
    assert_eq!(before, after);
}

/// Every lookup on a converged ring ends at the true root, by every way of travelling and by
/// both definitions of closest.
#[test]
fn chord_lookups_end_at_the_root() {
    for travel in Travel::ALL {
        for closest in [Closest::Successor, Closest::Nearest] {
            for nodes in [1, 2, 3, 200] {
                let parameters = ChordParameters {
                    closest,
                    ..parameters(1)
                };
                let mut network = network::<Chord, ()>(parameters, nodes, *travel);
                oracle::populate_converged(&mut network, &ids(nodes, 9), &sites(nodes));
                look_up(&mut network, 2000);
                let counts = network.tally().counts;
                assert_eq!(
                    (counts.ok, counts.wrong, counts.failed),
                    (2000, 0, 0),
                    "{travel:?} {closest:?} {nodes}"
                );
            }
        }
    }
}

/// An iterative lookup asks each node that a recursive one passes, and the root.
#[test]
fn ways_of_travelling_agree() {
    let mut means = Vec::new();
    for travel in Travel::ALL {
        let mut network = network::<Chord, ()>(parameters(1), 200, *travel);
        oracle::populate_converged(&mut network, &ids(200, 9), &sites(200));
        look_up(&mut network, 2000);
        let tally = network.tally();
        let hops: u64 = tally
            .hops
            .iter()
            .enumerate()
            .map(|(h, c)| h as u64 * c)
            .sum();
        means.push((hops, tally.hops[0]));
    }
    let [recursive, semi, iterative] = means[..] else {
        panic!("three ways")
    };
    assert_eq!(recursive, semi);
    assert_eq!(iterative, recursive);
}

/// When a third of the nodes fail at once, lookups find a way around them, and maintenance repairs
/// the ring to what the oracle builds of the live nodes.
#[test]
fn chord_mends_itself_after_crashes() {
    let nodes = 90;
    let mut network = network::<Chord, ()>(parameters(12), nodes, Travel::Recursive);
    oracle::populate_converged(&mut network, &ids(nodes, 11), &sites(nodes));
    (0..nodes as u32)
        .step_by(3)
        .for_each(|i| network.crash(Node(i)));
    look_up(&mut network, 1000);
    let counts = network.tally().counts;
    // Keys of failed nodes end at their new roots once these have detected it; most succeed at
    // once.
    assert!(counts.ok > 900, "{counts:?}");
    network.run(at(3000), false, u64::MAX);
    for node in network.members() {
        let state = network.node(*node);
        let living = |n: &Node| network.is_alive(*n);
        assert!(state.predecessor().is_some_and(|p| living(&p)));
        assert!(
            state.peers().all().iter().all(|peer| living(&peer.node())),
            "{node:?}"
        );
        assert_eq!(state.peers().successors().len(), 12);
    }
    let before = network.tally().counts.ok;
    look_up(&mut network, 1000);
    assert_eq!(network.tally().counts.ok, before + 1000);
}

/// Chord's table answers what the one greedy rule says: the known peer nearest before the key.
#[test]
fn chord_table_is_the_greedy_step() {
    for (nodes, successors, base) in [(5, 2, 2), (300, 1, 2), (300, 20, 2), (300, 3, 16)] {
        let parameters = with_base(base, successors);
        let mut network = network::<Chord, ()>(parameters.clone(), nodes, Travel::Recursive);
        oracle::populate_converged(&mut network, &ids(nodes, 31), &sites(nodes));
        for (i, key) in ids(3000, 32).iter().enumerate() {
            let me = Node((i % nodes) as u32);
            let state = network.node(me);
            let id = |node: Node| network.ids().id(node);
            let ahead = Ring.distance(&id(me), key);
            let best = state
                .peers()
                .all()
                .iter()
                .map(|peer| peer.node())
                .filter(|peer| Ring.distance(&id(me), &id(*peer)) < ahead)
                .min_by_key(|peer| Ring.distance(&id(*peer), key));
            let owns = state
                .predecessor()
                .is_some_and(|p| Ring.distance(&id(p), key) <= Ring.distance(&id(p), &id(me)));
            let expected = match best {
                _ if owns => NextHop::Root,
                Some(peer) => NextHop::Next(peer),
                None => NextHop::Last(state.peers().successors()[0].node()),
            };
            assert_eq!(
                state.next_hop(&parameters, network.ids(), me, key),
                expected
            );
        }
    }
}

/// Fingers of base b are the first nodes at or after the distances j b^i, and nothing else.
#[test]
fn fingers_of_a_base_are_those_of_its_definition() {
    for base in [2, 4, 32, 128] {
        let nodes = 200;
        let mut network = network::<Chord, ()>(with_base(base, 1), nodes, Travel::Recursive);
        oracle::populate_converged(&mut network, &ids(nodes, 5), &sites(nodes));
        let id = |node: Node| network.ids().id(node);
        for me in (0..nodes as u32).map(Node) {
            let mut expected: Vec<Node> = (0..160)
                .filter(|bit| bit % base.ilog2() == 0)
                .flat_map(|bit| (1..base).map(move |digit| (digit, bit)))
                // The highest digit of a base that does not divide 160 bits is smaller.
                .filter(|(digit, bit)| digit.ilog2() + bit < 160)
                .filter_map(|(digit, bit)| {
                    let start = Key::shifted(digit, bit);
                    let ahead = |node: &Node| Ring.distance(&id(me), &id(*node));
                    (0..nodes as u32)
                        .map(Node)
                        .filter(|node| *node != me && ahead(node) >= start)
                        .min_by_key(ahead)
                })
                .collect();
            expected.sort_by_key(|node| Ring.distance(&id(me), &id(*node)));
            expected.dedup();
            let peers = network.node(me).peers().all();
            let found: Vec<Node> = peers.iter().map(|peer| peer.node()).collect();
            assert_eq!(found, expected, "base {base}, {me:?}");
        }
    }
}

/// Larger bases shorten lookups: log_b(n) digits, of which one in b takes no hop.
#[test]
fn a_larger_base_shortens_lookups() {
    let nodes = 1000;
    for (base, expected) in [(2, 4.98), (4, 3.74), (16, 2.34)] {
        let mut network = network::<Chord, ()>(with_base(base, 1), nodes, Travel::Recursive);
        oracle::populate_converged(&mut network, &ids(nodes, 5), &sites(nodes));
        look_up(&mut network, 5000);
        let hops = &network.tally().hops;
        let sum: u64 = hops.iter().enumerate().map(|(h, c)| h as u64 * c).sum();
        let mean = sum as f64 / hops.iter().sum::<u64>() as f64;
        // A finger lies beyond its start, and the root is a hop further: 0.86 to 1.37 hops on top.
        assert!(
            (0.8..1.5).contains(&(mean - expected)),
            "base {base}: {mean}"
        );
    }
}
