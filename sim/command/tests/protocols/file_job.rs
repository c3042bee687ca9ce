//! Jobs over files that the DHT stores: results equal those of a plain program, whatever fails.

use crate::chord;
use crate::testbed::{at, ids, plane, sites};
use dhtlab_core::engine::{Duration, Period, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::overlay::chord::Chord;
use dhtlab_core::overlay::kademlia::{Kademlia, KademliaParameters};
use dhtlab_core::overlay::vhash::{Shared, VHash, VHashParameters};
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::service::balancing::BalancingRules;
use dhtlab_core::service::file_job::{
    Collector, FileJob, FileJobShared, FileTask, Iteration, IterationParameters, IterationState,
    Locality, Mapper, Message,
};
use dhtlab_core::service::job::NodeParameters;
use dhtlab_core::service::storage::StorageParameters;
use dhtlab_core::space::Key;
use rand::Rng;

const NODES: usize = 60;
const NAMES: [&str; 2] = ["one.txt", "two.txt"];

/// Two files for a task: texts of some hundred words, points, links or islands.
fn texts(task: FileTask) -> [String; 2] {
    let mut stream = Seed::new(8).stream("text", 0);
    let mut island = 0;
    [400, 150].map(|words| {
        let word = |_| match task {
            FileTask::KMeans => format!("{} {}\n", stream.unit(), 3.0 * stream.unit()),
            FileTask::PageRank => format!("{} {}\n", stream.index(30), stream.index(40)),
            FileTask::Islands => {
                island += 1;
                format!(
                    "{island:010} {:016x} {:016x}\n",
                    stream.next_u64(),
                    stream.next_u64()
                )
            }
            _ => {
                let [one, two] = [5, 3].map(|below| char::from(b'a' + stream.index(below) as u8));
                let ends = ["\n", " ", ", "];
                format!("{one}{two}{}", ends[stream.index(3)])
            }
        };
        (0..words).map(word).collect()
    })
}

fn shared(task: FileTask, locality: Locality, block_size: u32) -> FileJobShared {
    let parameters = IterationParameters {
        clusters: 4,
        ..IterationParameters::default()
    };
    FileJobShared {
        storage: StorageParameters {
            replicas: 4,
            block_size,
            repair: Period::every(Duration::from_secs(5)),
            ..StorageParameters::default()
        },
        nodes: NodeParameters {
            speed: 1000.0,
            ..NodeParameters::default()
        },
        mapper: Mapper {
            task,
            pattern: b"ab".to_vec(),
            iteration: Iteration {
                start: Iteration::start(task, &parameters, &texts(task)),
                parameters,
                seed: Seed::new(1),
            },
        },
        files: NAMES.map(str::to_owned).to_vec(),
        locality,
        replicas: 4,
        reduce_wait: Duration::from_millis(100),
        patience: Duration::from_secs(10),
        balancing: BalancingRules::default(),
        seed: Seed::new(1),
    }
}

/// A converged network in which both files are stored.
fn filled<P: GroundTruth>(overlay: P::Shared, service: FileJobShared) -> Network<P, FileJob> {
    let task = service.mapper.task;
    let setup = Setup {
        seed: Seed::new(1),
        travel: Travel::Recursive,
        timeout: Duration::from_millis(500),
        ask_root: true,
    };
    let mut network = Network::<P, FileJob>::serving(setup, overlay, service, plane(NODES));
    oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
    for (node, (name, text)) in (0..).zip(NAMES.iter().zip(texts(task))) {
        let node = Node(node);
        network.instruct(node, |job, context| {
            job.put_file(context, name, text.as_bytes());
        });
    }
    network.run(at(60), false, u64::MAX);
    assert_eq!(network.metrics().storage.open, 0);
    network
}

fn stage<P: GroundTruth>(network: &mut Network<P, FileJob>) {
    let (client, address) = (network.members()[7], network.service().address());
    network.send(client, address, Message::Stage);
}

/// The collector that has ended the job, or else has counted most.
fn collected<P: GroundTruth>(network: &mut Network<P, FileJob>) -> Collector {
    network.run(network.now() + Duration::from_secs(3600), true, u64::MAX);
    assert!(network.metrics().is_over());
    let collectors = network.members().iter();
    let collectors = collectors.filter_map(|node| network.application(*node).collector());
    let best =
        collectors.max_by_key(|own| (own.result().is_some(), own.is_complete(), own.counted()));
    best.expect("a collector").clone()
}

fn rows(service: &FileJobShared, collector: &Collector) -> Vec<(String, String)> {
    if let Some(result) = collector.result() {
        return Iteration::rows(service.mapper.task, result);
    }
    let plan = collector.plan().expect("the blocks are known");
    let mended = service
        .mapper
        .mend(&collector.records(), plan.files(), &IterationState::Nothing);
    service.mapper.rows(&mended, &service.files)
}

fn check<P: GroundTruth>(overlay: impl Fn() -> P::Shared) {
    for task in FileTask::ALL {
        for locality in [Locality::Root, Locality::Replica] {
            let service = shared(*task, locality, 64);
            let mut network = filled::<P>(overlay(), service.clone());
            stage(&mut network);
            let collector = collected(&mut network);
            assert!(collector.lost().is_empty());
            let (expected, rounds) = service.mapper.plain_rows(&texts(*task), &service.files);
            assert_eq!(rounds > 1, task.is_iterative());
            assert!(expected.len() > 3);
            assert_eq!(
                rows(&service, &collector),
                expected,
                "{task:?} {locality:?}"
            );
            assert_eq!(network.metrics().redone(), 0);
        }
    }
}

#[test]
fn results_are_those_of_a_plain_program_on_chord() {
    check::<Chord>(|| chord::parameters(8));
}

#[test]
fn results_are_those_of_a_plain_program_on_kademlia() {
    check::<Kademlia>(KademliaParameters::default);
}

#[test]
fn results_are_those_of_a_plain_program_on_vhash() {
    check::<VHash>(|| Shared::from(&VHashParameters::default()));
}

/// Nodes crash while the job runs, its stager too. What is counted is right, and exactly the blocks
/// whose copies are all gone are lost.
#[test]
fn a_job_survives_crashes_and_reports_what_is_lost() {
    let mut with_losses = 0;
    for seed in 0..20 {
        let service = shared(FileTask::Sort, Locality::Root, 64);
        let mut network = filled::<Chord>(chord::parameters(12), service.clone());
        stage(&mut network);
        let mut stream = Seed::new(seed).stream("crashes", 0);
        // A third of the nodes, or two thirds at once, of which some hold all copies of a block.
        let (rounds, each) = if seed % 2 == 0 { (20, 1) } else { (1, 40) };
        for round in 0..rounds {
            network.run(
                at(60) + Duration::from_millis(200 + 100 * round),
                false,
                u64::MAX,
            );
            for _ in 0..each {
                let members = network.members();
                let node = members[stream.index(members.len())];
                network.crash(node);
            }
        }
        network.run(at(3600), true, u64::MAX);
        // Without the keyfile, or without all collectors, the whole job is lost.
        let has_counted = |node: &Node| network.application(*node).collector().is_some();
        let is_counted = network.members().iter().any(has_counted);
        if !network.metrics().missing_files.is_empty() || !is_counted {
            with_losses += 1;
            continue;
        }
        let collector = collected(&mut network);
        let plan = collector.plan().expect("the blocks are known").clone();
        let lost: Vec<Key> = collector.lost().iter().map(|block| block.key).collect();
        for block in plan.blocks() {
            let is_held = network.members().iter().any(|node| {
                let stored = network.application(*node).storage().store().get(&block.key);
                stored.is_some()
            });
            let is_counted = !lost.contains(&block.key);
            assert!(is_counted || !is_held, "seed {seed}: {block:?} is held");
        }
        if lost.is_empty() {
            let (expected, rounds) = service
                .mapper
                .plain_rows(&texts(FileTask::WordCount), &service.files);
            assert_eq!(rounds, 1);
            assert_eq!(rows(&service, &collector), expected, "seed {seed}");
        } else {
            with_losses += 1;
        }
    }
    assert!((1..20).contains(&with_losses), "{with_losses}");
}

#[test]
fn a_job_over_an_absent_file_ends_and_names_it() {
    let mut service = shared(FileTask::WordCount, Locality::Root, 64);
    service.files.insert(1, "absent".to_owned());
    let mut network = filled::<Chord>(chord::parameters(8), service);
    stage(&mut network);
    network.run(at(200), true, u64::MAX);
    assert!(network.metrics().is_over());
    assert_eq!(network.metrics().missing_files, [1].into());
}

#[test]
fn a_job_over_empty_files_has_an_empty_result() {
    let mut service = shared(FileTask::WordCount, Locality::Root, 64);
    service.files = vec!["empty".to_owned()];
    let mut network = filled::<Chord>(chord::parameters(8), service.clone());
    network.instruct(Node(3), |job, context| {
        job.put_file(context, "empty", b"");
    });
    network.run(at(70), false, u64::MAX);
    stage(&mut network);
    let collector = collected(&mut network);
    assert!(collector.is_complete() && rows(&service, &collector).is_empty());
}
