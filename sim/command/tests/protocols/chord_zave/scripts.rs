//! Zave's counterexamples, with messages delayed as in her scripts.
//!
//! Nodes 0 < 1 < 2 < 3, lists of two successors, node 0 alone at first. J joins, S stabilises, N is
//! notified, F fails, U replaces a failed successor, X forgets a failed predecessor, R reconciles
//! its list with its successor's.

use super::invariant::{Fault, View, successors};
use dhtlab_core::engine::{Instant, Seed, Stream};
use dhtlab_core::overlay::chord::{Chord, ChordParameters, Message, Query, Timer, Variant};
use dhtlab_core::overlay::{
    Context, Effect, GroundTruth, NextHop, Node, NodeIds, Overlay, RoundTrip,
};
use dhtlab_core::space::Key;
use std::collections::VecDeque;

/// The scripts: what is violated, and how.
const SCRIPTS: [(Fault, &str); 6] = [
    (
        Fault::OrderedMerges,
        "J3 S3 N0 S0 N3 J1 J2 S1 N3 S2 N3 S0 N2",
    ),
    (
        Fault::OrderedAppendages,
        "J1 J2 J3 S2 N0 S0 N2 S3 N0 S1 N3 R2 R3 F0 U2 U3 X3 S3 N2",
    ),
    (
        Fault::ValidSuccessorList,
        "J2 S2 N0 S0 N2 J1 R1 J3 S3 N0 S2 N3 R0 S1 N2 S0 N1 F2 U1",
    ),
    (Fault::ConnectedAppendages, "J2 S2 N0 S0 N2 R0 F2 J1 U0"),
    (Fault::AtLeastOneRing, "J2 S2 N0 S0 N2 J1 S1 N2 F1 S0 N1 X2"),
    (
        Fault::AtMostOneRing,
        "J2 S2 N0 S0 N2 R0 R2 J1 S1 N2 S0 N1 J3 S3 N0 S2 N3 F1 F3 U0 U2",
    ),
];

/// Nodes whose messages arrive at once, but for notifications, which wait for their N.
struct World {
    shared: ChordParameters,
    ids: NodeIds,
    nodes: Vec<Chord>,
    alive: Vec<bool>,
    random: Stream,
    notices: Vec<VecDeque<Node>>,
}

impl World {
    /// Nodes of which none is there yet but `base`, as a converged ring.
    fn new(variant: Variant, count: u32, base: &[u32]) -> Self {
        let shared = ChordParameters {
            variant,
            successors: 2,
            ..ChordParameters::default()
        };
        let mut ids = NodeIds::default();
        for i in 0..count {
            let mut bytes = [0; 20];
            bytes[0] = 16 * (i as u8 + 1);
            ids.add(Key::from_bytes(bytes));
        }
        let mut nodes: Vec<Chord> = (0..count)
            .map(|i| Chord::new(&shared, &ids.id(Node(i))))
            .collect();
        let members: Vec<Node> = base.iter().map(|i| Node(*i)).collect();
        let mut streams = vec![Seed::new(1).stream("zave", 0); base.len()];
        let states = Chord::converged(&shared, &ids, &members, &mut streams);
        for (member, state) in members.iter().zip(states) {
            nodes[member.index()] = state;
        }
        Self {
            shared,
            ids,
            nodes,
            alive: (0..count).map(|i| base.contains(&i)).collect(),
            random: Seed::new(1).stream("zave", 1),
            notices: vec![VecDeque::new(); count as usize],
        }
    }

