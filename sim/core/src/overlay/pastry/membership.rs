//! Joining (section 2.4), and the repair of leaf sets and routing tables.

use super::{Context, NextHop, Node, Overlay, shared_digits};
use super::{Joiner, LeafSet, Message, Pastry, Place, Purpose, RoutingTable, Sides, Stage, Timer};
use crate::space::{Key, Ring};

/// The nodes that are asked at most for another entry of the routing table; the exchange of rows
/// finds the others. Where the subtree has no node, all answers are empty.
const ADVISERS: u8 = 4;

impl Pastry {
    /// Asks `bootstrap` to pass a join on to the root of this node's ID.
    pub(super) fn begin_join(&mut self, context: &mut Context<'_, Self>, bootstrap: Node) {
        let joiner = self.next_joiner(context.me);
        if bootstrap == context.me {
            // A node that has lost its leaves may draw itself, and may be alone by now: it finds
            // out which of its peers are alive.
            let ping = |node| context.request(node, Message::Ping, Purpose::Ping);
            self.table.all().for_each(ping);
        } else {
            context.request(bootstrap, Message::Join(joiner), Purpose::Join(joiner));
        }
        context.set_timer(context.shared.join_timeout, Timer::Join(self.attempt));
    }

    /// A join of this node, `me`, in a new attempt.
    pub(super) fn next_joiner(&mut self, me: Node) -> Joiner {
        self.attempt = self.attempt.wrapping_add(1);
        Joiner {
            node: me,
            attempt: self.attempt,
            row: 0,
        }
    }

    /// Whether this node takes joiners on their way: it has a place, or is alone.
    pub(super) fn can_pass_joins(&self) -> bool {
        match self.stage {
            Stage::Joining => false,
            Stage::Member => true,
            Stage::Lost => self.table.all().next().is_none(),
        }
    }

    /// Sends a joiner the rows of the routing table that it shares with this node and does not have
    /// yet, and passes the join on; the root of its ID sends its leaf set.
    pub(super) fn pass_join_on(&mut self, context: &mut Context<'_, Self>, joiner: Joiner) {
        let (b, ids) = (context.shared.b, context.ids);
        let key = ids.id(joiner.node);
        let shared = shared_digits(self.id, key, b);
        let rows = (joiner.row..=shared).flat_map(|row| self.table.row(row, b));
        let rows: Box<[Node]> = rows.filter(|node| *node != joiner.node).collect();
        if joiner.row <= shared {
            context.send(joiner.node, Message::Rows(rows));
        }
        let hop = self.next_hop_without(context.shared, ids, context.me, &key, joiner.node);
        match hop {
            NextHop::Root => {
                let welcome = Message::Welcome(joiner.attempt, self.leaves.clone());
                context.send(joiner.node, welcome);
            }
            NextHop::Next(next) | NextHop::Last(next) => {
                let joiner = Joiner {
                    row: joiner.row.max(shared + 1),
                    ..joiner
                };
                context.request(next, Message::Join(joiner), Purpose::Join(joiner));
            }
        }
    }

    /// `silent` has not passed a join on: another node does, or the joiner begins again.
    pub(super) fn retry_join(
        &mut self,
        context: &mut Context<'_, Self>,
        silent: Node,
        joiner: Joiner,
    ) {
        if joiner.node == context.me {
            self.abandon_join(context, joiner.attempt);
        } else {
            self.forget(context, silent);
            self.pass_join_on(context, joiner);
        }
    }

    /// An attempt to join has failed: if it is the last one, another begins.
    pub(super) fn abandon_join(&self, context: &mut Context<'_, Self>, attempt: u16) {
        if self.stage != Stage::Member && attempt == self.attempt {
            context.rejoin();
        }
    }

    /// A joiner receives rows of a routing table. If it has joined already, the nodes in them learn
    /// of it now.
    pub(super) fn on_rows(&mut self, context: &mut Context<'_, Self>, from: Node, nodes: &[Node]) {
        let (ids, b) = (context.ids, context.shared.b);
        for node in std::iter::once(&from).chain(nodes) {
            let entered = *node != context.me && self.table.insert(ids, self.id, b, *node);
            if entered && self.stage == Stage::Member {
                context.send(*node, Message::Joined);
            }
        }
    }

