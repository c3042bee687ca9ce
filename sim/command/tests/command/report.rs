//! `dhtlab report`: verdicts on existing results, and none on missing ones.

use crate::lab::{Ended, Lab};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A part of `scenarios/dgvh-errors.toml`, under its name, so that the claims about it are held
/// against its results.
const ERRORS: &str = r#"
title = "Errors of DGVH"
experiment = "delaunay"
seed = 1
repetitions = 3

[delaunay]
rule = "midpoint"
nearest = 3

[sweep]
"delaunay.nodes" = [100, 500]

[[figure]]
name = "errors"
x = "delaunay.nodes"
y = "errors"

[quick]
repetitions = 2
[quick.sweep]
"delaunay.nodes" = [100]
"#;

/// Results of that scenario, whole and of today.
fn results() -> Lab {
    let lab = Lab::new();
    lab.write("scenarios/dgvh-errors.toml", ERRORS);
    lab.succeed(&["run", "scenarios/dgvh-errors.toml"]);
    lab
}

fn report(lab: &Lab) -> (Ended, String) {
    let ended = lab.succeed(&["report"]);
    (ended, pages(lab, "results"))
}

/// The pages of the claims below `folder`, each after its anchor, and then the first page.
fn pages(lab: &Lab, folder: &str) -> String {
    let first = lab.read(&format!("{folder}/REPORT.md"));
    let entries = fs::read_dir(lab.path(&format!("{folder}/claims"))).expect("pages of claims");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    let claims = names.iter().map(|name| {
        let id = name.trim_end_matches(".md");
        let text = lab.read(&format!("{folder}/claims/{name}"));
        assert!(
            first.contains(&format!("<a id=\"{id}\"></a>\n### [")),
            "{name}"
        );
        format!("<a id=\"{id}\"></a>\n{text}\n")
    });
    claims.collect::<String>() + &first
}

/// The cells of the lines that hold a published value against something: what, published, measured,
/// difference, verdict, n, interval.
fn lines(report: &str) -> Vec<Vec<&str>> {
    // The first page has other tables.
    let claims = report.split("# Published and measured values").next();
    let claims = claims.unwrap_or(report);
    let rows = claims
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches(" |").count() == 7);
    rows.map(|line| {
        let cells = line
            .trim_start_matches('|')
            .trim_end_matches('|')
            .split(" |");
        cells.map(str::trim).collect()
    })
    .filter(|row: &Vec<&str>| row[1] != "published")
    .collect()
}

fn verdict<'a>(row: &[&'a str]) -> Option<&'a str> {
    let verdicts = [
        "agrees",
        "within the bound",
        "not decided",
        "differs",
        "published value in doubt",
    ];
    verdicts
        .into_iter()
        .find(|word| row[4].starts_with(word))
        .map(|_| row[4])
}

/// The lines of the claim with the anchor `id`.
fn lines_of<'a>(report: &'a str, id: &str) -> Vec<Vec<&'a str>> {
    let (_, rest) = report
        .split_once(&format!("<a id=\"{id}\">"))
        .unwrap_or_else(|| panic!("no claim {id}"));
    lines(rest.split("<a id=").next().unwrap_or(rest))
}

#[test]
fn what_is_there_is_judged_and_nothing_else() {
    let lab = results();
    let (ended, report) = report(&lab);
    let claim = lines_of(&report, "dgvh-errors");
    let of_100 = claim.iter().find(|row| row[0] == "nodes = 100");
    let of_100 = of_100.expect("the point of 100 nodes");
    // The mean of 0.98, 0.92, 1.02, 0.96 and 1.07.
    assert_eq!(of_100[1], "0.99");
    assert!(verdict(of_100).is_some(), "{of_100:?}");
    // Sizes that are not in the sweep, and scenarios that were not run.
    let not_run = |text: &str, row: &[&str]| row[4] == format!("not run: {text}");
    let of_1000 = claim.iter().find(|row| row[0] == "nodes = 1000");
    assert!(not_run(
        "not a point of this sweep",
        of_1000.expect("the point of 1000 nodes")
    ));
    // The other reading takes the nearest one alone, which this scenario does not.
    let other = claim.last().expect("a line");
    assert!(
        not_run("run with delaunay.nearest = 3, published for 1", other),
        "{other:?}"
    );
    // What was not run has no page.
    assert!(
        report.contains("\n### Lookups under joins and departures\n"),
        "{report}"
    );
    assert!(
        report.contains("joiners announced, by `chord-churn`: 24 missing\n"),
        "{report}"
    );
    for row in lines(&report) {
        assert_eq!(verdict(&row).is_some(), !row[3].is_empty(), "{row:?}");
    }
    assert!(
        ended.stdout.contains("results/REPORT.md"),
        "{}",
        ended.stdout
    );
    for word in [
        "| command | `dhtlab report results` |",
        "| seed | 1 |",
        "| cores |",
        "| commit |",
    ] {
        assert!(report.contains(word), "{word}");
    }
}

