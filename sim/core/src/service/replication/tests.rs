//! Replication among nodes on a ring with incomplete knowledge of each other. Messages arrive in
//! any order, but in FIFO order between two nodes.

use super::*;
use crate::engine::{Duration, Instant, Seed};
use crate::overlay::{LocalRouting, NextHop};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A counter that only grows; its item is large, or small enough to be sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note<const LARGE: bool>(u64);

impl<const LARGE: bool> Item for Note<LARGE> {
    fn merge(&mut self, other: Self) -> bool {
        let changed = other.0 > self.0;
        self.0 = self.0.max(other.0);
        changed
    }

    fn bytes(&self) -> u32 {
        if LARGE { 1000 } else { 10 }
    }

    fn version(&self) -> u64 {
        self.0
    }
}

/// A node's view of the ring: the root of a key is the first node at or after it.
struct TestRouting<'a> {
    me: Node,
    known: &'a BTreeSet<Node>,
    ids: &'a [Key],
}

impl TestRouting<'_> {
    fn ahead(&self, key: &Key, node: Node) -> Key {
        self.id(node).wrapping_sub(*key)
    }
}

impl LocalRouting for TestRouting<'_> {
    fn next_hop(&self, key: &Key) -> NextHop {
        let all = self.known.iter().copied().chain([self.me]);
        match all.min_by_key(|node| self.ahead(key, *node)) {
            Some(root) if root == self.me => NextHop::Root,
            // Half of the keys have an overlay that names the root, the others one that only knows
            // a nearer node.
            Some(root) if key.words()[4].is_multiple_of(2) => NextHop::Last(root),
            Some(root) => NextHop::Next(root),
            None => NextHop::Root,
        }
    }

    fn replica_set(&self, key: &Key, count: usize) -> Vec<Node> {
        let mut others: Vec<Node> = self.known.iter().copied().collect();
        others.sort_by_key(|node| self.ahead(key, *node));
        others.truncate(count);
        others
    }

    fn id(&self, node: Node) -> Key {
        self.ids[node.index()]
    }
}

struct Member<I> {
    alive: bool,
    known: BTreeSet<Node>,
    store: Store<I>,
    /// The keys that the store has reported as present.
    told: BTreeSet<Key>,
}

struct TestNetwork<const LARGE: bool> {
    replicas: usize,
    now: Instant,
    ids: Vec<Key>,
    members: Vec<Member<Note<LARGE>>>,
    in_flight: BTreeMap<(Node, Node), VecDeque<ReplicationMessage<Note<LARGE>>>>,
    staged: u64,
    /// Items with a single copy that a late release has destroyed: the sender of the release had
    /// handed the item over meanwhile, and the new holder has crashed.
    released_late: BTreeSet<Key>,
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Test events; numbers choose among the existing nodes, items and messages.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A node sends that many new items to their roots.
    Stage(usize, u8),
    /// A node changes an item that it owns.
    Change(usize, usize),
    /// A node joins, and some of the others learn of it.
    Join(u32),
    Crash(usize),
    /// A node learns of all others.
    Learn(usize),
    /// A node sends its keep-alives.
    KeepAlive(usize),
    /// Time passes.
    Wait,
    /// Messages arrive.
    Deliver(u8, usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (any::<usize>(), 1u8..6).prop_map(|(node, count)| Event::Stage(node, count)),
        1 => any::<(usize, usize)>().prop_map(|(node, item)| Event::Change(node, item)),
        2 => any::<u32>().prop_map(Event::Join),
        2 => any::<usize>().prop_map(Event::Crash),
        2 => any::<usize>().prop_map(Event::Learn),
        2 => any::<usize>().prop_map(Event::KeepAlive),
        1 => Just(Event::Wait),
        8 => (1u8..12, any::<usize>()).prop_map(|(count, which)| Event::Deliver(count, which)),
    ]
}

impl<const LARGE: bool> TestNetwork<LARGE> {
    fn new(nodes: usize, replicas: usize) -> Self {
        let mut network = Self {
            replicas,
            now: Instant::START,
            ids: Vec::new(),
            members: Vec::new(),
            in_flight: BTreeMap::new(),
            staged: 0,
            released_late: BTreeSet::new(),
        };
        for _ in 0..nodes {
            network.add();
        }
        for node in network.living() {
            network.learn(node);
        }
        network
    }

    fn add(&mut self) -> Node {
        let node = Node(self.members.len() as u32);
        let mut stream = Seed::new(4).stream("ids", node.0.into());
        self.ids.push(Key::random(&mut stream));
        self.members.push(Member {
            alive: true,
            known: BTreeSet::new(),
            store: Store::new(self.replicas),
            told: BTreeSet::new(),
        });
        node
    }

