//! Recordings: a recording contains what happened, and recording does not change the run.

mod services;

use crate::testbed::{at, ids, network, sites};
use crate::{chord, kademlia, pastry};
use dhtlab_core::adversary::{Behaviour, IdSupply, Identity, Strategy, SybilPlacement};
use dhtlab_core::churn::{Change, ChurnPlan, Rejoin, RejoinState, Step};
use dhtlab_core::engine::{Duration, Period, Seed};
use dhtlab_core::network::{Attack, Counts, Travel, oracle};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::overlay::chord::{Chord, ChordParameters};
use dhtlab_core::overlay::kademlia::Kademlia;
use dhtlab_core::overlay::pastry::Pastry;
use dhtlab_core::overlay::urdht::{
    self, Topology, TopologyVisitor, Urdht, UrdhtParameters, UrdhtSpace,
};
use dhtlab_core::overlay::vhash::{self, Embedding, VHash, VHashParameters};
use dhtlab_core::space::Key;
use dhtlab_core::workload::LookupPlan;
use dhtlab_format::recording::{Event, MOST_EVENTS, Recording, RouteOutcome, Space, What};
use dhtlab_network_experiments::Recorder;
use std::collections::{BTreeMap, BTreeSet};

const NODES: usize = 40;
const LOOKUPS: u64 = 300;

/// Every half second a participant goes, and three seconds later comes back.
fn churn() -> ChurnPlan {
    let step = |time, participant, change| Step {
        time,
        participant,
        change,
    };
    let mut steps: Vec<Step> = (0..40)
        .flat_map(|i| {
            let time = at(5) + Duration::from_millis(500) * i;
            let participant = (i as u32 * 7) % NODES as u32;
            let going = if i % 2 == 0 {
                Change::Crash
            } else {
                Change::Leave
            };
            [
                step(time, participant, going),
                step(time + Duration::from_secs(3), participant, Change::Join),
            ]
        })
        .collect();
    steps.sort_by_key(|step| step.time);
    Box::new(steps.into_iter())
}

/// A lookup each tenth of a second.
fn lookups() -> LookupPlan {
    let stream = Seed::new(5).stream("lookups", 0);
    LookupPlan::evenly(stream, at(1), Duration::from_millis(100), LOOKUPS)
}

/// Runs lookups under churn, recorded or not; gives what was counted and what was recorded.
fn run<P: GroundTruth>(
    shared: P::Shared,
    travel: Travel,
    most_events: Option<usize>,
) -> (Counts, Option<Recording>) {
    let mut network = network::<P, ()>(shared, NODES, travel);
    oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
    let recorder = most_events.map(|most| Recorder::attach(&mut network, most));
    network.plan_churn(churn(), Rejoin::NewId, RejoinState::Lost);
    network.begin_measuring(None);
    network.plan_lookups(lookups());
    network.run(at(60), true, u64::MAX);
    let counts = network.tally().counts;
    let taken = recorder.map(|recorder| recorder.borrow_mut().take(network.now()));
    (counts, taken)
}

/// What a reader of a recording knows of the nodes at the present event.
#[derive(Default)]
struct Watch {
    alive: BTreeSet<u32>,
    members: BTreeSet<u32>,
    /// When the hops under way arrive, by their route and receiver.
    routes: Vec<Seen>,
}

/// What it knows of a route.
#[derive(Clone, Debug)]
struct Seen {
    lookup: bool,
    /// The nodes that it has reached, or that are asked, and when.
    reached: BTreeMap<u32, u64>,
    outcome: Option<RouteOutcome>,
}

