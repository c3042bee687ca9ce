//! The ring of a picture: its nodes, Chord's state on it, and its position on the page.

use super::shapes::{DiagramPoint, Shapes};
use dhtlab_core::engine::Seed;
use dhtlab_core::overlay::chord::{Chord, ChordParameters, Closest};
use dhtlab_core::overlay::{GroundTruth, MemberIndex, NextHop, Node, NodeIds, Overlay};
use dhtlab_core::parameter::{ConfigError, Parameters, Table};
use dhtlab_core::space::Key;

/// Maximum number of nodes on a picture.
const MOST_NODES: usize = 200;

/// Maximum number of nodes with labels; for more there is no space.
const MOST_LABELS: usize = 48;

/// Distance of the labels from the centre of a circle of radius 1.
pub(super) const LABELS: f64 = 1.08;

dhtlab_core::parameters! {
    /// The ring of a picture: its size and its nodes.
    pub struct RingParameters {
        /// Bits m of an ID.
        pub bits: u32 = 8, within 1..=32;
        /// Number of nodes with random IDs, 8 if absent.
        pub nodes: Option<usize> = None, within 2..=200;
        /// The IDs of the nodes; excludes `nodes`.
        pub ids: Vec<u64> = Vec::new();
    }
}

impl RingParameters {
    /// Reads and checks the table `ring` in `table`.
    ///
    /// # Errors
    /// The first invalid key or combination of keys.
    pub fn checked(table: &Table<'_>) -> Result<Self, ConfigError> {
        let table = table.sub("ring")?;
        let parameters = Self::read(&table)?;
        let fault = |key: &str, message: String| Err(ConfigError::new(table.path_of(key), message));
        let room = 1u64 << parameters.bits;
        let ids = &parameters.ids;
        if table.get("ids").is_some() {
            if parameters.nodes.is_some() {
                return fault("nodes", "expected either `nodes` or `ids`".to_owned());
            }
            if !(2..=MOST_NODES).contains(&ids.len()) {
                let message = format!("expected from 2 to {MOST_NODES} IDs, found {}", ids.len());
                return fault("ids", message);
            }
            if let Some(id) = ids.iter().find(|id| **id >= room) {
                let message = format!("{id} has more than the {} bits of an ID", parameters.bits);
                return fault("ids", message);
            }
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                return fault("ids", format!("{} occurs twice", pair[0]));
            }
        } else if parameters.count() as u64 > room {
            let message = format!(
                "{} nodes need different IDs, more than {} bits allow",
                parameters.count(),
                parameters.bits
            );
            return fault("nodes", message);
        }
        Ok(parameters)
    }

    /// Number of nodes.
    pub fn count(&self) -> usize {
        match (self.ids.len(), self.nodes) {
            (0, nodes) => nodes.unwrap_or(8),
            (count, _) => count,
        }
    }

    /// The ring. Random IDs are drawn from the stream `ids`, each again until it is new.
    pub fn ring(&self, seed: Seed) -> RingLayout {
        let mut ids = self.ids.clone();
        let mut stream = seed.stream("ids", 0);
        while ids.len() < self.count() {
            let id = stream.below(1 << self.bits);
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.sort_unstable();
        RingLayout {
            bits: self.bits,
            ids,
        }
    }
}

/// IDs on a ring of 2^m.
#[derive(Debug)]
pub(super) struct RingLayout {
    /// The bits m.
    pub bits: u32,
    /// The IDs of the nodes, ascending.
    pub ids: Vec<u64>,
}

impl RingLayout {
    /// Number of keys, 2^m.
    pub fn size(&self) -> u64 {
        1 << self.bits
    }

    /// The position of `at` on a circle of this radius: 0 is at the top, and keys increase
    /// clockwise.
    pub fn place(&self, at: f64, radius: f64) -> DiagramPoint {
        on_circle(at / self.size() as f64, radius)
    }

