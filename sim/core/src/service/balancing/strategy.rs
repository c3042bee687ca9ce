//! The strategies: when a node creates Sybils, and where.

use super::barren::BarrenArcs;
use super::{
    Balanced, BalancingRules, BalancingStrategy, BalancingTimer, Host, LoadMessage, LocalMessage,
    SharedProcessor,
};
use crate::engine::{Duration, Instant};
use crate::overlay::{AppContext, Node};
use crate::space::Key;

/// The state of a node's load balancing.
#[derive(Clone, Debug, Default)]
pub struct Balancer {
    /// Open atoms on the host at the last count.
    load: u32,
    /// The current count: identities that have not answered, and the sum.
    counting: Option<(usize, u32)>,
    /// Neighbours that were asked for their loads.
    asked: Vec<Asked>,
    /// Underloaded nodes, their loads, and when they reported them.
    free: Vec<(Node, u32, Instant)>,
    /// The answer of the node that will be busy for longest: the seconds and a key.
    busiest: Option<(f64, Key)>,
    /// The answer of the more loaded of the roots that were asked: the tasks and the key.
    loaded: Option<(u32, Key)>,
    /// Known arcs without open tasks.
    barren: BarrenArcs,
    /// How often the search for an ID outside them may go on.
    steps: Option<usize>,
}

/// A neighbour that was asked for its load.
#[derive(Clone, Copy, Debug)]
struct Asked {
    node: Node,
    /// Its arc of the ring, both ends excluded; `None` without a ring.
    arc: Option<(Key, Key)>,
    /// Its answer: the load, and the key of an open task.
    load: Option<u32>,
    key: Option<Key>,
}

/// Load balancing by each node on its own.
pub(in crate::service) trait LoadBalancing: Balanced {
    /// Starts load balancing, at a random time in the first interval of the job; a Sybil reports to
    /// its first identity instead.
    fn start_balancing(&mut self, context: &mut AppContext<'_, Self>) {
        let rules = Self::rules(context.shared);
        if let Some(first) = self.host().identities.first() {
            context.send_local(first, Self::local(LocalMessage::Joined));
        } else if rules.is_on() {
            let start = match rules.parameters.strategy {
                BalancingStrategy::VirtualNodes => Instant::START,
                _ => Instant::START + rules.start,
            };
            let interval = rules.parameters.interval.as_secs_f64();
            let phase = Duration::from_secs_f64(interval * self.random(context).unit());
            context.set_timer(
                start.max(context.now).since(context.now) + phase,
                Self::timer(BalancingTimer::Check),
            );
        }
    }

    /// Handles a timer.
    fn on_balancing_timer(&mut self, context: &mut AppContext<'_, Self>, timer: BalancingTimer) {
        match timer {
            BalancingTimer::Check => self.check_load(context),
            BalancingTimer::LoadsKnown => self.on_loads_known(context),
        }
    }

    /// The key of an open task such that this part of the open tasks comes before it: a Sybil with this
    /// ID takes over some of them, on a ring that part.
    fn key_at(&self, context: &AppContext<'_, Self>, part: f64) -> Option<Key> {
        let mut keys = self.open_keys();
        if Self::rules(context.shared).has_ring
            && let Some((after, _)) = context.routing.range()
        {
            keys.sort_unstable_by_key(|key| key.wrapping_sub(after));
        }
        keys.get((keys.len() as f64 * part) as usize).copied()
    }

    /// Counts the open tasks on the host, and then acts.
    fn check_load(&mut self, context: &mut AppContext<'_, Self>) {
        let parameters = &Self::rules(context.shared).parameters;
        if parameters.strategy == BalancingStrategy::VirtualNodes {
            return self.make_virtual_nodes(context);
        }
        context.set_timer(parameters.interval, Self::timer(BalancingTimer::Check));
        let own = self.open();
        let Host {
            identities,
            balancer,
        } = self.host();
        balancer.counting = Some((identities.others().len(), own));
        for other in identities.others() {
            context.send_local(*other, Self::local(LocalMessage::Count));
        }
        if identities.others().is_empty() {
            self.act(context, own);
        }
    }

    /// Creates the other identities of the host, which stay.
    fn make_virtual_nodes(&mut self, context: &mut AppContext<'_, Self>) {
        for _ in 0..Self::rules(context.shared).parameters.max_sybils {
            let id = Key::random(self.random(context));
            self.make_sybil(context, Some(id));
        }
    }

