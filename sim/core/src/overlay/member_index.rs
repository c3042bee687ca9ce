//! The present members in the order of their IDs.

use super::{Node, NodeIds};
use crate::space::Key;

/// Members in a block: moving half of them takes less than a microsecond, and a search among them
/// stays in a few cache lines.
const BLOCK: usize = 512;

/// The present members in the order of their IDs: the same for every protocol, so that compared
/// runs draw the same members.
///
/// They are in sorted blocks, so that a change moves a few hundred of them. For n members a change takes
/// O(n / 500) steps, each of which is one addition in an array, and a search O(log n).
#[derive(Clone, Debug, Default)]
pub struct MemberIndex {
    /// The IDs in blocks, none of them empty.
    ids: Vec<Vec<Key>>,
    /// The members with these IDs; of one ID in the order of their addresses.
    nodes: Vec<Vec<Node>>,
    /// The first ID of each block.
    firsts: Vec<Key>,
    /// The index of the first member of each block.
    starts: Vec<u32>,
    len: usize,
}

impl MemberIndex {
    /// The members `members` in the order of their IDs. O(n log n).
    pub fn new(ids: &NodeIds, members: &[Node]) -> Self {
        let mut nodes = members.to_vec();
        nodes.sort_unstable_by_key(|node| (ids.id(*node), *node));
        let blocks = nodes.chunks(BLOCK / 2);
        let ids_of = |nodes: &[Node]| nodes.iter().map(|node| ids.id(*node)).collect();
        let ids: Vec<Vec<Key>> = blocks.clone().map(ids_of).collect();
        Self {
            firsts: ids.iter().map(|block| block[0]).collect(),
            starts: (0..ids.len()).map(|at| (at * BLOCK / 2) as u32).collect(),
            ids,
            nodes: blocks.map(<[Node]>::to_vec).collect(),
            len: nodes.len(),
        }
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The index of the first member at or after `key`, once around the ring. Needs a member.
    ///
    /// O(log n) steps for n members.
    pub fn successor(&self, key: &Key) -> usize {
        let (at, place) = self.at_or_after(key);
        self.starts[at] as usize + place
    }

    /// The first member at or after `key`, once around the ring. `None` without members. O(log n).
    pub fn successor_node(&self, key: &Key) -> Option<Node> {
        if self.is_empty() {
            return None;
        }
        let (at, place) = self.at_or_after(key);
        Some(self.nodes[at][place])
    }

    /// The block of the first member at or after `key`, once around the ring, and its index there.
    fn at_or_after(&self, key: &Key) -> (usize, usize) {
        let Some(at) = self.firsts_below(key).checked_sub(1) else {
            return (0, 0);
        };
        let ids = &self.ids[at];
        let place = ids.partition_point(|id| id < key);
        if place < ids.len() {
            (at, place)
        } else if at + 1 < self.ids.len() {
            (at + 1, 0)
        } else {
            (0, 0)
        }
    }

    /// How many blocks begin before `key`.
    ///
    /// For uniform IDs the search starts at the expected one and takes a few steps; its steps
    /// double for others.
    fn firsts_below(&self, key: &Key) -> usize {
        let n = self.firsts.len();
        let guess = ((u128::from(key.prefix()) * n as u128) >> 64) as usize;
        let (mut low, mut high, mut step) = (guess, guess, 1);
        while low > 0 && self.firsts[low - 1] >= *key {
            low = low.saturating_sub(step);
            step *= 2;
        }
        step = 1;
        while high < n && self.firsts[high] < *key {
            high = (high + step).min(n);
            step *= 2;
        }
        low + self.firsts[low..high].partition_point(|first| first < key)
    }

    /// The members in the order of the ring.
    pub fn nodes(&self) -> Members<'_> {
        Members(self)
    }

