//! What the network holds of the stored objects. An experiment inspects all stores for this, which no
//! node could do.

use super::objects::Objects;
use dhtlab_core::network::Network;
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::service::storage::{Places, Storage};
use dhtlab_core::space::Key;

/// The objects that are not deleted, at a moment.
#[derive(Default)]
pub(super) struct ObjectCounts {
    /// Number of copies of each block, files' blocks excluded.
    pub copies_of_blocks: Vec<u32>,
    /// Blocks that the roots of all their keys hold.
    pub at_root: usize,
    pub files: usize,
    /// Files without a copy of their keyfile.
    pub keyfiles_lost: usize,
    /// Files without a copy of their keyfile or of some block.
    pub files_lost: usize,
}

impl ObjectCounts {
    pub fn of<P: GroundTruth>(network: &Network<P, Storage>, objects: &Objects) -> Self {
        let mut names = Vec::new();
        for object in objects.present() {
            names.push(object.key);
            let parts = objects.file(&object.key).filter(|_| object.is_file);
            names.extend(parts.iter().flat_map(|file| &file.blocks));
        }
        let mut copies = copies(network, &names).into_iter();
        let mut counts = Self::default();
        for object in objects.present() {
            let of_object = copies.next().unwrap_or(0);
            if !object.is_file {
                counts.copies_of_blocks.push(of_object);
                counts.at_root += usize::from(is_at_root(network, &object.key));
                continue;
            }
            let parts = objects
                .file(&object.key)
                .map_or(0, |file| file.blocks.len());
            let lost = copies.by_ref().take(parts).filter(|count| *count == 0);
            let has_lost_a_block = lost.count() > 0;
            counts.files += 1;
            counts.keyfiles_lost += usize::from(of_object == 0);
            counts.files_lost += usize::from(of_object == 0 || has_lost_a_block);
        }
        counts
    }

    /// Blocks.
    pub fn blocks(&self) -> usize {
        self.copies_of_blocks.len()
    }

    /// Blocks without a copy.
    pub fn lost(&self) -> usize {
        let lost = self.copies_of_blocks.iter().filter(|count| **count == 0);
        lost.count()
    }

    /// Copies of all blocks.
    pub fn copies(&self) -> u64 {
        self.copies_of_blocks
            .iter()
            .map(|count| u64::from(*count))
            .sum()
    }
}

/// Number of copies of the value with each name that members hold. O(c log v) for c copies of v
/// values.
pub(super) fn copies<P: GroundTruth>(network: &Network<P, Storage>, names: &[Key]) -> Vec<u32> {
    let places = network.service().places();
    let mut sorted: Vec<(Key, usize)> = Vec::new();
    for (number, name) in names.iter().enumerate() {
        sorted.extend((0..places.keys()).map(|index| (places.key(name, index), number)));
    }
    sorted.sort_unstable();
    let mut copies = vec![0; names.len()];
    for node in network.members() {
        let mut from = 0;
        // A store is in the order of the keys, too.
        for (key, block) in network.application(*node).store().iter() {
            match sorted[from..].binary_search_by_key(key, |(key, _)| *key) {
                Ok(place) => {
                    if block.content().is_some() {
                        copies[sorted[from + place].1] += 1;
                    }
                    from += place;
                }
                Err(place) => from += place,
            }
        }
    }
    copies
}

/// Whether the roots of all keys of a block hold it.
fn is_at_root<P: GroundTruth>(network: &Network<P, Storage>, name: &Key) -> bool {
    let places: Places = network.service().places();
    (0..places.keys()).all(|index| {
        let key = places.key(name, index);
        let root = network.root(&key);
        let store = root.map(|root| network.application(root).store());
        store.is_some_and(|store| store.get(&key).is_some())
    })
}