    /// The arc from one key to another, clockwise, at a radius.
    pub fn arc(&self, from: f64, to: f64, radius: f64) -> Vec<DiagramPoint> {
        let size = self.size() as f64;
        let whole = if to > from {
            to - from
        } else {
            to - from + size
        };
        // Steps of at most two degrees look smooth.
        let steps = libm::ceil(whole / size * 180.0).max(1.0) as u32;
        (0..=steps)
            .map(|step| from + whole * f64::from(step) / f64::from(steps))
            .map(|at| self.place(at, radius))
            .collect()
    }

    /// Whether there is space for a label beside each node.
    pub fn is_labelled(&self) -> bool {
        self.ids.len() <= MOST_LABELS
    }

    /// Adds labels outside of the ring beside positions on it, in ascending order.
    pub fn label(&self, shapes: &mut Shapes, layer: &str, labels: &[(u64, String)]) {
        let size = self.size() as f64;
        let nodes: Vec<(f64, usize)> = labels
            .iter()
            .map(|(at, label)| (*at as f64 / size, label.chars().count()))
            .collect();
        for (part, (_, label)) in spread(&nodes).iter().zip(labels) {
            shapes.text_outside(layer, on_circle(*part, LABELS), label);
        }
    }

    /// Converged Chord on this ring. IDs are the highest bits of its keys, and its fingers the m
    /// longest.
    pub fn chord(&self, closest: Closest) -> ConvergedChord {
        let shared = ChordParameters {
            closest,
            fingers: self.bits,
            // The picture shows fingers.
            successors: 1,
            ..ChordParameters::default()
        };
        let mut identities = NodeIds::default();
        let members: Vec<Node> = self
            .ids
            .iter()
            .map(|id| identities.add(key_of(*id, self.bits)))
            .collect();
        let states = Chord::converged(&shared, &identities, &members, &mut []);
        let member_index = MemberIndex::new(&identities, &members);
        ConvergedChord {
            bits: self.bits,
            shared,
            identities,
            member_index,
            states,
        }
    }
}

/// A fraction of the circle, clockwise from the top, as a position.
pub(super) fn on_circle(part: f64, radius: f64) -> DiagramPoint {
    let angle = part * std::f64::consts::TAU;
    (radius * libm::sin(angle), radius * libm::cos(angle))
}

/// The fractions of the circle for the labels of nodes at these fractions, ascending, with labels
/// of so many characters: near their nodes, in their order, without overlap.
pub(super) fn spread(nodes: &[(f64, usize)]) -> Vec<f64> {
    /// The width of a character and the height of a line, as fractions of a circle of 300 pixels.
    const CHARACTER: f64 = 0.0053;
    const LINE: f64 = 0.0105;
    let mut parts: Vec<f64> = nodes.iter().map(|(part, _)| *part).collect();
    let count = parts.len();
    // Each round moves labels that are too near apart, each by half. A few dozen labels take some
    // tens of rounds.
    for _ in 0..200 {
        for one in 0..count {
            let other = (one + 1) % count;
            let wrap = if other == 0 { 1.0 } else { 0.0 };
            let gap = parts[other] + wrap - parts[one];
            // At the top and at the bottom labels are side by side, at the sides one below the
            // other.
            let (sine, cosine) = on_circle(parts[one] + gap / 2.0, 1.0);
            let width = CHARACTER * (nodes[one].1 + nodes[other].1 + 2) as f64 / 2.0;
            let wanted = (width * libm::fabs(cosine))
                .max(LINE * libm::fabs(sine))
                .max(LINE / 2.0);
            if count > 1 && gap < wanted {
                parts[one] -= (wanted - gap) / 2.0;
                parts[other] += (wanted - gap) / 2.0;
            }
        }
    }
    parts
}

/// A path from one position to another that bends slightly to the left (to the right if `bow` is
/// negative), to distinguish it from the straight one.
pub(super) fn bowed(from: DiagramPoint, to: DiagramPoint, bow: f64) -> Vec<DiagramPoint> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let steps = 16;
    (0..=steps)
        .map(|step| {
            let t = f64::from(step) / f64::from(steps);
            let aside = bow * 4.0 * t * (1.0 - t);
            (from.0 + t * dx - aside * dy, from.1 + t * dy + aside * dx)
        })
        .collect()
}

