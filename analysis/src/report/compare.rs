//! Compares results with claims: from claims and folders to the lines of the report.

use std::collections::{BTreeMap, BTreeSet};

use crate::figure::label;
use dhtlab_format::Error;

use super::claims::{Claim, Explanation, Filter, Quantity, Reading, System};
use super::folder::Folder;
use super::location::{Absent, ValueLocation};
use super::measure::{self, Estimate, Found};
use super::published::{Published, admits};
use super::rule::{allowance, distance, name_of, rules, without_error};
use super::verdict::{Verdict, verdict};

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
    /// Number of its published values.
    pub values: usize,
    /// Number of values that agree in at least one reading.
    pub agree_in_some: usize,
    /// Its readings.
    pub readings: Vec<ReadingResult>,
}

/// A reading of a claim with its comparison.
#[derive(Debug)]
pub struct ReadingResult {
    /// Its name.
    pub name: String,
    /// The scenario.
    pub scenario: String,
    /// The rules in words, each with the names of its values.
    pub rules: Vec<(Vec<String>, String)>,
    /// One line per value.
    pub lines: Vec<Line>,
    /// The explanations, each with its number of lines.
    pub explanations: Vec<(String, usize)>,
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
    /// Why the published value is in doubt.
    pub doubt: Option<String>,
    /// A further note.
    pub note: Option<String>,
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
    let mut agreeing: BTreeMap<(Vec<usize>, &str), bool> = BTreeMap::new();
    for reading in &claim.reading {
        let Some(folder) = folders.get(&reading.scenario) else {
            continue;
        };
        let values = claim.values_of(reading);
        let mut lines = Vec::new();
        for rows in points(claim, reading, &published) {
            for quantity in values {
                let line = Side {
                    claim,
                    reading,
                    published: &published,
                    folder,
                }
                .line(&rows, quantity);
                if line.outcome != ComparisonResult::NotPublished {
                    let agrees = line.outcome == ComparisonResult::Judged(Verdict::Agrees);
                    *agreeing
                        .entry((rows.clone(), &quantity.column))
                        .or_default() |= agrees;
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
            rules: rules(claim, values, &published),
            explanations: reading
                .explanation
                .iter()
                .enumerate()
                .map(|(place, explanation)| (explanation.text.clone(), count(place)))
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
    Ok(ClaimResult {
        id: claim.id.clone(),
        title: claim.title.clone(),
        place: claim.place.clone(),
        says: claim.says.clone(),
        source: published.source.clone(),
        values: agreeing.len(),
        agree_in_some: agreeing.values().filter(|agrees| **agrees).count(),
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
    fn line(&self, rows: &[usize], quantity: &Quantity) -> Line {
        let (claim, published) = (self.claim, self.published);
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
                let stated = published.tolerance(&quantity.column);
                let allowance = allowance(
                    &value,
                    &estimate,
                    quantity,
                    rule,
                    stated.map(|(one, _)| one),
                );
                let withheld = self.reading.no_verdict.iter();
                let mut withheld = withheld.filter(|one| self.explains(one, row, quantity));
                line.outcome = match (stale, withheld.next(), allowance) {
                    (Some(why), ..) => ComparisonResult::Stale(why),
                    (None, Some(reason), _) => ComparisonResult::Unjudged(reason.text.clone()),
                    (None, None, None) => ComparisonResult::Unjudged(without_error(&estimate)),
                    (None, None, Some(allowance)) => {
                        line.distance = distance(estimate.mean, &value, rule, allowance);
                        ComparisonResult::Judged(verdict(
                            estimate.mean,
                            value.number,
                            rule.compare,
                            allowance,
                            value.doubt.is_some(),
                        ))
                    }
                };
                line.measured = Some(estimate);
            }
        }
        let parts = matches!(
            line.outcome,
            ComparisonResult::Judged(Verdict::Differs | Verdict::InDoubt)
        );
        if parts {
            let all = self.reading.explanation.iter().enumerate();
            line.explanations = all
                .filter(|(_, explanation)| self.explains(explanation, row, quantity))
                .map(|(place, _)| place)
                .collect();
        }
        line
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
