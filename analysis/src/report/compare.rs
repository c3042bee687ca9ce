//! Compares results with claims: from claims and folders to the lines of the report.

use std::collections::{BTreeMap, BTreeSet};

use crate::figure::label;
use dhtlab_format::Error;

use super::claims::{Claim, Comparison, Explanation, Filter, Quantity, Reading, System};
use super::folder::{Folder, State};
use super::location::{Absent, ValueLocation};
use super::measure::{self, Estimate, Found};
use super::power::{Mutation, Power};
use super::published::{Published, Value, admits};
use super::rule::{allowance, distance, name_of, rules, without_error};
use super::verdict::{Allowance, Measured, Verdict, verdict};
use super::{CLAIMS, Count};

/// A chapter of the report.
#[derive(Debug)]
pub struct Chapter {
    /// The anchor.
    pub id: String,
    /// The title.
    pub title: String,
    /// The sources.
    pub source: String,
    /// Its claims.
    pub claims: Vec<ClaimResult>,
    /// Published values without a scenario: what they are, why, and their number of rows, if in a
    /// file.
    pub not_covered: Vec<(String, String, Option<usize>)>,
}

/// A claim with its comparison.
#[derive(Debug)]
pub struct ClaimResult {
    /// The anchor.
    pub id: String,
    /// The title.
    pub title: String,
    /// The location in the source.
    pub place: String,
    /// The statement of the source.
    pub says: String,
    /// The origin of the values.
    pub source: String,
    /// Whether its values are of a published program that was run again, and not of the source.
    pub rerun: bool,
    /// Its published values, each once, with its best outcome over the readings.
    pub values: Count,
    /// How many values still agree if the published one is changed.
    pub power: Power,
    /// Its readings.
    pub readings: Vec<ReadingResult>,
}

impl ClaimResult {
    /// Its page, relative to the report.
    pub fn file(&self) -> String {
        format!("{CLAIMS}/{}.md", self.id)
    }

    /// Whether there are results for it, and so a page.
    pub fn has_page(&self) -> bool {
        self.readings.iter().any(|reading| reading.has_results)
    }
}

/// A reading of a claim with its comparison.
#[derive(Debug)]
pub struct ReadingResult {
    /// Its name.
    pub name: String,
    /// The scenario.
    pub scenario: String,
    /// Whether it has results, even if they cannot be read.
    pub has_results: bool,
    /// The rules in words, each with the names of its values.
    pub rules: Vec<(Vec<String>, String)>,
    /// One line per value.
    pub lines: Vec<Line>,
    /// The explanations, each with its number of lines and the scenario that shows it.
    pub explanations: Vec<(String, usize, Option<String>)>,
    /// The figures that are first shown here: title and path.
    pub figures: Vec<(String, std::path::PathBuf)>,
    /// Figures shown in an earlier reading: the anchor of its claim.
    pub shown_before: BTreeSet<String>,
}

/// A published value and the measured one.
#[derive(Debug)]
pub struct Line {
    /// The row.
    pub point: String,
    /// The value in the row.
    pub quantity: String,
    /// The published value, as printed.
    pub published: String,
    /// The measured value, if there is one.
    pub measured: Option<Estimate>,
    /// The difference of the two, in the terms of the rule.
    pub distance: String,
    /// The result of the comparison.
    pub outcome: ComparisonResult,
    /// Indices in the explanations of the reading.
    pub explanations: Vec<usize>,
    /// Changes of the published value, and whether it still agrees.
    pub mutations: Vec<(Mutation, bool)>,
    /// Why the published value is in doubt.
    pub doubt: Option<String>,
    /// A further note.
    pub note: Option<String>,
}

impl Line {
    /// Whether the values differ and nothing says why.
    pub fn is_unexplained(&self) -> bool {
        self.outcome == ComparisonResult::Judged(Verdict::Differs) && self.explanations.is_empty()
    }
}

/// The result of comparing one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComparisonResult {
    /// A verdict.
    Judged(Verdict),
    /// Found in results that are not valid.
    Stale(String),
    /// Not found although expected.
    Missing(String),
    /// The results have other parameters.
    NotRun(String),
    /// Not judged, with the reason.
    Unjudged(String),
    /// The source has no number here.
    NotPublished,
}

impl ComparisonResult {
    /// Whether an explanation may be given.
    fn needs_reason(&self) -> bool {
        matches!(
            self,
            Self::Judged(Verdict::Undecided | Verdict::Differs | Verdict::InDoubt)
        )
    }

