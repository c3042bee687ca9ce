//! The tasks over files: how a block is mapped, and how records that are cut at its ends are
//! joined.
//!
//! A task reads a file as records that separators divide: words or lines. A block is cut anywhere, so
//! its first and last record may continue in its neighbours. A node maps only the bytes that it holds:
//! it emits the records between the first and the last separator, and sends the bytes outside of them
//! along. The collector joins these at the end. Each record is counted once, in the block in which
//! it begins. The record readers of MapReduce give the same result; they read on in the next block
//! instead.

use super::Block;
use super::iteration::{Iteration, IterationState};
use super::records::{Edges, Records};
use std::sync::Arc;

crate::choices! {
    /// The task over files.
    pub enum FileTask {
        /// Number of occurrences of each word: runs of ASCII letters, digits and bytes from 128 on, in lower case.
        WordCount = "word-count",
        /// The lines that contain `job.pattern`, with their numbers of occurrences.
        Grep = "grep",
        /// For each word the files in which it occurs, with its number of occurrences in each.
        InvertedIndex = "inverted-index",
        /// All lines in the order of their bytes, with their numbers of occurrences.
        Sort = "sort",
        /// The centres of points, one per line as `x y`, in rounds.
        KMeans = "k-means",
        /// The ranks of nodes, from links, one per line as `source target`, in rounds.
        PageRank = "page-rank",
        /// Genetic algorithms on islands, one per line, with migration in rounds.
        Islands = "islands",
    }
}

impl FileTask {
    /// Whether it runs in rounds.
    pub fn is_iterative(self) -> bool {
        matches!(self, Self::KMeans | Self::PageRank | Self::Islands)
    }
}

/// Divides a word from the number of its file in a record of the inverted index.
const FILE_MARK: u8 = 0;

/// A task with what it needs.
#[derive(Clone, Debug)]
pub struct Mapper {
    /// The task.
    pub task: FileTask,
    /// The bytes that `grep` searches.
    pub pattern: Vec<u8>,
    /// How tasks in rounds go on.
    pub iteration: Iteration,
}

impl Mapper {
    fn separates(&self, byte: u8) -> bool {
        match self.task {
            FileTask::WordCount | FileTask::InvertedIndex => {
                byte.is_ascii() && !byte.is_ascii_alphanumeric()
            }
            _ => byte == b'\n',
        }
    }

    /// Emits one whole record of the file with number `file` in this round.
    fn emit(&self, record: &[u8], file: u32, round: (u32, &IterationState), into: &mut Records) {
        match self.task {
            FileTask::WordCount if !record.is_empty() => {
                into.add(&record.to_ascii_lowercase(), 1);
            }
            FileTask::InvertedIndex if !record.is_empty() => {
                let mut key = record.to_ascii_lowercase();
                key.push(FILE_MARK);
                key.extend(file.to_be_bytes());
                into.add(&key, 1);
            }
            FileTask::WordCount | FileTask::InvertedIndex => {}
            FileTask::Sort => into.add(record, 1),
            FileTask::Grep => {
                let found = self.pattern.is_empty()
                    || record
                        .windows(self.pattern.len())
                        .any(|window| window == self.pattern);
                if found {
                    into.add(record, 1);
                }
            }
            task => self.iteration.emit(task, round.0, round.1, record, into),
        }
    }

    /// Maps `bytes`, the content of `block`, with the state of its round. O(n log n) for n bytes.
    pub fn map(&self, block: &Block, state: &IterationState, bytes: &[u8]) -> Records {
        let (round, number) = (block.round, block.number);
        let is_end = |byte: &u8| self.separates(*byte);
        let Some(first) = bytes.iter().position(is_end) else {
            return Records::of_block(round, number, Edges::Whole(bytes.into()));
        };
        let last = bytes.iter().rposition(is_end).unwrap_or(first);
        let edges = Edges::Ends(bytes[..first].into(), bytes[last + 1..].into());
        let mut records = Records::of_block(round, number, edges);
        if first < last {
            for record in bytes[first + 1..last].split(is_end) {
                self.emit(record, block.file, (round, state), &mut records);
            }
        }
        records
    }