    fn act<R>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut Chord, &mut Context<'_, Chord>) -> R,
    ) -> R {
        let mut effects = Vec::new();
        let mut context = Context {
            now: Instant::START,
            me: node,
            shared: &self.shared,
            ids: &self.ids,
            random: &mut self.random,
            effects: &mut effects,
        };
        let result = act(&mut self.nodes[node.index()], &mut context);
        for effect in effects {
            self.carry_out(node, effect);
        }
        result
    }

    fn carry_out(&mut self, from: Node, effect: Effect<Chord>) {
        match effect {
            Effect::Send {
                to,
                message: Message::Notify,
            } => self.notices[to.index()].push_back(from),
            Effect::Send { to, message } => {
                if self.alive[to.index()] {
                    self.act(to, |state, context| {
                        state.on_message(context, from, message);
                    });
                }
            }
            Effect::Request {
                to,
                message,
                purpose,
            } => {
                if self.alive[to.index()] {
                    let reply = self.act(to, |s, c| s.on_request(c, from, message));
                    self.act(from, |state, context| {
                        state.on_reply(context, to, purpose, reply, RoundTrip::default());
                    });
                } else {
                    self.act(from, |s, c| s.on_timeout(c, to, Some(purpose)));
                }
            }
            Effect::Route { via, key, query } => self.route(from, via, &key, query),
            Effect::SetTimer { .. }
            | Effect::Update
            | Effect::Joined
            | Effect::Rejoin
            | Effect::Found { .. } => {}
        }
    }

    /// The way of a query, as the router goes it.
    fn route(&mut self, origin: Node, via: Option<Node>, key: &Key, query: Query) {
        let mut at = via.unwrap_or(origin);
        for _ in 0..20 {
            let next = self.nodes[at.index()].next_hop(&self.shared, &self.ids, at, key);
            let (next, last) = match next {
                NextHop::Root => return self.act(at, |s, c| s.on_query(c, origin, query, at)),
                NextHop::Last(root) if Chord::answered_by_predecessor(&self.shared, &query) => {
                    return self.act(at, |s, c| s.on_query(c, origin, query, root));
                }
                NextHop::Next(next) => (next, false),
                NextHop::Last(next) => (next, true),
            };
            if !self.alive[next.index()] {
                self.act(at, |s, c| s.on_timeout(c, next, None));
            } else if last {
                return self.act(next, |s, c| s.on_query(c, origin, query, next));
            } else {
                at = next;
            }
        }
        panic!("a query runs in circles");
    }

    fn step(&mut self, step: &str) {
        let node = Node(step[1..].parse().expect("a node"));
        let timer = |timer| move |s: &mut Chord, c: &mut Context<'_, Chord>| s.on_timer(c, timer);
        match &step[..1] {
            "J" => {
                let through = self.alive.iter().position(|alive| *alive);
                let through = Node(through.expect("a live node") as u32);
                self.alive[node.index()] = true;
                self.act(node, |s, c| s.join(c, Some(through)));
            }
            "F" => self.alive[node.index()] = false,
            _ if !self.alive[node.index()] => {}
            // Zave's stabilisation has a live successor; a failed one is replaced by U.
            "S" => self.act(node, timer(Timer::Stabilise)),
            "R" => self.act(node, timer(Timer::Reconcile)),
            "X" => self.act(node, timer(Timer::CheckPredecessor)),
            "N" => {
                if let Some(from) = self.notices[node.index()].pop_front() {
                    self.act(node, |s, c| s.on_message(c, from, Message::Notify));
                }
            }
            "U" => {
                let successor = successors(node.index(), &self.nodes[node.index()])[0];
                if !self.alive[successor] {
                    self.act(node, |s, c| s.on_timeout(c, Node(successor as u32), None));
                }
            }
            other => panic!("{other} is no step"),
        }
    }

    /// What is wrong with the network.
    fn faults(&self) -> Vec<Fault> {
        let living = (0..self.nodes.len()).filter(|node| self.alive[*node]);
        let lists = living.map(|node| (node, successors(node, &self.nodes[node])));
        let view = View {
            nodes: self.nodes.len(),
            lists: lists.collect(),
            alive: &|node| self.alive[node],
            least_principals: self.shared.successors + 1,
        };
        view.faults()
    }

    /// The first successors of the live nodes.
    fn firsts(&self) -> Vec<(usize, usize)> {
        let living = (0..self.nodes.len()).filter(|node| self.alive[*node]);
        living
            .map(|node| (node, successors(node, &self.nodes[node])[0]))
            .collect()
    }

    /// Runs a script; the faults after each step.
    fn run(&mut self, script: &str) -> Vec<Vec<Fault>> {
        script
            .split(' ')
            .map(|step| {
                self.step(step);
                self.faults()
            })
            .collect()
    }
}

/// The Chord of SIGCOMM 2001 has each fault.
#[test]
fn classic_chord_falls_into_every_fault() {
    for (fault, script) in SCRIPTS {
        let mut world = World::new(Variant::Classic, 4, &[0]);
        let faults = world.run(script);
        assert!(
            faults.iter().any(|faults| faults.contains(&fault)),
            "{script} does not cause {fault:?}: {faults:?}"
        );
    }
}

/// How the scripts end for the classic variant: the two self-rings, and the node that is lost.
#[test]
fn classic_chord_ends_as_zave_says() {
    let end = |script: &str| {
        let mut world = World::new(Variant::Classic, 4, &[0]);
        let faults = world.run(script);
        (world.firsts(), faults.last().cloned().expect("steps"))
    };
    // Nodes 0 and 2 end as rings of their own.
    let (firsts, faults) = end(SCRIPTS[5].1);
    assert_eq!(firsts, [(0, 0), (2, 2)]);
    assert!(faults.contains(&Fault::AtMostOneRing));
    // Node 0's successor has failed, and 2 follows 0.
    let (firsts, _) = end(SCRIPTS[4].1);
    assert_eq!(firsts, [(0, 1), (2, 0)]);
    // Node 3 is live and outside of the ring.
    let (firsts, _) = end(SCRIPTS[2].1);
    assert_eq!(firsts, [(0, 1), (1, 0), (3, 0)]);
    // Node 1 joins the ring behind 2, and 1 leads past 2 to 3 and back.
    let (merges, appendages) = (SCRIPTS[0], SCRIPTS[1]);
    assert!(end(merges.1).1.contains(&merges.0));
    // Before the last stabilisation, which would take over the failed node 0 by name.
    let script = appendages.1.replace(" S3 N2", "");
    assert!(end(&script).1.contains(&appendages.0));
}

/// The corrected Chord, on its r + 1 initial nodes, has none of them at any
/// step: neither by the scripts nor by any other fault of the invariant.
#[test]
fn correct_chord_falls_into_none() {
    // Node 0 of the scripts is one of the three; the two others lie behind node 3. Nodes of the
    // base must not fail: that is the assumption under which Chord is correct.
    for (fault, script) in SCRIPTS {
        let mut world = World::new(Variant::Correct, 6, &[0, 4, 5]);
        let script = script.replace("F0 ", "");
        let faults = world.run(&script);
        assert!(
            faults.iter().all(Vec::is_empty),
            "{fault:?}: {script}: {faults:?}"
        );
    }
}
