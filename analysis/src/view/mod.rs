//! A recorded run as a page that plays it in a browser.
//!
//! [`Recording`] is what a run of a small network leaves in `recording.json`. [`write_page`] makes
//! one HTML file of it: the recording, the player and its style stand inside, so that the page works
//! from a file and asks no network for anything.
//!
//! The player is plain JavaScript, one file a subject: `timeline.js` says how things stand at any
//! moment, as a pure function of the recording; `places.js` puts nodes and keys into a picture,
//! `voronoi.js` finds the cells of a torus, `words.js` tells events, `draw.js` draws a moment,
//! `list.js` lists the events, and `player.js` has the controls.

mod check;
mod recording;

pub use recording::{
    Event, FORMAT, Head, ItemState, KeyEntry, NodeEntry, Rate, Recording, RouteOutcome, Space,
    SybilAction, What,
};

use std::io;
use std::path::{Path, PathBuf};

use crate::files::{self, Links};
use crate::output::replace;
use crate::{Error, manifest};

/// The file that holds a recording.
pub const RECORDING: &str = "recording.json";
/// The file that holds its page.
const PAGE: &str = "view.html";

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// In the order in which they use each other.
const SCRIPTS: [&str; 7] = [
    include_str!("timeline.js"),
    include_str!("places.js"),
    include_str!("voronoi.js"),
    include_str!("words.js"),
    include_str!("draw.js"),
    include_str!("list.js"),
    include_str!("player.js"),
];

impl Recording {
    /// Reads `recording.json` in `directory`, and checks it.
    ///
    /// # Errors
    /// When the file is missing, is not JSON, or does not make sense.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(RECORDING);
        let read = files::read_text(&path, Links::Refused, files::MOST);
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

    /// Writes it to `recording.json` in `directory`.
    ///
    /// # Errors
    /// When the directory or the disk refuses.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let path = directory.join(RECORDING);
        replace(&path, json(self, &path)?.as_bytes())
    }
}

fn json(recording: &Recording, path: &Path) -> Result<String, Error> {
    serde_json::to_string(recording).map_err(|error| Error::Recording {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// Checks that the recording in `directory` is as the run left it, where a manifest is beside it.
///
/// # Errors
/// [`Error::Changed`] if it is not; those of reading the manifest.
pub fn verify(directory: &Path) -> Result<(), Error> {
    match manifest::check(directory, |file| file == RECORDING) {
        Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        checked => checked,
    }
}

/// Writes the page of the recording in `directory` to `out`, or beside it as `view.html`; returns
/// where it is.
///
/// # Errors
/// When there is no recording, it makes no sense, or the page cannot be written.
pub fn write_page(directory: &Path, out: Option<&Path>) -> Result<PathBuf, Error> {
    let recording = Recording::read(directory)?;
    let path = out.map_or_else(|| directory.join(PAGE), Path::to_owned);
    let page = page(&recording, &json(&recording, &path)?);
    replace(&path, page.as_bytes())?;
    Ok(path)
}

/// The page that plays `recording`, whose JSON is `json`.
fn page(recording: &Recording, json: &str) -> String {
    let mut page = String::with_capacity(json.len() + (1 << 17));
    // Cut at the marks instead of replaced one after the other: a title may hold a mark.
    let mut rest = FRAME;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (mark, after) = after.split_once("}}").unwrap_or((after, ""));
        match mark {
            "title" => page.push_str(&escaped(&recording.head.title)),
            "style" => page.push_str(STYLE),
            // Within a script only what looks like its end, or like a comment, has a meaning.
            "recording" => page.push_str(&json.replace('<', "\\u003c")),
            _ => SCRIPTS.iter().for_each(|script| page.push_str(script)),
        }
        rest = after;
    }
    page.push_str(rest);
    page
}

/// `text` as text of an HTML page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
                        journey: 0,
                        from: 0,
                        to: 1,
                        arrival: 20,
                    },
                ),
                event(
                    20,
                    What::End {
                        journey: 0,
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
        let page = write_page(folder.path(), None).expect("a page");
        assert_eq!(page, folder.path().join("view.html"));
        let elsewhere = folder.path().join("elsewhere.html");
        assert_eq!(
            write_page(folder.path(), Some(&elsewhere)).expect("a page"),
            elsewhere
        );
        assert_eq!(
            fs::read(page).expect("a file"),
            fs::read(elsewhere).expect("a file")
        );
    }

    /// A recording that would mislead the player is refused, with the place of the fault.
    #[test]
    fn nonsense_is_refused() {
        type Spoil = fn(&mut Recording);
        let cases: [(Spoil, &str); 10] = [
            (|r| r.format = 9, "expected format 1, found 9"),
            (
                |r| r.keys[0].place.push(0.5),
                "key 0 has no place in this space",
            ),
            (
                |r| r.keys[0].place[0] = f64::NAN,
                "key 0 has no place in this space",
            ),
            (
                |r| r.events.swap(0, 4),
                "event 0: this journey has not begun",
            ),
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

    /// Whatever a title says, it stays a title: nothing in it ends the script or the heading, and
    /// what looks like a mark is left alone.
    #[test]
    fn a_title_cannot_leave_its_place() {
        let mut recording = recording();
        recording.head.title = "</script><b>{{style}}</b> & \"more\"".to_owned();
        let page = page(
            &recording,
            &serde_json::to_string(&recording).expect("JSON"),
        );
        assert!(page.contains("&lt;/script&gt;&lt;b&gt;{{style}}&lt;/b&gt; &amp; \"more\""));
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("<b>"));
    }
}
