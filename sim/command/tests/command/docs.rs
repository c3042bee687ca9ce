//! Checks of the documents: paths exist, links have targets, commands parse, scenarios are valid.

use crate::lab::Lab;
use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The documents with their text: those at the top, the manual, and that of the Python package.
fn documents() -> Vec<(PathBuf, String)> {
    let top_level = ["README.md", "CONTRIBUTING.md", "python/README.md"];
    let mut files: Vec<PathBuf> = top_level.iter().map(|file| top().join(file)).collect();
    files.extend(pages(&top().join("docs/manual")));
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).expect("a document");
        (file, text)
    };
    files.into_iter().map(read).collect()
}

/// The Markdown files in `folder` and below.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files
}

/// The name of the file that a block of a page is, if its first line says so.
fn file_of<'a>(block: &[&'a str]) -> Option<&'a str> {
    block.first()?.strip_prefix("# FILE: ")
}

/// The lines of each fenced block of `text` in `language`.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut block: Option<(bool, Vec<&str>)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut block) {
            (Some(word), None) => block = Some((word == language, Vec::new())),
            (Some(_), Some(_)) => {
                let (wanted, lines) = block.take().expect("an open block");
                found.extend(wanted.then_some(lines));
            }
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    assert!(block.is_none(), "a block is not closed");
    found
}

/// The paths in `text` that begin with `scenarios/`.
fn scenario_paths(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    text.match_indices("scenarios/")
        .map(|(start, _)| {
            let path = &text[start..];
            let end = path.find(|c| !is_part(c)).unwrap_or(path.len());
            path[..end].trim_end_matches('.')
        })
        .collect()
}

/// The targets of links and pictures in `text` that are not on the web.
fn link_targets(text: &str) -> Vec<&str> {
    text.match_indices("](")
        .filter_map(|(start, _)| text[start + 2..].split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://"))
        .collect()
}

/// What `text`, which stands in `folder`, names and is not there.
fn missing(folder: &Path, text: &str) -> Vec<String> {
    let paths = scenario_paths(text).into_iter();
    let mut lost: Vec<String> = paths
        .filter(|path| !top().join(path).exists())
        .map(str::to_owned)
        .collect();
    for target in link_targets(text) {
        let (file, place) = target.split_once('#').unwrap_or((target, ""));
        let path = folder.join(file);
        let has_place = |place| {
            let other = fs::read_to_string(&path).unwrap_or_default();
            let page = if file.is_empty() { text } else { &other };
            page.contains(&format!("id=\"{place}\""))
                || page.lines().any(|line| anchor(line) == place)
        };
        if !path.exists() || !(place.is_empty() || has_place(place)) {
            lost.push(target.to_owned());
        }
    }
    lost
}

/// The place of a link to a heading; empty for another line.
fn anchor(line: &str) -> String {
    let heading = line.trim_start_matches('#');
    if heading.len() == line.len() {
        return String::new();
    }
    let words = heading.trim().to_lowercase().replace('`', "");
    words.replace(' ', "-")
}

/// The arguments of `line` if it calls the command.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let line = line.split('#').next().unwrap_or_default();
    let builds = ["cargo run --release -- ", "cargo run --profile quick -- "];
    let rest = builds
        .iter()
        .chain(&["dhtlab "])
        .find_map(|start| line.trim().strip_prefix(start))?;
    // A redirection of the output is for the shell, not for the command.
    let own = rest.split('>').next().unwrap_or_default();
    Some(own.split_whitespace().collect())
}

/// Why the command does not take `arguments`, if it does not: it has to understand them, and the scenarios
/// that it would run have to be right with the keys that are set.
fn refusal(lab: &Lab, arguments: &[&str]) -> Option<String> {
    let understood = lab.dhtlab(&[arguments, &["--help"]].concat());
    if understood.code != Some(0) {
        return Some(understood.stderr);
    }
    if !matches!(arguments[0], "run" | "check") {
        return None;
    }
    let mut check = vec!["check".to_owned()];
    let mut words = arguments[1..].iter();
    while let Some(word) = words.next() {
        match *word {
            "--out" | "--jobs" | "--only" | "--shard" => drop(words.next()),
            word if word.starts_with("--record") => {}
            word if word.starts_with("scenarios/") => {
                check.push(top().join(word).display().to_string());
            }
            word => check.push(word.to_owned()),
        }
    }
    let ended = lab.dhtlab(&check);
    // The data of a scenario may not be at hand.
    let is_right = ended.code == Some(0) || ended.stderr.contains("DHTLAB_DATA is not set");
    (!is_right).then_some(ended.stderr)
}

#[test]
fn what_the_documents_name_is_there() {
    for (file, text) in documents() {
        let folder = file.parent().expect("a folder");
        let lost = missing(folder, &text);
        assert!(lost.is_empty(), "{}: {lost:?}", file.display());
    }
    let bad = "`scenarios/none.toml`. [Here](results/none.md), [there](README.md#nowhere), scenarios/examples/first.toml.";
    let lost = missing(&top(), bad);
    assert_eq!(
        lost,
        [
            "scenarios/none.toml",
            "results/none.md",
            "README.md#nowhere"
        ]
    );
}

