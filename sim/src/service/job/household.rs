//! The identities of one host: friendly Sybils, which the first of them has made. They have one
//! processor together, which the first one gives to whoever has work.
//!
//! What they tell each other costs no message and no time. One atom is lent at a time, so that what a
//! Sybil has not begun can still go to others.

use super::super::custody::Letters;
use super::package::Package;
use super::{Context, Message, Worker};
use crate::overlay::Node;

/// What identities of one host tell each other.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    /// To the first one: this one has its place.
    Here,
    /// To the first one: there is work here.
    Ready,
    /// To another: what is there to do?
    Idle,
    /// To the first one: this atom; nothing if there is none any more.
    Lent(Option<u32>),
    /// To another: the atom that it has lent is mapped.
    Done(u32),
    /// To another: how many atoms are there to do?
    Count,
    /// To the first one: so many.
    Counted(u32),
    /// To the first one: that node wants to know the load of the host.
    Asked(Node),
    /// To another: it is not needed any more.
    Dismissed,
    /// To the first one: it is, since something has come.
    Stays,
}

/// The other identities on the host of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Household {
    /// The one that has made this one.
    first: Option<Node>,
    /// Those that this one has made, which have their places.
    others: Vec<Node>,
    /// How many of them have not found their places yet.
    coming: u32,
    /// Those that have work, in the order in which they have said so.
    ready: Vec<Node>,
    /// One of these was asked for an atom, or the first one knows that there are some here.
    waiting: bool,
    /// This one was dismissed, and leaves when nothing goes with it.
    retiring: bool,
}

impl Household {
    /// The one that has made this one, if this is a Sybil.
    pub fn first(&self) -> Option<Node> {
        self.first
    }

    /// Whether an atom was asked for and is about to come.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// It was made by `first`.
    pub fn belong_to(&mut self, first: Node) {
        self.first = Some(first);
    }

    /// Those that this one has made, which have their places.
    pub fn others(&self) -> &[Node] {
        &self.others
    }

    /// How many there are, or will be soon.
    pub fn len(&self) -> u32 {
        self.others.len() as u32 + self.coming
    }

    /// One more is on its way to its place.
    pub fn expect(&mut self) {
        self.coming += 1;
    }

    fn forget(&mut self, other: Node) {
        self.others.retain(|node| *node != other);
        self.ready.retain(|node| *node != other);
    }
}

impl Worker {
    /// Whether this is an identity that another one on the same host has made.
    pub fn is_friendly_sybil(&self) -> bool {
        self.household.first.is_some()
    }

    /// A Sybil has the first one of the host know that it has work, once.
    pub(super) fn ask_for_work_to_be_done(&mut self, turn: Context<'_, '_>) {
        if let Some(first) = self.household.first
            && !self.todo.is_empty()
            && !std::mem::replace(&mut self.household.waiting, true)
        {
            turn.tell(first, Message::Word(Word::Ready));
        }
    }

    /// The first one has nothing to do of its own.
    pub(super) fn work_for_others(&mut self, turn: Context<'_, '_>) {
        if let Some(other) = self.household.ready.first() {
            self.household.waiting = true;
            turn.tell(*other, Message::Word(Word::Idle));
        }
    }

    /// Has all Sybils of the host leave.
    pub(super) fn dismiss_others(&mut self, turn: Context<'_, '_>) {
        self.household.ready.clear();
        for other in self.household.others.drain(..) {
            turn.tell(other, Message::Word(Word::Dismissed));
        }
    }

    /// A Sybil that was dismissed gives what it looks after to its successor.
    pub(super) fn retire(&mut self, turn: Context<'_, '_>) {
        if !self.household.retiring {
            return;
        }
        if let Some(heir) = turn.view.replica_set(&turn.id(), 1).first() {
            let mut letters = Letters::new();
            self.store.bequeath(turn.me, *heir, turn.now, &mut letters);
            self.post(turn, letters, &[]);
        }
        self.leave_if_nothing_is_lost(turn);
    }

    /// A Sybil that was dismissed leaves when it has sent on all results and others look after all that
    /// is here.
    pub(super) fn leave_if_nothing_is_lost(&mut self, turn: Context<'_, '_>) {
        if self.household.retiring
            && self.mapped.is_empty()
            && self.gathered.is_empty()
            && self.store.has_only_copies()
        {
            turn.leave();
        }
    }

    /// Another identity on the host, `from`, has said something.
    pub(super) fn hear(&mut self, turn: Context<'_, '_>, from: Node, word: Word) {
        match word {
            Word::Here => {
                self.household.coming = self.household.coming.saturating_sub(1);
                self.household.others.push(from);
            }
            Word::Ready => {
                self.household.ready.push(from);
                self.work(turn);
            }
            Word::Idle => {
                let atom = self.next_atom(turn);
                self.household.waiting = atom.is_some();
                turn.tell(from, Message::Word(Word::Lent(atom)));
            }
            Word::Lent(atom) => {
                self.household.waiting = false;
                match atom {
                    Some(atom) => self.map(turn, atom, Some(from)),
                    None => self.household.ready.retain(|node| *node != from),
                }
                self.work(turn);
            }
            Word::Done(atom) => self.mapped(turn, atom),
            Word::Count => {
                let open = self.open();
                turn.tell(from, Message::Word(Word::Counted(open)));
            }
            Word::Counted(open) => self.add_up(turn, open),
            Word::Asked(asker) => self.tell_load(turn, asker, from),
            Word::Dismissed => {
                if self.open() == 0 {
                    self.household.retiring = true;
                    self.retire(turn);
                } else {
                    turn.tell(from, Message::Word(Word::Stays));
                    self.household.waiting = false;
                    self.ask_for_work_to_be_done(turn);
                }
            }
            Word::Stays => self.household.others.push(from),
        }
    }

    /// The identity `to` on the host is gone, and has not heard `word`.
    pub(super) fn unheard(&mut self, turn: Context<'_, '_>, to: Node, word: Word) {
        self.household.forget(to);
        match word {
            Word::Idle => {
                self.household.waiting = false;
                self.work(turn);
            }
            Word::Done(atom) => {
                let result = turn.shared.result_of(atom);
                self.gather(turn, vec![Package::of(atom, result)]);
            }
            Word::Count => self.add_up(turn, 0),
            _ => {}
        }
    }
}
