//! Which nodes become contacts, and the limits of groups of addresses.

use super::tests::{close_ids, effects_of};
use super::*;
use crate::engine::Seed;
use crate::overlay::{Effect, GroundTruth, MemberIndex};
use crate::space::key::tests::keys;
use proptest::prelude::*;

/// What a node requests of others when it has seen `node`.
fn requests_after(
    state: &mut Kademlia,
    shared: &KademliaParameters,
    ids: &NodeIds,
    (node, sighting): (Node, Sighting),
) -> Vec<Node> {
    let mut random = Seed::new(1).stream("node", 0);
    let effects = effects_of(state, shared, ids, &mut random, |state, context| {
        state.note_contact(context, node, sighting);
    });
    let requested = effects.iter().filter_map(|effect| match effect {
        Effect::Request { to, .. } => Some(*to),
        _ => None,
    });
    requested.collect()
}

fn contacts(state: &Kademlia) -> Vec<Node> {
    let mut contacts = Vec::new();
    state.each_peer(&mut |node| contacts.push(node));
    contacts
}

/// A node that is not known enters by its reply only, where the profile says so; a check is made once
/// it has sent something else than a ping.
#[test]
fn nodes_enter_by_the_rule_of_admission() {
    let ids = close_ids(2, 9);
    for (admission, by, enters, is_checked) in [
        (Admission::Messages, Sighting::Message, true, false),
        (Admission::Messages, Sighting::Ping, true, false),
        (Admission::Replies, Sighting::Message, false, false),
        (Admission::Replies, Sighting::Reply, true, false),
        (Admission::Checked, Sighting::Message, false, true),
        (Admission::Checked, Sighting::Ping, false, false),
        (Admission::Checked, Sighting::Pong, true, false),
    ] {
        let shared = KademliaParameters {
            admission,
            ..KademliaParameters::default()
        };
        let mut state = Kademlia::new(&shared, &ids.id(Node(0)));
        let requested = requests_after(&mut state, &shared, &ids, (Node(1), by));
        let case = format!("{admission:?} {by:?}");
        assert_eq!(contacts(&state) == [Node(1)], enters, "{case}");
        assert_eq!(requested == [Node(1)], is_checked, "{case}");
    }
}

/// Tables of the start keep the limits of groups, and are full where others can take the places.
#[test]
fn converged_tables_limit_groups() {
    let (plain, mut ids) = (close_ids(600, 4), NodeIds::default());
    for number in 0..600u32 {
        ids.add(plain.id(Node(number)));
        // 60 groups of a /16 with ten nodes each.
        ids.set_address(std::net::Ipv4Addr::new(10, (number % 60) as u8, 1, 1));
    }
    let members: Vec<Node> = (0..600).map(Node).collect();
    for (near, full) in [(Near::LongestSeen, true), (Near::Pns, false)] {
        let shared = KademliaParameters {
            k: 8,
            group_per_bucket: 1,
            group_per_node: 2,
            near,
            ..KademliaParameters::default()
        };
        let mut random: Vec<_> = (0..600).map(|i| Seed::new(1).stream("node", i)).collect();
        let mut states = Kademlia::converged(&shared, &ids, &members, &mut random);
        if near == Near::Pns {
            let index = MemberIndex::new(&ids, &members);
            Kademlia::choose_near(&mut states, &shared, &ids, &index, &mut |a, b| {
                crate::engine::Duration::from_millis(u64::from(a.0.abs_diff(b.0)))
            });
        }
        for state in &states {
            let mut of_node = [0; 60];
            for (subtree, bucket) in state.buckets.all() {
                let mut of_bucket = [0; 60];
                for contact in bucket {
                    let group = contact.node().index() % 60;
                    of_bucket[group] += 1;
                    of_node[group] += 1;
                }
                assert!(of_bucket.iter().all(|count| *count <= 1));
                assert!(!full || subtree.level() > 2 || bucket.len() == 8);
            }
            assert!(of_node.iter().all(|count| *count <= 2));
        }
    }
}

