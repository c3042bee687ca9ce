//! Sybil attacks through the library: closeness to a key, the placement of Sybils, and the effect
//! of each behaviour on lookups and on the messages of a service.

use crate::testbed::{at, ids, network, sites};
use crate::{chord, kademlia, pastry};
use dhtlab_core::adversary::{Behaviour, IdSupply, Identity, Strategy, SybilPlacement};
use dhtlab_core::engine::{Duration, Instant, Period, Seed, Stream};
use dhtlab_core::network::{Attack, Network, Travel, oracle};
use dhtlab_core::overlay::chord::{Chord, ChordParameters, Closest};
use dhtlab_core::overlay::kademlia::{Kademlia, KademliaParameters};
use dhtlab_core::overlay::pastry::Pastry;
use dhtlab_core::overlay::urdht::{
    self, Topology, TopologyVisitor, Urdht, UrdhtParameters, UrdhtSpace,
};
use dhtlab_core::overlay::vhash::{self, VHash, VHashParameters};
use dhtlab_core::overlay::{AppContext, Application, Forward, GroundTruth, Node};
use dhtlab_core::space::Key;
use dhtlab_core::workload::LookupPlan;

/// The oracle's root of every one of 300 keys is the member whose ID is nearest to it; the
/// parameters leave nodes where their IDs put them.
fn nearest_is_root<P: GroundTruth>(shared: P::Shared, what: &str) {
    let mut network = network::<P, ()>(shared, 60, Travel::Recursive);
    oracle::populate_converged(&mut network, &ids(60, 11), &sites(60));
    for key in ids(300, 12) {
        let cmp_closeness = |a: &&Node, b: &&Node| {
            let id = |node: &Node| network.ids().id(*node);
            P::cmp_closeness(network.shared(), &key, &id(a), &id(b))
        };
        let nearest = network.members().iter().min_by(cmp_closeness).copied();
        assert_eq!(network.root(&key), nearest, "{what}: {key:?}");
    }
}

#[test]
fn the_nearest_id_is_the_root() {
    for closest in [Closest::Successor, Closest::Nearest] {
        let shared = ChordParameters {
            closest,
            ..chord::parameters(2)
        };
        nearest_is_root::<Chord>(shared, closest.as_str());
    }
    nearest_is_root::<Kademlia>(kademlia::parameters(8, 3, 1), "kademlia");
    nearest_is_root::<Pastry>(pastry::parameters(4, 16), "pastry");
    for dimensions in [1, 3] {
        let parameters = VHashParameters {
            dimensions,
            ..VHashParameters::default()
        };
        nearest_is_root::<VHash>(vhash::Shared::from(&parameters), "vhash");
    }
    #[derive(Clone)]
    struct Check(&'static str);
    impl TopologyVisitor for Check {
        type Output = ();
        fn visit<T: Topology>(self, shared: urdht::Shared<T>) {
            nearest_is_root::<Urdht<T>>(shared, self.0);
        }
    }
    for space in UrdhtSpace::ALL {
        let parameters = UrdhtParameters {
            space: *space,
            ..UrdhtParameters::default()
        };
        parameters.accept_topology(Check(space.as_str()));
    }
}

/// IDs that an adversary with one address holds, in the order in which it tries them.
fn held(count: usize, seed: u64) -> Vec<Identity> {
    let identity = |(rank, id): (u32, Key)| Identity {
        id,
        address: 0,
        rank,
    };
    (0..).zip(ids(count, seed)).map(identity).collect()
}

/// A converged network of `nodes` honest nodes with one site more, from which the holder of
/// `identities` attacks, a Sybil each tenth of a second from the first second on.
fn attacked<P: GroundTruth, A: Application<Shared = ()>>(
    shared: P::Shared,
    nodes: usize,
    travel: Travel,
    strategy: Strategy,
    behaviour: Behaviour,
    identities: Vec<Identity>,
) -> Network<P, A> {
    let mut network = network::<P, A>(shared, nodes + 1, travel);
    oracle::populate_converged(&mut network, &ids(nodes, 2), &sites(nodes));
    let most = identities.len();
    let cmp_closeness = |key: &Key, a: &Key, b: &Key| P::cmp_closeness(network.shared(), key, a, b);
    let stream = Seed::new(3).stream("adversary", 0);
    let id_supply = IdSupply::Listed(identities);
    let sybil_placement =
        SybilPlacement::new(strategy, id_supply, most, None, cmp_closeness, stream);
    network.attack(Attack {
        sybil_placement,
        behaviour,
        start: at(1),
        gap: Duration::from_millis(100),
        first_site: nodes as u32,
        addresses: Vec::new(),
    });
    network
}

/// Given time, an attack on the gaps of a ring puts one Sybil into each gap for which the
/// adversary holds an ID, and none elsewhere.
#[test]
fn every_gap_that_can_be_taken_is_taken_once() {
    let (nodes, seed) = (80, 21);
    for count in [10, 60, 400] {
        let mut network = attacked::<Chord, ()>(
            chord::parameters(4),
            nodes,
            Travel::Recursive,
            Strategy::Neighbours,
            Behaviour::Observe,
            held(count, seed),
        );
        network.run(at(1000), false, u64::MAX);
        let mut honest: Vec<Key> = ids(nodes, 2);
        honest.sort_unstable();
        let gap = |id: &Key| honest.partition_point(|other| other < id) % nodes;
        let mut expected: Vec<usize> = ids(count, seed).iter().map(gap).collect();
        expected.sort_unstable();
        expected.dedup();
        let sybils = network.sybils().iter();
        let mut taken: Vec<usize> = sybils.map(|node| gap(&network.ids().id(*node))).collect();
        taken.sort_unstable();
        assert_eq!(taken, expected, "{count} IDs");
        assert_eq!(network.honest().len(), nodes);
        // Behind each taken gap stands a node whose predecessor is a Sybil.
        let (links, occluded) = network.occluded_links();
        assert!(0 < occluded && occluded < links);
    }
}

/// What became of one lookup.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LookupOutcome {
    ok: bool,
    failed: bool,
    intercepted: bool,
    captured: bool,
    hijacked: bool,
    timeouts: u64,
}

