//! The hosts, their ring nodes and their work.
//!
//! The state of a host that only works follows from its load at an earlier tick. So the cost of a
//! tick depends on the changes in it and not on the work done.

use super::arc::Arc;
use super::id_generator::IdGenerator;
use super::node_ring::{NodeRing, Role};
use super::tasks::Tasks;
use dhtlab_core::engine::Stream;
use smallvec::SmallVec;

/// A host: a machine that works on the tasks of all its ring nodes.
#[derive(Clone, Debug)]
pub struct Host<T> {
    /// The ring node of the host itself.
    pub main: u32,
    /// Its other ring nodes.
    pub others: SmallVec<[u32; 4]>,
    /// Number of Sybils that its main ring node may create, and of tasks per tick where work goes
    /// by strength.
    pub strength: u32,
    /// Tasks per tick.
    pub rate: u32,
    /// Serial number, which distinguishes the host from earlier hosts with the same index.
    pub serial: u32,
    /// Tasks left at tick `settled`.
    load: u32,
    settled: u32,
    /// The tick at whose start it last ran out of tasks.
    idle_since: u32,
    done: u64,
    tasks: T,
    /// Its index in the list of present hosts.
    rank: u32,
}

impl<T> Host<T> {
    fn done_at(&self, now: u32) -> u32 {
        let possible = u64::from(self.rate) * u64::from(now - self.settled);
        possible.min(self.load.into()) as u32
    }

    /// The tick at whose start it has no tasks left, if it receives no more.
    fn end(&self) -> u32 {
        match self.load {
            0 => self.idle_since,
            load => self.settled + load.div_ceil(self.rate),
        }
    }
}

/// The cost of load balancing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Sybils created.
    pub sybils: u64,
    /// Tasks moved from one host to another.
    pub moved: u64,
    /// Messages: half the binary logarithm of the number of ring nodes and one for a lookup, two for each
    /// ring node that joins or leaves and for each node queried, and one for an invitation.
    pub messages: u64,
}

/// Hosts on a ring, and the time.
#[derive(Debug)]
pub struct TickNetwork<T> {
    /// The ring nodes.
    pub ring: NodeRing,
    /// Source of IDs.
    pub identities: IdGenerator,
    /// Cost so far.
    pub effort: Effort,
    hosts: Vec<Host<T>>,
    free: Vec<u32>,
    /// The present hosts, in no particular order.
    present: Vec<u32>,
    serials: u32,
    now: u32,
    splits: Stream,
    /// A host that had tasks at the last check.
    busy: u32,
    /// The hosts in the order of their IDs, if no host has joined, left or moved since.
    order: Vec<u32>,
    in_order: bool,
}

impl<T: Tasks> TickNetwork<T> {
    /// An empty network for about `hosts` hosts with `places` ring nodes; `splits` draws the number
    /// of tasks on a part of a range.
    pub fn new(hosts: usize, places: usize, identities: IdGenerator, splits: Stream) -> Self {
        Self {
            ring: NodeRing::new(places),
            identities,
            effort: Effort::default(),
            hosts: Vec::with_capacity(hosts),
            free: Vec::new(),
            present: Vec::with_capacity(hosts),
            serials: 0,
            now: 0,
            splits,
            busy: 0,
            order: Vec::new(),
            in_order: false,
        }
    }

    /// Advances the work of all hosts to the start of tick `tick`.
    pub fn work_until(&mut self, tick: u32) {
        debug_assert!(tick >= self.now);
        self.now = tick;
    }

    /// The host with this index.
    pub fn host(&self, host: u32) -> &Host<T> {
        &self.hosts[host as usize]
    }

    /// The present hosts, in no particular order.
    pub fn present(&self) -> &[u32] {
        &self.present
    }

    /// The hosts in the order of their IDs.
    pub fn ordered(&mut self) -> Vec<u32> {
        let mut order = std::mem::take(&mut self.order);
        if !self.in_order {
            order.clear();
            let mut place = self.ring.first();
            for _ in 0..self.ring.len() {
                let at = self.ring.place(place);
                if at.role == Role::Main {
                    order.push(at.host);
                }
                place = self.ring.next(place);
            }
            self.in_order = true;
        }
        order
    }

    /// Returns the list that [`TickNetwork::ordered`] gave, for reuse.
    pub fn keep_order(&mut self, order: Vec<u32>) {
        self.order = order;
    }

    /// Tasks that a host has left, on all its ring nodes.
    pub fn load(&self, host: u32) -> u32 {
        let host = self.host(host);
        host.load - host.done_at(self.now)
    }

