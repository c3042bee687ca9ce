//! A crawler and a monitor inside the network, as measurements of deployed networks use.
//!
//! A crawl asks each node that it knows for the nodes nearest to one random key in each of its first 16
//! buckets, and goes on with those that it has not met, as Nebula does (github.com/dennis-tra/nebula).
//! The monitor contacts the nodes that crawls have reached again and again: after half of the time that
//! it has known them to be online, at least 30 s and at most 15 min.

use super::message::{Message, Tag};
use super::{Method, ProviderContext, Providers, Timer};
use crate::engine::{Duration, Instant};
use crate::overlay::Node;
use crate::space::Key;
use rustc_hash::{FxHashMap, FxHashSet};

/// Buckets of a node that a crawl asks for.
const BUCKETS: u32 = 16;
/// Nodes that a crawl asks at a time.
const CONCURRENT: usize = 200;
/// Time from the end of a crawl to the beginning of the next, with [`Method::FullTable`]; as in
/// go-libp2p-kad-dht.
const CRAWL_AGAIN: Duration = Duration::from_secs(3600);
/// Bounds of the time between two contacts of the monitor.
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The number of the walk in the tags of crawls, and of the monitor.
const CRAWL: u32 = u32::MAX;
const MONITOR: u32 = u32::MAX - 1;

/// A crawl in progress.
#[derive(Clone, Debug)]
struct Crawl {
    tag: Tag,
    begun: Instant,
    met: FxHashSet<Node>,
    waiting: Vec<Node>,
    /// Nodes that were asked: the replies that are left, and whether there was one.
    asked: FxHashMap<Node, (u32, bool)>,
    reached: Vec<Node>,
}

/// A crawl that has ended.
#[derive(Clone, Debug)]
pub struct CompletedCrawl {
    /// When it began.
    pub begun: Instant,
    /// When it ended.
    pub ended: Instant,
    /// The nodes that it was named.
    pub met: usize,
    /// Those that replied.
    pub reached: Vec<Node>,
}

/// A session of a node as the monitor has seen it.
#[derive(Clone, Copy, Debug)]
pub struct ObservedSession {
    /// The node.
    pub node: Node,
    /// When the monitor has reached it first.
    pub first: Instant,
    /// When it has reached it last.
    pub last: Instant,
    /// When it did not reach it; `None` as long as it does.
    pub ended: Option<Instant>,
}

/// The crawler and the monitor of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Vantage {
    crawl: Option<Crawl>,
    /// The nodes that the last crawl has reached, with [`Method::FullTable`].
    table: Vec<Node>,
    /// A timer of the next crawl runs: crawls that others begin need no further one.
    is_crawl_planned: bool,
    monitors: bool,
    /// The sessions that go on, each with the time of the last contact.
    monitored: FxHashMap<Node, (ObservedSession, Instant)>,
}

impl Vantage {
    /// The sessions that the monitor considers open, in the order of their nodes.
    pub fn open_sessions(&self) -> Vec<ObservedSession> {
        let mut open: Vec<_> = self
            .monitored
            .values()
            .map(|(session, _)| *session)
            .collect();
        open.sort_unstable_by_key(|session| session.node);
        open
    }
}

/// Whether replies with this tag are for the crawler or the monitor.
pub(super) fn is_of_vantage(tag: Tag) -> bool {
    tag.walk >= MONITOR
}

impl Providers {
    /// Begins a crawl, unless one is under way; with `monitors` the nodes that it reaches are monitored
    /// from then on.
    pub fn crawl(&mut self, context: &mut ProviderContext<'_>, monitors: bool) {
        let vantage = &mut self.vantage;
        vantage.monitors |= monitors;
        if vantage.crawl.is_some() {
            return;
        }
        let tag = Tag {
            operation: self.started,
            walk: CRAWL,
        };
        self.started = self.started.wrapping_add(1);
        context.metrics.crawls_begun += 1;
        let seeds = context
            .routing
            .replica_set(&context.id(), context.shared.rules.k);
        vantage.crawl = Some(Crawl {
            tag,
            begun: context.now,
            met: seeds.iter().copied().collect(),
            waiting: seeds,
            asked: FxHashMap::default(),
            reached: Vec::new(),
        });
        self.crawl_on(context);
    }

    /// The next crawl is due.
    pub(super) fn crawl_again(&mut self, context: &mut ProviderContext<'_>) {
        self.vantage.is_crawl_planned = false;
        self.crawl(context, self.vantage.monitors);
    }

    /// The `count` nodes nearest to `key` of those that the last crawl has reached, the nearest first;
    /// none if nodes keep no table, or no crawl has ended. O(n) for n nodes.
    pub(super) fn nearest_in_table(
        &self,
        context: &ProviderContext<'_>,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let nodes = self.vantage.table.iter();
        let mut nearest: Vec<(Key, Node)> = nodes
            .map(|node| (context.routing.id(*node).xor(*key), *node))
            .collect();
        if nearest.len() > count {
            nearest.select_nth_unstable(count);
            nearest.truncate(count);
        }
        nearest.sort_unstable();
        nearest.into_iter().map(|(_, node)| node).collect()
    }

