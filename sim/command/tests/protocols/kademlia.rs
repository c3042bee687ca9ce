//! Kademlia with messages: lookups of roots and of the nearest nodes, joins, failures.

use crate::testbed::{at, ids, look_up, network, sites};
use dhtlab_core::engine::{Duration, Period, Seed};
use dhtlab_core::network::{Network, Travel, oracle};
use dhtlab_core::overlay::kademlia::{Goal, Kademlia, KademliaParameters, Lookup, Subtree};
use dhtlab_core::overlay::{Node, Overlay};
use dhtlab_core::space::Key;

/// Parameters with a refreshment each ten minutes.
pub fn parameters(k: usize, alpha: usize, b: u32) -> KademliaParameters {
    KademliaParameters {
        k,
        alpha,
        b,
        refresh: Period::every(Duration::from_secs(600)),
        ..KademliaParameters::default()
    }
}

fn converged(parameters: &KademliaParameters, nodes: usize, travel: Travel) -> Network<Kademlia> {
    let mut network = network::<Kademlia, ()>(parameters.clone(), nodes, travel);
    oracle::populate_converged(&mut network, &ids(nodes, 9), &sites(nodes));
    network
}

/// The members nearest to `key`, nearest first.
fn nearest(network: &Network<Kademlia>, key: &Key) -> Vec<Node> {
    let mut members = network.members().to_vec();
    members.sort_unstable_by_key(|node| network.ids().id(*node).xor(*key));
    members
}

/// Every lookup on a converged network ends at the true root, by every way of travelling.
#[test]
fn lookups_end_at_the_root() {
    for (k, alpha, b) in [(1, 1, 1), (20, 3, 1), (3, 10, 2), (8, 3, 5)] {
        for travel in Travel::ALL {
            for nodes in [1, 2, 3, 200] {
                let mut network = converged(&parameters(k, alpha, b), nodes, *travel);
                look_up(&mut network, 1000);
                let counts = network.tally().counts;
                assert_eq!(
                    (counts.ok, counts.wrong, counts.failed),
                    (1000, 0, 0),
                    "{travel:?} k {k} alpha {alpha} b {b} {nodes}"
                );
            }
        }
    }
}

/// With one request at a time and one contact a bucket, an iterative lookup asks the very nodes
/// that a recursive one passes.
#[test]
fn ways_of_travelling_agree() {
    let hops = |travel| {
        let shared = KademliaParameters {
            refresh: Period::NEVER,
            ..parameters(1, 1, 1)
        };
        let mut network = converged(&shared, 200, travel);
        look_up(&mut network, 1000);
        let hops = network.tally().hops.clone();
        let sum: u64 = hops.iter().zip(0..).map(|(count, hops)| count * hops).sum();
        sum as f64 / 1000.0
    };
    let (recursive, iterative) = (hops(Travel::SemiRecursive), hops(Travel::Iterative));
    assert_eq!(recursive, hops(Travel::Recursive));
    // The initiator's own contacts and an answer's single name are what differs.
    assert!(
        (recursive - iterative).abs() < 0.05,
        "{recursive} {iterative}"
    );
}

/// Conducts a lookup of the nearest nodes by hand, asking the states of the nodes.
fn nodes_found(network: &Network<Kademlia>, me: Node, key: Key, goal: Goal) -> Lookup {
    let (shared, ids) = (network.shared(), network.ids());
    let mut lookup = Lookup::new((me, ids.id(me)), key, goal, 0);
    lookup.add_candidates(
        |node| ids.id(node),
        network.node(me).closest(shared, ids, &key),
    );
    while !lookup.is_over(shared.k) {
        let asked: Vec<Node> = std::iter::from_fn(|| lookup.ask(shared.k, shared.alpha)).collect();
        assert!(!asked.is_empty());
        for node in asked {
            if network.is_alive(node) {
                lookup.answered(node);
                lookup.add_candidates(
                    |node| ids.id(node),
                    network.node(node).closest(shared, ids, &key),
                );
            } else {
                lookup.failed(node);
            }
        }
    }
    lookup
}

/// On a converged network a lookup of nodes finds the k nearest, from any initiator; the
/// initiator, which fills a place in the buckets of others, is counted as one of them.
#[test]
fn lookups_find_the_k_nearest_nodes() {
    for (k, alpha, b) in [(1, 1, 1), (8, 3, 1), (20, 3, 1), (20, 1, 3), (5, 20, 4)] {
        let nodes = 300;
        let network = converged(&parameters(k, alpha, b), nodes, Travel::Iterative);
        for (i, key) in ids(300, 5).iter().enumerate() {
            let me = Node(i as u32);
            // The node's own ID, as in a join, or any key.
            let key = match i % 3 {
                0 => network.ids().id(me),
                _ => *key,
            };
            let expected = nearest(&network, &key);
            let mut found: Vec<Node> = nodes_found(&network, me, key, Goal::Nodes)
                .nearest()
                .take(k)
                .collect();
            found.push(me);
            found.sort_unstable_by_key(|node| network.ids().id(*node).xor(key));
            assert_eq!(found[..k], expected[..k], "k {k} alpha {alpha} b {b}");
            let root = nodes_found(&network, me, key, Goal::Root).root();
            assert_eq!(root, expected[0]);
        }
    }
}

