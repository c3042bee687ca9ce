//! The report as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use super::compare::{ClaimResult, ReadingResult};
use super::folder::Folder;
use super::power::Mutation;
use super::provenance::{Provenance, address};
use super::{Count, FIGURES, POWER, Report, opening, text};

/// The whole page.
pub fn page(report: &Report<'_>) -> String {
    let mut page = format!("# {}\n\n{}\n\n", text::TITLE, text::ABOUT);
    opening(&mut page, report);
    page.push_str("## Verdicts\n\n");
    for sentence in text::summary(report) {
        let _ = writeln!(page, "* {}", text(&sentence));
    }
    page.push_str("\n[report.html](report.html) has all values and figures on one page.\n\n");
    counts(&mut page, report);
    disagreements(&mut page, report);
    powers(&mut page, report);
    page.push_str("## Terms\n\n");
    for (word, meaning) in text::MEANINGS {
        let _ = writeln!(page, "* **{word}**: {}", text(meaning));
    }
    page.push_str("\n## Origin of the results\n\n| | |\n|---|---|\n");
    for (name, value) in text::origin(report) {
        let value = match name.as_str() {
            "command" => format!("`{value}`"),
            _ => text(&value),
        };
        let _ = writeln!(page, "| {name} | {value} |");
    }
    page.push('\n');
    for chapter in &report.chapters {
        let _ = write!(
            page,
            "<a id=\"{}\"></a>\n## {}\n\n{}\n\n",
            chapter.id,
            text(&chapter.title),
            text(&chapter.source)
        );
        for claim in &chapter.claims {
            self::claim(&mut page, report, claim);
        }
        if !chapter.not_covered.is_empty() {
            page.push_str("**Published, but not reproduced by a scenario:**\n\n");
            for entry in &chapter.not_covered {
                let _ = writeln!(page, "* {}", text(&text::not_covered(entry)));
            }
            page.push('\n');
        }
    }
    unclaimed(&mut page, report);
    states(&mut page, report);
    page
}

/// What was claimed, what holds, what does not, and what cannot be known.
fn opening(page: &mut String, report: &Report<'_>) {
    page.push_str("| system | claimed | measured |\n|---|---|---|\n");
    for card in opening::cards(report) {
        let name = text(card.name);
        let name = match card.figure {
            Some(path) => format!("[{name}]({})", address(below(report, path))),
            None => name,
        };
        let values: Vec<String> = card
            .values
            .iter()
            .map(|(label, line, agrees)| {
                let value = text::measured_in_short(line);
                text(&format!(
                    "{label} {value} {}",
                    opening::outcome(line, *agrees)
                ))
            })
            .collect();
        let _ = writeln!(
            page,
            "| {name} | [{}](#{}) | {} |",
            text(card.claimed),
            card.claim.id,
            values.join("; ")
        );
    }
    page.push('\n');
    for list in opening::lists(report) {
        let entries: Vec<String> = list
            .entries
            .iter()
            .map(|(anchor, title, remark)| {
                let link = format!("[{}](#{anchor})", text(title));
                if remark.is_empty() {
                    link
                } else {
                    format!("{link} ({})", text(remark))
                }
            })
            .collect();
        let _ = writeln!(
            page,
            "* **{}**: {}. {}",
            list.title,
            list.counted,
            entries.join("; ")
        );
    }
    let _ = write!(page, "\n{}\n\n", opening::NOTE);
}

fn counts(page: &mut String, report: &Report<'_>) {
    let sources = text::by_source(report).into_iter();
    table(
        page,
        &["source"],
        sources.map(|(name, _, count)| (vec![text(name)], count)),
    );
    let readings = text::by_reading(report).into_iter();
    table(
        page,
        &["reading"],
        readings.map(|(name, count)| (vec![text(&name)], count)),
    );
}

/// A table of outcomes, each row with the cells before them.
fn table(page: &mut String, first: &[&str], rows: impl Iterator<Item = (Vec<String>, Count)>) {
    let names = Count::default().columns().map(|(name, _)| name);
    let _ = writeln!(page, "| {} | {} |", first.join(" | "), names.join(" | "));
    let _ = writeln!(
        page,
        "|{}{}",
        "---|".repeat(first.len()),
        "--:|".repeat(names.len())
    );
    for (cells, count) in rows {
        let numbers = count.columns().map(|(_, number)| number.to_string());
        let _ = writeln!(page, "| {} | {} |", cells.join(" | "), numbers.join(" | "));
    }
    page.push('\n');
}

