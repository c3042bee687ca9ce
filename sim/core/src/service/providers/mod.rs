//! Provider records, as in the DHT of IPFS: the providers of the content with a key are stored at
//! the nodes nearest to the key, and found by asking these.
//!
//! After go-libp2p-kad-dht. An operation walks to the nodes nearest to a key ([`Walk`]): each node that
//! it asks names the nearest nodes that it knows. To provide content, the initiator then sends a record
//! to them; to find providers, its requests ask for records, too, and it ends with enough of them.
//! With `providers.regions` all nodes around the key are found and asked ([`Region`]).
//!
//! This file has the upcalls and the nodes that answer; `operation` and `puts` have the initiator's part,
//! `sweep` sends records again by regions, `size` is its estimate of the size of the network, `crawl` a crawler and a monitor. The service needs an
//! overlay whose replica set of any key are the known nodes nearest to it by the XOR metric.

mod crawl;
mod message;
mod metrics;
mod operation;
mod parameters;
mod puts;
mod records;
mod region;
mod size;
mod sweep;
mod walk;

pub use crawl::{CompletedCrawl, ObservedSession};
pub use message::{Message, Tag};
pub use metrics::{CompletedOperation, ProviderMetrics, Purpose};
pub use parameters::{Method, ProviderParameters, Republishing, SybilAnswer, SybilStore};
pub use records::Records;
pub use region::Region;
pub use walk::{Walk, WalkHops, WalkRules};

use crate::engine::{Instant, Stream};
use crate::overlay::{AppContext, Application, Node};
use crate::space::Key;
use crawl::{Vantage, is_of_vantage};
use operation::Operation;
use size::SizeSamples;
use std::sync::Arc;
use sweep::Sweep;

type ProviderContext<'a> = AppContext<'a, Providers>;

/// The state shared by all nodes.
#[derive(Clone, Debug)]
pub struct SharedProviders {
    /// The parameters.
    pub parameters: ProviderParameters,
    /// The rules of walks, those of the overlay.
    pub rules: WalkRules,
}

/// Provider records on one node.
#[derive(Clone, Debug)]
pub struct Providers {
    records: Records,
    operations: Vec<Operation>,
    started: u32,
    /// The contents that it provides.
    provided: Vec<Key>,
    sweep: Sweep,
    samples: SizeSamples,
    /// What it does as a Sybil of an attacker that censors; `None` for others.
    censor: Option<Censor>,
    vantage: Vantage,
    random: Stream,
}

/// What a Sybil of an attacker that censors does. It names no providers.
#[derive(Clone, Debug)]
pub struct Censor {
    /// How it answers a request for nodes.
    pub find_node: SybilAnswer,
    /// How it answers a request for providers, and for nodes.
    pub get_providers: SybilAnswer,
    /// What it does with a record.
    pub add_provider: SybilStore,
    /// The Sybils of the same content.
    pub sybils: Arc<[Node]>,
}

impl Default for Censor {
    /// As those of Sridhar et al. (NDSS 2024): it takes records and names nodes as others do.
    fn default() -> Self {
        Self {
            find_node: SybilAnswer::Nodes,
            get_providers: SybilAnswer::Nodes,
            add_provider: SybilStore::Accept,
            sybils: Arc::default(),
        }
    }
}

/// Timers of a node.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// A request of a walk to this node is given up.
    Step(Tag, Node),
    /// A record that was sent to this node is not acknowledged.
    Put(Tag, Node),
    /// The record of the content with this number is sent again.
    Republish(u32),
    /// The records of the region with this number are sent again.
    Sweep(u32),
    /// The records that belong to no region yet are sent again.
    Unplanned,
    /// The monitor contacts this node.
    Monitor(Node),
    /// The next crawl begins.
    Crawl,
    /// An operation over a full table is looked at; so many nodes had the record at the last look.
    Look(u32, usize),
}

impl Providers {
    /// The records of this node.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Its estimate of the size of the network, from the walks of at most the last 2 h.
    pub fn estimate(&self, now: Instant) -> Option<f64> {
        self.samples.estimate(now)
    }

    /// The sessions that its monitor considers open.
    pub fn open_sessions(&self) -> Vec<ObservedSession> {
        self.vantage.open_sessions()
    }

    /// From now on this node is a Sybil that names no providers.
    pub fn censor(&mut self, censor: Censor) {
        self.censor = Some(censor);
    }

    /// Provides the content with `key` from now on. The result is in the [`ProviderMetrics`], as for
    /// all operations.
    pub fn provide(&mut self, context: &mut ProviderContext<'_>, key: Key) {
        let number = self.provided.len() as u32;
        self.provided.push(key);
        self.begin(context, key, Purpose::Provide);
        self.plan_republishing(context, number);
    }

    /// Finds providers of the content with `key`.
    pub fn find(&mut self, context: &mut ProviderContext<'_>, key: Key) {
        self.begin(context, key, Purpose::Find);
    }

    /// Walks to a random key that shares exactly `bits` first bits with the ID of this node: a sample
    /// for its estimate of the size of the network.
    pub fn sample_size(&mut self, context: &mut ProviderContext<'_>, bits: u32) {
        let key = context
            .id()
            .random_with_exact_prefix(bits, &mut self.random);
        self.begin(context, key, Purpose::Estimate);
    }

    fn stores_nothing(&self) -> bool {
        let way = self.censor.as_ref().map(|censor| censor.add_provider);
        way == Some(SybilStore::Silent)
    }

