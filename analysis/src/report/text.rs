//! Texts that both forms of the report share.

use std::collections::BTreeSet;

use crate::figure::label;

use super::compare::{ClaimResult, ReadingResult};
use super::folder::{Folder, FolderState};
use super::line::{ComparisonResult, Line};
use super::measure::Estimate;
use super::power::{Mutation, Power};
use super::verdict::Verdict;
use super::{Count, Report};

/// Tables longer than this are folded.
pub const LONG: usize = 20;

/// The title of the page.
pub const TITLE: &str = "Published and measured values";

/// The purpose of the page, in a sentence.
pub const ABOUT: &str = "What papers on distributed hash tables have published, and what dhtlab measures in \
    the same experiments; each verdict is by a stated rule.";

/// The meaning of the terms on the page.
pub const MEANINGS: [(&str, &str); 10] = [
    (
        "agrees",
        "the difference is within the rule of the claim: the sampling error of both values, or a \
         tolerance with a stated reason; and neither twice nor half the published value would agree, \
         nor, near the largest possible value, twice or half of what it lacks of that. \
         An order or a growth agrees if the 95 % interval excludes the opposite, and a best point if the \
         interval has no other",
    ),
    (
        "within a bound",
        "the source gives a bound, and the 95 % interval of the measured value is on its side; as many \
         values are there, this is not counted as agreement",
    ),
    (
        "not decided",
        "the errors are so large that twice or half the published value would agree, too, or twice or \
         half of what it lacks of the largest possible one; or the \
         published value is of a single run, and the difference is more than 15 % of it but within the \
         spread of our runs; or the interval contains the opposite of an order, both sides of a bound, or \
         another point than the published best one; or the claim has no power",
    ),
    (
        "power of a claim",
        "a claim decides nothing if more than 20 % of its published values would agree doubled, counted \
         over all its readings and values, whatever they are without the change. Its values that are \
         within their rule are then not decided",
    ),
    (
        "differs",
        "the difference is not within the rule; the reason is below the table, or it is not explained",
    ),
    (
        "published value in doubt",
        "the published value is probably not the intended one: a misprint, another column, or a number \
         that cannot be checked; whether it agrees or not",
    ),
    (
        "changed values",
        "a test of the rules: how many of the values that agree still do if the published one is \
         multiplied by 1.25 or by 2, is twice as far from 1, or is replaced by that of the next row or of \
         the other half of its column. None does doubled or twice as far from 1, by the rule: such values \
         are not decided",
    ),
    (
        "stale, missing, not run",
        "no verdict: the results are from another version or scenario, or were changed after the run; \
         runs are missing; or the runs have other parameters than the published value",
    ),
    (
        "as described, as coded, sound",
        "the readings of a source: its text, the program behind its figures, and a correct \
         implementation; one published value may be compared with several. A number that a source prints \
         twice, or that follows from another, is compared in both places, and counted once",
    ),
    (
        "n, interval, se",
        "n is the number of runs times the trials per run; the interval is the 95 % confidence interval \
         of the mean, without impossible values, that of a single run if its trials vary like the published ones; for a choice among \
         points it spans those whose mean may be the same; a difference in se is in combined standard \
         errors of both values, which need at least four runs if they are estimated from the runs",
    ),
];

/// The sentences of the summary.
pub fn summary(report: &Report<'_>) -> Vec<String> {
    let count = report.count(false);
    let mut sentences = vec![format!(
        "{} published values in {} claims have a verdict, each counted once, by the reading that fits \
         best: {}.",
        count.judged(),
        report.claims().filter(|claim| !claim.rerun).count(),
        verdicts(&count)
    )];
    let reruns = report.count(true);
    if reruns.judged() > 0 {
        sentences.push(format!(
            "Values of published programs that were run again, which their sources do not print: {}.",
            verdicts(&reruns)
        ));
    }
    let comparisons = Count::of(report.readings().flat_map(|reading| &reading.lines));
    sentences.push(format!(
        "Compared with each of their readings, they give {} comparisons: {}.",
        comparisons.judged(),
        verdicts(&comparisons)
    ));
    sentences.extend(power(&report.power()));
    let without = listed(&[
        (count.stale, "stale"),
        (count.missing, "missing"),
        (count.not_run, "not run at the published parameters"),
        (
            count.without,
            "without a rule or without a published number",
        ),
    ]);
    if !without.is_empty() {
        sentences.push(format!("Without a verdict: {without}."));
    }
    if report.quick {
        sentences.push(
            "These are quick results, with small sizes and few runs, for a functional test. Most published \
             points are not run, and only those that are run at the published parameters have a \
             verdict."
                .to_owned(),
        );
    }
    let faulty = report
        .folders
        .values()
        .filter(|folder| !folder.faults().is_empty())
        .count();
    if faulty > 0 {
        sentences.push(format!(
            "The results of {faulty} scenarios are incomplete or outdated: see the state of the results."
        ));
    }
    sentences
}

