//! How often each word of a text occurs.

use super::{Task, Value};
use crate::engine::Stream;
use std::collections::BTreeMap;

/// A text as the numbers of its words; a sample is a word.
#[derive(Clone, Debug)]
pub struct WordCount {
    /// The words of the text in their order, by their places among the different ones.
    text: Vec<u32>,
    /// The different words, ascending.
    words: Vec<String>,
}

impl WordCount {
    /// The words of `text`: what lies between characters that are neither letters nor digits, in
    /// lower case. O(n log n).
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

    /// How many words the text has.
    pub fn len(&self) -> u64 {
        self.text.len() as u64
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The word with this index in a value.
    pub fn word(&self, index: u32) -> &str {
        &self.words[index as usize]
    }
}

impl Task for WordCount {
    fn map(&self, first: u64, samples: u64, _: &mut Stream) -> Value {
        let mut part = self.text[first as usize..(first + samples) as usize].to_vec();
        part.sort_unstable();
        let alike = part.chunk_by(|a, b| a == b);
        alike.map(|words| (words[0], words.len() as f64)).collect()
    }

    /// How many different words were counted, and by how many words the counts are wrong.
    fn result(&self, value: &Value, samples: u64) -> (f64, Option<f64>) {
        let counted: f64 = value.iter().map(|(_, count)| count).sum();
        (value.len() as f64, Some(counted - samples as f64))
    }
}
