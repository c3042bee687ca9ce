//! Number of occurrences of each word of a text.

use super::{Mapped, Task, Value};
use crate::engine::Stream;
use std::collections::BTreeMap;

/// A text as the numbers of its words; a sample is a word.
#[derive(Clone, Debug)]
pub struct WordCount {
    /// The words of the text in order, as indices into `words`.
    text: Vec<u32>,
    /// The distinct words, ascending.
    words: Vec<String>,
}

impl WordCount {
    /// The words of `text`: sequences of letters and digits, in lower case. O(n log n).
    pub fn new(text: &str) -> Self {
        let all: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut places: BTreeMap<&str, u32> = all.iter().map(|word| (&word[..], 0)).collect();
        (0..)
            .zip(places.values_mut())
            .for_each(|(place, of)| *of = place);
        Self {
            text: all.iter().map(|word| places[&word[..]]).collect(),
            words: places.keys().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// Number of words of the text.
    pub fn len(&self) -> u64 {
        self.text.len() as u64
    }

    /// Whether the text has no word.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The word with this index in a value.
    pub fn word(&self, index: u32) -> &str {
        &self.words[index as usize]
    }
}

impl Task for WordCount {
    /// The effort is that of reading: the bytes of the words.
    fn map(&self, first: u64, samples: u64, _: &mut Stream) -> Mapped {
        let mut part = self.text[first as usize..(first + samples) as usize].to_vec();
        let bytes = part
            .iter()
            .map(|word| self.words[*word as usize].len() as u64);
        let effort = bytes.sum();
        part.sort_unstable();
        let alike = part.chunk_by(|a, b| a == b);
        let value = alike.map(|words| (words[0], words.len() as f64)).collect();
        Mapped { value, effort }
    }

    /// The number of distinct words counted, and the number of words by which the counts are wrong.
    fn result(&self, value: &Value, samples: u64) -> (f64, Option<f64>) {
        let counted: f64 = value.iter().map(|(_, count)| count).sum();
        (value.len() as f64, Some(counted - samples as f64))
    }
}
