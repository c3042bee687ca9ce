//! Untrusted files and folders: names that lead out of a folder, and links, pipes and devices
//! instead of files. The command does not read, write or wait for anything outside of the folder.

use crate::lab::{Ended, Lab};
use crate::refusal::{fault_of_refusal, refuse};
use crate::resume::SWEEP;
use serde_json::{Value, json};
use std::fs;

const PRECIOUS: &str = "precious\n";

fn scenario() -> String {
    let figure = "[[figure]]\nname = \"events\"\nx = \"overlay.nodes\"\ny = \"events\"\n";
    format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n{figure}")
}

/// A scenario whose stem is no name of a folder would have its results above `--out`.
#[test]
fn a_scenario_names_no_folder_above_its_own() {
    for name in ["...toml", "..toml"] {
        let lab = Lab::new();
        lab.write(name, scenario());
        let before = lab.files(".");
        for command in [&["run"] as &[&str], &["check"], &["run", "--shard", "1/2"]] {
            let mut arguments = [command, &[name]].concat();
            if command[0] == "run" {
                arguments.extend(["--out", "deep/out"]);
            }
            let ended = lab.dhtlab(&arguments);
            assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
            let told = format!("error: {name}: invalid name of an output folder, ");
            assert!(ended.stderr.starts_with(&told), "{}", ended.stderr);
            assert_eq!(lab.files("."), before);
        }
    }
}

/// A manifest with another value at `path`, as its maker would have written it: without checksum.
fn forge(lab: &Lab, folder: &str, path: &str, value: Value) {
    let mut manifest = lab.manifest(folder);
    manifest.as_object_mut().expect("fields").remove("checksum");
    *manifest.pointer_mut(path).expect("the field") = value;
    lab.write(&format!("{folder}/manifest.json"), manifest.to_string());
}

#[test]
fn a_manifest_names_no_file_outside_its_folder() {
    let lab = Lab::new();
    lab.write("s.toml", scenario());
    lab.write("x.csv", "run,secret\nroot,hash\n");
    lab.write("out/x.svg", PRECIOUS);
    let shard = "out/s.shard-1-of-1";
    let absolute = lab.path("x").display().to_string();
    for (path, value) in [
        ("/figures/0/name", json!("../x")),
        ("/figures/0/name", json!(absolute)),
        ("/figures/0/table", json!("../../x")),
        ("/figures/0/table", json!(absolute)),
        ("/files", json!({"../../x.csv": "0"})),
        ("/name", json!("..")),
        ("/name", json!("../x")),
        ("/tables/0", json!("../../x")),
    ] {
        let _ = fs::remove_dir_all(lab.path("out/s"));
        lab.succeed(&["run", "s.toml", "--out", "out"]);
        lab.succeed(&["run", "s.toml", "--out", "out", "--shard", "1/1"]);
        if path.starts_with("/figures") {
            for folder in ["out/s", shard] {
                let mut manifest = lab.manifest(folder);
                let figure = json!({"kind": "lines", "x": "overlay.nodes", "y": "events", "name": "a", "table": "runs"});
                manifest["figures"][0] = figure;
                lab.write(&format!("{folder}/manifest.json"), manifest.to_string());
            }
        }
        for folder in ["out/s", shard] {
            forge(&lab, folder, path, value.clone());
        }
        let outside = |lab: &Lab| {
            let mut files = lab.files(".");
            files.retain(|name, _| {
                let made = ["out/s/", "out/claims/", "REPORT", "FIGURES", "report"];
                !made.iter().any(|part| name.contains(part))
            });
            files
        };
        let before = outside(&lab);
        let plotted = lab.dhtlab(&["plot", "out/s"]);
        let merged = lab.dhtlab(&["merge", shard, "--out", "out/joined/deep"]);
        let reported = lab.dhtlab(&["report", "out", "--scenarios", "."]);
        let ran = lab.dhtlab(&["run", "s.toml", "--out", "out"]);
        for ended in [&plotted, &merged, &reported, &ran] {
            assert!(
                !ended.stderr.contains("hash") && !ended.stderr.contains("secret"),
                "{}",
                ended.stderr
            );
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        }
        if path.starts_with("/fi") {
            assert_ne!(plotted.code, Some(0), "{path} = {value}");
            assert!(
                plotted.stderr.starts_with(
                    "error: out/s/manifest.json: expected the name of a file in this folder"
                ),
                "{}",
                plotted.stderr
            );
        } else {
            assert_eq!(merged.code, Some(2), "{path} = {value}");
        }
        let mut after = outside(&lab);
        after.retain(|name, _| !name.contains("joined/deep/s/"));
        assert!(after == before, "{path} = {value}: {:?}", after.keys());
        let report = lab.read("out/REPORT.md") + &lab.read("out/report.html");
        assert!(!report.contains("precious") && !report.contains("root,hash"));
        let _ = fs::remove_dir_all(lab.path("out/joined"));
        fs::remove_dir_all(lab.path(shard)).expect("a shard");
    }
}

