//! Storage on the overlays: stored blocks are readable, replicas follow the replica set, and
//! deleted blocks stay deleted.

use crate::chord;
use crate::testbed::{at, ids, plane, sites};
use dhtlab_core::engine::{Duration, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::overlay::chord::Chord;
use dhtlab_core::overlay::kademlia::{Kademlia, KademliaParameters};
use dhtlab_core::overlay::pastry::{Pastry, PastryParameters};
use dhtlab_core::overlay::vhash::{Shared, VHash, VHashParameters};
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::service::replication::{Items, Outbox, ReplicationMessage, Store};
use dhtlab_core::service::storage::{
    Answer, Block, BlockKind, Content, Operation, Storage, StorageParameters, key_of, split,
};
use dhtlab_core::space::Key;

const NODES: usize = 60;

fn network<P: GroundTruth>(shared: P::Shared, travel: Travel) -> Network<P, Storage> {
    let setup = Setup {
        seed: Seed::new(1),
        travel,
        timeout: Duration::from_millis(500),
        ask_root: true,
    };
    let service = StorageParameters {
        replicas: 4,
        block_size: 64,
        tombstone: Duration::from_secs(600),
        ..StorageParameters::default()
    };
    let mut network = Network::serving(setup, shared, service, plane(NODES));
    oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
    network
}

fn content(number: u8) -> Content {
    Content::new([number; 50])
}

fn copies<P: GroundTruth>(network: &Network<P, Storage>, key: &Key) -> usize {
    let holds = |node: &&Node| {
        let block = network.application(**node).store().get(key);
        block.is_some_and(|block| block.content().is_some())
    };
    network.members().iter().filter(holds).count()
}

/// Runs until all requests are over, and gives the answers to those of a kind since `from`.
fn answers<P: GroundTruth>(
    network: &mut Network<P, Storage>,
    operation: Operation,
    from: usize,
) -> Vec<Answer> {
    network.run(network.now() + Duration::from_secs(60), true, u64::MAX);
    assert_eq!(network.metrics().open, 0);
    let ended = network.metrics().ended[from..].iter();
    let of = ended.filter(|ended| ended.operation == operation);
    of.map(|ended| ended.answer.clone()).collect()
}

/// Puts, gets, deletes, a file; then the root of each block and another holder crash.
fn check<P: GroundTruth>(shared: P::Shared, travel: Travel) {
    let mut network = network::<P>(shared, travel);
    for number in 0..40 {
        let node = Node(u32::from(number));
        network.instruct(node, |storage, context| {
            storage.put(context, content(number));
        });
    }
    let done = answers(&mut network, Operation::Put, 0);
    assert_eq!(done, vec![Answer::Done; 40]);
    network.run(network.now() + Duration::from_secs(60), false, u64::MAX);
    let keys: Vec<Key> = (0..40).map(|number| content(number).digest()).collect();
    for key in &keys {
        let root = network.root(key).expect("a member");
        assert!(network.application(root).store().owns(key));
        assert_eq!(copies(&network, key), 4);
    }
    // A file of three blocks and one without any.
    let text: Vec<u8> = (0..150).collect();
    network.instruct(Node(1), |storage, context| {
        storage.put_file(context, "text", &text);
        storage.put_file(context, "empty", b"");
    });
    let done = answers(&mut network, Operation::PutFile, 0);
    assert_eq!(done, [Answer::Done, Answer::Done]);
    // A node in twelve crashes, the root of the first block among them; the nodes that are asked
    // have copies while repair is under way.
    network.crash(network.root(&keys[0]).expect("a member"));
    for node in (5..NODES as u32).step_by(15) {
        network.crash(Node(node));
    }
    let reader = network.members()[7];
    let before = network.metrics().ended.len();
    for key in &keys {
        network.instruct(reader, |storage, context| storage.get(context, *key));
    }
    network.instruct(reader, |storage, context| {
        storage.get_file(context, "text");
        storage.get_file(context, "empty");
        storage.get_file(context, "nothing");
    });
    let mut read = answers(&mut network, Operation::Get, before);
    let mut expected: Vec<Answer> = (0..40).map(|i| Answer::Content(content(i))).collect();
    let order = |answer: &Answer| format!("{answer:?}");
    read.sort_by_key(order);
    expected.sort_by_key(order);
    assert_eq!(read, expected);
    let mut files = answers(&mut network, Operation::GetFile, before);
    files.sort_by_key(order);
    let (blocks, _) = split(&text, 64, 1);
    let expected = [
        Answer::Absent,
        Answer::File(blocks),
        Answer::File(Vec::new()),
    ];
    let mut expected = expected.to_vec();
    expected.sort_by_key(order);
    assert_eq!(files, expected);
    // Repair has four copies again everywhere.
    network.run(network.now() + Duration::from_secs(300), false, u64::MAX);
    for key in &keys {
        assert_eq!(copies(&network, key), 4, "{key:?}");
    }
    // What is deleted stays deleted under churn, until it is put again.
    let before = network.metrics().ended.len();
    network.instruct(reader, |storage, context| {
        storage.delete(context, keys[0]);
        storage.delete(context, key_of("text"));
    });
    let done = answers(&mut network, Operation::Delete, before);
    assert_eq!(done, [Answer::Done, Answer::Done]);
    network.run(network.now() + Duration::from_secs(60), false, u64::MAX);
    assert_eq!(copies(&network, &keys[0]), 0);
    network.crash(network.root(&keys[0]).expect("a member"));
    network.run(network.now() + Duration::from_secs(120), false, u64::MAX);
    let reader = network.members()[7];
    let before = network.metrics().ended.len();
    network.instruct(reader, |storage, context| {
        storage.get(context, keys[0]);
        storage.get_file(context, "text");
    });
    assert_eq!(
        answers(&mut network, Operation::Get, before),
        [Answer::Deleted]
    );
    assert_eq!(
        answers(&mut network, Operation::GetFile, before),
        [Answer::Deleted]
    );
    // Tombstones are forgotten by then.
    network.run(network.now() + Duration::from_secs(800), false, u64::MAX);
    let members = network.members().iter();
    let kept = members.filter(|node| network.application(**node).store().get(&keys[0]).is_some());
    assert_eq!(kept.count(), 0);
    let before = network.metrics().ended.len();
    network.instruct(reader, |storage, context| storage.put(context, content(0)));
    assert_eq!(
        answers(&mut network, Operation::Put, before),
        [Answer::Done]
    );
    let before = network.metrics().ended.len();
    network.instruct(reader, |storage, context| storage.get(context, keys[0]));
    assert_eq!(
        answers(&mut network, Operation::Get, before),
        [Answer::Content(content(0))]
    );
}

fn chord_parameters() -> dhtlab_core::overlay::chord::ChordParameters {
    chord::parameters(8)
}

fn kademlia_parameters() -> KademliaParameters {
    KademliaParameters {
        k: 8,
        stale: 1,
        ..KademliaParameters::default()
    }
}

fn vhash_parameters() -> Shared {
    Shared::from(&VHashParameters {
        dimensions: 2,
        ..VHashParameters::default()
    })
}

#[test]
fn chord_stores_blocks_and_files() {
    check::<Chord>(chord_parameters(), Travel::Recursive);
    check::<Chord>(chord_parameters(), Travel::Iterative);
}

#[test]
fn kademlia_stores_blocks_and_files() {
    check::<Kademlia>(kademlia_parameters(), Travel::Recursive);
    check::<Kademlia>(kademlia_parameters(), Travel::Iterative);
}

#[test]
fn pastry_stores_blocks_and_files() {
    check::<Pastry>(PastryParameters::default(), Travel::Recursive);
    check::<Pastry>(PastryParameters::default(), Travel::Iterative);
}

#[test]
fn vhash_stores_blocks_and_files() {
    check::<VHash>(vhash_parameters(), Travel::Recursive);
}

/// Items that one node stages come to their roots, all that go
/// the same way together.
#[test]
fn a_bundle_comes_to_its_roots() {
    fn check<P: GroundTruth>(shared: P::Shared) {
        let mut network = network::<P>(shared, Travel::Recursive);
        let blocks: Vec<Content> = (0..200).map(content).collect();
        let stamp = network.now();
        let items: Items<Block> = blocks
            .iter()
            .map(|content| {
                let block = Block::new(BlockKind::Block, content.clone(), stamp);
                (content.digest(), block)
            })
            .collect();
        network.instruct(Node(0), |_, context| {
            let mut outbox = Outbox::new();
            Store::new(4).take(context.routing, items, None, false, &mut outbox);
            let mut receivers: Vec<Node> = outbox.iter().map(|(to, _)| *to).collect();
            receivers.sort_unstable();
            receivers.dedup();
            // One message for each next hop, or two where that is the root of some.
            assert!(outbox.len() <= 2 * receivers.len());
            for (to, replication) in outbox {
                if let ReplicationMessage::Take { .. } = replication {
                    context.send(
                        to,
                        dhtlab_core::service::storage::Message::Replication(replication),
                    );
                }
            }
        });
        network.run(at(60), false, u64::MAX);
        for content in &blocks {
            let key = content.digest();
            let root = network.root(&key).expect("a member");
            // What node 0 is the root of went into a store that is no more.
            if root != Node(0) {
                assert!(network.application(root).store().owns(&key));
                assert_eq!(copies(&network, &key), 4);
            }
        }
    }
    check::<Chord>(chord_parameters());
    check::<Kademlia>(kademlia_parameters());
    check::<Pastry>(PastryParameters::default());
    check::<VHash>(vhash_parameters());
}
