//! The client side of storage: the open requests of this node with their retries, and the assembly
//! of files from blocks.

use super::block::{Block, Content, Kind};
use super::files;
use super::metrics::{Answer, CompletedRequest, Operation, StorageMetrics};
use super::{Message, StorageContext, Timer};
use crate::engine::{Duration, Instant, Stream};
use crate::overlay::Node;
use crate::space::Key;
use smallvec::SmallVec;

/// Nodes whose content did not match the key.
pub(super) type Refused = SmallVec<[Node; 2]>;

/// The open requests of one node.
#[derive(Clone, Debug)]
pub(super) struct Client {
    last: u32,
    requests: Vec<Request>,
    files: Vec<FileRequest>,
    /// Answers to requests of the service above: their numbers and results.
    fetched: Vec<(u32, Answer)>,
}

/// A request to the root of one key.
#[derive(Clone, Debug)]
struct Request {
    number: u32,
    key: Key,
    wanted: Wanted,
    begun: Instant,
    tries: u32,
    refused: Refused,
    /// The root has answered that the key has no value.
    absent: bool,
    purpose: Purpose,
}

/// Who issued a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The user of the node: the result is in the metrics.
    User,
    /// The file request with this number: the index of the part.
    Part(u32, usize),
    /// The service above on this node, which gets the result.
    Service,
}

#[derive(Clone, Debug)]
enum Wanted {
    Put(Block),
    Get(Kind),
    Delete,
}

/// A request to write or read a file.
#[derive(Clone, Debug)]
struct FileRequest {
    number: u32,
    key: Key,
    begun: Instant,
    tries: u32,
    task: Task,
}

#[derive(Clone, Debug)]
enum Task {
    /// Number of blocks that are not stored yet; the keyfile follows them.
    PutBlocks {
        left: usize,
        keyfile: Content,
    },
    PutKeyfile,
    GetKeyfile,
    GetBlocks {
        length: u64,
        blocks: Vec<Option<Content>>,
    },
}

/// The index of a keyfile among the parts of its file.
const KEYFILE: usize = usize::MAX;

impl Client {
    /// A client of a node's session. Request numbers begin at random, so an answer to an earlier
    /// session does not match a request.
    pub fn new(mut random: Stream) -> Self {
        Self {
            last: random.below(1 << 32) as u32,
            requests: Vec::new(),
            files: Vec::new(),
            fetched: Vec::new(),
        }
    }