/// Only the given fraction of the nodes limits groups of addresses, and always the same nodes.
#[test]
fn a_fraction_of_the_nodes_limits_groups() {
    let mut stream = Seed::new(6).stream("ids", 0);
    let ids: Vec<Key> = (0..2000).map(|_| Key::random(&mut stream)).collect();
    let limited = |share: f64| {
        let shared = KademliaParameters {
            group_per_node: 3,
            group_share: share,
            ..KademliaParameters::default()
        };
        let limited = ids.iter().filter(|id| shared.limits_groups(id)).copied();
        limited.collect::<Vec<Key>>()
    };
    assert_eq!((limited(0.0).len(), limited(1.0).len()), (0, 2000));
    let few = limited(0.3);
    // 600 with a standard deviation of 20.
    assert!((500..700).contains(&few.len()), "{}", few.len());
    assert!(few.iter().all(|id| limited(0.6).contains(id)));
    assert!(
        !ids.iter()
            .any(|id| KademliaParameters::default().limits_groups(id))
    );
}

proptest! {
    /// However nodes are seen and fail, no group of addresses has more contacts than it may, and a
    /// node that would not become a contact is not checked.
    #[test]
    fn groups_of_addresses_are_limited(
        seed: u64, in_bucket in 0usize..3, in_node in 0usize..5, replacements in 0usize..3,
        events in prop::collection::vec((1u32..40, 0u8..5), 0..150),
    ) {
        let (plain, mut ids) = (close_ids(40, seed), NodeIds::default());
        for number in 0..40 {
            ids.add(plain.id(Node(number.into())));
            // Three groups of /16.
            ids.set_address(std::net::Ipv4Addr::new(10, number % 3, number, 1));
        }
        let shared = KademliaParameters {
            k: 4,
            admission: Admission::Checked,
            group_per_bucket: in_bucket,
            group_per_node: in_node,
            replacements,
            ..KademliaParameters::default()
        };
        let mut state = Kademlia::new(&shared, &ids.id(Node(0)));
        for (node, event) in events {
            let (node, distance) = (Node(node), ids.id(Node(0)).xor(ids.id(Node(node))));
            match event {
                0 => {
                    state.buckets.fail(shared.bounds(), distance, node);
                }
                1 => {
                    let requested =
                        requests_after(&mut state, &shared, &ids, (node, Sighting::Message));
                    if requested == [node] {
                        requests_after(&mut state, &shared, &ids, (node, Sighting::Pong));
                        prop_assert!(contacts(&state).contains(&node));
                    }
                }
                _ => {
                    requests_after(&mut state, &shared, &ids, (node, Sighting::Reply));
                }
            }
            let group = |node: &Node| ids.group(*node, 16);
            let most = |nodes: &[Node]| {
                nodes.iter().map(|a| nodes.iter().filter(|b| group(a) == group(b)).count()).max()
            };
            prop_assert!(in_node == 0 || most(&contacts(&state)) <= Some(in_node));
            for (_, bucket) in state.buckets.all() {
                let bucket: Vec<Node> = bucket.iter().map(|contact| contact.node()).collect();
                prop_assert!(in_bucket == 0 || most(&bucket) <= Some(in_bucket));
            }
        }
    }

    /// However nodes are named, a lookup takes no more of one group from replies than it may.
    #[test]
    fn groups_of_a_lookup_are_limited(
        seed: u64, key in keys(), most in 1usize..4,
        replies in prop::collection::vec(prop::collection::vec(1u32..60, 0..30), 1..6),
    ) {
        let ids = close_ids(60, seed);
        let group = |node: Node, bits: u32| node.0 % (bits - 16);
        let limit = GroupLimit { bits: 24, most };
        let mut lookup = Lookup::new((Node(0), ids.id(Node(0))), key, Goal::Nodes, 0);
        for reply in &replies {
            let named = reply.iter().copied().map(Node);
            lookup.add_within(limit, group, |node| ids.id(node), named);
        }
        let named: std::collections::BTreeSet<u32> = replies.iter().flatten().copied().collect();
        for place in 0..8 {
            let known = lookup.known().filter(|(node, _)| node.0 % 8 == place).count();
            let of_group = named.iter().filter(|node| **node % 8 == place).count();
            prop_assert_eq!(known, of_group.min(most));
        }
    }
}
