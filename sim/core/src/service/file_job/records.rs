//! The results of file tasks: byte strings with their counts, or sums in fixed point, and the cut
//! records at the ends of blocks.

use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The bytes of a record: most are short.
pub type Bytes = SmallVec<[u8; 16]>;

/// What a block contributes to the records that its ends cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edges {
    /// The bytes before the first separator, and those after the last one.
    Ends(Bytes, Bytes),
    /// The block has no separator: all of its bytes.
    Whole(Bytes),
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
    /// The round of the job.
    round: u32,
    counts: BTreeMap<Bytes, i128>,
    /// By the number of the block, ascending. Most records are of one block, for which a map is large.
    edges: Vec<(u32, Edges)>,
    /// Size in a message.
    bytes: u32,
}

/// Bytes of a length, a count below 2^32 or a number in a message, and of another sum.
const NUMBER: u32 = 4;
const SUM: u32 = 16;

fn bytes_of(count: i128) -> u32 {
    match u32::try_from(count) {
        Ok(_) => NUMBER,
        Err(_) => SUM,
    }
}

impl Records {
    /// The records of block `number` in `round`, without any yet.
    pub fn of_block(round: u32, number: u32, edges: Edges) -> Self {
        let bytes = NUMBER + edges.len() as u32;
        Self(Arc::new(Content {
            round,
            edges: vec![(number, edges)],
            bytes,
            ..Content::default()
        }))
    }

    /// The round of the job in which its blocks were mapped.
    pub fn round(&self) -> u32 {
        self.0.round
    }

    /// Adds `count` occurrences of `record`. O(log n) for n records, if nothing else shares them.
    pub fn add(&mut self, record: &[u8], count: i128) {
        Arc::make_mut(&mut self.0).add(record, count);
    }

    /// Adds the records of `other`, of the same round, whose blocks are others. O(m log n) for m
    /// and n records, O(m + n) for m and n blocks.
    pub fn merge(&mut self, other: &Self) {
        self.merge_all(std::slice::from_ref(other));
    }

    /// The same for several others, whose blocks are distinct.
    pub fn merge_all(&mut self, others: &[Self]) {
        if others.is_empty() {
            return;
        }
        let mine = Arc::make_mut(&mut self.0);
        for other in others {
            if mine.edges.is_empty() {
                mine.round = other.0.round;
            }
            for (record, count) in &other.0.counts {
                mine.add(record, *count);
            }
            let bytes = |(_, edges): &(u32, Edges)| NUMBER + edges.len() as u32;
            mine.bytes += other.0.edges.iter().map(bytes).sum::<u32>();
            mine.edges.extend_from_slice(&other.0.edges);
        }
        // Ascending runs, which the stable sort merges.
        mine.edges.sort_by_key(|(number, _)| *number);
    }

    /// Doubles all counts.
    pub fn double(&mut self) {
        let mine = Arc::make_mut(&mut self.0);
        for count in mine.counts.values_mut() {
            mine.bytes -= bytes_of(*count);
            *count *= 2;
            mine.bytes += bytes_of(*count);
        }
    }

    /// The count of `record`.
    pub fn count_of(&self, record: &[u8]) -> i128 {
        self.0.counts.get(record).copied().unwrap_or(0)
    }

    /// The records with their counts, ascending.
    pub fn counts(&self) -> impl Iterator<Item = (&[u8], i128)> {
        self.0
            .counts
            .iter()
            .map(|(record, count)| (&**record, *count))
    }

    /// The edges of block `number`, if it is among the blocks.
    pub fn edges(&self, number: u32) -> Option<&Edges> {
        self.0.edge(number)
    }

    /// The numbers of the blocks in which the records are, ascending.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator {
        self.0.edges.iter().map(|(number, _)| *number)
    }

    /// Whether the two are of one round and have no common block. O(m log n) for m and n blocks, m the fewer.
    pub fn can_merge(&self, other: &Self) -> bool {
        let (large, small) = if self.0.edges.len() < other.0.edges.len() {
            (other, self)
        } else {
            (self, other)
        };
        let has = |number| large.0.edge(number).is_some();
        self.0.round == other.0.round && !small.blocks().any(has)
    }

    /// Size in a message: each record with its length and count, each edge with its length.
    pub fn bytes(&self) -> u32 {
        self.0.bytes
    }
}

impl Content {
    fn edge(&self, number: u32) -> Option<&Edges> {
        let place = self.edges.binary_search_by_key(&number, |(of, _)| *of);
        place.ok().map(|place| &self.edges[place].1)
    }

    fn add(&mut self, record: &[u8], count: i128) {
        match self.counts.get_mut(record) {
            Some(sum) => {
                self.bytes -= bytes_of(*sum);
                *sum += count;
                self.bytes += bytes_of(*sum);
            }
            None => {
                self.bytes += NUMBER + bytes_of(count) + record.len() as u32;
                self.counts.insert(Bytes::from_slice(record), count);
            }
        }
    }
}