    fn living(&self) -> Vec<Node> {
        let all = (0..).map(Node).zip(&self.members);
        all.filter(|(_, member)| member.alive)
            .map(|(node, _)| node)
            .collect()
    }

    fn is_alive(&self, node: Node) -> bool {
        self.members[node.index()].alive
    }

    /// Runs `act` on a node's store and sends its messages. Returns the keys that were removed.
    fn act(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut Store<Note<LARGE>>, &TestRouting<'_>, Instant, &mut Outbox<Note<LARGE>>),
    ) -> Vec<Key> {
        let mut gone = Vec::new();
        let member = &mut self.members[node.index()];
        let eyes = TestRouting {
            me: node,
            known: &member.known,
            ids: &self.ids,
        };
        let mut outbox = Outbox::new();
        act(&mut member.store, &eyes, self.now, &mut outbox);
        for change in member.store.changes() {
            let is_news = match change {
                ItemChange::Added(key) => member.told.insert(key),
                ItemChange::Removed(key) => {
                    gone.push(key);
                    member.told.remove(&key)
                }
            };
            assert!(is_news, "{change:?} twice");
        }
        assert!(member.store.iter().map(|(key, _)| key).eq(&member.told));
        for (to, replication) in outbox {
            self.in_flight
                .entry((node, to))
                .or_default()
                .push_back(replication);
        }
        gone
    }

    fn update_ownership(&mut self, node: Node) {
        self.act(node, |store, eyes, now, outbox| {
            store.update_ownership(eyes.me, eyes, now, outbox);
        });
    }

    fn keep_alive(&mut self, node: Node) {
        self.act(node, |store, eyes, now, outbox| {
            store.keep_alive(eyes.me, eyes, now, PATIENCE, outbox);
        });
    }

    fn learn(&mut self, node: Node) {
        let others = self.living().into_iter().filter(|other| *other != node);
        let others: BTreeSet<Node> = others.collect();
        if std::mem::replace(&mut self.members[node.index()].known, others.clone()) != others {
            self.update_ownership(node);
        }
    }

    /// Delivers the next message between one pair of nodes; returns its sender and the number of
    /// its items, or `None` if there is no message. Checks that it destroys no item.
    fn deliver(&mut self, which: usize) -> Option<(Node, usize)> {
        self.in_flight.retain(|_, outbox| !outbox.is_empty());
        let (from, to) = *self
            .in_flight
            .keys()
            .nth(which % self.in_flight.len().max(1))?;
        let replication = self.in_flight.get_mut(&(from, to))?.pop_front()?;
        let items = match &replication {
            ReplicationMessage::Take { items, .. } | ReplicationMessage::Copy(items) => items.len(),
            _ => 0,
        };
        let mut at_stake: Vec<Key> = self.carried(from, to, &replication).collect();
        let releases = matches!(replication, ReplicationMessage::Release(_));
        if self.is_alive(to) {
            at_stake.extend(self.act(to, |store, eyes, now, outbox| {
                store.receive(eyes, now, from, replication, outbox);
            }));
        } else if self.is_alive(from) {
            let known = self.members[from.index()].known.remove(&to);
            at_stake.extend(self.act(from, |store, eyes, _, outbox| {
                store.undelivered(eyes, to, replication, outbox);
            }));
            if known {
                self.update_ownership(from);
            }
        }
        at_stake.retain(|key| !self.exists(key));
        if releases && self.replicas == 1 {
            self.released_late.extend(at_stake);
        } else {
            // A sender that has released a copy and crashed since may have had the last one.
            let is_none = at_stake.is_empty() || !self.is_alive(from);
            assert!(is_none, "a letter has destroyed an item");
        }
        Some((from, items))
    }

    /// Delivers a message of a crashed node; false if there is none.
    fn deliver_from_crashed(&mut self) -> bool {
        self.in_flight.retain(|_, outbox| !outbox.is_empty());
        let place = self
            .in_flight
            .keys()
            .position(|(from, _)| !self.is_alive(*from));
        place.is_some_and(|place| self.deliver(place).is_some())
    }

