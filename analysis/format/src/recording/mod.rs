//! `recording.json`: the events of one run of a small network.

mod check;
mod events;

pub use events::{
    Event, FORMAT, Head, ItemState, KeyEntry, NodeEntry, PeersEntry, Rate, Recording, RouteOutcome,
    Space, SybilAction, What,
};

use crate::output::replace;
use crate::{Error, manifest};
use dhtlab_files::Links;
use std::io;
use std::path::Path;

/// The file name of the recording.
pub const RECORDING: &str = "recording.json";

/// Maximum number of events that a page takes: a browser does not open a page with more easily.
pub const MOST_EVENTS: usize = 100_000;

/// Maximum number of peers in all entries of [`Recording::peers`]; later changes are left out.
pub const MOST_PEERS: usize = 500_000;

/// Maximum number of nodes that a page can show.
pub const MOST_NODES: usize = 200;

impl Recording {
    /// Reads `recording.json` in `directory`, and checks it.
    ///
    /// # Errors
    /// When the file is missing, is not JSON, or is invalid.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(RECORDING);
        let read = dhtlab_files::read_text(&path, Links::Refused, dhtlab_files::MOST);
        let text = read.map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let fault = |message: String| Error::Recording {
            path: path.clone(),
            message,
        };
        let recording: Self =
            serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        recording.check().map_err(fault)?;
        Ok(recording)
    }

    /// Writes the recording to `recording.json` in `directory`.
    ///
    /// # Errors
    /// When the directory or the disk refuses.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let path = directory.join(RECORDING);
        replace(&path, json(self, &path)?.as_bytes())
    }
}

/// The recording as JSON; `path` is the path in errors.
///
/// # Errors
/// When a number cannot be written.
pub fn json(recording: &Recording, path: &Path) -> Result<String, Error> {
    serde_json::to_string(recording).map_err(|error| Error::Recording {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// Checks that the recording in `directory` is unchanged since the run, if a manifest is beside it.
///
/// # Errors
/// [`Error::Changed`] if it was changed; those of reading the manifest.
pub fn verify(directory: &Path) -> Result<(), Error> {
    match manifest::check(directory, |file| file == RECORDING) {
        Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        checked => checked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        let event = |at, what| Event { at, what };
        Recording {
            format: FORMAT,
            end: 30,
            nodes: ["00", "80"]
                .map(|id| NodeEntry {
                    id: id.repeat(20),
                    site: 0,
                    sybil: false,
                })
                .into(),
            keys: vec![KeyEntry {
                key: "40".repeat(20),
                place: vec![0.25],
            }],
            events: vec![
                event(
                    0,
                    What::Appear {
                        node: 0,
                        place: vec![0.0],
                    },
                ),
                event(
                    0,
                    What::Appear {
                        node: 1,
                        place: vec![0.5],
                    },
                ),
                event(
                    10,
                    What::Begin {
                        key: 0,
                        from: Some(0),
                        kind: "lookup".into(),
                    },
                ),
                event(
                    10,
                    What::Hop {
                        route: 0,
                        from: 0,
                        to: 1,
                        arrival: 20,
                    },
                ),
                event(
                    20,
                    What::End {
                        route: 0,
                        outcome: RouteOutcome::Ok,
                        node: Some(1),
                        root: Some(1),
                    },
                ),
            ],
            ..Recording::default()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = recording();
        recording.write(folder.path()).expect("written");
        assert_eq!(Recording::read(folder.path()).expect("read"), recording);
    }

    /// An invalid recording is refused, with the position of the fault.
    #[test]
    fn nonsense_is_refused() {
        type Spoil = fn(&mut Recording);
        let cases: [(Spoil, &str); 10] = [
            (|r| r.format = 9, "expected format 2, found 9"),
            (
                |r| r.keys[0].place.push(0.5),
                "key 0 has no place in this space",
            ),
            (
                |r| r.keys[0].place[0] = f64::NAN,
                "key 0 has no place in this space",
            ),
            (|r| r.events.swap(0, 4), "event 0: this route has not begun"),
            (
                |r| r.events.swap(1, 2),
                "event 2: it is out of the order of time",
            ),
            (|r| r.end = 19, "event 4: it is out of the order of time"),
            (
                |r| {
                    r.nodes.pop();
                },
                "event 1: there is no such node",
            ),
            (|r| r.keys.clear(), "event 2: there is no such key"),
            (
                |r| r.space = Space::Torus { dimensions: 2 },
                "key 0 has no place in this space",
            ),
            (
                |r| r.events[3].at = 25,
                "event 3: it arrives before it is sent",
            ),
        ];
        for (spoil, told) in cases {
            let mut spoilt = recording();
            assert_eq!(spoilt.check(), Ok(()));
            spoil(&mut spoilt);
            assert_eq!(spoilt.check(), Err(told.to_owned()));
        }
    }
}
