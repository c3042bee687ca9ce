//! The initiator's part of an operation: its walks. `puts` has the records that are sent.

use super::message::{Message, Tag};
use super::metrics::{CompletedOperation, Purpose};
use super::puts::{Put, PutState};
use super::region::Region;
use super::walk::{Walk, WalkHops};
use super::{Method, ProviderContext, Providers, Timer};
use crate::engine::{Duration, Instant};
use crate::overlay::{Node, SizeSample, region_prefix, sample_weight};
use crate::space::Key;

/// An operation in progress.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub number: u32,
    pub walk_number: u32,
    pub walk: Option<Walk>,
    pub region: Option<Region<Node>>,
    /// Receivers of the record, and requests for records beyond the walks.
    pub puts: Vec<Put>,
    /// Distances below which a node gets the record at once, and below which the mean distance of the
    /// nearest nodes ends the walk.
    pub optimistic: Option<(f64, f64)>,
    /// The receivers are those of a full table; no walk finds them.
    pub is_from_table: bool,
    pub has_returned: bool,
    pub completed: CompletedOperation,
}

/// With a full table: time between two looks at the nodes that have the record, and how many must have
/// it so that the operation returns when there is no new one; as in go-libp2p-kad-dht.
const LOOK: Duration = Duration::from_millis(500);
const FEWEST_STORED: usize = 6;
/// A node nearer than this over the size of the network is one of the 20 nearest with probability 0.9:
/// the inverse of the regularised gamma function, a = 20, p = 0.1 (go-libp2p-kad-dht).
const NEAR_ENOUGH: f64 = 14.525;
/// The mean distance of the 20 nearest nodes is below this over the size of the network with
/// probability 0.9: a = 11, p = 0.9 (go-libp2p-kad-dht).
const MEAN_NEAR_ENOUGH: f64 = 15.407;

impl Operation {
    pub fn tag(&self) -> Tag {
        Tag {
            operation: self.number,
            walk: self.walk_number,
        }
    }

    pub fn elapsed(&self, now: Instant) -> Duration {
        now.since(self.completed.begun)
    }

    pub fn count(&self, state: PutState) -> usize {
        self.puts.iter().filter(|put| put.state == state).count()
    }

    /// Whether the requests of walks ask for records.
    pub fn asks_for_records(&self) -> bool {
        self.completed.purpose == Purpose::Find
    }

    pub fn sends_records(&self) -> bool {
        matches!(
            self.completed.purpose,
            Purpose::Provide | Purpose::Republish | Purpose::Sweep
        )
    }
}

impl Providers {
    /// Begins an operation.
    pub(super) fn begin(&mut self, context: &mut ProviderContext<'_>, key: Key, purpose: Purpose) {
        context.metrics.begun += 1;
        let parameters = &context.shared.parameters;
        let estimate = self.estimate(context.now);
        let sends = matches!(purpose, Purpose::Provide | Purpose::Republish);
        let optimistic = match (parameters.method, estimate) {
            (Method::Optimistic, Some(size)) if sends => {
                Some((NEAR_ENOUGH / size, MEAN_NEAR_ENOUGH / size))
            }
            _ => None,
        };
        let region = match (purpose, estimate) {
            (Purpose::Sweep, _) => Some(Region::new(key, self.bits_to_explore(context))),
            (Purpose::Estimate, _) | (_, None) => None,
            (_, Some(size)) => parameters
                .regions
                .then(|| Region::new(key, region_prefix(size, parameters.holders))),
        };
        let from_table = match sends && region.is_none() {
            true => self.nearest_in_table(context, &key, parameters.holders),
            false => Vec::new(),
        };
        let operation = Operation {
            number: self.started,
            walk_number: 0,
            walk: None,
            region,
            puts: Vec::new(),
            optimistic,
            is_from_table: !from_table.is_empty(),
            has_returned: false,
            completed: CompletedOperation {
                node: context.me,
                key,
                purpose,
                begun: context.now,
                walked: Duration::ZERO,
                approached: None,
                returned: Duration::ZERO,
                ended: Duration::ZERO,
                stored_after: [None; 2],
                hops: WalkHops::default(),
                walks: 0,
                asked: 0,
                silent: 0,
                receivers: 0,
                holders: Vec::new(),
                contents: u32::from(sends),
                records: 0,
                closest: from_table.clone(),
                region: Vec::new(),
                first_record: None,
                providers: Vec::new(),
                estimate,
            },
        };
        self.started = self.started.wrapping_add(1);
        let number = operation.number;
        self.operations.push(operation);
        if from_table.is_empty() {
            self.walk_to(context, number, key);
        } else {
            let nearest: Vec<_> = from_table.into_iter().map(|node| (node, false)).collect();
            context.set_timer(LOOK, Timer::Look(number, 0));
            self.after_walks(context, number, &nearest);
        }
    }

