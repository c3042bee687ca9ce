//! The messages of a job and the tree that they form.

use super::Tree;
use crate::diagram::shapes::DiagramPoint;
use dhtlab_core::overlay::{Application, Node};
use dhtlab_core::service::ReplicationMessage;
use dhtlab_core::service::job::{Message, Worker};
use dhtlab_format::recording::{Event, ItemState, Recording, RouteOutcome as End, What};
use std::collections::{BTreeMap, BTreeSet};

/// The messages of a job that carried atoms or results, with their nodes.
#[derive(Debug, Default)]
pub(super) struct MessageTrace {
    /// The node that staged the job: the root of its address.
    pub root: u32,
    /// Messages with atoms between nodes, in the order of time.
    pub map: Vec<(u32, u32)>,
    /// Messages with results.
    pub reduce: Vec<(u32, u32)>,
    /// The atoms that each node has mapped, as the numbers of their keys.
    pub atoms: BTreeMap<u32, BTreeSet<u32>>,
}

impl MessageTrace {
    /// Reads the trace from a recorded run.
    pub fn of(recording: &Recording) -> Self {
        let replication = ReplicationMessage::Take {
            items: Vec::new(),
            holder: None,
            last: true,
        };
        let stage = Worker::kind(&Message::Stage);
        let map = [Message::Replication(replication), Message::Walk(Vec::new())]
            .map(|m| Worker::kind(&m));
        let reduce = Worker::kind(&Message::Results(Node(0), Vec::new()));
        let mut trace = Self::default();
        let mut routes: Vec<&str> = Vec::new();
        for Event { what, .. } in &recording.events {
            let sent = match what {
                What::Hop {
                    route, from, to, ..
                } => routes.get(*route as usize).map(|kind| (*kind, *from, *to)),
                What::Message { from, to, kind, .. } => Some((&**kind, *from, *to)),
                What::Begin { kind, .. } => {
                    routes.push(kind);
                    None
                }
                What::End {
                    route,
                    outcome: End::Delivered | End::Absorbed,
                    node: Some(node),
                    ..
                } => {
                    if routes.get(*route as usize) == Some(&stage) {
                        trace.root = *node;
                    }
                    None
                }
                What::Items {
                    node,
                    items,
                    holding: ItemState::Running,
                } => {
                    trace.atoms.entry(*node).or_default().extend(items);
                    None
                }
                _ => None,
            };
            if let Some((kind, from, to)) = sent {
                if map.contains(&kind) {
                    trace.map.push((from, to));
                } else if kind == reduce {
                    trace.reduce.push((from, to));
                }
            }
        }
        trace
    }

    /// The tree of the messages.
    pub fn links(&self, tree: Tree) -> TreeLinks {
        let mut links = TreeLinks::default();
        links.levels.insert(self.root, 0);
        // Oriented away from the root, as for atoms; results travel in the other direction.
        let messages: Vec<(u32, u32)> = match tree {
            Tree::Map => self.map.clone(),
            Tree::Reduce => self.reduce.iter().map(|(from, to)| (*to, *from)).collect(),
        };
        let mut seen = BTreeSet::new();
        for (upper, lower) in messages {
            if !seen.insert((upper, lower)) {
                continue;
            }
            let is_new = lower != self.root && !links.parents.contains_key(&lower);
            if is_new {
                links.parents.insert(lower, upper);
            } else {
                links.others.push((upper, lower));
            }
        }
        for node in links.parents.keys() {
            // Each step is one nearer to the root, unless the messages form a cycle.
            let (mut at, mut level) = (*node, 0);
            while let Some(parent) = links
                .parents
                .get(&at)
                .filter(|_| level <= links.parents.len())
            {
                at = *parent;
                level += 1;
            }
            if at == self.root {
                links.levels.insert(*node, level);
            }
        }
        links
    }
}

/// The links of a tree: those of the first message that each node received or sent, and the others.
#[derive(Debug, Default)]
pub(super) struct TreeLinks {
    /// The parent of each node.
    pub parents: BTreeMap<u32, u32>,
    /// Links that are not in the tree: from the upper node to the lower one.
    pub others: Vec<(u32, u32)>,
    /// Number of links from the root to each node.
    pub levels: BTreeMap<u32, usize>,
}

impl TreeLinks {
    /// The positions of the nodes by level: each above the middle of its children, which are in the
    /// order of `number`.
    pub fn in_levels(
        &self,
        root: u32,
        number: &BTreeMap<u32, usize>,
    ) -> BTreeMap<u32, DiagramPoint> {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for node in self.levels.keys() {
            if let Some(parent) = self.parents.get(node) {
                children.entry(*parent).or_default().push(*node);
            }
        }
        for list in children.values_mut() {
            list.sort_by_key(|node| number.get(node));
        }
        let deepest = self.levels.values().copied().max().unwrap_or(0).max(1);
        let mut places = BTreeMap::new();
        let mut leaves = 0.0;
        // Children before their parents; the last in the list first.
        let mut todo = vec![(root, false)];
        while let Some((node, is_ready)) = todo.pop() {
            let below = children.get(&node).map_or(&[][..], Vec::as_slice);
            if !is_ready && !below.is_empty() {
                todo.push((node, true));
                todo.extend(below.iter().rev().map(|child| (*child, false)));
                continue;
            }
            let x = match (below.first(), below.last()) {
                (Some(first), Some(last)) => {
                    let at =
                        |node: &u32| places.get(node).map_or(0.0, |place: &DiagramPoint| place.0);
                    (at(first) + at(last)) / 2.0
                }
                _ => {
                    leaves += 1.0;
                    leaves
                }
            };
            let level = self.levels.get(&node).copied().unwrap_or(0);
            places.insert(node, (x, -(level as f64)));
        }
        // The width is 1 and the height half of that.
        for (x, y) in places.values_mut() {
            (*x, *y) = (*x / leaves.max(1.0), *y * 0.5 / deepest as f64);
        }
        places
    }
}
