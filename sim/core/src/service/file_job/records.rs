//! The results of file tasks: byte strings with their counts, and the cut records at the ends of
//! blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What a block contributes to the records that its ends cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edges {
    /// The bytes before the first separator, and those after the last one.
    Ends(Box<[u8]>, Box<[u8]>),
    /// The block has no separator: all of its bytes.
    Whole(Box<[u8]>),
}

impl Edges {
    fn len(&self) -> usize {
        match self {
            Self::Ends(head, tail) => head.len() + tail.len(),
            Self::Whole(bytes) => bytes.len(),
        }
    }
}

/// Records with their counts, and the edges of the blocks in which they are. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records(Arc<Content>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Content {
    counts: BTreeMap<Box<[u8]>, u64>,
    /// By the number of the block.
    edges: BTreeMap<u32, Edges>,
    /// Size in a message.
    bytes: u32,
}

/// Bytes of a length, a count or a number in a message.
const NUMBER: u32 = 4;

impl Records {
    /// The records of block `number`, without any yet.
    pub fn of_block(number: u32, edges: Edges) -> Self {
        let bytes = NUMBER + edges.len() as u32;
        Self(Arc::new(Content {
            edges: [(number, edges)].into(),
            bytes,
            ..Content::default()
        }))
    }

    /// Adds `count` occurrences of `record`. O(log n) for n records, if nothing else shares them.
    pub fn add(&mut self, record: &[u8], count: u64) {
        Arc::make_mut(&mut self.0).add(record, count);
    }

    /// Adds the records of `other`, whose blocks are others. O(m log n) for m and n records.
    pub fn merge(&mut self, other: &Self) {
        let mine = Arc::make_mut(&mut self.0);
        for (record, count) in &other.0.counts {
            mine.add(record, *count);
        }
        for (number, edges) in &other.0.edges {
            mine.bytes += NUMBER + edges.len() as u32;
            mine.edges.insert(*number, edges.clone());
        }
    }

    /// Doubles all counts.
    pub fn double(&mut self) {
        let counts = &mut Arc::make_mut(&mut self.0).counts;
        counts.values_mut().for_each(|count| *count *= 2);
    }

    /// The records with their counts, ascending.
    pub fn counts(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.0
            .counts
            .iter()
            .map(|(record, count)| (&**record, *count))
    }

    /// The edges of block `number`, if it is among the blocks.
    pub fn edges(&self, number: u32) -> Option<&Edges> {
        self.0.edges.get(&number)
    }

    /// The numbers of the blocks in which the records are, ascending.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator {
        self.0.edges.keys().copied()
    }

    /// Whether the two have no common block. O(m log n).
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let has = |number| self.0.edges.contains_key(&number);
        !other.blocks().any(has)
    }

    /// Size in a message: each record with its length and count, each edge with its length.
    pub fn bytes(&self) -> u32 {
        self.0.bytes
    }
}

impl Content {
    fn add(&mut self, record: &[u8], count: u64) {
        match self.counts.get_mut(record) {
            Some(sum) => *sum += count,
            None => {
                self.bytes += 2 * NUMBER + record.len() as u32;
                self.counts.insert(record.into(), count);
            }
        }
    }
}