    /// The counts of `records` with the records that the ends of blocks cut. `files` has the numbers of
    /// the blocks of each file, in order. Beside a block that is missing, the cut records are left out.
    pub fn mend(
        &self,
        records: &Records,
        files: &[std::ops::Range<u32>],
        state: &IterationState,
    ) -> Records {
        let round = (records.round(), state);
        let mut mended = Records::default();
        for (record, count) in records.counts() {
            mended.add(record, count);
        }
        for (file, blocks) in (0..).zip(files) {
            // The record that is open at the end of the block before; `None` beside a missing block.
            let mut open = Some(Vec::new());
            for block in blocks.clone() {
                match records.edges(block) {
                    None => open = None,
                    Some(Edges::Whole(bytes)) => {
                        if let Some(open) = &mut open {
                            open.extend_from_slice(bytes);
                        }
                    }
                    Some(Edges::Ends(head, tail)) => {
                        if let Some(mut whole) = open {
                            whole.extend_from_slice(head);
                            self.emit(&whole, file, round, &mut mended);
                        }
                        open = Some(tail.to_vec());
                    }
                }
            }
            // What follows the last separator is a record unless it is empty.
            if let Some(rest) = open.filter(|rest| !rest.is_empty()) {
                self.emit(&rest, file, round, &mut mended);
            }
        }
        mended
    }

    /// The result of a plain program over whole files, as rows; for a task in rounds with the number of
    /// rounds. `names` are those of the files.
    pub fn plain_rows(
        &self,
        files: &[impl AsRef<[u8]>],
        names: &[String],
    ) -> (Vec<(String, String)>, u32) {
        let task = self.task;
        if !task.is_iterative() {
            let records = self.plain(files, (0, &IterationState::Nothing));
            return (self.rows(&records, names), 1);
        }
        let (mut round, mut state) = (0, Arc::clone(&self.iteration.start));
        let mut sums = self.plain(files, (round, &state));
        loop {
            let outcome = self.iteration.advance(task, round, &state, &sums);
            round += 1;
            if outcome.is_last {
                return (Iteration::rows(task, &outcome.file), round);
            }
            state = Iteration::read_state(task, &outcome.file).map_or(state, Arc::new);
            sums = match Iteration::replaces_input(task) {
                true => self.plain(&[outcome.file], (round, &state)),
                false => self.plain(files, (round, &state)),
            };
        }
    }

    /// The result as rows of key and value, ascending: the counts, or for the inverted index the files
    /// with theirs. Bytes that are not UTF-8 are replaced.
    pub fn rows(&self, mended: &Records, names: &[String]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if self.task != FileTask::InvertedIndex {
            let row = |(record, count): (&[u8], i128)| (text(record), count.to_string());
            return mended.counts().map(row).collect();
        }
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut last: Option<&[u8]> = None;
        for (record, count) in mended.counts() {
            let Some((word, file)) = record.split_last_chunk::<4>() else {
                continue;
            };
            let name = names.get(u32::from_be_bytes(*file) as usize);
            let entry = format!("{}:{count}", name.map_or("", String::as_str));
            let word = &word[..word.len() - 1];
            match rows.last_mut().filter(|_| last == Some(word)) {
                Some((_, files)) => {
                    files.push(' ');
                    files.push_str(&entry);
                }
                None => rows.push((text(word), entry)),
            }
            last = Some(word);
        }
        rows
    }

