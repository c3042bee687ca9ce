//! Joining and neighbour maintenance of Chord, in two variants.
//!
//! | | classic (SIGCOMM 2001) | correct (Zave 2017) |
//! |---|---|---|
//! | a joiner takes | the root of its ID as first successor, without contacting it | the successor list of the node before it, sent by that node |
//! | a new successor is taken over | without contacting it | once it has replied, with its own list |
//! | the successor list follows | by a separate step | together with the successor |
//! | a new predecessor is taken over | if it is nearer | if it is nearer, or the old one is silent |
//!
//! Zave, section 5, explains why each step of the correct variant leaves the ring intact: no list
//! ever skips a node that all others know of, since a list is always taken whole from the node that
//! it begins with.

use super::{Chord, Join, Message, Peer, Purpose, Recovery, Stage, Variant};
use crate::overlay::{Context, Node, Overlay};
use crate::space::Key;

impl Chord {
    /// The successor list.
    pub(super) fn list(&self) -> Box<[Node]> {
        self.peers
            .successors()
            .iter()
            .map(|peer| peer.node())
            .collect()
    }

    /// Whether `node` is after this node and before `end`, once around the ring.
    fn is_before(&self, context: &Context<'_, Self>, node: Node, end: Node) -> bool {
        let ahead = |node| context.ids.id(node).wrapping_sub(self.id);
        node != context.me && (end == context.me || ahead(node) < ahead(end))
    }

    /// Takes `successor` and its successor list as the new successor list.
    fn take_successor_list(
        &mut self,
        context: &mut Context<'_, Self>,
        successor: Node,
        list: &[Node],
    ) {
        let r = context.shared.successors;
        let mine = self.peers.successors();
        let told = std::iter::once(successor).chain(list.iter().copied());
        // The common case: nothing has changed.
        if mine.len() == r && mine.iter().map(|peer| peer.node()).eq(told.clone().take(r)) {
            return;
        }
        let followers: Vec<Node> = told.collect();
        self.set_successor_list(context, &followers);
    }

    /// Makes `followers` the successor list.
    fn set_successor_list(&mut self, context: &mut Context<'_, Self>, followers: &[Node]) {
        let r = context.shared.successors;
        if self
            .peers
            .set_successors(context.shared.base, context.ids, context.me, followers, r)
        {
            context.update();
            if context.shared.recovery == Recovery::Reactive
                && self.stage == Stage::Member
                && let Some(before) = self.predecessor()
            {
                context.send(before, Message::Changed(self.predecessor(), self.list()));
            }
        }
    }

    /// `from`, which may be of another ring, asks for its neighbours here: this node is before the
    /// `root` of its ID. Each takes the other where it is nearer than its own neighbours.
    pub(super) fn on_meet(&mut self, context: &mut Context<'_, Self>, from: Node, root: Node) {
        if from == context.me {
            return;
        }
        self.on_precede(context, from);
        if root != from {
            context.send(from, Message::Met(root));
        }
    }

    /// Makes the node a member.
    pub(super) fn complete_join(&mut self, context: &mut Context<'_, Self>) {
        if self.stage == Stage::Joining {
            self.maintain(context);
            context.joined();
        }
        self.stage = Stage::Member;
    }

    /// A joiner asks for its place: this node is before the `root` of its ID, or is the root.
    pub(super) fn on_join(&mut self, context: &mut Context<'_, Self>, joiner: Node, root: Node) {
        match self.predecessor() {
            Some(before)
                if root == context.me
                    && before != joiner
                    && !self.peers.successors().is_empty() =>
            {
                context.send(joiner, Message::Ask(before));
            }
            _ => {
                let fingers = self.peers.fingers().iter().map(|peer| peer.node());
                // The nodes before the root in the list were silent.
                let list = self.peers.successors().iter().map(|peer| peer.node());
                let list = list.skip_while(|node| *node != root && root != context.me);
                // The list may have the joiner itself from an earlier session.
                let mut list: Vec<Node> = list.filter(|node| *node != joiner).collect();
                if list.is_empty() && root != context.me {
                    list.push(root);
                }
                context.send(joiner, Message::Welcome(list.into(), fingers.collect()));
            }
        }
    }

