//! The client side of storage: the open requests of this node with their retries; `file_requests` has
//! those for files.

mod file_requests;

use super::block::{Block, BlockKind, Content};
use super::files;
use super::message::{Message, Refused, Ticket};
use super::metrics::{Answer, CompletedRequest, Effort, Operation, StorageMetrics};
use super::{StorageContext, Timer};
use crate::engine::{Duration, Instant, Seed, Stream};
use crate::overlay::Node;
use crate::space::Key;
use file_requests::FileRequest;
use rand::Rng;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The open requests of one node.
#[derive(Clone, Debug)]
pub(super) struct Client {
    last: u32,
    /// Chooses the copy that a get asks first.
    choice: Stream,
    /// By number.
    requests: BTreeMap<u32, Request>,
    files: Vec<FileRequest>,
    /// Answers to requests of the service above: their numbers and results.
    fetched: Vec<(u32, Answer)>,
}

/// A request for one value. A put or delete goes to the keys of all copies, a get to one after the
/// other.
#[derive(Clone, Debug)]
struct Request {
    /// The name of the value.
    key: Key,
    wanted: Wanted,
    begun: Instant,
    tries: u32,
    effort: Effort,
    /// The copies whose roots have not answered a put or delete; the copy that a get has asked.
    open: SmallVec<[u16; 4]>,
    refused: Refused,
    /// What the roots that have answered say of the value, if no other answer ends the request.
    outcome: Answer,
    purpose: Purpose,
}

/// The issuer of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
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
    Get(BlockKind),
    Delete,
}