    /// The member at index `place` and its ID. O(log n).
    pub fn get(&self, place: usize) -> Option<(&Key, &Node)> {
        if place >= self.len {
            return None;
        }
        let at = self
            .starts
            .partition_point(|start| *start as usize <= place)
            - 1;
        let within = place - self.starts[at] as usize;
        Some((&self.ids[at][within], &self.nodes[at][within]))
    }

    /// The ID of the member at index `place`.
    ///
    /// # Panics
    /// If there are not so many members.
    pub fn id(&self, place: usize) -> &Key {
        self.get(place).expect("a member").0
    }

    /// The IDs of the members in the order of the ring.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = &Key> + Clone {
        self.ids.iter().flatten()
    }

    /// Whether the member `a` comes before the member `b` on the ring. Linear in the members.
    pub fn is_before(&self, a: Node, b: Node) -> bool {
        let first = self.nodes().iter().find(|node| [a, b].contains(*node));
        first == Some(&a)
    }

    /// The index of `node` with `id`, or where it would be inserted. O(log n).
    pub fn place(&self, id: &Key, node: Node) -> Result<usize, usize> {
        let (at, place) = self.find(id, node);
        let start = self.starts.get(at).map_or(0, |start| *start as usize);
        place
            .map_err(|place| start + place)
            .map(|place| start + place)
    }

    /// The block of `node` with `id`, and its index there, or where it would be inserted.
    fn find(&self, id: &Key, node: Node) -> (usize, Result<usize, usize>) {
        let mut at = self.firsts_below(id).saturating_sub(1);
        // Members of one ID may be in several blocks.
        while self.firsts.get(at + 1).is_some_and(|first| first <= id)
            && (self.firsts[at + 1], self.nodes[at + 1][0]) <= (*id, node)
        {
            at += 1;
        }
        let Some((ids, nodes)) = self.ids.get(at).zip(self.nodes.get(at)) else {
            return (0, Err(0));
        };
        let mut place = ids.partition_point(|other| other < id);
        while ids.get(place) == Some(id) && nodes[place] < node {
            place += 1;
        }
        let is_there = nodes.get(place) == Some(&node);
        (at, if is_there { Ok(place) } else { Err(place) })
    }

    /// Adds `node`.
    pub fn insert(&mut self, id: Key, node: Node) {
        let (at, Err(place)) = self.find(&id, node) else {
            return;
        };
        if self.is_empty() {
            *self = Self {
                ids: vec![vec![id]],
                nodes: vec![vec![node]],
                firsts: vec![id],
                starts: vec![0],
                len: 1,
            };
            return;
        }
        let (ids, nodes) = (&mut self.ids[at], &mut self.nodes[at]);
        ids.insert(place, id);
        nodes.insert(place, node);
        self.firsts[at] = ids[0];
        self.len += 1;
        for start in &mut self.starts[at + 1..] {
            *start += 1;
        }
        if ids.len() > BLOCK {
            let half = ids.len() / 2;
            let (more_ids, more_nodes) = (ids.split_off(half), nodes.split_off(half));
            self.firsts.insert(at + 1, more_ids[0]);
            self.starts.insert(at + 1, self.starts[at] + half as u32);
            self.ids.insert(at + 1, more_ids);
            self.nodes.insert(at + 1, more_nodes);
        }
    }

    /// Removes `node`.
    pub fn remove(&mut self, id: &Key, node: Node) {
        let (at, Ok(place)) = self.find(id, node) else {
            return;
        };
        self.ids[at].remove(place);
        self.nodes[at].remove(place);
        self.len -= 1;
        for start in &mut self.starts[at + 1..] {
            *start -= 1;
        }
        match self.ids[at].first() {
            Some(first) => self.firsts[at] = *first,
            None => {
                self.ids.remove(at);
                self.nodes.remove(at);
                self.firsts.remove(at);
                self.starts.remove(at);
            }
        }
    }
}

/// The members in the order of the ring, to be read like a slice.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a>(&'a MemberIndex);

