//! A file that a scenario names, identified by its content.

use super::{ConfigError, Table};
use dhtlab_files::Links;
use std::path::{Path, PathBuf};

/// The environment variable of the folder with data that are too large to ship, or not ours to
/// ship.
const DATA: &str = "DHTLAB_DATA";

/// A file that a scenario names, after reading.
#[derive(Debug)]
pub struct NamedFile {
    /// Its path.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl NamedFile {
    /// Reads the regular file `name` of at most 1 GiB, the value of `key` in `table`: an absolute
    /// path, one relative to `folder`, or one that begins with `$DHTLAB_DATA/`. Writes the SHA-1 of
    /// its content, in hex, to `content`, the value of `content_key`: a changed file is a different
    /// run.
    ///
    /// # Errors
    /// If the file cannot be read, or differs from the one that `content` names.
    pub fn read(
        table: &Table<'_>,
        (key, name): (&str, &str),
        (content_key, content): (&str, &mut Option<String>),
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let fault = |message: String| ConfigError::new(table.path_of(key), message);
        let path = locate(name, folder).map_err(fault)?;
        let shown = path.display();
        let bytes = dhtlab_files::read(&path, Links::Followed, dhtlab_files::MOST)
            .map_err(|error| fault(format!("{shown}: cannot be read: {error}")))?;
        let found = dhtlab_files::checksum_of(&bytes);
        let expected = content.get_or_insert_with(|| found.clone());
        if *expected != found {
            return Err(ConfigError::new(
                table.path_of(content_key),
                format_args!("{shown}: expected the SHA-1 {expected}, found {found}"),
            ));
        }
        Ok(Self { path, bytes })
    }
}

/// A word of a file as an error shows it: escaped, and cut after 22 characters.
pub fn shown(word: &str) -> String {
    let mut word: Vec<char> = word.trim().chars().take(25).collect();
    if word.len() == 25 {
        word.truncate(22);
        word.extend("...".chars());
    }
    word.into_iter().flat_map(char::escape_debug).collect()
}

/// The same in quotes.
pub fn quoted(word: &str) -> String {
    format!("\"{}\"", shown(word))
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
