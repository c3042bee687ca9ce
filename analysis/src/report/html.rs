//! The report as one self-contained HTML page with styles and figures.

use std::collections::BTreeSet;
use std::path::PathBuf;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::compare::{Chapter, ClaimResult, ReadingResult};
use super::folder::Folder;
use super::power::Mutation;
use super::provenance::{self, Provenance};
use super::{Count, Report, drawing, opening, text};

/// The whole page.
pub fn page(report: &Report<'_>) -> String {
    let mut text = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (text::TITLE) " · dhtlab" }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                header {
                    h1 { (text::TITLE) }
                    p { (text::ABOUT) }
                    (cards(report))
                    (lists(report))
                    p.source { (opening::NOTE) }
                }
                (contents(report))
                main {
                    section id="verdicts" {
                        h2 { "Verdicts" }
                        (summary(report))
                    }
                    (disagreements(report))
                    (powers(report))
                    section id="how-to-read" {
                        h2 { "Terms" }
                        dl {
                            @for (word, meaning) in text::MEANINGS {
                                dt { (word) }
                                dd { (meaning) }
                            }
                        }
                    }
                    section id="origin" {
                        h2 { "Origin of the results" }
                        div.scroll {
                            table.facts {
                                @for (name, value) in text::origin(report) {
                                    tr { th scope="row" { (name) } td { (value) } }
                                }
                            }
                        }
                    }
                    @for chapter in &report.chapters {
                        (self::chapter(report, chapter))
                    }
                    (unclaimed(report))
                    (states(report))
                }
            }
        }
    }
    .into_string();
    text.push('\n');
    text
}

/// A claim of each system, with a picture.
fn cards(report: &Report<'_>) -> Markup {
    html! {
        div.cards {
            @for card in opening::cards(report) {
                div.card {
                    @if let Some(small) = card.figure.and_then(drawing::thumbnail) { (small) }
                    b { (card.name) }
                    p { "Claimed: " a href={ "#" (card.claim.id) } { (card.claimed) } }
                    p {
                        "Measured: "
                        @for (place, (label, line, agrees)) in card.values.iter().enumerate() {
                            @if place > 0 { "; " }
                            (label) " " (text::measured_in_short(line)) " "
                            span class=(text::class(&line.outcome)) { (opening::outcome(line, *agrees)) }
                        }
                    }
                }
            }
        }
    }
}