/// The key whose highest bits are `id`.
fn key_of(id: u64, bits: u32) -> Key {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&(id << (64 - bits)).to_be_bytes());
    Key::from_bytes(bytes)
}

/// A converged Chord with global knowledge.
pub(super) struct ConvergedChord {
    bits: u32,
    shared: ChordParameters,
    identities: NodeIds,
    member_index: MemberIndex,
    states: Vec<Chord>,
}

impl ConvergedChord {
    /// The ID of a node.
    fn id(&self, node: Node) -> u64 {
        self.identities.id(node).prefix() >> (64 - self.bits)
    }

    fn node(&self, id: u64) -> Option<Node> {
        let place = self.member_index.successor(&key_of(id, self.bits));
        let node = *self.member_index.nodes().get(place)?;
        (self.id(node) == id).then_some(node)
    }

    /// The root of `key`.
    pub fn root(&self, key: u64) -> Option<u64> {
        let key = key_of(key, self.bits);
        let root = Chord::root(&self.shared, &self.member_index, &self.states, &(), &key);
        root.map(|node| self.id(node))
    }

    /// The distinct nodes in the successor list and the finger table of the node `id`.
    pub fn peers(&self, id: u64) -> Vec<u64> {
        let peers = self.node(id).map(|node| self.states[node.index()].peers());
        let peers = peers.into_iter().flat_map(|peers| peers.all());
        peers.map(|peer| self.id(peer.node())).collect()
    }

    /// The nodes on the path of a lookup of `key` from the node `id`, both ends included.
    pub fn path(&self, id: u64, key: u64) -> Vec<u64> {
        let key = key_of(key, self.bits);
        let mut path = vec![id];
        let mut at = self.node(id);
        while let Some(node) = at {
            let hop =
                self.states[node.index()].next_hop(&self.shared, &self.identities, node, &key);
            let (next, is_last) = match hop {
                NextHop::Root => break,
                NextHop::Last(next) => (next, true),
                NextHop::Next(next) => (next, false),
            };
            path.push(self.id(next));
            at = (!is_last).then_some(next);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 is at the top, a quarter further is at the right: sine and cosine of the source.
    #[test]
    fn keys_grow_clockwise_from_the_top() {
        let ring = RingLayout {
            bits: 8,
            ids: vec![0, 64],
        };
        for (at, x, y) in [(0.0, 0.0, 1.0), (64.0, 1.0, 0.0), (192.0, -1.0, 0.0)] {
            let place = ring.place(at, 1.0);
            assert!((place.0 - x).abs() < 1e-12 && (place.1 - y).abs() < 1e-12);
        }
        // Also over the top.
        let arc = ring.arc(224.0, 32.0, 1.0);
        assert_eq!(arc.len(), 46);
        assert!(arc.iter().all(|(_, y)| *y > 0.7));
    }

    /// Labels of adjacent nodes do not overlap; those of other nodes keep their position.
    #[test]
    fn labels_make_room_for_each_other() {
        let nodes = [
            (0.1, 3),
            (0.101, 3),
            (0.102, 3),
            (0.5, 3),
            (0.99, 3),
            (0.999, 3),
        ];
        let parts = spread(&nodes);
        assert!(parts.is_sorted());
        assert!(
            parts.windows(2).all(|pair| pair[1] - pair[0] > 0.008),
            "{parts:?}"
        );
        assert_eq!(parts[3], 0.5);
        assert!((parts[1] - 0.101).abs() < 0.01, "{parts:?}");
        assert_eq!(spread(&[(0.3, 5)]), [0.3]);
    }

    #[test]
    fn random_ids_are_different_and_fill_the_ring_if_they_must() {
        let parameters = RingParameters {
            bits: 4,
            nodes: Some(16),
            ids: Vec::new(),
        };
        let ring = parameters.ring(Seed::new(3));
        assert_eq!(ring.ids, (0..16).collect::<Vec<u64>>());
    }
}
