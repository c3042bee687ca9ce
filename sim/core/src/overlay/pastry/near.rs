//! Entries of the routing table that are near: proximity neighbour selection.

use super::routing_table::{Place, RoutingTable};
use super::{Message, Near, Pastry, Purpose};
use crate::overlay::{Context, Node};

impl Pastry {
    /// Compares each of `nodes`, the row of another node, with the present entry of its place: a
    /// ping goes to both.
    pub(super) fn compare(&mut self, context: &mut Context<'_, Self>, nodes: &[Node]) {
        let b = context.shared.b;
        for &node in nodes {
            let id = context.ids.id(node);
            if context.shared.near == Near::First || id == self.id || self.silent.contains(&node) {
                continue;
            }
            let place = RoutingTable::place(self.id, id, b);
            let Some(entry) = self.table.get(place, b).filter(|entry| *entry != node) else {
                continue;
            };
            self.compared = self.compared.wrapping_add(1);
            let number = self.compared;
            self.comparing.push((place, number));
            for rival in [entry, node] {
                context.request(rival, Message::Ping, Purpose::Compare(place, number));
            }
        }
    }

    /// `node` has replied to a ping of the comparison `number` for `place`. Both pings were sent at
    /// once, so the first reply is that of the nearer one.
    pub(super) fn on_compared(
        &mut self,
        context: &mut Context<'_, Self>,
        node: Node,
        (place, number): (Place, u32),
    ) {
        let open = self
            .comparing
            .iter()
            .position(|open| *open == (place, number));
        if let Some(open) = open {
            self.comparing.swap_remove(open);
            self.table
                .replace(context.ids, self.id, context.shared.b, node);
        }
    }
}
