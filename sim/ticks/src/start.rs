//! The network before the first tick: hosts, their ring nodes, and the initial tasks.

use super::arc::Pieces;
use super::binomial::{binomial, fraction};
use super::id_generator::{IdGenerator, Keys};
use super::node_ring::Role;
use super::parameters::{BalanceParameters, Strategy, Work};
use super::tasks::{Counted, Listed, Tasks};
use super::tick_network::TickNetwork;
use dhtlab_core::engine::{Seed, Stream};
use dhtlab_core::space::Key;
use rand::Rng;

/// Adds hosts according to the strategy.
#[derive(Clone, Debug)]
pub struct JoinPolicy {
    choices: u32,
    places: u32,
    strongest: u32,
    heterogeneous: bool,
    work: Work,
    strengths: Stream,
}

impl JoinPolicy {
    /// How hosts join in trial number `trial`.
    pub fn new(parameters: &BalanceParameters, seed: Seed, trial: u64) -> Self {
        Self {
            choices: match parameters.strategy {
                Strategy::TwoChoices => 2,
                _ => 1,
            },
            places: parameters.places_of_a_host(),
            strongest: parameters.max_sybils,
            heterogeneous: parameters.heterogeneous,
            work: parameters.work,
            strengths: seed.stream("strengths", trial),
        }
    }

    /// A host joins and takes over the tasks of its ring nodes, if there are any.
    pub fn join<T: Tasks>(&mut self, network: &mut TickNetwork<T>) {
        let strength = match self.heterogeneous {
            true => 1 + self.strengths.below(self.strongest.into()) as u32,
            false => self.strongest,
        };
        let rate = match self.work {
            Work::One => 1,
            Work::Strength => strength,
        };
        let host = loop {
            let id = self.choose(network);
            if let Some(host) = network.add_host(id, strength, rate) {
                break host;
            }
        };
        network.joined();
        network.take_arc(network.host(host).main);
        for _ in 1..self.places_of(rate) {
            let id = self.choose(network);
            if let Some(place) = network.add_place(host, id, Role::Permanent) {
                network.joined();
                network.take_arc(place);
            }
        }
    }

    /// Number of ring nodes of a host that executes `rate` tasks per tick, at least one.
    ///
    /// Where work goes by strength, it is proportional to the strength (Dabek, Kaashoek, Karger,
    /// Morris and Stoica, "Wide-area cooperative storage with CFS", SOSP 2001, section 4.4).
    fn places_of(&self, rate: u32) -> u32 {
        match (self.work, self.heterogeneous) {
            (Work::Strength, true) => {
                let twice_the_mean = u64::from(self.strongest) + 1;
                let places = 2 * u64::from(self.places) * u64::from(rate) / twice_the_mean;
                (places as u32).max(1)
            }
            _ => self.places,
        }
    }

    /// Among the drawn IDs, the one whose arc is longest or whose owner has most tasks.
    fn choose<T: Tasks>(&self, network: &mut TickNetwork<T>) -> u64 {
        let mut best = (0, (0, 0));
        for i in 0..self.choices {
            let id = network.identities.random_id();
            network.look_up();
            if network.ring.len() == 0 {
                return id;
            }
            let place = network.ring.owner(id);
            let value = (network.load_at(place), network.arc(place).width());
            if i == 0 || value > best.1 {
                best = (id, value);
            }
        }
        best.0
    }
}

/// Tasks that can be placed on a ring without tasks.
pub trait InitialTasks: Tasks + Sized {
    /// Places `count` tasks at uniform keys.
    fn place_tasks(network: &mut TickNetwork<Self>, count: u32, keys: Keys, stream: Stream);
}

