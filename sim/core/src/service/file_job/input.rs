//! The keys of a job over files, and its files: named ones, or a generated text.

use super::parameters::Locality;
use crate::engine::Seed;
use crate::parameter::{ConfigError, Kind, NamedFile, ParameterValue, Table, Value, ValueError};
use rand_distr::{Distribution, Zipf};
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
    fn kind() -> Kind {
        Kind::TextOrList("the name of a file, or a list of names")
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
    /// A generated text as the file of a job: words from a Zipf distribution, ten to a line.
    pub struct CorpusParameters {
        /// Bytes of the text; 0 for none.
        pub size: u64 = 0, within 0..=1_073_741_824_u32;
        /// Number of different words.
        pub words: u32 = 10_000, within 1..=10_000_000;
        /// Exponent of the Zipf distribution of the words.
        pub exponent: f64 = 1.0, within 0.0..=10.0;
        /// Seed of the text, which is the same in all repetitions.
        pub seed: u64 = 1;
    }
}

/// The name of the generated file.
const CORPUS: &str = "corpus";

/// The files of a job: names and contents.
pub type Files = Vec<(String, Vec<u8>)>;

impl InputParameters {
    /// Reads the files, or generates the text; `table` is that of the job, `folder` that of the scenario.
    ///
    /// # Errors
    /// If a file cannot be read, a name is there twice, there is no file, or the content is not the given
    /// one.
    pub fn read_files(
        &mut self,
        corpus: &CorpusParameters,
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
            files.push((CORPUS.to_owned(), corpus.text()));
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
    /// The text. O(n) for n bytes.
    fn text(&self) -> Vec<u8> {
        let mut stream = Seed::new(self.seed).stream("corpus", 0);
        let zipf = Zipf::new(f64::from(self.words), self.exponent).ok();
        let mut text = Vec::with_capacity(self.size as usize + 16);
        let mut words = 0_u64;
        while (text.len() as u64) < self.size {
            let rank = zipf.map_or(1.0, |zipf| zipf.sample(&mut stream));
            push_word(&mut text, rank as u64 - 1);
            words += 1;
            text.push(if words.is_multiple_of(10) {
                b'\n'
            } else {
                b' '
            });
        }
        text.truncate(self.size as usize);
        text
    }
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
        let text = corpus.text();
        assert_eq!((text.len(), &text), (100_000, &corpus.text()));
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
