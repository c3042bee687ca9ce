//! Churn as in the published program: in every tick each host leaves with probability r, and each
//! host of a waiting pool, initially as large as the network, joins with probability r.

use super::tasks::Tasks;
use super::tick_network::TickNetwork;
use dhtlab_core::engine::Stream;

/// Draws the hosts that leave and the number of hosts that join.
#[derive(Clone, Debug)]
pub struct Churn {
    rate: f64,
    /// The logarithm of the probability that a host stays.
    log_stay: f64,
    stream: Stream,
    pool: usize,
    leaving: Vec<u32>,
}

impl Churn {
    /// Churn of `rate` per tick, from 0 to 1, with `pool` waiting hosts.
    pub fn new(rate: f64, pool: usize, stream: Stream) -> Self {
        Self {
            rate,
            log_stay: libm::log1p(-rate),
            stream,
            pool,
            leaving: Vec::new(),
        }
    }

    /// Number of failed trials before the next success.
    fn failures(&mut self) -> usize {
        if self.rate >= 1.0 {
            return 0;
        }
        // `1 - unit` is positive. The quotient of the two negative numbers may be large.
        (libm::log(1.0 - self.stream.unit()) / self.log_stay) as usize
    }

    /// Removes the hosts that leave, hands their tasks to the new owners, and returns the number of
    /// hosts that join.
    ///
    /// As in the program, the host after a joiner in the pool is skipped in that tick, because the
    /// program removes joiners from the list that it iterates over. The rate of joins is therefore
    /// r / (1 + r). A network keeps its last host.
    pub fn step<T: Tasks>(&mut self, network: &mut TickNetwork<T>) -> usize {
        self.leaving.clear();
        let mut at = self.failures();
        while at < network.present().len() {
            self.leaving.push(network.present()[at]);
            at = at.saturating_add(1).saturating_add(self.failures());
        }
        let mut joins = 0;
        let mut at = self.failures();
        while at < self.pool {
            joins += 1;
            at = at.saturating_add(2).saturating_add(self.failures());
        }
        if self.leaving.len() == network.present().len() {
            self.leaving.pop();
        }
        let id = |host: &u32| network.ring.id(network.host(*host).main);
        self.leaving.sort_unstable_by_key(id);
        // All hosts leave before the first task gets a new owner.
        let tasks: Vec<T> = self
            .leaving
            .iter()
            .map(|host| network.remove_host(*host))
            .collect();
        for tasks in tasks {
            network.hand_out(tasks);
        }
        self.pool = self.pool - joins + self.leaving.len();
        joins
    }
}