/// Both forms open with the same: the claim with its measured value, and what becomes of it.
#[test]
fn the_first_screen_tells_what_holds_and_what_does_not() {
    let lab = results();
    report(&lab);
    let text = lab.read("results/REPORT.md");
    let page = lab.read("results/report.html");
    let (opening, _) = text.split_once("## Verdicts").expect("an opening");
    let (screen, _) = page.split_once("</header>").expect("a first screen");
    for heading in ["Claimed", "Holds", "Does not hold", "Cannot be known"] {
        assert!(opening.contains(&format!("* **{heading}**: ")), "{heading}");
        assert!(screen.contains(&format!("<h2>{heading}</h2>")), "{heading}");
    }
    // The results are not of the 5000 nodes on the card; the lists go by what was run.
    let card = opening
        .lines()
        .find(|line| line.contains("](#dgvh-errors) |"));
    let card = card.expect("a card");
    assert!(
        card.contains("not run: not a point of this sweep"),
        "{card}"
    );
    let lists = opening.lines().filter(|line| line.starts_with("* **"));
    let lists: Vec<&str> = lists
        .filter(|line| line.contains("](#dgvh-errors)"))
        .collect();
    assert_eq!(lists.len(), 1, "{opening}");
    // What was not run is in no list.
    assert!(!opening.contains("#chord-path-length"), "{opening}");
    assert!(!screen.contains("#chord-path-length"), "{screen}");
}

/// A claim leads to its scenario, its command, its seed and its tables.
#[test]
fn a_claim_tells_how_its_values_are_made() {
    let lab = results();
    let (_, text) = report(&lab);
    let expected = "Scenario [dgvh-errors](../../scenarios/dgvh-errors.toml): \
                    `dhtlab run scenarios/dgvh-errors.toml`, seed 1, 3 runs a point, \
                    [runs.csv](../dgvh-errors/runs.csv).";
    assert!(text.contains(expected), "{text}");
    let page = lab.read("results/report.html");
    assert!(page.contains("<a href=\"../scenarios/dgvh-errors.toml\">"));
    assert!(page.contains("<a href=\"dgvh-errors/runs.csv\">"));
    check_page(&lab, "results");
    // Two runs are reported as two.
    lab.succeed(&["reproduce", "--quick"]);
    let quick = lab.read("results/quick/claims/dgvh-errors.md");
    assert!(
        quick.contains("`dhtlab run scenarios/dgvh-errors.toml --quick`, seed 1, 2 runs"),
        "{quick}"
    );
    assert!(quick.contains("\nn = 2.\n"), "{quick}");
}

#[test]
fn the_page_of_a_claim_goes_with_its_results() {
    let lab = results();
    report(&lab);
    assert!(lab.path("results/claims/dgvh-errors.md").exists());
    fs::rename(lab.path("results/dgvh-errors"), lab.path("results/other")).expect("a folder");
    lab.succeed(&["report"]);
    assert!(!lab.path("results/claims/dgvh-errors.md").exists());
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let lab = results();
    let first = (report(&lab).1, lab.read("results/report.html"));
    assert_eq!(first, (report(&lab).1, lab.read("results/report.html")));
}