    /// A joiner learns which node is before the root of its ID.
    pub(super) fn on_ask(&mut self, context: &mut Context<'_, Self>, before: Node) {
        if self.stage != Stage::Member && before != context.me {
            context.request(before, Message::Neighbours, Purpose::Place(self.attempt));
        }
    }

    /// A joiner receives the lists of the node before it.
    pub(super) fn on_welcome(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        list: &[Node],
        fingers: &[Node],
    ) {
        if self.stage == Stage::Member || from == context.me {
            return;
        }
        self.on_place(context, from, list);
        if context.shared.copy_fingers {
            let base = context.shared.base;
            self.peers
                .copy_fingers(base, context.ids, context.me, fingers);
        }
    }

    /// A joiner has its successors; `before` is the node before it.
    fn become_member(&mut self, context: &mut Context<'_, Self>, before: Node) {
        self.complete_join(context);
        if context.shared.variant == Variant::Correct
            && let Some(successor) = self.first_successor()
        {
            context.send(successor, Message::Notify);
        }
        if context.shared.join == Join::Announced {
            context.send(before, Message::Precede);
        }
    }

    /// A joiner announces that it follows this node.
    pub(super) fn on_precede(&mut self, context: &mut Context<'_, Self>, from: Node) {
        let end = self.first_successor().unwrap_or(context.me);
        if !self.is_before(context, from, end) {
            return;
        }
        match context.shared.variant {
            Variant::Correct => context.request(from, Message::Neighbours, Purpose::Between),
            Variant::Classic => self.take_first(context, from),
        }
    }

    /// Replaces only the first successor (classic): the rest of the list waits for the next
    /// reconciliation.
    fn take_first(&mut self, context: &mut Context<'_, Self>, first: Node) {
        let mut followers = self.list().into_vec();
        match followers.first_mut() {
            Some(old) => *old = first,
            None => followers.push(first),
        }
        if self.peers.is_closed() {
            followers.push(context.me);
        }
        self.set_successor_list(context, &followers);
    }

    /// `from` considers itself this node's predecessor.
    pub(super) fn on_notify(&mut self, context: &mut Context<'_, Self>, from: Node) {
        let ahead = context.ids.id(from).wrapping_sub(self.id);
        let further = |old: Peer| old.compare(context.ids, self.id, &ahead).is_lt();
        match self.predecessor {
            Some(old) if old.node() == from => {}
            Some(old) if !further(old) => {
                // Zave's rectify: the old one stays only if it answers.
                if context.shared.variant == Variant::Correct {
                    context.request(old.node(), Message::Ping, Purpose::Rectify(from));
                }
            }
            _ => self.precede(context, from),
        }
        // A lone node gets its first successor; a node that is joining, known from an earlier
        // session, finds its own.
        if self.peers.successors().is_empty() && self.stage != Stage::Joining {
            self.set_successor_list(context, &[from]);
        }
    }

    fn precede(&mut self, context: &mut Context<'_, Self>, node: Node) {
        self.predecessor = Some(Peer::new(context.ids, self.id, node));
        context.update();
    }