    /// Takes the outcome of another reading if it is better. A published value in doubt stays so.
    fn improve(&mut self, other: &Self) {
        let rank = |outcome: &Self| match outcome {
            Self::Judged(Verdict::InDoubt) => 0,
            Self::Judged(Verdict::Agrees) => 1,
            Self::Judged(Verdict::WithinBound) => 2,
            Self::Judged(Verdict::Undecided) => 3,
            Self::Judged(Verdict::Differs) => 4,
            _ => 5,
        };
        if rank(other) < rank(self) {
            self.clone_from(other);
        }
    }
}

/// The scenarios of all claims, with the required long tables.
pub fn scenarios(systems: &[System]) -> BTreeMap<String, BTreeSet<String>> {
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for claim in systems.iter().flat_map(|system| &system.claim) {
        for reading in &claim.reading {
            let wanted = tables.entry(reading.scenario.clone()).or_default();
            let named = claim.values_of(reading).iter();
            wanted.extend(named.filter_map(|quantity| quantity.table.clone()));
        }
    }
    tables
}

/// Compares all claims of `systems` with the results in `folders`.
///
/// # Errors
/// Those of the built-in tables.
pub fn compare(
    systems: &[System],
    folders: &BTreeMap<String, Folder>,
) -> Result<Vec<Chapter>, Error> {
    let mut shown = BTreeMap::new();
    let mut chapters = Vec::new();
    for system in systems {
        let mut claims = Vec::new();
        for claim in &system.claim {
            claims.push(compare_claim(claim, folders, &mut shown)?);
        }
        let mut not_covered = Vec::new();
        for entry in &system.not_covered {
            let rows = match &entry.published {
                None => None,
                Some(name) => Some(Published::read(name)?.rows(&entry.rows).len()),
            };
            not_covered.push((entry.what.clone(), entry.why.clone(), rows));
        }
        chapters.push(Chapter {
            id: system.id.clone(),
            title: system.title.clone(),
            source: system.source.clone(),
            claims,
            not_covered,
        });
    }
    Ok(chapters)
}

fn compare_claim(
    claim: &Claim,
    folders: &BTreeMap<String, Folder>,
    shown: &mut BTreeMap<std::path::PathBuf, String>,
) -> Result<ClaimResult, Error> {
    let published = Published::of(claim)?;
    let mut readings = Vec::new();
    let mut best: BTreeMap<(Vec<usize>, &str), ComparisonResult> = BTreeMap::new();
    for reading in &claim.reading {
        let Some(folder) = folders.get(&reading.scenario) else {
            continue;
        };
        let values = claim.values_of(reading);
        let mut lines = Vec::new();
        let side = Side {
            claim,
            reading,
            published: &published,
            folder,
        };
        let points = points(claim, reading, &published);
        for place in 0..points.len() {
            for quantity in values {
                let line = side.line(&points, place, quantity);
                // An empty cell: the column is for other rows.
                if line.published.is_empty() {
                    continue;
                }
                if line.outcome != ComparisonResult::NotPublished {
                    best.entry((points[place].clone(), &quantity.column))
                        .and_modify(|known| known.improve(&line.outcome))
                        .or_insert_with(|| line.outcome.clone());
                }
                lines.push(line);
            }
        }
        let count = |place: usize| {
            let of = lines
                .iter()
                .filter(|line| line.explanations.contains(&place));
            of.count()
        };
        let mut held = ReadingResult {
            name: reading.name.clone(),
            scenario: reading.scenario.clone(),
            has_results: !matches!(folder.state, State::Absent),
            rules: rules(claim, values, &published),
            explanations: reading
                .explanation
                .iter()
                .enumerate()
                .map(|(place, explanation)| {
                    let (text, shown_by) = (explanation.text.clone(), explanation.shown_by.clone());
                    (text, count(place), shown_by)
                })
                .collect(),
            lines,
            figures: Vec::new(),
            shown_before: BTreeSet::new(),
        };
        let drawn = folder.results().map(|results| &results.figures);
        for (name, path) in drawn.into_iter().flatten() {
            let asked = reading.figures.as_ref();
            if asked.is_some_and(|asked| !asked.contains(name)) {
                continue;
            }
            match shown.get(path) {
                None => {
                    shown.insert(path.clone(), claim.id.clone());
                    held.figures.push((name.clone(), path.clone()));
                }
                Some(earlier) if *earlier != claim.id => {
                    held.shown_before.insert(earlier.clone());
                }
                Some(_) => {}
            }
        }
        take(&mut readings, held);
    }
    let lines = readings.iter().flat_map(|reading| &reading.lines);
    let power = Power::of(lines.flat_map(|line| line.mutations.iter().copied()));
    if power.is_lacking() {
        let lines = readings.iter_mut().flat_map(|reading| &mut reading.lines);
        let outcomes = lines.map(|line| &mut line.outcome).chain(best.values_mut());
        for outcome in
            outcomes.filter(|outcome| **outcome == ComparisonResult::Judged(Verdict::Agrees))
        {
            *outcome = ComparisonResult::Judged(Verdict::Undecided);
        }
    }
    let mut values = Count::default();
    best.values().for_each(|outcome| values.add(outcome));
    Ok(ClaimResult {
        id: claim.id.clone(),
        title: claim.title.clone(),
        place: claim.place.clone(),
        says: claim.says.clone(),
        source: published.source.clone(),
        rerun: claim.rerun,
        values,
        power,
        readings,
    })
}