    /// A joiner receives the leaf set of `root`, the root of its ID: it has its place. A member may
    /// have asked for that of another network: what belongs there enters its own.
    pub(super) fn on_welcome(
        &mut self,
        context: &mut Context<'_, Self>,
        root: Node,
        attempt: u16,
        leaves: &LeafSet,
    ) {
        if attempt != self.attempt || root == context.me {
            return;
        }
        if self.stage == Stage::Member {
            self.on_leaves(context, root, Sides::NONE, leaves);
            return;
        }
        let (me, ids, half) = (context.me, context.ids, context.shared.half());
        // The joiner may be a leaf of the root from an earlier session.
        let mut told = leaves.clone();
        told.remove(me);
        let closed = leaves.is_closed() || told.is_closed();
        let after = ids.id(root).wrapping_sub(self.id) == Ring::either_way(&self.id, &ids.id(root));
        let sides = Sides {
            after: closed || after,
            before: closed || !after,
        };
        self.leaves.insert(ids, self.id, half, root, sides);
        self.leaves.merge(ids, self.id, half, &told, |_| false);
        self.complete_join(context);
        self.announce(context);
    }

    /// Makes the node a member.
    pub(super) fn complete_join(&mut self, context: &mut Context<'_, Self>) {
        if self.stage == Stage::Joining {
            self.maintain(context);
            context.joined();
        }
        self.stage = Stage::Member;
        context.update();
    }

    /// Tells all peers of this node, which has joined or is back; the leaves send their leaf sets.
    pub(super) fn announce(&mut self, context: &mut Context<'_, Self>) {
        let leaves: Vec<Node> = self.leaves.distinct().collect();
        let others = self.table.all().filter(|node| !leaves.contains(node));
        others.for_each(|node| context.send(node, Message::Joined));
        self.fill_table(context, &leaves);
        for leaf in leaves {
            self.ask_for_leaves(context, leaf, Sides::NONE);
        }
    }

    /// A message of `from` has arrived: it may belong among the peers.
    pub(super) fn on_contact(&mut self, context: &mut Context<'_, Self>, from: Node) {
        self.silent.retain(|node| *node != from);
        let (ids, b) = (context.ids, context.shared.b);
        self.table.insert(ids, self.id, b, from);
        if self.stage == Stage::Member {
            let sides = if self.leaves.is_closed() {
                Sides::BOTH
            } else {
                Sides::NONE
            };
            self.enter_leaf(context, from, sides);
        }
    }

    /// Enters `node`, which is alive, into the leaf set where it belongs there.
    fn enter_leaf(&mut self, context: &mut Context<'_, Self>, node: Node, sides: Sides) {
        let half = context.shared.half();
        if self.leaves.insert(context.ids, self.id, half, node, sides) {
            context.update();
        }
    }

    /// Asks `node` for its leaf set; if it answers, it may lengthen `sides`.
    pub(super) fn ask_for_leaves(
        &mut self,
        context: &mut Context<'_, Self>,
        node: Node,
        sides: Sides,
    ) {
        if !self.asked.contains(&node) {
            self.asked.push(node);
            context.request(node, Message::Leaves, Purpose::Leaves(sides));
        }
    }

    /// `from` has sent its leaf set.
    pub(super) fn on_leaves(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        sides: Sides,
        leaves: &LeafSet,
    ) {
        self.asked.retain(|node| *node != from);
        if self.stage == Stage::Member {
            self.enter_leaf(context, from, sides);
            self.consider(context, leaves);
        }
    }

