//! Tasks of a job: how samples are mapped and how results are reduced. A new task is a file here
//! with [`Task`], and a line in `TaskKind`.
//!
//! These are the applications that the source names for ChordReduce: embarrassingly parallel ones.

mod genetic;
mod markov_chain;
mod pi;
mod preimage;
mod word_count;

pub use genetic::{Genetic, POPULATION};
pub use markov_chain::MarkovChain;
pub use pi::Pi;
pub use preimage::Preimage;
pub use word_count::WordCount;

use crate::engine::Stream;
use smallvec::SmallVec;

crate::choices! {
    /// The task.
    pub enum TaskKind {
        /// Pi, by random points in a square that fall into the circle (Monte Carlo).
        Pi = "pi",
        /// Number of occurrences of each word of a text, or of files.
        WordCount = "word-count",
        /// The lines of files that contain `pattern`.
        Grep = "grep",
        /// For each word the files in which it occurs.
        InvertedIndex = "inverted-index",
        /// The lines of files in order.
        Sort = "sort",
        /// The centres of the points in files, in rounds (Lloyd 1982).
        KMeans = "k-means",
        /// The ranks of the nodes of a graph in files, in rounds (Brin and Page 1998).
        PageRank = "page-rank",
        /// The maximum of a function, by genetic algorithms on islands in files, with migration in rounds.
        Islands = "islands",
        /// A number with a given SHA-1, by exhaustive search.
        Preimage = "preimage",
        /// The maximum of a function, by genetic algorithms on islands.
        Genetic = "genetic",
        /// The mean of a distribution, by independent Markov chains (Metropolis).
        MarkovChain = "markov-chain",
    }
}

impl TaskKind {
    /// Whether it reads files in the storage of the nodes, and nothing else.
    pub fn needs_files(self) -> bool {
        matches!(
            self,
            Self::Grep
                | Self::InvertedIndex
                | Self::Sort
                | Self::KMeans
                | Self::PageRank
                | Self::Islands
        )
    }
}

/// The result of atoms: numbers with their indices, ascending. The task defines their meaning.
pub type Value = SmallVec<[(u32, f64); 2]>;

/// What mapping an atom gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// The result.
    pub value: Value,
    /// The work that it took, in samples.
    pub effort: u64,
}

/// A task whose samples are split into atoms.
pub trait Task: Send + Sync {
    /// Maps `samples` samples, numbered from `first`: a pure function of the arguments and the
    /// stream.
    fn map(&self, first: u64, samples: u64, stream: &mut Stream) -> Mapped;

    /// Reduces `other` into `value`; an empty value is neutral. The result does not depend on the
    /// order of reduction.
    fn reduce(&self, value: &mut Value, other: &Value) {
        add(value, other);
    }

    /// The result as a number, of `value` from this many samples, and its distance from the known
    /// right result, if there is one.
    fn result(&self, value: &Value, samples: u64) -> (f64, Option<f64>);
}