    /// Adds the open tasks of a Sybil of the host to the count.
    fn add_load(&mut self, context: &mut AppContext<'_, Self>, open: u32) {
        let Some((left, sum)) = &mut self.host().balancer.counting else {
            return;
        };
        *left = left.saturating_sub(1);
        *sum += open;
        if *left == 0 {
            let load = *sum;
            self.act(context, load);
        }
    }

    /// Acts on the load of the host, `load` open tasks.
    fn act(&mut self, context: &mut AppContext<'_, Self>, load: u32) {
        self.host().balancer.counting = None;
        self.host().balancer.load = load;
        if load == 0 {
            self.dismiss_sybils(context);
        }
        let rules = Self::rules(context.shared);
        let parameters = &rules.parameters;
        let successors = parameters.successors;
        let may_add = self.host().identities.count() < parameters.max_sybils;
        let is_free = load <= rules.low_load() && may_add;
        match parameters.strategy {
            BalancingStrategy::None => {}
            BalancingStrategy::RandomInjection if is_free => {
                let id = Key::random(self.random(context));
                self.make_sybil(context, Some(id));
            }
            BalancingStrategy::NeighbourInjection if is_free => {
                let widest = neighbours(context, successors)
                    .into_iter()
                    .filter_map(|(_, arc)| arc)
                    // The nearest among equals.
                    .rev()
                    .max_by_key(|(after, to)| to.wrapping_sub(*after));
                if let Some((after, to)) = widest {
                    let id = Key::random_between(after, to, self.random(context));
                    self.make_sybil(context, id);
                }
            }
            BalancingStrategy::SmartNeighbour if is_free => {
                let asked = |(node, arc)| Asked {
                    node,
                    arc,
                    load: None,
                    key: None,
                };
                let asked = neighbours(context, successors).into_iter().map(asked);
                self.host().balancer.asked = asked.collect();
                for asked in &self.host().balancer.asked {
                    context.send(asked.node, Self::load(LoadMessage::Load));
                }
                context.set_timer(parameters.wait, Self::timer(BalancingTimer::LoadsKnown));
            }
            BalancingStrategy::Invitation if is_free => {
                for (node, _) in neighbours(context, successors) {
                    context.send(node, Self::load(LoadMessage::Underloaded(load)));
                }
            }
            BalancingStrategy::Invitation if f64::from(load) >= rules.high_load() => {
                self.invite(context);
            }
            BalancingStrategy::StrengthAware if may_add && self.ends_soon(rules, load) => {
                self.host().balancer.busiest = None;
                for _ in 0..successors {
                    let key = Key::random(self.random(context));
                    let request = LoadMessage::BusyTime(context.me, self.speed());
                    context.route(key, Self::load(request));
                }
                context.set_timer(parameters.wait, Self::timer(BalancingTimer::LoadsKnown));
            }
            BalancingStrategy::Barren if is_free => {
                self.host().balancer.steps = Some(successors);
                self.seek_outside_barren(context, None);
            }
            BalancingStrategy::TwoChoices if is_free => {
                self.host().balancer.loaded = None;
                for _ in 0..2 {
                    let point = Key::random(self.random(context));
                    self.probe(context, point);
                }
                context.set_timer(parameters.wait, Self::timer(BalancingTimer::LoadsKnown));
            }
            BalancingStrategy::ItemBalancing if may_add => {
                let point = Key::random(self.random(context));
                self.probe(context, point);
            }
            BalancingStrategy::Barren
            | BalancingStrategy::TwoChoices
            | BalancingStrategy::ItemBalancing
            | BalancingStrategy::RandomInjection
            | BalancingStrategy::NeighbourInjection
            | BalancingStrategy::SmartNeighbour
            | BalancingStrategy::Invitation
            | BalancingStrategy::StrengthAware
            | BalancingStrategy::VirtualNodes => {}
        }
    }

    /// Whether the node is underloaded or has done `load` tasks before its next check.
    fn ends_soon(&self, rules: &BalancingRules, load: u32) -> bool {
        load <= rules.low_load()
            || self.seconds_for(rules, load) <= rules.parameters.interval.as_secs_f64()
    }

    /// The time in which this node executes `load` tasks of mean size, in seconds.
    fn seconds_for(&self, rules: &BalancingRules, load: u32) -> f64 {
        f64::from(load) * rules.mean_size / self.speed()
    }

    /// Creates a Sybil with this ID.
    fn make_sybil(&mut self, context: &mut AppContext<'_, Self>, id: Option<Key>) {
        if let Some(id) = id {
            Self::count_sybil(context.metrics);
            self.host().identities.expect_join();
            context.spawn_identity(id);
        }
    }

