//! The keys of a job over files, and its files: named ones, or a generated text.

use super::iteration::{IterationParameters, island_line};
use super::parameters::Locality;
use super::task::FileTask;
use crate::engine::{Seed, Stream};
use crate::parameter::{
    ConfigError, NamedFile, ParameterValue, Table, Value, ValueError, ValueKind,
};
use crate::service::job::tasks::POPULATION;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal, Zipf};
use sha1::{Digest, Sha1};
use std::path::Path;

crate::choices! {
    /// Where the data of a job are.
    pub enum Input {
        /// Each atom has a random key, and its samples follow from its number.
        Keys = "keys",
        /// In files that the storage of the nodes holds: an atom is a block, a sample a byte.
        File = "file",
    }
}

/// The names of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileNames(pub Vec<String>);

impl ParameterValue for FileNames {
    fn kind() -> ValueKind {
        ValueKind::TextOrList("the name of a file, or a list of names")
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(None);
        Ok(Self(match value {
            Value::Array(names) => names.iter().map(text).collect::<Result<_, _>>()?,
            one => vec![text(one)?],
        }))
    }

    fn to_value(&self) -> Option<Value> {
        let names = self.0.iter().cloned().map(Value::String);
        Some(Value::Array(names.collect()))
    }
}

crate::parameters! {
    /// The input of a job.
    pub struct InputParameters {
        /// Where the data of the job are: atoms with random keys, or files in the storage of the nodes.
        pub input: Input = Input::Keys;
        /// The files of a job over files, relative to the folder of the scenario, or below `$DHTLAB_DATA/`.
        pub files: FileNames = FileNames::default();
        /// SHA-1 of the SHA-1s of the files, in hex. A resolved scenario contains it, so that changed files give another run; a given value must match.
        pub files_content: Option<String> = None;
        /// The bytes that `kind = "grep"` searches.
        pub pattern: String = String::new();
        /// Which node maps a block.
        pub locality: Locality = Locality::Root;
    }
}

crate::parameters! {
    /// A generated file of a job: for tasks on words or lines a text, words from a Zipf distribution, ten to a line; for page-rank links; for k-means points in a plane; for islands their populations.
    pub struct CorpusParameters {
        /// Bytes of the file, whose last line may be cut; 0 for none.
        pub size: u64 = 0, within 0..=1_073_741_824_u32;
        /// Number of different words, or of nodes of the graph.
        pub words: u32 = 10_000, within 1..=10_000_000;
        /// Exponent of the Zipf distribution of the words, or of the targets of links; their sources are uniform.
        pub exponent: f64 = 1.0, within 0.0..=10.0;
        /// Seed of the file, which is the same in all repetitions.
        pub seed: u64 = 1;
    }
}

/// The name of the generated file.
const CORPUS: &str = "corpus";

/// The files of a job: names and contents.
pub type Files = Vec<(String, Vec<u8>)>;

impl InputParameters {
    /// Reads the files, or generates one for the task; `table` is that of the job, `folder` that of the
    /// scenario.
    ///
    /// # Errors
    /// If a file cannot be read, a name is there twice, there is no file, or the content is not the given
    /// one.
    pub fn read_files(
        &mut self,
        (task, corpus, iteration): (FileTask, &CorpusParameters, &IterationParameters),
        table: &Table<'_>,
        folder: &Path,
    ) -> Result<Files, ConfigError> {
        let mut files = Files::new();
        let mut sum = Sha1::new();
        for name in &self.files.0 {
            if files.iter().any(|(other, _)| other == name) {
                let message = format_args!("the file \"{name}\" is there twice");
                return Err(ConfigError::new(table.path_of("files"), message));
            }
            let mut content = None;
            let file = NamedFile::read(table, ("files", name), ("files", &mut content), folder)?;
            sum.update(content.unwrap_or_default());
            files.push((name.clone(), file.bytes));
        }
        if corpus.size > 0 {
            files.push((CORPUS.to_owned(), corpus.file(task, iteration)));
        }
        if files.is_empty() {
            let message = "expected the files of the job, or `job.corpus.size`";
            return Err(ConfigError::new(table.path_of("files"), message));
        }
        let found: String = sum.finalize().iter().map(|b| format!("{b:02x}")).collect();
        let expected = self.files_content.get_or_insert_with(|| found.clone());
        if *expected != found {
            let message = format_args!("expected {expected}, found {found}");
            return Err(ConfigError::new(table.path_of("files-content"), message));
        }
        Ok(files)
    }
}

