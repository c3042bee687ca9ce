//! Pastry with messages: joins, lookups, failures, churn, and hops against a model.

use crate::testbed::{self, at, ids, look_up, network, sites};
use dhtlab_core::churn::{Change, Rejoin, RejoinState, Step};
use dhtlab_core::engine::{Duration, Period, Seed, Stream};
use dhtlab_core::network::{Network, Travel, oracle};
use dhtlab_core::overlay::pastry::{LeafSet, Pastry, PastryParameters};
use dhtlab_core::overlay::{Node, Overlay};
use dhtlab_core::space::{Key, Ring};
use dhtlab_core::workload::LookupPlan;

/// Parameters with these digits and leaves, and an exchange of rows each ten minutes.
pub fn parameters(b: u32, leaves: usize) -> PastryParameters {
    PastryParameters {
        b,
        leaves,
        maintenance: Period::every(Duration::from_secs(600)),
        ..PastryParameters::default()
    }
}

fn converged(parameters: &PastryParameters, nodes: usize, travel: Travel) -> Network<Pastry> {
    let mut network = network::<Pastry, ()>(parameters.clone(), nodes, travel);
    oracle::populate_converged(&mut network, &ids(nodes, 9), &sites(nodes));
    network
}

/// The part of 2000 lookups that end at the root from now on.
fn success(network: &mut Network<Pastry>) -> f64 {
    let before = network.tally().counts.ok;
    look_up(network, 2000);
    (network.tally().counts.ok - before) as f64 / 2000.0
}

/// The leaf sets of all members are those of the members next to them.
fn leaf_sets_are_right(network: &Network<Pastry>) {
    let half = network.shared().half();
    let members = network.members();
    for (place, node) in members.iter().enumerate() {
        let count = half.min(members.len() - 1);
        let leaves: &LeafSet = network.node(*node).leaves();
        let at = |steps: usize| members[(place + steps) % members.len()];
        let after: Vec<Node> = (1..=count).map(at).collect();
        let before: Vec<Node> = (1..=count).map(|steps| at(members.len() - steps)).collect();
        assert_eq!(leaves.after(), after, "after {node:?}");
        assert_eq!(leaves.before(), before, "before {node:?}");
    }
}

/// The part of the places in the routing tables that are filled, of those whose subtree has a
/// member, with a live node.
fn filled(network: &Network<Pastry>) -> f64 {
    let mut built = testbed::network::<Pastry, ()>(
        network.shared().clone(),
        network.ids().len(),
        Travel::Recursive,
    );
    let all: Vec<Key> = network
        .members()
        .iter()
        .map(|node| network.ids().id(*node))
        .collect();
    oracle::populate_converged(&mut built, &all, &sites(all.len()));
    let (mut alive, mut possible) = (0, 0);
    for (place, node) in network.members().iter().enumerate() {
        let table = network.node(*node).table();
        alive += table.all().filter(|node| network.is_alive(*node)).count();
        possible += built.node(Node(place as u32)).table().all().count();
    }
    alive as f64 / possible as f64
}

/// Every lookup on a converged network ends at the true root, by every way of travelling.
#[test]
fn lookups_end_at_the_root() {
    for (b, leaves) in [(4, 16), (1, 2), (2, 4), (5, 8), (8, 32)] {
        for travel in Travel::ALL {
            for nodes in [1, 2, 3, 17, 200] {
                let mut network = converged(&parameters(b, leaves), nodes, *travel);
                look_up(&mut network, 1000);
                let counts = network.tally().counts;
                assert_eq!(
                    (counts.ok, counts.wrong, counts.failed),
                    (1000, 0, 0),
                    "{travel:?} b {b} leaves {leaves} {nodes}"
                );
            }
        }
    }
}