/// When lookups begin: all Sybils are there, and the ring knows them.
const BEGIN: u64 = 400;

/// Looks up so many keys, one each twenty seconds, and returns the outcome of each.
fn outcomes<P: GroundTruth>(network: &mut Network<P>, count: u64) -> Vec<LookupOutcome> {
    network.run(at(BEGIN), false, u64::MAX);
    network.plan_lookups(lookups(count));
    let mut before = network.tally().counts;
    let mut outcome = |i: u64| {
        network.run(
            at(BEGIN + 20 * i) + Duration::from_millis(19_900),
            false,
            u64::MAX,
        );
        let now = network.tally().counts;
        let outcome = LookupOutcome {
            ok: now.ok > before.ok,
            failed: now.failed > before.failed,
            intercepted: now.intercepted > before.intercepted,
            captured: now.captured > before.captured,
            hijacked: now.hijacked > before.hijacked,
            timeouts: now.timeouts - before.timeouts,
        };
        let over = now.ok + now.wrong + now.failed;
        assert_eq!((now.lookups, over), (i + 1, i + 1));
        before = now;
        outcome
    };
    (0..count).map(&mut outcome).collect()
}

fn lookups(count: u64) -> LookupPlan {
    let stream = Seed::new(5).stream("lookups", 0);
    LookupPlan::evenly(stream, at(BEGIN), Duration::from_secs(20), count)
}