    /// Returns from an operation over a full table if enough nodes have the record, and no more than at
    /// the last look.
    pub(super) fn look(&mut self, context: &mut ProviderContext<'_>, number: u32, before: usize) {
        let now = context.now;
        let Some(operation) = self.operation(number) else {
            return;
        };
        let stored = operation.count(PutState::Stored);
        if operation.has_returned {
            return;
        }
        if stored >= FEWEST_STORED && stored == before {
            operation.has_returned = true;
            operation.completed.returned = operation.elapsed(now);
        } else {
            context.set_timer(LOOK, Timer::Look(number, stored));
        }
    }

    pub(super) fn operation(&mut self, number: u32) -> Option<&mut Operation> {
        self.operations
            .iter_mut()
            .find(|operation| operation.number == number)
    }

    /// Begins the next walk of an operation.
    fn walk_to(&mut self, context: &mut ProviderContext<'_>, number: u32, key: Key) {
        let rules = context.shared.rules;
        let contacts = context.routing.replica_set(&key, rules.k);
        let (me, routing) = (context.me, context.routing);
        if let Some(operation) = self.operation(number) {
            operation.walk_number += 1;
            operation.completed.walks += 1;
            operation.walk = Some(Walk::new(
                rules,
                |node| routing.id(node),
                me,
                key,
                &contacts,
            ));
            self.go_on(context, number);
        }
    }

    /// Sends the next requests of a walk, or ends it.
    fn go_on(&mut self, context: &mut ProviderContext<'_>, number: u32) {
        let rules = context.shared.rules;
        let patience = context.shared.parameters.reply_timeout;
        let now = context.now;
        let Some(operation) = self.operation(number) else {
            return;
        };
        let (tag, content) = (operation.tag(), operation.completed.key);
        let content = operation.asks_for_records().then_some(content);
        let elapsed = operation.elapsed(now);
        let Some(walk) = &mut operation.walk else {
            return;
        };
        let key = *walk.key();
        let was_closing = walk.is_closing();
        while let Some(node) = walk.ask(rules) {
            Self::send(context, node, Message::FindNode { tag, key, content });
            context.set_timer(patience, Timer::Step(tag, node));
        }
        if walk.is_closing() && !was_closing && operation.completed.walks == 1 {
            operation.completed.approached = Some(elapsed);
        }
        if walk.is_over(rules) {
            self.end_walk(context, number);
        }
    }

    /// A node has answered a request of a walk, or one for records.
    pub(super) fn on_nodes(
        &mut self,
        context: &mut ProviderContext<'_>,
        from: Node,
        (tag, nodes, providers): (Tag, &[Node], &[Node]),
    ) {
        let (now, count) = (context.now, context.shared.parameters.count);
        let (rules, routing) = (context.shared.rules, context.routing);
        let Some(operation) = self.operation(tag.operation) else {
            return;
        };
        if !providers.is_empty() && operation.asks_for_records() {
            let elapsed = operation.elapsed(now);
            let steps = operation
                .walk
                .as_ref()
                .map_or(0, |walk| walk.steps_to(from));
            let completed = &mut operation.completed;
            completed.first_record.get_or_insert((elapsed, steps));
            for provider in providers {
                if !completed.providers.contains(provider) {
                    completed.providers.push(*provider);
                }
            }
            if completed.providers.len() >= count {
                self.finish_find(context, tag.operation);
                return;
            }
        }
        if tag.walk != operation.walk_number {
            return;
        }
        let is_search = operation.asks_for_records();
        let is_awaited = operation
            .walk
            .as_mut()
            .is_some_and(|walk| walk.answered(rules, routing, from, nodes));
        if is_awaited {
            self.store_early(context, tag.operation);
            self.go_on(context, tag.operation);
        } else if is_search {
            self.on_put_ended(context, tag, from, true);
        }
    }

    /// A request of a walk has no answer.
    pub(super) fn on_silence(&mut self, context: &mut ProviderContext<'_>, tag: Tag, node: Node) {
        let Some(operation) = self.operation(tag.operation) else {
            return;
        };
        if operation.walk_number != tag.walk {
            return;
        }
        if let Some(walk) = &mut operation.walk
            && walk.failed(node)
        {
            self.go_on(context, tag.operation);
        }
    }