/// Everything of `dgvh-errors` is without a verdict, and the state of the results says `state`.
fn without_verdict(lab: &Lab, why: &str, state: &str) {
    let (_, report) = report(lab);
    let judged: Vec<Vec<&str>> = lines(&report)
        .into_iter()
        .filter(|row| verdict(row).is_some())
        .collect();
    assert!(judged.is_empty(), "{judged:?}");
    let claim = lines_of(&report, "dgvh-errors");
    assert!(
        claim.iter().any(|row| row[4].starts_with(why)),
        "{why}: {claim:?}"
    );
    let states = report
        .lines()
        .filter(|line| line.starts_with("| dgvh-errors |"));
    let states: Vec<&str> = states.collect();
    assert!(
        states.iter().any(|line| line.contains(state)),
        "{state}: {states:?}"
    );
}

#[test]
fn an_edited_table_is_stale() {
    let lab = results();
    let runs = lab.read("results/dgvh-errors/runs.csv");
    let mut lines: Vec<&str> = runs.lines().collect();
    let cells: Vec<&str> = lines[1].split(',').collect();
    let edited = [&cells[..4], &["7"], &cells[5..]].concat().join(",");
    lines[1] = &edited;
    lab.write("results/dgvh-errors/runs.csv", lines.join("\n") + "\n");
    without_verdict(
        &lab,
        "stale: runs.csv was changed after the run",
        "edited: runs.csv was changed after the run",
    );
}

#[test]
fn a_row_that_is_gone_is_missing() {
    let lab = results();
    let runs = lab.read("results/dgvh-errors/runs.csv");
    let mut lines: Vec<&str> = runs.lines().collect();
    lines.remove(2);
    lab.write("results/dgvh-errors/runs.csv", lines.join("\n") + "\n");
    without_verdict(&lab, "stale", "missing: 1 of 6 runs");
    // A point without any row has nothing to be shown.
    let rest: Vec<&str> = runs
        .lines()
        .filter(|line| line.split(',').nth(3) != Some("100"))
        .collect();
    lab.write("results/dgvh-errors/runs.csv", rest.join("\n") + "\n");
    without_verdict(&lab, "missing: 3 runs are missing", "missing: 3 of 6 runs");
}

/// Results of fewer repetitions than the scenario has have a verdict, and are reported as fewer.
#[test]
fn runs_that_were_never_made_are_missing() {
    let lab = Lab::new();
    lab.write("scenarios/dgvh-errors.toml", ERRORS);
    lab.succeed(&["run", "scenarios/dgvh-errors.toml", "--repetitions", "2"]);
    let (_, report) = report(&lab);
    assert!(report.contains("missing: 2 of 6 runs"), "{report}");
    let claim = lines_of(&report, "dgvh-errors");
    assert!(claim[0][4].contains("2 of 3 runs"), "{:?}", claim[0]);
    assert!(verdict(&claim[0]).is_some());
}

#[test]
fn another_version_is_stale() {
    let lab = results();
    let mut manifest = lab.manifest("results/dgvh-errors");
    manifest["dhtlab"] = "0.0.1".into();
    lab.write("results/dgvh-errors/manifest.json", manifest.to_string());
    without_verdict(
        &lab,
        "stale: results of dhtlab 0.0.1",
        "stale: results of dhtlab 0.0.1",
    );
}

#[test]
fn another_scenario_is_stale() {
    let lab = results();
    lab.write(
        "scenarios/dgvh-errors.toml",
        ERRORS.replace("seed = 1", "seed = 2"),
    );
    without_verdict(
        &lab,
        "stale: the scenario has changed since these runs",
        "stale: 6 of the runs are not from the current scenario",
    );
}

#[test]
fn without_a_folder_of_scenarios_those_built_in_count() {
    let lab = results();
    fs::remove_dir_all(lab.path("scenarios")).expect("a folder");
    let (_, report) = report(&lab);
    // The runs are some of those of the shipped scenario.
    let line = &lines_of(&report, "dgvh-errors")[0];
    assert!(verdict(line).is_some(), "{line:?}");
    assert!(
        line.iter().any(|cell| cell.contains("of 20 runs")),
        "{line:?}"
    );
}

#[test]
fn broken_files_are_told_in_the_report() {
    let lab = results();
    lab.write("results/dgvh-errors/manifest.json", "{ \"dhtlab\": ");
    without_verdict(
        &lab,
        "missing: manifest.json",
        "cannot be read: manifest.json",
    );
    // A figure that is no drawing is not put on the page.
    let lab = results();
    lab.write(
        "results/dgvh-errors/errors.svg",
        "<svg><script src=\"https://example.org/x.js\"></script></svg>",
    );
    report(&lab);
    let page = lab.read("results/report.html");
    assert!(!page.contains("<script"), "a script");
    assert!(page.contains("not one that dhtlab drew"));
}

