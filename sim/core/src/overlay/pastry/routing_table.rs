//! The routing table: rows by the number of digits that nodes share with the owner.

use crate::overlay::{Node, NodeIds};
use crate::space::Key;

/// Marks an empty entry; an address takes half the memory of an optional one.
const EMPTY: Node = Node(u32::MAX);

/// A place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of digits shared with the owner.
    pub row: u32,
    /// The digit after them.
    pub digit: u32,
}

/// The number of leading digits of `b` bits that two different IDs share; all digits if they are
/// equal.
pub fn shared_digits(a: Key, b_id: Key, b: u32) -> u32 {
    let same = a
        .xor(b_id)
        .log2()
        .map_or(Key::BITS, |bit| Key::BITS - 1 - bit);
    same / b
}

/// The routing table of one node: row l has nodes that share exactly l digits with it, one for each
/// value of the next digit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingTable {
    entries: Vec<Node>,
}

impl RoutingTable {
    /// The place of the node with `id` in the table of the node with `my_id`.
    pub fn place(my_id: Key, id: Key, b: u32) -> Place {
        let row = shared_digits(my_id, id, b);
        Place {
            row,
            digit: id.bits(row * b, b),
        }
    }

    /// The number of rows, with empty ones among them.
    pub fn rows(&self, b: u32) -> u32 {
        (self.entries.len() >> b) as u32
    }

    /// The entry at `place`.
    pub fn get(&self, place: Place, b: u32) -> Option<Node> {
        let at = (place.row << b | place.digit) as usize;
        self.entries.get(at).copied().filter(|node| *node != EMPTY)
    }

    /// The entries of row `row` in the order of their digits.
    pub fn row(&self, row: u32, b: u32) -> impl Iterator<Item = Node> + '_ {
        let (start, end) = ((row << b) as usize, ((row + 1) << b) as usize);
        let entries = self.entries.get(start..end).unwrap_or_default();
        entries.iter().copied().filter(|node| *node != EMPTY)
    }

    /// All entries, by row and digit.
    pub fn all(&self) -> impl Iterator<Item = Node> + '_ {
        self.entries.iter().copied().filter(|node| *node != EMPTY)
    }

    /// The entries of rows `row` and above.
    pub(super) fn rows_from(&self, row: u32, b: u32) -> impl Iterator<Item = Node> + '_ {
        let entries = self.entries.get((row << b) as usize..).unwrap_or_default();
        entries.iter().copied().filter(|node| *node != EMPTY)
    }

    /// Enters `node` where its place is empty; true if it was. O(1), with memory for new rows.
    pub fn insert(&mut self, ids: &NodeIds, my_id: Key, b: u32, node: Node) -> bool {
        let id = ids.id(node);
        if id == my_id {
            return false;
        }
        let place = Self::place(my_id, id, b);
        let at = (place.row << b | place.digit) as usize;
        if at >= self.entries.len() {
            let entries = ((place.row + 1) << b) as usize;
            self.entries.reserve_exact(entries - self.entries.len());
            self.entries.resize(entries, EMPTY);
        }
        let empty = self.entries[at] == EMPTY;
        if empty {
            self.entries[at] = node;
        }
        empty
    }

    /// Enters `node` in its place, whatever is there. O(1), with memory for new rows.
    pub(super) fn replace(&mut self, ids: &NodeIds, my_id: Key, b: u32, node: Node) {
        if !self.insert(ids, my_id, b, node) && ids.id(node) != my_id {
            let place = Self::place(my_id, ids.id(node), b);
            self.entries[(place.row << b | place.digit) as usize] = node;
        }
    }

    /// Removes `node`; its place if it was there. O(1).
    pub fn remove(&mut self, ids: &NodeIds, my_id: Key, b: u32, node: Node) -> Option<Place> {
        let place = Self::place(my_id, ids.id(node), b);
        let at = (place.row << b | place.digit) as usize;
        let entry = self.entries.get_mut(at).filter(|entry| **entry == node)?;
        *entry = EMPTY;
        Some(place)
    }

    /// The nodes to ask for another entry at `place`, in turn: the others of its row, cyclically
    /// from `place` on, and then those of the next row, which know the same subtree.
    pub(super) fn advisers(&self, place: Place, b: u32) -> impl Iterator<Item = Node> + '_ {
        let digits = 1 << b;
        let own = (1..digits).map(move |step| (place.row, (place.digit + step) % digits));
        let next = (0..digits).map(move |digit| (place.row + 1, digit));
        own.chain(next)
            .filter_map(move |(row, digit)| self.get(Place { row, digit }, b))
    }
}
