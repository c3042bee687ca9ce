//! Copies with keys of their own: they come back from any one that is left, and deletions and later
//! contents reach all of them. Nodes that are full say so.

use crate::chord;
use crate::testbed::{ids, plane, sites};
use dhtlab_core::engine::{Duration, Period, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::overlay::chord::Chord;
use dhtlab_core::overlay::kademlia::{Kademlia, KademliaParameters};
use dhtlab_core::overlay::pastry::{Pastry, PastryParameters};
use dhtlab_core::overlay::urdht::{
    self, Topology, TopologyVisitor, Urdht, UrdhtParameters, UrdhtSpace,
};
use dhtlab_core::overlay::vhash::{self, VHash, VHashParameters};
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::service::storage::{
    Answer, CompletedRequest, Content, Operation, ReplicaPlacement, Storage, StorageParameters,
    join, key_of,
};
use dhtlab_core::space::Key;

const NODES: usize = 60;
const COPIES: usize = 4;
const BLOCKS: u8 = 30;

/// The seeds of a test; more of them with `DHTLAB_SEEDS`.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("DHTLAB_SEEDS").ok();
    0..count.and_then(|count| count.parse().ok()).unwrap_or(2)
}

fn parameters(placement: ReplicaPlacement) -> StorageParameters {
    StorageParameters {
        replicas: COPIES,
        placement,
        block_size: 64,
        repair: Period::every(Duration::from_secs(5)),
        ..StorageParameters::default()
    }
}

fn network<P: GroundTruth>(
    overlay: P::Shared,
    service: StorageParameters,
    seed: u64,
) -> Network<P, Storage> {
    let setup = Setup {
        seed: Seed::new(seed),
        travel: Travel::Recursive,
        timeout: Duration::from_millis(500),
        ask_root: true,
    };
    let mut network = Network::serving(setup, overlay, service, plane(NODES));
    oracle::populate_converged(&mut network, &ids(NODES, seed), &sites(NODES));
    network
}

fn content(number: u8) -> Content {
    Content::new([number; 50])
}

fn run<P: GroundTruth>(network: &mut Network<P, Storage>, seconds: u64) {
    network.run(
        network.now() + Duration::from_secs(seconds),
        false,
        u64::MAX,
    );
}

