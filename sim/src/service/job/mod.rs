//! ChordReduce: MapReduce without a coordinator, on whatever overlay is below.
//!
//! Rosen, Benshoof, Harrison and Bourgeois, "MapReduce on a Chord distributed hash table" (2014).
//! The root of the job's address, the *stager*, cuts the job into *atoms* with random keys. Each
//! goes to the root of its key, which maps it. Results go back to the address; every node on the
//! way waits a while and reduces what it holds before it sends it on (the `forward` upcall). Atoms
//! and what came of them have copies on the replica set, the root of which takes over when others
//! go ([`custody`](super::custody)).
//!
//! The papers leave open how a result is neither lost nor counted twice. Here a reduced result
//! says which atoms are in it. The root of the address counts it only if none of them was counted
//! before; of others it asks for those that are missing, one by one, as it does when nothing comes
//! in for a while. What it has counted has copies, too, so that any node on the way, the stager
//! included, may go.
//!
//! This file is the state of a node and the order of its turns. `working` is its work on atoms,
//! `presiding` what it does with results that have come in, `household` how the identities of one
//! host share its processor, and `balancing` what it does about its load.

mod balancing;
mod collector;
mod household;
mod ledger;
mod message;
mod package;
mod parameters;
mod presiding;
mod shared;
pub mod tasks;
mod working;

pub use balancing::{Balancing, BalancingParameters};
pub use collector::{Collector, Verdict};
pub use household::Word;
pub use ledger::Ledger;
pub use message::{Atom, Message};
pub use package::{Package, bundle};
pub use parameters::{
    Bundle, Compute, JobParameters, JobSpecification, Model, NodeParameters, SpeedDistribution,
};
pub use shared::{Shared, stream_of};

use super::custody::{Change, Custody, Items, Letters, Store};
use crate::engine::{Instant, Span, Stream};
use crate::overlay::{Application, Forward, Holding, Node, Turn};
use crate::space::Key;
use balancing::Balancer;
use household::Household;
use std::collections::VecDeque;
use working::Doing;

/// What a node wakes up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The atom at work is mapped.
    Mapped,
    /// Send on what was gathered.
    Flush,
    /// Look after copies.
    Repair,
    /// See whether anything comes in.
    Quiet,
    /// See to the load.
    Balance,
    /// Whoever was asked for its load has had the time to answer.
    Judge,
}

/// A node that works on jobs.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Samples a second.
    speed: f64,
    random: Stream,
    store: Store<Atom>,
    /// Atoms to be mapped, and the one that is.
    todo: VecDeque<u32>,
    doing: Option<Doing>,
    /// Atoms that were mapped since the last flush: those with copies are not told yet.
    mapped: Vec<u32>,
    /// Results to be sent on.
    gathered: Vec<Package>,
    /// It has results to send on, or is about to: so the ledger counts it.
    has_results: bool,
    flushing: bool,
    /// When something went from here, or by way of here, to the root of the address.
    told: Instant,
    collector: Option<Collector>,
    household: Household,
    balancer: Balancer,
}

type Context<'a, 'b> = &'a mut Turn<'b, Worker>;

impl Worker {
    /// What has come in here of the job, if this node is or was the root of its address, or holds
    /// a copy.
    pub fn collector(&self) -> Option<&Collector> {
        self.collector.as_ref()
    }

    /// The numbers of the atoms that are here.
    pub fn held(&self) -> impl Iterator<Item = u32> {
        self.store.iter().map(|(_, atom)| atom.number)
    }

    /// Cuts the job into atoms and sends them on their way.
    fn stage(&mut self, turn: Context<'_, '_>) {
        let atoms = turn.shared.parameters.atoms;
        turn.ledger.stage(atoms, turn.now);
        let item = |number: u32| {
            let atom = Atom {
                number,
                result: None,
            };
            (turn.shared.keys[number as usize], atom)
        };
        let items: Items<Atom> = (0..atoms).map(item).collect();
        self.collect(turn, Vec::new());
        match turn.shared.parameters.bundle {
            Bundle::Fingers => {
                let mut letters = Letters::new();
                let fresh = self.store.take(turn.view, items, None, false, &mut letters);
                self.post(turn, letters, &fresh);
            }
            Bundle::None => {
                for (key, atom) in items {
                    turn.ledger.hold(atom.number);
                    let custody = Custody::Take {
                        items: vec![(key, atom)],
                        holder: None,
                        last: true,
                    };
                    turn.route(key, Message::Custody(custody));
                }
            }
            Bundle::Walk => {
                for (_, atom) in &items {
                    turn.ledger.hold(atom.number);
                }
                self.walk(turn, items);
            }
        }
    }