fn disagreements(page: &mut String, report: &Report<'_>) {
    let disagreements = text::disagreements(report);
    if disagreements.is_empty() {
        return;
    }
    page.push_str("## Claims with values that do not agree\n\n");
    let rows = disagreements.into_iter().map(|(claim, reading, count)| {
        let link = format!("[{}](#{})", text(&claim.title), claim.id);
        let reading = format!("{}, `{}`", text(&reading.name), reading.scenario);
        (vec![link, reading], count)
    });
    table(page, &["claim", "reading"], rows);
}

/// The claims of which many changed values still agree.
fn powers(page: &mut String, report: &Report<'_>) {
    if text::powers(report).is_empty() {
        return;
    }
    let _ = write!(
        page,
        "## Power\n\nClaims of which more than {:.0} % of the values that agree still do if the published \
         one is multiplied by 1.25 ([all claims]({})).\n\n",
        100.0 * text::MOST_QUARTERS,
        POWER
    );
    power_table(page, text::weak_powers(report), "");
}

/// The page with the power of each claim.
pub fn power_page(report: &Report<'_>) -> String {
    let mut page =
        "# Power\n\nThe values that agree, and the share of them that still does if the published \
                    one is changed.\n\n"
            .to_owned();
    power_table(&mut page, text::powers(report), "REPORT.md");
    page
}

fn power_table(page: &mut String, rows: Vec<(&ClaimResult, [String; 5], usize)>, root: &str) {
    let names = Mutation::ALL.map(Mutation::name);
    let _ = writeln!(
        page,
        "| claim | values | {} |\n|---|{}",
        names.join(" | "),
        "--:|".repeat(1 + names.len())
    );
    for (claim, shares, changed) in rows {
        let (title, shares) = (text(&claim.title), shares.join(" | "));
        let _ = writeln!(
            page,
            "| [{title}]({root}#{}) | {changed} | {shares} |",
            claim.id
        );
    }
    page.push('\n');
}

/// The outcome of a claim, with a link to its page.
fn claim(page: &mut String, report: &Report<'_>, claim: &ClaimResult) {
    let title = text(&claim.title);
    let title = match claim.has_page() {
        true => format!("[{title}]({})", claim.file()),
        false => title,
    };
    let _ = write!(
        page,
        "<a id=\"{}\"></a>\n### {title}\n\n*{}* {}\n\n",
        claim.id,
        text(&format!("{}.", claim.place)),
        text(&claim.says)
    );
    for reading in &claim.readings {
        let _ = writeln!(
            page,
            "* {}, by {}: {}",
            text(&reading.name),
            scenario_link(report, &reading.scenario, ""),
            text::counted(&Count::of(&reading.lines))
        );
    }
    page.push('\n');
}

/// The page of a claim: its values, rules, explanations and figures.
pub fn claim_page(report: &Report<'_>, claim: &ClaimResult) -> String {
    let mut page = format!(
        "# {}\n\n*{}* {}\n\nValues: {}\n\n[All claims and the terms](../REPORT.md#{})\n\n",
        text(&claim.title),
        text(&format!("{}.", claim.place)),
        text(&claim.says),
        text(&claim.source),
        claim.id
    );
    for reading in &claim.readings {
        self::reading(&mut page, report, reading);
    }
    page
}

fn reading(page: &mut String, report: &Report<'_>, reading: &ReadingResult) {
    let count = Count::of(&reading.lines);
    let scenario = &reading.scenario;
    let provenance = Provenance::of(report, scenario, &reading.tables);
    let _ = write!(
        page,
        "**{}** ({}): {}.\n\nScenario {}: `{}`",
        text(&capitalised(&reading.name)),
        text(report.title(scenario)),
        text::counted(&count),
        scenario_link(report, scenario, "../"),
        provenance.command
    );
    if let Some(seeds) = &provenance.seeds {
        let _ = write!(page, ", {seeds}");
    }
    for (address, name) in &provenance.tables {
        let _ = write!(page, ", [{name}](../{address})");
    }
    page.push_str(".\n\n");
    if let Some(few) = text::few_runs(reading) {
        let _ = write!(page, "{}\n\n", text(&few));
    }
    for rule in text::rules(reading) {
        let _ = write!(page, "{}\n\n", text(&rule));
    }
    let _ = writeln!(
        page,
        "| {} | published | measured | difference | verdict | n | 95 % interval |",
        text(text::quantity(reading).unwrap_or("value"))
    );
    page.push_str("|---|--:|--:|--:|---|--:|---|\n");
    for line in &reading.lines {
        let mut verdict = text::outcome(&line.outcome);
        let remarks = text::remarks(line);
        if !remarks.is_empty() {
            let _ = write!(verdict, " ({})", remarks.join("; "));
        }
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} |",
            text(&text::point(reading, line)),
            text(&line.published),
            text::measured(line),
            line.distance,
            text(&verdict),
            text::number_of_runs(line),
            text::interval(line)
        );
    }
    page.push('\n');
    for (letter, kind, explanation) in text::explanations(reading) {
        let _ = write!(page, "({letter}, {kind}) {}\n\n", text(explanation));
    }
    figures(page, report, "../", reading.figures.iter());
    if !reading.shown_before.is_empty() {
        let links: Vec<String> = reading
            .shown_before
            .iter()
            .map(|id| format!("[{id}]({id}.md)"))
            .collect();
        let _ = write!(page, "Figures of other claims: {}.\n\n", links.join(", "));
    }
}

