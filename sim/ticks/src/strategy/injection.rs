//! Sybils of nodes with few tasks: anywhere, in a nearby gap, or at the most loaded neighbour.
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing.

use super::super::arc::Arc;
use super::super::parameters::InjectionReading;
use super::super::tasks::Tasks;
use super::super::tick_network::TickNetwork;
use super::{Balancing, may_help};

/// A Sybil at a random ID.
#[derive(Clone, Copy, Debug)]
pub struct RandomInjection {
    /// Tasks at or below which a node has few.
    pub threshold: u32,
}

impl<T: Tasks> Balancing<T> for RandomInjection {
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32) {
        if may_help(network, host, self.threshold) {
            let id = network.identities.random_id();
            network.look_up();
            network.inject(network.host(host).main, id);
        }
    }
}

/// A Sybil in a gap among the next successors.
#[derive(Clone, Copy, Debug)]
pub struct NeighbourInjection {
    /// Tasks at or below which a node has few.
    pub threshold: u32,
    /// Number of gaps examined.
    pub successors: usize,
    /// Which of them is taken.
    pub reading: InjectionReading,
}

impl<T: Tasks> Balancing<T> for NeighbourInjection {
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32) {
        if !may_help(network, host, self.threshold) {
            return;
        }
        let main = network.host(host).main;
        // A node knows the IDs of its successors without a query.
        let gap = match self.reading {
            InjectionReading::AsDescribed => Some(largest_gap(network, main, self.successors)),
            InjectionReading::AsCoded => gap_as_coded(network, main, self.successors),
        };
        let id = match gap {
            Some(gap) => network.identities.within(gap),
            None => {
                network.look_up();
                Some(network.identities.random_id())
            }
        };
        if let Some(id) = id {
            network.inject(main, id);
        }
    }
}

/// The largest of the gaps between `place` and the next `count` ring nodes; the nearest of equals.
fn largest_gap<T: Tasks>(network: &TickNetwork<T>, place: u32, count: usize) -> Arc {
    let mut at = network.ring.next(place);
    let mut largest = network.arc(at);
    for _ in 1..count.min(network.ring.len()) {
        at = network.ring.next(at);
        let gap = network.arc(at);
        if gap.width() > largest.width() {
            largest = gap;
        }
    }
    largest
}

/// The gap that the published program takes; `None` where it draws an ID from the whole ring.
///
/// The program is meant to compare gaps, but compares the positions i, i + 1, ... of their ends in
/// the sorted list of IDs. These are all 1 apart, so the first gap wins. The position of the last
/// end, i + 1 + successors modulo the length of the list, ends the search. Where it is not beyond
/// i + 1, near the end of the list, no gap is examined; both ends then keep their initial value, the
/// last ID of the list, and the gap is the whole ring.
fn gap_as_coded<T: Tasks>(network: &TickNetwork<T>, place: u32, successors: usize) -> Option<Arc> {
    let ring = &network.ring;
    let length = ring.len();
    let next = ring.next(place);
    let mut behind = 0;
    let mut at = next;
    while behind <= successors && at != ring.first() {
        behind += 1;
        at = ring.next(at);
    }
    let wraps = behind <= successors;
    let index = length - 1 - behind;
    let looks = !wraps || (index + 1 + successors) % length > index + 1;
    looks.then(|| network.arc(next))
}

/// A Sybil in the arc of the most loaded of the next successors, if it has more tasks.
#[derive(Clone, Copy, Debug)]
pub struct SmartNeighbour {
    /// Tasks at or below which a node has few.
    pub threshold: u32,
    /// Number of successors queried.
    pub successors: usize,
}

impl<T: Tasks> Balancing<T> for SmartNeighbour {
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32) {
        if !may_help(network, host, self.threshold) {
            return;
        }
        let main = network.host(host).main;
        network.ask(self.successors as u32);
        let (mut at, mut busiest, mut most) = (main, main, None);
        for _ in 0..self.successors {
            at = network.ring.next(at);
            let load = network.load_at(at);
            if most.is_none_or(|most| load > most) {
                (busiest, most) = (at, Some(load));
            }
        }
        if most > Some(network.load(host))
            && let Some(id) = network.identities.within(network.arc(busiest))
        {
            network.inject(main, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::id_generator::{IdGenerator, Keys, SybilId};
    use super::super::super::tasks::Listed;
    use super::*;
    use dhtlab_core::engine::Seed;

    fn ring(ids: &[u64]) -> TickNetwork<Listed> {
        let identities = IdGenerator {
            stream: Seed::new(1).stream("strategy", 0),
            keys: Keys::Uniform,
            sybil_id: SybilId::Uniform,
            search_limit: 1,
            hashes: 0,
        };
        let splits = Seed::new(1).stream("splits", 0);
        let mut network = TickNetwork::new(ids.len(), ids.len(), identities, splits);
        for id in ids {
            network.add_host(*id, 5, 1).expect("distinct IDs");
        }
        network
    }

    /// Equals the published loop, with its indices, for every length of the list and number of
    /// successors that can occur.
    #[test]
    fn the_gap_as_coded_is_that_of_the_program() {
        for length in 2..14usize {
            let network = ring(&(0..length as u64).map(|i| 10 + 100 * i).collect::<Vec<_>>());
            for successors in 1..12 {
                let mut place = network.ring.first();
                for index in 0..length {
                    let first = (index + 1) % length;
                    let last = (index + 1 + successors) % length;
                    let starts = index..last.saturating_sub(1);
                    let pair = starts.zip(first..last).next();
                    let expected = pair.map(|(i, j)| (10 + 100 * i as u64, 10 + 100 * j as u64));
                    let found = gap_as_coded(&network, place, successors);
                    assert_eq!(
                        found.map(|gap| (gap.after, gap.to)),
                        expected,
                        "{index} of {length}, {successors} successors"
                    );
                    place = network.ring.next(place);
                }
            }
        }
    }

    #[test]
    fn the_largest_gap_wraps() {
        let network = ring(&[100, 200, 350, 360]);
        let place = network.ring.first();
        let found = |count| largest_gap(&network, place, count);
        assert_eq!((found(1).after, found(1).to), (100, 200));
        assert_eq!((found(3).after, found(3).to), (200, 350));
        assert_eq!((found(9).after, found(9).to), (360, 100));
    }

    #[test]
    fn smart_neighbours_halve_the_most_loaded() {
        let mut network = ring(&[100, 200, 300, 400]);
        for (host, count) in [(1, 10), (2, 50), (3, 50)] {
            let keys = (0..count)
                .map(|i| 100 * u64::from(host) + 1 + u64::from(i))
                .collect();
            network.give(host, count, Listed(keys));
        }
        let mut smart = SmartNeighbour {
            threshold: 0,
            successors: 3,
        };
        smart.act(&mut network, 0);
        assert_eq!(network.effort.sybils, 1);
        // The nearest of the two with 50: its index is now that of the Sybil.
        assert_eq!(network.load(0) + network.load(2), 50);
        assert_eq!((network.load(1), network.load(3)), (10, 50));
        assert_eq!(network.check(), 110);
        // The node with tasks creates none.
        smart.act(&mut network, 1);
        assert_eq!(network.effort.sybils, 1);
    }
}