/// Nodes that join one after the other have the leaf sets that the oracle builds, and nearly all
/// entries of the routing tables: rows that are collected on the way to the root are as full as
/// those of the nodes there.
#[test]
fn joins_reach_the_converged_leaf_sets() {
    for (nodes, b, leaves) in [
        (1, 4, 16),
        (2, 4, 16),
        (3, 4, 2),
        (17, 4, 16),
        (18, 4, 16),
        (150, 4, 16),
        (150, 2, 4),
    ] {
        let mut network = network::<Pastry, ()>(parameters(b, leaves), nodes, Travel::Recursive);
        for (i, id) in ids(nodes, nodes as u64).iter().enumerate() {
            network.join_at(at(2 * i as u64), *id, i as u32);
        }
        network.run(at(2 * nodes as u64 + 120), false, u64::MAX);
        assert_eq!(network.members().len(), nodes);
        leaf_sets_are_right(&network);
        assert_eq!(network.tally().counts.rejoins, 0);
        if nodes > 1 {
            let filled = filled(&network);
            assert!(filled > 0.9, "{nodes} nodes, b {b}: {filled}");
        }
        assert_eq!(success(&mut network), 1.0);
    }
}

/// Nodes that join at the same moment, many of them next to each other, find each other.
#[test]
fn joins_at_once_find_each_other() {
    let mut network = network::<Pastry, ()>(parameters(4, 8), 120, Travel::Recursive);
    oracle::populate_converged(&mut network, &ids(20, 1), &sites(20));
    for (i, id) in ids(100, 2).iter().enumerate() {
        network.join_at(at(1), *id, 20 + i as u32);
    }
    network.run(at(300), false, u64::MAX);
    assert_eq!(network.members().len(), 120);
    leaf_sets_are_right(&network);
    assert_eq!(success(&mut network), 1.0);
}

/// A converged network is a fixed point of maintenance, and sends as many messages as expected.
#[test]
fn maintenance_keeps_the_converged_state() {
    let mut network = converged(&parameters(4, 16), 200, Travel::Recursive);
    let states = |network: &Network<Pastry>| -> Vec<_> {
        let of = |node: &Node| {
            let state = network.node(*node);
            (state.leaves().clone(), state.table().clone())
        };
        network.members().iter().map(of).collect()
    };
    let before = states(&network);
    network.run(at(3000), false, u64::MAX);
    assert_eq!(states(&network), before);
    assert_eq!(network.tally().counts.timeouts, 0);
    // A request and a reply for each of 16 leaves each 30 s, and for each of 2 to 4 rows each 600 s.
    let sent = network.tally().counts.messages as f64 / 200.0;
    let probes = 2.0 * 16.0 * 100.0;
    assert!((probes + 15.0..probes + 45.0).contains(&sent), "{sent}");
}

/// When a third of the nodes fail at once, lookups go around them at the cost of time-outs. A few
/// rounds of keep-alives repair the leaf sets, and exchanges of rows the routing tables.
#[test]
fn crashes_are_repaired() {
    for (travel, b, leaves) in [
        (Travel::Recursive, 4, 16),
        (Travel::Iterative, 4, 16),
        (Travel::Recursive, 2, 8),
    ] {
        let nodes = 300;
        let mut network = converged(&parameters(b, leaves), nodes, travel);
        for node in (0..nodes as u32).step_by(3).map(Node) {
            network.crash(node);
        }
        let first = success(&mut network);
        assert!(first > 0.98, "{travel:?}, b {b}: {first}");
        assert!(network.tally().counts.timeouts > 0);
        network.run(at(300), false, u64::MAX);
        leaf_sets_are_right(&network);
        assert_eq!(success(&mut network), 1.0, "{travel:?}, b {b}");
        network.run(at(40 * 600), false, u64::MAX);
        let before = network.tally().counts.timeouts;
        assert_eq!(success(&mut network), 1.0, "{travel:?}, b {b}");
        // An exchange contacts one of 15 entries of a row: (14/15)^40 = .06 of the third that has
        // failed is left, .02 of the entries, and a lookup uses one or two.
        let timeouts = network.tally().counts.timeouts - before;
        assert!(timeouts < 80, "{travel:?}, b {b}: {timeouts}");
        let filled = filled(&network);
        assert!(filled > 0.95, "{filled}");
    }
}