    /// Sends the record to those known nodes that are near enough by the estimated size, and ends the
    /// walk if the nearest known ones are.
    fn store_early(&mut self, context: &mut ProviderContext<'_>, number: u32) {
        let (holders, routing) = (context.shared.parameters.holders, context.routing);
        let Some(operation) = self.operation(number) else {
            return;
        };
        let (Some((near, mean)), Some(walk)) = (operation.optimistic, &operation.walk) else {
            return;
        };
        let key = operation.completed.key;
        let distance = |node: &Node| routing.id(*node).xor(key).to_fraction();
        let nearest: Vec<Node> = walk.nearest().take(holders).map(|(node, _)| node).collect();
        let early: Vec<Node> = nearest
            .iter()
            .filter(|node| distance(node) < near)
            .filter(|node| operation.puts.iter().all(|put| put.node != **node))
            .copied()
            .collect();
        let mean_distance = nearest.iter().map(distance).sum::<f64>() / nearest.len() as f64;
        let is_near = nearest.len() >= holders && mean_distance < mean;
        for node in early {
            self.put(context, number, node);
        }
        let Some(operation) = self.operation(number) else {
            return;
        };
        if is_near || operation.puts.len() >= holders {
            self.end_walk(context, number);
        }
    }

    /// A walk is complete: the next one of a region begins, or the records are sent.
    fn end_walk(&mut self, context: &mut ProviderContext<'_>, number: u32) {
        let (rules, parameters) = (context.shared.rules, &context.shared.parameters);
        let (k, holders, now) = (rules.k, parameters.holders, context.now);
        let routing = context.routing;
        let Some(place) = self.operations.iter().position(|o| o.number == number) else {
            return;
        };
        let operation = &mut self.operations[place];
        let Some(walk) = operation.walk.take() else {
            return;
        };
        let is_whole = walk.is_over(rules);
        let elapsed = operation.elapsed(now);
        let completed = &mut operation.completed;
        completed.asked += walk.asked;
        completed.silent += walk.silent;
        completed.walked = elapsed;
        let nearest: Vec<(Node, bool)> = walk.nearest().take(k.max(holders)).collect();
        if completed.walks == 1 {
            completed.hops = walk.hops(k);
            completed.closest = nearest.iter().map(|(node, _)| *node).collect();
        }
        // As go-libp2p-kad-dht: a walk that found less than k nodes says nothing about distances.
        if is_whole && nearest.len() >= k {
            let nodes = nearest.iter().take(k).map(|(node, _)| *node);
            let distances: Vec<f64> = nodes
                .map(|node| routing.id(node).xor(*walk.key()).to_fraction())
                .collect();
            let bits = context.id().common_prefix(*walk.key());
            let contacts = routing.replica_set(walk.key(), k);
            let shared = |node: &&Node| routing.id(**node).common_prefix(context.id()) == bits;
            let known = contacts.iter().filter(shared).count();
            let weight = sample_weight(known, k);
            self.samples.add(now, SizeSample { distances, weight });
        }
        let operation = &mut self.operations[place];
        if let Some(region) = &mut operation.region {
            let found: Vec<(Node, Key)> = nearest
                .iter()
                .map(|(node, _)| (*node, routing.id(*node)))
                .collect();
            if let Some(key) = region.found(&found, &mut self.random) {
                self.walk_to(context, number, key);
                return;
            }
            operation.completed.region = region.nodes().to_vec();
        }
        self.after_walks(context, number, &nearest);
    }

    /// Enough providers are found.
    fn finish_find(&mut self, context: &mut ProviderContext<'_>, number: u32) {
        let Some(place) = self.operations.iter().position(|o| o.number == number) else {
            return;
        };
        let mut operation = self.operations.swap_remove(place);
        let elapsed = operation.elapsed(context.now);
        let k = context.shared.rules.k;
        let completed = &mut operation.completed;
        if let Some(walk) = &operation.walk {
            completed.asked += walk.asked;
            completed.silent += walk.silent;
            if completed.walks == 1 {
                completed.hops = walk.hops(k);
                completed.closest = walk.nearest().take(k).map(|(node, _)| node).collect();
            }
        }
        (completed.walked, completed.returned, completed.ended) = (elapsed, elapsed, elapsed);
        context.metrics.ended.push(operation.completed);
    }
}