/// How many values would still agree after each change, in a sentence.
fn power(power: &Power) -> Option<String> {
    let shares: Vec<String> = Mutation::ALL
        .iter()
        .filter_map(|mutation| {
            Some(format!(
                "{} ({})",
                percent(power.share(*mutation)?),
                mutation.name()
            ))
        })
        .collect();
    (!shares.is_empty()).then(|| {
        format!(
            "Of the values that agree, these still do if the published one is changed: {}. {} of {} \
             comparisons are not decided because the allowed difference contains twice the published value \
             (see the terms, and the table of power).",
            shares.join(", "),
            power.doubled_within,
            power.judged
        )
    })
}

/// The claims with values that agree, with the share that still does by [`Mutation::ALL`] and the
/// number of changed values.
pub fn powers<'a>(report: &'a Report<'_>) -> Vec<(&'a ClaimResult, [String; 5], usize)> {
    let rows = report.claims().map(|claim| {
        let share = |mutation| {
            claim
                .power
                .share(mutation)
                .map_or_else(String::new, percent)
        };
        let changed = claim.power.changed.into_iter().max().unwrap_or(0);
        (claim, Mutation::ALL.map(share), changed)
    });
    rows.filter(|(.., changed)| *changed > 0).collect()
}

fn percent(share: f64) -> String {
    format!("{} %", label::number(100.0 * share, 1))
}

/// The greatest fraction of values times 1.25 that may agree in a claim that is not listed on the first
/// page.
pub const MOST_QUARTERS: f64 = 0.15;

/// Those claims of which more values times 1.25 agree.
pub fn weak_powers<'a>(report: &'a Report<'_>) -> Vec<(&'a ClaimResult, [String; 5], usize)> {
    let is_weak = |claim: &ClaimResult| {
        let share = claim.power.share(Mutation::Quarter);
        share.is_some_and(|share| share > MOST_QUARTERS)
    };
    let mut rows = powers(report);
    rows.retain(|(claim, ..)| is_weak(claim));
    rows
}

/// The origin of the page: names and values.
pub fn origin(report: &Report<'_>) -> Vec<(String, String)> {
    let setting = report.setting;
    let commit = setting.commit.as_deref().unwrap_or("not known");
    let commits: Vec<String> = report
        .commits()
        .into_iter()
        .map(|(commit, scenarios)| format!("{commit} ({scenarios} scenarios)"))
        .collect();
    let mut seeds: Vec<u64> = report
        .folders
        .values()
        .filter_map(Folder::results)
        .map(|results| results.facts.seed)
        .collect();
    seeds.sort_unstable();
    seeds.dedup();
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let mut origin = vec![
        ("command".to_owned(), setting.command.clone()),
        ("version".to_owned(), setting.version.clone()),
        ("commit".to_owned(), commit.to_owned()),
        ("results of commit".to_owned(), commits.join(", ")),
        ("seed".to_owned(), seeds.join(", ")),
    ];
    origin.extend(setting.machine.iter().cloned());
    origin
}

/// The state of one scenario's results: runs, version, commit, and faults.
pub fn state(folder: &Folder) -> String {
    let mut parts = folder.faults();
    if let FolderState::There(results) = &folder.state {
        if parts.is_empty() {
            parts.push("whole".to_owned());
        }
        if results.unchecked {
            parts.push("no checksums: changes of long tables cannot be detected".to_owned());
        }
        match &results.form {
            Some((_, true)) => parts.push("quick form".to_owned()),
            Some((_, false)) => {}
            None => parts.push("no shipped scenario, or one that cannot be read".to_owned()),
        }
    }
    parts.join("; ")
}

/// The head of the quantity column, if a reading has one quantity.
pub fn quantity(reading: &ReadingResult) -> Option<&str> {
    let first = reading.lines.first()?.quantity.as_str();
    let all = reading.lines.iter().all(|line| line.quantity == first);
    all.then_some(first)
}