/// Adds the numbers of equal indices.
fn add(value: &mut Value, other: &Value) {
    for (index, number) in other {
        match value.binary_search_by_key(index, |(index, _)| *index) {
            Ok(place) => value[place].1 += number,
            Err(place) => value.insert(place, (*index, *number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    /// All tasks over this many samples.
    fn all(samples: u64) -> Vec<Box<dyn Task>> {
        let text = "to be or not to be that is the question ".repeat(samples as usize / 10);
        vec![
            Box::new(Pi),
            Box::new(WordCount::new(&text)),
            Box::new(Preimage::new(
                samples,
                &mut Seed::new(4).stream("preimage", 0),
            )),
            Box::new(Genetic),
            Box::new(MarkovChain),
        ]
    }

    /// The results of `samples` samples split into `atoms` atoms, by atom.
    fn mapped(task: &dyn Task, samples: u64, atoms: u64, seed: u64) -> Vec<Value> {
        let map = |atom: u64| {
            let (first, end) = (samples * atom / atoms, samples * (atom + 1) / atoms);
            let mut stream = Seed::new(seed).stream("atom", atom);
            task.map(first, end - first, &mut stream).value
        };
        (0..atoms).map(map).collect()
    }

    fn reduced<'a>(task: &dyn Task, values: impl IntoIterator<Item = &'a Value>) -> Value {
        let mut sum = Value::new();
        values
            .into_iter()
            .for_each(|value| task.reduce(&mut sum, value));
        sum
    }

    /// Equal samples and streams give equal results, and results do not depend on the order and
    /// grouping of reduction.
    #[test]
    fn maps_are_pure_and_orders_change_nothing() {
        for (place, task) in all(2000).iter().enumerate() {
            let values = mapped(&**task, 2000, 20, 1);
            assert_eq!(values, mapped(&**task, 2000, 20, 1), "task {place}");
            let whole = reduced(&**task, &values);
            assert!(!whole.is_empty(), "task {place}");
            assert!(whole.is_sorted_by(|a, b| a.0 < b.0), "task {place}");
            let mut shuffled = values.clone();
            Seed::new(2).stream("order", 0).shuffle(&mut shuffled);
            assert_eq!(reduced(&**task, &shuffled), whole, "task {place}");
            let groups: Vec<Value> = shuffled
                .chunks(3)
                .map(|group| reduced(&**task, group))
                .collect();
            assert_eq!(reduced(&**task, groups.iter().rev()), whole, "task {place}");
            let mut with_nothing = whole.clone();
            task.reduce(&mut with_nothing, &Value::new());
            assert_eq!(with_nothing, whole, "task {place}");
        }
    }

    /// The standard deviation of 4 k / n for k hits among n points is 4 sqrt(p (1 - p) / n) with p
    /// = pi / 4, 1.642 / sqrt(n). None of 60 seeds deviates by more than four of them (one in 16
    /// 000 does by chance), and the mean square is one within four of its own deviations, sqrt(2 /
    /// 60).
    #[test]
    fn pi_is_as_exact_as_its_samples_allow() {
        let samples = 20_000;
        let mut squares = 0.0;
        for seed in 0..60 {
            let value = reduced(&Pi, &mapped(&Pi, samples, 7, seed));
            let (estimate, error) = Pi.result(&value, samples);
            let error = error.expect("known");
            assert!((estimate - std::f64::consts::PI - error).abs() < 1e-12);
            let deviations = error / (1.642 / (samples as f64).sqrt());
            assert!(deviations.abs() < 4.0, "{seed}: {deviations}");
            squares += deviations * deviations;
        }
        let mean: f64 = squares / 60.0;
        assert!((mean - 1.0).abs() < 4.0 * (2.0_f64 / 60.0).sqrt(), "{mean}");
    }

    /// However the text is split, the words are those of a plain count.
    #[test]
    fn words_are_counted_as_by_hand() {
        let text = "Über den Wolken, über dem Meer: den Wolken 3 Grüße -- und 3 GRÜSSE!";
        let mut plain = std::collections::BTreeMap::<String, f64>::new();
        for word in text
            .split([' ', ',', ':', '-', '!'])
            .filter(|word| !word.is_empty())
        {
            *plain.entry(word.to_lowercase()).or_default() += 1.0;
        }
        let task = WordCount::new(text);
        for atoms in [1, 2, 5, task.len()] {
            let value = reduced(&task, &mapped(&task, task.len(), atoms, 1));
            let counts: Vec<(String, f64)> = value
                .iter()
                .map(|(word, count)| (task.word(*word).to_owned(), *count))
                .collect();
            assert_eq!(counts, plain.clone().into_iter().collect::<Vec<_>>());
            let expected = (plain.len() as f64, Some(0.0));
            assert_eq!(task.result(&value, task.len()), expected);
        }
        assert!(WordCount::new(" ,;\n").is_empty());
    }

    /// However the range is split, the secret is found, by the atom that contains it only.
    #[test]
    fn the_preimage_is_found_whatever_the_cut() {
        for seed in 0..5 {
            let task = Preimage::new(1000, &mut Seed::new(seed).stream("preimage", 0));
            for atoms in [1, 7, 1000] {
                let values = mapped(&task, 1000, atoms, seed);
                assert_eq!(values.iter().filter(|value| !value.is_empty()).count(), 1);
                let (number, error) = task.result(&reduced(&task, &values), 1000);
                assert_eq!(error, Some(0.0));
                assert!((0.0..1000.0).contains(&number));
            }
        }
        let task = Preimage::new(1000, &mut Seed::new(0).stream("preimage", 0));
        let (number, error) = task.result(&Value::new(), 1000);
        assert!(number.is_nan() && error.is_none());
    }

    /// The best island counts. With children it is better than the best of all initial populations,
    /// and with enough of them it reaches the maximum.
    #[test]
    fn islands_climb() {
        let best = |samples: u64| {
            let values = mapped(&Genetic, samples, 8, 3);
            let best = values.iter().map(|value| value[0].1).fold(0.0, f64::max);
            assert_eq!(Genetic.result(&reduced(&Genetic, &values), samples).0, best);
            best
        };
        let (random, some, many) = (best(0), best(8 * 200), best(8 * 5000));
        assert!(random < some && some <= many, "{random} {some} {many}");
        assert_eq!(many, 64.0);
    }

    /// A search ends with its find, a chain discards its first steps, and an island ends at the maximum.
    #[test]
    fn tasks_state_their_effort() {
        let stream = || Seed::new(5).stream("atom", 0);
        let effort = |task: &dyn Task, samples| task.map(0, samples, &mut stream()).effort;
        assert_eq!(effort(&Pi, 100), 100);
        assert_eq!(effort(&WordCount::new("ab cde f"), 2), 5);
        assert_eq!(effort(&MarkovChain, 100), 1100);
        let search = Preimage::new(1000, &mut stream());
        let secret = search.map(0, 1000, &mut stream()).value[0].1;
        assert_eq!(effort(&search, 1000), secret as u64 + 1);
        let (some, many) = (effort(&Genetic, 10), effort(&Genetic, 1_000_000));
        assert_eq!(some, 42);
        assert!((100..10_000).contains(&many), "{many}");
    }

    /// The mean of the chains is 1 within four standard errors, estimated from the spread of the
    /// chains: chains are independent, and the steps in one are not.
    #[test]
    fn chains_find_the_mean() {
        let (samples, atoms) = (200_000, 50_u64);
        let values = mapped(&MarkovChain, samples, atoms, 8);
        let length = (samples / atoms) as f64;
        let means: Vec<f64> = values
            .iter()
            .map(|value| value[0].1 / 1024.0 / length)
            .collect();
        let mean = means.iter().sum::<f64>() / atoms as f64;
        let squares: f64 = means.iter().map(|x| (x - mean) * (x - mean)).sum();
        let sigma = (squares / (atoms * (atoms - 1)) as f64).sqrt();
        let (found, error) = MarkovChain.result(&reduced(&MarkovChain, &values), samples);
        assert!((found - mean).abs() < 1e-9);
        let error = error.expect("known");
        assert!(sigma > 0.0 && sigma < 0.05, "{sigma}");
        assert!(error.abs() < 4.0 * sigma, "{error} {sigma}");
    }
}
