//! Chord under churn, event by event.

use crate::chord;
use crate::testbed::{at, ids, look_up, network, sites};
use dhtlab_core::engine::{Duration, Period, Seed};
use dhtlab_core::network::{End, Network, Travel, oracle};
use dhtlab_core::overlay::Node;
use dhtlab_core::overlay::chord::{Chord, ChordParameters, Variant};
use dhtlab_core::space::Key;

/// A converged ring, and hosts for 20 more nodes.
fn ring(nodes: usize, variant: Variant) -> Network<Chord> {
    let parameters = ChordParameters {
        variant,
        ..chord::parameters(4)
    };
    let mut network = network(parameters, nodes + 20, Travel::Recursive);
    oracle::populate_converged(&mut network, &ids(nodes, 4), &sites(nodes));
    network
}

/// The part of 1000 lookups that go wrong from now on.
fn wrong(network: &mut Network<Chord>) -> f64 {
    let before = network.tally().counts;
    look_up(network, 1000);
    let counts = network.tally().counts;
    (counts.wrong - before.wrong + counts.failed - before.failed) as f64 / 1000.0
}

/// After a graceful leave the ring is whole a moment later; after a crash it is not.
#[test]
fn a_graceful_leave_is_better_than_a_crash() {
    for graceful in [true, false] {
        let mut network = ring(60, Variant::Correct);
        for node in (0..60).step_by(6).map(Node) {
            if graceful {
                network.leave(node);
            } else {
                network.crash(node);
            }
            // Two neighbours that leave at once cannot notify each other.
            let later = network.now() + Duration::from_millis(200);
            network.run(later, false, u64::MAX);
        }
        assert_eq!(oracle::is_intact(&network), Some(graceful));
        let wrong = wrong(&mut network);
        assert!(wrong < 0.02, "{wrong}");
    }
}

/// A joiner whose bootstrap crashes before it answers begins again, and gets its place.
#[test]
fn a_join_through_a_dead_node_begins_again() {
    for variant in Variant::ALL {
        let mut network = ring(12, *variant);
        let mut stream = Seed::new(9).stream("joiner", 0);
        network.join_at(at(5), Key::random(&mut stream), 20);
        network.run(at(5), false, u64::MAX);
        let joiner = Node(12);
        assert!(network.is_alive(joiner) && !network.is_member(joiner));
        // Its first message is on its way; all but three are gone when it arrives.
        for node in (0..12).map(Node).filter(|node| node.0 % 4 != 1) {
            network.crash(node);
        }
        network.run(at(120), false, u64::MAX);
        assert!(network.is_member(joiner), "{variant:?}");
        assert!(network.tally().counts.rejoins > 0, "{variant:?}");
        assert_eq!(oracle::is_intact(&network), Some(true), "{variant:?}");
    }
}

/// A joiner that no node can give a place repeats its attempt, one at a time: the node that it has
/// to ask has failed, and without maintenance no other node detects it.
#[test]
fn a_joiner_without_a_place_makes_one_attempt_at_a_time() {
    let parameters = ChordParameters {
        stabilise: Period::NEVER,
        fix_fingers: Period::NEVER,
        check_predecessor: Period::NEVER,
        ..ChordParameters::default()
    };
    let mut network = network::<Chord, ()>(parameters, 10, Travel::Recursive);
    let [before, joiner, root] = [1, 2, 3].map(Key::power_of_two);
    oracle::populate_converged(&mut network, &[before, root], &[0, 1]);
    network.crash(Node(0));
    network.join_at(at(0), joiner, 2);
    network.run(at(200), false, u64::MAX);
    assert!(!network.is_member(Node(2)));
    // An attempt takes a time-out of a second and two messages.
    let rejoins = network.tally().counts.rejoins;
    assert!((100..=200).contains(&rejoins), "{rejoins}");
}

/// A single node that others join becomes a ring, also after all its neighbours have crashed.
#[test]
fn a_ring_shrinks_to_one_and_grows_again() {
    let mut network = ring(3, Variant::Correct);
    network.crash(Node(0));
    network.crash(Node(1));
    network.run(at(60), false, u64::MAX);
    assert_eq!(wrong(&mut network), 0.0);
    let mut stream = Seed::new(9).stream("joiner", 0);
    for site in 3..10 {
        network.join_at(at(100 + u64::from(site)), Key::random(&mut stream), site);
    }
    network.run(at(400), false, u64::MAX);
    assert_eq!(network.members().len(), 8);
    assert_eq!(oracle::is_intact(&network), Some(true));
    assert_eq!(wrong(&mut network), 0.0);
    network
        .members()
        .to_vec()
        .into_iter()
        .for_each(|node| network.crash(node));
    assert_eq!(network.run(at(1000), false, u64::MAX), End::Extinct);
}
