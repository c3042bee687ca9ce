//! Properties of buckets, greedy steps and lookups, checked by brute force.

use super::*;
use crate::engine::{Seed, Stream};
use crate::overlay::{Effect, GroundTruth, LookupAlgorithm, MemberIndex, RoundTrip};
use crate::space::key::tests::keys;
use proptest::prelude::*;

fn bounds(k: usize, b: u32) -> Bounds {
    Bounds {
        k,
        b,
        stale: 2,
        replacements: 3,
        remove_stale: false,
        wide: 0,
    }
}

/// IDs in many levels, some of them deep.
pub(super) fn close_ids(count: usize, seed: u64) -> NodeIds {
    let mut stream = Seed::new(seed).stream("ids", 0);
    let base = Key::random(&mut stream);
    let mut ids = NodeIds::default();
    for i in 0..count {
        let far = Key::random(&mut stream);
        let near = base.xor(far.low_bits(stream.below(161) as u32));
        ids.add(if i % 2 == 0 { far } else { near });
    }
    ids
}

/// A bucket, modelled as simply as possible.
#[derive(Clone, Debug, Default, PartialEq)]
struct Plain {
    contacts: Vec<(Node, u8)>,
    replacements: Vec<Node>,
}

impl Plain {
    fn see(&mut self, bounds: Bounds, level: u32, node: Node) {
        let known = self.contacts.iter().position(|c| c.0 == node);
        let stale = self.contacts.iter().position(|c| c.1 >= bounds.stale);
        self.replacements.retain(|other| *other != node);
        if let Some(place) = known.or(stale) {
            self.contacts.remove(place);
        }
        if self.contacts.len() < bounds.k << bounds.wide.saturating_sub(level) {
            self.contacts.push((node, 0));
        } else {
            self.replacements.push(node);
            if self.replacements.len() > bounds.replacements {
                self.replacements.remove(0);
            }
        }
    }

    fn fail(&mut self, bounds: Bounds, node: Node) {
        let Some(place) = self.contacts.iter().position(|c| c.0 == node) else {
            return;
        };
        self.contacts[place].1 += 1;
        if self.contacts[place].1 >= bounds.stale {
            let newest = self.replacements.pop();
            if newest.is_some() || bounds.remove_stale {
                self.contacts.remove(place);
            }
            if let Some(newest) = newest {
                self.contacts.insert(0, (newest, 0));
            }
        }
    }
}