    /// Asks the root of `point` for its open tasks.
    fn probe(&mut self, context: &mut AppContext<'_, Self>, point: Key) {
        let request = LoadMessage::Probe(context.me, point);
        context.route(point, Self::load(request));
    }

    /// Probes the next ID that is in no known barren arc, from `point` on or from a random one.
    fn seek_outside_barren(&mut self, context: &mut AppContext<'_, Self>, point: Option<Key>) {
        let point = point.unwrap_or_else(|| Key::random(self.random(context)));
        match self.host().balancer.barren.first_outside(point) {
            Some(point) => self.probe(context, point),
            None => self.host().balancer.steps = None,
        }
    }

    /// Tells `asker` the open tasks of this identity, the root of `point`.
    fn answer_probe(&mut self, context: &mut AppContext<'_, Self>, asker: Node, point: Key) {
        let rules = Self::rules(context.shared);
        let strategy = rules.parameters.strategy;
        let open = self.open();
        let asks_middle = strategy == BalancingStrategy::ItemBalancing;
        let asks_arc = strategy == BalancingStrategy::Barren && rules.has_ring && open == 0;
        let answer = LoadMessage::Probed {
            point,
            open,
            middle: asks_middle.then(|| self.key_at(context, 0.5)).flatten(),
            barren: asks_arc.then(|| context.routing.range()).flatten(),
        };
        if asker == context.me {
            self.on_load_message(context, asker, answer);
        } else {
            context.send(asker, Self::load(answer));
        }
    }

    /// Handles the answer to a probe: `open` tasks at the root of `point`, and the key of the middle one.
    fn on_probed(
        &mut self,
        context: &mut AppContext<'_, Self>,
        (point, open): (Key, u32),
        middle: Option<Key>,
        barren: Option<(Key, Key)>,
    ) {
        let parameters = &Self::rules(context.shared).parameters;
        let balancer = &mut self.host().balancer;
        match parameters.strategy {
            BalancingStrategy::TwoChoices => {
                let most = balancer.loaded.map_or(0, |(most, _)| most);
                if open > most {
                    balancer.loaded = Some((open, point));
                }
            }
            BalancingStrategy::ItemBalancing => {
                let is_light = f64::from(balancer.load) <= parameters.imbalance * f64::from(open);
                if open >= 2 && is_light {
                    self.dismiss_sybils(context);
                    self.make_sybil(context, middle);
                }
            }
            BalancingStrategy::Barren => {
                let Some(steps) = balancer.steps.take() else {
                    return;
                };
                if open > 0 {
                    return self.make_sybil(context, Some(point));
                }
                if let Some((after, to)) = barren {
                    balancer.barren.add(after, to);
                }
                if let Some(left) = steps.checked_sub(1) {
                    balancer.steps = Some(left);
                    self.seek_outside_barren(context, barren.map(|(_, to)| to));
                }
            }
            _ => {}
        }
    }

    /// Asks the least loaded of the recently reporting underloaded nodes for help.
    fn invite(&mut self, context: &mut AppContext<'_, Self>) {
        let interval = Self::rules(context.shared).parameters.interval;
        let free = &mut self.host().balancer.free;
        free.retain(|(.., heard)| context.now.since(*heard) <= interval);
        let least = (0..free.len()).min_by_key(|place| free[*place].1);
        if let (Some(place), Some((after, to))) = (least, context.routing.range()) {
            let (node, ..) = free.remove(place);
            context.send(node, Self::load(LoadMessage::Invitation(after, to)));
        }
    }

