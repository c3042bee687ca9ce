//! Results that were changed after the run: every command that reads them names the file and
//! refuses them.

use crate::lab::Lab;
use crate::resume::SWEEP;

const CHANGED: &str =
    "the file was changed after the run; restore it, or remove the results and run again";

fn lab() -> Lab {
    let lab = Lab::new();
    let figure = "[[figure]]\nname = \"events\"\nx = \"overlay.nodes\"\ny = \"events\"\n";
    let text = format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n{figure}");
    lab.write("shelf/s.toml", text);
    lab.succeed(&["run", "shelf/s.toml", "--out", "out"]);
    lab
}

/// The command fails with this error, and nothing below `out` changes.
fn refused(lab: &Lab, arguments: &[&str], told: &str) {
    let before = lab.files("out");
    let ended = lab.dhtlab(arguments);
    assert_eq!(ended.stderr, format!("error: {told}\n"), "{arguments:?}");
    assert_eq!(ended.code, Some(2), "{arguments:?}");
    assert!(
        lab.files("out") == before,
        "{arguments:?}: something changed"
    );
}

/// `text` with one digit of its last row changed.
fn edited(text: &str) -> String {
    let place = text.rfind(|c: char| c.is_ascii_digit()).expect("a digit");
    let other = if &text[place..=place] == "7" {
        "3"
    } else {
        "7"
    };
    format!("{}{other}{}", &text[..place], &text[place + 1..])
}

#[test]
fn an_edited_table_is_not_built_on() {
    let lab = lab();
    let run = ["run", "shelf/s.toml", "--out", "out"];
    for name in ["runs.csv", "histogram.csv"] {
        let file = format!("out/s/{name}");
        let text = lab.read(&file);
        for broken in [
            edited(&text),
            text[..text.len() / 2].to_owned(),
            String::new(),
        ] {
            lab.write(&file, broken);
            let told = format!("{file}: {CHANGED}");
            refused(&lab, &run, &told);
            refused(&lab, &[&run[..], &["--repetitions", "3"]].concat(), &told);
            refused(&lab, &["plot", "out/s"], &told);
            // The report says so each time, whatever was tried in between.
            for _ in 0..2 {
                let ended = lab.succeed(&["report", "out", "--scenarios", "shelf"]);
                let report = lab.read("out/REPORT.md");
                let told = format!("edited: {name} was changed after the run");
                let unreadable = format!("cannot be read: out/s/{name}");
                let noted = format!("edited: s/{name} was changed after the run");
                assert!(
                    ended.stderr.contains(&noted) || report.contains(&unreadable),
                    "{}",
                    ended.stderr
                );
                assert!(
                    report.contains(&told) || report.contains(&unreadable),
                    "{report}"
                );
                lab.dhtlab(&run);
            }
        }
        lab.write(&file, text);
        assert_eq!(lab.succeed(&run).runs_and_new(), (2, 0));
    }
    // Nor is the first of two run when the second cannot be.
    lab.write("shelf/a.toml", format!("{SWEEP}\"overlay.nodes\" = [20]\n"));
    let text = edited(&lab.read("out/s/runs.csv"));
    lab.write("out/s/runs.csv", text);
    let both = ["run", "shelf/a.toml", "shelf/s.toml", "--out", "out"];
    assert_eq!(lab.dhtlab(&both).code, Some(2));
    assert!(!lab.path("out/a/runs.csv").exists());
}

#[test]
fn an_edited_line_of_the_journal_is_not_built_on() {
    let lab = lab();
    let run = ["run", "shelf/s.toml", "--out", "out"];
    let whole = lab.tables("out");
    // Figures name what they sweep, and are left out where it is not swept.
    lab.succeed(&[&run[..], &["--set", "overlay.nodes=20"]].concat());
    let journal = "out/s/finished.jsonl";
    let text = lab.read(journal);
    assert_eq!(text.lines().count(), 1);
    for broken in [
        text.replacen("\"metrics\":[\"50\"", "\"metrics\":[\"51\"", 1),
        "{}\n".to_owned(),
        "x\n".to_owned(),
    ] {
        assert_ne!(broken, text);
        lab.write(journal, broken);
        let told =
            format!("{journal}:1: the line was changed after the run; delete it to repeat its run");
        refused(&lab, &run, &told);
    }
    lab.write(journal, "");
    assert_eq!(lab.succeed(&run).runs_and_new(), (2, 1));
    assert!(lab.tables("out") == whole);
}

