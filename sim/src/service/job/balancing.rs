//! Autonomous load balancing: a node sees to its load by itself, by Sybils of its own that take over
//! a part of the ring, and of the atoms, of others.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State University
//! 2016), chapter on autonomous load balancing, as messages: what the tick model of
//! `experiment = "balance"` lets a node know at once is asked for here, joining takes the time that the
//! protocol takes, and atoms move by custody. As there, what can be meant in several ways: the load of
//! a node is that of its host with all Sybils; one that has nothing left dismisses its Sybils; the gap
//! of neighbour injection is the largest one.

use super::household::Word;
use super::{Context, Message, Shared, Timer, Worker};
use crate::engine::{Instant, Span};
use crate::overlay::Node;
use crate::space::Key;

crate::choices! {
    /// What a node does about its load.
    pub enum Balancing {
        /// Nothing.
        None = "none",
        /// One with little to do makes a Sybil at a random ID.
        RandomInjection = "random-injection",
        /// One with little to do makes a Sybil in the largest gap among its next successors.
        NeighbourInjection = "neighbour-injection",
        /// One with little to do asks its successors for their loads, and makes a Sybil in the arc of the most loaded.
        SmartNeighbour = "smart-neighbour",
        /// One with little to do says so to its successors; one with much asks the least loaded of those for a Sybil in its own arc.
        Invitation = "invitation",
    }
}

crate::parameters! {
    /// What nodes do about their load, each by itself; needs a ring.
    pub struct BalancingParameters {
        /// What a node does about its load.
        pub strategy: Balancing = Balancing::None;
        /// Sybils that a node may have.
        pub max_sybils: u32 = 5, within 1..=1000;
        /// A node has little to do at this part of the mean load of the start or less, rounded down to whole atoms.
        pub threshold: f64 = 0.0, within 0.0..=1000.0;
        /// Successors that are looked at or told.
        pub successors: usize = 5, within 1..=64;
        /// Time from one look at the load to the next.
        pub interval: Span = Span::from_secs(5), within crate::parameter::Range::above(0.0);
        /// How long a node waits for the loads that it has asked for.
        pub wait: Span = Span::from_secs(1), within crate::parameter::Range::above(0.0);
    }
}

/// What nodes ask and tell each other about loads.
#[derive(Clone, Copy, Debug)]
pub enum Inquiry {
    /// How many atoms are there to do on your host?
    Load,
    /// So many on the host of that node.
    IsLoad(Node, u32),
    /// There are so few here that a Sybil might help another.
    Free(u32),
    /// Please make a Sybil on this arc, both ends excluded.
    Invitation(Key, Key),
}

impl Inquiry {
    /// How many bytes it has beside the header.
    pub fn bytes(self) -> u32 {
        match self {
            Self::Load => 0,
            Self::Free(_) => 4,
            Self::IsLoad(..) => 10,
            Self::Invitation(..) => 40,
        }
    }
}

/// What a node knows for its balancing.
#[derive(Clone, Debug, Default)]
pub(super) struct Balancer {
    /// Atoms to do on the host when they were counted last.
    load: u32,
    /// The count that goes on: those that have not answered, and the sum.
    counting: Option<(usize, u32)>,
    /// Successors that were asked for their loads, with their arcs, and what they have said.
    asked: Vec<(Node, Key, Key, Option<u32>)>,
    /// Nodes with little to do, their loads, and when they have said so.
    free: Vec<(Node, u32, Instant)>,
}

impl Worker {
    /// Begins to see to the load, some time in the first interval after the job has begun; Sybils
    /// report to the one that has made them.
    pub(super) fn begin_to_balance(&mut self, turn: Context<'_, '_>) {
        if let Some(first) = self.household.first() {
            turn.tell(first, Message::Word(Word::Here));
        } else if turn.shared.balancing.strategy != Balancing::None {
            let start = Instant::START + turn.shared.parameters.start;
            let interval = turn.shared.balancing.interval.as_secs_f64();
            let phase = Span::from_secs_f64(interval * self.random.unit());
            turn.set_timer(start.max(turn.now).since(turn.now) + phase, Timer::Balance);
        }
    }

    /// How many atoms this node has to do, the one at work included.
    pub(super) fn open(&self) -> u32 {
        let open = self.store.iter().filter(|(key, atom)| {
            atom.result.is_none()
                && self.store.looks_after(key)
                && !self.mapped.contains(&atom.number)
        });
        open.count() as u32
    }

    /// Counts what there is to do on the host, and then acts.
    pub(super) fn see_to_load(&mut self, turn: Context<'_, '_>) {
        turn.set_timer(turn.shared.balancing.interval, Timer::Balance);
        let own = self.open();
        self.balancer.counting = Some((self.household.others().len(), own));
        for other in self.household.others() {
            turn.tell(*other, Message::Word(Word::Count));
        }
        if self.household.others().is_empty() {
            self.act(turn, own);
        }
    }

    /// One of the Sybils of the host has so much to do.
    pub(super) fn add_up(&mut self, turn: Context<'_, '_>, open: u32) {
        let Some((left, sum)) = &mut self.balancer.counting else {
            return;
        };
        *left = left.saturating_sub(1);
        *sum += open;
        if *left == 0 {
            let load = *sum;
            self.act(turn, load);
        }
    }