/// The scenario with a link to its file, on a page from which `root` leads to the report.
fn scenario_link(report: &Report<'_>, scenario: &str, root: &str) -> String {
    match Provenance::of(report, scenario, &BTreeSet::new()).file {
        Some(file) => format!("[{scenario}]({root}{file})"),
        None => format!("`{scenario}`"),
    }
}

/// A file as seen from the report.
fn below<'a>(report: &Report<'_>, path: &'a Path) -> &'a Path {
    path.strip_prefix(report.directory).unwrap_or(path)
}

/// Figures on a page below `root`, the folder of the results.
fn figures<'a>(
    page: &mut String,
    report: &Report<'_>,
    root: &str,
    figures: impl Iterator<Item = &'a (String, std::path::PathBuf)>,
) {
    let mut any = false;
    for (name, path) in figures {
        let target = address(below(report, path));
        let _ = writeln!(page, "![{}]({root}{target})", text(name));
        any = true;
    }
    if any {
        page.push('\n');
    }
}

/// The page with links to all figures, by scenario.
pub fn figures_page(report: &Report<'_>) -> String {
    let mut page = "# Figures\n\nAll figures of the results, by scenario.\n\n".to_owned();
    for (name, folder) in &report.folders {
        let figures = folder.results().map_or(&[][..], |results| &results.figures);
        if figures.is_empty() {
            continue;
        }
        let title = text(report.title(name));
        let _ = writeln!(page, "* {title} ({})", scenario_link(report, name, ""));
        for (figure, path) in figures {
            let target = address(below(report, path));
            let _ = writeln!(page, "  * [{}]({target})", text(figure));
        }
    }
    page
}

fn unclaimed(page: &mut String, report: &Report<'_>) {
    if report.unclaimed.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "## Scenarios without published numbers\n\nEach with the first of its [figures]({FIGURES}), in the folder of its name.\n\n"
    );
    for name in &report.unclaimed {
        let results = report.folders.get(name).and_then(Folder::results);
        let figures = results.map_or(&[][..], |results| &results.figures);
        let title = text(report.title(name));
        let _ = match figures.first() {
            Some((_, path)) => {
                let first = address(below(report, path));
                writeln!(page, "* [{title}]({first})")
            }
            None => writeln!(page, "* {title} (`{name}`)"),
        };
    }
    page.push('\n');
}

fn states(page: &mut String, report: &Report<'_>) {
    page.push_str("<a id=\"state\"></a>\n## State of the results\n\n");
    page.push_str("| scenario | repetitions | runs | commit | state |\n");
    page.push_str("|---|--:|--:|---|---|\n");
    for (name, folder) in &report.folders {
        let state = text(&text::state(folder));
        let Some(results) = folder.results() else {
            let _ = writeln!(page, "| {name} | | | | {state} |");
            continue;
        };
        let facts = &results.facts;
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {state} |",
            facts.repetitions,
            results.runs.len(),
            text(facts.commit.as_deref().unwrap_or("not known")),
        );
    }
}

fn capitalised(words: &str) -> String {
    let mut rest = words.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + rest.as_str()
}

/// Escapes the characters with a meaning in Markdown.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '|' | '*' | '`' | '[' | ']' | '\\' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_markdown_would_take_for_its_own_is_escaped() {
        assert_eq!(text("a|b <c> & *d*"), "a\\|b &lt;c> &amp; \\*d\\*");
        assert_eq!(text("two\nlines"), "two lines");
        assert_eq!(capitalised("as coded"), "As coded");
    }
}
