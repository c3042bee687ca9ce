//! Provider records on Kademlia: records are stored at the nearest nodes and found there by any
//! node; an attacker near the key hides them, and a search of the region finds them nevertheless.

use crate::testbed::{at, ids, plane, sites};
use dhtlab_core::engine::{Duration, Instant, Period, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::overlay::Node;
use dhtlab_core::overlay::kademlia::{Kademlia, KademliaParameters};
use dhtlab_core::service::providers::{
    Censor, CompletedOperation, Method, ProviderParameters, Providers, Purpose, Republishing,
    SharedProviders, WalkRules,
};
use dhtlab_core::space::Key;

const NODES: usize = 400;
const HOUR: Duration = Duration::from_secs(3600);

/// Buckets of 20, and lookups as in go-libp2p-kad-dht.
fn kademlia() -> KademliaParameters {
    KademliaParameters {
        alpha: 10,
        beta: 3,
        refresh: Period::NEVER,
        ..KademliaParameters::default()
    }
}

fn network(parameters: ProviderParameters, beta: usize) -> Network<Kademlia, Providers> {
    let setup = Setup {
        seed: Seed::new(5),
        travel: Travel::Iterative,
        timeout: Duration::from_millis(500),
        ask_root: true,
    };
    let service = SharedProviders {
        parameters,
        rules: WalkRules {
            k: 20,
            alpha: 10,
            beta,
            limit: None,
        },
    };
    let mut network = Network::serving(setup, kademlia(), service, plane(2 * NODES));
    oracle::populate_converged(&mut network, &ids(NODES, 3), &sites(NODES));
    network
}

fn key(number: u8) -> Key {
    Key::sha1(&[number])
}

/// Runs until all operations are over, and returns those of a kind since `from`.
fn ended(
    network: &mut Network<Kademlia, Providers>,
    purpose: Purpose,
    from: usize,
) -> Vec<CompletedOperation> {
    network.run(network.now() + Duration::from_secs(120), true, u64::MAX);
    assert_eq!(network.metrics().under_way(), 0);
    let ended = network.metrics().ended[from..].iter();
    ended.filter(|o| o.purpose == purpose).cloned().collect()
}

/// The nodes nearest to `key` but `except`, by brute force.
fn nearest(network: &Network<Kademlia, Providers>, key: &Key, except: Node) -> Vec<Node> {
    let mut all = network.members().to_vec();
    all.retain(|node| *node != except);
    all.sort_by_key(|node| network.ids().id(*node).xor(*key));
    all.truncate(20);
    all
}

#[test]
fn records_lie_at_the_nearest_nodes_and_are_found() {
    for beta in [0, 3] {
        let mut network = network(ProviderParameters::default(), beta);
        for number in 0..50 {
            let node = Node(u32::from(number));
            network.instruct(node, |providers, context| {
                providers.provide(context, key(number));
            });
        }
        let provided = ended(&mut network, Purpose::Provide, 0);
        assert_eq!(provided.len(), 50);
        let (mut right, mut all) = (0, 0);
        for operation in &provided {
            let expected = nearest(&network, &operation.key, operation.node);
            let held = operation
                .holders
                .iter()
                .filter(|node| expected.contains(node));
            (right, all) = (right + held.count(), all + 20);
            assert_eq!(operation.holders.len(), 20);
            assert_eq!(operation.closest.len(), 20);
            assert!(operation.hops.one <= operation.hops.all && operation.hops.all <= 6);
            assert_eq!(operation.approached.is_some(), beta > 0);
            assert!(operation.approached <= Some(operation.walked));
            assert!(operation.walked < operation.ended);
        }
        // Converged tables: a node or two of the 1000 may be missed, where a full bucket hides it.
        assert!(right >= all - 10, "{right} of {all}");
        let before = network.metrics().ended.len();
        for number in 0..50 {
            let node = Node(350 - u32::from(number));
            network.instruct(node, |providers, context| {
                providers.find(context, key(number));
            });
        }
        network.instruct(Node(9), |providers, context| {
            providers.find(context, key(99));
        });
        let found = ended(&mut network, Purpose::Find, before);
        for operation in &found {
            let provider = provided.iter().find(|o| o.key == operation.key);
            let expected: Vec<Node> = provider.iter().map(|o| o.node).collect();
            assert_eq!(operation.providers, expected);
            assert_eq!(operation.first_record.is_some(), !expected.is_empty());
        }
        assert_eq!(found.len(), 51);
    }
}

#[test]
fn a_search_ends_with_enough_providers() {
    let parameters = ProviderParameters {
        count: 3,
        ..ProviderParameters::default()
    };
    let mut network = network(parameters, 3);
    for node in 0..8 {
        network.instruct(Node(node), |providers, context| {
            providers.provide(context, key(1));
        });
    }
    ended(&mut network, Purpose::Provide, 0);
    let before = network.metrics().ended.len();
    network.instruct(Node(300), |providers, context| {
        providers.find(context, key(1));
    });
    let found = ended(&mut network, Purpose::Find, before);
    // A holder has all of them.
    assert_eq!(found[0].providers.len(), 8);
    let whole = {
        let before = network.metrics().ended.len();
        network.instruct(Node(300), |providers, context| {
            providers.find(context, key(2));
        });
        ended(&mut network, Purpose::Find, before)[0].asked
    };
    assert!(found[0].asked < whole);
}

#[test]
fn records_expire_unless_they_are_sent_again() {
    for (republish, is_found) in [(Period::NEVER, false), (Period::every(HOUR), true)] {
        let parameters = ProviderParameters {
            expire: HOUR * 2,
            republish,
            ..ProviderParameters::default()
        };
        let mut network = network(parameters, 3);
        network.instruct(Node(1), |providers, context| {
            providers.provide(context, key(1));
        });
        for (hours, is_there) in [(1, true), (5, is_found)] {
            network.run(Instant::START + HOUR * hours, false, u64::MAX);
            let before = network.metrics().ended.len();
            network.instruct(Node(300), |providers, context| {
                providers.find(context, key(1));
            });
            let found = ended(&mut network, Purpose::Find, before);
            assert_eq!(!found[0].providers.is_empty(), is_there, "{hours} h");
        }
    }
}

/// Nodes that have crashed do not store, and cost a time-out.
#[test]
fn silent_nodes_are_counted() {
    let mut network = network(ProviderParameters::default(), 3);
    let crashed: Vec<Node> = nearest(&network, &key(1), Node(0))
        .into_iter()
        .step_by(4)
        .collect();
    for node in &crashed {
        network.crash(*node);
    }
    network.instruct(Node(0), |providers, context| {
        providers.provide(context, key(1));
    });
    let provided = ended(&mut network, Purpose::Provide, 0);
    let operation = &provided[0];
    assert!(operation.silent >= 1);
    assert!(operation.walked >= Duration::from_millis(500));
    assert!(operation.holders.iter().all(|node| !crashed.contains(node)));
    assert!(operation.holders.len() as u32 <= operation.receivers);
}

/// With an estimate, records are sent during the lookup, and the caller waits for 15 of 20.
#[test]
fn an_optimistic_operation_returns_early() {
    let took = |method| {
        let parameters = ProviderParameters {
            method,
            ..ProviderParameters::default()
        };
        let mut network = network(parameters, 3);
        for bits in 0..10 {
            network.instruct(Node(0), |providers, context| {
                providers.sample_size(context, bits);
            });
        }
        let samples = ended(&mut network, Purpose::Estimate, 0);
        assert_eq!(samples.len(), 10);
        let now = network.now();
        let size = network
            .application(Node(0))
            .estimate(now)
            .expect("an estimate");
        assert!((300.0..520.0).contains(&size), "{size}");
        let before = network.metrics().ended.len();
        for number in 0..30 {
            network.instruct(Node(0), |providers, context| {
                providers.provide(context, key(number));
            });
        }
        let provided = ended(&mut network, Purpose::Provide, before);
        assert_eq!(provided.len(), 30);
        let holders: usize = provided.iter().map(|o| o.holders.len()).sum();
        assert!(holders >= 30 * 15, "{holders}");
        let seconds = provided.iter().map(|o| o.returned.as_secs_f64());
        (seconds.sum::<f64>(), holders)
    };
    let ((classic, of_classic), (optimistic, _)) = (took(Method::Walk), took(Method::Optimistic));
    assert_eq!(of_classic, 600);
    assert!(optimistic < 0.8 * classic, "{optimistic} of {classic} s");
}

/// After a crawl no lookup is needed: the records are sent at once to the nearest nodes, and silent ones
/// do not delay the return.
#[test]
fn an_operation_over_a_full_table_needs_no_lookup() {
    let parameters = ProviderParameters {
        method: Method::FullTable,
        ..ProviderParameters::default()
    };
    let mut network = network(parameters, 3);
    let provide = |network: &mut Network<Kademlia, Providers>, number: u8| {
        let before = network.metrics().ended.len();
        network.instruct(Node(0), |providers, context| {
            providers.provide(context, key(number));
        });
        let mut provided = ended(network, Purpose::Provide, before);
        provided.pop().expect("an operation")
    };
    // Before the first crawl a walk finds the receivers.
    assert_eq!(provide(&mut network, 0).walks, 1);
    network.instruct(Node(0), |providers, context| {
        providers.crawl(context, false);
    });
    network.run(network.now() + Duration::from_secs(120), false, u64::MAX);
    assert_eq!(network.metrics().crawls.len(), 1);
    for number in 1..10 {
        let operation = provide(&mut network, number);
        assert_eq!((operation.walks, operation.asked), (0, 0));
        let mut nearest: Vec<Node> = (1..NODES as u32).map(Node).collect();
        let distance = |node: &Node| network.ids().id(*node).xor(key(number));
        nearest.sort_by_key(distance);
        assert_eq!(operation.closest, nearest[..20]);
        let mut holders = operation.holders.clone();
        holders.sort_by_key(distance);
        assert_eq!(holders, nearest[..20]);
    }
    // Six of the receivers stop: the operation returns when 14 have the record and no more follow.
    let gone = network.ids().clone();
    let mut nearest: Vec<Node> = (1..NODES as u32).map(Node).collect();
    nearest.sort_by_key(|node| gone.id(*node).xor(key(77)));
    nearest[..6].iter().for_each(|node| network.crash(*node));
    let operation = provide(&mut network, 77);
    assert_eq!((operation.holders.len(), operation.receivers), (14, 20));
    let (returned, ended) = (operation.returned, operation.ended);
    assert!(returned <= Duration::from_secs(1), "{returned}");
    assert!(ended <= Duration::from_secs(5), "{ended}");
    // The next crawl, an hour later, does not reach them. One that is begun beside it plans no further one.
    network.instruct(Node(0), |providers, context| {
        providers.crawl(context, false);
    });
    network.run(
        network.now() + HOUR + Duration::from_secs(60),
        false,
        u64::MAX,
    );
    assert_eq!(network.metrics().crawls.len(), 3);
    let operation = provide(&mut network, 77);
    assert_eq!((operation.holders.len(), operation.receivers), (20, 20));
    network.run(network.now() + HOUR, false, u64::MAX);
    assert_eq!(network.metrics().crawls.len(), 4);
}

/// Twenty Sybils next to the key hide the provider; those that are asked by region find it.
#[test]
fn sybils_hide_a_provider_but_not_from_a_search_of_the_region() {
    for regions in [false, true] {
        let parameters = ProviderParameters {
            regions,
            ..ProviderParameters::default()
        };
        let mut network = network(parameters, 3);
        let content = key(7);
        let root = network.root(&content).expect("a member");
        let near = network.ids().id(root).xor(content).half();
        let mut sybils = Vec::new();
        for number in 0..20 {
            let offset = Key::from_bytes([number; 20]).low_bits(near.log2().expect("not 0"));
            let sybil = network.join_apart(content.xor(offset), NODES as u32 + 1);
            network.instruct(sybil, |providers, _| providers.censor(Censor::default()));
            sybils.push(sybil);
        }
        network.run(at(60), false, u64::MAX);
        for node in [0, 1] {
            for bits in 0..10 {
                network.instruct(Node(node), |providers, context| {
                    providers.sample_size(context, bits);
                });
            }
        }
        ended(&mut network, Purpose::Estimate, 0);
        network.instruct(Node(0), |providers, context| {
            providers.provide(context, content);
        });
        let provided = ended(&mut network, Purpose::Provide, 0);
        let before = network.metrics().ended.len();
        network.instruct(Node(1), |providers, context| {
            providers.find(context, content);
        });
        let found = ended(&mut network, Purpose::Find, before);
        assert_eq!(!found[0].providers.is_empty(), regions);
        assert_eq!(found[0].walks > 1, regions);
        let honest = |of: &[Node]| of.iter().filter(|node| !sybils.contains(node)).count();
        assert_eq!(honest(&provided[0].holders) > 0, regions);
        assert_eq!(honest(&found[0].region) >= 20, regions);
    }
}

/// A crawl meets all members, reaches the live ones, and the monitor sees the ends of sessions.
#[test]
fn a_crawl_reaches_all_and_the_monitor_sees_who_leaves() {
    let mut network = network(ProviderParameters::default(), 3);
    for node in (10..NODES as u32).step_by(20) {
        network.crash(Node(node));
    }
    let online = network.members().len();
    network.instruct(Node(0), |providers, context| providers.crawl(context, true));
    network.run(at(120), false, u64::MAX);
    let crawl = &network.metrics().crawls[0];
    assert_eq!(crawl.reached.len(), online - 1);
    assert_eq!(crawl.met, NODES - 1);
    let begun = crawl.ended;
    assert!(network.metrics().sessions.is_empty());
    let gone = [Node(11), Node(12), Node(13)];
    network.run(at(1000), false, u64::MAX);
    gone.iter().for_each(|node| network.crash(*node));
    network.run(at(1000 + 960), false, u64::MAX);
    let mut seen: Vec<Node> = network.metrics().sessions.iter().map(|s| s.node).collect();
    seen.sort_unstable();
    assert_eq!(seen, gone);
    for session in &network.metrics().sessions {
        assert_eq!(session.first, begun);
        assert!(session.last <= at(1000) && session.ended >= Some(at(1000)));
    }
    let open = network.application(Node(0)).open_sessions();
    assert_eq!(open.len(), online - 1 - gone.len());
}

/// A sweep sends each record again once in a period, to the nodes nearest to its key, with lookups that
/// depend on the regions and not on the contents.
#[test]
fn a_sweep_sends_each_record_again_once() {
    let parameters = ProviderParameters {
        republish: Period::every(HOUR * 2),
        expire: HOUR * 3,
        republish_by: Republishing::Sweep,
        ..ProviderParameters::default()
    };
    let mut network = network(parameters, 3);
    // One provider has many contents; another has one, and no estimate of the size of the network.
    for number in 0..200 {
        network.instruct(Node(7), |providers, context| {
            providers.provide(context, key(number));
        });
    }
    network.instruct(Node(8), |providers, context| {
        providers.provide(context, key(200));
    });
    assert_eq!(ended(&mut network, Purpose::Provide, 0).len(), 201);
    let divided = network.now();
    network.run(divided + HOUR * 2, false, u64::MAX);
    let sweeps = ended(&mut network, Purpose::Sweep, 0);
    for (provider, count) in [(7, 200), (8, 1)] {
        let of = sweeps.iter().filter(|o| o.node == Node(provider));
        let contents: u32 = of.map(|o| o.contents).sum();
        assert_eq!(contents, count, "contents of {provider}");
    }
    // 400 nodes: 8 regions of 50 nodes, found with some lookups each.
    let lookups: u32 = sweeps.iter().map(|o| o.walks).sum();
    assert!((8..100).contains(&lookups), "{lookups} lookups");
    // Those of the first providing have expired.
    network.run(at(3 * 3600 + 600), false, u64::MAX);
    let (mut right, mut all) = (0, 0);
    for number in 0..=200 {
        let provider = Node(if number < 200 { 7 } else { 8 });
        let expected = nearest(&network, &key(number), provider);
        let now = network.now();
        let holds = |node: &&Node| {
            let records = network.application(**node).records();
            records.holds(&key(number), now)
        };
        (right, all) = (right + expected.iter().filter(holds).count(), all + 20);
    }
    assert!(right * 100 >= all * 99, "{right} of {all}");
}

/// A provider whose first walks find nobody has no estimate of the size of the network. It sends its
/// records again each by itself, and by regions from the next estimate on.
#[test]
fn a_sweep_without_an_estimate_sends_each_record_again() {
    let parameters = ProviderParameters {
        republish: Period::every(HOUR),
        expire: HOUR * 3,
        republish_by: Republishing::Sweep,
        ..ProviderParameters::default()
    };
    let mut network = network(parameters, 3);
    let provider = Node(7);
    for node in (0..NODES as u32).map(Node).filter(|n| *n != provider) {
        network.crash(node);
    }
    network.instruct(provider, |providers, context| {
        (0..10).for_each(|number| providers.provide(context, key(number)));
    });
    network.run(at(600), false, u64::MAX);
    let now = network.now();
    assert_eq!(network.application(provider).estimate(now), None);
    for (number, id) in ids(100, 9).into_iter().enumerate() {
        let time = at(700 + number as u64);
        network.join_at(time, id, (NODES + number) as u32);
    }
    network.run(at(3600 + 600), false, u64::MAX);
    let held = |network: &Network<Kademlia, Providers>| {
        let now = network.now();
        let holders = (0..10).map(|number| {
            let key = key(number);
            let nearest = nearest(network, &key, provider);
            let holds = |node: &&Node| network.application(**node).records().holds(&key, now);
            nearest.iter().filter(holds).count()
        });
        holders.sum::<usize>()
    };
    // Tables are not refreshed: some of the nearest nodes are not found.
    assert!(held(&network) >= 160, "{} of 200", held(&network));
    let count = |network: &Network<Kademlia, Providers>, purpose: Purpose| {
        let ended = network.metrics().ended.iter();
        ended.filter(|o| o.purpose == purpose).count()
    };
    assert_eq!(count(&network, Purpose::Republish), 10);
    // Those records expire at 4 h.
    network.run(at(5 * 3600), false, u64::MAX);
    assert_eq!(count(&network, Purpose::Republish), 10);
    assert!(count(&network, Purpose::Sweep) > 0);
    assert!(held(&network) >= 160, "{} of 200", held(&network));
}
