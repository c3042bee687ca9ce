//! The peers of a Chord node, packed: the successor list, then the fingers beyond it.
//!
//! A finger is the first node at or after a start, or a near one after it. So at most one finger is
//! between two starts, and these determine all fingers. Of 160 fingers of base 2 about log2 n are
//! different. Fingers that begin within the successor list follow from that list. Everything is in
//! one allocation, sorted by distance, 12 bytes per peer: the 64 most significant bits of the
//! distance and the address. Where 64 bits are equal, the full IDs decide.

use super::Base;
use crate::overlay::{Node, NodeIds};
use crate::space::Key;
use std::cmp::Ordering;

/// A peer: its distance ahead and its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    // Two halves keep the alignment at 4 bytes and the peer at 12.
    ahead: [u32; 2],
    node: Node,
}

impl Peer {
    pub(super) fn new(ids: &NodeIds, my_id: Key, node: Node) -> Self {
        let words = ids.id(node).wrapping_sub(my_id).words();
        Self {
            ahead: [words[0], words[1]],
            node,
        }
    }

    /// Its address.
    pub fn node(self) -> Node {
        self.node
    }

    fn prefix(self) -> u64 {
        u64::from(self.ahead[0]) << 32 | u64::from(self.ahead[1])
    }

    /// Compares its distance with `ahead`.
    pub(super) fn compare(self, ids: &NodeIds, my_id: Key, ahead: &Key) -> Ordering {
        self.prefix()
            .cmp(&ahead.prefix())
            .then_with(|| ids.id(self.node).wrapping_sub(my_id).cmp(ahead))
    }
}

/// The successor list and the fingers of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerTable {
    peers: Box<[Peer]>,
    successors: u32,
    /// The successor list goes once around the ring: its last entry is followed by the node itself.
    closed: bool,
    /// The number of the last comparison of nodes for a finger, and whether it waits for replies.
    /// They are here because a node with them elsewhere would not fit into a cache line.
    pub(super) compared: u8,
    pub(super) is_comparing: bool,
}

impl PeerTable {
    /// A table of peers in the order of their distance from `my_id`; the first `successors` of them
    /// are the successor list.
    pub(super) fn of_sorted(
        ids: &NodeIds,
        my_id: Key,
        nodes: impl ExactSizeIterator<Item = Node>,
        successors: usize,
    ) -> Self {
        Self {
            peers: nodes.map(|node| Peer::new(ids, my_id, node)).collect(),
            successors: successors as u32,
            closed: false,
            compared: 0,
            is_comparing: false,
        }
    }

    /// The successor list, nearest first.
    pub fn successors(&self) -> &[Peer] {
        &self.peers[..self.successors as usize]
    }

    /// The fingers beyond the successor list, nearest first.
    pub fn fingers(&self) -> &[Peer] {
        &self.peers[self.successors as usize..]
    }

    /// All peers.
    pub fn all(&self) -> &[Peer] {
        &self.peers
    }

    /// The farthest peer whose distance is below `ahead`.
    ///
    /// Constant time, mostly in one cache line, for fingers of base 2 where `ahead` is beyond the
    /// successor list: there is about one finger per doubling of the distance, so the index is
    /// estimated from the highest bit. Logarithmic within the list and for other bases.
    pub(super) fn closest_preceding(
        &self,
        base: Base,
        ids: &NodeIds,
        my_id: Key,
        ahead: &Key,
    ) -> Option<Node> {
        let prefix = ahead.prefix();
        let before = |peer: &Peer| peer.prefix() < prefix;
        let peers = &self.peers;
        let (fixed, end) = (self.successors as usize, peers.len());
        let beyond = peers.last()?.prefix().leading_zeros();
        let doublings = prefix.leading_zeros().saturating_sub(beyond) as usize;
        let mut place = end.saturating_sub(doublings);
        if base != Base::TWO {
            place = fixed + peers[fixed..].partition_point(before);
        } else if place > fixed {
            while place < end && before(&peers[place]) {
                place += 1;
            }
            while place > fixed && !before(&peers[place - 1]) {
                place -= 1;
            }
        } else {
            place = fixed;
            while place < end && before(&peers[place]) {
                place += 1;
            }
        }
        if place == fixed {
            place = peers[..fixed].partition_point(before);
        }
        // Where 64 bits are equal, the full IDs decide.
        while let Some(peer) = peers.get(place).filter(|peer| peer.prefix() == prefix) {
            if peer.compare(ids, my_id, ahead) != Ordering::Less {
                break;
            }
            place += 1;
        }
        place.checked_sub(1).map(|last| peers[last].node)
    }

