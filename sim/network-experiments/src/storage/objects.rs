//! The blocks and files that were stored: what can be read and deleted.

use dhtlab_core::engine::Stream;
use dhtlab_core::service::storage::{Answer, CompletedRequest, Operation, StorageMetrics};
use dhtlab_core::space::Key;
use dhtlab_core::workload::Popularity;
use std::collections::BTreeMap;

/// A file that is stored, or is to be stored.
#[derive(Default)]
pub(super) struct File {
    pub name: String,
    /// The keys of its blocks, in order.
    pub blocks: Vec<Key>,
}

/// A block or file.
#[derive(Clone, Copy)]
pub(super) struct Object {
    /// The key of the block, or of the keyfile.
    pub key: Key,
    pub is_file: bool,
    /// A deletion was issued.
    pub is_deleted: bool,
}

/// The objects whose puts were acknowledged, in the order of their acknowledgements.
#[derive(Default)]
pub(super) struct Objects {
    all: Vec<Object>,
    /// The numbers of the blocks, and of the files.
    kinds: [Vec<usize>; 2],
    /// The numbers of the objects that are not deleted.
    present: Vec<usize>,
    /// All files, by the keys of their keyfiles.
    planned: BTreeMap<Key, File>,
    /// Number of ended requests that were looked at.
    seen: usize,
}

impl Objects {
    /// Notes that `file` is to be stored with a keyfile under `key`.
    pub fn plan(&mut self, key: Key, file: File) {
        self.planned.insert(key, file);
    }

    /// The file whose keyfile is under `key`, if there is one.
    pub fn file(&self, key: &Key) -> Option<&File> {
        self.planned.get(key)
    }

    /// Adds the objects of the puts that were acknowledged since the last call, if they are `wanted`.
    pub fn add_stored(
        &mut self,
        metrics: &StorageMetrics,
        wanted: impl Fn(&CompletedRequest) -> bool,
    ) {
        for ended in &metrics.ended[self.seen..] {
            let is_file = match ended.operation {
                Operation::Put => false,
                Operation::PutFile => true,
                _ => continue,
            };
            if ended.answer == Answer::Done && wanted(ended) {
                let number = self.all.len();
                self.all.push(Object {
                    key: ended.key,
                    is_file,
                    is_deleted: false,
                });
                self.kinds[usize::from(is_file)].push(number);
                self.present.push(number);
            }
        }
        self.seen = metrics.ended.len();
    }

    /// The objects that are not deleted.
    pub fn present(&self) -> impl Iterator<Item = &Object> {
        self.all.iter().filter(|object| !object.is_deleted)
    }

    /// The object that a get reads: a block or a file by their numbers, and which one by its
    /// popularity. `draw` is a random number.
    pub fn popular(
        &self,
        popularity: Popularity,
        exponent: f64,
        draw: u64,
        stream: &mut Stream,
    ) -> Option<Object> {
        let any = self.all.get(place(draw, self.all.len()))?;
        Some(match popularity {
            Popularity::Uniform => *any,
            Popularity::Zipf => {
                let alike = &self.kinds[usize::from(any.is_file)];
                self.all[alike[popularity.place(draw, alike.len(), exponent, stream)]]
            }
        })
    }

    /// Marks the object that a random number selects among those present as deleted; returns it.
    pub fn delete(&mut self, draw: u64) -> Option<Object> {
        if self.present.is_empty() {
            return None;
        }
        let number = self.present.swap_remove(place(draw, self.present.len()));
        let object = &mut self.all[number];
        object.is_deleted = true;
        Some(*object)
    }
}

/// The place among `count` that a random number selects: its high bits choose, as for lookups.
pub(super) fn place(draw: u64, count: usize) -> usize {
    ((u128::from(draw) * count as u128) >> 64) as usize
}
