//! A number with a given SHA-1, by exhaustive search.

use super::{Mapped, Task, Value};
use crate::engine::Stream;
use crate::space::Key;

/// The search for the number below `range` whose SHA-1, as eight bytes, is `target`.
#[derive(Clone, Copy, Debug)]
pub struct Preimage {
    secret: u64,
    target: Key,
}

impl Preimage {
    /// A task to find a secret number below `range`, drawn from `stream`, by its hash.
    pub fn new(range: u64, stream: &mut Stream) -> Self {
        let secret = stream.below(range.max(1));
        Self {
            secret,
            target: Self::hash(secret),
        }
    }

    fn hash(number: u64) -> Key {
        Key::sha1(&number.to_be_bytes())
    }
}

impl Task for Preimage {
    fn map(&self, first: u64, samples: u64, _: &mut Stream) -> Mapped {
        let found = (first..first + samples).find(|number| Self::hash(*number) == self.target);
        Mapped {
            value: found.map(|number| (0, number as f64)).into_iter().collect(),
            effort: found.map_or(samples, |number| number - first + 1),
        }
    }

    fn reduce(&self, value: &mut Value, other: &Value) {
        if value.is_empty() {
            value.extend_from_slice(other);
        }
    }

    /// The number found, and its distance from the secret; NaN if none was found.
    fn result(&self, value: &Value, _: u64) -> (f64, Option<f64>) {
        match value.first() {
            Some((_, number)) => (*number, Some(number - self.secret as f64)),
            None => (f64::NAN, None),
        }
    }
}