    fn happen(&mut self, event: Event) {
        let living = self.living();
        let pick = |which: usize| living[which % living.len()];
        match event {
            Event::Stage(node, count) => {
                let mut items = Items::new();
                for _ in 0..count {
                    self.staged += 1;
                    let mut stream = Seed::new(5).stream("keys", self.staged);
                    items.push((Key::random(&mut stream), Note(1)));
                }
                self.act(pick(node), |store, eyes, _, outbox| {
                    store.take(eyes, items, None, false, outbox);
                });
            }
            Event::Change(node, item) => {
                self.act(pick(node), |store, _, _, outbox| {
                    let keys: Vec<Key> = store.iter().map(|(key, _)| *key).collect();
                    if let Some(key) = keys.get(item % keys.len().max(1))
                        && store.owns(key)
                    {
                        store.change(key, |note| note.0 += 1, outbox);
                    }
                });
            }
            Event::Join(who_hears) => {
                let node = self.add();
                for (place, other) in living.into_iter().enumerate() {
                    if place == 0 || who_hears >> (place % 32) & 1 == 1 {
                        self.members[other.index()].known.insert(node);
                        self.update_ownership(other);
                    }
                }
                self.learn(node);
            }
            Event::Crash(which) if living.len() > 1 => {
                self.members[pick(which).index()].alive = false;
            }
            Event::Crash(_) => {}
            Event::Learn(which) => self.learn(pick(which)),
            Event::KeepAlive(which) => self.keep_alive(pick(which)),
            Event::Wait => self.now = self.now + PATIENCE,
            Event::Deliver(count, which) => {
                for i in 0..count {
                    self.deliver(which.wrapping_add(i.into()));
                }
            }
        }
    }

    /// The items in a message that will reach a live node or return to one.
    fn carried<'a>(
        &self,
        from: Node,
        to: Node,
        replication: &'a ReplicationMessage<Note<LARGE>>,
    ) -> impl Iterator<Item = Key> + use<'a, LARGE> {
        let (from, to) = (self.is_alive(from), self.is_alive(to));
        let items = match replication {
            ReplicationMessage::Take {
                items,
                holder: None,
                ..
            } if from || to => &items[..],
            ReplicationMessage::Take { items, .. } | ReplicationMessage::Copy(items) if to => items,
            _ => &[],
        };
        items.iter().map(|(key, _)| *key)
    }

    /// The messages in flight.
    fn outbox(&self) -> impl Iterator<Item = (Node, Node, &ReplicationMessage<Note<LARGE>>)> {
        let all = self.in_flight.iter();
        all.flat_map(|((from, to), outbox)| outbox.iter().map(|letter| (*from, *to, letter)))
    }

    /// The items of which a copy is held or in flight.
    fn existing(&self) -> BTreeSet<Key> {
        let stores = self.members.iter().filter(|member| member.alive);
        let entry = stores.flat_map(|member| member.store.iter().map(|(key, _)| *key));
        let mut keys: BTreeSet<Key> = entry.collect();
        for (from, to, letter) in self.outbox() {
            keys.extend(self.carried(from, to, letter));
        }
        keys
    }

    /// Whether a copy of an item is held or in flight.
    fn exists(&self, key: &Key) -> bool {
        let mut stores = self.members.iter().filter(|member| member.alive);
        let is_in = |(from, to, letter)| self.carried(from, to, letter).any(|other| other == *key);
        stores.any(|member| member.store.get(key).is_some()) || self.outbox().any(is_in)
    }

    /// All nodes learn of all others, all messages arrive, and the nodes send several rounds of
    /// keep-alives.
    fn settle(&mut self) {
        for _ in 0..6 {
            for node in self.living() {
                self.learn(node);
                self.keep_alive(node);
            }
            for step in 0.. {
                assert!(step < 100_000, "messages do not end");
                if self.deliver(0).is_none() {
                    break;
                }
            }
            self.now = self.now + PATIENCE + Duration::from_secs(1);
        }
    }

    /// Checks that each item is on its replica set and nowhere else, that all copies are equal, and
    /// that only its root owns it.
    fn check(&self) -> Result<(), TestCaseError> {
        let living = self.living();
        for key in self.existing() {
            let mut line = living.clone();
            line.sort_by_key(|node| self.ids[node.index()].wrapping_sub(key));
            line.truncate(self.replicas);
            let root = line[0];
            line.sort_unstable();
            let store = |node: &Node| &self.members[node.index()].store;
            let is_holder = |node: &Node| store(node).get(&key).is_some();
            let holders: Vec<Node> = living.iter().copied().filter(is_holder).collect();
            prop_assert_eq!(&holders, &line, "{:?}", key);
            for node in &holders {
                prop_assert_eq!(store(node).owns(&key), *node == root);
                prop_assert_eq!(store(node).get(&key), store(&root).get(&key));
            }
        }
        Ok(())
    }
}