/// The row and value of a line.
pub fn point(reading: &ReadingResult, line: &Line) -> String {
    match (quantity(reading), line.point.is_empty()) {
        (_, true) => line.quantity.clone(),
        (Some(_), false) => line.point.clone(),
        (None, false) => format!("{}, {}", line.point, line.quantity),
    }
}

/// A measured value.
pub fn measured(line: &Line) -> String {
    let value = line.measured.as_ref();
    value.map_or_else(String::new, |estimate| label::rounded(estimate.mean, 5))
}

/// A measured value with its interval and its number of runs.
pub fn measured_in_short(line: &Line) -> String {
    let Some(estimate) = &line.measured else {
        return String::new();
    };
    let value = label::rounded(estimate.mean, 3);
    let n = number_of_runs(line);
    match estimate.interval {
        Some((low, high)) => {
            let ends = |digits| [low, high].map(|end| label::rounded(end, digits));
            let [low, high] = if ends(3)[0] == ends(3)[1] {
                ends(4)
            } else {
                ends(3)
            };
            format!("{value} ({low} to {high}, n = {n})")
        }
        None => format!("{value} (n = {n})"),
    }
}

/// Number of runs, times the trials in each.
pub fn number_of_runs(line: &Line) -> String {
    let text = |estimate: &Estimate| {
        if estimate.samples_a_run == 1.0 {
            estimate.n.to_string()
        } else {
            format!(
                "{} × {}",
                estimate.n,
                label::rounded(estimate.samples_a_run, 7)
            )
        }
    };
    line.measured.as_ref().map_or_else(String::new, text)
}

/// The 95 % interval, or that there is none.
pub fn interval(line: &Line) -> String {
    let Some(estimate) = &line.measured else {
        return String::new();
    };
    match estimate.interval {
        Some((low, high)) => format!("{} to {}", label::rounded(low, 4), label::rounded(high, 4)),
        None => format!("none: n = {}", estimate.n),
    }
}

/// That points of the reading have only one or two runs, and why.
pub fn few_runs(reading: &ReadingResult) -> Option<String> {
    let measured = reading
        .lines
        .iter()
        .filter_map(|line| line.measured.as_ref());
    let few: BTreeSet<usize> = measured
        .map(|estimate| estimate.n)
        .filter(|n| *n < 3)
        .collect();
    let few: Vec<String> = few.iter().map(|n| format!("n = {n}")).collect();
    let why = reading.few_runs.as_deref();
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    (!few.is_empty()).then(|| format!("{}{why}.", few.join(" or ")))
}

/// The verdict, or why there is none.
pub fn outcome(outcome: &ComparisonResult) -> String {
    match outcome {
        ComparisonResult::Judged(verdict) => verdict.name().to_owned(),
        ComparisonResult::Stale(why) => format!("stale: {why}"),
        ComparisonResult::Missing(why) => format!("missing: {why}"),
        ComparisonResult::NotRun(why) => format!("not run: {why}"),
        ComparisonResult::Unjudged(why) => format!("no verdict: {why}"),
        ComparisonResult::NotPublished => "no number in the source".to_owned(),
    }
}

/// The CSS class of an outcome.
pub fn class(outcome: &ComparisonResult) -> &'static str {
    match outcome {
        ComparisonResult::Judged(Verdict::Agrees) => "agrees",
        ComparisonResult::Judged(Verdict::Differs) => "differs",
        ComparisonResult::Judged(Verdict::InDoubt) => "doubt",
        ComparisonResult::Judged(Verdict::WithinBound) => "bound",
        ComparisonResult::Judged(Verdict::Undecided) => "undecided",
        _ => "none",
    }
}

/// The letter of an explanation: a, b, ... z, aa.
pub fn letter(place: usize) -> String {
    let last = char::from(b'a' + (place % 26) as u8);
    match place / 26 {
        0 => last.to_string(),
        rest => letter(rest - 1) + &last.to_string(),
    }
}

/// Remarks after the verdict of a line: references to explanations, doubts and notes.
pub fn remarks(line: &Line) -> Vec<String> {
    let references: Vec<String> = line
        .explanations
        .iter()
        .map(|place| letter(*place))
        .collect();
    let references = (!references.is_empty()).then(|| format!("see {}", references.join(", ")));
    references
        .into_iter()
        .chain(line.is_unexplained().then(|| "not explained".to_owned()))
        .chain(line.doubt.clone())
        .chain(
            line.counted_in
                .as_ref()
                .map(|claim| format!("counted in {claim}")),
        )
        .chain(line.note.clone())
        .collect()
}