/// What stands in the place of a file of results, by what it is.
#[cfg(unix)]
const KINDS: [&str; 4] = ["a symbolic link", "a named pipe", "hard links", "dangling"];

#[cfg(unix)]
fn put(lab: &Lab, name: &str, kind: &str) {
    let path = lab.path(name);
    let _ = fs::remove_file(&path);
    let precious = lab.path("precious");
    match kind {
        "a symbolic link" => std::os::unix::fs::symlink(precious, path).expect("a link"),
        "dangling" => std::os::unix::fs::symlink(lab.path("nothing"), path).expect("a link"),
        "hard links" => fs::hard_link(precious, path).expect("a link"),
        _ => {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.expect("the command mkfifo").success());
        }
    }
}

/// Each name that dhtlab uses in a folder of results, with each command that reads or writes it. A
/// command that hangs ends with the timeout of [`Lab::dhtlab`] and no code.
#[test]
#[cfg(unix)]
fn what_is_no_file_is_neither_followed_nor_written() {
    let lab = Lab::new();
    lab.write("s.toml", scenario());
    lab.write("precious", PRECIOUS);
    let run: &[&str] = &["run", "s.toml", "--out", "out"];
    let record: &[&str] = &["run", "s.toml", "--out", "out", "--record"];
    let plot: &[&str] = &["plot", "out/s"];
    let view: &[&str] = &["view", "out/s"];
    lab.succeed(record);
    let whole = lab.files("out");
    for (name, commands) in [
        ("s/.lock", &[run] as &[&[&str]]),
        ("s/.room", &[run]),
        ("s/finished.jsonl", &[run]),
        ("s/runs.csv", &[run, plot]),
        ("s/histogram.csv", &[run]),
        ("s/manifest.json", &[run, plot, view]),
        ("s/manifest.new", &[run]),
        ("s/runs.new", &[run]),
        ("s/histogram.new", &[run]),
        ("s/summary.csv", &[run, plot]),
        ("s/summary.csv.partial", &[run, plot]),
        ("s/events.svg", &[run, plot]),
        ("s/events.png.partial", &[run, plot]),
        ("s/recording.json", &[record, view]),
        ("s/recording.json.partial", &[record]),
        ("s/view.html", &[record, view]),
        ("REPORT.md", &[&["report", "out", "--scenarios", "."]]),
        (
            "report.html.partial",
            &[&["report", "out", "--scenarios", "."]],
        ),
    ] {
        for kind in KINDS {
            // A second name of a file does harm only where it is written in place.
            if kind == "hard links" && !["s/.lock", "s/finished.jsonl"].contains(&name) {
                continue;
            }
            for command in commands {
                put(&lab, &format!("out/{name}"), kind);
                let Ended { code, stderr, .. } = lab.dhtlab(command);
                let what = format!("{name} is {kind}, {command:?}: {stderr}");
                assert!(matches!(code, Some(1 | 2)), "{code:?}: {what}");
                let file = name.rsplit('/').next().expect("a name");
                let shown = file.trim_end_matches(".partial");
                let kind = if kind == "dangling" {
                    "a symbolic link"
                } else {
                    kind
                };
                assert!(stderr.contains(shown) && stderr.contains(kind), "{what}");
                assert_eq!(lab.read("precious"), PRECIOUS, "{what}");
                assert!(!lab.path("nothing").exists(), "{what}");
            }
            let _ = fs::remove_file(lab.path(&format!("out/{name}")));
            if let Some(bytes) = whole.get(name) {
                lab.write(&format!("out/{name}"), bytes);
            }
        }
    }
    // A folder of results that is a link leads elsewhere.
    lab.write("elsewhere/note.txt", PRECIOUS);
    fs::remove_dir_all(lab.path("out/s")).expect("results");
    std::os::unix::fs::symlink(lab.path("elsewhere"), lab.path("out/s")).expect("a link");
    let ended = lab.dhtlab(run);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let told = "error: out/s: cannot write results: it is a symbolic link; expected a folder\n";
    assert_eq!(ended.stderr, told);
    assert_eq!(lab.files("elsewhere").len(), 1);
}

