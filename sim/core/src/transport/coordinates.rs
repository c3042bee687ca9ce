//! Time-outs by network coordinates: Vivaldi with a height (Dabek, Cox, Kaashoek, Morris, SIGCOMM
//! 2004).

use super::chance::fraction;
use crate::engine::Duration;

/// Gains of the coordinates and of the error, as in the paper.
const GAIN: f64 = 0.25;

/// Exchanges of a host before its coordinates are used.
const FIRST: u32 = 50;

/// What is added to the time-out: MIT's constant.
const MARGIN_S: f64 = 0.015;

/// The least height, in seconds.
const LEAST_HEIGHT: f64 = 1e-4;

/// Bytes of coordinates in a reply: two numbers, the height and the error.
pub(super) const BYTES: u32 = 16;

/// The coordinates of all hosts, by their index.
#[derive(Debug, Default)]
pub(super) struct Coordinates(Vec<Position>);

/// The coordinates of a host; distances are round trips in seconds.
#[derive(Clone, Copy, Debug)]
struct Position {
    at: [f64; 2],
    height: f64,
    /// The relative error.
    error: f64,
    /// Mean absolute error of its predictions, in seconds.
    deviation: f64,
    exchanges: u32,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            at: [0.0; 2],
            height: LEAST_HEIGHT,
            error: 1.0,
            deviation: 0.0,
            exchanges: 0,
        }
    }
}

impl Coordinates {
    fn of(&mut self, host: usize) -> Position {
        if self.0.len() <= host {
            self.0.resize(host + 1, Position::default());
        }
        self.0[host]
    }

    /// The predicted round trip between two hosts, in seconds.
    pub fn distance(&mut self, a: usize, b: usize) -> f64 {
        let (a, b) = (self.of(a), self.of(b));
        libm::hypot(a.at[0] - b.at[0], a.at[1] - b.at[1]) + a.height + b.height
    }

    /// The same, if both hosts have had enough exchanges.
    pub fn round_trip(&mut self, from: usize, to: usize) -> Option<Duration> {
        let is_placed = self.of(from).exchanges.min(self.of(to).exchanges) >= FIRST;
        is_placed.then(|| Duration::from_secs_f64(self.distance(from, to)))
    }

    /// How long `from` waits for a reply of `to`, at most `most`.
    pub fn timeout(&mut self, from: usize, to: usize, most: Duration) -> Duration {
        let own = self.of(from);
        if own.exchanges < FIRST {
            return most;
        }
        let seconds = self.distance(from, to) + 6.0 * own.deviation + MARGIN_S;
        Duration::from_secs_f64(seconds).min(most)
    }

    /// `from` has measured the round trip to `to`, whose coordinates are in the reply.
    pub fn measure(&mut self, from: usize, to: usize, time: Duration) {
        let (mut own, other) = (self.of(from), self.of(to));
        let (rtt, predicted) = (time.as_secs_f64(), self.distance(from, to));
        if rtt <= 0.0 {
            return;
        }
        let weight = own.error / (own.error + other.error).max(1e-9);
        let error = (predicted - rtt).abs() / rtt;
        own.error += GAIN * weight * (error - own.error);
        own.error = own.error.min(1.5);
        let mut away = [own.at[0] - other.at[0], own.at[1] - other.at[1]];
        let mut length = libm::hypot(away[0], away[1]);
        if length < 1e-9 {
            // Two hosts at one point move apart in any direction.
            let angle =
                std::f64::consts::TAU * fraction(u64::from(own.exchanges), from as u32, to as u32);
            (away, length) = ([libm::cos(angle), libm::sin(angle)], 1.0);
        }
        let force = GAIN * weight * (rtt - predicted);
        for (coordinate, away) in own.at.iter_mut().zip(away) {
            *coordinate += force * away / length;
        }
        // The height is the part of the vector that all paths of a host share.
        let heights = own.height + other.height;
        let share = if predicted > 0.0 {
            heights / predicted
        } else {
            0.0
        };
        own.height = (own.height + force * share).max(LEAST_HEIGHT);
        own.deviation += ((predicted - rtt).abs() - own.deviation) / 50.0;
        own.exchanges += 1;
        self.0[from] = own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    /// 100 hosts in a square of 100 ms, each with an access delay: after 200 exchanges each, the
    /// median relative error of a prediction is below .05. Over 200 seeds it was at most .03.
    #[test]
    fn distances_in_a_plane_are_predicted() {
        let mut stream = Seed::new(3).stream("hosts", 0);
        let hosts: Vec<[f64; 3]> = (0..100)
            .map(|_| {
                [
                    0.1 * stream.unit(),
                    0.1 * stream.unit(),
                    0.01 * stream.unit(),
                ]
            })
            .collect();
        let rtt = |a: usize, b: usize| {
            let (a, b) = (hosts[a], hosts[b]);
            libm::hypot(a[0] - b[0], a[1] - b[1]) + a[2] + b[2]
        };
        let mut coordinates = Coordinates::default();
        for _ in 0..200 {
            for from in 0..100 {
                let to = (from + 1 + stream.index(99)) % 100;
                coordinates.measure(from, to, Duration::from_secs_f64(rtt(from, to)));
            }
        }
        let mut errors: Vec<f64> = (0..1000)
            .map(|i| {
                let (a, b) = (i % 100, (i % 100 + 1 + i / 100) % 100);
                (coordinates.distance(a, b) - rtt(a, b)).abs() / rtt(a, b)
            })
            .collect();
        errors.sort_by(f64::total_cmp);
        assert!(errors[500] < 0.05, "{}", errors[500]);
        let wait = coordinates.timeout(0, 1, Duration::from_secs(5));
        assert!(
            wait.as_secs_f64() > rtt(0, 1) && wait < Duration::from_millis(400),
            "{wait}"
        );
    }
}