/// How the text of an explanation begins that does not explain.
const UNEXPLAINED: &str = "Not explained.";

/// The explanations used by lines of the reading: the letter, the number of lines and what shows the
/// explanation, and its text.
pub fn explanations(reading: &ReadingResult) -> Vec<(String, String, &str)> {
    let all = reading.explanations.iter().enumerate();
    all.filter(|(_, (_, lines, _))| *lines > 0)
        .map(|(place, (text, lines, shown_by))| {
            let shown = match shown_by {
                Some(scenario) => format!(", shown by {scenario}"),
                None if text.starts_with(UNEXPLAINED) => String::new(),
                None => ", a guess that no run shows".to_owned(),
            };
            (letter(place), format!("{lines}×{shown}"), text.as_str())
        })
        .collect()
}

/// The rules of a reading in sentences.
pub fn rules(reading: &ReadingResult) -> Vec<String> {
    match reading.rules.as_slice() {
        [(_, rule)] => vec![format!("Rule: {rule}.")],
        several => several
            .iter()
            .map(|(names, rule)| format!("Rule for {}: {rule}.", names.join("; ")))
            .collect(),
    }
}

/// The verdicts, in a line.
fn verdicts(count: &Count) -> String {
    listed(&[
        (count.agree, "agree"),
        (count.within_bound, "within a bound"),
        (count.undecided, "not decided"),
        (count.differ, "differ"),
        (count.in_doubt, "in doubt"),
    ])
}

/// The outcomes of a reading's values, in a line.
pub fn counted(count: &Count) -> String {
    let without = listed(&[
        (count.stale, "stale"),
        (count.missing, "missing"),
        (count.not_run, "not run"),
        (count.without, "no verdict"),
    ]);
    let parts = [verdicts(count), without];
    let parts: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

/// The numbers above zero, each with what it counts.
fn listed(parts: &[(usize, &str)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    parts.join(", ")
}

/// The readings of claims with values that differ, are in doubt or not decided.
pub fn disagreements<'a>(
    report: &'a Report<'_>,
) -> Vec<(&'a ClaimResult, &'a ReadingResult, Count)> {
    let claims = report.chapters.iter().flat_map(|chapter| &chapter.claims);
    claims
        .flat_map(|claim| claim.readings.iter().map(move |reading| (claim, reading)))
        .map(|(claim, reading)| (claim, reading, Count::of(&reading.lines)))
        .filter(|(.., count)| count.differ + count.undecided + count.in_doubt > 0)
        .collect()
}

/// Outcomes for each reading, in the order in which readings first appear. The part after a comma
/// distinguishes readings of one kind.
pub fn by_reading(report: &Report<'_>) -> Vec<(String, Count)> {
    let mut counts: Vec<(String, Count)> = Vec::new();
    for reading in report.readings() {
        let kind = reading.name.split(',').next().unwrap_or(&reading.name);
        let place = counts.iter().position(|(name, _)| name == kind);
        let place = place.unwrap_or_else(|| {
            counts.push((kind.to_owned(), Count::default()));
            counts.len() - 1
        });
        reading
            .lines
            .iter()
            .for_each(|line| counts[place].1.add(&line.outcome));
    }
    counts
}

/// Outcomes of the published values of each chapter, each once: the name, its anchor and the number.
/// Those of programs that were run again are apart, as the last row.
pub fn by_source<'a>(report: &'a Report<'_>) -> Vec<(&'a str, Option<&'a str>, Count)> {
    let mut rows: Vec<(&str, Option<&str>, Count)> = Vec::new();
    for chapter in &report.chapters {
        let mut count = Count::default();
        let claims = chapter.claims.iter().filter(|claim| !claim.rerun);
        claims.for_each(|claim| count.merge(&claim.values));
        rows.push((&chapter.title, Some(&chapter.id), count));
    }
    let reruns = report.count(true);
    if reruns.judged() + reruns.unjudged() > 0 {
        rows.push(("published programs, run again", None, reruns));
    }
    rows
}

/// Published values without a scenario, in words.
pub fn not_covered((what, why, rows): &(String, String, Option<usize>)) -> String {
    match rows {
        None => format!("{what}: {why}"),
        Some(1) => format!("{what} (one row): {why}"),
        Some(rows) => format!("{what} ({rows} rows): {why}"),
    }
}