    fn plan_republishing(&mut self, context: &mut ProviderContext<'_>, number: u32) {
        let parameters = &context.shared.parameters;
        match (parameters.republish.span(), parameters.republish_by) {
            (None, _) => {}
            (Some(period), Republishing::Each) => {
                context.set_timer(period, Timer::Republish(number));
            }
            (Some(_), Republishing::Sweep) => {
                self.plan_sweep(context, self.provided[number as usize]);
            }
        }
    }

    /// Sends `message`, counted.
    fn send(context: &mut ProviderContext<'_>, to: Node, message: Message) {
        context.metrics.messages += 1;
        context.send(to, message);
    }

    /// Answers a request for the nodes nearest to `key`, and for the providers of `content`.
    fn answer(
        &mut self,
        context: &mut ProviderContext<'_>,
        from: Node,
        (tag, key, content): (Tag, Key, Option<Key>),
    ) {
        let way = self.censor.as_ref().map(|censor| match content {
            Some(_) => censor.get_providers,
            None => censor.find_node,
        });
        let count = context.shared.rules.k;
        let mut nodes = match (way, &self.censor) {
            (Some(SybilAnswer::Silent), _) => return,
            (Some(SybilAnswer::Sybils), Some(censor)) => censor.sybils.to_vec(),
            _ => context.routing.replica_set(&key, count + 1),
        };
        nodes.retain(|node| *node != from);
        nodes.truncate(count);
        let providers = match content {
            Some(content) if way.is_none() => self.records.providers(&content, context.now),
            _ => Box::default(),
        };
        let answer = Message::Nodes {
            tag,
            nodes: nodes.into(),
            providers,
        };
        Self::send(context, from, answer);
    }
}

impl Application for Providers {
    type Shared = SharedProviders;
    type Message = Message;
    type Timer = Timer;
    type Metrics = ProviderMetrics;
    const ITEM: &'static str = "record";

    fn new(_: &SharedProviders, _: u32, random: Stream) -> Self {
        Self {
            records: Records::default(),
            operations: Vec::new(),
            started: 0,
            provided: Vec::new(),
            sweep: Sweep::default(),
            samples: SizeSamples::default(),
            censor: None,
            vantage: Vantage::default(),
            random,
        }
    }

    fn deliver(&mut self, _: &mut ProviderContext<'_>, _: Node, _: Key, _: Message) {
        // Nothing is routed.
    }

    fn start(&mut self, context: &mut ProviderContext<'_>) {
        // A node that returns with its state provides what it provided.
        self.sweep = Sweep::default();
        for number in 0..self.provided.len() as u32 {
            self.plan_republishing(context, number);
        }
    }

    fn receive(&mut self, context: &mut ProviderContext<'_>, from: Node, message: Message) {
        match message {
            Message::FindNode { tag, key, content } => {
                self.answer(context, from, (tag, key, content));
            }
            Message::Nodes { tag, nodes, .. } if is_of_vantage(tag) => {
                self.on_vantage_reply(context, (tag, from), &nodes);
            }
            Message::Nodes {
                tag,
                nodes,
                providers,
            } => self.on_nodes(context, from, (tag, &nodes, &providers)),
            Message::AddProvider { .. } if self.stores_nothing() => {}
            Message::AddProvider { tag, keys } => {
                let expires = context.now + context.shared.parameters.expire;
                for key in keys {
                    self.records.add(key, from, expires);
                }
                Self::send(context, from, Message::Added { tag });
            }
            Message::Added { tag } => self.on_put_ended(context, tag, from, true),
        }
    }

    fn undelivered(&mut self, context: &mut ProviderContext<'_>, to: Node, message: Message) {
        match message {
            Message::FindNode { tag, .. } if is_of_vantage(tag) => {
                self.on_vantage_silence(context, tag, to);
            }
            Message::FindNode { tag, .. } => {
                self.on_silence(context, tag, to);
                // It may be a request for records beyond the walks.
                self.on_put_ended(context, tag, to, false);
            }
            Message::AddProvider { tag, .. } => self.on_put_ended(context, tag, to, false),
            Message::Nodes { .. } | Message::Added { .. } => {}
        }
    }

    fn on_timer(&mut self, context: &mut ProviderContext<'_>, timer: Timer) {
        match timer {
            Timer::Step(tag, node) if is_of_vantage(tag) => {
                self.on_vantage_silence(context, tag, node);
            }
            Timer::Step(tag, node) => self.on_silence(context, tag, node),
            Timer::Monitor(node) => self.contact(context, node),
            Timer::Crawl => self.crawl_again(context),
            Timer::Look(number, stored) => self.look(context, number, stored),
            Timer::Put(tag, node) => self.on_put_ended(context, tag, node, false),
            Timer::Sweep(region) => self.sweep(context, region),
            Timer::Unplanned => self.send_waiting(context),
            Timer::Republish(number) => {
                if let Some(key) = self.provided.get(number as usize).copied() {
                    self.begin(context, key, Purpose::Republish);
                    self.plan_republishing(context, number);
                }
            }
        }
    }

    fn on_pause(&mut self, _: Instant, metrics: &mut ProviderMetrics) {
        metrics.abandoned += self.operations.len() as u64;
        self.operations.clear();
    }

    fn on_stop(&mut self, _: Instant, metrics: &mut ProviderMetrics) {
        metrics.abandoned += self.operations.len() as u64;
    }

    fn forge(message: &mut Message) {
        if let Message::Nodes { providers, .. } = message {
            *providers = Box::default();
        }
    }

    fn bytes(message: &Message) -> u32 {
        message.bytes()
    }

    fn kind(message: &Message) -> &'static str {
        message.kind()
    }

    fn is_over(metrics: &ProviderMetrics) -> bool {
        metrics.under_way() == 0
    }
}
