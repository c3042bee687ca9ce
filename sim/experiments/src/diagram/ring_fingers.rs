//! A Chord ring, the fingers of one of its nodes, and a lookup from there.
//!
//! The slides show one with 8 nodes and m = 8 bits: short links dashed, the long links of node 24
//! dotted; of its 8 fingers 4 are duplicates. Finger i is root(id + 2^(i-1) mod 2^m), i = 1..m. The
//! slides' formula has "mod m", a misprint.

use super::ring::{RingParameters, bowed};
use super::{Drawn, Subject, own_tables};
use dhtlab_core::engine::Seed;
use dhtlab_core::overlay::chord::Closest;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table};

dhtlab_core::parameters! {
    /// A Chord ring and the fingers of one of its nodes.
    pub struct RingFingersParameters {
        /// The ID of the node whose fingers are drawn; the lowest one if absent.
        pub node: Option<u64> = None;
        /// A key that this node looks up; no lookup if absent.
        pub lookup: Option<u64> = None;
    }
}

/// The picture `ring-fingers`.
pub(super) struct RingFingers {
    ring: RingParameters,
    own: RingFingersParameters,
}

impl RingFingers {
    /// Reads and checks the picture from the table `diagram`.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn read(table: &Table<'_>) -> Result<Self, ConfigError> {
        let ring = RingParameters::checked(table)?;
        let table = table.sub("ring-fingers")?;
        let own = RingFingersParameters::read(&table)?;
        if let Some(node) = own.node {
            let message = if ring.ids.is_empty() {
                "the IDs are random; expected them to be given as `diagram.ring.ids`".to_owned()
            } else if !ring.ids.contains(&node) {
                format!("no node has the ID {node}")
            } else {
                String::new()
            };
            if !message.is_empty() {
                return Err(ConfigError::new(table.path_of("node"), message));
            }
        }
        if let Some(key) = own.lookup.filter(|key| *key >= 1 << ring.bits) {
            let message = format_args!("{key} has more than the {} bits of a key", ring.bits);
            return Err(ConfigError::new(table.path_of("lookup"), message));
        }
        Ok(Self { ring, own })
    }
}

/// The numbers 1, 2, 3, 5 as "1–3, 5".
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let text = |run: &[u32]| match run {
        [one] => one.to_string(),
        [one, .., last] => format!("{one}–{last}"),
        [] => String::new(),
    };
    runs.map(text).collect::<Vec<_>>().join(", ")
}

impl Subject for RingFingers {
    fn resolved(&self) -> Map {
        own_tables(vec![
            ("ring", self.ring.write()),
            ("ring-fingers", self.own.write()),
        ])
    }

