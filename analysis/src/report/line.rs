//! One line of the report: a published value, the measured one, and the result of comparing them.

use crate::figure::label;

use super::claims::{Claim, ClaimReading, Comparison, Filter, Quantity};
use super::folder::Folder;
use super::location::{Absent, ValueLocation};
use super::measure::{self, Estimate, Found};
use super::point::normal_interval;
use super::power::{Mutation, Power};
use super::published::{COUNTED_IN, Published, Value, admits};
use super::rule::{allowance, distance, error_as_published, name_of, without_error};
use super::verdict::{Allowance, MeasuredValue, Verdict, is_within, verdict};

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
    /// What the value adds to the power of its claim.
    pub power: Power,
    /// Why the published value is in doubt.
    pub doubt: Option<String>,
    /// The claim that counts the same published value.
    pub counted_in: Option<String>,
    /// A further note.
    pub note: Option<String>,
    /// The place of the value on the system's card of the first screen.
    pub card: Option<usize>,
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
    pub fn improve(&mut self, other: &Self) {
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

/// The published value times `factor`.
fn times(value: &Value, factor: f64) -> Value {
    Value {
        number: factor * value.number,
        ..value.clone()
    }
}

/// The columns that identify points.
pub fn identity<'a>(
    claim: &'a Claim,
    published: &'a Published,
) -> impl Iterator<Item = &'a String> {
    published.columns().iter().filter(|column| {
        column.contains('.') || claim.at.contains(column) || claim.label.contains(column)
    })
}

/// One reading of a claim, and its results.
pub struct Side<'a> {
    pub claim: &'a Claim,
    pub reading: &'a ClaimReading,
    pub published: &'a Published,
    pub folder: &'a Folder,
}

impl Side<'_> {
    /// The line of `points[place]`.
    pub fn line(&self, points: &[Vec<usize>], place: usize, quantity: &Quantity) -> Line {
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
            power: Power::default(),
            doubt: value.as_ref().and_then(|value| value.doubt.clone()),
            counted_in: [
                COUNTED_IN.to_owned(),
                format!("{}_{COUNTED_IN}", quantity.column),
            ]
            .iter()
            .map(|column| published.text(row, column))
            .find(|claim| !claim.is_empty())
            .map(str::to_owned)
            .or_else(|| quantity.counted_in.clone())
            .map(|id| match id == claim.id {
                true => "this claim by the value from which it follows".to_owned(),
                false => id,
            }),
            note: None,
            card: None,
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
                let mut withheld = withheld.filter(|one| self.selects(&one.filter, row, quantity));
                line.outcome = match (stale, withheld.next(), judged) {
                    (Some(why), ..) => ComparisonResult::Stale(why),
                    (None, Some(reason), _) => ComparisonResult::Unjudged(reason.text.clone()),
                    (None, None, None) => ComparisonResult::Unjudged(without_error(&estimate)),
                    (None, None, Some((allowance, verdict))) => {
                        line.distance = distance(estimate.mean, &value, rule, allowance);
                        if rule.compare == Comparison::Equals && verdict != Verdict::InDoubt {
                            let doubled = self.judged(&times(&value, 2.0), &estimate, quantity);
                            let within = is_within(estimate.mean, 2.0 * value.number, allowance);
                            let agrees =
                                doubled.is_some_and(|(_, doubled)| doubled == Verdict::Agrees);
                            if value.number != 0.0 {
                                let is_undecided = verdict == Verdict::Undecided;
                                line.power.judge(within && is_undecided, agrees);
                            }
                        }
                        if rule.compare == Comparison::Equals && verdict == Verdict::Agrees {
                            let most = estimate.range.high;
                            for (mutation, value) in
                                self.changed(points, place, (&value, most), quantity)
                            {
                                let judged = self.judged(&value, &estimate, quantity);
                                let agrees =
                                    judged.is_some_and(|(_, judged)| judged == Verdict::Agrees);
                                line.power.change(mutation, agrees);
                            }
                        }
                        ComparisonResult::Judged(verdict)
                    }
                };
                let interval = estimate.interval.or_else(|| {
                    let error = error_as_published(&value, &estimate)?;
                    Some(estimate.range.clip(normal_interval(estimate.mean, error)))
                });
                line.measured = Some(Estimate {
                    interval,
                    ..estimate
                });
            }
        }
        if line.outcome.needs_reason() {
            let all = self.reading.explanation.iter().enumerate();
            line.explanations = all
                .filter(|(_, explanation)| self.selects(&explanation.filter, row, quantity))
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
        let measured = MeasuredValue {
            mean: estimate.mean,
            interval: estimate.interval,
            most: estimate.range.high,
        };
        let doubted = value.doubt.is_some();
        let verdict = verdict(measured, value.number, rule.compare, allowance, doubted);
        Some((allowance, verdict))
    }

    /// Other numbers in place of `value`, that of `points[place]`, which is at most `most`.
    fn changed(
        &self,
        points: &[Vec<usize>],
        place: usize,
        (value, most): (&Value, f64),
        quantity: &Quantity,
    ) -> Vec<(Mutation, Value)> {
        let lacks = most - value.number;
        let failures = (lacks > 0.0 && lacks < value.number).then(|| Value {
            number: most - 2.0 * lacks,
            ..value.clone()
        });
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
            (Mutation::Quarter, Some(times(value, 1.25))),
            (Mutation::Double, Some(times(value, 2.0))),
            (Mutation::Failures, failures),
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

    /// Whether `filter` admits the row and the column of the quantity.
    pub fn selects(&self, filter: &Filter, row: usize, quantity: &Quantity) -> bool {
        filter.iter().all(|(column, wanted)| {
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