impl<'a> Members<'a> {
    /// No member.
    pub fn none() -> Self {
        static NONE: MemberIndex = MemberIndex {
            ids: Vec::new(),
            nodes: Vec::new(),
            firsts: Vec::new(),
            starts: Vec::new(),
            len: 0,
        };
        Self(&NONE)
    }

    /// Their number.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The member at index `place`. O(log n).
    pub fn get(self, place: usize) -> Option<&'a Node> {
        self.0.get(place).map(|(_, node)| node)
    }

    /// The first member.
    pub fn first(self) -> Option<&'a Node> {
        self.get(0)
    }

    /// All members.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = &'a Node> + Clone {
        self.0.nodes.iter().flatten()
    }

    /// All members in one array. O(n).
    pub fn to_vec(self) -> Vec<Node> {
        self.iter().copied().collect()
    }

    /// Whether `node` is one of them. O(n).
    pub fn contains(self, node: &Node) -> bool {
        self.iter().any(|member| member == node)
    }
}

impl std::ops::Index<usize> for Members<'_> {
    type Output = Node;

    fn index(&self, place: usize) -> &Node {
        self.get(place).expect("a member")
    }
}

impl<'a> IntoIterator for Members<'a> {
    type Item = &'a Node;
    type IntoIter = std::iter::Flatten<std::slice::Iter<'a, Vec<Node>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.nodes.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    proptest! {
        /// After any joins and departures, with equal IDs and uneven ones, all answers are those of
        /// one sorted array.
        #[test]
        fn answers_are_those_of_a_sorted_array(
            seed: u64, initial in 0usize..1500, changes in 0usize..1500, coarse: bool, crowded: bool,
        ) {
            let mut stream = Seed::new(seed).stream("members", 0);
            let mut ids = NodeIds::default();
            for _ in 0..initial + changes {
                let mut bytes = Key::random(&mut stream).to_bytes();
                if coarse {
                    bytes = bytes.map(|byte| byte & 0xc0);
                    bytes[1..].fill(0);
                }
                if crowded {
                    bytes[..4].fill(7);
                }
                ids.add(Key::from_bytes(bytes));
            }
            let all: Vec<Node> = (0..ids.len() as u32).map(Node).collect();
            let mut index = MemberIndex::new(&ids, &all[..initial]);
            let mut plain: Vec<(Key, Node)> =
                all[..initial].iter().map(|node| (ids.id(*node), *node)).collect();
            plain.sort_unstable();
            for _ in 0..changes {
                let node = all[stream.index(all.len())];
                let entry = (ids.id(node), node);
                match plain.binary_search(&entry) {
                    Ok(place) => {
                        prop_assert_eq!(index.place(&entry.0, node), Ok(place));
                        plain.remove(place);
                        index.remove(&entry.0, node);
                    }
                    Err(place) => {
                        prop_assert_eq!(index.place(&entry.0, node), Err(place));
                        plain.insert(place, entry);
                        index.insert(entry.0, node);
                    }
                }
            }
            prop_assert_eq!(index.len(), plain.len());
            prop_assert_eq!(index.nodes().to_vec(), plain.iter().map(|(_, node)| *node).collect::<Vec<_>>());
            prop_assert!(index.ids().eq(plain.iter().map(|(id, _)| id)));
            for (place, (id, node)) in plain.iter().enumerate() {
                prop_assert_eq!(index.get(place), Some((id, node)));
            }
            prop_assert_eq!(index.get(plain.len()), None);
            for _ in 0..if plain.is_empty() { 0 } else { 100 } {
                let key = if stream.chance(0.5) { Key::random(&mut stream) } else { plain[stream.index(plain.len())].0 };
                let place = plain.partition_point(|(id, _)| *id < key);
                let place = if place == plain.len() { 0 } else { place };
                prop_assert_eq!(index.successor(&key), place);
                prop_assert_eq!(index.successor_node(&key), Some(plain[place].1));
            }
        }
    }
}