/// Adds a reading to those before it. Parts of a claim with the same scenario and the same reading
/// are merged.
fn take(readings: &mut Vec<ReadingResult>, mut next: ReadingResult) {
    let same =
        |known: &&mut ReadingResult| known.name == next.name && known.scenario == next.scenario;
    let Some(known) = readings.iter_mut().find(same) else {
        readings.push(next);
        return;
    };
    let before = known.explanations.len();
    for line in &mut next.lines {
        line.explanations
            .iter_mut()
            .for_each(|place| *place += before);
    }
    known.lines.append(&mut next.lines);
    known.explanations.append(&mut next.explanations);
    known.figures.append(&mut next.figures);
    known.shown_before.append(&mut next.shown_before);
    for (names, rule) in next.rules {
        match known.rules.iter_mut().find(|(_, text)| *text == rule) {
            Some((all, _)) => all.extend(
                names
                    .into_iter()
                    .filter(|name| !all.contains(name))
                    .collect::<Vec<_>>(),
            ),
            None => known.rules.push((names, rule)),
        }
    }
}

/// The rows of each published point: one row, or the trials whose mean is taken.
fn points(claim: &Claim, reading: &Reading, published: &Published) -> Vec<Vec<usize>> {
    let rows = published.rows(&claim.rows).into_iter();
    let rows = rows.filter(|&row| published.keeps(row, &reading.rows));
    if !claim.average {
        return rows.map(|row| vec![row]).collect();
    }
    let mut points: Vec<(Vec<&str>, Vec<usize>)> = Vec::new();
    for row in rows {
        let identity: Vec<&str> = identity(claim, published)
            .map(|column| published.text(row, column))
            .collect();
        match points.iter_mut().find(|(known, _)| *known == identity) {
            Some((_, rows)) => rows.push(row),
            None => points.push((identity, vec![row])),
        }
    }
    points.into_iter().map(|(_, rows)| rows).collect()
}

/// The columns that identify points.
fn identity<'a>(claim: &'a Claim, published: &'a Published) -> impl Iterator<Item = &'a String> {
    published.columns().iter().filter(|column| {
        column.contains('.') || claim.at.contains(column) || claim.label.contains(column)
    })
}

/// One reading of a claim, and its results.
struct Side<'a> {
    claim: &'a Claim,
    reading: &'a Reading,
    published: &'a Published,
    folder: &'a Folder,
}

