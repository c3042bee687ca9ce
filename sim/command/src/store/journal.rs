//! The journal: one line per finished run, each with its checksum.

use super::{JOURNAL, RequiredResults};
use crate::Failure;
use dhtlab_files::Links;
use dhtlab_scenario::{RunOutput, TableFilter};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The separator between a line and its checksum, which is the last field.
const SEAL: &str = ",\"sum\":\"";

/// A line of the journal.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    version: String,
    pub run: String,
    /// The rows that the line contains.
    #[serde(default, skip_serializing_if = "TableFilter::is_all")]
    kept: TableFilter,
    pub outcome: RunOutput,
}

impl Line {
    /// The line of the run with this name.
    pub fn of(run: &str, kept: &TableFilter, outcome: RunOutput) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: run.to_owned(),
            kept: kept.clone(),
            outcome,
        }
    }

    /// The text of the line, with the checksum of all before it.
    pub fn sealed(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string(self)?;
        text.truncate(text.len() - 1);
        let sum = dhtlab_files::checksum_of(text.as_bytes());
        Ok(format!("{text}{SEAL}{sum}\"}}\n"))
    }
}

/// Whether a line is unchanged; `None` if it has no checksum.
fn is_whole(text: &str) -> Option<bool> {
    let (line, rest) = text.rsplit_once(SEAL)?;
    let sum = rest.strip_suffix("\"}\n")?;
    Some(dhtlab_files::checksum_of(line.as_bytes()) == sum)
}

/// Calls `each` for the usable lines of the journal in `folder`; returns the length of all complete
/// lines.
///
/// # Errors
/// A line that was changed after the run, with its number.
pub(super) fn read(
    folder: &Path,
    wanted: RequiredResults<'_>,
    mut each: impl FnMut(Line),
) -> Result<u64, Failure> {
    let path = folder.join(JOURNAL);
    let fault = |error: io::Error| Failure::Input(format!("{}: {error}", path.display()));
    let file = match dhtlab_files::open(&path, Links::Refused) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        opened => opened.map_err(fault)?,
    };
    let mut reader = BufReader::new(file);
    // Bytes, because a kill may cut a line within a character.
    let (mut whole, mut text) = (0, Vec::new());
    for number in 1.. {
        text.clear();
        let mut part = reader.by_ref().take(dhtlab_files::MOST);
        let length = part.read_until(b'\n', &mut text).map_err(fault)?;
        if !text.ends_with(b"\n") {
            break;
        }
        whole += length as u64;
        let line = str::from_utf8(&text).unwrap_or_default();
        let read = serde_json::from_str::<Line>(line);
        match (is_whole(line), read) {
            (Some(true), Ok(line)) => {
                if line.version == env!("CARGO_PKG_VERSION")
                    && line.kept.covers(wanted.kept)
                    && line.outcome.metrics.len() == wanted.experiment.metrics().len()
                {
                    each(line);
                }
            }
            // From a version without checksums: the run is repeated.
            (None, Ok(_)) => {}
            _ => {
                return Err(Failure::Input(format!(
                    "{}:{number}: the line was changed after the run; delete it to repeat its run",
                    path.display()
                )));
            }
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_changed_is_told_from_a_whole_one() {
        let outcome = RunOutput {
            metrics: vec![3u32.into(), ",\"sum\":\"".into()],
            ..RunOutput::default()
        };
        let line = Line::of("0123", &TableFilter::default(), outcome);
        let text = line.sealed().expect("JSON");
        assert_eq!(is_whole(&text), Some(true), "{text}");
        let read: Line = serde_json::from_str(&text).expect("a line");
        assert_eq!(read.outcome, line.outcome);
        assert_eq!(is_whole(&text.replace("\"3\"", "\"4\"")), Some(false));
        let plain = serde_json::to_string(&line).expect("JSON") + "\n";
        assert_eq!(is_whole(&plain), None);
    }
}