/// How many contacts each of the members has in a subtree, and how many members there are in it.
fn completeness(network: &Network<Kademlia>) -> Vec<Vec<(usize, usize)>> {
    let b = network.shared().b;
    let of = |me: &Node| {
        let subtree = |node: &Node| {
            let (mine, other) = (network.ids().id(*me), network.ids().id(*node));
            Subtree::at(mine.xor(other), b)
        };
        let mut members: Vec<Subtree> = network.members().iter().filter_map(subtree).collect();
        members.sort_unstable();
        let mut subtrees = members.clone();
        subtrees.dedup();
        let count = |wanted: &Subtree| {
            let mut all = network.node(*me).buckets().all();
            let contacts = all.find(|(subtree, _)| subtree == wanted);
            let alive = contacts.map_or(0, |(_, contacts)| {
                let alive = contacts.iter().filter(|c| network.is_alive(c.node()));
                alive.count()
            });
            (alive, members.iter().filter(|s| *s == wanted).count())
        };
        subtrees.iter().map(count).collect()
    };
    network.members().iter().map(of).collect()
}

/// Nodes that join one after the other know all their neighbours and a node in every subtree,
/// and lookups are all right.
#[test]
fn joins_reach_a_state_in_which_lookups_are_right() {
    for (nodes, k, b) in [
        (1, 20, 1),
        (2, 20, 1),
        (3, 1, 1),
        (60, 20, 1),
        (150, 4, 1),
        (150, 8, 3),
    ] {
        let shared = parameters(k, 3, b);
        let mut network = network::<Kademlia, ()>(shared, nodes, Travel::Iterative);
        for (i, id) in ids(nodes, nodes as u64).iter().enumerate() {
            network.join_at(at(2 * i as u64), *id, i as u32);
        }
        network.run(at(2 * nodes as u64 + 3600), false, u64::MAX);
        assert_eq!(network.members().len(), nodes);
        for subtrees in completeness(&network) {
            let (known, members) = subtrees.last().copied().unwrap_or_default();
            assert_eq!(known, members.min(k), "the nearest bucket: {subtrees:?}");
            assert!(subtrees.iter().all(|(known, _)| *known > 0), "{subtrees:?}");
        }
        look_up(&mut network, 2000);
        let counts = network.tally().counts;
        assert_eq!((counts.ok, counts.rejoins), (2000, 0), "{nodes} {k} {b}");
        if nodes > 1 {
            assert!(network.tally().hops.len() > 1);
        }
    }
}

/// From a few random contacts nodes find their neighbours by their refreshments.
#[test]
fn random_contacts_become_a_network() {
    let nodes = 150;
    let mut network = network::<Kademlia, ()>(parameters(8, 3, 1), nodes, Travel::Recursive);
    let stream = Seed::new(1).stream("contacts", 0);
    let (ids, sites) = (ids(nodes, 3), sites(nodes));
    assert!(oracle::populate_random(
        &mut network,
        &ids,
        &sites,
        5,
        stream
    ));
    network.run(at(3000), false, u64::MAX);
    look_up(&mut network, 2000);
    assert_eq!(network.tally().counts.ok, 2000);
}

/// When a third of the nodes fail at once, lookups go around them at the cost of time-outs, and
/// after some refreshes no lookup meets a failed node any more.
#[test]
fn crashes_are_mended() {
    for travel in [Travel::Iterative, Travel::Recursive] {
        let nodes = 150;
        let mut network = converged(&parameters(8, 3, 1), nodes, travel);
        (0..nodes as u32)
            .step_by(3)
            .for_each(|i| network.crash(Node(i)));
        look_up(&mut network, 2000);
        let counts = network.tally().counts;
        assert!(
            counts.ok > 1980 && counts.timeouts > 0,
            "{travel:?}: {counts:?}"
        );
        network.run(at(40 * 600), false, u64::MAX);
        for subtrees in completeness(&network) {
            let (known, members) = subtrees.last().copied().unwrap_or_default();
            assert_eq!(known, members.min(8), "the nearest bucket: {subtrees:?}");
            assert!(subtrees.iter().all(|(known, _)| *known > 0), "{subtrees:?}");
        }
        let before = network.tally().counts;
        look_up(&mut network, 2000);
        let counts = network.tally().counts;
        assert_eq!(counts.ok - before.ok, 2000, "{travel:?}");
        assert_eq!(counts.timeouts - before.timeouts, 0, "{travel:?}");
    }
}

/// A full bucket keeps its contacts as long as they reply; a joiner whose bootstrap nodes do not
/// reply begins again.
#[test]
fn old_contacts_stay_and_silent_bootstraps_are_left() {
    let nodes = 120;
    let mut network = converged(&parameters(3, 3, 1), nodes, Travel::Iterative);
    let contacts = |network: &Network<Kademlia>| -> Vec<Vec<Node>> {
        let of = |node: &Node| {
            let mut known = Vec::new();
            network.node(*node).each_peer(&mut |peer| known.push(peer));
            known.sort_unstable();
            known
        };
        network.members().iter().map(of).collect()
    };
    let before = contacts(&network);
    look_up(&mut network, 2000);
    network.run(at(3000), false, u64::MAX);
    assert_eq!(contacts(&network), before);
    // These joiners ask nodes that crash soon.
    let late = ids(20, 77);
    let mut fresh = converged(&parameters(3, 3, 1), nodes, Travel::Iterative);
    for (i, id) in late.iter().enumerate() {
        fresh.join_at(at(1), *id, i as u32);
    }
    fresh.run(at(1), false, u64::MAX);
    (0..100).map(Node).for_each(|node| fresh.crash(node));
    fresh.run(at(600), false, u64::MAX);
    assert!(fresh.tally().counts.rejoins > 0);
    assert_eq!(fresh.members().len(), 40);
}