/// Checks each event against those before it: a sender is online, and the message has reached it by
/// then; a node that has left does nothing; a route ends once. Returns the routes and the live
/// nodes.
fn watch(recording: &Recording) -> Watch {
    recording.check().expect("sound");
    let mut watch = Watch::default();
    for (number, Event { at, what }) in recording.events.iter().enumerate() {
        let said = format!("event {number} at {at}: {what:?}");
        match what {
            What::Appear { node, .. } => assert!(watch.alive.insert(*node), "{said}"),
            What::Join { node } => {
                assert!(watch.alive.contains(node), "{said}");
                assert!(watch.members.insert(*node), "{said}");
            }
            What::Leave { node } | What::Crash { node } => {
                assert!(watch.alive.remove(node), "{said}");
                watch.members.remove(node);
            }
            What::Move { node, .. } | What::Items { node, .. } => {
                assert!(watch.alive.contains(node), "{said}");
            }
            What::Begin { from, kind, .. } => {
                let from = from.expect("a member");
                assert!(watch.members.contains(&from), "{said}");
                watch.routes.push(Seen {
                    lookup: kind == "lookup",
                    reached: BTreeMap::from([(from, *at)]),
                    outcome: None,
                });
            }
            What::Hop {
                route,
                from,
                to,
                arrival,
            } => {
                assert!(watch.alive.contains(from), "{said}");
                let seen = &mut watch.routes[*route as usize];
                assert_eq!(seen.outcome, None, "{said}");
                assert!(seen.reached[from] <= *at, "{said}");
                let reached = seen.reached.entry(*to).or_insert(*arrival);
                *reached = (*reached).min(*arrival);
            }
            What::Answer {
                route, from, to, ..
            } => {
                assert!(watch.alive.contains(from), "{said}");
                let seen = &watch.routes[*route as usize];
                assert!(seen.reached[from] <= *at, "{said}");
                assert!(seen.reached.contains_key(to), "{said}");
            }
            What::Timeout { route, from, to } => {
                let seen = &watch.routes[*route as usize];
                assert!(seen.reached.contains_key(from), "{said}");
                assert!(seen.reached[to] <= *at, "{said}");
            }
            What::Misbehave { route, node, .. } => {
                assert!(recording.nodes[*node as usize].sybil, "{said}");
                assert!(watch.routes[*route as usize].reached[node] <= *at);
            }
            What::End {
                route,
                outcome,
                node,
                root,
            } => {
                let seen = &mut watch.routes[*route as usize];
                assert_eq!(seen.outcome.replace(*outcome), None, "{said}");
                if let Some(node) = node {
                    assert!(watch.alive.contains(node), "{said}");
                    // The initiator of an iterative lookup need not ask each node that it learns
                    // of.
                    let named = recording.travel == "iterative" && !seen.reached.contains_key(node);
                    assert!(named || seen.reached[node] <= *at, "{said}");
                }
                match outcome {
                    RouteOutcome::Ok => assert!(node.is_some() && node == root, "{said}"),
                    RouteOutcome::Wrong => assert!(node.is_some() && node != root, "{said}"),
                    _ => assert_eq!(*root, None, "{said}"),
                }
            }
            What::Message { from, .. } | What::Returned { from, .. } => {
                assert!(watch.alive.contains(from), "{said}");
            }
            What::Measure | What::Counters { .. } => {}
        }
    }
    watch
}

/// The recording of lookups under churn says what the tally says, is the same the second time, and
/// the run is the same without it. Gives the time-outs.
fn check<P: GroundTruth>(
    shared: impl Fn() -> P::Shared,
    travel: Travel,
    space: Space,
    what: &str,
) -> u64 {
    let (counts, recording) = run::<P>(shared(), travel, Some(MOST_EVENTS));
    let recording = recording.expect("recorded");
    let (unwatched, nothing) = run::<P>(shared(), travel, None);
    assert_eq!(counts, unwatched, "{what}");
    assert_eq!(nothing, None);
    assert_eq!(
        run::<P>(shared(), travel, Some(MOST_EVENTS)).1.as_ref(),
        Some(&recording),
        "{what}"
    );
    assert_eq!(recording.space, space, "{what}");
    assert!(!recording.cut);
    let watch = watch(&recording);
    let ended = |outcome| {
        let routes = watch.routes.iter();
        routes
            .filter(|seen| seen.lookup && seen.outcome == Some(outcome))
            .count() as u64
    };
    assert_eq!(counts.lookups, LOOKUPS);
    assert_eq!(watch.routes.len() as u64, counts.lookups, "{what}");
    assert_eq!(ended(RouteOutcome::Ok), counts.ok, "{what}");
    assert_eq!(ended(RouteOutcome::Wrong), counts.wrong, "{what}");
    assert_eq!(ended(RouteOutcome::Failed), counts.failed, "{what}");
    let count = |of: fn(&What) -> bool| {
        let events = recording.events.iter();
        events.filter(|event| of(&event.what)).count() as u64
    };
    let joins = count(|what| matches!(what, What::Join { .. }));
    assert_eq!(joins, NODES as u64 + counts.joins, "{what}");
    assert_eq!(count(|what| matches!(what, What::Measure)), 1);
    // Each message is either in sight or counted with the others.
    let carried = count(|what| matches!(what, What::Hop { .. } | What::Answer { .. }));
    let others: u64 = recording.others.counts.iter().sum();
    assert_eq!(carried + others, counts.messages, "{what}");
    if travel != Travel::Iterative {
        assert_eq!(carried, counts.lookup_messages, "{what}");
    }
    let timeouts = count(|what| matches!(what, What::Timeout { .. }));
    assert_eq!(timeouts, counts.timeouts, "{what}");
    timeouts
}