proptest! {
    /// The level is the number of shared digits, the digit the first one that differs; random keys
    /// of a subtree are in it.
    #[test]
    fn subtrees_part_the_space(me in keys(), other in keys(), b in 1u32..=8, seed: u64) {
        prop_assume!(me != other);
        let subtree = Subtree::at(me.xor(other), b).expect("they differ");
        let (level, digit) = (subtree.level(), subtree.digit());
        prop_assert!((1..1 << b).contains(&digit));
        for above in 0..level {
            prop_assert_eq!(me.bits(above * b, b), other.bits(above * b, b));
        }
        prop_assert_eq!(me.bits(level * b, b) ^ digit, other.bits(level * b, b));
        let distance = subtree.random(b, &mut Seed::new(seed).stream("test", 0));
        prop_assert_eq!(Subtree::at(distance, b), Some(subtree));
        prop_assert_eq!(Subtree::at(Key::default(), b), None);
    }

    /// Sightings, failures and evictions in any order give the same as plain lists: at most k
    /// contacts, the least recently seen first, stale ones replaced. Also with larger buckets at the
    /// first levels, and without contacts that are stale and not replaced.
    #[test]
    fn buckets_are_what_the_paper_says(
        k in 1usize..5, b in 1u32..5, seed: u64, wide in 0u32..3, remove_stale: bool,
        replacements in 0usize..4, events in prop::collection::vec((0u32..24, 0u8..6), 0..200),
    ) {
        let ids = close_ids(25, seed);
        let bounds = Bounds { wide, remove_stale, replacements, ..bounds(k, b) };
        let my_id = ids.id(Node(24));
        let mut buckets = Buckets::default();
        let mut plain: Vec<(Subtree, Plain)> = Vec::new();
        for (node, event) in events {
            let (node, id) = (Node(node), ids.id(Node(node)));
            let distance = my_id.xor(id);
            let Some(subtree) = Subtree::at(distance, b) else { continue };
            if !plain.iter().any(|(other, _)| *other == subtree) {
                plain.push((subtree, Plain::default()));
            }
            let found = plain.iter_mut().find(|(other, _)| *other == subtree);
            let (_, expected) = found.expect("it is there");
            match event {
                0 | 1 => {
                    buckets.fail(bounds, distance, node);
                    expected.fail(bounds, node);
                }
                2 => {
                    buckets.evict(bounds, distance, node);
                    expected.contacts.retain(|c| c.0 != node);
                }
                _ => {
                    let seen = buckets.see(bounds, distance, &id, node, Instant::START);
                    let oldest = expected.contacts.first().map(|c| c.0);
                    expected.see(bounds, subtree.level(), node);
                    if let Seen::Full { ping } = seen {
                        prop_assert_eq!(ping, oldest);
                    }
                    let at_end = expected.contacts.last() == Some(&(node, 0));
                    prop_assert_eq!(at_end, matches!(seen, Seen::Known | Seen::Added));
                }
            }
        }
        for (subtree, contacts) in buckets.all() {
            prop_assert!(contacts.len() <= bounds.capacity(subtree.level()));
            let nodes = |contacts: &[Contact]| -> Vec<Node> {
                contacts.iter().map(|contact| contact.node()).collect()
            };
            let found = Plain {
                contacts: contacts.iter().map(|c| (c.node(), c.failures())).collect(),
                replacements: nodes(buckets.replacements(subtree)),
            };
            let expected = plain.iter().find(|(other, _)| *other == subtree);
            prop_assert_eq!(Some(&found), expected.map(|(_, plain)| plain));
        }
    }

    /// The greedy step and the closest contacts equal those of brute force.
    #[test]
    fn steps_are_those_of_brute_force(
        b in 1u32..=8, k in prop_oneof![4 => 1usize..40, 1 => Just(400)], seed: u64, key in keys(),
        near in any::<bool>(),
    ) {
        // A bucket with more contacts than are sorted as integers, and two nodes with one ID.
        let count = if k == 400 { 700 } else { 60 };
        let (mut ids, bounds) = (close_ids(count - 1, seed), bounds(k, b));
        ids.add(ids.id(Node(7)));
        let me = Node(count as u32 - 2);
        let my_id = ids.id(me);
        let key = if near { my_id.xor(key.low_bits(40)) } else { key };
        let mut state = Kademlia::with(my_id, Buckets::default());
        for node in (0..count as u32).map(Node).filter(|node| *node != me) {
            let distance = my_id.xor(ids.id(node));
            state.buckets.see(bounds, distance, &ids.id(node), node, Instant::START);
            for _ in 0..node.0 % 4 / 2 {
                state.buckets.fail(bounds, distance, node);
            }
        }
        let mut contacts: Vec<Contact> =
            state.buckets.all().flat_map(|(_, contacts)| contacts.to_vec()).collect();
        contacts.sort_unstable_by_key(|c| (ids.id(c.node()).xor(key), c.node()));
        let sound = contacts.iter().find(|c| c.failures() == 0).map(|c| c.node());
        let mine = my_id.xor(key);
        let cmp_closeness = sound.filter(|node| ids.id(*node).xor(key) < mine);
        let closest = |one: &Contact, other: &Contact| one.cmp_closeness(other, &ids, &key);
        prop_assert_eq!(state.buckets.greedy(b, mine, closest), cmp_closeness);
        // Of the same bucket the one that another order names.
        let bucket = |node: Node| Subtree::at(my_id.xor(ids.id(node)), b);
        let of_bucket = contacts.iter().filter(|c| {
            c.failures() == 0 && cmp_closeness.is_some_and(|best| bucket(c.node()) == bucket(best))
        });
        let by_number = |one: &Contact, other: &Contact| one.node().cmp(&other.node());
        let first = of_bucket.map(|c| c.node()).min();
        prop_assert_eq!(state.buckets.greedy(b, mine, by_number), first);
        let except = Node(3);
        let live: Vec<Node> = contacts
            .iter()
            .filter(|c| c.failures() < 2 && c.node() != except)
            .map(|c| c.node())
            .collect();
        for count in [1, 3, 100, 600] {
            let found = state.buckets.closest(&ids, bounds, mine, &key, count, Some(except));
            prop_assert_eq!(&found, &live[..count.min(live.len())]);
        }
    }

    /// Whatever the order of the names, a lookup has each of them once, in the order of their distance;
    /// for the root those nearer than itself only.
    #[test]
    fn candidates_are_sorted(
        seed: u64, key in keys(), for_root: bool,
        replies in prop::collection::vec(prop::collection::vec(0u32..40, 0..30), 1..6),
    ) {
        let mut ids = close_ids(38, seed);
        ids.add(ids.id(Node(5)));
        ids.add(ids.id(Node(0)));
        let (me, goal) = (Node(0), if for_root { Goal::Root } else { Goal::Nodes });
        let mut lookup = Lookup::new((me, ids.id(me)), key, goal, 0);
        let distance = |node: &Node| (ids.id(*node).xor(key), *node);
        for reply in &replies {
            lookup.add_candidates(|node| ids.id(node), reply.iter().copied().map(Node));
        }
        let all = replies.iter().flatten().copied().map(Node);
        let mut expected: Vec<Node> = all
            .filter(|node| *node != me && (!for_root || distance(node).0 < distance(&me).0))
            .collect();
        expected.sort_by_key(distance);
        expected.dedup();
        let known: Vec<Node> = lookup.known().map(|(node, _)| node).collect();
        prop_assert_eq!(known, expected);
    }

    /// The root is the member with the least distance, and in a converged network every bucket
    /// holds as many contacts as it can and no others.
    #[test]
    fn converged_states_are_right(
        n in 1usize..80, k in 1usize..6, b in 1u32..=4, seed: u64,
        keys in prop::collection::vec(keys(), 5),
    ) {
        let ids = close_ids(n, seed);
        let members: Vec<Node> = (0..n as u32).map(Node).collect();
        let member_index = MemberIndex::new(&ids, &members);
        let shared = KademliaParameters { k, b, ..KademliaParameters::default() };
        for key in keys.iter().chain(members.iter().map(|m| ids.id(*m)).collect::<Vec<_>>().iter()) {
            let root = Kademlia::root(&shared, &member_index, &[], &(), key).expect("a member");
            let nearest = members.iter().map(|node| ids.id(*node).xor(*key)).min();
            prop_assert_eq!(Some(ids.id(root).xor(*key)), nearest);
        }
        let mut random: Vec<_> = (0..n).map(|i| Seed::new(seed).stream("node", i as u64)).collect();
        let states = Kademlia::converged(&shared, &ids, &members, &mut random);
        for (me, state) in members.iter().zip(&states) {
            let mut expected: Vec<(Subtree, Vec<Node>)> = Vec::new();
            for node in &members {
                if let Some(subtree) = Subtree::at(ids.id(*me).xor(ids.id(*node)), b) {
                    match expected.iter_mut().find(|(other, _)| *other == subtree) {
                        Some((_, nodes)) => nodes.push(*node),
                        None => expected.push((subtree, vec![*node])),
                    }
                }
            }
            expected.sort_unstable();
            let found: Vec<_> = state.buckets.all().filter(|(_, c)| !c.is_empty()).collect();
            prop_assert_eq!(found.len(), expected.len());
            for ((subtree, contacts), (wanted, nodes)) in found.iter().zip(&expected) {
                prop_assert_eq!(subtree, wanted);
                prop_assert_eq!(contacts.len(), k.min(nodes.len()));
                let mut held: Vec<Node> = contacts.iter().map(|c| c.node()).collect();
                held.sort_unstable();
                held.dedup();
                prop_assert_eq!(held.len(), contacts.len());
                prop_assert!(held.iter().all(|node| nodes.contains(node)));
            }
        }
    }
}

