//! Jobs on networks built by hand: the counted atoms, whichever nodes leave.

use crate::testbed::{at, ids, plane, sites};
use crate::{chord, kademlia, pastry};
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{End, Network, Setup, Travel, oracle};
use dhtlab_core::overlay::chord::{Chord, ChordParameters};
use dhtlab_core::overlay::kademlia::Kademlia;
use dhtlab_core::overlay::pastry::Pastry;
use dhtlab_core::overlay::vhash::{self, VHash, VHashParameters};
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::parameter::Table;
use dhtlab_core::service::balancing::BalancingParameters;
use dhtlab_core::service::job::tasks::Value;
use dhtlab_core::service::job::{JobSpecification, Message, NodeParameters, Shared, Worker};
use std::path::Path;

const NODES: usize = 60;
const ATOMS: u32 = 120;
/// An atom is 100 samples.
const SAMPLES: u64 = 12_000;

/// A converged network with room for 10 more nodes and a job of [`ATOMS`] atoms, of which a node
/// maps `speed` samples a second; `keys` are more keys of the job.
fn network<P: GroundTruth>(
    shared: P::Shared,
    speed: f64,
    seed: u64,
    keys: &str,
) -> Network<P, Worker> {
    let text = format!("samples = {SAMPLES}\natoms = {ATOMS}\n{keys}");
    let table = dhtlab_scenario::parse_toml(&text).expect("TOML");
    let job = JobSpecification::read(&Table::root(&table), Path::new("")).expect("valid");
    let nodes = NodeParameters {
        speed,
        ..NodeParameters::default()
    };
    let setup = Setup {
        seed: Seed::new(seed),
        travel: Travel::Recursive,
        timeout: Duration::from_secs(1),
        ask_root: true,
    };
    let service = Shared::new(
        &job,
        nodes,
        BalancingParameters::default(),
        NODES,
        Seed::new(seed),
    );
    let mut network = Network::serving(setup, shared, service, plane(NODES + 10));
    oracle::populate_converged(&mut network, &ids(NODES, seed), &sites(NODES));
    network
}

/// Sends the job to the root of its address, and goes on until it is staged; gives that root.
fn stage<P: GroundTruth>(network: &mut Network<P, Worker>) -> Node {
    let address = network.service().address();
    network.send(Node(0), address, Message::Stage);
    while network.metrics().staged.is_none() {
        assert!(network.now() < at(10), "not staged");
        let next = network.now() + Duration::from_millis(1);
        network.run(next, false, u64::MAX);
    }
    let stager = network
        .members()
        .iter()
        .find(|node| network.application(**node).collector().is_some());
    *stager.expect("who has staged it counts")
}

fn run_until<P: GroundTruth>(network: &mut Network<P, Worker>, time: Instant) {
    network.run(time, false, u64::MAX);
}

/// The result of all atoms, reduced one after the other.
fn direct<P: GroundTruth>(network: &Network<P, Worker>, seed: u64) -> Value {
    let (mut value, mut first) = (Value::new(), 0);
    let service = network.service();
    for atom in 0..ATOMS {
        let samples = service.samples_of(atom);
        let mut stream = Seed::new(seed).stream("atom", atom.into());
        let result = service.task().map(first, samples, &mut stream);
        service.task().reduce(&mut value, &result.value);
        first += samples;
    }
    value
}

/// The job comes to its end, every atom is counted exactly once, at the root of the address, and
/// the result is that of all atoms.
fn assert_whole<P: GroundTruth>(network: &mut Network<P, Worker>, seed: u64, what: &str) {
    assert_eq!(network.run(at(5000), true, u64::MAX), End::Done, "{what}");
    let root = network.root(&network.service().address()).expect("a root");
    let collector = network.application(root).collector().expect("counts");
    assert_eq!(collector.count(), ATOMS, "{what}");
    let partials = collector.partials().iter();
    let mut atoms: Vec<u32> = partials.flat_map(|partial| partial.atoms.clone()).collect();
    atoms.sort_unstable();
    assert_eq!(atoms, (0..ATOMS).collect::<Vec<_>>(), "{what}");
    let samples: u64 = atoms
        .iter()
        .map(|atom| network.service().samples_of(*atom))
        .sum();
    assert_eq!(samples, SAMPLES, "{what}");
    let value = collector.value(network.service().task());
    assert_eq!(value, direct(network, seed), "{what}");
}