    /// The counts of one round of a plain program over whole files.
    pub fn plain(&self, files: &[impl AsRef<[u8]>], round: (u32, &IterationState)) -> Records {
        let mut records = Records::default();
        for (file, bytes) in (0..).zip(files) {
            let bytes = bytes.as_ref();
            let mut parts = bytes.split(|byte| self.separates(*byte)).peekable();
            while let Some(record) = parts.next() {
                // What follows the last separator is a record unless it is empty.
                if parts.peek().is_some() || !record.is_empty() {
                    self.emit(record, file, round, &mut records);
                }
            }
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::super::iteration::IterationParameters;
    use super::*;
    use crate::engine::Seed;
    use crate::space::Key;
    use proptest::prelude::*;

    fn block(number: u32, file: u32) -> Block {
        Block {
            round: 0,
            number,
            file,
            key: Key::default(),
        }
    }

    fn mapper(task: FileTask) -> Mapper {
        let parameters = IterationParameters::default();
        Mapper {
            task,
            pattern: b"a".to_vec(),
            iteration: Iteration {
                start: Iteration::start(task, &parameters, &["1 2", "3 4"]),
                parameters,
                seed: Seed::new(1),
            },
        }
    }

    proptest! {
        /// However files are cut into blocks, and in whatever order the blocks come, the result is that
        /// of a plain program.
        #[test]
        fn blocks_are_mended_to_what_the_files_are(
            files in prop::collection::vec("[ab1 \n,é]{0,60}", 1..4),
            size in 1usize..9,
            rotation in 0usize..50,
            task in prop::sample::select(FileTask::ALL),
        ) {
            let mapper = mapper(task);
            let state = Arc::clone(&mapper.iteration.start);
            let mut ranges = Vec::new();
            let mut parts = Vec::new();
            for (file, text) in (0..).zip(&files) {
                let from = parts.len() as u32;
                for bytes in text.as_bytes().chunks(size) {
                    let number = parts.len() as u32;
                    parts.push(mapper.map(&block(number, file), &state, bytes));
                }
                ranges.push(from..parts.len() as u32);
            }
            if !parts.is_empty() {
                let rotation = rotation % parts.len();
                parts.rotate_left(rotation);
            }
            let mut all = Records::default();
            parts.iter().for_each(|part| all.merge(part));
            let bytes: u32 = parts.iter().map(Records::bytes).sum();
            prop_assert!(all.bytes() <= bytes);
            let mended = mapper.mend(&all, &ranges, &state);
            prop_assert_eq!(mended, mapper.plain(&files, (0, &state)));
        }
    }

    #[test]
    fn words_are_those_of_the_shell() {
        let mapper = mapper(FileTask::WordCount);
        let (rows, _) = mapper.plain_rows(&["To be, or not to be: Größe 7-up\n"], &[]);
        let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (&**a, &**b)).collect();
        let expected = [
            ("7", "1"),
            ("be", "2"),
            ("größe", "1"),
            ("not", "1"),
            ("or", "1"),
            ("to", "2"),
            ("up", "1"),
        ];
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(rows, expected);
    }

    #[test]
    fn an_index_names_the_files_of_a_word() {
        let mapper = mapper(FileTask::InvertedIndex);
        let names = ["x", "y", "z"].map(str::to_owned);
        let (rows, _) = mapper.plain_rows(&["b a b", "", "a"], &names);
        let expected = [("a", "x:1 z:1"), ("b", "x:2")];
        assert_eq!(rows, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn beside_a_missing_block_cut_records_are_left_out() {
        let mapper = mapper(FileTask::WordCount);
        let blocks = ["ab c", "d ef g", "h i"];
        let mut all = Records::default();
        for number in [0, 2] {
            let bytes = blocks[number as usize].as_bytes();
            all.merge(&mapper.map(&block(number, 0), &IterationState::Nothing, bytes));
        }
        let file = 0..3;
        let mended = mapper.mend(&all, &[file], &IterationState::Nothing);
        let words: Vec<&[u8]> = mended.counts().map(|(word, _)| word).collect();
        assert_eq!(words, [b"ab".as_slice(), b"i"]);
    }
}