/// A node whose leaves on one side have all failed finds others there, and a network that shrinks
/// to one node grows again.
#[test]
fn short_leaf_sets_are_repaired() {
    let mut network = converged(&parameters(4, 4), 100, Travel::Recursive);
    let members = network.members().to_vec();
    for node in &members[10..14] {
        network.crash(*node);
    }
    network.run(at(200), false, u64::MAX);
    leaf_sets_are_right(&network);
    for node in &members[1..10] {
        network.crash(*node);
    }
    for node in &members[14..] {
        network.crash(*node);
    }
    network.run(at(600), false, u64::MAX);
    assert_eq!(network.members().len(), 1);
    for (site, id) in (0..20).zip(ids(20, 77)) {
        network.join_at(at(600 + 20 * u64::from(site)), id, site);
    }
    network.run(at(1200), false, u64::MAX);
    assert_eq!(network.members().len(), 21);
    leaf_sets_are_right(&network);
    assert_eq!(success(&mut network), 1.0);
}

/// A node that leaves with notice is in no leaf set a second later.
#[test]
fn leaves_with_notice_are_repaired_at_once() {
    let mut network = converged(&parameters(4, 16), 200, Travel::Recursive);
    for node in (0..200).step_by(10).map(Node) {
        network.leave(node);
    }
    network.run(at(2), false, u64::MAX);
    let members = network.members().to_vec();
    let dead = members.iter().flat_map(|node| {
        let leaves = network.node(*node).leaves();
        leaves.distinct().filter(|leaf| !network.is_alive(*leaf))
    });
    assert_eq!(dead.count(), 0);
    assert_eq!(oracle::is_intact(&network), Some(true));
}

/// Sessions and absences of each of the participants in turn, exponential with mean `mean`; the
/// first half of the participants is there at the beginning.
fn sessions(participants: usize, mean: f64, end: f64) -> Vec<Step> {
    let mut steps = Vec::new();
    for participant in 0..participants as u32 {
        let mut stream = Seed::new(3).stream("sessions", u64::from(participant));
        let mut here = (participant as usize) < participants / 2;
        let mut time = 0.0;
        loop {
            time -= mean * libm::log(1.0 - stream.unit());
            if time > end {
                break;
            }
            let change = if here { Change::Crash } else { Change::Join };
            steps.push(Step {
                time: at(0) + Duration::from_nanos((time * 1e9) as u64),
                participant,
                change,
            });
            here = !here;
        }
    }
    steps.sort();
    steps
}

/// With mean sessions of ten minutes more than 98 % of the lookups end at the root, and the leaf
/// sets of most nodes are right at any time.
#[test]
fn lookups_succeed_under_sessions() {
    for travel in [Travel::SemiRecursive, Travel::Iterative] {
        let participants = 400;
        let mut network = network::<Pastry, ()>(parameters(4, 16), participants, travel);
        oracle::populate_converged(&mut network, &ids(200, 7), &sites(200));
        let plan = sessions(participants, 600.0, 1500.0);
        network.plan_churn(Box::new(plan.into_iter()), Rejoin::NewId, RejoinState::Lost);
        network.run(at(900), false, u64::MAX);
        let stream = Seed::new(5).stream("lookups", 0);
        let gap = Duration::from_millis(60);
        network.plan_lookups(LookupPlan::evenly(stream, network.now(), gap, 10_000));
        // What is under way in the end counts as failed.
        network.run(at(1510), true, u64::MAX);
        let counts = network.tally().counts;
        let rate = counts.ok as f64 / counts.lookups as f64;
        println!("{travel:?}: {rate}, {counts:?}");
        assert!(counts.joins > 300 && rate > 0.98, "{travel:?}: {counts:?}");
    }
}

/// A node's replicas are the members next in line for its keys.
#[test]
fn replicas_are_the_next_roots() {
    let network = converged(&parameters(4, 16), 100, Travel::Recursive);
    for key in ids(200, 6) {
        let mut members = network.members().to_vec();
        members.sort_by_key(|node| Ring::either_way(&network.ids().id(*node), &key));
        let root = network.root(&key).expect("a member");
        assert_eq!(root, members[0]);
        let state = network.node(root);
        let replicas = state.replica_set(network.shared(), network.ids(), root, &key, 8);
        assert_eq!(replicas, members[1..9]);
    }
}

