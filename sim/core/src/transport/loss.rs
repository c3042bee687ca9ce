//! Loss of messages, independent or in bursts.

use crate::engine::{Duration, Instant, Stream};

/// Loss of the messages that a host sends.
#[derive(Debug)]
pub(super) struct Loss {
    /// Probability that a message is lost.
    pub probability: f64,
    /// Mean duration of a burst.
    pub burst: Option<Duration>,
    pub stream: Stream,
}

/// Whether a host was in a burst of loss when it sent its last message, and when that was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Burst {
    pub is_on: bool,
    pub at: Instant,
}

impl Loss {
    /// Whether a message of a host with the state `burst` is lost at `now`.
    ///
    /// Bursts are the bad state of the model of Gilbert (1960) in continuous time: a Markov chain of
    /// two states, of which only the values at the times of messages are drawn.
    pub fn strikes(&mut self, now: Instant, burst: &mut Option<Burst>) -> bool {
        if self.probability == 0.0 {
            return false;
        }
        let Some(length) = self.burst else {
            return self.stream.chance(self.probability);
        };
        let on = self.probability;
        let now_on = match burst {
            None => on,
            Some(last) => {
                // The rates are 1 / length from bad to good, and on / (1 - on) of it back.
                let rate = 1.0 / (length.as_secs_f64() * (1.0 - on));
                let memory = libm::exp(-rate * now.since(last.at).as_secs_f64());
                on + (f64::from(u8::from(last.is_on)) - on) * memory
            }
        };
        let is_on = self.stream.chance(now_on);
        *burst = Some(Burst { is_on, at: now });
        is_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    fn loss(probability: f64, burst: Option<Duration>) -> Loss {
        let stream = Seed::new(8).stream("loss", 0);
        Loss {
            probability,
            burst,
            stream,
        }
    }

    /// A message each millisecond, bursts of 20 ms on average: 10,000 bursts of 100,000 lost
    /// messages. The standard error of the fraction is .1 sqrt(2 x .9 / 5000) = .0019, that of the
    /// mean burst 20 / sqrt(5000) = .28 ms; four of them are allowed. A burst that ends and begins
    /// anew within a millisecond counts as one: 20 / .9 * .1 more... is below it.
    #[test]
    fn bursts_have_the_given_fraction_and_length() {
        let mut loss = loss(0.1, Some(Duration::from_millis(20)));
        let (mut state, mut lost, mut bursts, mut before) = (None, 0, 0, false);
        let count = 1_000_000;
        for i in 0..count {
            let now = Instant::START + Duration::from_millis(1) * i;
            let is_lost = loss.strikes(now, &mut state);
            lost += u64::from(is_lost);
            bursts += u64::from(is_lost && !before);
            before = is_lost;
        }
        let fraction = lost as f64 / count as f64;
        assert!((fraction - 0.1).abs() < 0.0076, "{fraction}");
        // The chain that is observed each millisecond leaves a burst with probability
        // .9 (1 - exp(-1 / 18)), so its mean length is 20.56 ms.
        let length = lost as f64 / bursts as f64;
        assert!((length - 20.56).abs() < 1.2, "{length}");
    }

    #[test]
    fn independent_losses_have_the_given_fraction() {
        let mut loss = loss(0.3, None);
        let mut state = None;
        let lost = (0..100_000)
            .filter(|_| loss.strikes(Instant::START, &mut state))
            .count();
        // Four standard deviations of a binomial count.
        assert!((lost as f64 - 30_000.0).abs() < 580.0, "{lost}");
    }
}
