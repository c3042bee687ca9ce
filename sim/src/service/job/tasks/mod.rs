//! What a job computes: how it is cut into atoms, what is done with each, and how results are put
//! together. Adding one is a file here with [`Task`], and a line in `Kind`.
//!
//! These are the uses that the source names for ChordReduce: embarrassingly parallel ones.

mod genetic;
mod markov_chain;
mod pi;
mod preimage;
mod word_count;

pub use genetic::Genetic;
pub use markov_chain::MarkovChain;
pub use pi::Pi;
pub use preimage::Preimage;
pub use word_count::WordCount;

use crate::engine::Stream;
use smallvec::SmallVec;

crate::choices! {
    /// What is computed.
    pub enum Kind {
        /// Pi, by points in a square that fall into the circle (Monte Carlo).
        Pi = "pi",
        /// How often each word of a text occurs.
        WordCount = "word-count",
        /// A number whose SHA-1 is given, by trying all.
        Preimage = "preimage",
        /// The maximum of a function, by genetic algorithms on islands.
        Genetic = "genetic",
        /// The mean of a distribution, by independent Markov chains (Metropolis).
        MarkovChain = "markov-chain",
    }
}

/// What comes of atoms: numbers with their indices, ascending. What they mean is the task's
/// business.
pub type Value = SmallVec<[(u32, f64); 2]>;

/// A job that is cut into atoms.
pub trait Task: Send + Sync {
    /// Works on `samples` samples, of which `first` is the number of the first: a pure function of
    /// these and the stream.
    fn map(&self, first: u64, samples: u64, stream: &mut Stream) -> Value;

    /// Takes `other` into `value`; an empty value is nothing. In whatever order results are
    /// reduced, the same comes of it.
    fn reduce(&self, value: &mut Value, other: &Value) {
        add(value, other);
    }

    /// The result as a number, of `value` from so many samples, and how far it is from what is
    /// known to be right, if that is known.
    fn result(&self, value: &Value, samples: u64) -> (f64, Option<f64>);
}

/// Adds numbers of one index.
fn add(value: &mut Value, other: &Value) {
    for (index, number) in other {
        match value.binary_search_by_key(index, |(index, _)| *index) {
            Ok(place) => value[place].1 += number,
            Err(place) => value.insert(place, (*index, *number)),
        }
    }
}