    /// The first of the successors whose distance is not below `ahead`; `None` if all are below.
    /// O(log r) for r successors.
    pub(super) fn first_successor_from(
        &self,
        ids: &NodeIds,
        my_id: Key,
        ahead: &Key,
    ) -> Option<Node> {
        let successors = self.successors();
        let below = |peer: &Peer| peer.compare(ids, my_id, ahead) == Ordering::Less;
        successors
            .get(successors.partition_point(below))
            .map(|peer| peer.node)
    }

    /// Makes the first `r` different nodes of `list`, which is in the order of the ring, the
    /// successor list; true if that changed it. Former successors stay as fingers where they are
    /// the first of their interval.
    pub(super) fn set_successors(
        &mut self,
        base: Base,
        ids: &NodeIds,
        me: Node,
        list: &[Node],
        r: usize,
    ) -> bool {
        let my_id = ids.id(me);
        let mut fresh: Vec<Peer> = Vec::with_capacity(r.min(list.len()));
        for node in list.iter().take_while(|node| **node != me) {
            if fresh.len() == r {
                break;
            }
            let ahead = ids.id(*node).wrapping_sub(my_id);
            // A list that goes around the ring or repeats a node ends there.
            let further = |last: &Peer| last.compare(ids, my_id, &ahead) == Ordering::Less;
            if !fresh.last().is_none_or(further) {
                break;
            }
            fresh.push(Peer::new(ids, my_id, *node));
        }
        if fresh.is_empty() {
            return false;
        }
        self.closed = fresh.len() < r && list.contains(&me);
        if fresh == self.successors() {
            return false;
        }
        let count = fresh.len();
        let last = fresh[count - 1];
        let reach = ids.id(last.node).wrapping_sub(my_id);
        let beyond = self
            .peers
            .iter()
            .filter(|peer| peer.compare(ids, my_id, &reach) == Ordering::Greater)
            .copied();
        fresh.extend(beyond);
        self.peers = fresh.into();
        self.successors = count as u32;
        self.keep_first_of_each_interval(base, ids, my_id);
        true
    }

    /// The lowest finger whose start is beyond the successor list; [`Base::fingers`] if there is
    /// none.
    pub(super) fn first_finger(&self, base: Base, ids: &NodeIds, me: Node) -> u16 {
        let reach = |last: &Peer| ids.id(last.node).wrapping_sub(ids.id(me));
        let reach = self.successors().last().map(reach);
        reach.map_or(base.fingers(), |reach| base.first_beyond(&reach))
    }

    /// Copies the fingers of another node, as hints: each is corrected when it is refreshed.
    pub(super) fn copy_fingers(&mut self, base: Base, ids: &NodeIds, me: Node, nodes: &[Node]) {
        let my_id = ids.id(me);
        let fixed = self.successors as usize;
        let reach = self.peers.get(fixed.wrapping_sub(1)).copied();
        let mut fingers: Vec<Peer> = nodes
            .iter()
            .filter(|node| **node != me)
            .map(|node| Peer::new(ids, my_id, *node))
            .filter(|peer| {
                let ahead = ids.id(peer.node).wrapping_sub(my_id);
                reach.is_some_and(|last| last.compare(ids, my_id, &ahead) == Ordering::Less)
            })
            .chain(self.fingers().iter().copied())
            .collect();
        fingers.sort_unstable_by_key(|peer| ids.id(peer.node).wrapping_sub(my_id));
        fingers.dedup_by_key(|peer| peer.node);
        self.edit(|peers| {
            peers.truncate(fixed);
            peers.extend(fingers);
        });
        self.keep_first_of_each_interval(base, ids, my_id);
    }