#[test]
fn a_recording_says_what_happened() {
    for travel in Travel::ALL {
        let what = travel.as_str();
        let timeouts = check::<Chord>(|| chord::parameters(4), *travel, Space::Ring, what);
        assert!(timeouts > 0, "{what}: no message met a failed node");
    }
    check::<Kademlia>(
        || kademlia::parameters(8, 3, 1),
        Travel::Iterative,
        Space::Xor,
        "kademlia",
    );
    check::<Pastry>(
        || pastry::parameters(4, 16),
        Travel::SemiRecursive,
        Space::TwoWayRing,
        "pastry",
    );
    let vhash = VHashParameters {
        dimensions: 2,
        ..VHashParameters::default()
    };
    check::<VHash>(
        || vhash::Shared::from(&vhash),
        Travel::SemiRecursive,
        Space::Torus { dimensions: 2 },
        "vhash",
    );
}

#[test]
fn every_space_has_places() {
    struct Check(UrdhtParameters);
    impl TopologyVisitor for Check {
        type Output = Recording;
        fn visit<T: Topology>(self, _: urdht::Shared<T>) -> Recording {
            let shared = urdht::Shared::<T>::new(&self.0);
            let (_, recording) = run::<Urdht<T>>(shared, Travel::Recursive, Some(MOST_EVENTS));
            recording.expect("recorded")
        }
    }
    for space in UrdhtSpace::ALL {
        let parameters = UrdhtParameters {
            space: *space,
            dimensions: 3,
            ..UrdhtParameters::default()
        };
        let recording = parameters.clone().accept_topology(Check(parameters));
        watch(&recording);
        let expected = match space {
            UrdhtSpace::Ring | UrdhtSpace::Clique | UrdhtSpace::Symphony => Space::Ring,
            UrdhtSpace::Xor => Space::Xor,
            UrdhtSpace::Euclidean | UrdhtSpace::Can => Space::Torus { dimensions: 3 },
            UrdhtSpace::Hyperbolic => Space::Disc,
        };
        assert_eq!(recording.space, expected);
        // A node stands where its ID says, and so does a key: the same bits give the same place.
        for event in &recording.events {
            if let What::Appear { node, place } = &event.what
                && recording.space.coordinates() == 1
            {
                let id = &recording.nodes[*node as usize].id;
                let top = f64::from(u32::from_str_radix(&id[..8], 16).expect("hex"));
                assert!((place[0] - top / 4_294_967_296.0).abs() < 1e-6);
            }
        }
    }
}

/// With more events than there is room for, a recording is the beginning of the whole one.
#[test]
fn a_full_recording_says_so() {
    let shared = || chord::parameters(4);
    let whole = run::<Chord>(shared(), Travel::Recursive, Some(MOST_EVENTS)).1;
    let whole = whole.expect("recorded");
    let (counts, cut) = run::<Chord>(shared(), Travel::Recursive, Some(500));
    assert_eq!(counts, run::<Chord>(shared(), Travel::Recursive, None).0);
    let cut = cut.expect("recorded");
    assert!(cut.cut && !whole.cut && whole.events.len() > 1000);
    assert_eq!(cut.events, whole.events[..500]);
    assert_eq!(cut.end, whole.events[500].at);
    cut.check().expect("sound");
}

/// An embedding moves nodes: the last place that a recording gives is where they are.
#[test]
fn moves_are_followed() {
    let parameters = VHashParameters {
        dimensions: 2,
        embedding: Embedding::Springs,
        probe: Period::every(Duration::from_secs(1)),
        ..VHashParameters::default()
    };
    let shared = vhash::Shared::from(&parameters);
    let mut network = network::<VHash, ()>(shared, NODES, Travel::Recursive);
    oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
    let recorder = Recorder::attach(&mut network, MOST_EVENTS);
    network.run(at(30), false, u64::MAX);
    let recording = recorder.borrow_mut().take(network.now());
    watch(&recording);
    let mut places = BTreeMap::new();
    let mut moves = 0;
    for event in &recording.events {
        match &event.what {
            What::Appear { node, place } => drop(places.insert(*node, place)),
            What::Move { node, place } => {
                moves += 1;
                assert_ne!(places.insert(*node, place), None);
            }
            _ => {}
        }
    }
    assert!(moves > NODES, "{moves}");
    for node in network.members() {
        let position = network.node(*node).position();
        let told = places[&node.0];
        assert!(position.iter().zip(told).all(|(x, y)| (x - y).abs() < 1e-6));
    }
}

