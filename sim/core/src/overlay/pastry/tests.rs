//! Properties of leaf sets, routing tables and next hops, checked by brute force.

use super::*;
use crate::engine::Seed;
use crate::overlay::{GroundTruth, MemberIndex};
use proptest::prelude::*;

/// Different IDs, half of them close to each other.
fn close_ids(count: usize, seed: u64) -> NodeIds {
    let mut stream = Seed::new(seed).stream("ids", 0);
    let base = Key::random(&mut stream);
    let mut ids = NodeIds::default();
    while ids.len() < count {
        let far = Key::random(&mut stream);
        let near = base.xor(far.low_bits(stream.below(161) as u32));
        let id = if ids.len() % 2 == 0 { far } else { near };
        if nodes(ids.len()).iter().all(|node| ids.id(*node) != id) {
            ids.add(id);
        }
    }
    ids
}

fn nodes(count: usize) -> Vec<Node> {
    (0..count as u32).map(Node).collect()
}

/// The nodes other than `me` by `distance`, the nearest `half` of them.
fn nearest(
    ids: &NodeIds,
    members: &[Node],
    me: Node,
    half: usize,
    distance: impl Fn(Key) -> Key,
) -> Vec<Node> {
    let mut others: Vec<Node> = members.to_vec();
    others.retain(|node| *node != me);
    others.sort_by_key(|node| distance(ids.id(*node)));
    others.truncate(half);
    others
}

/// The leaf set of `me` among `members`.
fn expected(ids: &NodeIds, members: &[Node], me: Node, half: usize) -> LeafSet {
    let my_id = ids.id(me);
    let after = nearest(ids, members, me, half, |id| id.wrapping_sub(my_id));
    let before = nearest(ids, members, me, half, |id| my_id.wrapping_sub(id));
    LeafSet::of_sorted(after, before)
}

/// The nearest of `members` to `key`.
fn root(ids: &NodeIds, members: &[Node], key: &Key) -> Node {
    let nearest = members
        .iter()
        .min_by_key(|node| nearness(key, &ids.id(**node)));
    *nearest.expect("a member")
}

fn converged(shared: &PastryParameters, ids: &NodeIds, members: &[Node]) -> Vec<Pastry> {
    let mut streams: Vec<_> = (0..ids.len() as u64)
        .map(|node| Seed::new(1).stream("node", node))
        .collect();
    Pastry::converged(shared, ids, members, &mut streams)
}