    /// Tasks that the host of a ring node has left, on all its ring nodes.
    pub fn load_at(&self, place: u32) -> u32 {
        self.load(self.ring.place(place).host)
    }

    /// Tasks that a host has done.
    pub fn done(&self, host: u32) -> u64 {
        let host = self.host(host);
        host.done + u64::from(host.done_at(self.now))
    }

    /// Whether all tasks are done. The host found last is checked first.
    pub fn is_finished(&mut self) -> bool {
        if self.load(self.busy) > 0 {
            return false;
        }
        let last = self.present.iter().copied();
        self.busy = last
            .max_by_key(|host| self.host(*host).end())
            .unwrap_or_default();
        self.load(self.busy) == 0
    }

    /// The number of ticks after which the last task is done, if no more tasks move.
    pub fn end(&self) -> u32 {
        let ends = self.present.iter().map(|host| self.host(*host).end());
        ends.max().unwrap_or_default()
    }

    fn update_load(&mut self, host: u32) {
        let now = self.now;
        let host = &mut self.hosts[host as usize];
        let done = host.done_at(now);
        if done > 0 {
            if done == host.load {
                host.idle_since = host.end();
            }
            host.tasks.drop_newest(done);
            host.load -= done;
            host.done += u64::from(done);
        }
        host.settled = now;
    }

    /// Adds `count` tasks on top of those of a host.
    pub fn give(&mut self, host: u32, count: u32, tasks: T) {
        self.update_load(host);
        let host = &mut self.hosts[host as usize];
        host.load += count;
        host.tasks.append(tasks);
    }

    /// Adds a host at `id` without tasks; returns its index, or `None` if the ID is taken.
    pub fn add_host(&mut self, id: u64, strength: u32, rate: u32) -> Option<u32> {
        let number = self.free.last().copied().unwrap_or(self.hosts.len() as u32);
        let main = self.ring.insert(id, number, Role::Main)?;
        let host = Host {
            main,
            others: SmallVec::new(),
            strength,
            rate,
            serial: self.serials,
            load: 0,
            settled: self.now,
            idle_since: 0,
            done: 0,
            tasks: T::default(),
            rank: self.present.len() as u32,
        };
        self.serials += 1;
        match self.free.pop() {
            Some(_) => self.hosts[number as usize] = host,
            None => self.hosts.push(host),
        }
        self.present.push(number);
        self.in_order = false;
        Some(number)
    }

    /// Adds a ring node of `host` at `id`, without its tasks; `None` if the ID is taken.
    pub fn add_place(&mut self, host: u32, id: u64, role: Role) -> Option<u32> {
        let place = self.ring.insert(id, host, role)?;
        self.hosts[host as usize].others.push(place);
        Some(place)
    }

    /// Moves the tasks in the arc of the new ring node `place` to its host.
    pub fn take_arc(&mut self, place: u32) {
        let next = self.ring.next(place);
        let (to, from) = (self.ring.place(place).host, self.ring.place(next).host);
        if to == from || self.load(from) == 0 {
            return;
        }
        let arc = self.ring.arc(place);
        self.update_load(from);
        self.update_load(to);
        let mut tasks = std::mem::take(&mut self.hosts[from as usize].tasks);
        let target = &mut self.hosts[to as usize];
        let moved = tasks.cut(arc, &mut target.tasks, &mut self.splits);
        target.load += moved;
        self.hosts[from as usize].tasks = tasks;
        self.hosts[from as usize].load -= moved;
        if self.load(from) == 0 {
            // All of its tasks moved: it is idle from now on.
            self.hosts[from as usize].idle_since = self.now;
        }
        self.effort.moved += u64::from(moved);
    }

    /// Whether `place` may create a Sybil.
    pub fn can_inject(&self, place: u32) -> bool {
        let at = self.ring.place(place);
        at.sybil_count < self.host(at.host).strength
    }

    /// Creates a Sybil of `place` at `id`, which takes over the tasks of its arc; returns its ring
    /// node, or `None` if the ID is taken.
    pub fn inject(&mut self, place: u32, id: u64) -> Option<u32> {
        let at = self.ring.place(place);
        let (host, role) = match at.role {
            Role::Main => (at.host, Role::Sybil),
            Role::Sybil | Role::Permanent => (at.host, Role::Permanent),
        };
        let sybil = self.add_place(host, id, role)?;
        self.ring.place_mut(place).sybil_count += 1;
        self.effort.sybils += 1;
        self.joined();
        self.take_arc(sybil);
        Some(sybil)
    }

