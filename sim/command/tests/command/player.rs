//! The page of a recording in a real browser: it plays, and agrees with the result tables.

use crate::chromium::Chromium;
use crate::lab::Lab;
use std::path::Path;

/// The shipped scenarios to be watched.
const WATCHED: [&str; 5] = [
    "watch-chord",
    "watch-vhash",
    "watch-sybils",
    "watch-job",
    "watch-file-job",
];

/// Records a shipped scenario to be watched.
fn record(lab: &Lab, name: &str) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/examples");
    let file = examples.join(format!("{name}.toml"));
    let file = file.to_str().expect("UTF-8");
    lab.succeed(&["run", file, "--record", "--out", "out"]);
}

/// Records a network of 20 nodes.
fn record_network(lab: &Lab, name: &str, more: &str) {
    let text = format!(
        "experiment = \"network\"\nunderlay.model = \"euclidean\"\nunderlay.nodes = 30\n\
         workload.interval = \"10 s\"\ntime.transition = \"1 s\"\ntime.measure = \"10 s\"\n\
         overlay.nodes = 20\n{more}"
    );
    lab.write(&format!("{name}.toml"), text);
    let file = format!("{name}.toml");
    lab.succeed(&["run", file.as_str(), "--record", "--out", "out"]);
}

/// A number that the page shows under `name`.
fn count(browser: &mut Chromium, name: &str) -> f64 {
    let shown = browser.evaluate(&format!(
        "Number([...document.querySelectorAll('.count')].find((count) => \
         count.textContent.endsWith(' {name}')).querySelector('b').textContent)"
    ));
    shown
        .as_f64()
        .unwrap_or_else(|| panic!("no count of {name}"))
}

const TIME: &str = "Number(document.getElementById('time').value)";
const STATE: &str = "document.body.dataset.state";
const CURRENT: &str = "document.querySelector('#events [aria-current]')?.textContent";

/// By mouse and keyboard: it starts, pauses, steps, and reaches the end, and the console stays empty.
/// What it counts then is what the tables say.
#[test]
#[cfg_attr(not(has_chromium), ignore = "there is no Chromium here")]
fn the_player_plays() {
    let mut browser = Chromium::start(1200, 900);
    let lab = Lab::new();
    for name in WATCHED {
        record(&lab, name);
        browser.open(&lab.path(&format!("out/{name}/view.html")));
        let end = browser.evaluate("Number(document.getElementById('time').max)");
        let end = end.as_f64().expect("a time");
        assert!(end > 1000.0, "{name}: {end}");
        assert_eq!(browser.evaluate(TIME), 0, "{name}");
        assert_eq!(browser.evaluate(STATE), "paused");

        // It starts.
        browser.click("#play");
        browser.wait_for(&format!("{STATE} === 'playing' && {TIME} > 0"));
        let some = browser.evaluate(TIME).as_f64().expect("a time");
        browser.wait_for(&format!("{TIME} > {some}"));
        // It pauses.
        browser.click("#play");
        assert_eq!(browser.evaluate(STATE), "paused");
        let paused = browser.evaluate(TIME);
        let later = format!("new Promise((done) => setTimeout(() => done({TIME}), 100))");
        assert_eq!(browser.evaluate(&later), paused, "{name}");
        // It steps, forth and back again.
        let before = browser.evaluate(CURRENT);
        browser.press("ArrowRight");
        let after = browser.evaluate(CURRENT);
        assert!(after.is_string() && before.is_string() && after != before);
        assert_eq!(
            browser.evaluate("document.querySelector('#events [aria-current] .told').textContent"),
            browser.evaluate("document.getElementById('now').textContent"),
        );
        browser.press("ArrowRight");
        browser.press("ArrowLeft");
        assert_eq!(browser.evaluate(CURRENT), after, "{name}");
        browser.click("#back");
        assert_eq!(browser.evaluate(CURRENT), before, "{name}");
        // An event that is clicked is where it goes.
        let chosen = "document.querySelector('#events [aria-current]').parentElement.nextSibling";
        let wanted = browser.evaluate(&format!("{chosen}.textContent"));
        let number = browser.evaluate(&format!("{chosen}.firstChild.dataset.event"));
        browser.click(&format!("#events [data-event={number}]"));
        assert_eq!(browser.evaluate(CURRENT), wanted, "{name}");

        // It reaches the end by itself, faster and faster.
        browser.press("Home");
        assert_eq!(browser.evaluate(TIME), 0);
        let slow = browser.evaluate("document.getElementById('speed').textContent");
        for _ in 0..10 {
            browser.press("+");
        }
        browser.press("-");
        browser.press("+");
        assert_ne!(
            browser.evaluate("document.getElementById('speed').textContent"),
            slow
        );
        browser.press(" ");
        browser.wait_for(&format!("{TIME} === {end} && {STATE} === 'paused'"));
        let members = count(&mut browser, "members");
        // The same end as by the key.
        browser.press("Home");
        browser.press("End");
        assert_eq!(browser.evaluate(TIME), end);
        assert_eq!(count(&mut browser, "members"), members);
        let runs = lab.table(&format!("out/{name}/runs.csv"));
        let shown: &[(&str, &str)] = match name {
            "watch-job" => &[
                ("atoms counted", "atoms_counted"),
                ("atoms mapped again", "atoms_redone"),
                ("duplicates dropped", "duplicates_dropped"),
            ],
            "watch-file-job" => &[
                ("blocks mapped again", "atoms_redone"),
                ("duplicates dropped", "duplicates_dropped"),
            ],
            _ => &[
                ("lookups", "lookups"),
                ("\u{2713} correct", "lookups_ok"),
                ("\u{2260} wrong", "lookups_wrong"),
                ("\u{2717} failed", "lookups_failed"),
            ],
        };
        for (told, column) in shown {
            let told = count(&mut browser, told);
            assert_eq!([told], *runs.numbers(column), "{name}: {column}");
        }
        assert!(members > 0.0);
        if name == "watch-sybils" {
            let sybils = count(&mut browser, "Sybils (included)");
            assert_eq!([sybils], *runs.numbers("sybils"));
        }
        assert_eq!(browser.complaints(), [""; 0], "{name}");
    }
}