fn live<const LARGE: bool>(replicas: usize, events: &[Event]) -> Result<(), TestCaseError> {
    let mut network = TestNetwork::<LARGE>::new(5, replicas);
    for event in events {
        network.happen(*event);
    }
    while network.deliver_from_crashed() {}
    let before = network.existing();
    network.settle();
    // This also checks that everything in flight has arrived.
    let late = &network.released_late;
    let left: BTreeSet<Key> = before.difference(late).copied().collect();
    prop_assert_eq!(left, network.existing());
    network.check()
}

/// A number from the environment, for long runs by hand; `default` otherwise.
fn given(variable: &str, default: usize) -> usize {
    let text = std::env::var(variable).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}

// The number of histories and of events can be set:
//
//     DHTLAB_HISTORIES=1000000 DHTLAB_EVENTS=60 cargo test -p dhtlab-core --lib items_with_a_copy
proptest! {
    #![proptest_config(ProptestConfig {
        cases: given("DHTLAB_HISTORIES", 300) as u32,
        ..Default::default()
    })]

    /// No message destroys an item that has a copy, and once the network is quiet the root of each
    /// item owns it and its replica set has copies.
    #[test]
    fn items_with_a_copy_are_kept_by_their_root(
        replicas in 1usize..5,
        events in prop::collection::vec(event(), 1..=given("DHTLAB_EVENTS", 60)),
    ) {
        live::<true>(replicas, &events)?;
        live::<false>(replicas, &events)?;
    }
}

/// Node 8 owns an item with a copy at 5. Node 6 also considers itself the root, makes 5 its replica
/// instead, learns from 8 of the other copy, releases that of 5 and crashes. Node 8 relies on 5
/// until their sums differ.
#[test]
fn a_rival_may_leave_a_copy_too_few() {
    use Event::{Change, Crash, Deliver, Join, KeepAlive, Learn, Stage};
    let events = [
        Stage(0, 4),
        Deliver(8, 0),
        Stage(1257343667475538669, 2),
        Crash(1539036053212481105),
        Stage(2561063566838617705, 5),
        Deliver(4, 81554284027510386),
        Join(40481250),
        Join(1357775056),
        Deliver(11, 50335191686142182),
        Crash(7773381290667241140),
        Deliver(2, 4326357392626330040),
        Stage(335018117702016906, 2),
        Crash(4921232442185859871),
        Change(11178716519712170412, 185100615590276752),
        Deliver(3, 2464015138206956171),
        Crash(243792014663879356),
        Crash(3633229396132167324),
        KeepAlive(10353337237619431782),
        Join(2102405941),
        Join(3709761860),
        Deliver(6, 7717185648180483943),
        Deliver(10, 10520602545584115977),
        Deliver(3, 14617521411272276570),
        Learn(10206701954923774089),
        Deliver(10, 17919037175648169182),
        Crash(12758463908872179273),
    ];
    live::<true>(2, &events).expect("both copies");
}

/// A node that has lost all others considers itself the root of everything; it releases no copies.
#[test]
fn who_knows_nobody_releases_nothing() {
    let mut network = TestNetwork::<true>::new(5, 3);
    network.happen(Event::Stage(0, 40));
    network.settle();
    let lonely = Node(2);
    network.members[lonely.index()].known.clear();
    network.update_ownership(lonely);
    while network.deliver(0).is_some() {}
    // Its copies are lost with it.
    network.members[lonely.index()].alive = false;
    network.settle();
    assert_eq!(network.existing().len(), 40);
    network.check().expect("all is as it should be");
}

/// No node is sent an item that it has: after a crash each item of the crashed node is sent once,
/// after a join each item that the new node is to hold.
#[test]
fn only_what_is_missing_is_sent() {
    /// All nodes learn of each other, and all messages arrive; returns the number of items sent.
    fn spread(network: &mut TestNetwork<true>) -> usize {
        for node in network.living() {
            network.learn(node);
        }
        std::iter::from_fn(|| network.deliver(0))
            .map(|(_, items)| items)
            .sum()
    }
    let mut network = TestNetwork::<true>::new(6, 3);
    network.happen(Event::Stage(0, 60));
    network.settle();
    let entry = network.members[1].store.len();
    assert!(entry > 0);
    network.members[1].alive = false;
    assert_eq!(spread(&mut network), entry);
    network.settle();
    network.check().expect("mended");
    let newcomer = network.add();
    let sent = spread(&mut network);
    let entry = network.members[newcomer.index()].store.len();
    assert!(entry > 0);
    assert_eq!(sent, entry);
    network.settle();
    network.check().expect("mended");
}