impl Side<'_> {
    /// The line of `points[place]`.
    fn line(&self, points: &[Vec<usize>], place: usize, quantity: &Quantity) -> Line {
        let (claim, published) = (self.claim, self.published);
        let rows = &points[place];
        let row = rows[0];
        let value = published.value(rows, &quantity.column);
        let text = match &value {
            Some(value) => value.text.clone(),
            None => published.text(row, &quantity.column).to_owned(),
        };
        let mut line = Line {
            point: self.point(row, quantity),
            quantity: name_of(quantity),
            published: text,
            measured: None,
            distance: String::new(),
            outcome: ComparisonResult::NotPublished,
            explanations: Vec::new(),
            mutations: Vec::new(),
            doubt: value.as_ref().and_then(|value| value.doubt.clone()),
            note: None,
        };
        let Some(value) = value else {
            return line;
        };
        let rule = claim.rule_of(quantity);
        match measure::find(self.folder, &self.place(row), quantity, rule) {
            Err(Absent::Missing(why)) => line.outcome = ComparisonResult::Missing(why),
            Err(Absent::NotRun(why)) => line.outcome = ComparisonResult::NotRun(why),
            Ok(Found {
                estimate,
                stale,
                note,
            }) => {
                line.note = note;
                let judged = self.judged(&value, &estimate, quantity);
                let withheld = self.reading.no_verdict.iter();
                let mut withheld = withheld.filter(|one| self.explains(one, row, quantity));
                line.outcome = match (stale, withheld.next(), judged) {
                    (Some(why), ..) => ComparisonResult::Stale(why),
                    (None, Some(reason), _) => ComparisonResult::Unjudged(reason.text.clone()),
                    (None, None, None) => ComparisonResult::Unjudged(without_error(&estimate)),
                    (None, None, Some((allowance, verdict))) => {
                        line.distance = distance(estimate.mean, &value, rule, allowance);
                        if rule.compare == Comparison::Equals && verdict != Verdict::InDoubt {
                            let changed = self.changed(points, place, &value, quantity);
                            let agrees = |(mutation, value): (Mutation, Value)| {
                                let judged = self.judged(&value, &estimate, quantity);
                                (
                                    mutation,
                                    judged.is_some_and(|(_, judged)| judged == Verdict::Agrees),
                                )
                            };
                            line.mutations = changed.into_iter().map(agrees).collect();
                        }
                        ComparisonResult::Judged(verdict)
                    }
                };
                line.measured = Some(estimate);
            }
        }
        if line.outcome.needs_reason() {
            let all = self.reading.explanation.iter().enumerate();
            line.explanations = all
                .filter(|(_, explanation)| self.explains(explanation, row, quantity))
                .map(|(place, _)| place)
                .collect();
        }
        line
    }

    /// The verdict on `value`, and the difference that its rule allows; `None` without a rule.
    fn judged(
        &self,
        value: &Value,
        estimate: &Estimate,
        quantity: &Quantity,
    ) -> Option<(Allowance, Verdict)> {
        let rule = self.claim.rule_of(quantity);
        let stated = self.published.tolerance(&quantity.column);
        let stated = stated.map(|(tolerance, _)| tolerance);
        let allowance = allowance(value, estimate, quantity, rule, stated)?;
        let measured = Measured {
            mean: estimate.mean,
            interval: estimate.interval,
        };
        let doubted = value.doubt.is_some();
        let verdict = verdict(measured, value.number, rule.compare, allowance, doubted);
        Some((allowance, verdict))
    }

    /// Other numbers in place of `value`, that of `points[place]`.
    fn changed(
        &self,
        points: &[Vec<usize>],
        place: usize,
        value: &Value,
        quantity: &Quantity,
    ) -> Vec<(Mutation, Value)> {
        let times = |factor: f64| Value {
            number: factor * value.number,
            ..value.clone()
        };
        let of_row = |place: usize| {
            let other = self.published.value(&points[place], &quantity.column)?;
            Some(Value {
                doubt: None,
                ..other
            })
        };
        let neighbour = if place + 1 < points.len() {
            place + 1
        } else {
            place.max(1) - 1
        };
        [
            (Mutation::Quarter, Some(times(1.25))),
            (Mutation::Double, Some(times(2.0))),
            (Mutation::Neighbour, of_row(neighbour)),
            (
                Mutation::Permuted,
                of_row((place + points.len() / 2) % points.len()),
            ),
        ]
        .into_iter()
        .filter_map(|(mutation, changed)| Some((mutation, changed?)))
        // A value that is the same, such as twice 0, is no change.
        .filter(|(_, changed)| changed.number != value.number)
        .collect()
    }

    fn explains(&self, explanation: &Explanation, row: usize, quantity: &Quantity) -> bool {
        explanation.filter.iter().all(|(column, wanted)| {
            let text = match column.as_str() {
                "column" => quantity.column.as_str(),
                column => self.published.text(row, column),
            };
            admits(wanted, text)
        })
    }

    /// The location in the results for the row.
    fn place(&self, row: usize) -> ValueLocation {
        let mut keys = Filter::new();
        let columns = self.published.columns().iter();
        for column in columns.filter(|column| column.contains('.')) {
            let text = self.published.text(row, column);
            if !text.is_empty() {
                keys.insert(column.clone(), text.into());
            }
        }
        keys.extend(self.reading.filter.clone());
        let at = self.claim.at.iter();
        ValueLocation {
            keys,
            at: at
                .map(|column| (column.clone(), self.published.text(row, column).to_owned()))
                .collect(),
        }
    }

    /// The description of the row for readers.
    fn point(&self, row: usize, quantity: &Quantity) -> String {
        let rows = self.published.rows(&self.claim.rows);
        let same = |column: &str| {
            let text = self.published.text(row, column);
            rows.len() > 1
                && rows
                    .iter()
                    .all(|&row| self.published.text(row, column) == text)
        };
        let cells = identity(self.claim, self.published)
            .map(|column| (column, self.published.text(row, column)))
            .filter(|(column, text)| !text.is_empty() && !same(column))
            .map(|(column, text)| match &quantity.quantity {
                Some(counted) if column == "value" => (counted, text),
                _ => (column, text),
            });
        let parts: Vec<String> = cells
            .map(|(column, text)| match text {
                // A flag is described by its name.
                "true" => label::readable(column.rsplit('.').next().unwrap_or(column)),
                "false" => {
                    let short = column.rsplit('.').next().unwrap_or(column);
                    format!("not {}", label::readable(short))
                }
                text => label::value_of(column, text),
            })
            .collect();
        parts.join(", ")
    }
}