    /// As coded: keeps the atoms that are its own, and sends the others to a random node.
    fn walk(&mut self, turn: Context<'_, '_>, items: Items<Atom>) {
        let (mine, others): (Items<Atom>, _) =
            items.into_iter().partition(|(key, _)| turn.owns(key));
        for (_, atom) in &mine {
            turn.ledger.release(atom.number);
        }
        let mut letters = Letters::new();
        let fresh = self.store.take(turn.view, mine, None, true, &mut letters);
        self.post(turn, letters, &fresh);
        if !others.is_empty() {
            let key = Key::random(&mut self.random);
            turn.route(key, Message::Walk(others));
        }
    }

    /// Sends letters of the store, writes down what came and went, and takes on what is `fresh`.
    fn post(&mut self, turn: Context<'_, '_>, letters: Letters<Atom>, fresh: &[Key]) {
        for (to, custody) in letters {
            for (_, atom) in custody.unheld() {
                turn.ledger.hold(atom.number);
            }
            turn.send(to, Message::Custody(custody));
        }
        for change in self.store.changes() {
            match change {
                Change::Came(key) => turn.ledger.hold(turn.shared.number_of(&key)),
                Change::Went(key) => turn.ledger.release(turn.shared.number_of(&key)),
            }
        }
        for key in fresh {
            if let Some(atom) = self.store.get(key)
                && atom.result.is_none()
                && self.store.looks_after(key)
            {
                turn.ledger.charge();
                self.todo.push_back(atom.number);
            }
        }
        self.work(turn);
    }

    /// Looks after what it holds: the neighbourhood may have changed.
    fn review(&mut self, turn: Context<'_, '_>) {
        let mut letters = Letters::new();
        let fresh = self
            .store
            .review(turn.me, turn.view, turn.now, &mut letters);
        self.post(turn, letters, &fresh);
        self.see_who_presides(turn);
    }

    /// `from` has told something of atoms.
    fn take(&mut self, turn: Context<'_, '_>, from: Node, custody: Custody<Atom>) {
        for (_, atom) in custody.unheld() {
            turn.ledger.release(atom.number);
        }
        let mut letters = Letters::new();
        let fresh = self
            .store
            .receive(turn.view, turn.now, from, custody, &mut letters);
        self.post(turn, letters, &fresh);
        self.leave_if_nothing_is_lost(turn);
    }
}

impl Application for Worker {
    type Shared = Shared;
    type Message = Message;
    type Timer = Timer;
    type Ledger = Ledger;
    const ITEM: &'static str = "atom";

    fn new(shared: &Shared, site: u32, random: Stream) -> Self {
        Self {
            speed: shared.speed_of(site),
            random,
            store: Store::new(shared.parameters.replicas),
            todo: VecDeque::new(),
            doing: None,
            mapped: Vec::new(),
            gathered: Vec::new(),
            has_results: false,
            flushing: false,
            told: Instant::START,
            collector: None,
            household: Household::default(),
            balancer: Balancer::default(),
        }
    }

    fn beside(&mut self, first: Node) {
        self.household.belong_to(first);
    }

    fn start(&mut self, turn: Context<'_, '_>) {
        // All at different times.
        let phase = turn.shared.parameters.repair.as_secs_f64() * self.random.unit();
        turn.set_timer(Span::from_secs_f64(phase), Timer::Repair);
        self.begin_to_balance(turn);
        self.go_on(turn);
    }

    fn deliver(&mut self, turn: Context<'_, '_>, origin: Node, _: Key, message: Message) {
        if message.brings_results() {
            turn.ledger.come_to_rest();
        }
        match message {
            Message::Stage => self.stage(turn),
            Message::Custody(custody) => self.take(turn, origin, custody),
            Message::Walk(items) => self.walk(turn, items),
            Message::Results(_, packages) => {
                let dropped = self.collect(turn, packages);
                turn.ledger.duplicates += dropped as u64;
            }
            Message::Counted(packages) => {
                self.collect(turn, packages);
            }
            Message::Pending(_) => self.preside(turn),
            Message::Recall(atoms, last) => self.recall(turn, atoms, last),
            Message::Word(_) | Message::Load(_) => {}
        }
    }

    fn forward(
        &mut self,
        turn: Context<'_, '_>,
        _: Key,
        message: &mut Message,
        _: Node,
    ) -> Forward {
        match message {
            Message::Results(by, packages) if *by != turn.me => {
                let packages = std::mem::take(packages);
                turn.ledger.come_to_rest();
                self.gather(turn, packages);
                Forward::Absorb
            }
            Message::Pending(by) if *by != turn.me => {
                *by = turn.me;
                if self.tell(turn) {
                    Forward::Pass
                } else {
                    Forward::Absorb
                }
            }
            _ => Forward::Pass,
        }
    }