proptest! {
    /// Nodes that enter in any order, and lengthen both sides, are the nearest on each side.
    #[test]
    fn a_leaf_set_has_the_nearest_nodes(
        count in 1usize..30, half in 1usize..9, seed: u64, gone in prop::collection::vec(0u32..30, 0..6),
    ) {
        let (ids, me) = (close_ids(count, seed), Node(0));
        let mut members = nodes(count);
        Seed::new(seed).stream("order", 0).shuffle(&mut members);
        let mut leaves = LeafSet::default();
        for node in &members {
            leaves.insert(&ids, ids.id(me), half, *node, Sides::BOTH);
            prop_assert!(!leaves.insert(&ids, ids.id(me), half, *node, Sides::BOTH));
        }
        prop_assert_eq!(&leaves, &expected(&ids, &members, me, half));
        let all: Vec<Node> = leaves.distinct().collect();
        prop_assert_eq!(leaves.is_closed(), count - 1 < 2 * half);
        prop_assert!(!leaves.is_closed() || all.len() == count - 1);
        for node in gone.into_iter().map(Node) {
            let was_leaf = leaves.contains(node);
            prop_assert_eq!(leaves.remove(node), was_leaf);
            prop_assert!(!leaves.contains(node));
        }
        // A node beyond a short side enters only if it lengthens that side.
        let before = leaves.clone();
        for node in &members {
            leaves.insert(&ids, ids.id(me), half, *node, Sides::NONE);
        }
        prop_assert_eq!(leaves.after().last(), before.after().last());
        prop_assert_eq!(leaves.before().last(), before.before().last());
    }

    /// A node that takes over the leaf set of its root, and that root, has the right leaf set.
    #[test]
    fn the_leaf_set_of_a_neighbour_is_enough(count in 2usize..40, half in 1usize..9, seed: u64) {
        let ids = close_ids(count, seed);
        let (joiner, members) = (Node(count as u32 - 1), nodes(count - 1));
        let my_id = ids.id(joiner);
        let neighbour = root(&ids, &members, &my_id);
        let told = expected(&ids, &members, neighbour, half);
        let mut leaves = LeafSet::default();
        let near = ids.id(neighbour).wrapping_sub(my_id);
        let after = near == Ring::either_way(&my_id, &ids.id(neighbour));
        let closed = told.is_closed();
        let sides = Sides { after: closed || after, before: closed || !after };
        leaves.insert(&ids, my_id, half, neighbour, sides);
        leaves.merge(&ids, my_id, half, &told, |_| false);
        // The far end of one side is known to the next node on that side only.
        let full = expected(&ids, &members, joiner, half);
        prop_assert!(full.after().starts_with(leaves.after()));
        prop_assert!(full.before().starts_with(leaves.before()));
        prop_assert!(leaves.after().len() + 1 >= full.after().len());
        prop_assert!(leaves.before().len() + 1 >= full.before().len());
    }

    /// The entry for a node has as many shared digits as its row says; a place is filled once.
    #[test]
    fn rows_are_by_shared_digits(b in 1u32..=8, seed: u64) {
        let ids = close_ids(60, seed);
        let (me, mut table) = (ids.id(Node(0)), RoutingTable::default());
        for node in nodes(60) {
            let place = RoutingTable::place(me, ids.id(node), b);
            let free = node != Node(0) && table.get(place, b).is_none();
            prop_assert_eq!(table.insert(&ids, me, b, node), free);
        }
        for row in 0..table.rows(b) {
            for node in table.row(row, b) {
                let id = ids.id(node);
                for digit in 0..row {
                    prop_assert_eq!(id.bits(digit * b, b), me.bits(digit * b, b));
                }
                prop_assert_ne!(id.bits(row * b, b), me.bits(row * b, b));
            }
        }
        for node in nodes(60).into_iter().skip(1) {
            let place = RoutingTable::place(me, ids.id(node), b);
            let mine = table.get(place, b) == Some(node);
            let own = table.get(place, b);
            prop_assert!(table.advisers(place, b).all(|other| Some(other) != own));
            prop_assert_eq!(table.remove(&ids, me, b, node).is_some(), mine);
        }
        prop_assert_eq!(table.all().count(), 0);
    }

    /// In a converged network every hop shares more digits with the key, or as many and is nearer,
    /// or is the root; routes end at the root, which is the nearest node.
    #[test]
    fn routes_end_at_the_nearest_node(
        count in 1usize..60, b in 1u32..=8, half in 1usize..9, seed: u64,
    ) {
        let ids = close_ids(count, seed);
        let members = nodes(count);
        let shared = PastryParameters { b, leaves: 2 * half, ..PastryParameters::default() };
        let states = converged(&shared, &ids, &members);
        let index = MemberIndex::new(&ids, &members);
        prop_assert_eq!(Pastry::is_intact(&shared, &index, &states), Some(true));
        let mut stream = Seed::new(seed).stream("keys", 0);
        for round in 0..60 {
            let random = Key::random(&mut stream);
            let near = ids.id(Node(stream.index(count) as u32));
            let key = if round % 2 == 0 { random } else { near.xor(random.low_bits(round)) };
            let root = root(&ids, &members, &key);
            prop_assert_eq!(Pastry::root(&shared, &index, &states, &(), &key), Some(root));
            let mut at = Node(stream.index(count) as u32);
            while let NextHop::Next(next) = states[at.index()].next_hop(&shared, &ids, at, &key) {
                let digits = |node| shared_digits(ids.id(node), key, b);
                let near = |node| nearness(&key, &ids.id(node));
                let progress = digits(next) > digits(at)
                    || (digits(next) == digits(at) && near(next) < near(at));
                prop_assert!(next == root || progress);
                at = next;
            }
            prop_assert_eq!(at, root);
            for node in &members {
                let state = &states[node.index()];
                prop_assert_eq!(state.leaves(), &expected(&ids, &members, *node, half));
                let (from, to) = state.range(&shared, &ids, *node).expect("an interval");
                let within = from == to || key == to || key.is_between(from, to);
                prop_assert_eq!(within, *node == root);
            }
            let replicas = states[root.index()].replica_set(&shared, &ids, root, &key, half);
            let mut successors = members.clone();
            successors.sort_by_key(|node| nearness(&key, &ids.id(*node)));
            let successors = successors.into_iter().skip(1).take(half);
            prop_assert_eq!(replicas, successors.collect::<Vec<_>>());
        }
    }
}

/// A message is counted with the nodes in it.
#[test]
fn bytes_are_those_of_the_nodes() {
    let leaves = LeafSet::of_sorted(vec![Node(1), Node(2)], vec![Node(3)]);
    assert_eq!(Pastry::bytes(&Message::Ping), 20);
    assert_eq!(Pastry::bytes(&Message::LeavesAre(leaves.clone())), 32);
    assert_eq!(Pastry::bytes(&Message::Welcome(1, leaves)), 32);
    assert_eq!(Pastry::bytes(&Message::EntryIs(None)), 20);
    assert_eq!(Pastry::bytes(&Message::EntryIs(Some(Node(1)))), 24);
    assert_eq!(Pastry::bytes(&Message::Rows([Node(1), Node(2)].into())), 28);
}