    /// Contacts the nodes of `told`, the leaf set of a node next to this one, that belong into this
    /// leaf set: they enter it once they have answered.
    fn consider(&mut self, context: &mut Context<'_, Self>, told: &LeafSet) {
        let (me, ids, half) = (context.me, context.ids, context.shared.half());
        let mut wanted = self.leaves.clone();
        let skipped = |node| node == me || self.silent.contains(&node);
        if !wanted.merge(ids, self.id, half, told, skipped) {
            return;
        }
        for node in wanted.distinct() {
            let lengthens = Sides {
                after: wanted.after().contains(&node) && !self.leaves.after().contains(&node),
                before: wanted.before().contains(&node) && !self.leaves.before().contains(&node),
            };
            if lengthens != Sides::NONE {
                self.ask_for_leaves(context, node, lengthens);
            }
        }
    }

    /// Asks for leaves where a side is short of them: the last one on that side or, if there is
    /// none, the nearest known node there.
    pub(super) fn lengthen(&mut self, context: &mut Context<'_, Self>) {
        if self.stage != Stage::Member {
            return;
        }
        let short = self.leaves.short_sides(context.shared.half());
        if short.after {
            let last = self.leaves.after().last().copied();
            let away = |id: Key| id.wrapping_sub(self.id);
            let node = last.or_else(|| self.nearest_peer(context, away));
            let sides = Sides {
                after: true,
                ..Sides::NONE
            };
            node.into_iter()
                .for_each(|node| self.ask_for_leaves(context, node, sides));
        }
        if short.before {
            let last = self.leaves.before().last().copied();
            let away = |id: Key| self.id.wrapping_sub(id);
            let node = last.or_else(|| self.nearest_peer(context, away));
            let sides = Sides {
                before: true,
                ..Sides::NONE
            };
            node.into_iter()
                .for_each(|node| self.ask_for_leaves(context, node, sides));
        }
    }

    /// The known node with the least `away` of its ID.
    fn nearest_peer(&self, context: &Context<'_, Self>, away: impl Fn(Key) -> Key) -> Option<Node> {
        let peers = self.table.all().chain(self.leaves.distinct());
        let others = peers.filter(|node| !self.silent.contains(node));
        others.min_by_key(|node| (away(context.ids.id(*node)), *node))
    }

    /// Removes `node`, which has timed out, and looks for others in its places.
    pub(super) fn forget(&mut self, context: &mut Context<'_, Self>, node: Node) {
        let (ids, b) = (context.ids, context.shared.b);
        if !self.silent.contains(&node) {
            self.silent.push(node);
        }
        if let Some(place) = self.table.remove(ids, self.id, b, node)
            && self.stage == Stage::Member
        {
            self.ask_for_entry(context, place, 0);
        }
        if self.leaves.remove(node) {
            context.update();
            if self.leaves.is_empty() && self.stage == Stage::Member {
                self.stage = Stage::Lost;
                context.rejoin();
            }
            self.lengthen(context);
        }
    }

    /// Asks for another entry at `place`; `tries` nodes have been asked before.
    fn ask_for_entry(&self, context: &mut Context<'_, Self>, place: Place, tries: u8) {
        let mut advisers = self.table.advisers(place, context.shared.b);
        if tries < ADVISERS
            && let Some(adviser) = advisers.nth(tries.into())
        {
            let purpose = Purpose::Entry(place, tries + 1);
            context.request(adviser, Message::Entry(place), purpose);
        }
    }

    /// The answer to a request for an entry at `place`.
    pub(super) fn on_entry(
        &mut self,
        context: &mut Context<'_, Self>,
        place: Place,
        tries: u8,
        entry: Option<Node>,
    ) {
        let (ids, b) = (context.ids, context.shared.b);
        match entry.filter(|node| !self.silent.contains(node)) {
            Some(node) if RoutingTable::place(self.id, ids.id(node), b) == place => {
                self.table.insert(ids, self.id, b, node);
            }
            _ if self.table.get(place, b).is_none() => self.ask_for_entry(context, place, tries),
            _ => {}
        }
    }

    /// A leaf leaves: the nodes of its leaf set may take its place.
    pub(super) fn on_leaving(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        leaves: &LeafSet,
    ) {
        self.forget(context, from);
        if self.stage == Stage::Member {
            self.consider(context, leaves);
        }
    }
}