    fn receive(&mut self, turn: Context<'_, '_>, from: Node, message: Message) {
        if message.brings_results() {
            turn.ledger.come_to_rest();
        }
        match message {
            Message::Custody(custody) => self.take(turn, from, custody),
            Message::Counted(packages) => self.learn(turn, packages),
            Message::Recall(atoms, last) => self.recall(turn, atoms, last),
            Message::Word(word) => self.hear(turn, from, word),
            Message::Load(inquiry) => self.on_inquiry(turn, from, inquiry),
            Message::Stage | Message::Walk(_) | Message::Results(..) | Message::Pending(_) => {}
        }
    }

    fn undelivered(&mut self, turn: Context<'_, '_>, to: Node, message: Message) {
        if message.brings_results() {
            turn.ledger.come_to_rest();
        }
        match message {
            Message::Custody(custody) => {
                for (_, atom) in custody.unheld() {
                    turn.ledger.release(atom.number);
                }
                let mut letters = Letters::new();
                let fresh = self.store.undelivered(turn.view, to, custody, &mut letters);
                self.post(turn, letters, &fresh);
            }
            Message::Recall(atoms, _) => self.recall(turn, atoms, false),
            Message::Word(word) => self.unheard(turn, to, word),
            Message::Load(_) => {}
            Message::Counted(_) => {
                if let Some(collector) = &mut self.collector {
                    collector.copies.retain(|copy| *copy != to);
                }
            }
            Message::Stage | Message::Walk(_) | Message::Results(..) | Message::Pending(_) => {}
        }
    }

    fn on_timer(&mut self, turn: Context<'_, '_>, timer: Timer) {
        match timer {
            Timer::Mapped => self.finish(turn),
            Timer::Flush => self.flush(turn),
            Timer::Quiet => self.see_quiet(turn),
            Timer::Balance => self.see_to_load(turn),
            Timer::Judge => self.judge(turn),
            Timer::Repair => {
                let period = turn.shared.parameters.repair;
                let mut letters = Letters::new();
                let fresh =
                    self.store
                        .remind(turn.me, turn.view, turn.now, period * 3, &mut letters);
                self.post(turn, letters, &fresh);
                self.see_whether_known(turn);
                self.retire(turn);
                turn.set_timer(period, Timer::Repair);
            }
        }
    }

    fn update(&mut self, turn: Context<'_, '_>) {
        self.review(turn);
    }

    /// Atoms, results and what was counted are on the disk; the atom at work is to be mapped again.
    fn pause(&mut self, now: Instant, ledger: &mut Ledger) {
        if let Some(Doing { atom, of }) = self.doing.take() {
            ledger.break_map(now);
            if of.is_none() {
                self.todo.push_front(atom);
            }
        }
        self.account(ledger);
        self.flushing = false;
        // The other identities on the host are gone for good.
        self.household = Household::default();
        self.balancer = Balancer::default();
    }

    fn perish(&mut self, now: Instant, ledger: &mut Ledger) {
        for (_, atom) in self.store.iter() {
            ledger.release(atom.number);
        }
        if self.doing.take().is_some() {
            ledger.break_map(now);
        }
        self.mapped.clear();
        self.gathered.clear();
        self.account(ledger);
        if let Some(collector) = &self.collector {
            let packages = collector.packages().iter();
            let atoms = packages.flat_map(|package| &package.atoms);
            ledger.forget(collector.count(), atoms);
        }
    }

    fn vanish(message: &Message, ledger: &mut Ledger) {
        if matches!(message, Message::Stage) && ledger.staged.is_none() {
            // Nobody knows of the job, and nobody ever will.
            ledger.over = true;
        }
        if message.brings_results() {
            ledger.come_to_rest();
        }
        for (_, atom) in message.unheld() {
            ledger.release(atom.number);
        }
    }

    fn forge(message: &mut Message) {
        message.forge();
    }

    fn bytes(message: &Message) -> u32 {
        message.bytes()
    }

    fn kind(message: &Message) -> &'static str {
        message.kind()
    }

    fn show(&self, see: &mut dyn FnMut(&Key, Holding)) {
        for (key, atom) in self.store.iter() {
            let holding = if !self.store.looks_after(key) {
                Holding::Copy
            } else if self.doing.is_some_and(|doing| doing.atom == atom.number) {
                Holding::Begun
            } else if atom.result.is_some() || self.mapped.contains(&atom.number) {
                Holding::Done
            } else {
                Holding::Open
            };
            see(key, holding);
        }
    }

    fn accounts(ledger: &Ledger) -> Vec<(&'static str, u64)> {
        vec![
            ("atoms mapped", ledger.first_maps.len() as u64),
            ("atoms counted", ledger.counted()),
            ("atoms mapped again", ledger.redone()),
            ("duplicates dropped", ledger.duplicates),
        ]
    }

    fn is_over(ledger: &Ledger) -> bool {
        ledger.is_over()
    }
}