/// Does `check` on each protocol.
macro_rules! on_each_protocol {
    ($check:ident) => {
        $check::<Chord>(chord::parameters(6), "chord");
        $check::<Kademlia>(kademlia::parameters(8, 3, 1), "kademlia");
        $check::<Pastry>(pastry::parameters(4, 16), "pastry");
        $check::<VHash>(vhash::Shared::from(&VHashParameters::default()), "vhash");
    };
}

/// Without churn each atom is mapped once and counted once, for each value of `bundle`.
#[test]
fn every_atom_is_mapped_and_counted_once() {
    fn check<P: GroundTruth>(shared: P::Shared, name: &str)
    where
        P::Shared: Clone,
    {
        for bundle in ["fingers", "none", "walk"] {
            let keys = format!("bundle = '{bundle}'");
            let mut network = network::<P>(shared.clone(), 100.0, 1, &keys);
            stage(&mut network);
            let what = format!("{name}, {bundle}");
            assert_whole(&mut network, 1, &what);
            let metrics = network.metrics();
            assert_eq!(metrics.first_maps.len(), ATOMS as usize, "{what}");
            assert_eq!(metrics.redone(), 0, "{what}");
            assert_eq!(metrics.work.iter().sum::<u64>(), SAMPLES, "{what}");
        }
    }
    on_each_protocol!(check);
}

/// The collector may crash, at the start or in the middle; another node continues.
#[test]
fn the_root_of_the_address_may_go() {
    fn check<P: GroundTruth>(shared: P::Shared, name: &str)
    where
        P::Shared: Clone,
    {
        for later in [0, 3, 5] {
            let mut network = network::<P>(shared.clone(), 50.0, 2, "");
            let stager = stage(&mut network);
            let time = network.now() + Duration::from_secs(later);
            run_until(&mut network, time);
            let counted = network.application(stager).collector().expect("counts");
            let is_in_the_middle = 0 < counted.count() && counted.count() < ATOMS;
            assert_eq!(is_in_the_middle, later > 0, "{name}, {later} s");
            network.crash(stager);
            assert_whole(&mut network, 2, &format!("{name}, after {later} s"));
        }
    }
    on_each_protocol!(check);
}

/// The root of the address and all that hold copies of what it has counted go at once, and
/// nothing comes in any more: what they had counted is counted again, from the atoms that are
/// still there.
#[test]
fn what_was_counted_and_lost_is_counted_again() {
    let keys = "replicas = 3\npatience = '10 s'";
    let mut network = network::<Chord>(chord::parameters(6), 50.0, 3, keys);
    stage(&mut network);
    let counted = |network: &Network<Chord, Worker>| network.metrics().counted();
    while counted(&network) + 4 < ATOMS.into() {
        assert!(network.now() < at(100));
        let next = network.now() + Duration::from_millis(10);
        run_until(&mut network, next);
    }
    let before = counted(&network);
    assert!(before < ATOMS.into());
    let who: Vec<Node> = network
        .members()
        .iter()
        .copied()
        .filter(|node| network.application(*node).collector().is_some())
        .collect();
    assert_eq!(who.len(), 3);
    let crashed = network.now();
    who.iter().for_each(|node| network.crash(*node));
    let left: std::collections::BTreeSet<u32> = network
        .members()
        .iter()
        .flat_map(|node| network.application(*node).held().collect::<Vec<_>>())
        .collect();
    assert!(left.len() > ATOMS as usize / 2);
    assert_eq!(network.run(at(2000), true, u64::MAX), End::Done);
    let root = network.root(&network.service().address()).expect("a root");
    let collector = network.application(root).collector().expect("counts");
    let missing: Vec<u32> = (0..ATOMS).filter(|atom| !collector.has(*atom)).collect();
    let lost: Vec<u32> = (0..ATOMS).filter(|atom| !left.contains(atom)).collect();
    assert!(
        missing.iter().all(|atom| lost.contains(atom)),
        "{missing:?} {lost:?}"
    );
    // The time of the whole is that of the second count.
    assert!(network.metrics().counted_at > Some(crashed));
}