impl CorpusParameters {
    /// The file for a task. O(n) for n bytes.
    fn file(&self, task: FileTask, iteration: &IterationParameters) -> Vec<u8> {
        let mut stream = Seed::new(self.seed).stream("corpus", 0);
        match task {
            FileTask::KMeans => {
                let side = SIDE;
                let centres: Vec<[f64; 2]> = (0..iteration.clusters)
                    .map(|_| [side * stream.unit(), side * stream.unit()])
                    .collect();
                self.fill(|file, _| {
                    let [x, y] = centres[stream.index(centres.len())].map(|at| {
                        let deviation: f64 = StandardNormal.sample(&mut stream);
                        at + SPREAD * deviation
                    });
                    file.extend(format!("{x:.6} {y:.6}\n").as_bytes());
                })
            }
            FileTask::PageRank => {
                let zipf = self.zipf();
                self.fill(|file, _| {
                    let source = stream.below(self.words.into());
                    let target = rank(&zipf, &mut stream);
                    file.extend(format!("{source} {target}\n").as_bytes());
                })
            }
            FileTask::Islands => self.fill(|file, number| {
                let words: Vec<u64> = (0..POPULATION).map(|_| stream.next_u64()).collect();
                file.extend(island_line(number as u32, &words));
                file.push(b'\n');
            }),
            _ => {
                let zipf = self.zipf();
                self.fill(|text, number| {
                    push_word(text, rank(&zipf, &mut stream));
                    let ends_line = (number + 1).is_multiple_of(10);
                    text.push(if ends_line { b'\n' } else { b' ' });
                })
            }
        }
    }

    fn zipf(&self) -> Option<Zipf<f64>> {
        Zipf::new(f64::from(self.words), self.exponent).ok()
    }

    /// Bytes from `append`, which gets the number of earlier calls, cut at the size of the file.
    fn fill(&self, mut append: impl FnMut(&mut Vec<u8>, u64)) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.size as usize + 16);
        let mut number = 0;
        while (file.len() as u64) < self.size {
            append(&mut file, number);
            number += 1;
        }
        file.truncate(self.size as usize);
        file
    }
}

/// Side of the square in which the clusters of generated points have their centres, and the standard
/// deviation of the points.
const SIDE: f64 = 100.0;
const SPREAD: f64 = 5.0;

/// A rank, from 0.
fn rank(zipf: &Option<Zipf<f64>>, stream: &mut Stream) -> u64 {
    zipf.map_or(0, |zipf| zipf.sample(stream) as u64 - 1)
}

/// The word with this rank: its digits to base 26.
fn push_word(text: &mut Vec<u8>, mut rank: u64) {
    loop {
        text.push(b'a' + (rank % 26) as u8);
        rank /= 26;
        if rank == 0 {
            return;
        }
        rank -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn words_are_distinct_and_few_are_frequent() {
        let mut words = std::collections::BTreeSet::new();
        for rank in 0..2000 {
            let mut word = Vec::new();
            push_word(&mut word, rank);
            assert!(words.insert(word));
        }
        let corpus = CorpusParameters {
            size: 100_000,
            words: 1000,
            ..CorpusParameters::default()
        };
        let text = || corpus.file(FileTask::WordCount, &IterationParameters::default());
        assert_eq!(text(), text());
        let text = text();
        assert_eq!(text.len(), 100_000);
        let mut counts = BTreeMap::<&[u8], u32>::new();
        for word in text.split(|byte| byte.is_ascii_whitespace()) {
            *counts.entry(word).or_default() += 1;
        }
        // Of n words with exponent 1 the most frequent has 1 / (ln 1000 + .577) = 13 % of all.
        let all: u32 = counts.values().sum();
        let most = f64::from(counts[b"a".as_slice()]) / f64::from(all);
        assert!((0.12..0.15).contains(&most), "{most}");
    }
}
