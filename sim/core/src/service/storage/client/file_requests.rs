//! Requests for files: the blocks of a file are stored before its keyfile, and read after it.

use super::{Client, Purpose, Wanted};
use crate::engine::{Duration, Instant};
use crate::service::storage::block::{BlockKind, Content};
use crate::service::storage::metrics::{
    Answer, CompletedRequest, Effort, Operation, StorageMetrics,
};
use crate::service::storage::{StorageContext, files};
use crate::space::Key;

/// A request to write or read a file.
#[derive(Clone, Debug)]
pub(super) struct FileRequest {
    number: u32,
    key: Key,
    begun: Instant,
    effort: Effort,
    bytes: u64,
    step: FileStep,
    /// The user, or the service above.
    purpose: Purpose,
}

#[derive(Clone, Debug)]
enum FileStep {
    /// Number of blocks that are not stored yet, and those that wait, the last of them first; the
    /// keyfile follows them.
    PutBlocks {
        left: usize,
        waiting: Vec<Content>,
        keyfile: Content,
    },
    PutKeyfile,
    GetKeyfile,
    GetBlocks {
        length: u64,
        /// The keys of the blocks that wait, with their places, the last of them first.
        waiting: Vec<(usize, Key)>,
        blocks: Vec<Option<Content>>,
    },
}

/// The index of a keyfile among the parts of its file.
const KEYFILE: usize = usize::MAX;

impl Client {
    /// Stores a file: its blocks, then its keyfile; returns the number of the request.
    pub fn put_file(
        &mut self,
        context: &mut StorageContext<'_>,
        name: &str,
        file: &[u8],
        purpose: Purpose,
    ) -> u32 {
        let (mut blocks, keyfile) =
            files::split(file, context.shared.block_size, context.shared.scale);
        let left = blocks.len();
        let bytes = blocks.iter().map(Content::size).sum();
        let mut waiting = blocks.split_off(window(context).min(left));
        waiting.reverse();
        let step = FileStep::PutBlocks {
            left,
            waiting,
            keyfile,
        };
        let number = self.open_file(context, files::key_of(name), bytes, step, purpose);
        for content in blocks {
            self.put_block(context, number, content);
        }
        if left == 0 {
            self.put_keyfile(context, number);
        }
        number
    }

    /// Reads a file: its keyfile, then its blocks; returns the number of the request.
    pub fn get_file(
        &mut self,
        context: &mut StorageContext<'_>,
        name: &str,
        purpose: Purpose,
    ) -> u32 {
        let key = files::key_of(name);
        let number = self.open_file(context, key, 0, FileStep::GetKeyfile, purpose);
        self.ask(
            context,
            key,
            Wanted::Get(BlockKind::Keyfile),
            Purpose::Part(number, KEYFILE),
        );
        number
    }

    fn put_block(&mut self, context: &mut StorageContext<'_>, file: u32, content: Content) {
        // A put does not need the place of its block.
        let part = Purpose::Part(file, 0);
        self.put_part(context, content.digest(), BlockKind::Block, content, part);
    }

    fn get_block(
        &mut self,
        context: &mut StorageContext<'_>,
        file: u32,
        (place, key): (usize, Key),
    ) {
        let part = Purpose::Part(file, place);
        self.ask(context, key, Wanted::Get(BlockKind::Block), part);
    }

    fn open_file(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        bytes: u64,
        step: FileStep,
        purpose: Purpose,
    ) -> u32 {
        context.metrics.open += u64::from(purpose == Purpose::User);
        let number = self.number();
        self.files.push(FileRequest {
            number,
            key,
            begun: context.now,
            effort: Effort::default(),
            bytes,
            step,
            purpose,
        });
        number
    }

