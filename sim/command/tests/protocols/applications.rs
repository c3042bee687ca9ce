//! Applications on an overlay, through the upcalls of the common API.

use crate::chord;
use crate::testbed::{at, ids, network, sites};
use dhtlab_core::engine::{Duration, Instant, Seed, Stream};
use dhtlab_core::network::{Travel, oracle};
use dhtlab_core::overlay::chord::Chord;
use dhtlab_core::overlay::vhash::{Shared, VHash, VHashParameters};
use dhtlab_core::overlay::{AppContext, Application, Forward, GroundTruth, Node};
use dhtlab_core::space::Key;

/// What a Sybil that forges adds to a message.
pub const FORGED: u32 = 1_000_000;

/// An application that counts its upcalls: messages carry the number of nodes they have passed.
struct Counting {
    delivered: Vec<u32>,
    forwarded: u32,
    updates: u32,
}

impl Application for Counting {
    type Shared = ();
    type Message = u32;
    type Timer = ();
    type Metrics = ();

    fn new((): &(), _: u32, _: Stream) -> Self {
        Self {
            delivered: Vec::new(),
            forwarded: 0,
            updates: 0,
        }
    }

    fn deliver(
        &mut self,
        context: &mut AppContext<'_, Self>,
        origin: Node,
        key: Key,
        message: u32,
    ) {
        self.delivered.push(message);
        // Even keys are answered once, to show that an upcall can route.
        if key.words()[4].is_multiple_of(2) && origin != context.me {
            let reply = Key::random(&mut Seed::new(key.prefix()).stream("reply", 0));
            context.route(reply, 1000);
        }
    }

    fn forward(
        &mut self,
        _: &mut AppContext<'_, Self>,
        _: Key,
        message: &mut u32,
        _: Node,
    ) -> Forward {
        self.forwarded += 1;
        *message += 1;
        if *message == 1003 {
            Forward::Absorb
        } else {
            Forward::Pass
        }
    }

    fn forge(message: &mut u32) {
        *message += FORGED;
    }

    fn bytes(_: &u32) -> u32 {
        4
    }

    fn update(&mut self, _: &mut AppContext<'_, Self>) {
        self.updates += 1;
    }
}

/// The common API: a message is delivered once at the root, after a forward upcall on each node
/// that sends it on; an upcall may change it, absorb it and send others; joins call update.
#[test]
fn applications_get_their_upcalls_on_any_overlay() {
    fn check<P: GroundTruth>(shared: P::Shared) {
        let nodes = 100;
        let mut network = network::<P, Counting>(shared, nodes, Travel::Recursive);
        oracle::populate_converged(&mut network, &ids(nodes, 2), &sites(nodes));
        let keys = ids(400, 77);
        let odd: Vec<&Key> = keys.iter().filter(|key| key.words()[4] % 2 == 1).collect();
        let roots: Vec<Option<Node>> = odd.iter().map(|key| network.root(key)).collect();
        for (i, key) in odd.iter().enumerate() {
            network.send(Node(i as u32 % 100), **key, 0);
        }
        network.run(at(10), false, u64::MAX);
        let all = |f: fn(&Counting) -> u32| {
            (0..100)
                .map(|i| f(network.application(Node(i))))
                .sum::<u32>()
        };
        let arrived = all(|app| app.delivered.len() as u32);
        assert_eq!(arrived as usize, odd.len());
        // What arrived was raised once by each forward.
        assert_eq!(
            all(|app| app.delivered.iter().sum()),
            all(|app| app.forwarded)
        );
        for node in (0..100).map(Node) {
            let expected = roots.iter().filter(|root| **root == Some(node)).count();
            let delivered = network.application(node).delivered.len();
            // VHash may miss a root now and then; Chord never does.
            assert!(
                delivered.abs_diff(expected) <= 1,
                "{node:?}: {delivered} {expected}"
            );
        }
        // Even keys are answered, and an answer that has passed three nodes is absorbed.
        let even: Vec<&Key> = keys.iter().filter(|key| key.words()[4] % 2 == 0).collect();
        for (i, key) in even.iter().enumerate() {
            network.send(Node(i as u32 % 100), **key, 0);
        }
        network.run(at(20), false, u64::MAX);
        let all = |f: fn(&Counting) -> u32| {
            (0..100)
                .map(|i| f(network.application(Node(i))))
                .sum::<u32>()
        };
        let answers = all(|app| app.delivered.iter().filter(|m| **m >= 1000).count() as u32);
        assert!(answers > 0 && (answers as usize) < even.len());
        assert!((0..100).all(|i| {
            network
                .application(Node(i))
                .delivered
                .iter()
                .all(|m| *m < 1003)
        }));
    }
    check::<Chord>(chord::parameters(1));
    // Without long peers, ways are long enough to pass three nodes.
    let parameters = VHashParameters {
        dimensions: 2,
        long_peers: Some(0),
        ..VHashParameters::default()
    };
    check::<VHash>(Shared::from(&parameters));
    let mut joining = network::<Chord, Counting>(chord::parameters(2), 10, Travel::Recursive);
    for (i, id) in ids(10, 6).iter().enumerate() {
        joining.join_at(at(10 * i as u64), *id, i as u32);
    }
    joining.run(at(500), false, u64::MAX);
    assert!((0..10).all(|i| joining.application(Node(i)).updates > 0));
}

/// An application that writes down when it is told something.
#[derive(Default)]
struct Clock(Vec<Instant>);

impl Application for Clock {
    type Shared = ();
    type Message = ();
    type Timer = ();
    type Metrics = ();

    fn new((): &(), _: u32, _: Stream) -> Self {
        Self::default()
    }

    fn deliver(&mut self, context: &mut AppContext<'_, Self>, _: Node, _: Key, (): ()) {
        self.0.push(context.now);
    }

    fn receive(&mut self, context: &mut AppContext<'_, Self>, _: Node, (): ()) {
        self.0.push(context.now);
    }

    fn forge((): &mut ()) {}

    fn bytes((): &()) -> u32 {
        0
    }
}

/// Where handling takes time, a node handles one message after the other, straight ones and
/// routed ones; without it they are handled when they come.
#[test]
fn messages_wait_for_their_turn() {
    let service_time = Duration::from_secs(2);
    for taken in [Duration::ZERO, service_time] {
        let nodes = 20;
        let mut network = network::<Chord, Clock>(chord::parameters(4), nodes, Travel::Recursive);
        oracle::populate_converged(&mut network, &ids(nodes, 2), &sites(nodes));
        network.set_service_time(taken);
        let (to, id) = (Node(3), network.ids().id(Node(3)));
        for from in (4..12).map(Node) {
            network.instruct(from, |_, context| context.send(to, ()));
        }
        network.send(Node(13), id, ());
        network.run(at(60), false, u64::MAX);
        let times = &network.application(to).0;
        assert_eq!(times.len(), 9);
        if taken.is_zero() {
            assert!(times.iter().all(|time| *time < at(2)), "{times:?}");
        } else {
            // Eight have come before the first is handled; the ninth may be on its way for longer.
            for pair in times[..8].windows(2) {
                assert_eq!(pair[1].since(pair[0]), service_time);
            }
            assert!(times[8].since(times[7]) >= service_time);
        }
    }
}
