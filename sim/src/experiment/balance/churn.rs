//! Churn as in the published program: every tick each host leaves with probability r, and each of
//! a waiting pool, at first as large as the network, joins with probability r.

use super::tasks::Tasks;
use super::tick_network::TickNetwork;
use crate::engine::Stream;

/// Draws who leaves and how many join.
#[derive(Clone, Debug)]
pub struct Churn {
    rate: f64,
    /// The logarithm of the probability to stay.
    log_stay: f64,
    stream: Stream,
    pool: usize,
    leaving: Vec<u32>,
}

impl Churn {
    /// Churn of `rate` a tick, from 0 to 1, with `pool` hosts that wait.
    pub fn new(rate: f64, pool: usize, stream: Stream) -> Self {
        Self {
            rate,
            log_stay: libm::log1p(-rate),
            stream,
            pool,
            leaving: Vec::new(),
        }
    }

    /// How many trials fail before the next that succeeds.
    fn failures(&mut self) -> usize {
        if self.rate >= 1.0 {
            return 0;
        }
        // 1 - unit is above 0; the quotient of two negative numbers that may be large.
        (libm::log(1.0 - self.stream.unit()) / self.log_stay) as usize
    }

    /// Lets hosts leave, whose tasks go to those that are responsible then, and returns the number
    /// of those that join.
    ///
    /// As in the program, the one that stands after a joiner in the pool is not asked in that
    /// tick (it removes joiners from the list that it goes through), so that the rate of joins is
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
        // All leave before the first task finds a new owner.
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
