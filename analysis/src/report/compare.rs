//! Compares results with claims: from claims and folders to the lines of the report.

use std::collections::{BTreeMap, BTreeSet};

use dhtlab_format::Error;

use super::claims::{Card, Claim, ClaimReading, Opening, System};
use super::folder::{Folder, FolderState};
use super::line::{ComparisonResult, Line, Side, identity};
use super::power::Power;
use super::published::Published;
use super::rule::rules;
use super::verdict::Verdict;
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
    /// What the first screen shows of it.
    pub opening: Opening,
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
    /// The tables that have its values.
    pub tables: BTreeSet<String>,
    /// Why a point has only one or two runs.
    pub few_runs: Option<String>,
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
            let card = system.opening.card.as_ref();
            let card = card.filter(|card| card.claim == claim.id);
            claims.push(compare_claim(claim, card, folders, &mut shown)?);
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
            opening: system.opening.clone(),
            not_covered,
        });
    }
    Ok(chapters)
}

fn compare_claim(
    claim: &Claim,
    card: Option<&Card>,
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
                let mut line = side.line(&points, place, quantity);
                // An empty cell: the column is for other rows.
                if line.published.is_empty() {
                    continue;
                }
                if line.outcome != ComparisonResult::NotPublished && line.counted_in.is_none() {
                    best.entry((points[place].clone(), &quantity.column))
                        .and_modify(|known| known.improve(&line.outcome))
                        .or_insert_with(|| line.outcome.clone());
                }
                line.card = card.and_then(|card| {
                    card.value.iter().position(|value| {
                        value.reading == reading.name
                            && side.selects(&value.filter, points[place][0], quantity)
                    })
                });
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
            has_results: !matches!(folder.state, FolderState::Absent),
            tables: values
                .iter()
                .map(|quantity| quantity.table.clone().unwrap_or_else(|| "runs".to_owned()))
                .collect(),
            few_runs: reading.few_runs.clone(),
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
    let mut power = Power::default();
    lines.for_each(|line| power.add(&line.power));
    if let Some(why) = power.lacking() {
        let agrees = ComparisonResult::Judged(Verdict::Agrees);
        let undecided = ComparisonResult::Judged(Verdict::Undecided);
        let lines = readings.iter_mut().flat_map(|reading| &mut reading.lines);
        for line in lines.filter(|line| line.outcome == agrees) {
            line.outcome = undecided.clone();
            line.note.get_or_insert_with(|| why.clone());
        }
        let known = best.values_mut();
        for outcome in known.filter(|outcome| **outcome == agrees) {
            *outcome = undecided.clone();
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
    known.tables.append(&mut next.tables);
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
fn points(claim: &Claim, reading: &ClaimReading, published: &Published) -> Vec<Vec<usize>> {
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
