//! Expected cost of a network simulation: events by a time, and memory.

use super::{Cost, NetworkScenario};
use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::parameter::ConfigError;

/// Bytes of a pending event, its queue entry included.
const EVENT_BYTES: f64 = 80.0;

/// Bytes that a departed node leaves behind.
const GONE_BYTES: f64 = 600.0;

/// Message latency where the model does not define it.
const UNDER_WAY: Duration = Duration::from_millis(5);

/// Maximum number of pending events.
const MOST_PENDING: f64 = (1 << 28) as f64;

/// Maximum number of nodes in a run.
const MOST_NODES: f64 = u32::MAX as f64;

impl NetworkScenario {
    /// Rough estimate of a run's cost: from the protocol's lookups, maintenance and tables, and
    /// from the underlay's own estimate.
    pub fn cost(&self) -> Cost {
        self.cost_of(self.lookups(), self.lasts())
    }

    /// The estimate for `lookups` lookups in `seconds` seconds of virtual time.
    pub fn cost_of(&self, lookups: u64, seconds: f64) -> Cost {
        let n = self.most_members(seconds) + self.sybils_by(seconds);
        let cost_estimate = self.protocol.cost_estimate(self.overlay.nodes);
        let pending = n * cost_estimate.maintenance * self.under_way();
        let come = self.churn.joins_per_s() * seconds;
        Cost {
            events: lookups as f64 * 2.0 * (cost_estimate.hops + 1.0)
                + self.building()
                + self.maintenance_by(seconds),
            bytes: n * (160.0 + cost_estimate.bytes)
                + pending * EVENT_BYTES
                + come * GONE_BYTES
                + self.underlay.memory(self.overlay.nodes) as f64,
        }
    }

    /// Message latency in seconds.
    fn under_way(&self) -> f64 {
        let latency = self.underlay.equal_latency().unwrap_or(UNDER_WAY);
        latency.as_secs_f64()
    }

    /// Refuses a scenario with more pending events or nodes than the simulator can number.
    ///
    /// # Errors
    /// A [`ConfigError`] with the key that causes it.
    pub(super) fn check_volume(&self) -> Result<(), ConfigError> {
        let n = self.overlay.nodes as f64;
        for (key, rate) in self.protocol.maintenance_rates(self.overlay.nodes) {
            let pending = n * rate * self.under_way();
            if pending > MOST_PENDING {
                let message = format_args!(
                    "about {} messages a second, of which {} are under way at any time, more than \
                     2^28; expected a longer time",
                    rounded(n * rate),
                    rounded(pending)
                );
                return Err(ConfigError::new(key, message));
            }
        }
        let seconds = self.lasts();
        let come = self.churn.joins_per_s() * seconds;
        if come > MOST_NODES {
            let message = format_args!(
                "about {} nodes come in {}, more than 2^32",
                rounded(come),
                Duration::from_secs_f64(seconds)
            );
            let model = self.churn.parameters.model.as_str();
            return Err(ConfigError::new(format!("churn.{model}"), message));
        }
        Ok(())
    }

    /// Warns of a run that would reach `time.max-events` before its end, with the key that causes
    /// most of its events.
    pub fn too_many_events(&self) -> Option<ConfigError> {
        let (seconds, most) = (self.lasts(), self.time.max_events as f64);
        let events = self.events_by(seconds);
        if events <= most {
            return None;
        }
        let n = self.overlay.nodes as f64;
        let hops = self.protocol.cost_estimate(self.overlay.nodes).hops;
        let lookups = match self.workload.interval {
            Some(_) => "workload.interval",
            None => "workload.lookups",
        };
        let model = self.churn.parameters.model.as_str();
        let maintenance_rates = self
            .protocol
            .maintenance_rates(self.overlay.nodes)
            .into_iter();
        let mut parts: Vec<(String, f64)> = maintenance_rates
            .map(|(key, rate)| (key.to_owned(), n * rate * seconds))
            .collect();
        parts.push((
            lookups.to_owned(),
            self.lookups() as f64 * 2.0 * (hops + 1.0),
        ));
        let joins = self.churn.joins_per_s() * seconds;
        parts.push((format!("churn.{model}"), joins * 4.0 * (hops + 1.0)));
        let (key, own) = parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let message = format!(
            "about {} events are expected, {} of them a virtual second for this key; the run ends \
             after `time.max-events` = {}",
            rounded(events),
            rounded(own / seconds),
            self.time.max_events
        );
        Some(ConfigError { key, message })
    }

