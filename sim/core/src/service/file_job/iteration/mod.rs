//! Tasks that run in rounds: the outcome of a round is stored in the DHT, and the next round reads it.
//!
//! In a *round* every block is mapped once, and the sums are reduced as in other jobs. From them the root
//! of the address computes the outcome: either the *state* that the mapping nodes read in the next round,
//! beside the same input (k-means, PageRank), or the next input itself (islands). Sums are integers in
//! fixed point, so that their order does not matter, and the result is that of a plain program.

mod islands;
mod k_means;
mod page_rank;

pub(super) use islands::line as island_line;
pub use k_means::Centres;
pub use page_rank::Ranks;

use super::records::Records;
use super::task::FileTask;
use crate::engine::Seed;
use std::sync::Arc;

crate::parameters! {
    /// Jobs over files that run in rounds.
    pub struct IterationParameters {
        /// Maximum number of rounds; the first one of page-rank counts links.
        pub rounds: u32 = 50, within 1..=100_000;
        /// The job ends when a round changes less: the largest move of a centre, or the sum of the changes of all ranks.
        pub tolerance: f64 = 1e-9, within 0.0..=1e9;
        /// Number of centres of k-means, at first the first distinct points of the files.
        pub clusters: usize = 8, within 1..=10_000;
        /// Probability of following a link in page-rank (Brin and Page 1998).
        pub damping: f64 = 0.85, within 0.0..=1.0;
        /// Children of an island in a round of islands, before its best one migrates to the next island.
        pub children: u64 = 100, within 1..=1_000_000;
    }
}

/// What mapping nodes know of the earlier rounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum IterationState {
    /// Nothing.
    #[default]
    Nothing,
    /// Of k-means.
    Centres(Centres),
    /// Of PageRank.
    Ranks(Ranks),
}

/// The outcome of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The state of the next round, or its input: a file.
    pub file: Vec<u8>,
    /// What the round has changed.
    pub change: f64,
    /// Whether this is the result of the job.
    pub is_last: bool,
}

/// A task in rounds.
#[derive(Clone, Debug)]
pub struct Iteration {
    /// Its parameters.
    pub parameters: IterationParameters,
    /// The seed of the run.
    pub seed: Seed,
    /// The state of the first round, which the submitter of the job sets.
    pub start: Arc<IterationState>,
}

impl Iteration {
    /// The first state of a job over `files`.
    pub fn start(
        task: FileTask,
        parameters: &IterationParameters,
        files: &[impl AsRef<[u8]>],
    ) -> Arc<IterationState> {
        Arc::new(match task {
            FileTask::KMeans => {
                IterationState::Centres(k_means::first_centres(files, parameters.clusters))
            }
            _ => IterationState::Nothing,
        })
    }

    /// Whether the outcome of a round is the input of the next one.
    pub fn replaces_input(task: FileTask) -> bool {
        task == FileTask::Islands
    }

    /// Whether nodes need the stored outcome of the round before to map blocks in `round`.
    pub fn needs_state(task: FileTask, round: u32) -> bool {
        round > 0 && matches!(task, FileTask::KMeans | FileTask::PageRank)
    }

    /// The state in a stored outcome; `None` if it is malformed.
    pub fn read_state(task: FileTask, file: &[u8]) -> Option<IterationState> {
        match task {
            FileTask::KMeans => Centres::read(file).map(IterationState::Centres),
            FileTask::PageRank => Ranks::read(file).map(IterationState::Ranks),
            _ => Some(IterationState::Nothing),
        }
    }

    /// Emits one line of the input.
    pub(super) fn emit(
        &self,
        task: FileTask,
        round: u32,
        state: &IterationState,
        line: &[u8],
        into: &mut Records,
    ) {
        match (task, state) {
            (FileTask::KMeans, IterationState::Centres(centres)) => centres.emit(line, into),
            (FileTask::PageRank, IterationState::Ranks(ranks)) => ranks.emit(line, into),
            (FileTask::PageRank, _) => page_rank::emit_links(line, into),
            (FileTask::Islands, _) => {
                islands::emit(self.seed, round, self.parameters.children, line, into);
            }
            _ => {}
        }
    }

    /// The outcome of `round`, with this state, from the reduced sums.
    pub fn advance(
        &self,
        task: FileTask,
        round: u32,
        state: &IterationState,
        sums: &Records,
    ) -> Outcome {
        let (file, change) = match (task, state) {
            (FileTask::KMeans, IterationState::Centres(centres)) => {
                let (next, change) = centres.advance(sums);
                (next.to_file(), change)
            }
            (FileTask::PageRank, IterationState::Ranks(ranks)) => {
                let (next, change) = ranks.advance(sums, self.parameters.damping);
                (next.to_file(), change)
            }
            (FileTask::PageRank, _) => (Ranks::of_links(sums).to_file(), f64::INFINITY),
            _ => islands::advance(sums),
        };
        Outcome {
            is_last: change < self.parameters.tolerance || round + 1 >= self.parameters.rounds,
            file,
            change,
        }
    }

    /// The rows of key and value of the last outcome, in the order of its lines.
    pub fn rows(task: FileTask, file: &[u8]) -> Vec<(String, String)> {
        match task {
            FileTask::KMeans => Centres::read(file).map_or(Vec::new(), |centres| centres.rows()),
            FileTask::PageRank => Ranks::read(file).map_or(Vec::new(), |ranks| ranks.rows()),
            _ => islands::rows(file),
        }
    }
}

/// A number in fixed point; `unit` is a power of two.
fn to_fixed(number: f64, unit: f64) -> i128 {
    (number * unit) as i128
}

/// The fields of a line, divided by spaces; none of a line that begins with '#'.
fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let line = if line.starts_with(b"#") { &[] } else { line };
    line.split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty())
}

/// A finite number.
fn number(field: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(field).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}