/// A third of the nodes go one after the other: with four copies, nothing is lost and nothing
/// counts twice.
#[test]
fn a_third_of_the_nodes_may_go() {
    fn check<P: GroundTruth>(shared: P::Shared, name: &str)
    where
        P::Shared: Clone,
    {
        for seed in 4..7 {
            let mut network = network::<P>(shared.clone(), 2.0, seed, "replicas = 4");
            stage(&mut network);
            let mut order: Vec<Node> = (0..NODES as u32).map(Node).collect();
            Seed::new(seed).stream("crashes", 0).shuffle(&mut order);
            for node in &order[..NODES / 3] {
                let next = network.now() + Duration::from_secs(9);
                run_until(&mut network, next);
                network.crash(*node);
            }
            assert!(
                !network.metrics().is_over(),
                "{name}: too fast to see anything"
            );
            assert_whole(&mut network, seed, &format!("{name}, seed {seed}"));
            let begun = network.metrics().maps.iter().filter(|(_, begins)| *begins);
            assert!(begun.count() > ATOMS as usize, "{name}: no node took over");
        }
    }
    on_each_protocol!(check);
}

/// Nodes come in the middle, one of them as the root of the address: it goes on counting.
#[test]
fn a_new_root_of_the_address_counts_on() {
    fn check<P: GroundTruth>(shared: P::Shared, name: &str) {
        let mut network = network::<P>(shared, 5.0, 7, "");
        let stager = stage(&mut network);
        let address = network.service().address();
        network.join_at(at(12), address, NODES as u32);
        for (place, id) in ids(5, 70).into_iter().enumerate() {
            network.join_at(at(15 + 3 * place as u64), id, (NODES + 1 + place) as u32);
        }
        assert_whole(&mut network, 7, name);
        let root = network.root(&address).expect("a root");
        assert_ne!(root, stager, "{name}");
        assert_eq!(network.ids().id(root), address, "{name}");
    }
    on_each_protocol!(check);
}

/// All nodes that hold an atom leave at once: exactly the atoms that no node holds are lost, and
/// the job ends without them.
#[test]
fn what_nobody_holds_is_lost_and_nothing_else() {
    fn check<P: GroundTruth>(shared: P::Shared, name: &str) {
        let mut network = network::<P>(shared, 1.0, 8, "replicas = 3");
        stage(&mut network);
        // All have their copies, and nothing is mapped.
        run_until(&mut network, at(30));
        assert!(network.metrics().first_maps.is_empty(), "{name}");
        let holders = |network: &Network<P, Worker>, atom: u32| -> Vec<Node> {
            let members = network.members().iter().copied();
            members
                .filter(|node| network.application(*node).held().any(|held| held == atom))
                .collect()
        };
        let doomed = holders(&network, 17);
        assert_eq!(doomed.len(), 3, "{name}");
        doomed.iter().for_each(|node| network.crash(*node));
        let lost: Vec<u32> = (0..ATOMS)
            .filter(|atom| holders(&network, *atom).is_empty())
            .collect();
        assert!(lost.contains(&17), "{name}");
        assert_eq!(network.run(at(5000), true, u64::MAX), End::Done, "{name}");
        let root = network.root(&network.service().address()).expect("a root");
        let collector = network.application(root).collector().expect("counts");
        let missing: Vec<u32> = (0..ATOMS).filter(|atom| !collector.has(*atom)).collect();
        assert_eq!(missing, lost, "{name}");
    }
    on_each_protocol!(check);
}

/// Nodes on the way reduce what they hold: a result takes less than one message, where on its own
/// it takes the more than two hops of a way through 60 nodes.
#[test]
fn nodes_on_the_way_reduce() {
    let quiet = ChordParameters {
        stabilise: dhtlab_core::engine::Period::NEVER,
        fix_fingers: dhtlab_core::engine::Period::NEVER,
        check_predecessor: dhtlab_core::engine::Period::NEVER,
        ..chord::parameters(6)
    };
    let keys = "replicas = 1\nreduce-wait = '10 s'";
    let mut network = network::<Chord>(quiet, 100.0, 9, keys);
    stage(&mut network);
    // All atoms are where they belong, and none is mapped.
    let before = network.now() + Duration::from_millis(900);
    run_until(&mut network, before);
    assert!(network.metrics().first_maps.is_empty());
    let messages = network.tally().counts.messages;
    assert_whole(&mut network, 9, "chord");
    let messages = network.tally().counts.messages - messages;
    assert!(messages < ATOMS.into(), "{messages}");
}