    /// Cost of building the network, in steps of the size of an event.
    pub fn building(&self) -> f64 {
        let nodes = self.overlay.nodes;
        nodes as f64 * self.protocol.cost_estimate(nodes).build + self.underlay.building()
    }

    /// Virtual seconds from the start until the last lookup is issued.
    pub fn lasts(&self) -> f64 {
        (self.time.transition + self.measure()).as_secs_f64()
    }

    /// The same network without the first `skipped` of its transition: churn and Sybils begin
    /// earlier by as much.
    pub fn without_first(&self, skipped: Duration) -> Self {
        let mut rest = self.clone();
        rest.time.transition = rest.time.transition - skipped;
        let begin = &mut rest.churn.parameters.begin;
        *begin = begin.map(|begin| begin - skipped);
        rest.adversary.attack.start = rest.adversary.attack.start - skipped;
        rest
    }

    /// Expected events in the first `seconds` of virtual time.
    pub fn events_by(&self, seconds: f64) -> f64 {
        let (from, measure) = (
            self.time.transition.as_secs_f64(),
            self.measure().as_secs_f64(),
        );
        let part = if measure > 0.0 {
            ((seconds - from) / measure).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let hops = self.protocol.cost_estimate(self.overlay.nodes).hops;
        part * self.lookups() as f64 * 2.0 * (hops + 1.0) + self.maintenance_by(seconds)
    }

    /// Events of joins and of maintenance in the first `seconds` of virtual time.
    pub fn maintenance_by(&self, seconds: f64) -> f64 {
        let n = self.overlay.nodes as f64;
        let cost_estimate = self.protocol.cost_estimate(self.overlay.nodes);
        // While nodes join one after the other, half of them are members on average.
        let half = self.settled().since(Instant::START).as_secs_f64();
        let (joined, mut member_seconds) = if half > 0.0 {
            let part = (seconds / half).min(1.0);
            (
                n * part,
                n * part * part * half / 2.0 + n * (seconds - half).max(0.0),
            )
        } else {
            (0.0, n * seconds)
        };
        let grown = self.most_members(seconds) - n;
        member_seconds += grown * seconds / 2.0;
        let came = self.sybils_by(seconds);
        member_seconds += came * (seconds - self.adversary.attack.start.as_secs_f64()).max(0.0);
        let joins = joined + came + self.churn.joins_per_s() * seconds;
        cost_estimate.maintenance * member_seconds + joins * 4.0 * (cost_estimate.hops + 1.0)
    }

    /// Sybils that have joined after this many seconds.
    fn sybils_by(&self, seconds: f64) -> f64 {
        let attack = &self.adversary.attack;
        let attacked = (seconds - attack.start.as_secs_f64()).max(0.0);
        let sybils = self.adversary.most(self.overlay.id_rule()) as f64;
        sybils.min(attacked * attack.joins_per_s)
    }

    /// Members after this many seconds if the network grows; otherwise the initial ones.
    fn most_members(&self, seconds: f64) -> f64 {
        self.overlay.nodes as f64 + (self.churn.growth_per_s() * seconds).max(0.0)
    }
}

/// A large number with two significant digits.
fn rounded(count: f64) -> String {
    if count < 1e6 {
        return format!("{count:.0}");
    }
    let exponent = libm::floor(libm::log10(count));
    format!("{:.1}e{exponent}", count / libm::pow(10.0, exponent))
}
