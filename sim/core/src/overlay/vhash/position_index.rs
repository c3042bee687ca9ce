//! The positions of the members of a VHash, for the oracle's search for the nearest to a key.

use super::{Shared, VHash};
use crate::overlay::{Node, RootIndex};
use crate::space::TorusGrid;

/// The positions of all members.
#[derive(Debug, Default)]
pub struct PositionIndex {
    /// Created with the first member.
    grid: Option<TorusGrid>,
    /// The version of the position in the grid, for each member.
    versions: Vec<u32>,
}

impl PositionIndex {
    /// The member nearest to `target`; of equally near ones the one that is `before` the others.
    /// `None` without members. O(1) on average for uniform positions.
    pub fn nearest(
        &self,
        target: &[f64],
        mut before: impl FnMut(Node, Node) -> bool,
    ) -> Option<Node> {
        let grid = self.grid.as_ref()?;
        grid.nearest(target, |a, b| before(Node(a), Node(b)))
            .map(Node)
    }
}

impl RootIndex<VHash> for PositionIndex {
    fn enter(&mut self, shared: &Shared, node: Node, state: &VHash) {
        let place = node.index();
        if self.versions.len() <= place {
            self.versions.resize(place + 1, 0);
        }
        self.versions[place] = state.version;
        let grid = self
            .grid
            .get_or_insert_with(|| TorusGrid::new(shared.torus));
        grid.put(node.0, &state.position);
    }

    fn on_state_changed(&mut self, shared: &Shared, node: Node, state: &VHash) {
        let known = self.versions.get(node.index());
        let moved = known.is_some_and(|version| *version != state.version);
        if moved && self.grid.as_ref().is_some_and(|grid| grid.holds(node.0)) {
            self.enter(shared, node, state);
        }
    }

    fn depart(&mut self, node: Node) {
        if let Some(grid) = &mut self.grid {
            grid.remove(node.0);
        }
    }
}