    /// Sets finger number `finger` to `node`.
    pub(super) fn set_finger(
        &mut self,
        base: Base,
        ids: &NodeIds,
        me: Node,
        finger: u16,
        node: Node,
    ) {
        let my_id = ids.id(me);
        let start = base.start(finger);
        let ahead = ids.id(node).wrapping_sub(my_id);
        let fixed = self.successors as usize;
        // No node is between the start and the finger; once around, no node is beyond the start.
        let around = ahead < start;
        let mut place = 0;
        self.edit(|peers| {
            peers.retain(|peer| {
                let is_successor = place < fixed;
                place += 1;
                let after_start = peer.compare(ids, my_id, &start) != Ordering::Less;
                let before_node = around || peer.compare(ids, my_id, &ahead) == Ordering::Less;
                is_successor || !(after_start && before_node)
            });
        });
        let known = self.peers.iter().any(|peer| peer.node == node);
        if !around && !known {
            let at = self
                .peers
                .partition_point(|peer| peer.compare(ids, my_id, &ahead) == Ordering::Less);
            // Within the reach of the successor list only that list counts.
            if at >= fixed {
                self.edit(|peers| peers.insert(at, Peer::new(ids, my_id, node)));
                self.keep_first_of_each_interval(base, ids, my_id);
            }
        }
    }

    /// Makes `node` the finger of the interval `finger`, in which it is.
    pub(super) fn set_near_finger(
        &mut self,
        base: Base,
        ids: &NodeIds,
        me: Node,
        finger: u16,
        node: Node,
    ) {
        let my_id = ids.id(me);
        let fixed = self.successors as usize;
        let ahead = ids.id(node).wrapping_sub(my_id);
        // Within the reach of the successor list only that list counts.
        let last = self.successors().last();
        if last.is_none_or(|last| last.compare(ids, my_id, &ahead) != Ordering::Less) {
            return;
        }
        let mut place = 0;
        self.edit(|peers| {
            peers.retain(|peer| {
                let is_successor = place < fixed;
                place += 1;
                let ahead = ids.id(peer.node).wrapping_sub(my_id);
                is_successor || base.finger_of(&ahead) != Some(finger)
            });
            let at =
                peers.partition_point(|peer| peer.compare(ids, my_id, &ahead) == Ordering::Less);
            peers.insert(at, Peer::new(ids, my_id, node));
        });
    }

    /// Whether the successor list goes once around the ring.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether it had successors and has lost them all.
    pub(super) fn is_lost(&self) -> bool {
        self.successors == 0 && !self.closed
    }

    /// Removes `node`; true if it was known. If it was the last successor, the nearest finger takes
    /// its place; but with `closes`, if the list has gone once around the ring, the node is then
    /// alone.
    pub(super) fn remove(&mut self, node: Node, closes: bool) -> bool {
        let Some(place) = self.peers.iter().position(|peer| peer.node == node) else {
            return false;
        };
        self.edit(|peers| {
            peers.remove(place);
        });
        if place < self.successors as usize {
            self.successors -= 1;
            let alone = closes && self.closed;
            if self.successors == 0 && !alone {
                self.successors = self.peers.len().min(1) as u32;
                self.closed = false;
            }
        }
        true
    }

    /// Changes the peers in the form of a vector.
    fn edit(&mut self, change: impl FnOnce(&mut Vec<Peer>)) {
        let mut peers = std::mem::take(&mut self.peers).into_vec();
        change(&mut peers);
        self.peers = peers.into();
    }

    /// Drops fingers that are not the first node between two starts.
    fn keep_first_of_each_interval(&mut self, base: Base, ids: &NodeIds, my_id: Key) {
        let fixed = self.successors as usize;
        let mut previous = None;
        let mut place = 0;
        self.edit(|peers| {
            peers.retain(|peer| {
                let interval = base.finger_of(&ids.id(peer.node).wrapping_sub(my_id));
                // A successor may be the first of the interval in which the list ends.
                let keep = place < fixed || previous != interval;
                previous = interval;
                place += 1;
                keep
            });
        });
    }
}