/// How things stand at a moment is what a replay from the start gives, whichever way it was reached;
/// cells and arcs hold the keys that belong to their nodes.
#[test]
#[cfg_attr(not(has_chromium), ignore = "there is no Chromium here")]
fn a_moment_is_the_same_however_it_is_reached() {
    let mut browser = Chromium::start(800, 800);
    let lab = Lab::new();
    for name in WATCHED {
        record(&lab, name);
        browser.open(&lab.path(&format!("out/{name}/view.html")));
        browser.evaluate(include_str!("replay.js"));
        let difference = browser.evaluate("firstDifference(player.timeline)");
        assert!(difference.is_null(), "{name}: {difference:#}");
    }
    for check in ["faultOfCells()", "faultOfArcs()"] {
        let fault = browser.evaluate(check);
        assert!(fault.is_null(), "{check}: {fault:#}");
    }
}

/// Every space has a picture, on a screen of any width; every control has a name; what is filtered
/// out is stepped over.
#[test]
#[cfg_attr(not(has_chromium), ignore = "there is no Chromium here")]
fn every_space_can_be_watched_on_any_screen() {
    let mut browser = Chromium::start(360, 700);
    let lab = Lab::new();
    let cases = [
        (
            "kademlia",
            "overlay.protocol = \"kademlia\"\n",
            "leaves of a tree",
        ),
        (
            "iterative",
            "overlay.protocol = \"kademlia\"\noverlay.lookup = \"iterative\"\n",
            "leaves of a tree",
        ),
        (
            "nearest",
            "overlay.chord.closest = \"nearest\"\n",
            "either direction",
        ),
        (
            "hyperbolic",
            "overlay.protocol = \"urdht\"\noverlay.urdht.space = \"hyperbolic\"\n",
            "hyperbolic plane",
        ),
        (
            "four",
            "overlay.protocol = \"vhash\"\noverlay.vhash.dimensions = 4\n",
            "first two of the 4 coordinates",
        ),
        (
            "springs",
            "overlay.protocol = \"vhash\"\noverlay.vhash.dimensions = 2\n\
             overlay.vhash.embedding = \"springs\"\n",
            "in whose cell",
        ),
    ];
    for (name, more, told) in cases {
        record_network(&lab, name, more);
        browser.open(&lab.path(&format!("out/{name}/view.html")));
        let about = browser.evaluate("document.getElementById('space').textContent");
        assert!(about.as_str().expect("text").contains(told), "{about}");
        let wide = browser.evaluate("document.documentElement.scrollWidth <= innerWidth");
        assert_eq!(wide, true, "{name}");
        let painted = "(() => { const canvas = document.getElementById('picture'); \
                       const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); \
                       return data.some((value) => value !== 0); })()";
        assert_eq!(browser.evaluate(painted), true, "{name}");
        browser.press("End");
        browser.press("ArrowLeft");
        browser.click("#picture");
        assert_eq!(browser.complaints(), [""; 0], "{name}");
    }
    let nameless = browser.evaluate(
        "[...document.querySelectorAll('button, input, canvas, [tabindex]')].filter((element) => \
         !(element.getAttribute('aria-label') || element.labels?.length || \
         element.textContent.trim() || element.getAttribute('aria-hidden'))).map((element) => element.id)",
    );
    assert_eq!(nameless, serde_json::json!([]));
    // Only lookups begin and end among what is stepped to.
    let others = "[...document.querySelectorAll('#filters label')].filter((label) => \
                  !label.textContent.startsWith(' lookups'))";
    browser.evaluate(&format!(
        "{others}.forEach((label) => label.querySelector('input').click())"
    ));
    browser.press("Home");
    for _ in 0..12 {
        browser.press("ArrowRight");
        let told = browser.evaluate("document.getElementById('now').textContent");
        let told = told.as_str().expect("text");
        assert!(
            told.starts_with("lookup ") && !told.contains("forwards"),
            "{told}"
        );
    }
    assert_eq!(browser.complaints(), [""; 0]);
}