/// What node 0 with this state requests while it acts.
pub(super) fn effects_of(
    state: &mut Kademlia,
    shared: &KademliaParameters,
    ids: &NodeIds,
    random: &mut Stream,
    act: impl FnOnce(&mut Kademlia, &mut Context<'_, Kademlia>),
) -> Vec<Effect<Kademlia>> {
    let mut effects = Vec::new();
    let mut context = Context {
        now: Instant::START,
        me: Node(0),
        shared,
        ids,
        random,
        effects: &mut effects,
    };
    act(state, &mut context);
    effects
}

/// A lookup of `key` by the first of `states` with all requests and replies delivered by hand:
/// which nodes it asks, in order, and what it finds. Nodes in `silent` do not reply.
fn conduct(
    shared: &KademliaParameters,
    ids: &NodeIds,
    states: &mut [Kademlia],
    key: &Key,
    silent: &[Node],
) -> (Vec<Node>, Option<Node>) {
    let mut random = Seed::new(1).stream("node", 0);
    let handle = LookupHandle {
        routed: 0,
        number: 1,
    };
    let (mut asked, mut found) = (Vec::new(), None);
    let mut turn = |state: &mut Kademlia,
                    act: &mut dyn FnMut(&mut Kademlia, &mut Context<'_, _>)| {
        effects_of(state, shared, ids, &mut random, act)
    };
    let mut waiting = std::collections::VecDeque::new();
    waiting.extend(turn(&mut states[0], &mut |state, context| {
        NodeLookup::look_up(state, context, key, handle);
    }));
    while let Some(effect) = waiting.pop_front() {
        match effect {
            Effect::Request {
                to,
                message: Message::FindNode(wanted),
                purpose,
            } => {
                assert_eq!(wanted, *key);
                asked.push(to);
                let nodes = states[to.index()].closest_but(shared, ids, key, Some(Node(0)));
                let answers = !silent.contains(&to);
                waiting.extend(turn(&mut states[0], &mut |state, context| {
                    if answers {
                        let nodes = Message::Nodes(nodes.clone().into());
                        state.on_reply(context, to, purpose, nodes, RoundTrip::default());
                    } else {
                        state.on_timeout(context, to, Some(purpose));
                    }
                }));
            }
            Effect::Found { handle: over, root } => {
                assert_eq!((over, found), (handle, None));
                found = root;
            }
            _ => {}
        }
    }
    assert!(states[0].lookups.is_empty());
    (asked, found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// On disjoint paths no node that replies is asked twice, and the nearest that replies on any
    /// of them is found: the root in a converged network. A path asks at least one node.
    #[test]
    fn paths_share_no_node(
        n in 2usize..80, k in 1usize..9, paths in 1usize..9, alpha in 1usize..4, seed: u64,
        key in keys(), quiet in prop::collection::vec(1u32..80, 0..20),
    ) {
        let ids = close_ids(n, seed);
        let members: Vec<Node> = (0..n as u32).map(Node).collect();
        let eviction = Eviction::Stale;
        let shared = KademliaParameters {
            k, alpha, paths: paths.min(k), eviction, ..KademliaParameters::default()
        };
        let mut random: Vec<_> = (0..n).map(|i| Seed::new(seed).stream("node", i as u64)).collect();
        let mut states = Kademlia::converged(&shared, &ids, &members, &mut random);
        let silent: Vec<Node> = quiet.into_iter().map(Node).collect();
        let contacts = states[0].closest(&shared, &ids, &key);
        let me = ids.id(Node(0)).xor(key);
        let cmp_closeness = contacts.iter().filter(|node| ids.id(**node).xor(key) < me).count();
        let distance = |node: &Node| (ids.id(*node).xor(key), *node);
        let (asked, found) = conduct(&shared, &ids, &mut states, &key, &silent);
        let mut answered: Vec<Node> = asked.iter().copied().filter(|n| !silent.contains(n)).collect();
        let nearest = answered.iter().copied().chain([Node(0)]).min_by_key(distance);
        prop_assert_eq!(found, nearest);
        let count = answered.len();
        answered.sort_unstable();
        answered.dedup();
        prop_assert_eq!(answered.len(), count);
        prop_assert!(asked.len() >= shared.paths.min(cmp_closeness));
        if silent.is_empty() {
            let root = members.iter().copied().min_by_key(distance);
            prop_assert_eq!(found.map(|node| ids.id(node)), root.map(|node| ids.id(node)));
        }
    }
}

/// Near routes: of the nodes with as many bits of the key as the nearest one, the one with the shortest round
/// trip is asked first.
#[test]
fn nodes_with_equal_bits_are_asked_by_round_trip() {
    let bits = |bits: [u32; 4]| {
        let powers = bits.map(Key::power_of_two);
        powers
            .into_iter()
            .reduce(|sum, power| sum.xor(power))
            .unwrap_or_default()
    };
    // The key is 0: three nodes share no bit of four with it, two share one.
    let ids = [
        [3, 0, 9, 8],
        [3, 1, 9, 8],
        [3, 2, 9, 8],
        [2, 0, 9, 8],
        [2, 1, 9, 8],
    ];
    let id = |node: Node| {
        let all = ids[node.index()].map(|bit| if bit < 4 { 156 + bit } else { bit });
        bits(all)
    };
    let mut lookup = Lookup::new(
        (Node(9), Key::power_of_two(159)),
        Key::default(),
        Goal::Nodes,
        8,
    );
    lookup.add_candidates(id, (0..5).map(Node));
    // The later the number, the shorter the round trip.
    let order = |one: Node, other: Node| other.cmp(&one);
    let asked: Vec<u32> = std::iter::from_fn(|| lookup.ask_in_order((5, 5), order))
        .map(|node| node.0)
        .collect();
    assert_eq!(asked, [4, 3, 2, 1, 0]);
}

proptest! {
    /// A lookup as in go-libp2p-kad-dht finds the k nearest nodes of a converged network, but for what
    /// full buckets hide; it asks all k that it ends with, and after silent nodes still ends.
    #[test]
    fn lookups_end_after_beta_replies(
        n in 2usize..120, k in 1usize..12, alpha in 1usize..6, beta in 1usize..4, seed: u64,
        key in keys(), quiet in prop::collection::vec(1u32..120, 0..30),
    ) {
        let ids = close_ids(n, seed);
        let members: Vec<Node> = (0..n as u32).map(Node).collect();
        let shared = KademliaParameters { k, ..KademliaParameters::default() };
        let mut random: Vec<_> = (0..n).map(|i| Seed::new(seed).stream("node", i as u64)).collect();
        let states = Kademlia::converged(&shared, &ids, &members, &mut random);
        let goal = Goal::NodesAfter(beta.min(k));
        let mut lookup = Lookup::new((Node(0), ids.id(Node(0))), key, goal, 8);
        lookup.add_candidates(|node| ids.id(node), states[0].closest(&shared, &ids, &key));
        let mut asked: Vec<Node> = Vec::new();
        let mut waiting = std::collections::VecDeque::new();
        loop {
            let was_closing = lookup.is_closing();
            while let Some(node) = lookup.ask(k, alpha) {
                prop_assert!(!asked.contains(&node));
                asked.push(node);
                waiting.push_back(node);
            }
            prop_assert!(lookup.is_closing() || waiting.len() <= alpha);
            if lookup.is_closing() && !was_closing {
                let settled = lookup.known().take(beta.min(k));
                prop_assert!(settled.into_iter().all(|(node, _)| asked.contains(&node)));
            }
            if lookup.is_over(k) {
                break;
            }
            let node = waiting.pop_front().expect("a request");
            if quiet.contains(&node.0) {
                prop_assert!(lookup.failed(node));
            } else {
                prop_assert!(lookup.answered(node));
                let named = states[node.index()].closest(&shared, &ids, &key);
                lookup.add_candidates(|node| ids.id(node), named);
            }
        }
        for (node, is_silent) in lookup.known().take(k) {
            prop_assert!(asked.contains(&node));
            prop_assert_eq!(is_silent, quiet.contains(&node.0));
        }
        if quiet.is_empty() && k > 3 {
            let others = members.iter().filter(|node| **node != Node(0));
            let nearest = others.min_by_key(|node| (ids.id(**node).xor(key), **node));
            let found = lookup.known().next().map(|(node, _)| ids.id(node));
            prop_assert_eq!(found, nearest.map(|node| ids.id(*node)));
        }
    }
}

/// Keys that are absent have the defaults of the profile; others are kept.
#[test]
fn a_profile_sets_defaults() {
    use crate::overlay::Configuration;
    use crate::parameter::{Table, text};
    let read = |toml: &str| {
        let table = text::parse(toml);
        KademliaParameters::read_from(&Table::root(&table)).expect("valid")
    };
    let libp2p = read("profile = \"libp2p\"\nalpha = 3");
    assert_eq!((libp2p.k, libp2p.alpha, libp2p.beta), (20, 3, 3));
    assert_eq!(libp2p.admission, Admission::Checked);
    let mainline = read("profile = \"mainline\"");
    assert_eq!((mainline.k, mainline.bounds().capacity(0)), (8, 128));
    assert_eq!(
        [3, 4, 9].map(|level| mainline.bounds().capacity(level)),
        [16, 8, 8]
    );
    assert_eq!(read(""), KademliaParameters::default());
    // What is written is read again as it was, though a value may be a default of the paper.
    let mixed = read("profile = \"libp2p\"\nadmission = \"messages\"\nbeta = 0");
    let written = mixed.resolved().into_iter().collect();
    let again = KademliaParameters::read_from(&Table::root(&written)).expect("valid");
    assert_eq!(again, mixed);
}

#[test]
fn contacts_are_small() {
    assert_eq!(size_of::<Contact>(), 8);
    assert!(size_of::<Purpose>() <= 20, "{}", size_of::<Purpose>());
}