#[test]
fn the_pages_of_reference_are_what_the_command_prints() {
    let lab = Lab::new();
    let scenarios = top().join("scenarios").display().to_string();
    let commands: [(&str, &[&str]); 4] = [
        ("columns", &["schema", "--columns"]),
        ("keys", &["schema", "--keys"]),
        ("command", &["man", "--markdown"]),
        (
            "scenarios",
            &["list", "--markdown", "--scenarios", &scenarios],
        ),
    ];
    for (page, command) in commands {
        let file = format!("docs/manual/reference/{page}.md");
        let text = fs::read_to_string(top().join(&file)).expect("a page");
        let printed = lab.succeed(command).stdout;
        assert!(
            text == printed,
            "{file} is old: CONTRIBUTING.md has the command that writes it"
        );
    }
    let printed = lab.succeed(&["schema", "--columns"]).stdout;
    let one = lab.succeed(&["schema", "--columns", "mashing"]).stdout;
    assert!(
        one.contains("\n    wall_us_mean  us  Mean wall time of the search of a timed trial.\n")
    );
    assert!(one.contains("ci95_low") && !one.contains("ring_ok") && printed.contains("ring_ok"));
    let ended = lab.dhtlab(&["schema", "--columns", "latency"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("possible values: network, balance"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_scenarios_in_the_documents_are_right_and_the_commands_are_understood() {
    let (mut scenarios, mut commands) = (0, 0);
    for (file, text) in documents() {
        let lab = Lab::new();
        let scenarios_of_page = blocks(&text, "toml");
        // Its commands are run by the test of the pages.
        if scenarios_of_page
            .iter()
            .any(|block| file_of(block).is_some())
        {
            continue;
        }
        for block in scenarios_of_page.into_iter().rev() {
            // The first one stays: it is what `mine.toml` in the commands means.
            lab.write("mine.toml", block.join("\n"));
            let ended = lab.dhtlab(&["check", "mine.toml"]);
            assert_eq!(ended.code, Some(0), "{}: {}", file.display(), ended.stderr);
            scenarios += 1;
        }
        for line in blocks(&text, "sh").concat() {
            if let Some(arguments) = arguments(line) {
                let refused = refusal(&lab, &arguments);
                assert_eq!(refused, None, "{}: {line}", file.display());
                commands += 1;
            }
        }
    }
    assert!(
        scenarios >= 5 && commands >= 20,
        "{scenarios} scenarios, {commands} commands"
    );
}

#[test]
fn a_wrong_command_in_a_document_is_found() {
    let lab = Lab::new();
    let refused = |line| refusal(&lab, &arguments(line).expect("a command")).is_some();
    assert!(!refused(
        "dhtlab run scenarios/examples/first.toml --jobs 2 # two at a time"
    ));
    assert!(!refused(
        "cargo run --release -- schema > dhtlab.schema.json"
    ));
    assert!(refused("dhtlab ran scenarios/examples/first.toml"));
    assert!(refused(
        "dhtlab run scenarios/examples/first.toml --sets a=b"
    ));
    assert!(refused(
        "dhtlab run scenarios/examples/first.toml --set overlay.nods=7"
    ));
    assert!(refused("dhtlab run scenarios/examples/none.toml"));
}

/// Files and commands of a page, in the order of the page.
enum Step<'a> {
    File(&'a str, String),
    Command(&'a str),
}

fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut block: Option<(&str, Vec<&str>)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut block) {
            (Some(language), None) => block = Some((language, Vec::new())),
            (Some(_), Some(_)) => match block.take() {
                Some(("sh", lines)) => steps.extend(lines.into_iter().map(Step::Command)),
                Some((_, lines)) => {
                    if let Some(name) = file_of(&lines) {
                        steps.push(Step::File(name, lines.join("\n") + "\n"));
                    }
                }
                None => {}
            },
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    steps
}

/// Runs the pages of the manual whose number leaves this `rest` when divided by four, each in a folder of its
/// own.
fn run_pages(rest: usize) {
    let mut files = pages(&top().join("docs/manual"));
    files.sort();
    let texts = files
        .iter()
        .map(|file| fs::read_to_string(file).expect("a page"));
    let with_files = files
        .iter()
        .zip(texts)
        .filter(|(_, text)| text.contains("\n# FILE: "));
    let (mut pages, mut commands) = (0, 0);
    for (_, (file, text)) in with_files
        .enumerate()
        .filter(|(place, _)| place % 4 == rest)
    {
        let lab = Lab::new();
        pages += 1;
        for step in steps(&text) {
            match step {
                Step::File(name, content) => drop(lab.write(name, content)),
                Step::Command(line) => {
                    let arguments = arguments(line).expect("a command of dhtlab");
                    let ended = lab.dhtlab(&arguments);
                    assert_eq!(
                        ended.code,
                        Some(0),
                        "{}: {line}: {}",
                        file.display(),
                        ended.stderr
                    );
                    commands += 1;
                }
            }
        }
    }
    assert!(
        pages >= 2 && commands >= 5,
        "{pages} pages, {commands} commands"
    );
}

#[test]
fn a_quarter_of_the_manual_runs() {
    run_pages(0);
}

#[test]
fn a_second_quarter_of_the_manual_runs() {
    run_pages(1);
}

#[test]
fn a_third_quarter_of_the_manual_runs() {
    run_pages(2);
}

#[test]
fn a_last_quarter_of_the_manual_runs() {
    run_pages(3);
}
