//! The location of a value in the results: rows of a table.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::figure::select::{differing, same, text_of};
use crate::table::Table;

use super::claims::Filter;
use super::folder::Results;
use super::published::admits;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// The required runs are missing.
    Missing(String),
    /// The results have other parameters than the published value.
    NotRun(String),
}

/// The location of a value: keys of the scenario, and columns of a long table.
#[derive(Debug, Clone, Default)]
pub struct ValueLocation {
    /// Keys of the scenario.
    pub keys: Filter,
    /// Columns of the long table.
    pub at: Vec<(String, String)>,
}

impl ValueLocation {
    /// The same location with other values for some keys.
    pub fn with(&self, others: &Filter) -> Self {
        let mut place = self.clone();
        place.keys.extend(others.clone());
        place
    }
}

/// The rows of `runs.csv` at one point of the sweep.
pub struct PointRows {
    /// Their indices in `runs.csv`.
    pub rows: Vec<usize>,
    /// The names of the runs.
    runs: BTreeSet<String>,
    /// The keys that were looked up in the sweep.
    swept: Filter,
    /// Why the rows must not be judged, if so.
    pub stale: Option<String>,
    /// A further note on the rows.
    pub note: Option<String>,
}

impl PointRows {
    /// The rows at `place`.
    ///
    /// # Errors
    /// [`Absent`] when there are none.
    pub fn select(results: &Results, place: &ValueLocation) -> Result<Self, Absent> {
        let mut swept = Filter::new();
        for (key, wanted) in &place.keys {
            if results.facts.swept.contains(key) {
                swept.insert(key.clone(), wanted.clone());
                continue;
            }
            let Some(found) = results.fixed(key) else {
                let why = format!("the scenario has no key {key}");
                return Err(Absent::NotRun(why));
            };
            if !admits(wanted, &text_of(found)) {
                let why = format!(
                    "run with {key} = {}, published for {}",
                    text_of(found),
                    text_of(wanted)
                );
                return Err(Absent::NotRun(why));
            }
        }
        let table = &results.runs;
        let rows = matching(table, &swept).map_err(Absent::Missing)?;
        let id = table.find("run").unwrap_or(0);
        let is_foreign = |row: &usize| results.foreign.contains(table.text(*row, id));
        let (foreign, own): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(is_foreign);
        let mut stale = results.stale("runs");
        let rows = if own.is_empty() { foreign } else { own };
        if rows.iter().any(is_foreign) {
            stale.get_or_insert_with(|| "the scenario has changed since these runs".to_owned());
        }
        let planned = planned(results, &swept);
        if rows.is_empty() {
            return Err(match planned {
                None => Absent::Missing("no run at this point".to_owned()),
                Some(0) => Absent::NotRun("not a point of this sweep".to_owned()),
                Some(planned) => Absent::Missing(format!("{planned} runs are missing")),
            });
        }
        for key in results
            .facts
            .swept
            .iter()
            .filter(|key| !swept.contains_key(*key))
        {
            let column = table.find(key).unwrap_or(0);
            if let Some((one, other)) = differing(table, &rows, column) {
                let why = format!("{key} is swept, and {one} and {other} fall together");
                return Err(Absent::Missing(why));
            }
        }
        let note = planned
            .filter(|planned| *planned > rows.len() && stale.is_none())
            .map(|planned| format!("{} of {planned} runs", rows.len()));
        let runs = rows.iter().map(|&row| table.text(row, id).to_owned());
        Ok(Self {
            runs: runs.collect(),
            rows,
            swept,
            stale,
            note,
        })
    }

    /// The rows of a long table that belong to these runs, this point and the columns in
    /// `place.at`. If there are none in an unchanged table, the runs had other parameters, such as
    /// fewer cycles.
    ///
    /// # Errors
    /// [`Absent`] when there are none.
    pub fn in_table(
        &self,
        table: &Table,
        place: &ValueLocation,
        stale: Option<&String>,
    ) -> Result<Vec<usize>, Absent> {
        let mut columns = Vec::new();
        for (name, text) in &place.at {
            let Some(column) = table.find(name) else {
                return Err(Absent::Missing(format!("there is no column {name}")));
            };
            columns.push((column, text));
        }
        let mut rows = self.of_point(table).map_err(Absent::Missing)?;
        rows.retain(|&row| {
            columns
                .iter()
                .all(|&(column, text)| same(text, table.text(row, column)))
        });
        if rows.is_empty() {
            let at: Vec<String> = place
                .at
                .iter()
                .map(|(name, text)| format!("{name} = {text}"))
                .collect();
            let why = format!("no rows at {}", at.join(", "));
            return Err(match stale {
                Some(_) => Absent::Missing(why),
                None => Absent::NotRun(why),
            });
        }
        Ok(rows)
    }

    /// The rows of a long table that belong to these runs and this point.
    pub fn of_point(&self, table: &Table) -> Result<Vec<usize>, String> {
        let Some(id) = table.find("run") else {
            return Err("there is no column run".to_owned());
        };
        let mut rows = matching(table, &self.swept)?;
        rows.retain(|&row| self.runs.contains(table.text(row, id)));
        Ok(rows)
    }

    /// The given number, or that of a key of the scenario.
    pub fn number(&self, results: &Results, given: &Value) -> Option<f64> {
        let Value::String(key) = given else {
            return given.as_f64();
        };
        if !results.facts.swept.contains(key) {
            return results.fixed(key)?.as_f64();
        }
        let column = results.runs.find(key)?;
        results.runs.number(*self.rows.first()?, column).ok()?
    }
}

/// Number of runs that the scenario has at the points with the `swept` keys, if known.
fn planned(results: &Results, swept: &Filter) -> Option<usize> {
    let (form, _) = results.form.as_ref()?;
    let at = |point: &[String]| {
        swept.iter().all(|(key, wanted)| {
            let place = form.swept.iter().position(|known| known == key);
            place.is_some_and(|place| admits(wanted, &point[place]))
        })
    };
    let points: Vec<bool> = form.points.iter().map(|point| at(point)).collect();
    Some(form.runs.iter().filter(|(_, point)| points[*point]).count())
}

fn matching(table: &Table, filter: &Filter) -> Result<Vec<usize>, String> {
    let mut columns = Vec::new();
    for (key, wanted) in filter {
        let Some(column) = table.find(key) else {
            return Err(format!("there is no column {key}"));
        };
        columns.push((column, wanted));
    }
    let keeps = |row: &usize| {
        columns
            .iter()
            .all(|&(column, wanted)| admits(wanted, table.text(*row, column)))
    };
    Ok((0..table.len()).filter(keeps).collect())
}