/// A page of a foreign report runs nothing.
#[test]
fn hostile_figures_are_left_out_of_the_report() {
    let lab = Lab::new();
    lab.write("s.toml", scenario());
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let ours = lab.read("out/s/events.svg");
    let hostile = |body: &str| ours.replacen("</svg>", &format!("{body}</svg>"), 1);
    for svg in [
        hostile("<script>alert(1)</script>"),
        hostile("<g onload\n=\"alert(1)\"/>"),
        hostile("<rect/onload=\"alert(1)\"/>"),
        hostile("<rect title=\"&gt;\" onclick=\"alert(1)\"/>"),
        hostile("<a href='https://example.org'><text>x</text></a>"),
        hostile("<set attributeName=\"href\" to=\"x\"/>"),
        hostile("<style>@im\\70ort 'https://example.org'</style>"),
        hostile("<rect style=\"fill:u\\72l(https://example.org)\"/>"),
        hostile("<use href='data:image/svg+xml,x'/>"),
        hostile("</svg><img src=x onerror=alert(1)><svg>"),
        hostile("<!-- --><rect/>"),
        format!("<!DOCTYPE svg [<!ENTITY x \"<script/>\">]>{ours}"),
    ] {
        lab.write("out/s/events.svg", &svg);
        lab.succeed(&["report", "out", "--scenarios", "."]);
        let page = lab.read("out/report.html");
        assert!(page.contains("not one that dhtlab drew"), "{svg}");
        assert!(
            !page.contains("alert") && !page.contains("example.org"),
            "{svg}"
        );
        assert_eq!(page.matches("<svg").count(), 0, "{svg}");
        assert!(!page.contains("events.svg"), "{svg}");
    }
    lab.write("out/s/events.svg", &ours);
    lab.succeed(&["report", "out", "--scenarios", "."]);
    let page = lab.read("out/report.html");
    assert!(page.contains("<a href=\"s/events.svg\">"), "{page}");
}

/// Keys with which a scenario names a file.
const NAMED: [(&str, &str); 3] = [
    (
        "underlay.file.path",
        "experiment = \"network\"\noverlay.nodes = 3\nunderlay.model = \"file\"\n",
    ),
    (
        "churn.trace.file",
        "experiment = \"network\"\noverlay.nodes = 3\nunderlay.nodes = 9\nchurn.model = \"trace\"\n",
    ),
    (
        "job.text",
        "experiment = \"job\"\njob.kind = \"word-count\"\noverlay.nodes = 20\nunderlay.nodes = 40\n",
    ),
];

#[test]
#[cfg(target_os = "linux")]
fn a_scenario_reads_regular_files_of_bounded_size_only() {
    let lab = Lab::new();
    put(&lab, "pipe", "a named pipe");
    let sparse = fs::File::create(lab.path("sparse")).expect("a file");
    sparse.set_len(1 << 40).expect("a hole");
    let pipe = lab.path("pipe").display().to_string();
    let sparse = lab.path("sparse").display().to_string();
    for (key, head) in NAMED {
        for (file, told) in [
            ("/dev/zero", "it is a device; expected a regular file"),
            ("/dev/stdin", "expected a regular file"),
            (&pipe, "it is a named pipe; expected a regular file"),
            (&sparse, "it is larger than 1024 MiB, the most that is read"),
        ] {
            let text = format!("{head}{key} = {file:?}\n");
            let found = refuse(&text, &[]).expect("one error");
            let line = text.lines().count();
            let start = format!("bad.toml:{line}: {key}: {file}: cannot be read: ");
            assert!(
                found.starts_with(&start) && found.ends_with(told),
                "{found}"
            );
        }
    }
    // The scenario itself, too, as where a folder of them is listed.
    for (file, told) in [
        ("/dev/zero", "it is a device"),
        (&pipe, "it is a named pipe"),
    ] {
        let ended = lab.dhtlab(&["check", file]);
        let told =
            format!("error: {file}: the file cannot be read: {told}; expected a regular file\n");
        assert_eq!((ended.code, ended.stderr), (Some(2), told));
    }
    put(&lab, "shelf.toml", "a named pipe");
    assert_eq!(lab.dhtlab(&["list", "--scenarios", "."]).code, Some(2));
}

/// An error about a file that is not meant for dhtlab shows a word of it at most.
#[test]
fn an_error_tells_no_line_of_a_file() {
    let secret = "root:$6$saltsalt$Zq1aLongHashThatNobodyIsToSee.Zq1aLongHashThatNobodyIsToSee:19000:0:99999:7:::";
    let lab = Lab::new();
    for separator in ["\n", " ", ",", "\t"] {
        let line = secret.replace(':', if separator == "\n" { ":" } else { separator });
        for line in [
            line.clone(),
            format!("5,join,{line}"),
            format!("5,{line},3"),
            format!("{line},join,3"),
        ] {
            lab.write("shadow", format!("{line}\ndaemon:*:19000:0:99999:7:::\n"));
            for (key, head) in NAMED {
                // Readers of graphs have tests of their own.
                if key == "underlay.file.path" {
                    continue;
                }
                lab.write("bad.toml", format!("{head}{key} = \"shadow\"\n"));
                let ended = lab.dhtlab(&["check", "bad.toml"]);
                assert!(!ended.stderr.contains("ThatNobody"), "{}", ended.stderr);
            }
            lab.write("shadow.toml", &line);
            let ended = lab.dhtlab(&["check", "shadow.toml"]);
            assert_eq!(ended.code, Some(2));
            assert!(!ended.stderr.contains("ThatNobody"), "{}", ended.stderr);
        }
    }
}
