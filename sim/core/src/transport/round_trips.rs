//! Time-outs by the round trips of each pair of hosts, as in TCP.

use crate::engine::Duration;
use rustc_hash::FxHashMap;

/// What is added to the estimate: Bamboo's constant.
const MARGIN: Duration = Duration::from_millis(10);

/// The estimates of all pairs of hosts that have exchanged messages.
#[derive(Debug, Default)]
pub(super) struct RoundTrips(FxHashMap<(u32, u32), Estimate>);

/// The round trip of a pair.
#[derive(Clone, Copy, Debug, Default)]
struct Estimate {
    /// Mean and mean deviation in seconds.
    mean: f32,
    deviation: f32,
    /// Whether there is a sample.
    is_known: bool,
    /// Time-outs since the last sample: each doubles the time-out.
    silences: u8,
}

impl RoundTrips {
    /// How long `from` waits for a reply of `to`, at most `most`.
    pub fn timeout(&self, from: u32, to: u32, most: Duration) -> Duration {
        let Some(pair) = self.0.get(&(from, to)).filter(|pair| pair.is_known) else {
            return most;
        };
        let seconds = f64::from(pair.mean) + 4.0 * f64::from(pair.deviation);
        let once = Duration::from_secs_f64(seconds) + MARGIN;
        let doubled = once.as_nanos().saturating_mul(1 << pair.silences.min(16));
        Duration::from_nanos(doubled).min(most)
    }

    /// The mean round trip from `from` to `to`, if there is a sample, and no time-out since the last one.
    pub fn mean(&self, from: u32, to: u32) -> Option<Duration> {
        let pair = self.0.get(&(from, to))?;
        let is_sound = pair.is_known && pair.silences == 0;
        is_sound.then(|| Duration::from_secs_f64(pair.mean.into()))
    }

    /// `from` has measured the round trip to `to`.
    ///
    /// The first sample is the mean, and three quarters of it the deviation, so that the time-out is
    /// four round trips and the margin, as in Bamboo.
    pub fn measure(&mut self, from: u32, to: u32, time: Duration) {
        let pair = self.0.entry((from, to)).or_default();
        let sample = time.as_secs_f64() as f32;
        pair.silences = 0;
        if std::mem::replace(&mut pair.is_known, true) {
            let error = sample - pair.mean;
            pair.mean += error / 8.0;
            pair.deviation += (error.abs() - pair.deviation) / 4.0;
        } else {
            (pair.mean, pair.deviation) = (sample, 0.75 * sample);
        }
    }

    /// `from` has waited for `to` until the time-out.
    pub fn silence(&mut self, from: u32, to: u32) {
        if let Some(pair) = self.0.get_mut(&(from, to)) {
            pair.silences = pair.silences.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_out_follows_the_round_trips() {
        let millis = Duration::from_millis;
        let (mut pairs, most) = (RoundTrips::default(), Duration::from_secs(5));
        let near = |time: Duration, other: u64| time.as_millis_f64() - other as f64;
        assert_eq!(pairs.timeout(1, 2, most), most);
        pairs.measure(1, 2, millis(100));
        assert!(near(pairs.timeout(1, 2, most), 410).abs() < 0.01);
        // Equal samples: the deviation falls by a quarter each.
        pairs.measure(1, 2, millis(100));
        assert!(near(pairs.timeout(1, 2, most), 335).abs() < 0.01);
        for _ in 0..100 {
            pairs.measure(1, 2, millis(100));
        }
        assert!(near(pairs.timeout(1, 2, most), 110).abs() < 0.01);
        for doubled in [220, 440, 880, 1760, 3520, 5000, 5000] {
            pairs.silence(1, 2);
            assert!(
                near(pairs.timeout(1, 2, most), doubled).abs() < 0.1,
                "{doubled}"
            );
        }
        pairs.measure(1, 2, millis(100));
        assert!(near(pairs.timeout(1, 2, most), 110).abs() < 0.01);
        let mean = pairs.mean(1, 2).expect("samples");
        assert!(near(mean, 100).abs() < 0.01);
        pairs.silence(1, 2);
        assert_eq!(pairs.mean(1, 2), None);
        // Of the other direction nothing is known.
        assert_eq!(pairs.timeout(2, 1, most), most);
        assert_eq!(pairs.mean(2, 1), None);
    }
}