/// The mean hops of `lookups` lookups on a converged network without maintenance.
fn mean_hops(nodes: usize, b: u32, leaves: usize, lookups: u64) -> f64 {
    let parameters = PastryParameters {
        probe: Period::NEVER,
        maintenance: Period::NEVER,
        ..parameters(b, leaves)
    };
    let mut network = converged(&parameters, nodes, Travel::SemiRecursive);
    look_up(&mut network, lookups);
    let counts = network.tally().hops.iter().zip(0..);
    counts.map(|(count, hops)| count * hops).sum::<u64>() as f64 / lookups as f64
}

/// The mean hops of lookups on sorted numbers: while the key is more than `leaves` / 2 nodes away,
/// a hop goes to a random node of those that share one more digit with it, and the last one to the
/// nearest node.
fn model(stream: &mut Stream, nodes: usize, b: u32, leaves: usize, lookups: u64) -> f64 {
    let random = |stream: &mut Stream| {
        let (high, low) = (stream.index(1 << 32), stream.index(1 << 32));
        ((high as u64) << 32) | low as u64
    };
    let mut ids: Vec<u64> = (0..nodes).map(|_| random(stream)).collect();
    ids.sort_unstable();
    let mut hops = 0u64;
    for _ in 0..lookups {
        let (key, mut at) = (random(stream), stream.index(nodes));
        let next = ids.partition_point(|id| *id < key) % nodes;
        let before = (next + nodes - 1) % nodes;
        let ahead = ids[next].wrapping_sub(key);
        let root = if key.wrapping_sub(ids[before]) < ahead {
            before
        } else {
            next
        };
        while at != root {
            hops += 1;
            let after = (at + nodes - next) % nodes;
            let behind = (before + nodes - at) % nodes;
            let digits = (ids[at] ^ key).leading_zeros() / b + 1;
            let shares = |id: &u64| (id ^ key).leading_zeros() >= digits * b;
            let start = ids.partition_point(|id| *id < key && !shares(id));
            let count = ids[start..].iter().take_while(|id| shares(id)).count();
            // The leaf set reaches a node beyond the key.
            let in_leaves = after < leaves / 2 || behind < leaves / 2;
            at = match count {
                _ if in_leaves => root,
                0 => root,
                _ => start + stream.index(count),
            };
        }
    }
    hops as f64 / lookups as f64
}

/// Lookups take as many hops as in a model of sorted numbers, and fewer than
/// ceil(log_{2^b} n), as the paper has it. A hop adds one digit, and another one by chance with
/// probability 2^-b, until about |L| nodes are left; the last hop is within the leaf set: (1 -
/// 2^-b) log_{2^b}(n / |L|) + 1 hops.
#[test]
fn lookups_take_a_hop_a_digit() {
    for (nodes, b, leaves) in [(1000, 4, 16), (4000, 4, 16), (4000, 2, 16), (4000, 4, 32)] {
        let (lookups, mut stream) = (8000, Seed::new(6).stream("model", 0));
        let measured = mean_hops(nodes, b, leaves, lookups);
        let modelled = model(&mut stream, nodes, b, leaves, lookups);
        let (all, beyond) = (nodes as f64, nodes as f64 / leaves as f64);
        let digits = |n: f64| libm::log2(n) / f64::from(b);
        let formula = (1.0 - libm::exp2(-f64::from(b))) * digits(beyond) + 1.0;
        println!("{nodes} nodes, b {b}, |L| {leaves}: {measured}, {modelled}, {formula}");
        // Both means have a standard error of .01; networks differ by about as much.
        assert!((measured - modelled).abs() < 0.06, "{measured} {modelled}");
        // The formula takes whole digits for a continuum: the ends of its steps are .1 away.
        assert!((measured - formula).abs() < 0.15, "{measured} {formula}");
        assert!(measured < libm::ceil(digits(all)), "{measured}");
    }
}
