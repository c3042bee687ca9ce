//! The items that nodes hold for a service, and the messages of the service.

use super::{NODES, churn, watch};
use crate::chord;
use crate::testbed::{at, ids, plane, sites};
use dhtlab_core::churn::{Rejoin, RejoinState};
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::overlay::chord::Chord;
use dhtlab_core::overlay::{Application, Node};
use dhtlab_core::parameter::Table;
use dhtlab_core::service::balancing::BalancingParameters;
use dhtlab_core::service::job::{JobSpecification, Message, NodeParameters, Shared, Worker};
use dhtlab_core::service::storage::{Content, Storage, StorageParameters};
use dhtlab_format::recording::{ItemState, MOST_EVENTS, Recording, What};
use dhtlab_network_experiments::Recorder;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The counters of the service at the end of `recording`.
fn last_accounts(recording: &Recording) -> Option<Vec<u64>> {
    let mut events = recording.events.iter().rev();
    events.find_map(|event| match &event.what {
        What::Counters { values } => Some(values.clone()),
        _ => None,
    })
}

/// What `recording` says that each node holds at its end, with copies and without.
fn held(recording: &Recording) -> BTreeMap<u32, BTreeMap<u32, ItemState>> {
    let mut held: BTreeMap<u32, BTreeMap<u32, ItemState>> = BTreeMap::new();
    for event in &recording.events {
        match &event.what {
            What::Items {
                node,
                items,
                holding: state,
            } => {
                let theirs = held.entry(*node).or_default();
                for item in items {
                    match state {
                        ItemState::None => assert_ne!(theirs.remove(item), None),
                        state => assert_ne!(theirs.insert(*item, *state), Some(*state)),
                    }
                }
            }
            What::Leave { node } | What::Crash { node } => drop(held.remove(node)),
            _ => {}
        }
    }
    held.retain(|_, items| !items.is_empty());
    held
}

/// A network with an application, over a plane with as many sites.
fn serving<A: Application>(service: A::Shared) -> Network<Chord, A> {
    let setup = Setup {
        seed: Seed::new(1),
        travel: Travel::Recursive,
        timeout: Duration::from_secs(1),
        ask_root: true,
    };
    let mut network = Network::serving(setup, chord::parameters(5), service, plane(NODES));
    oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
    network
}

/// The course of a job: the recorded holders of atoms are those of the nodes, every atom is mapped
/// where it was begun, and the counters end as the metrics do, though nodes crash meanwhile.
#[test]
fn a_job_is_seen_to_be_done() {
    let text = "samples = 6000\natoms = 60\nreplicas = 3\n";
    let table = dhtlab_scenario::parse_toml(text).expect("TOML");
    let job = JobSpecification::read(&Table::root(&table), Path::new("")).expect("valid");
    let nodes = NodeParameters {
        speed: 100.0,
        ..NodeParameters::default()
    };
    let course = |record: bool| {
        let service = Shared::new(
            &job,
            nodes.clone(),
            BalancingParameters::default(),
            20,
            Seed::new(1),
        );
        let address = service.address();
        let mut network = serving::<Worker>(service);
        let recorder = record.then(|| Recorder::attach(&mut network, MOST_EVENTS));
        network.send(Node(0), address, Message::Stage);
        network.plan_churn(churn(), Rejoin::NewId, RejoinState::Lost);
        network.run(at(200), true, u64::MAX);
        (network, recorder)
    };
    let (unwatched, _) = course(false);
    let (network, recorder) = course(true);
    let recorder = recorder.expect("attached");
    assert_eq!(network.tally().counts, unwatched.tally().counts);
    assert_eq!(network.now(), unwatched.now());
    let recording = recorder.borrow_mut().take(network.now());
    watch(&recording);
    assert_eq!(recording.item, "atom");
    let held = held(&recording);
    for node in network.members() {
        let told = held.get(&node.0).map_or(0, BTreeMap::len);
        assert_eq!(network.application(*node).held().count(), told, "{node:?}");
    }
    let metrics = network.metrics();
    assert_eq!(metrics.counted(), 60);
    assert_eq!(
        last_accounts(&recording),
        Some(vec![60, 60, metrics.redone(), metrics.duplicates]),
        "{:?}",
        recording.counters
    );
    let begun: BTreeSet<u32> = recording
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Items {
                items,
                holding: ItemState::Running,
                ..
            } => Some(items.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(begun.len(), 60);
}

/// Blocks are put and got: each is somewhere at the end, with copies, and each request is seen.
#[test]
fn blocks_are_seen_to_be_stored() {
    let mut network = serving::<Storage>(StorageParameters {
        replicas: 3,
        ..StorageParameters::default()
    });
    let recorder = Recorder::attach(&mut network, MOST_EVENTS);
    let contents: Vec<Content> = (0..20u8).map(|i| Content::new(vec![i; 100])).collect();
    for content in &contents {
        let content = content.clone();
        network.instruct(Node(1), |storage, context| {
            storage.put(context, content);
        });
    }
    network.run(at(10), false, u64::MAX);
    for content in &contents {
        let key = content.digest();
        network.instruct(Node(2), |storage, context| {
            storage.get(context, key);
        });
    }
    network.run(at(20), false, u64::MAX);
    let recording = recorder.borrow_mut().take(network.now());
    watch(&recording);
    let held = held(&recording);
    let mut copies: BTreeMap<u32, Vec<ItemState>> = BTreeMap::new();
    for (item, state) in held.values().flatten() {
        copies.entry(*item).or_default().push(*state);
    }
    assert_eq!(copies.len(), 20);
    for states in copies.values() {
        let own = states.iter().filter(|state| **state == ItemState::Done);
        assert_eq!((own.count(), states.len()), (1, 3), "{states:?}");
    }
    let begun = |name: &str| {
        let of = |what: &What| matches!(what, What::Begin { kind, .. } if kind == name);
        let events = recording.events.iter();
        events.filter(|event| of(&event.what)).count()
    };
    assert_eq!((begun("put"), begun("get"), begun("lookup")), (20, 20, 0));
    assert_eq!(last_accounts(&recording), Some(vec![0, 40, 0]));
    assert_eq!(
        Instant::START + Duration::from_micros(recording.end),
        at(20)
    );
}
