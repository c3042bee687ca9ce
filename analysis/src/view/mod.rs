//! A recorded run as a page that plays it in a browser.
//!
//! [`Recording`] is the content of `recording.json` of a small network's run. [`write_page`] makes
//! one HTML file of it, which contains the recording, the player and its style, so that the page
//! works from a file without a network.
//!
//! The player is plain JavaScript, one file per subject: `timeline.js` computes the state at any
//! moment, as a pure function of the recording; `places.js` computes the positions of nodes and
//! keys, `voronoi.js` the cells of a torus, `describe.js` describes events, `draw.js` draws a moment,
//! `list.js` lists the events, and `player.js` has the controls.

use dhtlab_format::Error;
use dhtlab_format::output::replace;
use dhtlab_format::recording::{Recording, json};
use std::path::{Path, PathBuf};

/// The file name of the page.
const PAGE: &str = "view.html";

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// In the order of their dependencies.
const SCRIPTS: [&str; 7] = [
    include_str!("timeline.js"),
    include_str!("places.js"),
    include_str!("voronoi.js"),
    include_str!("describe.js"),
    include_str!("draw.js"),
    include_str!("list.js"),
    include_str!("player.js"),
];

/// Writes the page of the recording in `directory` to `out`, or beside it as `view.html`; returns
/// its path.
///
/// # Errors
/// When there is no recording, the recording is invalid, or the page cannot be written.
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
    // The template is cut at the placeholders instead of replacing one after the other: a title may
    // contain a placeholder.
    let mut rest = FRAME;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (mark, after) = after.split_once("}}").unwrap_or((after, ""));
        match mark {
            "title" => page.push_str(&escaped(&recording.head.title)),
            "style" => page.push_str(STYLE),
            // Within a script only its end tag and comments have a meaning.
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
    use dhtlab_format::recording::FORMAT;
    use std::fs;

    fn recording() -> Recording {
        Recording {
            format: FORMAT,
            ..Recording::default()
        }
    }

    #[test]
    fn a_page_is_written_where_it_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        recording().write(folder.path()).expect("written");
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

    /// A title stays a title: nothing in it ends the script or the heading, and text that looks
    /// like a placeholder is unchanged.
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