    fn number(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    /// Stores a block under the SHA-1 of `content`.
    pub fn put(&mut self, context: &mut StorageContext<'_>, content: Content) {
        context.metrics.open += 1;
        let key = content.digest();
        self.put_part(context, key, Kind::Block, content, Purpose::User);
    }

    /// Reads the block with `key`.
    pub fn get(&mut self, context: &mut StorageContext<'_>, key: Key) {
        context.metrics.open += 1;
        self.ask(context, key, Wanted::Get(Kind::Block), Purpose::User);
    }

    /// Reads the keyfile of the file `name` for the service above; returns the number of the request.
    pub fn fetch_keyfile(&mut self, context: &mut StorageContext<'_>, name: &str) -> u32 {
        let wanted = Wanted::Get(Kind::Keyfile);
        self.ask(context, files::key_of(name), wanted, Purpose::Service)
    }

    /// The answers to the service above since the last call.
    pub fn take_fetched(&mut self) -> Vec<(u32, Answer)> {
        std::mem::take(&mut self.fetched)
    }

    /// Deletes the value under `key`.
    pub fn delete(&mut self, context: &mut StorageContext<'_>, key: Key) {
        context.metrics.open += 1;
        self.ask(context, key, Wanted::Delete, Purpose::User);
    }

    /// Stores a file: its blocks, then its keyfile.
    pub fn put_file(&mut self, context: &mut StorageContext<'_>, name: &str, file: &[u8]) {
        let (blocks, keyfile) = files::split(file, context.shared.block_size);
        let left = blocks.len();
        let task = Task::PutBlocks { left, keyfile };
        let number = self.open_file(context, files::key_of(name), task);
        for (place, content) in blocks.into_iter().enumerate() {
            let part = Purpose::Part(number, place);
            self.put_part(context, content.digest(), Kind::Block, content, part);
        }
        if left == 0 {
            self.put_keyfile(context, number);
        }
    }

    /// Reads a file: its keyfile, then its blocks.
    pub fn get_file(&mut self, context: &mut StorageContext<'_>, name: &str) {
        let key = files::key_of(name);
        let number = self.open_file(context, key, Task::GetKeyfile);
        self.ask(
            context,
            key,
            Wanted::Get(Kind::Keyfile),
            Purpose::Part(number, KEYFILE),
        );
    }

    fn open_file(&mut self, context: &mut StorageContext<'_>, key: Key, task: Task) -> u32 {
        context.metrics.open += 1;
        let number = self.number();
        self.files.push(FileRequest {
            number,
            key,
            begun: context.now,
            tries: 0,
            task,
        });
        number
    }

    fn put_part(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        kind: Kind,
        content: Content,
        purpose: Purpose,
    ) {
        let block = Block::new(kind, content, context.now);
        self.ask(context, key, Wanted::Put(block), purpose);
    }

    fn ask(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        wanted: Wanted,
        purpose: Purpose,
    ) -> u32 {
        let number = self.number();
        self.requests.push(Request {
            number,
            key,
            wanted,
            begun: context.now,
            tries: 0,
            refused: Refused::new(),
            absent: false,
            purpose,
        });
        self.try_at(context, self.requests.len() - 1);
        number
    }

    fn find(&self, number: u32) -> Option<usize> {
        self.requests
            .iter()
            .position(|request| request.number == number)
    }

    /// Sends the request to the root, for the first time or again; after the last try, ends it.
    fn try_at(&mut self, context: &mut StorageContext<'_>, place: usize) {
        let request = &mut self.requests[place];
        if request.tries >= context.shared.tries {
            let answer = match request.absent {
                true => Answer::Absent,
                false => Answer::Failed,
            };
            return self.end(context, place, answer);
        }
        request.tries += 1;
        let number = request.number;
        let message = match &request.wanted {
            Wanted::Put(block) => Message::Put {
                number,
                block: block.clone(),
            },
            Wanted::Get(_) => Message::Get {
                number,
                refused: request.refused.clone(),
            },
            Wanted::Delete => Message::Delete {
                number,
                stamp: request.begun,
            },
        };
        context.route(request.key, message);
        let timer = Timer::Retry(number, request.tries);
        context.set_timer(context.shared.timeout, timer);
    }

    /// Handles the time-out of try `tries` of request `number`.
    pub fn time_out(&mut self, context: &mut StorageContext<'_>, number: u32, tries: u32) {
        if let Some(place) = self.find(number)
            && self.requests[place].tries == tries
        {
            self.try_at(context, place);
        }
    }

    /// The root has carried out the put or delete.
    pub fn done(&mut self, context: &mut StorageContext<'_>, number: u32) {
        if let Some(place) = self.find(number)
            && !matches!(self.requests[place].wanted, Wanted::Get(_))
        {
            self.end(context, place, Answer::Done);
        }
    }

    /// The value does not exist. Unless it was deleted, the request is tried again after the
    /// time-out: the root may be new and its copy on the way.
    pub fn absent(&mut self, context: &mut StorageContext<'_>, number: u32, deleted: bool) {
        let Some(place) = self.find(number) else {
            return;
        };
        if deleted {
            self.end(context, place, Answer::Deleted);
        } else {
            self.requests[place].absent = true;
        }
    }

    /// `from` has sent a content. A block that does not match its key is requested from another
    /// node.
    pub fn found(
        &mut self,
        context: &mut StorageContext<'_>,
        from: Node,
        number: u32,
        content: Content,
    ) {
        let Some(place) = self.find(number) else {
            return;
        };
        let request = &mut self.requests[place];
        let Wanted::Get(kind) = request.wanted else {
            return;
        };
        let sound = kind == Kind::Keyfile || content.digest() == request.key;
        if sound || !context.shared.verify {
            return self.end(context, place, Answer::Content(content));
        }
        context.metrics.refused_by_readers += 1;
        request.refused.push(from);
        self.try_at(context, place);
    }

    fn end(&mut self, context: &mut StorageContext<'_>, place: usize, answer: Answer) {
        let request = self.requests.swap_remove(place);
        match request.purpose {
            Purpose::Part(file, part) => self.advance(context, file, part, request.tries, answer),
            Purpose::Service => self.fetched.push((request.number, answer)),
            Purpose::User => {
                let operation = match request.wanted {
                    Wanted::Put(_) => Operation::Put,
                    Wanted::Get(_) => Operation::Get,
                    Wanted::Delete => Operation::Delete,
                };
                let took = context.now.since(request.begun);
                request.note(context.metrics, operation, took, answer);
            }
        }
    }

    /// A part of a file request has ended.
    fn advance(
        &mut self,
        context: &mut StorageContext<'_>,
        file: u32,
        part: usize,
        tries: u32,
        answer: Answer,
    ) {
        let Some(place) = self.files.iter().position(|open| open.number == file) else {
            return;
        };
        let open = &mut self.files[place];
        open.tries += tries;
        match (&mut open.task, answer) {
            (Task::PutBlocks { left, .. }, Answer::Done) => {
                *left -= 1;
                if *left == 0 {
                    self.put_keyfile(context, file);
                }
            }
            (Task::PutKeyfile, Answer::Done) => self.end_file(context, place, Answer::Done),
            (Task::GetKeyfile, Answer::Content(keyfile)) => {
                match files::read_keyfile(keyfile.bytes()) {
                    Some((length, keys)) => self.get_blocks(context, place, length, &keys),
                    None => self.end_file(context, place, Answer::Failed),
                }
            }
            (Task::GetBlocks { blocks, .. }, Answer::Content(content)) => {
                blocks[part] = Some(content);
                self.join(context, place);
            }
            (_, answer) => self.end_file(context, place, answer),
        }
    }

    fn put_keyfile(&mut self, context: &mut StorageContext<'_>, file: u32) {
        let Some(open) = self.files.iter_mut().find(|open| open.number == file) else {
            return;
        };
        let task = std::mem::replace(&mut open.task, Task::PutKeyfile);
        if let Task::PutBlocks { keyfile, .. } = task {
            let key = open.key;
            let purpose = Purpose::Part(file, KEYFILE);
            self.put_part(context, key, Kind::Keyfile, keyfile, purpose);
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
        open.task = Task::GetBlocks {
            length,
            blocks: vec![None; keys.len()],
        };
        for (part, key) in keys.iter().enumerate() {
            self.ask(
                context,
                *key,
                Wanted::Get(Kind::Block),
                Purpose::Part(number, part),
            );
        }
        self.join(context, place);
    }

    /// Ends the reading of a file if all of its blocks are present.
    fn join(&mut self, context: &mut StorageContext<'_>, place: usize) {
        let Task::GetBlocks { length, blocks } = &self.files[place].task else {
            return;
        };
        if let Some(blocks) = blocks.iter().cloned().collect::<Option<Vec<Content>>>() {
            let file = files::join(*length, &blocks);
            let answer = file.map_or(Answer::Failed, Answer::File);
            self.end_file(context, place, answer);
        }
    }

    fn end_file(&mut self, context: &mut StorageContext<'_>, place: usize, answer: Answer) {
        let file = self.files.swap_remove(place);
        let of = file.number;
        self.requests
            .retain(|request| !matches!(request.purpose, Purpose::Part(file, _) if file == of));
        let took = context.now.since(file.begun);
        file.note(context.metrics, took, answer);
    }

    /// Ends all requests because the node has stopped.
    pub fn abandon(&mut self, metrics: &mut StorageMetrics) {
        for request in self.requests.drain(..) {
            let operation = match request.wanted {
                _ if request.purpose != Purpose::User => continue,
                Wanted::Put(_) => Operation::Put,
                Wanted::Get(_) => Operation::Get,
                Wanted::Delete => Operation::Delete,
            };
            request.note(metrics, operation, Duration::ZERO, Answer::Abandoned);
        }
        for file in self.files.drain(..) {
            file.note(metrics, Duration::ZERO, Answer::Abandoned);
        }
    }
}

impl Request {
    fn note(
        self,
        metrics: &mut StorageMetrics,
        operation: Operation,
        took: Duration,
        answer: Answer,
    ) {
        metrics.open -= 1;
        metrics.ended.push(CompletedRequest {
            operation,
            key: self.key,
            begun: self.begun,
            took,
            tries: self.tries,
            answer,
        });
    }
}

impl FileRequest {
    fn note(self, metrics: &mut StorageMetrics, took: Duration, answer: Answer) {
        let operation = match self.task {
            Task::PutBlocks { .. } | Task::PutKeyfile => Operation::PutFile,
            Task::GetKeyfile | Task::GetBlocks { .. } => Operation::GetFile,
        };
        metrics.open -= 1;
        metrics.ended.push(CompletedRequest {
            operation,
            key: self.key,
            begun: self.begun,
            took,
            tries: self.tries,
            answer,
        });
    }
}
