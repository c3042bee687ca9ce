//! The protocols by their messages: from a start to the state that the oracle builds, around
//! dead nodes, with an application above.

mod support;

use dhtlab::engine::{Period, Seed, Span};
use dhtlab::network::{Travel, oracle};
use dhtlab::overlay::chord::{Chord, ChordParameters, Closest};
use dhtlab::overlay::vhash::{self, VHash, VHashParameters};
use dhtlab::overlay::{Application, Forward, Node, Omniscient, Overlay, Turn};
use dhtlab::space::{Key, Rule};
use support::network::{at, ids, look_up, network, sites};

fn chord(successors: usize) -> ChordParameters {
    ChordParameters {
        successors,
        stabilise: Period::every(Span::from_secs(10)),
        fix_fingers: Period::every(Span::from_secs(5)),
        check_predecessor: Period::every(Span::from_secs(10)),
        ..ChordParameters::default()
    }
}

/// Nodes that join one after the other and maintain themselves end up with exactly the
/// successor lists, fingers and predecessors that the oracle builds.
#[test]
fn chord_joins_reach_the_converged_state() {
    for (nodes, successors) in [(1, 1), (2, 1), (3, 2), (40, 1), (40, 5), (64, 16)] {
        let ids = ids(nodes, nodes as u64);
        let mut joined = network::<Chord, ()>(chord(successors), nodes, Travel::Recursive);
        for (i, id) in ids.iter().enumerate() {
            joined.join_at(at(20 * i as u64), *id, i as u32);
        }
        // Successor lists settle one node further each stabilisation, fingers once around.
        joined.run(at(20 * nodes as u64 + 3000), false, u64::MAX);
        let mut built = network::<Chord, ()>(chord(successors), nodes, Travel::Recursive);
        oracle::settle_converged(&mut built, &ids, &sites(nodes));
        for node in (0..nodes as u32).map(Node) {
            let (a, b) = (joined.node(node), built.node(node));
            assert_eq!(a.predecessor(), b.predecessor(), "{nodes} nodes, {node:?}");
            assert_eq!(
                a.peers(),
                b.peers(),
                "{nodes} nodes, {successors} successors, {node:?}"
            );
        }
    }
}

/// A converged ring is a fixed point of maintenance.
#[test]
fn chord_maintenance_keeps_the_converged_state() {
    let ids = ids(100, 3);
    let mut network = network::<Chord, ()>(chord(4), 100, Travel::Recursive);
    oracle::settle_converged(&mut network, &ids, &sites(100));
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
                    ..chord(1)
                };
                let mut network = network::<Chord, ()>(parameters, nodes, *travel);
                oracle::settle_converged(&mut network, &ids(nodes, 9), &sites(nodes));
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