    /// A part of a file request has ended.
    pub(super) fn advance(
        &mut self,
        context: &mut StorageContext<'_>,
        file: u32,
        part: usize,
        effort: Effort,
        answer: Answer,
    ) {
        let Some(place) = self.files.iter().position(|open| open.number == file) else {
            return;
        };
        let open = &mut self.files[place];
        open.effort.add(effort);
        match (&mut open.step, answer) {
            (FileStep::PutBlocks { left, waiting, .. }, Answer::Done) => {
                *left -= 1;
                if *left == 0 {
                    self.put_keyfile(context, file);
                } else if let Some(content) = waiting.pop() {
                    self.put_block(context, file, content);
                }
            }
            (FileStep::PutKeyfile, Answer::Done) => self.end_file(context, place, Answer::Done),
            (FileStep::GetKeyfile, Answer::Content(keyfile)) => {
                match files::read_keyfile(keyfile.bytes()) {
                    Some((length, keys)) => self.get_blocks(context, place, length, &keys),
                    None => self.end_file(context, place, Answer::Failed),
                }
            }
            (
                FileStep::GetBlocks {
                    waiting, blocks, ..
                },
                Answer::Content(content),
            ) => {
                blocks[part] = Some(content);
                match waiting.pop() {
                    Some(next) => self.get_block(context, file, next),
                    None => self.join(context, place),
                }
            }
            (_, answer) => self.end_file(context, place, answer),
        }
    }

    fn put_keyfile(&mut self, context: &mut StorageContext<'_>, file: u32) {
        let Some(open) = self.files.iter_mut().find(|open| open.number == file) else {
            return;
        };
        let step = std::mem::replace(&mut open.step, FileStep::PutKeyfile);
        if let FileStep::PutBlocks { keyfile, .. } = step {
            let key = open.key;
            let purpose = Purpose::Part(file, KEYFILE);
            self.put_part(context, key, BlockKind::Keyfile, keyfile, purpose);
        }
    }

    fn get_blocks(
        &mut self,
        context: &mut StorageContext<'_>,
        place: usize,
        length: u64,
        keys: &[Key],
    ) {
        let open = &mut self.files[place];
        let number = open.number;
        let mut first: Vec<(usize, Key)> = keys.iter().copied().enumerate().collect();
        let mut waiting = first.split_off(window(context).min(keys.len()));
        waiting.reverse();
        open.step = FileStep::GetBlocks {
            length,
            waiting,
            blocks: vec![None; keys.len()],
        };
        for block in first {
            self.get_block(context, number, block);
        }
        self.join(context, place);
    }

    /// Ends the reading of a file if all of its blocks are present.
    fn join(&mut self, context: &mut StorageContext<'_>, place: usize) {
        let FileStep::GetBlocks { length, blocks, .. } = &self.files[place].step else {
            return;
        };
        if let Some(blocks) = blocks.iter().cloned().collect::<Option<Vec<Content>>>() {
            let answer = if files::has_length(*length, &blocks) {
                self.files[place].bytes = *length;
                Answer::File(blocks)
            } else {
                Answer::Failed
            };
            self.end_file(context, place, answer);
        }
    }

    /// Removes the request at `place` with those of its parts. Returns `answer` to the service that
    /// issued it, or notes it in the metrics.
    fn end_file(&mut self, context: &mut StorageContext<'_>, place: usize, answer: Answer) {
        let file = self.files.swap_remove(place);
        let of = file.number;
        self.requests
            .retain(|_, request| !matches!(request.purpose, Purpose::Part(file, _) if file == of));
        if file.purpose == Purpose::Service {
            self.fetched.push((of, answer));
            return;
        }
        let took = context.now.since(file.begun);
        file.note(context.metrics, took, answer);
    }
}

/// Largest number of blocks that are written or read at the same time.
fn window(context: &StorageContext<'_>) -> usize {
    let window = context.shared.window;
    window.map_or(usize::MAX, |window| window as usize)
}

impl FileRequest {
    /// Whether the user of the node issued it.
    pub(super) fn is_users(&self) -> bool {
        self.purpose == Purpose::User
    }

    /// Adds the completed request to the metrics.
    pub(super) fn note(self, metrics: &mut StorageMetrics, took: Duration, answer: Answer) {
        let operation = match self.step {
            FileStep::PutBlocks { .. } | FileStep::PutKeyfile => Operation::PutFile,
            FileStep::GetKeyfile | FileStep::GetBlocks { .. } => Operation::GetFile,
        };
        metrics.end(CompletedRequest {
            operation,
            key: self.key,
            begun: self.begun,
            took,
            effort: self.effort,
            bytes: self.bytes,
            answer,
        });
    }
}