    /// `from` has sent its predecessor and its successor list.
    pub(super) fn on_neighbours(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Purpose,
        before: Option<Node>,
        list: &[Node],
    ) {
        match (purpose, context.shared.variant) {
            (Purpose::Place(attempt), _) if attempt == self.attempt => {
                self.on_place(context, from, list);
            }
            // The reply of a node that is no longer the successor.
            (Purpose::Stabilise | Purpose::Reconcile, _)
                if self.first_successor() != Some(from) => {}
            (Purpose::Stabilise, Variant::Correct) => {
                self.take_successor_list(context, from, list);
                match before.filter(|before| self.is_before(context, *before, from)) {
                    Some(between) => {
                        context.request(between, Message::Neighbours, Purpose::Between);
                    }
                    None => context.send(from, Message::Notify),
                }
            }
            (Purpose::Stabilise, Variant::Classic) => {
                let between = before.filter(|before| self.is_before(context, *before, from));
                if let Some(between) = between {
                    self.take_first(context, between);
                }
                context.send(between.unwrap_or(from), Message::Notify);
            }
            (Purpose::Reconcile, _) => self.take_successor_list(context, from, list),
            (Purpose::Between, _) => {
                let end = self.first_successor().unwrap_or(context.me);
                if from == end || self.is_before(context, from, end) {
                    self.take_successor_list(context, from, list);
                    context.send(from, Message::Notify);
                }
            }
            _ => {}
        }
    }

    /// The node that may be before a joiner has sent its successors.
    fn on_place(&mut self, context: &mut Context<'_, Self>, from: Node, list: &[Node]) {
        if self.stage == Stage::Member {
            return;
        }
        let from_id = context.ids.id(from);
        let ahead = |id: Key| id.wrapping_sub(from_id);
        // The list may have the joiner itself from an earlier session.
        let list = match list {
            [first, rest @ ..] if *first == context.me => rest,
            _ => list,
        };
        match (list.first(), context.shared.variant) {
            // Another node is in between: ask it for its successors.
            (Some(first), _) if ahead(context.ids.id(*first)) < ahead(self.id) => {
                context.request(*first, Message::Neighbours, Purpose::Place(self.attempt));
            }
            (Some(_), Variant::Correct) => {
                self.set_successor_list(context, list);
                self.precede(context, from);
                self.become_member(context, from);
            }
            // In SIGCOMM 2001 a joiner knows only the name of its successor.
            (Some(first), Variant::Classic) => {
                self.set_successor_list(context, &[*first]);
                self.become_member(context, from);
            }
            // That node is alone.
            (None, _) => {
                self.set_successor_list(context, &[from]);
                self.become_member(context, from);
            }
        }
    }

    /// An attempt to join has failed: if it is the last one, another begins.
    pub(super) fn abandon_join(&self, context: &mut Context<'_, Self>, attempt: u8) {
        if self.stage != Stage::Member && attempt == self.attempt {
            context.rejoin();
        }
    }

    /// A request has timed out.
    pub(super) fn on_no_answer(
        &mut self,
        context: &mut Context<'_, Self>,
        purpose: Option<Purpose>,
    ) {
        match purpose {
            // The next in the list is now the successor (Zave's stabilize).
            Some(Purpose::Stabilise) if context.shared.variant == Variant::Correct => {
                if let Some(successor) = self.first_successor() {
                    context.request(successor, Message::Neighbours, Purpose::Stabilise);
                }
            }
            Some(Purpose::Between) => {
                if let Some(successor) = self.first_successor() {
                    context.send(successor, Message::Notify);
                }
            }
            Some(Purpose::Rectify(candidate)) if self.predecessor.is_none() => {
                self.precede(context, candidate);
            }
            Some(Purpose::Place(attempt)) => self.abandon_join(context, attempt),
            _ => {}
        }
    }

    /// A neighbour leaves: its own neighbours take its place (ToN, section IV-E.4).
    pub(super) fn on_leaving(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        before: Option<Node>,
        list: &[Node],
    ) {
        let was_first = self.first_successor() == Some(from);
        let was_predecessor = self.predecessor() == Some(from);
        self.forget(context, from);
        if was_predecessor {
            let before = before.filter(|before| *before != context.me);
            self.predecessor = before.map(|node| Peer::new(context.ids, self.id, node));
        }
        if was_first {
            self.set_successor_list(context, list);
        }
        context.update();
    }
}