impl InitialTasks for Listed {
    fn place_tasks(network: &mut TickNetwork<Self>, count: u32, keys: Keys, mut stream: Stream) {
        let mut lists = vec![Vec::new(); network.present().len()];
        match keys {
            Keys::Uniform => {
                for (place, count) in counts(network, count, &mut stream) {
                    let arc = network.arc(place);
                    let host = network.ring.place(place).host;
                    // Less than 2^64, as there is more than one ring node.
                    let width = arc.width() as u64;
                    let key = |_| arc.after.wrapping_add(1).wrapping_add(stream.below(width));
                    lists[host as usize].extend((0..count).map(key));
                }
                for (host, list) in lists.iter_mut().enumerate() {
                    if !network.host(host as u32).others.is_empty() {
                        // The tasks arrive in random order from all arcs.
                        stream.shuffle(list);
                    }
                }
            }
            Keys::Sha1 => {
                for _ in 0..count {
                    let key = Key::sha1(&stream.next_u64().to_be_bytes()).prefix();
                    let host = network.ring.place(network.ring.owner(key)).host;
                    lists[host as usize].push(key);
                }
            }
        }
        for (host, list) in lists.into_iter().enumerate() {
            network.give(host as u32, list.len() as u32, Self(list));
        }
    }
}

impl InitialTasks for Counted {
    /// The tasks of a host arrive in random order from all its arcs, and so are one batch.
    fn place_tasks(network: &mut TickNetwork<Self>, count: u32, _: Keys, mut stream: Stream) {
        let mut given = vec![(0, Pieces::new()); network.present().len()];
        for (place, count) in counts(network, count, &mut stream) {
            let (load, pieces) = &mut given[network.ring.place(place).host as usize];
            *load += count;
            pieces.extend(network.arc(place).pieces());
        }
        for (host, (load, pieces)) in given.into_iter().enumerate() {
            network.give(host as u32, load, Self::uniform(load, pieces));
        }
    }
}

/// Number of tasks in the arc of each ring node, in the order of the ring, for `count` tasks with
/// uniform keys. The list of arcs is halved recursively, and the number of tasks in the first half
/// is drawn.
fn counts<T: Tasks>(network: &TickNetwork<T>, count: u32, stream: &mut Stream) -> Vec<(u32, u32)> {
    let ring = &network.ring;
    let mut place = ring.first();
    let mut counts = Vec::with_capacity(ring.len());
    for _ in 0..ring.len() {
        counts.push((place, 0));
        place = ring.next(place);
    }
    // The arc of the first ring node begins after the last one; ends are measured from there.
    let origin = ring.id(ring.previous(ring.first()));
    let end = |places: &[(u32, u32)], index: usize| -> u128 {
        match index {
            0 => 0,
            index if index == places.len() => 1 << 64,
            index => ring.id(places[index - 1].0).wrapping_sub(origin).into(),
        }
    };
    let mut stack = vec![(0, counts.len(), count)];
    while let Some((from, to, count)) = stack.pop() {
        if to - from == 1 {
            counts[from].1 = count;
            continue;
        }
        let middle = from.midpoint(to);
        let [low, half, high] = [from, middle, to].map(|index| end(&counts, index));
        let first = binomial(stream, count, fraction(half - low, high - low));
        stack.push((middle, to, count - first));
        stack.push((from, middle, first));
    }
    counts
}

/// A network with all its tasks before the first tick, and how further hosts join it. The cost of
/// the start is not counted.
pub fn network<T: InitialTasks>(
    parameters: &BalanceParameters,
    seed: Seed,
    trial: u64,
) -> (TickNetwork<T>, JoinPolicy) {
    let identities = IdGenerator {
        stream: seed.stream("ids", trial),
        keys: parameters.keys,
        sybil_id: parameters.sybil_id,
        search_limit: parameters.search_limit,
        hashes: 0,
    };
    let splits = seed.stream("splits", trial);
    let places = parameters.nodes * parameters.places_of_a_host() as usize;
    let mut network = TickNetwork::new(parameters.nodes, places, identities, splits);
    let mut joining = JoinPolicy::new(parameters, seed, trial);
    for _ in 0..parameters.nodes {
        joining.join(&mut network);
    }
    let stream = seed.stream("tasks", trial);
    T::place_tasks(&mut network, parameters.tasks, parameters.keys, stream);
    // Later actions use a separate stream, so that all strategies with the same placement of hosts
    // begin with the same network.
    network.identities.stream = seed.stream("strategy", trial);
    network.effort = super::tick_network::Effort::default();
    (network, joining)
}