    /// Drops the Sybils that the main ring node of a host without tasks created.
    pub fn drop_sybils(&mut self, host: u32) {
        let main = self.host(host).main;
        if self.ring.place(main).sybil_count == 0 || self.load(host) > 0 {
            return;
        }
        self.ring.place_mut(main).sybil_count = 0;
        let others = std::mem::take(&mut self.hosts[host as usize].others);
        let (sybils, kept) = others
            .into_iter()
            .partition::<SmallVec<[u32; 4]>, _>(|place| {
                self.ring.place(*place).role == Role::Sybil
            });
        for sybil in sybils {
            self.ring.remove(sybil);
            self.left();
        }
        self.hosts[host as usize].others = kept;
    }

    /// Removes a host, which is not the last one, and returns its tasks. These belong to others now
    /// and must be given to them with [`TickNetwork::hand_out`].
    pub fn remove_host(&mut self, host: u32) -> T {
        self.update_load(host);
        let Host { main, rank, .. } = self.hosts[host as usize];
        let others = std::mem::take(&mut self.hosts[host as usize].others);
        for place in others.into_iter().chain([main]) {
            self.ring.remove(place);
            self.left();
        }
        self.present.swap_remove(rank as usize);
        if let Some(moved) = self.present.get(rank as usize) {
            self.hosts[*moved as usize].rank = rank;
        }
        self.free.push(host);
        self.in_order = false;
        if self.busy == host {
            self.busy = self.present[0];
        }
        std::mem::take(&mut self.hosts[host as usize].tasks)
    }

    /// Gives tasks to the hosts that are responsible for them now.
    pub fn hand_out(&mut self, tasks: T) {
        let ring = &self.ring;
        let owner = |point| ring.place(ring.owner(point)).host;
        for (host, count, part) in tasks.divide(owner, &mut self.splits) {
            self.effort.moved += u64::from(count);
            self.give(host, count, part);
        }
    }

    /// Moves a host with a single ring node to `id`; returns whether it has moved. Its tasks stay
    /// with it: the caller must move those.
    pub fn relocate(&mut self, host: u32, id: u64) -> bool {
        let Some(place) = self.ring.insert(id, host, Role::Main) else {
            return false;
        };
        self.ring.remove(self.host(host).main);
        self.hosts[host as usize].main = place;
        self.in_order = false;
        self.left();
        self.joined();
        true
    }

    /// Removes and returns all tasks of a host.
    pub fn take_all(&mut self, host: u32) -> T {
        self.update_load(host);
        let now = self.now;
        let host = &mut self.hosts[host as usize];
        if host.load > 0 {
            (host.load, host.idle_since) = (0, now);
        }
        std::mem::take(&mut host.tasks)
    }

    /// The tasks of a host as of now.
    pub fn tasks(&mut self, host: u32) -> &T {
        self.update_load(host);
        &self.hosts[host as usize].tasks
    }

    /// The range that a ring node is responsible for.
    pub fn arc(&self, place: u32) -> Arc {
        self.ring.arc(place)
    }

    /// Counts a lookup: half the binary logarithm of the number of ring nodes for its hops, rounded
    /// up (Chord's mean), and the answer.
    pub fn look_up(&mut self) {
        let bits = u64::from(usize::BITS - self.ring.len().leading_zeros());
        self.effort.messages += bits.div_ceil(2) + 1;
    }

    /// Counts queries to `others` nodes: a request and an answer each.
    pub fn ask(&mut self, others: u32) {
        self.effort.messages += 2 * u64::from(others);
    }

    /// Counts a join between two known neighbours: a message to each.
    pub fn joined(&mut self) {
        self.effort.messages += 2;
    }

    /// Counts a leave: a message to each neighbour.
    fn left(&mut self) {
        self.effort.messages += 2;
    }
}

#[cfg(test)]
impl<T: Tasks> TickNetwork<T> {
    /// Checks the invariants; returns the number of tasks left.
    pub fn check(&self) -> u64 {
        let mut left = 0;
        let mut places = 0;
        for (rank, host) in self.present.iter().enumerate() {
            let at = self.host(*host);
            assert_eq!(at.rank as usize, rank);
            assert_eq!(self.ring.place(at.main).role, Role::Main);
            assert_eq!(self.ring.place(at.main).host, *host);
            let sybils = at.others.iter().filter(|place| {
                assert_eq!(self.ring.place(**place).host, *host);
                self.ring.place(**place).role == Role::Sybil
            });
            assert_eq!(
                sybils.count(),
                self.ring.place(at.main).sybil_count as usize
            );
            places += 1 + at.others.len();
            left += u64::from(self.load(*host));
        }
        assert_eq!(places, self.ring.len());
        left
    }
}
