//! A file that a scenario names, known by its content.

use super::{Problem, Table};
use sha1::{Digest, Sha1};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where data lie that are too large to ship, or not ours to.
const DATA: &str = "DHTLAB_DATA";

/// The largest file that is read, in bytes: a matrix of ten thousand hosts fits.
const MOST_BYTES: u64 = 1 << 30;

/// How many characters of a word an error shows.
const SHOWN: usize = 16;

/// A file that a scenario names, as it was read.
#[derive(Debug)]
pub struct NamedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl NamedFile {
    /// Reads the file `name`, the value of `key` in `table`: an absolute path, one from `folder`,
    /// or one that begins with `$DHTLAB_DATA/`. Writes the SHA-1 of what is in it, in hex, into
    /// `content`, the value of `content_key`: a changed file is another run.
    ///
    /// # Errors
    /// If the file cannot be read, is no regular file or too large, or is not the one that
    /// `content` names.
    pub fn read(
        table: &Table<'_>,
        (key, name): (&str, &str),
        (content_key, content): (&str, &mut Option<String>),
        folder: &Path,
    ) -> Result<Self, Problem> {
        let fault = |message: String| Problem::new(table.path_of(key), message);
        let path = locate(name, folder).map_err(fault)?;
        let shown = path.display();
        let bytes = read_regular(&path, MOST_BYTES)
            .map_err(|error| fault(format!("{shown}: cannot be read: {error}")))?;
        let digest = Sha1::digest(&bytes);
        let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = content.get_or_insert_with(|| found.clone());
        if *expected != found {
            return Err(Problem::new(
                table.path_of(content_key),
                format_args!("{shown}: expected the SHA-1 {expected}, found {found}"),
            ));
        }
        Ok(Self { path, bytes })
    }
}

/// The bytes of the regular file at `path`, of which there are at most `most`: a device or a
/// pipe has no end, and opening a pipe waits for a writer.
///
/// # Errors
/// If it is something else than a regular file, is larger, or cannot be read.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(most + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it has more than {most} bytes");
        return Err(io::Error::other(message));
    }
    Ok(bytes)
}

/// A word of a file as an error shows it: cut where it is long, since it may be of a file that
/// nobody meant to name.
pub fn cut(word: &str) -> String {
    match word.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &word[..end]),
        None => word.to_owned(),
    }
}

/// The same in quotes.
pub fn quoted(word: &str) -> String {
    format!("\"{}\"", cut(word))
}

fn locate(name: &str, folder: &Path) -> Result<PathBuf, String> {
    match name
        .strip_prefix('$')
        .and_then(|name| name.strip_prefix(DATA))
    {
        Some(rest) if rest.starts_with('/') => match std::env::var_os(DATA) {
            Some(data) => Ok(Path::new(&data).join(&rest[1..])),
            None => Err(format!(
                "the environment variable {DATA} is not set; it names the folder in which `{}` lies",
                &rest[1..]
            )),
        },
        _ => Ok(folder.join(name)),
    }
}