    fn draw(&self, seed: Seed) -> Result<Drawn, ConfigError> {
        let ring = self.ring.ring(seed);
        let chord = ring.chord(Closest::Successor);
        let me = self.own.node.unwrap_or(ring.ids[0]);
        // Entry i of the finger table is the root of me + 2^(i-1).
        let entries: Vec<(u32, u64)> = (1..=ring.bits)
            .filter_map(|i| Some((i, chord.root((me + (1 << (i - 1))) % ring.size())?)))
            .collect();
        let at = |id: u64| ring.place(id as f64, 1.0);
        let mut drawn = Drawn::default();
        let shapes = &mut drawn.shapes;
        for id in &ring.ids {
            shapes.point("node", at(*id));
        }
        for (place, id) in ring.ids.iter().enumerate() {
            let next = ring.ids[(place + 1) % ring.ids.len()];
            let arc = ring.arc(*id as f64, next as f64, 1.0);
            shapes.line("short link: to the successor, and to the predecessor", &arc);
        }
        let peers = chord.peers(me);
        for peer in &peers {
            shapes.arrow(
                &format!("long link (finger) of node {me}"),
                &[at(me), at(*peer)],
            );
        }
        let mut labels: Vec<(u64, String)> = Vec::new();
        for id in &ring.ids {
            let own = entries.iter().filter(|(_, root)| root == id);
            let numbers: Vec<u32> = own.map(|(i, _)| *i).collect();
            match numbers.len() {
                0 if !ring.is_labelled() => {}
                0 => labels.push((*id, id.to_string())),
                _ => labels.push((*id, format!("{id} (i = {})", ranges(&numbers)))),
            }
        }
        if let Some(key) = self.own.lookup {
            let path = chord.path(me, key);
            for pair in path.windows(2) {
                let way = bowed(at(pair[0]), at(pair[1]), -0.09);
                shapes.arrow(&format!("lookup of key {key}"), &way);
            }
            shapes.point(&format!("key {key}"), at(key));
            if !ring.ids.contains(&key) {
                labels.push((key, format!("key {key}")));
            }
            drawn.counted.push(("hops", (path.len() - 1) as f64));
        }
        labels.sort();
        ring.label(shapes, "node", &labels);
        drawn.counted.extend([
            ("nodes", ring.ids.len() as f64),
            ("fingers", entries.len() as f64),
            ("distinct_fingers", peers.len() as f64),
        ]);
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::tests::{drawn, metric, rows};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Chord's links are the first nodes at or after id + 2^i, for each i, without itself; and
        /// a lookup goes clockwise to the first node at or after the key.
        #[test]
        fn fingers_are_successors_of_powers_of_two(
            bits in 2u32..17, wanted in 2usize..60, seed: u64, which: prop::sample::Index, key: u64,
        ) {
            let nodes = Some(wanted.min(1 << bits));
            let ring = RingParameters { bits, nodes, ids: Vec::new() }.ring(Seed::new(seed));
            let me = ring.ids[which.index(ring.ids.len())];
            let ahead = |from: u64, to: u64| to.wrapping_sub(from) & (ring.size() - 1);
            let first_after = |key: u64| {
                let nodes = ring.ids.iter().copied();
                nodes.min_by_key(|id| ahead(key, *id)).expect("a node")
            };
            let expected: BTreeSet<u64> =
                (0..bits).map(|i| first_after((me + (1 << i)) % ring.size())).filter(|id| *id != me).collect();
            let chord = ring.chord(Closest::Successor);
            let peers = chord.peers(me);
            prop_assert_eq!(peers.len(), expected.len());
            prop_assert_eq!(peers.into_iter().collect::<BTreeSet<_>>(), expected);
            let key = key % ring.size();
            let path = chord.path(me, key);
            prop_assert_eq!(*path.last().expect("an end"), first_after(key));
            // Every hop except the last stays before the key and comes nearer.
            for pair in path[..path.len() - 1].windows(2) {
                prop_assert!(ahead(pair[1], key) < ahead(pair[0], key));
            }
        }
    }

    /// The slides' ring: 8 fingers, 4 of them duplicates.
    #[test]
    fn node_24_has_four_different_fingers() {
        let text = "[diagram]\npicture = \"ring-fingers\"\n\
                    ring = { bits = 8, ids = [24, 52, 87, 112, 143, 178, 205, 239] }\n\
                    ring-fingers = { node = 24, lookup = 150 }";
        let outcome = drawn(text, 1).expect("a picture");
        assert_eq!(metric(&outcome, "fingers"), 8.0);
        assert_eq!(metric(&outcome, "distinct_fingers"), 4.0);
        // 24 → 112 → 143 → 178.
        assert_eq!(metric(&outcome, "hops"), 3.0);
        let labels: Vec<&str> = outcome.tables[0]
            .0
            .iter()
            .filter(|row| row[5].contains('i'))
            .map(|row| row[5].as_str())
            .collect();
        let expected = ["52 (i = 1–5)", "87 (i = 6)", "112 (i = 7)", "178 (i = 8)"];
        assert_eq!(labels, expected);
        assert_eq!(
            rows(&outcome, "long link (finger) of node 24", "arrow").len(),
            8
        );
    }

    #[test]
    fn numbers_in_a_row_are_a_range() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1–3, 5, 7–8");
        assert_eq!(ranges(&[4]), "4");
    }
}