    /// Asks the next nodes of the crawl, or ends it.
    fn crawl_on(&mut self, context: &mut ProviderContext<'_>) {
        let patience = context.shared.parameters.reply_timeout;
        let Some(crawl) = &mut self.vantage.crawl else {
            return;
        };
        while crawl.asked.len() < CONCURRENT
            && let Some(node) = crawl.waiting.pop()
        {
            crawl.asked.insert(node, (BUCKETS, false));
            let (id, tag) = (context.routing.id(node), crawl.tag);
            for bits in 0..BUCKETS {
                let key = id.random_with_exact_prefix(bits, &mut self.random);
                let content = None;
                Self::send(context, node, Message::FindNode { tag, key, content });
            }
            context.set_timer(patience, Timer::Step(tag, node));
        }
        if crawl.asked.is_empty()
            && let Some(crawl) = self.vantage.crawl.take()
        {
            if self.vantage.monitors {
                self.monitor(context, &crawl.reached);
            }
            if context.shared.parameters.method == Method::FullTable {
                self.vantage.table.clone_from(&crawl.reached);
                if !std::mem::replace(&mut self.vantage.is_crawl_planned, true) {
                    context.set_timer(CRAWL_AGAIN, Timer::Crawl);
                }
            }
            context.metrics.crawls.push(CompletedCrawl {
                begun: crawl.begun,
                ended: context.now,
                met: crawl.met.len(),
                reached: crawl.reached,
            });
        }
    }

    /// `node` has named `nodes`.
    pub(super) fn on_vantage_reply(
        &mut self,
        context: &mut ProviderContext<'_>,
        (tag, node): (Tag, Node),
        nodes: &[Node],
    ) {
        if tag.walk == MONITOR {
            self.on_monitored(context.now, node);
            return;
        }
        let Some(crawl) = self.vantage.crawl.as_mut().filter(|crawl| crawl.tag == tag) else {
            return;
        };
        for named in nodes {
            if *named != context.me && crawl.met.insert(*named) {
                crawl.waiting.push(*named);
            }
        }
        let Some((left, has_replied)) = crawl.asked.get_mut(&node) else {
            return;
        };
        *left -= 1;
        if !std::mem::replace(has_replied, true) {
            crawl.reached.push(node);
        }
        if *left == 0 {
            crawl.asked.remove(&node);
            self.crawl_on(context);
        }
    }

    /// `node` does not reply.
    pub(super) fn on_vantage_silence(
        &mut self,
        context: &mut ProviderContext<'_>,
        tag: Tag,
        node: Node,
    ) {
        if tag.walk == MONITOR {
            self.end_session(context, node);
            return;
        }
        let crawl = self.vantage.crawl.as_mut().filter(|crawl| crawl.tag == tag);
        if crawl.is_some_and(|crawl| crawl.asked.remove(&node).is_some()) {
            self.crawl_on(context);
        }
    }

    /// Monitors `nodes`, which are online, from now on.
    fn monitor(&mut self, context: &mut ProviderContext<'_>, nodes: &[Node]) {
        for node in nodes {
            let session = ObservedSession {
                node: *node,
                first: context.now,
                last: context.now,
                ended: None,
            };
            if !self.vantage.monitored.contains_key(node) {
                let monitored = &mut self.vantage.monitored;
                monitored.insert(*node, (session, context.now));
                context.set_timer(SHORTEST, Timer::Monitor(*node));
            }
        }
    }

    /// A monitored node is to be contacted: after half of the time that it is known to be online. If it
    /// has not replied to the last contact, its session has ended.
    pub(super) fn contact(&mut self, context: &mut ProviderContext<'_>, node: Node) {
        let Some((session, contacted)) = self.vantage.monitored.get_mut(&node) else {
            return;
        };
        if session.last < *contacted {
            self.end_session(context, node);
            return;
        }
        *contacted = context.now;
        let known = context.now.since(session.first).as_nanos() / 2;
        let wait = Duration::from_nanos(known).clamp(SHORTEST, LONGEST);
        context.set_timer(wait, Timer::Monitor(node));
        let tag = Tag {
            operation: 0,
            walk: MONITOR,
        };
        let key = context.routing.id(node);
        let content = None;
        Self::send(context, node, Message::FindNode { tag, key, content });
    }

    /// A monitored node has replied.
    fn on_monitored(&mut self, now: Instant, node: Node) {
        if let Some((session, _)) = self.vantage.monitored.get_mut(&node) {
            session.last = now;
        }
    }

    /// The monitor does not reach a node any more.
    fn end_session(&mut self, context: &mut ProviderContext<'_>, node: Node) {
        if let Some((mut session, _)) = self.vantage.monitored.remove(&node) {
            session.ended = Some(context.now);
            context.metrics.sessions.push(session);
        }
    }
}