/// What was claimed, what holds, what does not, and what cannot be known.
fn lists(report: &Report<'_>) -> Markup {
    html! {
        div.lists {
            @for list in opening::lists(report) {
                div {
                    h2 { (list.title) }
                    p.source { (list.counted) }
                    ul {
                        @for (anchor, title, remark) in &list.entries {
                            li {
                                a href={ "#" (anchor) } { (title) }
                                @if !remark.is_empty() { " " span.source { (remark) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn summary(report: &Report<'_>) -> Markup {
    let count = report.count(false);
    html! {
        ul.counts {
            li.agrees { b { (count.agree) } " agree" }
            li.bound { b { (count.within_bound) } " within a bound" }
            li.undecided { b { (count.undecided) } " not decided" }
            li.differs { b { (count.differ) } " differ" }
            li.doubt { b { (count.in_doubt) } " in doubt" }
            li.none { b { (count.unjudged()) } " without a verdict" }
        }
        @for sentence in text::summary(report) {
            p { (sentence) }
        }
        (tallies(&["source"], text::by_source(report).into_iter().map(|(name, anchor, count)| {
            let cell = match anchor {
                Some(id) => html! { td { a href={ "#" (id) } { (name) } } },
                None => html! { td { (name) } },
            };
            (cell, count)
        })))
        (tallies(&["reading"], text::by_reading(report).into_iter().map(|(name, count)| {
            (html! { td { (name) } }, count)
        })))
    }
}

/// A table of outcomes, each row with the cells before them.
fn tallies(first: &[&str], rows: impl Iterator<Item = (Markup, Count)>) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        @for name in first {
                            th scope="col" { (name) }
                        }
                        @for (name, _) in Count::default().columns() {
                            th.number scope="col" { (name) }
                        }
                    }
                }
                tbody {
                    @for (cells, count) in rows {
                        tr {
                            (cells)
                            @for (_, number) in count.columns() {
                                td.number { (number) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn contents(report: &Report<'_>) -> Markup {
    html! {
        nav aria-label="Contents" {
            details {
                summary { "Contents" }
                ol {
                    li { a href="#verdicts" { "Verdicts" } }
                    @if !text::disagreements(report).is_empty() {
                        li { a href="#what-differs" { "Claims with values that do not agree" } }
                    }
                    @if !text::powers(report).is_empty() {
                        li { a href="#power" { "Power" } }
                    }
                    li { a href="#how-to-read" { "Terms" } }
                    li { a href="#origin" { "Origin of the results" } }
                    @for chapter in &report.chapters {
                        li {
                            a href={ "#" (chapter.id) } { (chapter.title) }
                            ol {
                                @for claim in &chapter.claims {
                                    li { a href={ "#" (claim.id) } { (claim.title) } }
                                }
                            }
                        }
                    }
                    @if !report.unclaimed.is_empty() {
                        li { a href="#without-numbers" { "Scenarios without published numbers" } }
                    }
                    li { a href="#state" { "State of the results" } }
                }
            }
        }
    }
}

fn disagreements(report: &Report<'_>) -> Markup {
    let disagreements = text::disagreements(report);
    html! {
        @if !disagreements.is_empty() {
            section id="what-differs" {
                h2 { "Claims with values that do not agree" }
                (tallies(&["claim", "reading"], disagreements.into_iter().map(|(claim, reading, count)| {
                    let cells = html! {
                        td { a href={ "#" (claim.id) } { (claim.title) } }
                        td { (reading.name) ", " code { (reading.scenario) } }
                    };
                    (cells, count)
                })))
            }
        }
    }
}

/// How many changed values still agree, claim by claim.
fn powers(report: &Report<'_>) -> Markup {
    let rows = text::powers(report);
    html! {
        @if !rows.is_empty() {
            section id="power" {
                h2 { "Power" }
                p {
                    "The values that agree, and the share of them that still does if the published one is \
                     changed."
                }
                div.scroll {
                    table {
                        thead {
                            tr {
                                th scope="col" { "claim" }
                                th.number scope="col" { "values" }
                                @for mutation in Mutation::ALL {
                                    th.number scope="col" { (mutation.name()) }
                                }
                            }
                        }
                        tbody {
                            @for (claim, shares, changed) in rows {
                                tr {
                                    td { a href={ "#" (claim.id) } { (claim.title) } }
                                    td.number { (changed) }
                                    @for share in shares {
                                        td.number { (share) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn chapter(report: &Report<'_>, chapter: &Chapter) -> Markup {
    html! {
        section id=(chapter.id) {
            h2 { (chapter.title) }
            p.source { (chapter.source) }
            @for claim in &chapter.claims {
                (self::claim(report, claim))
            }
            @if !chapter.not_covered.is_empty() {
                h3 { "Published, but not reproduced by a scenario" }
                ul {
                    @for entry in &chapter.not_covered {
                        li { (text::not_covered(entry)) }
                    }
                }
            }
        }
    }
}

fn claim(report: &Report<'_>, claim: &ClaimResult) -> Markup {
    html! {
        article id=(claim.id) {
            h3 { (claim.title) }
            p { em { (claim.place) "." } " " (claim.says) }
            p.source { "Values: " (claim.source) }
            @for reading in &claim.readings {
                (self::reading(report, reading))
            }
        }
    }
}

fn reading(report: &Report<'_>, reading: &ReadingResult) -> Markup {
    let count = Count::of(&reading.lines);
    html! {
        section.reading {
            h4 { (reading.name) }
            p {
                (report.title(&reading.scenario)) ": " (text::counted(&count)) "."
            }
            (provenance(report, &reading.scenario, &reading.tables))
            @if let Some(few) = text::few_runs(reading) { p.rule { (few) } }
            @for rule in text::rules(reading) {
                p.rule { (rule) }
            }
            @if reading.lines.len() > text::LONG {
                details {
                    summary { (reading.lines.len()) " values" }
                    (lines(reading))
                }
            } @else {
                (lines(reading))
            }
            @for (letter, kind, text) in text::explanations(reading) {
                p.explanation { b { (letter) } " (" (kind) ") " (text) }
            }
            @for (_, path) in &reading.figures {
                (drawing::figure(path))
            }
            @if !reading.shown_before.is_empty() {
                p {
                    "Figures shown above:"
                    @for id in &reading.shown_before {
                        " " a href={ "#" (id) } { "there" }
                    }
                }
            }
        }
    }
}

/// The scenario, the command that runs it, its seed and its tables.
fn provenance(report: &Report<'_>, scenario: &str, tables: &BTreeSet<String>) -> Markup {
    let provenance = Provenance::of(report, scenario, tables);
    html! {
        p.source {
            "Scenario "
            @match &provenance.file {
                Some(file) => { a href=(file) { (scenario) } }
                None => { (scenario) }
            }
            ": " code { (provenance.command) }
            @if let Some(seeds) = &provenance.seeds { ", " (seeds) }
            @for (address, name) in &provenance.tables { ", " a href=(address) { (name) } }
        }
    }
}

fn lines(reading: &ReadingResult) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (text::quantity(reading).unwrap_or("value")) }
                        th.number scope="col" { "published" }
                        th.number scope="col" { "measured" }
                        th.number scope="col" { "difference" }
                        th scope="col" { "verdict" }
                        th.number scope="col" { "n" }
                        th scope="col" { "95 % interval" }
                    }
                }
                tbody {
                    @for line in &reading.lines {
                        tr {
                            td { (text::point(reading, line)) }
                            td.number { (line.published) }
                            td.number { (text::measured(line)) }
                            td.number { (line.distance) }
                            td.why {
                                span class={ "verdict " (text::class(&line.outcome)) } {
                                    (text::outcome(&line.outcome))
                                }
                                @for remark in text::remarks(line) {
                                    " " span.remark { (remark) }
                                }
                            }
                            td.number { (text::number_of_runs(line)) }
                            td.interval { (text::interval(line)) }
                        }
                    }
                }
            }
        }
    }
}

fn unclaimed(report: &Report<'_>) -> Markup {
    html! {
        @if !report.unclaimed.is_empty() {
            section id="without-numbers" {
                h2 { "Scenarios without published numbers" }
                @for name in &report.unclaimed {
                    article {
                        h3 { (report.title(name)) }
                        (provenance(report, name, &BTreeSet::from(["runs".to_owned()])))
                        ul {
                            @for (figure, path) in drawn(report, name) {
                                @let below = path.strip_prefix(report.directory).unwrap_or(path);
                                li { (drawing::link(path, &provenance::address(below), figure)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn drawn<'a>(report: &'a Report<'_>, scenario: &str) -> &'a [(String, PathBuf)] {
    let results = report.folders.get(scenario).and_then(Folder::results);
    results.map_or(&[], |results| results.figures.as_slice())
}

fn states(report: &Report<'_>) -> Markup {
    html! {
        section id="state" {
            h2 { "State of the results" }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "scenario" }
                            th.number scope="col" { "seed" }
                            th.number scope="col" { "repetitions" }
                            th.number scope="col" { "runs" }
                            th scope="col" { "version" }
                            th scope="col" { "commit" }
                            th scope="col" { "state" }
                        }
                    }
                    tbody {
                        @for (name, folder) in &report.folders {
                            tr {
                                td { (name) }
                                @match folder.results() {
                                    Some(results) => {
                                        td.number { (results.facts.seed) }
                                        td.number { (results.facts.repetitions) }
                                        td.number { (results.runs.len()) }
                                        td { (results.facts.dhtlab) }
                                        td { (results.facts.commit.as_deref().unwrap_or("not known")) }
                                    }
                                    None => { td colspan="5" {} }
                                }
                                td.state { (text::state(folder)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