#[test]
fn a_manifest_that_is_none_is_told() {
    let lab = lab();
    let file = "out/s/manifest.json";
    let text = lab.read(file);
    for (broken, told) in [
        (
            text.replacen("\"seed\": 1", "\"seed\": 2", 1),
            CHANGED.to_owned(),
        ),
        (edited(&text), CHANGED.to_owned()),
        (
            text[..text.len() / 2].to_owned(),
            "EOF while parsing ".to_owned(),
        ),
        (
            String::new(),
            "EOF while parsing a value at line 1 column 0".to_owned(),
        ),
        (
            "garbage".to_owned(),
            "expected value at line 1 column 1".to_owned(),
        ),
        ("[]".to_owned(), "expected a JSON object".to_owned()),
    ] {
        lab.write(file, &broken);
        let before = lab.files("out");
        let ended = lab.dhtlab(&["plot", "out/s"]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for repetitions in ["1", "2"] {
            let run = [
                "run",
                "shelf/s.toml",
                "--out",
                "out",
                "--repetitions",
                repetitions,
            ];
            let ended = lab.dhtlab(&run);
            assert_eq!(ended.code, Some(2), "{}", ended.stderr);
            let start = match told == CHANGED {
                true => format!("error: {file}: {told}"),
                false => format!("error: {file}: this is not a manifest: {told}"),
            };
            assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            assert!(lab.files("out") == before, "something was run");
        }
        let ended = lab.dhtlab(&["plot", "out/s"]);
        assert!(
            ended.code != Some(0) && ended.stderr.contains(file),
            "{}",
            ended.stderr
        );
    }
    lab.write(file, text);
    assert_eq!(
        lab.succeed(&["run", "shelf/s.toml", "--out", "out"])
            .runs_and_new(),
        (2, 0)
    );
}

/// A table without a checksum, as wall time is, or of a manifest without any.
#[test]
fn a_cut_table_is_told_as_what_it_is() {
    let lab = lab();
    let text = lab.read("out/s/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let fields = manifest.as_object_mut().expect("an object");
    fields.remove("files");
    fields.remove("checksum");
    lab.write("out/s/manifest.json", manifest.to_string());
    let runs = lab.read("out/s/runs.csv");
    let columns = runs.lines().next().expect("a header").split(',').count();
    let cut = runs.trim_end().rsplit_once(',').expect("a cell").0;
    lab.write("out/s/runs.csv", cut);
    let told = format!(
        "out/s/runs.csv:3: expected {columns} cells, found {}",
        columns - 1
    );
    refused(&lab, &["run", "shelf/s.toml", "--out", "out"], &told);
}

#[test]
fn an_edited_recording_is_not_shown() {
    let lab = lab();
    let run = ["run", "shelf/s.toml", "--out", "out"];
    let record = [&run[..], &["--record"]].concat();
    lab.succeed(&record);
    let file = "out/s/recording.json";
    let text = lab.read(file);
    lab.write(
        file,
        text.replacen("\"outcome\":\"ok\"", "\"outcome\":\"wrong\"", 1),
    );
    let told = format!("{file}: {CHANGED}");
    refused(&lab, &["view", "out/s"], &told);
    // A second run signs it no more than the tables.
    assert_eq!(lab.succeed(&run).runs_and_new(), (2, 0));
    refused(&lab, &["view", "out/s"], &told);
    lab.succeed(&record);
    assert_eq!(lab.read(file), text);
    lab.succeed(&["view", "out/s"]);
    // It is large: one may do without it.
    std::fs::remove_file(lab.path(file)).expect("a file");
    lab.succeed(&["plot", "out/s"]);
    assert_eq!(lab.succeed(&run).runs_and_new(), (2, 0));
}