#[test]
fn what_is_no_folder_of_results_is_refused() {
    let lab = Lab::new();
    lab.write("empty/note.txt", "nothing");
    for (folder, message) in [
        ("nowhere", "nowhere: No such file or directory"),
        (
            "empty",
            "empty: no results of scenarios; run `dhtlab reproduce` first",
        ),
    ] {
        let ended = lab.dhtlab(&["report", folder]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    }
    let ended = lab.dhtlab(&["report", "empty", "--scenarios", "nowhere"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("nowhere"), "{}", ended.stderr);
    assert!(!lab.path("empty/REPORT.md").exists());
}

#[test]
fn reproduce_writes_the_report_and_says_that_it_is_quick() {
    let lab = Lab::new();
    lab.write("scenarios/dgvh-errors.toml", ERRORS);
    lab.succeed(&["reproduce", "--quick"]);
    let quick = pages(&lab, "results/quick");
    assert!(quick.contains("| command | `dhtlab reproduce --quick` |"));
    assert!(quick.contains("These are quick results"), "{quick}");
    assert!(quick.contains("quick form |"), "{quick}");
    let claim = lines_of(&quick, "dgvh-errors");
    assert!(verdict(&claim[0]).is_some(), "{:?}", claim[0]);
    let of_500 = claim.iter().find(|row| row[0].starts_with("nodes = 500"));
    assert_eq!(
        of_500.expect("a line")[4],
        "not run: not a point of this sweep"
    );
    check_page(&lab, "results/quick");
}

/// Every reference of the two pages in `folder` leads somewhere, and none of them loads anything.
fn check_page(lab: &Lab, folder: &str) {
    let page = lab.read(&format!("{folder}/report.html"));
    let values = |name: &str| -> Vec<String> {
        let marked = format!(" {name}=\"");
        let parts = page.split(&marked).skip(1);
        parts
            .map(|part| part.split('"').next().unwrap_or_default().to_owned())
            .collect()
    };
    let ids = values("id");
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "an id is there twice");
    for address in values("href") {
        let is_there = match address.strip_prefix('#') {
            Some(id) => ids.iter().any(|known| known == id),
            None => lab.path(folder).join(&address).is_file(),
        };
        assert!(is_there, "{address} leads nowhere");
    }
    assert!(values("src").is_empty());
    for word in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "@import",
        "url(http",
        "url(\"http",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    // The namespaces of SVG are names, and are not loaded.
    let addresses = page.matches("://").count();
    let namespaces = page.matches("=\"http://www.w3.org/").count();
    assert_eq!(addresses, namespaces, "an address of the network");
    assert!(page.contains("prefers-color-scheme: dark"));

    let text = lab.read(&format!("{folder}/REPORT.md"));
    let anchors: Vec<&str> = text
        .split("<a id=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next())
        .collect();
    for part in text.split("](").skip(1) {
        let address = part.split(')').next().unwrap_or_default();
        match address.strip_prefix('#') {
            Some(id) => assert!(anchors.contains(&id), "{address} leads nowhere"),
            None => {
                let path = lab.path(folder).join(address);
                assert!(path.is_file(), "{} is not there", path.display());
            }
        }
    }
}

/// The results in the repository: nothing that differs is left without an explanation, and no row
/// of a published table that a scenario runs is left out.
#[test]
fn the_committed_results_are_held_against_every_published_row() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lab = Lab::new();
    for entry in fs::read_dir(repository.join("results")).expect("results") {
        let folder = entry.expect("an entry").path();
        if !folder.join("manifest.json").is_file() {
            continue;
        }
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        for file in fs::read_dir(&folder).expect("a folder") {
            let file = file.expect("an entry").path();
            let kind = file.extension().and_then(|kind| kind.to_str());
            if kind.is_some_and(|kind| ["csv", "json", "svg"].contains(&kind)) {
                let base = file
                    .file_name()
                    .and_then(|base| base.to_str())
                    .expect("a name");
                lab.write(
                    &format!("results/{name}/{base}"),
                    fs::read(&file).expect("a file"),
                );
            }
        }
    }
    let scenarios = repository.join("scenarios");
    let scenarios = scenarios.to_str().expect("UTF-8");
    let ended = lab.succeed(&["report", "--scenarios", scenarios]);
    assert!(!ended.stderr.contains("unexplained"), "{}", ended.stderr);
    let report = pages(&lab, "results");
    let lines = lines(&report);
    let judged = lines.iter().filter(|row| verdict(row).is_some()).count();
    assert!(judged > 1700, "{judged}");
    // Each measured value has its number of runs, and an interval, but for one run without a spread.
    for row in lines.iter().filter(|row| !row[2].is_empty()) {
        assert!(!row[5].is_empty() && !row[6].is_empty(), "{row:?}");
    }
    let without = lines.iter().filter(|row| row[6] == "none: n = 1");
    assert!(without.count() <= 2);
    assert!(!lines.iter().any(|row| row[6].starts_with("none: n = 2")));
    // Each published value counts once, however many readings it has.
    let numbers = |line: &str| -> Vec<usize> {
        let words = line.split([' ', ',', ';', '.']);
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let told = numbers(ended.stdout.lines().next().expect("a line"));
    let counted: usize = told[..5].iter().sum();
    assert!(counted > 900 && counted < judged, "{told:?}");
    let said = report
        .lines()
        .find(|line| line.contains(" have a verdict, each counted once"));
    assert_eq!(numbers(said.expect("a summary"))[0], counted);
    // The rules distinguish values: few of those that are doubled or a quarter larger still agree.
    let power = report
        .lines()
        .find(|line| line.starts_with("* Of the values that agree"));
    let power = power.expect("the power of the rules");
    let share = |name: &str| -> f64 {
        let (before, _) = power.split_once(name).expect("a change");
        let share = before.trim_end_matches(" % (").rsplit(' ').next();
        share.and_then(|share| share.parse().ok()).expect("a share")
    };
    let (quarter, double) = (share("times 1.25)"), share("times 2)"));
    let failures = share("failures times 2)");
    assert!(
        quarter <= 15.0 && double <= 3.0 && failures <= 3.0,
        "{power}"
    );

    // Rows by their keys, as the report calls them, and their value.
    type Call = fn(&[&str]) -> (String, usize);
    let tables: [(&str, &str, Call); 3] = [
        ("dgvh-convergence", "dgvh-convergence.csv", |row| {
            let (rate, value) = if row[3].is_empty() {
                ("miss", 4)
            } else {
                ("hit", 3)
            };
            let name = format!(
                "dimensions = {}, nodes = {}, cycle = {}, {rate} rate",
                row[0], row[1], row[2]
            );
            (name, value)
        }),
        ("balance-churn", "balance-churn.csv", |row| {
            let name = format!("nodes = {}, tasks = {}, churn = {}", row[0], row[1], row[2]);
            (name, 3)
        }),
        ("sybil-fingers", "sybil-fingers.csv", |row| {
            let name = format!("ips = {}, nodes = {}", row[0], row[1]);
            (name, 2)
        }),
    ];
    for (claim, file, call) in tables {
        let path = repository.join("analysis/published").join(file);
        let text = fs::read_to_string(path).expect("a table");
        let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
        let held = lines_of(&report, claim);
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let (name, value) = call(&cells);
            let found = held
                .iter()
                .find(|line| line[0] == name && line[1] == cells[value]);
            assert!(
                found.is_some_and(|line| verdict(line).is_some()),
                "{claim}: {name}"
            );
        }
    }
    check_page(&lab, "results");
    check_first_screen(&lab);
}

/// Six pictures, each with a value and its interval, on a page that is not too large.
fn check_first_screen(lab: &Lab) {
    let page = lab.read("results/report.html");
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(lab.read("results/REPORT.md").len() <= 60_000);
    let (screen, _) = page.split_once("</header>").expect("a first screen");
    assert_eq!(screen.matches("<use href=").count(), 6);
    let cards: Vec<&str> = screen.split("<div class=\"card\">").skip(1).collect();
    assert_eq!(cards.len(), 6);
    for card in cards {
        assert!(card.contains(" to ") && card.contains(", n = "), "{card}");
    }
}
