//! The hosts, their places on the ring and their work.
//!
//! Nothing happens to a host that only works: what it has left follows from what it had at some
//! tick. So a tick costs what changes in it and not what is done in it.

use super::arc::Arc;
use super::id_generator::IdGenerator;
use super::node_ring::{NodeRing, Role};
use super::tasks::Tasks;
use crate::engine::Stream;
use smallvec::SmallVec;

/// A host: a machine that works on the tasks of all its places.
#[derive(Clone, Debug)]
pub struct Host<T> {
    /// The place of the host itself.
    pub main: u32,
    /// Its other places.
    pub others: SmallVec<[u32; 4]>,
    /// How many Sybils it may have in its own name, and tasks a tick where work goes by strength.
    pub strength: u32,
    /// Tasks a tick.
    pub rate: u32,
    /// Counts the hosts that came before, so that nobody takes one for another.
    pub serial: u32,
    /// Tasks that were left at tick `settled`.
    load: u32,
    settled: u32,
    /// The tick at whose start it had last run out of tasks.
    idle_since: u32,
    done: u64,
    tasks: T,
    /// Its place in the list of those that are there.
    rank: u32,
}

impl<T> Host<T> {
    fn done_at(&self, now: u32) -> u32 {
        let possible = u64::from(self.rate) * u64::from(now - self.settled);
        possible.min(self.load.into()) as u32
    }

    /// The tick at whose start it has nothing left, if nobody gives it anything.
    fn end(&self) -> u32 {
        match self.load {
            0 => self.idle_since,
            load => self.settled + load.div_ceil(self.rate),
        }
    }
}

/// What was done to balance the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Sybils that were made.
    pub sybils: u64,
    /// Tasks that went from one host to another.
    pub moved: u64,
    /// Messages; see [`TickNetwork::look_up`] and its neighbours for what counts.
    pub messages: u64,
}

/// Hosts on a ring, and the time.
#[derive(Debug)]
pub struct TickNetwork<T> {
    /// Who stands where.
    pub ring: NodeRing,
    /// Where IDs come from.
    pub identities: IdGenerator,
    /// What it cost so far.
    pub effort: Effort,
    hosts: Vec<Host<T>>,
    free: Vec<u32>,
    /// The hosts that are there, in no particular order.
    present: Vec<u32>,
    serials: u32,
    now: u32,
    splits: Stream,
    /// A host that had tasks when it was last looked for.
    busy: u32,
    /// The hosts in the order of their IDs, where nobody has come or gone or moved since.
    order: Vec<u32>,
    in_order: bool,
}

impl<T: Tasks> TickNetwork<T> {
    /// An empty network for about `hosts` hosts with `places` places; `splits` decides how many
    /// tasks lie on a part of a stretch.
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

    /// All hosts work until the start of tick `tick`.
    pub fn work_until(&mut self, tick: u32) {
        debug_assert!(tick >= self.now);
        self.now = tick;
    }

    /// A host.
    pub fn host(&self, host: u32) -> &Host<T> {
        &self.hosts[host as usize]
    }

    /// The hosts that are there, in no particular order.
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

    /// Gives back what [`TickNetwork::ordered`] gave.
    pub fn keep_order(&mut self, order: Vec<u32>) {
        self.order = order;
    }

    /// Tasks that a host has left, on all its places.
    pub fn load(&self, host: u32) -> u32 {
        let host = self.host(host);
        host.load - host.done_at(self.now)
    }

    /// Tasks that the host at a place has left, on all its places.
    pub fn load_at(&self, place: u32) -> u32 {
        self.load(self.ring.place(place).host)
    }

    /// Tasks that a host has done.
    pub fn done(&self, host: u32) -> u64 {
        let host = self.host(host);
        host.done + u64::from(host.done_at(self.now))
    }

    /// Whether all tasks are done. The same host is asked first as long as it has some.
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

    /// The number of ticks after which the last of the tasks was done, if nobody moves one any
    /// more.
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

    /// Puts `count` tasks on top of those of a host.
    pub fn give(&mut self, host: u32, count: u32, tasks: T) {
        self.update_load(host);
        let host = &mut self.hosts[host as usize];
        host.load += count;
        host.tasks.append(tasks);
    }

    /// Adds a host at `id` that has no tasks; `None` if the ID is taken.
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

    /// Adds a place of `host` at `id`, without its tasks; `None` if the ID is taken.
    pub fn add_place(&mut self, host: u32, id: u64, role: Role) -> Option<u32> {
        let place = self.ring.insert(id, host, role)?;
        self.hosts[host as usize].others.push(place);
        Some(place)
    }

    /// The host at `place`, which was just put there, takes over the tasks of its arc.
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
            // All of its tasks went: it is idle from now on.
            self.hosts[from as usize].idle_since = self.now;
        }
        self.effort.moved += u64::from(moved);
    }

    /// Whether a Sybil may be made in the name of `place`.
    pub fn can_inject(&self, place: u32) -> bool {
        let at = self.ring.place(place);
        at.sybil_count < self.host(at.host).strength
    }

    /// Makes a Sybil at `id` in the name of `place`, which takes over the tasks of its arc; returns
    /// its place, or `None` if the ID is taken.
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

    /// A host without tasks drops the Sybils that it made in its own name.
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

    /// Takes a host away; returns its tasks, which belong to others now and must be given to them
    /// with [`TickNetwork::hand_out`]. It is not the last one.
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

    /// Gives tasks to those that are responsible for them now.
    pub fn hand_out(&mut self, tasks: T) {
        let ring = &self.ring;
        let owner = |point| ring.place(ring.owner(point)).host;
        for (host, count, part) in tasks.divide(owner, &mut self.splits) {
            self.effort.moved += u64::from(count);
            self.give(host, count, part);
        }
    }

    /// Moves a host that has no other places to `id`; returns whether it is there. Its tasks stay
    /// with it: whoever calls this sees to those.
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

    /// Takes all tasks from a host.
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

    /// What a place answers for.
    pub fn arc(&self, place: u32) -> Arc {
        self.ring.arc(place)
    }

    /// Counts the lookup of a point: half the binary logarithm of the number of places for its
    /// hops, rounded up (Chord's mean), and the answer.
    pub fn look_up(&mut self) {
        let bits = u64::from(usize::BITS - self.ring.len().leading_zeros());
        self.effort.messages += bits.div_ceil(2) + 1;
    }

    /// Counts what it takes to ask `others` nodes something: a message each way.
    pub fn ask(&mut self, others: u32) {
        self.effort.messages += 2 * u64::from(others);
    }

    /// Counts what it takes to come in between two neighbours that are known: a message to each.
    pub fn joined(&mut self) {
        self.effort.messages += 2;
    }

    /// Counts what it takes to go: a message to each neighbour.
    fn left(&mut self) {
        self.effort.messages += 2;
    }
}

#[cfg(test)]
impl<T: Tasks> TickNetwork<T> {
    /// Panics unless everything that has to hold at any time holds; returns the number of tasks
    /// left.
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
