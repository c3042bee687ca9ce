//! VHash with messages: gossip, joins, the embedding of latencies.

use crate::testbed::{at, ids, look_up, network, sites};
use dhtlab_core::engine::Seed;
use dhtlab_core::network::{Travel, oracle};
use dhtlab_core::overlay::vhash::{Embedding, Shared, VHash, VHashParameters};
use dhtlab_core::space::Rule;

fn vhash_hit_rate(random_start: bool, rule: Rule) -> f64 {
    let parameters = VHashParameters {
        dimensions: 3,
        rule,
        ..VHashParameters::default()
    };
    let nodes = 300;
    let mut network = network::<VHash, ()>(Shared::from(&parameters), nodes, Travel::Recursive);
    let (ids, sites) = (ids(nodes, 21), sites(nodes));
    if random_start {
        let stream = Seed::new(1).stream("contacts", 0);
        assert!(oracle::populate_random(
            &mut network,
            &ids,
            &sites,
            10,
            stream
        ));
    } else {
        oracle::populate_converged(&mut network, &ids, &sites);
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
    let shared = Shared::from(&VHashParameters::default());
    let mut network = network::<VHash, ()>(shared, nodes, Travel::Recursive);
    for (i, id) in ids(nodes, 4).iter().enumerate() {
        network.join_at(at(5 * i as u64), *id, i as u32);
    }
    network.run(at(1000), false, u64::MAX);
    look_up(&mut network, 5000);
    // At 60 nodes the tables hold all nodes.
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
        let shared = Shared::from(&parameters);
        let mut network = network::<VHash, ()>(shared, nodes, Travel::Recursive);
        let stream = Seed::new(1).stream("contacts", 0);
        oracle::populate_random(&mut network, &ids(nodes, 8), &sites(nodes), 10, stream);
        network.run(at(1400), false, u64::MAX);
        look_up(&mut network, 5000);
        let stretches = network.tally().stretches.counted();
        let count: u64 = stretches.iter().map(|(_, count)| count).sum();
        let sum: f64 = stretches.iter().map(|(s, count)| s * *count as f64).sum();
        sum / count as f64
    };
    let (off, springs) = (stretch(Embedding::Off), stretch(Embedding::Springs));
    assert!(springs < 0.85 * off, "{springs} against {off}");
}