/// Without refreshed fingers, whose queries Sybils would answer by their behaviour, the networks
/// are the same whatever the Sybils do: what one that observes meets, one that drops loses and
/// one that misroutes takes, lookup by lookup.
#[test]
fn what_is_intercepted_is_dropped_or_captured() {
    let run = |behaviour, travel| {
        let shared = ChordParameters {
            fix_fingers: Period::NEVER,
            ..chord::parameters(3)
        };
        let random = Strategy::Random;
        let sybils = held(25, 22);
        let mut network = attacked::<Chord, ()>(shared, 100, travel, random, behaviour, sybils);
        outcomes(&mut network, 300)
    };
    for travel in [Travel::Recursive, Travel::SemiRecursive] {
        let observe = run(Behaviour::Observe, travel);
        let drop = run(Behaviour::Drop, travel);
        let misroute = run(Behaviour::Misroute, travel);
        let met = observe.iter().filter(|outcome| outcome.intercepted).count();
        assert!(60 < met && met < 240, "{met}");
        for ((seen, lost), taken) in observe.iter().zip(&drop).zip(&misroute) {
            // Without an attack on them, lookups on this ring end at their roots.
            assert!(seen.ok && !seen.hijacked);
            assert_eq!(
                (lost.failed, lost.ok),
                (seen.intercepted, !seen.intercepted)
            );
            assert_eq!(lost.intercepted, seen.intercepted);
            assert!(!lost.captured);
            assert_eq!(
                (taken.intercepted, taken.captured),
                (seen.intercepted, seen.intercepted)
            );
            assert_eq!(taken.hijacked, !taken.ok);
            // An intercepted lookup with an honest root is hijacked; else the first Sybil may be
            // the root.
            assert!(taken.hijacked || seen.captured || !seen.intercepted);
        }
        let roots = observe.iter().filter(|outcome| outcome.captured).count();
        let hijacked = misroute.iter().filter(|outcome| outcome.hijacked).count();
        assert!(met - roots <= hijacked && hijacked < met);
    }
    // An iterative initiator asks another node after a time-out; it is misled all the same.
    let observe = run(Behaviour::Observe, Travel::Iterative);
    let drop = run(Behaviour::Drop, Travel::Iterative);
    let misroute = run(Behaviour::Misroute, Travel::Iterative);
    for (seen, taken) in observe.iter().zip(&misroute) {
        assert!(seen.ok);
        assert_eq!(taken.captured, seen.intercepted);
    }
    let ok = drop.iter().filter(|outcome| outcome.ok).count();
    let waited = drop.iter().filter(|outcome| outcome.timeouts > 0).count();
    let spared = observe
        .iter()
        .filter(|outcome| !outcome.intercepted)
        .count();
    assert!(ok > spared && waited > 0, "{ok} {spared} {waited}");
}

/// Kademlia continues when a Sybil does not answer, and ends at the nearest that does; while old
/// contacts are online, it finds the root past Sybils that name each other.
#[test]
fn kademlia_gets_around_sybils() {
    let run = |behaviour, paths| {
        let shared = KademliaParameters {
            paths,
            alpha: 1,
            ..kademlia::parameters(8, 1, 1)
        };
        let sybils = held(40, 23);
        let (random, iterative) = (Strategy::Random, Travel::Iterative);
        let mut network =
            attacked::<Kademlia, ()>(shared, 100, iterative, random, behaviour, sybils);
        let outcomes = outcomes(&mut network, 200);
        assert_eq!(network.sybils().len(), 40);
        let is_sybil = |key: &Key| network.root(key).is_some_and(|root| network.is_sybil(root));
        let roots: Vec<bool> = lookups(200).map(|lookup| is_sybil(&lookup.key)).collect();
        (outcomes, roots)
    };
    let (observe, roots) = run(Behaviour::Observe, 1);
    for (outcome, root) in observe.iter().zip(&roots) {
        assert_eq!((outcome.ok, outcome.captured), (true, *root));
    }
    let (drop, roots) = run(Behaviour::Drop, 1);
    for (outcome, root) in drop.iter().zip(&roots) {
        // A Sybil that is the root is asked, and nobody who does not answer is found.
        assert!(!outcome.failed && !outcome.captured);
        assert_eq!(outcome.ok, !root);
        assert_eq!(outcome.intercepted, outcome.timeouts > 0);
    }
    // Sybils that name each other alone hide nothing: they are in the buckets of those near to them,
    // which know the root, too. The buckets of the others were full when they came.
    for paths in [1, 4] {
        let (outcomes, roots) = run(Behaviour::Misroute, paths);
        for (outcome, root) in outcomes.iter().zip(&roots) {
            assert_eq!(
                (outcome.ok, outcome.captured),
                (true, *root),
                "{paths} paths"
            );
        }
        assert!(
            outcomes
                .iter()
                .filter(|outcome| outcome.intercepted)
                .count()
                > 40
        );
    }
}

