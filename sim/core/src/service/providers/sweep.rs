//! Records that are sent again region by region, as by the sweeping provider of go-libp2p-kad-dht.
//!
//! The space is divided into regions: all keys with the same first bits, so many that a region has two
//! to four times `holders` nodes by the estimated size of the network. A provider explores each region
//! with contents of its own once in `republish`, at a time that follows from the prefix, and sends each
//! node there all its records in one message. The lookups grow with the number of regions, and not with
//! that of contents.

use super::metrics::Purpose;
use super::size::FEWEST;
use super::{ProviderContext, Providers, Timer};
use crate::engine::{Duration, Instant};
use crate::overlay::{Node, region_prefix};
use crate::space::Key;

/// The regions of a provider.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweep {
    /// The common first bits of a region, and when its node knew them.
    division: Option<(u32, Instant)>,
    /// A key of each region that has a timer.
    regions: Vec<Key>,
    /// Contents that wait for an estimate of the size of the network.
    waiting: Vec<Key>,
}

/// The records of a region that are sent again.
pub(super) struct RegionRecords {
    /// Number of contents.
    pub contents: u32,
    /// The keys of the contents for each node that gets some.
    pub of_nodes: Vec<(Node, Box<[Key]>)>,
}

/// How many times `holders` nodes a region has at least on average. With fewer, some regions would have
/// less than `holders` by chance.
const REGION: usize = 2;

impl Providers {
    /// Plans to send the record of the content with `key` again with those of its region. A node
    /// without an estimate of the size of the network looks random keys up first; as long as that gives
    /// none, it sends each record again by itself.
    pub(super) fn plan_sweep(&mut self, context: &mut ProviderContext<'_>, key: Key) {
        let holders = context.shared.parameters.holders;
        let Some(period) = context.shared.parameters.republish.span() else {
            return;
        };
        if self.sweep.division.is_none() {
            let Some(size) = self.estimate(context.now) else {
                let is_first = self.sweep.waiting.is_empty();
                self.sweep.waiting.push(key);
                if is_first {
                    (0..FEWEST as u32).for_each(|bits| self.sample_size(context, bits));
                    context.set_timer(period, Timer::Unplanned);
                }
                return;
            };
            self.sweep.division = Some((region_prefix(size, REGION * holders), context.now));
        }
        let sweep = &mut self.sweep;
        let Some((bits, since)) = sweep.division else {
            return;
        };
        let is_here = |other: &Key| other.common_prefix(key) >= bits;
        if sweep.regions.iter().any(is_here) {
            return;
        }
        let region = sweep.regions.len() as u32;
        sweep.regions.push(key);
        let wait = wait(
            key.xor(context.id()),
            bits,
            period,
            context.now.since(since),
        );
        context.set_timer(wait, Timer::Sweep(region));
    }

    /// Plans the contents that waited for an estimate, if there is one now.
    pub(super) fn plan_waiting(&mut self, context: &mut ProviderContext<'_>) {
        if !self.sweep.waiting.is_empty() && self.estimate(context.now).is_some() {
            for key in std::mem::take(&mut self.sweep.waiting) {
                self.plan_sweep(context, key);
            }
        }
    }

    /// Sends the records of the contents that still wait for an estimate again, each by itself.
    pub(super) fn send_waiting(&mut self, context: &mut ProviderContext<'_>) {
        let Some(period) = context.shared.parameters.republish.span() else {
            return;
        };
        if self.sweep.waiting.is_empty() {
            return;
        }
        context.set_timer(period, Timer::Unplanned);
        for key in self.sweep.waiting.clone() {
            self.begin(context, key, Purpose::Republish);
        }
    }

    /// Explores a region, and sends the records of its contents again.
    pub(super) fn sweep(&mut self, context: &mut ProviderContext<'_>, region: u32) {
        let parameters = &context.shared.parameters;
        let key = self.sweep.regions.get(region as usize).copied();
        let (Some(period), Some(key)) = (parameters.republish.span(), key) else {
            return;
        };
        context.set_timer(period, Timer::Sweep(region));
        self.begin(context, key, Purpose::Sweep);
    }

    /// The common first bits of the region that is explored now: fewer than those of the division
    /// where the network has become smaller.
    pub(super) fn bits_to_explore(&self, context: &ProviderContext<'_>) -> u32 {
        let holders = context.shared.parameters.holders;
        let divided = self.sweep.division.map_or(0, |(bits, _)| bits);
        let size = self.estimate(context.now);
        size.map_or(divided, |size| {
            divided.min(region_prefix(size, REGION * holders))
        })
    }

    /// The contents of the region of `key`, and for each node of `found` those of them to whose
    /// `holders` nearest nodes it belongs.
    pub(super) fn records_of_region(
        &self,
        context: &ProviderContext<'_>,
        key: Key,
        found: &[Node],
    ) -> RegionRecords {
        let holders = context.shared.parameters.holders;
        let bits = self.sweep.division.map_or(0, |(bits, _)| bits);
        let ids: Vec<Key> = found.iter().map(|node| context.routing.id(*node)).collect();
        let mut records: Vec<Vec<Key>> = vec![Vec::new(); found.len()];
        let mut contents = 0;
        let here = self.provided.iter();
        for content in here.filter(|content| content.common_prefix(key) >= bits) {
            contents += 1;
            let mut nearest: Vec<usize> = (0..ids.len()).collect();
            nearest.sort_unstable_by_key(|place| ids[*place].xor(*content));
            for place in nearest.into_iter().take(holders) {
                records[place].push(*content);
            }
        }
        let each = found.iter().copied().zip(records);
        let each = each.filter(|(_, keys)| !keys.is_empty());
        RegionRecords {
            contents,
            of_nodes: each.map(|(node, keys)| (node, keys.into())).collect(),
        }
    }
}

/// The time until a region is explored: the regions divide the period evenly, in the order of their
/// `distance` from the provider. `since` has passed in a period.
fn wait(distance: Key, bits: u32, period: Duration, since: Duration) -> Duration {
    let period = period.as_nanos();
    let bits = bits.min(32);
    let place = match bits {
        0 => 0,
        bits => u128::from(distance.bits(0, bits)),
    };
    let phase = ((u128::from(period) * place) >> bits) as u64;
    let passed = since.as_nanos() % period;
    let wait = if phase > passed {
        phase - passed
    } else {
        phase + period - passed
    };
    Duration::from_nanos(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_divide_a_period() {
        let period = Duration::from_secs(80);
        let seconds = |place: u32, since: u64| {
            let distance = Key::shifted(place, 157);
            let wait = wait(distance, 3, period, Duration::from_secs(since));
            wait.as_secs_f64()
        };
        let waits: Vec<f64> = (0..8).map(|place| seconds(place, 0)).collect();
        assert_eq!(waits, [80.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]);
        assert_eq!(seconds(1, 3), 7.0);
        assert_eq!(seconds(1, 10), 80.0);
        assert_eq!(seconds(1, 170), 80.0);
        // One region: once in a period.
        let whole = wait(Key::shifted(7, 157), 0, period, Duration::ZERO);
        assert_eq!(whole, period);
    }
}