/// An iterative lookup asks each node that a recursive one passes but the root: hops differ by
/// one wherever the last node named the root.
#[test]
fn ways_of_travelling_agree() {
    let mut means = Vec::new();
    for travel in Travel::ALL {
        let mut network = network::<Chord, ()>(chord(1), 200, *travel);
        oracle::settle_converged(&mut network, &ids(200, 9), &sites(200));
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
    assert_eq!(iterative.0, recursive.0 - (2000 - recursive.1));
}

/// When a third of the nodes die at once, lookups find a way around them, and maintenance mends
/// the ring to what the oracle builds of the living.
#[test]
fn chord_mends_itself_after_crashes() {
    let nodes = 90;
    let mut network = network::<Chord, ()>(chord(12), nodes, Travel::Recursive);
    oracle::settle_converged(&mut network, &ids(nodes, 11), &sites(nodes));
    (0..nodes as u32)
        .step_by(3)
        .for_each(|i| network.crash(Node(i)));
    look_up(&mut network, 1000);
    let counts = network.tally().counts;
    // Keys of dead nodes end at their heirs only once these know; most end well at once.
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

fn vhash_hit_rate(random_start: bool, rule: Rule) -> f64 {
    let parameters = VHashParameters {
        dimensions: 3,
        rule,
        ..VHashParameters::default()
    };
    let nodes = 300;
    let mut network =
        network::<VHash, ()>(vhash::Shared::from(&parameters), nodes, Travel::Recursive);
    let (ids, sites) = (ids(nodes, 21), sites(nodes));
    if random_start {
        let stream = Seed::new(1).stream("contacts", 0);
        assert!(oracle::settle_random(
            &mut network,
            &ids,
            &sites,
            10,
            stream
        ));
    } else {
        oracle::settle_converged(&mut network, &ids, &sites);
    }
    network.run(at(600), false, u64::MAX);
    look_up(&mut network, 10_000);
    network.tally().counts.ok as f64 / 10_000.0
}

/// From random contacts, sixty gossips bring VHash to the hit rate of the oracle's network.
#[test]
fn vhash_gossip_reaches_the_converged_hit_rate() {
    for rule in [Rule::Midpoint, Rule::Distance] {
        let (gossip, built) = (vhash_hit_rate(true, rule), vhash_hit_rate(false, rule));
        // Over 12 seeds both give .9987 by the midpoint rule and .996 by the other, single networks
        // with standard deviations of .0005 and .0009: four of these below, three of a difference.
        assert!(
            gossip > 0.9925 && built > 0.9925,
            "{rule:?}: {gossip} {built}"
        );
        assert!((gossip - built).abs() < 0.004, "{rule:?}: {gossip} {built}");
    }
}

/// A VHash node that joins by messages is found by lookups like any other.
#[test]
fn vhash_nodes_join_by_messages() {
    let nodes = 60;
    let shared = vhash::Shared::from(&VHashParameters::default());
    let mut network = network::<VHash, ()>(shared, nodes, Travel::Recursive);
    for (i, id) in ids(nodes, 4).iter().enumerate() {
        network.join_at(at(5 * i as u64), *id, i as u32);
    }
    network.run(at(1000), false, u64::MAX);
    look_up(&mut network, 5000);
    // At 60 nodes the tables hold everybody.
    assert_eq!(network.tally().counts.ok, 5000);
}

/// In a plane, where latencies can be embedded, the embedding shortens the way; a fact of
/// direction, with a wide margin: the trial gave a stretch of 1.5 against 2.5.
#[test]
fn vhash_embedding_lowers_the_stretch_in_a_plane() {
    let stretch = |embedding| {
        let parameters = VHashParameters {
            embedding,
            long_peers: Some(60),
            ..VHashParameters::default()
        };
        let nodes = 300;
        let shared = vhash::Shared::from(&parameters);
        let mut network = network::<VHash, ()>(shared, nodes, Travel::Recursive);
        let stream = Seed::new(1).stream("contacts", 0);
        oracle::settle_random(&mut network, &ids(nodes, 8), &sites(nodes), 10, stream);
        network.run(at(1400), false, u64::MAX);
        look_up(&mut network, 5000);
        let stretches = network.tally().stretches.counted();
        let count: u64 = stretches.iter().map(|(_, count)| count).sum();
        let sum: f64 = stretches.iter().map(|(s, count)| s * *count as f64).sum();
        sum / count as f64
    };
    let (off, springs) = (
        stretch(vhash::Embedding::Off),
        stretch(vhash::Embedding::Springs),
    );
    assert!(springs < 0.85 * off, "{springs} against {off}");
}

/// An application that counts its upcalls: messages carry the number of nodes they have passed.
struct Counting {
    delivered: Vec<u32>,
    forwarded: u32,
    updates: u32,
}

impl Application for Counting {
    type Message = u32;

    fn new(_: Node, _: dhtlab::engine::Stream) -> Self {
        Self {
            delivered: Vec::new(),
            forwarded: 0,
            updates: 0,
        }
    }

    fn deliver(&mut self, turn: Turn<'_, Self>, origin: Node, key: Key, message: u32) {
        self.delivered.push(message);
        // Even keys are answered once, to show that an upcall can route.
        if key.words()[4].is_multiple_of(2) && origin != turn.me {
            turn.out.push((
                Key::random(&mut Seed::new(key.prefix()).stream("reply", 0)),
                1000,
            ));
        }
    }

    fn forward(&mut self, _: Turn<'_, Self>, _: Key, message: &mut u32, _: Node) -> Forward {
        self.forwarded += 1;
        *message += 1;
        if *message == 1003 {
            Forward::Absorb
        } else {
            Forward::Pass
        }
    }

    fn update(&mut self, _: Turn<'_, Self>) {
        self.updates += 1;
    }
}

/// The common API: a message is delivered once at the root, after a forward upcall on each node
/// that sends it on; an upcall may change it, absorb it and send others; joins call update.
#[test]
fn applications_get_their_upcalls_on_any_overlay() {
    fn check<P: Omniscient>(shared: P::Shared) {
        let nodes = 100;
        let mut network = network::<P, Counting>(shared, nodes, Travel::Recursive);
        oracle::settle_converged(&mut network, &ids(nodes, 2), &sites(nodes));
        let keys = ids(400, 77);
        let odd: Vec<&Key> = keys.iter().filter(|key| key.words()[4] % 2 == 1).collect();
        let roots: Vec<Option<Node>> = odd.iter().map(|key| oracle::root(&network, key)).collect();
        for (i, key) in odd.iter().enumerate() {
            network.send(Node(i as u32 % 100), **key, 0);
        }
        network.run(at(10), false, u64::MAX);
        let all = |f: fn(&Counting) -> u32| {
            (0..100)
                .map(|i| f(network.application(Node(i))))
                .sum::<u32>()
        };
        let arrived = all(|app| app.delivered.len() as u32);
        assert_eq!(arrived as usize, odd.len());
        // What arrived was raised once by each forward.
        assert_eq!(
            all(|app| app.delivered.iter().sum()),
            all(|app| app.forwarded)
        );
        for node in (0..100).map(Node) {
            let expected = roots.iter().filter(|root| **root == Some(node)).count();
            let delivered = network.application(node).delivered.len();
            // VHash may miss a root now and then; Chord never does.
            assert!(
                delivered.abs_diff(expected) <= 1,
                "{node:?}: {delivered} {expected}"
            );
        }
        // Even keys are answered, and an answer that has passed three nodes is absorbed.
        let even: Vec<&Key> = keys.iter().filter(|key| key.words()[4] % 2 == 0).collect();
        for (i, key) in even.iter().enumerate() {
            network.send(Node(i as u32 % 100), **key, 0);
        }
        network.run(at(20), false, u64::MAX);
        let all = |f: fn(&Counting) -> u32| {
            (0..100)
                .map(|i| f(network.application(Node(i))))
                .sum::<u32>()
        };
        let answers = all(|app| app.delivered.iter().filter(|m| **m >= 1000).count() as u32);
        assert!(answers > 0 && (answers as usize) < even.len());
        assert!((0..100).all(|i| {
            network
                .application(Node(i))
                .delivered
                .iter()
                .all(|m| *m < 1003)
        }));
    }
    check::<Chord>(chord(1));
    // Without long peers, ways are long enough to pass three nodes.
    let parameters = VHashParameters {
        dimensions: 2,
        long_peers: Some(0),
        ..VHashParameters::default()
    };
    check::<VHash>(vhash::Shared::from(&parameters));
    let mut joining = network::<Chord, Counting>(chord(2), 10, Travel::Recursive);
    for (i, id) in ids(10, 6).iter().enumerate() {
        joining.join_at(at(10 * i as u64), *id, i as u32);
    }
    joining.run(at(500), false, u64::MAX);
    assert!((0..10).all(|i| joining.application(Node(i)).updates > 0));
}

/// Chord's table answers what the one greedy rule says: the known peer nearest before the key.
#[test]
fn chord_table_is_the_greedy_step() {
    use dhtlab::overlay::NextHop;
    use dhtlab::space::{Ring, Space};
    for (nodes, successors) in [(5, 2), (300, 1), (300, 20)] {
        let parameters = chord(successors);
        let mut network = network::<Chord, ()>(parameters.clone(), nodes, Travel::Recursive);
        oracle::settle_converged(&mut network, &ids(nodes, 31), &sites(nodes));
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