/// Carries out what `ask` asks a node for; gives the requests that have ended within a minute.
fn ask<P: GroundTruth>(
    network: &mut Network<P, Storage>,
    node: Node,
    ask: impl FnOnce(&mut Storage, &mut dhtlab_core::overlay::AppContext<'_, Storage>),
) -> Vec<CompletedRequest> {
    let before = network.metrics().ended.len();
    network.instruct(node, ask);
    run(network, 60);
    assert_eq!(network.metrics().open, 0);
    network.metrics().ended[before..].to_vec()
}

fn answer<P: GroundTruth>(
    network: &mut Network<P, Storage>,
    act: impl FnOnce(&mut Storage, &mut dhtlab_core::overlay::AppContext<'_, Storage>),
) -> Answer {
    let reader = network.members()[7];
    let mut ended = ask(network, reader, act);
    assert_eq!(ended.len(), 1);
    ended.remove(0).answer
}

/// The members that hold a content under a key of the value.
fn holders<P: GroundTruth>(network: &Network<P, Storage>, name: &Key) -> Vec<Node> {
    let places = network.service().places();
    let keys: Vec<Key> = (0..places.keys()).map(|i| places.key(name, i)).collect();
    let members = network.members().iter();
    let holds = |node: &Node, key: &Key| {
        let block = network.application(*node).store().get(key);
        block.is_some_and(|block| block.content().is_some())
    };
    members
        .flat_map(|node| keys.iter().map(move |key| (*node, key)))
        .filter(|(node, key)| holds(node, key))
        .map(|(node, _)| node)
        .collect()
}

/// A network with the blocks and a file.
fn filled<P: GroundTruth>(
    overlay: P::Shared,
    placement: ReplicaPlacement,
    seed: u64,
) -> Network<P, Storage> {
    let mut network = network::<P>(overlay, parameters(placement), seed);
    for number in 0..BLOCKS {
        network.instruct(Node(u32::from(number)), |storage, context| {
            storage.put(context, content(number));
        });
    }
    network.instruct(Node(1), |storage, context| {
        storage.put_file(context, "text", &text(0));
    });
    run(&mut network, 60);
    let ended = &network.metrics().ended;
    assert_eq!(ended.len(), usize::from(BLOCKS) + 1);
    assert!(ended.iter().all(|ended| ended.answer == Answer::Done));
    network
}

/// A file of three blocks.
fn text(version: u8) -> Vec<u8> {
    (0..150).map(|byte| byte ^ version).collect()
}

fn check<P: GroundTruth>(overlay: impl Fn() -> P::Shared) {
    for seed in seeds() {
        for placement in [ReplicaPlacement::Spread, ReplicaPlacement::Random] {
            let mut network = filled::<P>(overlay(), placement, seed);
            let names: Vec<Key> = (0..BLOCKS).map(|i| content(i).digest()).collect();
            let all: Vec<usize> = names
                .iter()
                .map(|name| holders(&network, name).len())
                .collect();
            assert_eq!(all, [COPIES; BLOCKS as usize], "{placement:?} {seed}");
            copies_come_back(&mut network, &names);
            what_is_deleted_stays_deleted(&mut network, &names[1]);
            a_later_file_wins(&mut network);
        }
    }
}

/// All nodes with a copy of a block crash but one, and then single ones.
fn copies_come_back<P: GroundTruth>(network: &mut Network<P, Storage>, names: &[Key]) {
    let first = holders(network, &names[0]);
    let last = *first.last().expect("a copy");
    for node in first.iter().filter(|node| **node != last) {
        network.crash(*node);
    }
    for step in 0..8 {
        let members = network.members();
        let node = members[(step * 11) % members.len()];
        if node != last {
            network.crash(node);
        }
    }
    // Within the crashes all copies of some blocks may be gone.
    let left: Vec<Key> = names
        .iter()
        .copied()
        .filter(|name| !holders(network, name).is_empty())
        .collect();
    assert!(left.contains(&names[0]) && left.len() > 20);
    run(network, 300);
    for name in &left {
        assert_eq!(holders(network, name).len(), COPIES, "{name:?}");
        let found = answer(network, |storage, context| storage.get(context, *name));
        assert!(matches!(found, Answer::Content(content) if content.digest() == *name));
    }
}

fn what_is_deleted_stays_deleted<P: GroundTruth>(network: &mut Network<P, Storage>, name: &Key) {
    let place = network.service().places().key(name, 0);
    // A root that misses the deletion is notified by another.
    let deleted = answer(network, |storage, context| storage.delete(context, *name));
    assert_eq!(deleted, Answer::Done);
    network.crash(network.root(&place).expect("a member"));
    run(network, 120);
    assert_eq!(holders(network, name), []);
    let found = answer(network, |storage, context| storage.get(context, *name));
    assert_eq!(found, Answer::Deleted);
}

/// A file is put again under its name while nodes crash: all copies of the keyfile become the later
/// one, and reading finds it.
fn a_later_file_wins<P: GroundTruth>(network: &mut Network<P, Storage>) {
    let places = network.service().places();
    let root = network.root(&places.key(&key_of("text"), 1));
    let writer = network.members()[3];
    if root != Some(writer) {
        network.crash(root.expect("a member"));
    }
    let put = ask(network, writer, |storage, context| {
        storage.put_file(context, "text", &text(1));
    });
    assert_eq!(put[0].answer, Answer::Done);
    run(network, 120);
    let keyfile = |index: u16| {
        let key = places.key(&key_of("text"), index);
        let root = network.root(&key).expect("a member");
        network.application(root).store().get(&key).cloned()
    };
    let first = keyfile(0).expect("a keyfile");
    for index in 1..COPIES as u16 {
        let other = keyfile(index).expect("a keyfile");
        assert_eq!(other.content(), first.content());
    }
    let found = answer(network, |storage, context| {
        storage.get_file(context, "text");
    });
    let Answer::File(blocks) = found else {
        panic!("{found:?}");
    };
    assert_eq!(join(&blocks), text(1));
}

#[test]
fn chord_restores_copies_with_keys_of_their_own() {
    check::<Chord>(|| chord::parameters(8));
}

#[test]
fn kademlia_restores_copies_with_keys_of_their_own() {
    check::<Kademlia>(|| KademliaParameters {
        k: 8,
        stale: 1,
        ..KademliaParameters::default()
    });
}

#[test]
fn pastry_restores_copies_with_keys_of_their_own() {
    check::<Pastry>(PastryParameters::default);
}

#[test]
fn vhash_restores_copies_with_keys_of_their_own() {
    check::<VHash>(|| vhash::Shared::from(&VHashParameters::default()));
}

#[test]
fn urdht_restores_copies_with_keys_of_their_own() {
    struct Check(UrdhtParameters);
    impl TopologyVisitor for Check {
        type Output = ();
        fn visit<T: Topology>(self, _: urdht::Shared<T>) {
            check::<Urdht<T>>(|| urdht::Shared::<T>::new(&self.0));
        }
    }
    // On this space every lookup of a whole network ends at the root.
    let parameters = UrdhtParameters {
        space: UrdhtSpace::Ring,
        ..UrdhtParameters::default()
    };
    parameters.clone().accept_topology(Check(parameters));
}

/// A file is read while a node in ten crashes every ten seconds: it is never another file, and it is
/// found as long as all its parts have copies.
#[test]
fn a_file_is_read_under_churn() {
    for seed in seeds() {
        for placement in ReplicaPlacement::ALL {
            let mut network = filled::<Chord>(chord::parameters(8), *placement, seed);
            let mut stream = Seed::new(seed).stream("crashes", 0);
            let reader = network.members()[0];
            for _ in 0..20 {
                let members = network.members();
                let victim = members[stream.index(members.len())];
                if victim != reader && members.len() > 40 {
                    network.crash(victim);
                }
                network.instruct(reader, |storage, context| {
                    storage.get_file(context, "text");
                });
                run(&mut network, 10);
            }
            run(&mut network, 60);
            let ended = network.metrics().ended.iter();
            let gets: Vec<&Answer> = ended
                .filter(|ended| ended.operation == Operation::GetFile)
                .map(|ended| &ended.answer)
                .collect();
            assert_eq!(gets.len(), 20);
            for found in gets {
                let Answer::File(blocks) = found else {
                    panic!("{placement:?} {seed}: {found:?}");
                };
                assert_eq!(join(blocks), text(0));
            }
        }
    }
}

/// A put that a root has acknowledged has taken the hops of a lookup; none if that is the initiator.
#[test]
fn hops_of_a_request_are_those_to_the_root() {
    let mut network = network::<Chord>(
        chord::parameters(8),
        parameters(ReplicaPlacement::Nearest),
        1,
    );
    for number in 0..BLOCKS {
        let name = content(number).digest();
        let root = network.root(&name).expect("a member");
        let other = network.members()[usize::from(number)];
        for node in [root, other] {
            let ended = ask(&mut network, node, |storage, context| {
                storage.put(context, content(number));
                storage.get(context, name);
                storage.delete(context, name);
            });
            assert_eq!(ended.len(), 3);
            for request in ended {
                assert_eq!(request.effort.answers, 1);
                // log2(60) / 2 is 3; no path is longer than twice that.
                let hops = request.effort.hops;
                assert!(if node == root {
                    hops == 0
                } else {
                    (1..7).contains(&hops)
                });
            }
        }
    }
}

/// Full nodes refuse puts and copies, and none holds more than it may.
#[test]
fn full_nodes_refuse() {
    const CAPACITY: u64 = 120;
    for seed in seeds() {
        for placement in ReplicaPlacement::ALL {
            let service = StorageParameters {
                capacity: Some(CAPACITY),
                ..parameters(*placement)
            };
            let mut network = network::<Chord>(chord::parameters(8), service, seed);
            let puts = ask(&mut network, Node(0), |storage, context| {
                for number in 0..200 {
                    storage.put(context, content(number));
                }
            });
            let of = |answer: Answer| puts.iter().filter(|put| put.answer == answer).count();
            let (done, refused) = (of(Answer::Done), of(Answer::Refused));
            assert_eq!(done + refused, 200);
            // Two blocks of 50 bytes fit on each node.
            assert!(
                done > 20 && done <= 2 * NODES && refused > 0,
                "{done} {refused}"
            );
            assert!(network.metrics().copies_full > 0 || *placement != ReplicaPlacement::Nearest);
            // The file needs more bytes than all nodes have.
            let file: Vec<u8> = (0..20_000_u32).map(|i| (i / 64) as u8).collect();
            let put = ask(&mut network, Node(1), |storage, context| {
                storage.put_file(context, "large", &file);
            });
            assert_eq!(put[0].answer, Answer::Refused);
            run(&mut network, 300);
            for node in network.members() {
                assert!(network.application(*node).bytes_stored() <= CAPACITY);
            }
            // What was acknowledged is there.
            for put in puts.iter().filter(|put| put.answer == Answer::Done) {
                assert!(!holders(&network, &put.key).is_empty());
            }
        }
    }
}