/// A service whose messages list the nodes that have forwarded them, and how often they were
/// altered.
struct Traced(Vec<Trace>);

#[derive(Clone, Debug)]
struct Trace {
    passed: Vec<Node>,
    altered: u32,
    is_reply: bool,
}

impl Trace {
    fn new(is_reply: bool) -> Self {
        Self {
            passed: Vec::new(),
            altered: 0,
            is_reply,
        }
    }
}

impl Application for Traced {
    type Shared = ();
    type Message = Trace;
    type Timer = ();
    type Metrics = ();

    fn new((): &(), _: u32, _: Stream) -> Self {
        Self(Vec::new())
    }

    fn deliver(&mut self, context: &mut AppContext<'_, Self>, _: Node, key: Key, message: Trace) {
        if !message.is_reply {
            let opposite = key.wrapping_add(Key::power_of_two(Key::BITS - 1));
            context.route(opposite, Trace::new(true));
        }
        self.0.push(message);
    }

    fn forward(
        &mut self,
        context: &mut AppContext<'_, Self>,
        _: Key,
        message: &mut Trace,
        _: Node,
    ) -> Forward {
        message.passed.push(context.me);
        Forward::Pass
    }

    fn forge(message: &mut Trace) {
        message.altered += 1;
    }

    fn bytes(_: &Trace) -> u32 {
        0
    }
}

/// Sybils that forge alter the messages of a service that they send or pass on, each once, and
/// no others; a Sybil that observes alters nothing.
#[test]
fn what_sybils_pass_on_is_forged_once() {
    for behaviour in [Behaviour::Forge, Behaviour::Observe] {
        let mut network = attacked::<Chord, Traced>(
            chord::parameters(3),
            100,
            Travel::Recursive,
            Strategy::Random,
            behaviour,
            held(30, 24),
        );
        network.run(at(BEGIN), false, u64::MAX);
        for (i, key) in ids(300, 25).into_iter().enumerate() {
            network.send(Node(i as u32 % 130), key, Trace::new(false));
        }
        network.run(at(BEGIN + 30), false, u64::MAX);
        let forges = behaviour == Behaviour::Forge;
        let (mut arrived, mut altered, mut twice) = (0, 0, 0);
        for node in (0..130).map(Node) {
            for trace in &network.application(node).0 {
                let sybils = trace.passed.iter().filter(|node| network.is_sybil(**node));
                let sybils = sybils.count();
                // A node that is the root of its own key sends to itself.
                let own = trace.passed.is_empty() && network.is_sybil(node);
                let expected = u32::from(forges && (sybils > 0 || own));
                assert_eq!(trace.altered, expected, "{node:?}: {trace:?}");
                (arrived, altered) = (arrived + 1, altered + trace.altered);
                twice += usize::from(sybils > 1);
            }
        }
        assert_eq!(arrived, 600);
        assert_eq!(altered > 100, forges);
        assert!(twice > 10, "{twice} passed more than one Sybil");
    }
}

/// Lookups begin at honest nodes alone: what a Sybil begins, Sybils that drop let pass.
#[test]
fn sybils_look_nothing_up() {
    let mut network = attacked::<VHash, ()>(
        vhash::Shared::from(&VHashParameters::default()),
        40,
        Travel::Recursive,
        Strategy::Random,
        Behaviour::Drop,
        held(60, 26),
    );
    network.run(at(200), false, u64::MAX);
    assert_eq!(network.sybils().len(), 60);
    crate::testbed::look_up(&mut network, 2000);
    let counts = network.tally().counts;
    assert!(counts.failed > 500, "{counts:?}");
    assert_eq!(counts.failed, counts.intercepted);
    assert_eq!((counts.captured, counts.hijacked), (0, 0));
    let mut all = [network.honest().to_vec(), network.sybils().to_vec()].concat();
    all.sort_unstable();
    let mut members = network.members().to_vec();
    members.sort_unstable();
    assert_eq!(all, members);
    assert!(network.now() > Instant::START);
}