    /// The host has `load` atoms to do.
    fn act(&mut self, turn: Context<'_, '_>, load: u32) {
        self.balancer.counting = None;
        self.balancer.load = load;
        if load == 0 {
            self.dismiss_others(turn);
        }
        let threshold = turn.shared.few();
        let successors = turn.shared.balancing.successors;
        let is_free = load <= threshold && self.household.len() < turn.shared.balancing.max_sybils;
        match turn.shared.balancing.strategy {
            Balancing::None => {}
            Balancing::RandomInjection if is_free => {
                let id = Key::random(&mut self.random);
                self.make_sybil(turn, Some(id));
            }
            Balancing::NeighbourInjection if is_free => {
                let widest = arcs(turn, successors)
                    .into_iter()
                    .map(|(_, after, to)| (after, to))
                    // The nearest of equals.
                    .rev()
                    .max_by_key(|(after, to)| to.wrapping_sub(*after));
                if let Some((after, to)) = widest {
                    let id = Key::random_between(after, to, &mut self.random);
                    self.make_sybil(turn, id);
                }
            }
            Balancing::SmartNeighbour if is_free => {
                self.balancer.asked = arcs(turn, successors)
                    .into_iter()
                    .map(|(node, after, to)| (node, after, to, None))
                    .collect();
                for (node, ..) in &self.balancer.asked {
                    turn.send(*node, Message::Load(Inquiry::Load));
                }
                turn.set_timer(turn.shared.balancing.wait, Timer::Judge);
            }
            Balancing::Invitation if is_free => {
                for (node, ..) in arcs(turn, successors) {
                    turn.send(node, Message::Load(Inquiry::Free(load)));
                }
            }
            Balancing::Invitation if f64::from(load) >= turn.shared.many() => self.invite(turn),
            Balancing::RandomInjection
            | Balancing::NeighbourInjection
            | Balancing::SmartNeighbour
            | Balancing::Invitation => {}
        }
    }

    fn make_sybil(&mut self, turn: Context<'_, '_>, id: Option<Key>) {
        if let Some(id) = id {
            turn.ledger.sybils += 1;
            self.household.expect();
            turn.found(id);
        }
    }

    /// Asks the least loaded of those that have said of late that they have little to do for help.
    fn invite(&mut self, turn: Context<'_, '_>) {
        let interval = turn.shared.balancing.interval;
        self.balancer
            .free
            .retain(|(.., heard)| turn.now.since(*heard) <= interval);
        let least = (0..self.balancer.free.len()).min_by_key(|place| self.balancer.free[*place].1);
        if let (Some(place), Some((after, to))) = (least, turn.view.range()) {
            let (node, ..) = self.balancer.free.remove(place);
            turn.send(node, Message::Load(Inquiry::Invitation(after, to)));
        }
    }

    /// `from` asks or tells something about loads.
    pub(super) fn on_inquiry(&mut self, turn: Context<'_, '_>, from: Node, inquiry: Inquiry) {
        match inquiry {
            Inquiry::Load => match self.household.first() {
                Some(first) => turn.tell(first, Message::Word(Word::Asked(from))),
                None => self.tell_load(turn, from, turn.me),
            },
            Inquiry::IsLoad(node, load) => {
                for (asked, .., said) in &mut self.balancer.asked {
                    if *asked == node {
                        *said = Some(load);
                    }
                }
            }
            Inquiry::Free(load) => {
                self.balancer.free.retain(|(node, ..)| *node != from);
                self.balancer.free.push((from, load, turn.now));
            }
            Inquiry::Invitation(after, to) => {
                let few = turn.shared.few();
                if self.balancer.load <= few
                    && self.household.len() < turn.shared.balancing.max_sybils
                {
                    let id = Key::random_between(after, to, &mut self.random);
                    self.make_sybil(turn, id);
                }
            }
        }
    }

    /// Tells `asker` the load of the host, which it has asked `node`, one of its identities, for.
    pub(super) fn tell_load(&mut self, turn: Context<'_, '_>, asker: Node, node: Node) {
        let answer = Inquiry::IsLoad(node, self.balancer.load);
        turn.send(asker, Message::Load(answer));
    }

    /// Makes a Sybil in the arc of the most loaded of those that have answered, if it has more to do
    /// than this node.
    pub(super) fn judge(&mut self, turn: Context<'_, '_>) {
        let asked = std::mem::take(&mut self.balancer.asked);
        let busiest = asked.into_iter().rev().max_by_key(|(.., said)| *said);
        if let Some((_, after, to, Some(load))) = busiest
            && load > self.balancer.load
        {
            let id = Key::random_between(after, to, &mut self.random);
            self.make_sybil(turn, id);
        }
    }
}

/// The next `count` nodes on the ring, and the arc of each, both ends excluded.
fn arcs(turn: Context<'_, '_>, count: usize) -> Vec<(Node, Key, Key)> {
    let mut after = turn.id();
    let next = turn.view.replica_set(&after, count);
    let arc = |node: Node| {
        let to = turn.view.id(node);
        (node, std::mem::replace(&mut after, to), to)
    };
    next.into_iter().map(arc).collect()
}

impl Shared {
    /// The most atoms of a node that has little to do.
    fn few(&self) -> u32 {
        (self.mean_load() * self.balancing.threshold) as u32
    }

    /// The fewest atoms of a node that has much to do.
    fn many(&self) -> f64 {
        self.mean_load() - f64::from(self.few())
    }
}