    /// Handles a message of `from` about loads.
    fn on_load_message(
        &mut self,
        context: &mut AppContext<'_, Self>,
        from: Node,
        load_message: LoadMessage,
    ) {
        match load_message {
            LoadMessage::Load => match self.host().identities.first() {
                Some(first) => {
                    context.send_local(first, Self::local(LocalMessage::LoadAsked(from)));
                }
                None => self.send_load(context, from, context.me),
            },
            LoadMessage::IsLoad(node, load, key) => {
                let asked = self.host().balancer.asked.iter_mut();
                for asked in asked.filter(|asked| asked.node == node) {
                    (asked.load, asked.key) = (Some(load), key);
                }
            }
            LoadMessage::Underloaded(load) => {
                let free = &mut self.host().balancer.free;
                free.retain(|(node, ..)| *node != from);
                free.push((from, load, context.now));
            }
            LoadMessage::Invitation(after, to) => {
                let rules = Self::rules(context.shared);
                let host = self.host();
                if host.balancer.load <= rules.low_load()
                    && host.identities.count() < rules.parameters.max_sybils
                {
                    let id = Key::random_between(after, to, self.random(context));
                    self.make_sybil(context, id);
                }
            }
            LoadMessage::BusyTime(asker, speed) => match self.host().identities.first() {
                Some(first) => {
                    let asked = LocalMessage::BusyTimeAsked(asker, speed);
                    context.send_local(first, Self::local(asked));
                }
                None => self.send_busy_time(context, asker, speed),
            },
            LoadMessage::Probe(asker, point) => self.answer_probe(context, asker, point),
            LoadMessage::Probed {
                point,
                open,
                middle,
                barren,
            } => self.on_probed(context, (point, open), middle, barren),
            LoadMessage::Busy(seconds, key) => {
                let busiest = &mut self.host().balancer.busiest;
                let most = busiest.map_or(0.0, |(most, _)| most);
                if let Some(key) = key.filter(|_| seconds > most) {
                    *busiest = Some((seconds, key));
                }
            }
        }
    }

    /// Sends `asker`, a node with `speed`, how long this host will be busy.
    fn send_busy_time(&mut self, context: &mut AppContext<'_, Self>, asker: Node, speed: f64) {
        if asker != context.me {
            let load = self.host().balancer.load;
            let seconds = self.seconds_for(Self::rules(context.shared), load);
            let key = self.key_at(context, speed / (speed + self.speed()));
            context.send(asker, Self::load(LoadMessage::Busy(seconds, key)));
        }
    }

    /// The loads of the asked nodes are known, as far as they have answered.
    fn on_loads_known(&mut self, context: &mut AppContext<'_, Self>) {
        match Self::rules(context.shared).parameters.strategy {
            BalancingStrategy::StrengthAware => self.choose_busiest(context),
            BalancingStrategy::TwoChoices => {
                let loaded = self.host().balancer.loaded.take();
                self.make_sybil(context, loaded.map(|(_, point)| point));
            }
            _ => self.choose_most_loaded(context),
        }
    }

    /// Creates a Sybil at the key that the busiest of the answering nodes has named, unless it will be
    /// without work before the next check.
    fn choose_busiest(&mut self, context: &mut AppContext<'_, Self>) {
        let interval = Self::rules(context.shared).parameters.interval;
        if let Some((seconds, key)) = self.host().balancer.busiest.take()
            && seconds > interval.as_secs_f64()
        {
            self.make_sybil(context, Some(key));
        }
    }

    /// Sends the load of the host to `asker`, which has asked `node`, one of its identities.
    fn send_load(&mut self, context: &mut AppContext<'_, Self>, asker: Node, node: Node) {
        let key = if Self::rules(context.shared).has_ring {
            None
        } else {
            self.key_at(context, 0.5)
        };
        let answer = LoadMessage::IsLoad(node, self.host().balancer.load, key);
        context.send(asker, Self::load(answer));
    }

    /// Creates a Sybil in the arc of the most loaded of the answering nodes, or at the key that it names,
    /// if it has more to do than this node.
    fn choose_most_loaded(&mut self, context: &mut AppContext<'_, Self>) {
        let asked = std::mem::take(&mut self.host().balancer.asked);
        let busiest = asked.into_iter().rev().max_by_key(|asked| asked.load);
        if let Some(Asked { arc, load, key, .. }) = busiest
            && load.is_some_and(|load| load > self.host().balancer.load)
        {
            let id = match arc {
                Some((after, to)) => Key::random_between(after, to, self.random(context)),
                None => key,
            };
            self.make_sybil(context, id);
        }
    }
}

impl<B: Balanced> LoadBalancing for B {}

/// The next `count` nodes on the ring with their arcs, both ends excluded; without a ring the neighbours
/// that would take over keys of this node.
fn neighbours<B: Balanced>(
    context: &AppContext<'_, B>,
    count: usize,
) -> Vec<(Node, Option<(Key, Key)>)> {
    let mut after = context.id();
    let next = context.routing.replica_set(&after, count);
    let is_ring = B::rules(context.shared).has_ring;
    let arc = |node: Node| {
        let to = context.routing.id(node);
        let arc = (std::mem::replace(&mut after, to), to);
        (node, is_ring.then_some(arc))
    };
    next.into_iter().map(arc).collect()
}