impl Client {
    /// A client of a node's session. Request numbers begin at random, so an answer to an earlier
    /// session does not match a request.
    pub fn new(mut random: Stream) -> Self {
        Self {
            last: random.below(1 << 32) as u32,
            choice: Seed::new(random.next_u64()).stream("copies", 0),
            requests: BTreeMap::new(),
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
        self.put_part(context, key, BlockKind::Block, content, Purpose::User);
    }

    /// Reads the block with `key`.
    pub fn get(&mut self, context: &mut StorageContext<'_>, key: Key) {
        context.metrics.open += 1;
        self.ask(context, key, Wanted::Get(BlockKind::Block), Purpose::User);
    }

    /// Reads the keyfile of the file `name` for the service above; returns the number of the request.
    pub fn fetch_keyfile(&mut self, context: &mut StorageContext<'_>, name: &str) -> u32 {
        let wanted = Wanted::Get(BlockKind::Keyfile);
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

    fn put_part(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        kind: BlockKind,
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
        let keys = context.shared.places().keys();
        let open = match wanted {
            Wanted::Put(_) | Wanted::Delete => (0..keys).collect(),
            Wanted::Get(_) if keys == 1 => SmallVec::from_slice(&[0]),
            Wanted::Get(_) => SmallVec::from_slice(&[self.choice.below(keys.into()) as u16]),
        };
        let request = Request {
            key,
            wanted,
            begun: context.now,
            tries: 0,
            effort: Effort::default(),
            open,
            refused: Refused::new(),
            outcome: Answer::Failed,
            purpose,
        };
        self.requests.insert(number, request);
        self.try_again(context, number);
        number
    }

    /// Sends the request to the roots, for the first time or again; after the last try, ends it. A
    /// get asks each copy so many times.
    fn try_again(&mut self, context: &mut StorageContext<'_>, number: u32) {
        let places = context.shared.places();
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        let turns = if matches!(request.wanted, Wanted::Get(_)) {
            u32::from(places.keys())
        } else {
            1
        };
        if request.tries >= context.shared.tries * turns {
            let outcome = std::mem::replace(&mut request.outcome, Answer::Failed);
            return self.end(context, number, outcome);
        }
        if turns > 1 && request.tries > 0 {
            request.open[0] = (request.open[0] + 1) % places.keys();
        }
        request.tries += 1;
        for index in &request.open {
            let ticket = Ticket {
                number,
                index: *index,
                hops: 0,
            };
            let slot = places.slot(request.key, *index);
            let message = match &request.wanted {
                Wanted::Put(block) => Message::Put {
                    ticket,
                    block: block.clone().in_slot(slot),
                },
                Wanted::Get(_) => Message::Get {
                    ticket,
                    refused: request.refused.clone(),
                },
                Wanted::Delete => Message::Delete {
                    ticket,
                    stamp: request.begun,
                    slot,
                },
            };
            request.effort.tries += 1;
            context.route(places.key(&request.key, *index), message);
        }
        let timer = Timer::Retry(number, request.tries);
        context.set_timer(context.shared.timeout, timer);
    }

    /// Handles the time-out of try `tries` of request `number`.
    pub fn time_out(&mut self, context: &mut StorageContext<'_>, number: u32, tries: u32) {
        let request = self.requests.get(&number);
        if request.is_some_and(|request| request.tries == tries) {
            self.try_again(context, number);
        }
    }

    /// The root of a copy has carried out the put or delete; or it is full. The request ends with the
    /// last copy, and is done if one is there: the roots restore the others.
    pub fn done(&mut self, context: &mut StorageContext<'_>, ticket: Ticket, is_full: bool) {
        let number = ticket.number;
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        let position = request.open.iter().position(|index| *index == ticket.index);
        let Some(position) = position.filter(|_| !matches!(request.wanted, Wanted::Get(_))) else {
            return;
        };
        request.open.swap_remove(position);
        request.effort.add_answer(ticket.hops);
        if !is_full {
            request.outcome = Answer::Done;
        } else if request.outcome == Answer::Failed {
            request.outcome = Answer::Refused;
        }
        if request.open.is_empty() {
            let outcome = request.outcome.clone();
            self.end(context, number, outcome);
        }
    }

    /// The value does not exist. Unless it was deleted, the next copy is asked, and after the last of
    /// them the request is tried again after the time-out: the root may be new and its copy on the
    /// way.
    pub fn absent(&mut self, context: &mut StorageContext<'_>, ticket: Ticket, deleted: bool) {
        let number = ticket.number;
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        let is_asked = request.open.contains(&ticket.index);
        if deleted {
            request.effort.add_answer(ticket.hops);
            self.end(context, number, Answer::Deleted);
        } else if is_asked && matches!(request.wanted, Wanted::Get(_)) {
            request.outcome = Answer::Absent;
            if !request
                .tries
                .is_multiple_of(context.shared.places().keys().into())
            {
                self.try_again(context, number);
            }
        }
    }

    /// `from` has sent a content. A block that does not match its key is requested from another
    /// node.
    pub fn found(
        &mut self,
        context: &mut StorageContext<'_>,
        from: Node,
        ticket: Ticket,
        content: Content,
    ) {
        let number = ticket.number;
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        let Wanted::Get(kind) = request.wanted else {
            return;
        };
        let sound = kind == BlockKind::Keyfile || content.digest() == request.key;
        if sound || !context.shared.verify {
            request.effort.add_answer(ticket.hops);
            return self.end(context, number, Answer::Content(content));
        }
        context.metrics.refused_by_readers += 1;
        request.refused.push(from);
        self.try_again(context, number);
    }

    fn end(&mut self, context: &mut StorageContext<'_>, number: u32, answer: Answer) {
        let Some(request) = self.requests.remove(&number) else {
            return;
        };
        match request.purpose {
            Purpose::Part(file, part) => self.advance(context, file, part, request.effort, answer),
            Purpose::Service => self.fetched.push((number, answer)),
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

    /// Ends all requests because the node has stopped.
    pub fn abandon(&mut self, metrics: &mut StorageMetrics) {
        for request in std::mem::take(&mut self.requests).into_values() {
            let operation = match request.wanted {
                _ if request.purpose != Purpose::User => continue,
                Wanted::Put(_) => Operation::Put,
                Wanted::Get(_) => Operation::Get,
                Wanted::Delete => Operation::Delete,
            };
            request.note(metrics, operation, Duration::ZERO, Answer::Abandoned);
        }
        for file in self.files.drain(..).filter(FileRequest::is_users) {
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
        let bytes = match (&self.wanted, &answer) {
            (Wanted::Put(block), _) => block.size(),
            (_, Answer::Content(content)) => content.size(),
            _ => 0,
        };
        metrics.end(CompletedRequest {
            operation,
            key: self.key,
            begun: self.begun,
            took,
            effort: self.effort,
            bytes,
            answer,
        });
    }
}
