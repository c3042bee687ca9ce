//! VHash under churn: the time to detect and remove failed nodes, the time to learn of new nodes,
//! and the success rate of lookups meanwhile.

use crate::testbed::{at, ids, look_up, plane, sites};
use dhtlab_core::churn::{Change, Rejoin, RejoinState, Step};
use dhtlab_core::engine::{Duration, Instant, Period, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::overlay::Node;
use dhtlab_core::overlay::vhash::{Embedding, Shared, VHash, VHashParameters};
use dhtlab_core::space::{Space, Torus};
use dhtlab_core::workload::LookupPlan;

fn network(parameters: &VHashParameters, hosts: usize) -> Network<VHash> {
    let setup = Setup {
        seed: Seed::new(1),
        travel: Travel::SemiRecursive,
        timeout: Duration::from_millis(500),
        ask_root: true,
    };
    Network::new(setup, Shared::from(parameters), plane(hosts))
}

fn settled(parameters: &VHashParameters, nodes: usize, hosts: usize) -> Network<VHash> {
    let mut network = network(parameters, hosts);
    oracle::populate_converged(&mut network, &ids(nodes, 7), &sites(nodes));
    network
}

/// The part of `count` lookups, a millisecond apart, that end at the true root.
fn hit_rate(network: &mut Network<VHash>, count: u64) -> f64 {
    let before = network.tally().counts.ok;
    look_up(network, count);
    (network.tally().counts.ok - before) as f64 / count as f64
}

/// How many of the members' short and long peers have failed.
fn dead_peers(network: &Network<VHash>) -> (usize, usize) {
    let dead = |peers: &[Node]| {
        peers
            .iter()
            .filter(|peer| !network.is_alive(**peer))
            .count()
    };
    let members = network
        .members()
        .iter()
        .map(|node| network.node(*node).peers());
    members.fold((0, 0), |(short, long), peers| {
        (short + dead(peers.short()), long + dead(peers.long()))
    })
}

/// Gossip every 10 s, as by default.
const ROUND: u64 = 10;

/// When 30 % of the nodes crash at once, no live node has a failed short peer after eight rounds
/// of gossip (the first lookups detect many of them, checks and gossip the others), and no node
/// knows a failed node once the records have expired.
#[test]
fn a_crash_of_thirty_percent_is_mended() {
    for dimensions in [2, 4] {
        let parameters = VHashParameters {
            dimensions,
            ..VHashParameters::default()
        };
        let nodes = 500;
        let mut network = settled(&parameters, nodes, nodes);
        network.run(at(5 * ROUND), false, u64::MAX);
        for node in (0..nodes as u32).filter(|node| node % 10 < 3) {
            network.crash(Node(node));
        }
        assert!(dead_peers(&network).0 > 500);
        network.run(at(13 * ROUND), false, u64::MAX);
        let (short, long) = dead_peers(&network);
        let rate = hit_rate(&mut network, 5000);
        println!("d = {dimensions}: {short} short, {long} long failed peers, hit rate {rate}");
        assert_eq!(short, 0, "d = {dimensions}");
        assert!(rate > 0.99, "d = {dimensions}: {rate}");
        // The default expiry of 600 s, and two rounds more: long peers are not checked, so a record
        // goes with the gossip after its time.
        network.run(at(5 * ROUND + 600 + 2 * ROUND), false, u64::MAX);
        assert_eq!(dead_peers(&network), (0, 0), "d = {dimensions}");
    }
}

/// Without checks and expiry, as in the published gossip, failed nodes stay in the tables.
#[test]
fn without_expiry_the_dead_stay() {
    let parameters = VHashParameters {
        check: Period::NEVER,
        expiry: Period::NEVER,
        ..VHashParameters::default()
    };
    let nodes = 500;
    let mut network = settled(&parameters, nodes, nodes);
    for node in (0..nodes as u32).filter(|node| node % 10 < 3) {
        network.crash(Node(node));
    }
    network.run(at(1000), false, u64::MAX);
    let (short, long) = dead_peers(&network);
    println!("{short} short, {long} long failed peers after 1000 s");
    assert!(long > 1000, "{long}");
}

/// A joiner is found a second after it has its place, long before it gossips: its neighbours
/// were notified.
#[test]
fn newcomers_are_found_at_once() {
    let nodes = 300;
    let parameters = VHashParameters {
        gossip: Period::every(Duration::from_secs(600)),
        ..VHashParameters::default()
    };
    let mut network = settled(&parameters, nodes, nodes + 40);
    let newcomers = ids(40, 99);
    for (i, id) in newcomers.iter().enumerate() {
        network.join_at(at(1 + i as u64 / 4), *id, (nodes + i) as u32);
    }
    network.run(at(13), false, u64::MAX);
    assert_eq!(network.members().len(), nodes + 40);
    let mut built = self::network(&parameters, nodes + 40);
    let all_ids = [ids(nodes, 7), newcomers].concat();
    oracle::populate_converged(&mut built, &all_ids, &sites(nodes + 40));
    let (mut known, mut all) = (0, 0);
    for node in network.members() {
        let state = network.node(*node);
        for peer in built.node(*node).peers().short() {
            if peer.index() >= nodes {
                all += 1;
                known += usize::from(state.peers().short().contains(peer));
            }
        }
    }
    println!("{known} of {all} neighbours know their newcomers");
    // Being a short peer is mostly, but not always, mutual.
    assert!(known * 10 >= all * 9, "{known} of {all}");
    let rate = hit_rate(&mut network, 5000);
    println!("hit rate {rate}");
    assert!(rate > 0.99, "{rate}");
}

/// A node that leaves with notice is no short peer of any node once the notice has arrived, and
/// the gap is closed.
#[test]
fn who_says_goodbye_is_forgotten_at_once() {
    let nodes = 300;
    // No checks: nothing else detects it so soon.
    let parameters = VHashParameters {
        check: Period::NEVER,
        ..VHashParameters::default()
    };
    let mut network = settled(&parameters, nodes, nodes);
    for node in (0..nodes as u32).step_by(10).map(Node) {
        network.leave(node);
    }
    network.run(at(1), false, u64::MAX);
    let members = network.members().iter();
    let (mut dead, mut all) = (0, 0);
    for node in members {
        let short = network.node(*node).peers().short();
        all += short.len();
        dead += short
            .iter()
            .filter(|peer| !network.is_alive(**peer))
            .count();
    }
    println!("{dead} of {all} short peers are gone");
    // Being a short peer is nearly, but not always, mutual.
    assert!(dead * 20 <= all, "{dead} of {all}");
    let rate = hit_rate(&mut network, 5000);
    println!("hit rate {rate}");
    assert!(rate > 0.99, "{rate}");
}

/// A node that loses all its peers joins again.
#[test]
fn who_is_left_alone_joins_again() {
    let parameters = VHashParameters {
        table_size: Some(1),
        long_peers: Some(0),
        dimensions: 1,
        ..VHashParameters::default()
    };
    let nodes = 40;
    let mut network = settled(&parameters, nodes, nodes);
    let lonely = Node(5);
    for peer in network.node(lonely).peers().nodes().to_vec() {
        network.crash(peer);
    }
    network.run(at(60), false, u64::MAX);
    assert!(network.tally().counts.rejoins > 0);
    assert!(!network.node(lonely).peers().is_empty());
}

/// Under sessions and absences, exponential with a median of ten minutes, lookups succeed
/// with a rate above 99 %, joins included; with the embedding, whose moves other nodes learn with
/// delay, above 97 %.
#[test]
fn lookups_succeed_under_sessions() {
    for (embedding, bound) in [(Embedding::Off, 0.99), (Embedding::Springs, 0.97)] {
        let parameters = VHashParameters {
            embedding,
            ..VHashParameters::default()
        };
        let participants = 400;
        let mut network = settled(&parameters, participants / 2, participants);
        let plan = sessions(participants, 865.6, 1500.0);
        network.plan_churn(Box::new(plan.into_iter()), Rejoin::NewId, RejoinState::Lost);
        network.run(at(900), false, u64::MAX);
        let stream = Seed::new(5).stream("lookups", 0);
        let gap = Duration::from_millis(60);
        network.plan_lookups(LookupPlan::evenly(stream, network.now(), gap, 10_000));
        // What is under way in the end counts as failed.
        network.run(at(1510), true, u64::MAX);
        let counts = network.tally().counts;
        let rate = counts.ok as f64 / counts.lookups as f64;
        println!("{embedding:?}: {rate}, {counts:?}");
        roots_are_the_nearest(&network);
        assert!(
            counts.joins > 200 && rate > bound,
            "{embedding:?}: {counts:?}"
        );
    }
}

/// The oracle's index gives the member that a search of all members finds nearest, where they are
/// after all their moves.
fn roots_are_the_nearest(network: &Network<VHash>) {
    let torus = Torus::new(VHashParameters::default().dimensions);
    for key in ids(300, 123) {
        let target = torus.point(&key);
        let distance = |node: &Node| torus.distance(network.node(*node).position(), &target);
        let nearest = network.members().iter().copied().min_by_key(distance);
        assert_eq!(network.root(&key), nearest);
    }
}

/// Crashes and joins of each participant in turn, with exponential times of mean `mean` between
/// them, up to `end`; the first half of the participants is there at the beginning.
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
            here = !here;
            steps.push(Step {
                time: Instant::START + Duration::from_secs_f64(time),
                participant,
                change,
            });
        }
    }
    steps.sort_unstable();
    steps
}
