//! The access links of hosts: capacities, and the queue of the uplink.

use crate::engine::{Duration, Instant};

/// The access link of a host.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AccessLink {
    /// Capacities in bytes per second.
    pub up: Option<u64>,
    pub down: Option<u64>,
    /// Until when the uplink sends what is in its queue.
    pub busy: Instant,
}

impl AccessLink {
    /// Puts a message of `bytes` into the queue of the uplink at `now`; `None` if the queue of
    /// `most` bytes has no place for it. Returns the time until its last byte is sent.
    pub fn send(&mut self, now: Instant, bytes: u32, most: u64) -> Option<Duration> {
        let Some(rate) = self.up else {
            return Some(Duration::ZERO);
        };
        let wait = self.busy.max(now).since(now);
        let waiting = wait.as_secs_f64() * rate as f64;
        if waiting + f64::from(bytes) > most as f64 {
            return None;
        }
        let time = wait + transmission(bytes, rate);
        self.busy = now + time;
        Some(time)
    }

    /// The time to receive a message of `bytes`.
    pub fn receive(&self, bytes: u32) -> Duration {
        self.down
            .map_or(Duration::ZERO, |rate| transmission(bytes, rate))
    }
}

fn transmission(bytes: u32, rate: u64) -> Duration {
    Duration::from_nanos(u64::from(bytes) * 1_000_000_000 / rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_wait_for_earlier_ones_and_are_dropped_if_there_is_no_place() {
        let mut link = AccessLink {
            up: Some(1000),
            down: Some(500),
            busy: Instant::START,
        };
        let now = Instant::START + Duration::from_secs(1);
        assert_eq!(link.send(now, 100, 250), Some(Duration::from_millis(100)));
        assert_eq!(link.send(now, 100, 250), Some(Duration::from_millis(200)));
        // 200 bytes wait.
        assert_eq!(link.send(now, 51, 250), None);
        assert_eq!(link.send(now, 50, 250), Some(Duration::from_millis(250)));
        // 100 ms later 150 bytes are left.
        let later = now + Duration::from_millis(100);
        assert_eq!(link.send(later, 100, 250), Some(Duration::from_millis(250)));
        assert_eq!(link.receive(100), Duration::from_millis(200));
    }
}
