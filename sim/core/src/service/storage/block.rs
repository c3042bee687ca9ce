//! The value stored under a key.

use super::placement::{Places, SLOT_BYTES, Slot};
use crate::engine::Instant;
use crate::service::replication::Item;
use crate::space::Key;
use std::fmt;
use std::sync::Arc;

/// Bytes and their SHA-1, which is computed once at creation; clones share both.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    bytes: Arc<[u8]>,
    digest: Key,
    /// Each byte stands for this many.
    scale: u32,
}

impl Content {
    /// A content with these bytes. O(n) for n bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let digest = Key::sha1(&bytes);
        Self {
            bytes,
            digest,
            scale: 1,
        }
    }

    /// The same, each byte of which stands for `scale`.
    pub fn scaled(self, scale: u32) -> Self {
        Self { scale, ..self }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of bytes that they stand for.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64 * u64::from(self.scale)
    }

    /// Their SHA-1.
    pub fn digest(&self) -> Key {
        self.digest
    }

    /// A copy with one bit flipped.
    fn altered(&self) -> Self {
        let mut bytes = self.bytes.to_vec();
        match bytes.first_mut() {
            Some(byte) => *byte ^= 1,
            None => bytes.push(1),
        }
        Self::new(bytes).scaled(self.scale)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes, {:?}", self.bytes.len(), self.digest)
    }
}

/// The kind of a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A block, whose key is the SHA-1 of its content.
    Block,
    /// The keyfile of a file, under the SHA-1 of the file's name. It may be overwritten, and its
    /// key does not authenticate it; in CFS its publisher signs it.
    Keyfile,
}

/// The value stored under a key: a content, or a tombstone.
///
/// Of two values for one key the later one wins, by the time at which the initiator first issued
/// the put or delete; at equal times the tombstone wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    kind: BlockKind,
    stamp: Instant,
    content: Option<Content>,
    slot: Option<Slot>,
}

impl Block {
    /// `content`, stored at `stamp`.
    pub fn new(kind: BlockKind, content: Content, stamp: Instant) -> Self {
        Self {
            kind,
            stamp,
            content: Some(content),
            slot: None,
        }
    }

    /// A tombstone of a deletion at `stamp`.
    pub fn tombstone(stamp: Instant) -> Self {
        Self {
            kind: BlockKind::Block,
            stamp,
            content: None,
            slot: None,
        }
    }

    /// The same value as a copy with a key of its own.
    pub(super) fn in_slot(self, slot: Option<Slot>) -> Self {
        Self { slot, ..self }
    }

    /// The copy that this is, if copies have keys of their own.
    pub fn slot(&self) -> Option<Slot> {
        self.slot
    }

    /// Bytes of the content; 0 for a tombstone.
    pub fn size(&self) -> u64 {
        self.content.as_ref().map_or(0, Content::size)
    }

    /// The content, unless this is a tombstone.
    pub fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    /// When it was stored or deleted.
    pub fn stamp(&self) -> Instant {
        self.stamp
    }

    /// Whether it is valid under `key`: the SHA-1 of a block's content must equal its name, and the
    /// key must follow from the name. Keyfiles and tombstones cannot be verified.
    pub fn is_sound(&self, key: &Key, places: Places) -> bool {
        let name = self.slot.map_or(*key, |slot| slot.name);
        let is_here = self.slot.is_none_or(|slot| places.key_of(slot) == *key);
        is_here
            && match (&self.content, self.kind) {
                (Some(content), BlockKind::Block) => content.digest == name,
                (Some(_), BlockKind::Keyfile) | (None, _) => true,
            }
    }

    /// Alters the content, if there is one.
    pub(super) fn forge(&mut self) {
        if let Some(content) = &mut self.content {
            *content = content.altered();
        }
    }

    fn rank(&self) -> (Instant, bool, Option<Key>) {
        let digest = self.content.as_ref().map(Content::digest);
        (self.stamp, self.content.is_none(), digest)
    }
}

/// Bytes of a time in a message.
pub(super) const STAMP_BYTES: u32 = 8;

impl Item for Block {
    fn merge(&mut self, other: Self) -> bool {
        let is_later = other.rank() > self.rank();
        if is_later {
            *self = other;
        }
        is_later
    }

    fn bytes(&self) -> u32 {
        let slot = self.slot.map_or(0, |_| SLOT_BYTES);
        STAMP_BYTES + slot + self.size() as u32
    }

    fn version(&self) -> u64 {
        let (stamp, deleted, digest) = self.rank();
        let digest = digest.map_or(0, Key::prefix);
        (stamp.as_nanos() << 1) ^ u64::from(deleted) ^ digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::storage::placement::ReplicaPlacement;
    use proptest::prelude::*;

    fn block(kind: BlockKind, stamp: u64, content: Option<u8>) -> Block {
        let stamp = Instant::from_nanos(stamp);
        match content {
            Some(byte) => Block::new(kind, Content::new([byte]), stamp),
            None => Block::tombstone(stamp),
        }
    }

    #[test]
    fn a_block_is_known_by_its_content_and_a_keyfile_is_not() {
        let content = Content::new(*b"abc");
        // Example of FIPS 180-4.
        let key: [u8; 20] = [
            0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
            0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d,
        ];
        let key = Key::from_bytes(key);
        assert_eq!(content.digest(), key);
        for (kind, survives) in [(BlockKind::Block, false), (BlockKind::Keyfile, true)] {
            let mut block = Block::new(kind, content.clone(), Instant::START);
            let places = Places::new(ReplicaPlacement::Nearest, 3);
            assert!(block.is_sound(&key, places));
            let places = Places::new(ReplicaPlacement::Spread, 3);
            let copy = block.clone().in_slot(places.slot(key, 1));
            assert!(copy.is_sound(&places.key(&key, 1), places));
            assert!(!copy.is_sound(&key, places));
            block.forge();
            assert_eq!(block.is_sound(&key, places), survives);
            assert_ne!(block.content(), Some(&content));
        }
        assert!(!Content::new([]).altered().bytes().is_empty());
    }

    proptest! {
        /// The result of merging copies does not depend on the order, and two copies have equal
        /// versions if and only if they are equal.
        #[test]
        fn the_order_of_copies_does_not_matter(
            told in prop::collection::vec((0u64..4, prop::option::of(0u8..3)), 1..8),
            context in 0usize..8,
        ) {
            let blocks: Vec<Block> = told
                .iter()
                .map(|(stamp, content)| block(BlockKind::Keyfile, *stamp, *content))
                .collect();
            let merged = |blocks: &[Block]| {
                let mut all = blocks[0].clone();
                for other in &blocks[1..] {
                    let before = all.clone();
                    prop_assert_eq!(all.merge(other.clone()), all != before);
                }
                Ok(all)
            };
            let mut turned = blocks.clone();
            turned.rotate_left(context % blocks.len());
            prop_assert_eq!(merged(&blocks)?, merged(&turned)?);
            turned.reverse();
            prop_assert_eq!(merged(&blocks)?, merged(&turned)?);
            for (one, other) in blocks.iter().zip(&turned) {
                // The kind of a tombstone does not matter.
                let alike = one.rank() == other.rank();
                prop_assert_eq!(one.version() == other.version(), alike);
            }
        }
    }
}