/// Sybils that drop lookups are seen to do so, and each such lookup is lost.
#[test]
fn what_sybils_do_is_seen() {
    let parameters = ChordParameters {
        stabilise: Period::every(Duration::from_secs(1)),
        ..chord::parameters(4)
    };
    let sybils: Vec<Identity> = (0..)
        .zip(ids(30, 88))
        .map(|(rank, id)| Identity {
            id,
            address: 0,
            rank,
        })
        .collect();
    let mut network = network::<Chord, ()>(parameters, NODES + 1, Travel::Recursive);
    oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
    let cmp_closeness = |_: &Key, a: &Key, b: &Key| a.cmp(b);
    let stream = Seed::new(4).stream("adversary", 0);
    network.attack(Attack {
        sybil_placement: SybilPlacement::new(
            Strategy::Random,
            IdSupply::Listed(sybils),
            30,
            None,
            cmp_closeness,
            stream,
        ),
        behaviour: Behaviour::Drop,
        start: at(1),
        gap: Duration::from_millis(100),
        first_site: NODES as u32,
        addresses: Vec::new(),
    });
    let recorder = Recorder::attach(&mut network, MOST_EVENTS);
    network.plan_lookups(lookups());
    network.run(at(60), true, u64::MAX);
    let counts = network.tally().counts;
    let recording = recorder.borrow_mut().take(network.now());
    let watch = watch(&recording);
    assert_eq!(recording.nodes.iter().filter(|node| node.sybil).count(), 30);
    let dropped = recording
        .events
        .iter()
        .filter_map(|event| match event.what {
            What::Misbehave { route, .. } => Some(route),
            _ => None,
        });
    let dropped: Vec<u32> = dropped.collect();
    assert!(dropped.len() > 20, "{}", dropped.len());
    assert_eq!(dropped.len() as u64, counts.failed);
    for route in dropped {
        assert_eq!(
            watch.routes[route as usize].outcome,
            Some(RouteOutcome::Failed)
        );
    }
}

/// The last recorded peers of a member are those that it knows at the end, in each protocol.
#[test]
fn peers_are_followed() {
    fn check<P: GroundTruth>(shared: P::Shared) {
        let mut network = network::<P, ()>(shared, NODES, Travel::Recursive);
        oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
        let recorder = Recorder::attach(&mut network, MOST_EVENTS);
        network.plan_churn(churn(), Rejoin::NewId, RejoinState::Lost);
        network.begin_measuring(None);
        network.plan_lookups(lookups());
        network.run(at(60), true, u64::MAX);
        let recording = recorder.borrow_mut().take(network.now());
        recording.check().expect("a valid recording");
        let mut last: BTreeMap<u32, &[u32]> = BTreeMap::new();
        for entry in &recording.peers {
            last.insert(entry.node, &entry.peers);
        }
        let id = |number: u32| recording.nodes[number as usize].id.as_str();
        let numbers: BTreeMap<&str, u32> = (0..recording.nodes.len() as u32)
            .map(|number| (id(number), number))
            .collect();
        let members: Vec<_> = network.members().iter().copied().collect();
        assert!(members.len() > NODES / 2 && recording.peers.len() > NODES);
        for member in members {
            let own = network.ids().id(member).to_string();
            let mut known = BTreeSet::new();
            network.node(member).each_peer(&mut |peer| {
                known.insert(network.ids().id(peer).to_string());
            });
            known.remove(&own);
            let recorded = last
                .get(&numbers[own.as_str()])
                .copied()
                .unwrap_or_default();
            let recorded = recorded.iter().map(|number| id(*number).to_owned());
            assert_eq!(recorded.collect::<BTreeSet<String>>(), known);
        }
    }
    check::<Chord>(chord::parameters(4));
    check::<Kademlia>(kademlia::parameters(8, 3, 1));
    check::<Pastry>(pastry::parameters(4, 16));
    check::<VHash>(vhash::Shared::from(&VHashParameters::default()));
}
