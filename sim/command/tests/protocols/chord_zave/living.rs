//! Running networks, checked after every event.

use super::invariant::{Fault, View, successors};
use crate::testbed::{plane, sites};
use dhtlab_core::engine::{Duration, Instant, Period, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::overlay::Node;
use dhtlab_core::overlay::chord::{Chord, ChordParameters, Join};
use dhtlab_core::space::Key;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// The violations in a running network, with the members numbered in the order of the ring;
/// `without` one that is to crash. A node that has no place yet is not counted.
fn faults_of(network: &Network<Chord>, without: Option<Node>, principals: usize) -> Vec<Fault> {
    let mut order: Vec<Node> = (0..network.ids().len() as u32).map(Node).collect();
    order.sort_unstable_by_key(|node| network.ids().id(*node));
    let mut rank = vec![0; order.len()];
    for (place, node) in order.iter().enumerate() {
        rank[node.index()] = place;
    }
    let there = |node: Node| network.is_member(node) && Some(node) != without;
    let lists = network.members().iter().filter(|node| there(**node));
    let list = |node: &Node| {
        let list = successors(node.index(), network.node(*node));
        (
            rank[node.index()],
            list.iter().map(|peer| rank[*peer]).collect(),
        )
    };
    let view = View {
        nodes: order.len(),
        lists: lists.map(list).collect(),
        alive: &|place| there(order[place]),
        least_principals: principals,
    };
    let mut faults = view.faults();
    // Zave's corrected Chord does not promise these: joiners may meet the ring at a node that
    // is not the first after them until that one is stabilised, and lists may leave them out.
    faults.retain(|fault| {
        let passing = [
            Fault::OrderedMerges,
            Fault::OrderedAppendages,
            Fault::ValidSuccessorList,
        ];
        !passing.contains(fault)
    });
    faults
}

/// Number of networks that run; each for more than a thousand events.
fn histories() -> u32 {
    let given = std::env::var("DHTLAB_HISTORIES").ok();
    given.map_or(32, |text| text.parse().expect("a number"))
}

/// No answer is longer on its way.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// Number of events after which the invariant was checked.
static LOOKS: AtomicU64 = AtomicU64::new(0);

// More than a million events, checked one by one; the last line has their number:
//
//     DHTLAB_HISTORIES=1000 cargo test -p dhtlab --test protocols keeps_zaves -- --nocapture
proptest! {
    #![proptest_config(ProptestConfig {
        cases: histories(),
        ..ProptestConfig::default()
    })]

    /// Joins, crashes, stabilisations and lookups in any order: after every single event there
    /// is a live entry in each list, one ordered ring, appendages that lead to it in order,
    /// and r + 1 principals. A node crashes only if that leaves each list a live entry and
    /// r + 1 principals, and neither while an answer may be on its way that names the one that
    /// crashed before, nor while one may be, to a neighbour or to a joiner, that names no other
    /// live node: Zave's assumption, where she reads the other's state in one step. With r = 1 the
    /// one entry of an answer may crash on the way, so r is at least 2. An answer on its way may
    /// also pass over a node that has just been stabilised, and does so until the next turn: r + 2
    /// principals are left, so that r + 1 are there even then.
    #[test]
    fn correct_chord_keeps_zaves_invariant(
        seed in 0u64..1000,
        r in 2usize..5,
        more in 1usize..5,
        announced: bool,
    ) {
        let nodes = r + 1 + more;
        let shared = ChordParameters {
            successors: r,
            join: if announced { Join::Announced } else { Join::Plain },
            stabilise: Period::every(Duration::from_secs(2)),
            fix_fingers: Period::every(Duration::from_secs(3)),
            check_predecessor: Period::every(Duration::from_secs(4)),
            ..ChordParameters::default()
        };
        let setup = Setup {
            seed: Seed::new(seed),
            travel: Travel::Recursive,
            timeout: Duration::from_secs(1),
            ask_root: true,
        };
        let mut network: Network<Chord> = Network::new(setup, shared, plane(40));
        let mut stream = Seed::new(seed).stream("script", 0);
        let ids: Vec<Key> = (0..nodes).map(|_| Key::random(&mut stream)).collect();
        oracle::populate_converged(&mut network, &ids, &sites(nodes));
        for site in nodes as u32..30 {
            let at = Instant::START + Duration::from_millis(stream.below(60_000));
            network.join_at(at, Key::random(&mut stream), site);
        }
        let (mut crashes, mut events, mut last_crash) = (0, 0, Instant::START);
        // When an answer was last given that names this live node and no other.
        let mut last_alone: BTreeMap<Node, Instant> = BTreeMap::new();
        let (quiet, end) = (Instant::START + Duration::from_secs(80), Instant::START + Duration::from_secs(120));
        while network.now() < end {
            events += 1;
            network.run(end, false, events);
            let faults = faults_of(&network, None, r + 1);
            prop_assert!(faults.is_empty(), "after {} events: {:?}", events, faults);
            for node in network.members() {
                let list = successors(node.index(), network.node(*node));
                let living = |count: usize| {
                    let entries = list.iter().take(count).map(|entry| Node(*entry as u32));
                    entries.filter(|entry| network.is_member(*entry) && entry != node)
                };
                // A neighbour puts the node before the list that it receives, a joiner does not.
                if living(r - 1).next().is_none() {
                    last_alone.insert(*node, network.now());
                }
                if let (Some(only), None) = (living(r).next(), living(r).nth(1)) {
                    last_alone.insert(only, network.now());
                }
            }
            let settled = network.now() > last_crash + ON_THE_WAY && network.now() < quiet;
            if settled && stream.chance(0.02) {
                let members = network.members();
                let victim = members[stream.index(members.len())];
                let alone = last_alone.get(&victim);
                let has_answered = alone.is_none_or(|alone| network.now() > *alone + ON_THE_WAY);
                if has_answered && faults_of(&network, Some(victim), r + 2).is_empty() {
                    network.crash(victim);
                    last_crash = network.now();
                    crashes += 1;
                }
            }
        }
        let looks = LOOKS.fetch_add(events, Ordering::Relaxed) + events;
        println!("Zave's invariant has held after {looks} events");
        prop_assert!(crashes > 0 && events > 1000, "{} crashes, {} events", crashes, events);
        // In the end each remaining node has its place.
        prop_assert_eq!(oracle::is_intact(&network), Some(true));
    }
}
