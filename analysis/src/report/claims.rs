//! The claims of the sources: the built-in files `analysis/published/*.toml`.
//!
//! A file is about one system. A claim is one figure, table or statement of a source. It has
//! published values ([`Claim::published`], or [`Claim::row`] for values in the claim itself), the
//! measured quantity for each ([`Quantity`]), the rule of agreement ([`Rule`]), and one or more
//! readings, each with the scenario that runs it and explanations of the differences.
//!
//! In a table of published values, a column with a dot in its name is a key of the scenario, and
//! its cell is the value of the key; columns in [`Claim::at`] are those of a long table. All other
//! columns are values, or distinguish rows for readers. [`super::published`] describes the columns
//! and comments about the accuracy of a value.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use dhtlab_format::Error;
use dhtlab_format::figure::Names;

/// The files of claims, in the order of the report.
pub const FILES: &[(&str, &str)] = &[
    ("vhash.toml", include_str!("../../published/vhash.toml")),
    ("dgvh.toml", include_str!("../../published/dgvh.toml")),
    (
        "chordreduce.toml",
        include_str!("../../published/chordreduce.toml"),
    ),
    ("sybil.toml", include_str!("../../published/sybil.toml")),
    ("urdht.toml", include_str!("../../published/urdht.toml")),
    ("balance.toml", include_str!("../../published/balance.toml")),
    ("chord.toml", include_str!("../../published/chord.toml")),
    (
        "kademlia.toml",
        include_str!("../../published/kademlia.toml"),
    ),
    (
        "kademlia-deployed.toml",
        include_str!("../../published/kademlia-deployed.toml"),
    ),
    (
        "transport.toml",
        include_str!("../../published/transport.toml"),
    ),
];

/// Required values of keys or columns: a value, or an array of values, for each.
pub type Filter = BTreeMap<String, Value>;

/// The claims about one system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct System {
    /// A short name for anchors.
    #[serde(skip)]
    pub id: String,
    /// The title of the chapter.
    pub title: String,
    /// The sources, for readers.
    pub source: String,
    /// The claims.
    pub claim: Vec<Claim>,
    /// What the first screen of the report shows of it.
    #[serde(default)]
    pub opening: Opening,
    /// Published values that no scenario covers.
    #[serde(default)]
    pub not_covered: Vec<NotCovered>,
}

/// What the first screen of the report shows of a system.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Opening {
    /// The claims that its lists name, by their anchors.
    #[serde(default)]
    pub claims: Vec<String>,
    /// The claim with a picture.
    pub card: Option<Card>,
}

/// A claim with a picture on the first screen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Card {
    /// The short name of the system.
    pub name: String,
    /// What was claimed, in one line.
    pub claimed: String,
    /// The anchor of the claim.
    pub claim: String,
    /// The picture: scenario and name of the figure, as in `dgvh-errors/errors`.
    pub figure: String,
    /// The values that are shown.
    pub value: Vec<CardValue>,
}

/// A measured value on the first screen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CardValue {
    /// What it is, for readers.
    pub label: String,
    /// The name of the reading.
    pub reading: String,
    /// The row, by its columns; `column` is the name of the value's column.
    #[serde(default, rename = "where")]
    pub filter: Filter,
    /// What to say of it if it agrees, where the rule tests less than the claim says.
    pub agrees: Option<String>,
}

/// Published values without a scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotCovered {
    /// What the values are.
    pub what: String,
    /// Why they cannot be compared.
    pub why: String,
    /// The file with the values, if there is one.
    pub published: Option<String>,
    /// The rows of the file; default: all.
    #[serde(default)]
    pub rows: Filter,
}

/// One figure, table or statement of a source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Claim {
    /// The anchor.
    pub id: String,
    /// The title.
    pub title: String,
    /// The location in the source.
    pub place: String,
    /// The statement of the source.
    pub says: String,
    /// The file of published values in `analysis/published`.
    pub published: Option<String>,
    /// The rows of the file that belong to the claim; default: all.
    #[serde(default)]
    pub rows: Filter,
    /// Published values in the claim itself instead of a file.
    #[serde(default)]
    pub row: Vec<Map<String, Value>>,
    /// The columns of a long table, such as `cycle`.
    #[serde(default)]
    pub at: Vec<String>,
    /// Columns that distinguish rows for readers.
    #[serde(default)]
    pub label: Vec<String>,
    /// Whether rows of one point are trials, of which the mean is published.
    #[serde(default)]
    pub average: bool,
    /// The columns with values, and the measured quantity for each.
    #[serde(default)]
    pub value: Vec<Quantity>,
    /// The rule of agreement.
    #[serde(default)]
    pub rule: Rule,
    /// Whether the values are of a published program that was run again: its source does not print
    /// them, and they are counted apart.
    #[serde(default)]
    pub rerun: bool,
    /// The readings that the values are compared with.
    pub reading: Vec<ClaimReading>,
}

/// A reading of the source: as described, as coded, or sound.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClaimReading {
    /// Its name.
    pub name: String,
    /// The scenario that runs it.
    pub scenario: String,
    /// Keys of the published values, which override those of each row.
    #[serde(default, rename = "where")]
    pub filter: Filter,
    /// The rows that belong to this reading; default: all of the claim.
    #[serde(default)]
    pub rows: Filter,
    /// Values of this reading, instead of those of the claim.
    #[serde(default)]
    pub value: Vec<Quantity>,
    /// The figures of the scenario that show the reading; default: all.
    pub figures: Option<Vec<String>>,
    /// Why some values differ.
    #[serde(default)]
    pub explanation: Vec<Explanation>,
    /// Why a point has only one or two runs.
    pub few_runs: Option<String>,
    /// Why values have no verdict, such as those that a constant of the scenario is fitted to.
    #[serde(default)]
    pub no_verdict: Vec<Explanation>,
}

/// Why values differ, are in doubt, or have no verdict.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Explanation {
    /// The rows concerned, by their columns; `column` is the name of the value's column; default:
    /// all.
    #[serde(default, rename = "where")]
    pub filter: Filter,
    /// The explanation.
    pub text: String,
    /// The scenario with a run in which the cause alone changes and moves the number. Without it the
    /// explanation is a guess, and the report says so.
    pub shown_by: Option<String>,
}

/// The measured quantity of a published value, and the rule of agreement.
///
/// For each run it is the sum of the metrics, over [`over`](Self::over), times
/// [`times`](Self::times), plus [`plus`](Self::plus). The result is the mean over the runs of the
/// point.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quantity {
    /// The column of published values.
    pub column: String,
    /// The name for readers; default: from the column's name.
    pub label: Option<String>,
    /// A metric, or several that are added.
    #[serde(default)]
    pub metric: Names,
    /// The metric of the same run to divide by.
    pub over: Option<String>,
    /// A factor; default 1.
    pub times: Option<f64>,
    /// A summand; default 0.
    #[serde(default)]
    pub plus: f64,
    /// The least and the largest possible value, where the results do not have those of the metric.
    pub range: Option<(f64, f64)>,
    /// The long table to read instead of `runs`.
    pub table: Option<String>,
    /// The quantity of a table of counts: the result is the fraction of its values that equal the
    /// `value` of the row (a column in `at`).
    pub quantity: Option<String>,
    /// Keys of another point, by whose value this one is divided.
    #[serde(default)]
    pub ratio_to: Filter,
    /// Keys of another point, whose value is divided by that of this one.
    #[serde(default)]
    pub inverse_ratio_to: Filter,
    /// Keys of another point, whose value is subtracted from this one.
    #[serde(default)]
    pub difference_from: Filter,
    /// The result is the value of this key where the metric is smallest.
    pub least_at: Option<String>,
    /// The result is the value of this key where the metric is largest.
    pub most_at: Option<String>,
    /// The values of that key to compare; each must be present.
    #[serde(default)]
    pub among: Vec<Value>,
    /// The rule of agreement; default: the rule of the claim.
    pub rule: Option<Rule>,
    /// The claim that counts these values, or those from which they follow: here they are compared,
    /// but not counted.
    pub counted_in: Option<String>,
}

/// How a measured value is compared with a published one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// Measured and published are the same within the rule.
    #[default]
    Equals,
    /// Measured is not below a published bound.
    AtLeast,
    /// Measured is not above a published bound.
    AtMost,
    /// The interval of the measured value is above the published one: an order or a growth.
    Above,
    /// The interval of the measured value is below the published one.
    Below,
}

/// When a measured and a published value agree: within a number of standard errors of both sides,
/// unless the published table states its own tolerance.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Equality, or a bound.
    #[serde(default)]
    pub compare: Comparison,
    /// Number of standard errors of both sides; default 3.
    pub sampling: Option<f64>,
    /// Number of samples in the mean that was published, where its table does not state it. Without
    /// information on its error a value is exact only with [`exact`](Self::exact).
    pub published_n: Option<f64>,
    /// Number of such samples in one of our runs: a number, or a key of the scenario; default 1.
    pub samples_a_run: Option<Value>,
    /// The metric with the standard error of a run's value; default: the spread of the runs.
    pub error_metric: Option<String>,
    /// The value of a run is the fraction of successes in this number of independent trials: a
    /// number, or a key of the scenario. This gives the error of both sides.
    pub successes_of: Option<Value>,
    /// The metric with the standard deviation of one published sample.
    pub sd_metric: Option<String>,
    /// Whether the published value is rounded to its digits, which allows for half a unit of the
    /// last one.
    #[serde(default)]
    pub rounded: bool,
    /// Whether the published value has no error, as it comes from a formula.
    #[serde(default)]
    pub exact: bool,
}

impl System {
    /// Reads all built-in files.
    ///
    /// # Errors
    /// [`Error::Claim`] for an invalid file.
    pub fn read_all() -> Result<Vec<Self>, Error> {
        FILES
            .iter()
            .map(|(name, text)| Self::read(name, text))
            .collect()
    }

    /// Reads the file `name`.
    ///
    /// # Errors
    /// [`Error::Claim`].
    pub fn read(name: &str, text: &str) -> Result<Self, Error> {
        let fault = |message: String| Error::Claim {
            file: name.to_owned(),
            message,
        };
        let mut system: Self = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        name.trim_end_matches(".toml").clone_into(&mut system.id);
        for claim in &system.claim {
            let refuse = |what: &str| Err(fault(format!("claim `{}`: {what}", claim.id)));
            if claim.published.is_some() != claim.row.is_empty() {
                return refuse("expected either `published` or `row`");
            }
            for reading in &claim.reading {
                if claim.values_of(reading).is_empty() {
                    return refuse("no `value`");
                }
            }
        }
        Ok(system)
    }
}

impl Claim {
    /// The values that are compared with `reading`.
    pub fn values_of<'a>(&'a self, reading: &'a ClaimReading) -> &'a [Quantity] {
        if reading.value.is_empty() {
            &self.value
        } else {
            &reading.value
        }
    }

    /// The rule for `quantity`.
    pub fn rule_of<'a>(&'a self, quantity: &'a Quantity) -> &'a Rule {
        quantity.rule.as_ref().unwrap_or(&self.rule)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::report::published::{self, Published};

    fn folder(extension: &str) -> BTreeSet<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/published");
        let entries = fs::read_dir(path).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(extension)).collect()
    }

    #[test]
    fn every_file_is_built_in() {
        let built_in = |files: &[(&str, &str)]| {
            let names = files.iter().map(|(name, _)| (*name).to_owned());
            names.collect::<BTreeSet<String>>()
        };
        assert_eq!(folder(".toml"), built_in(FILES));
        assert_eq!(folder(".csv"), built_in(published::FILES));
        assert!(FILES.len() >= 8 && published::FILES.len() >= 30);
    }

    /// A repeated row would count twice.
    #[test]
    fn no_published_row_is_there_twice() {
        for (name, text) in published::FILES {
            let mut seen = BTreeSet::new();
            for row in text.lines().filter(|line| !line.starts_with('#')) {
                assert!(seen.insert(row), "{name}: {row}");
            }
        }
    }

    /// A number that is printed twice is in the table of the claim that counts it, at the same point.
    #[test]
    fn what_another_claim_counts_is_there() {
        let systems = System::read_all().unwrap();
        let mut found = 0;
        for (name, _) in published::FILES {
            let here = Published::read(name).unwrap();
            for row in here.rows(&Filter::new()) {
                let id = here.text(row, published::COUNTED_IN);
                if id.is_empty() {
                    continue;
                }
                let mut claims = systems.iter().flat_map(|system| &system.claim);
                let claim = claims.find(|claim| claim.id == id).expect(id);
                // A number that follows from others has no row of its own there.
                let is_printed = |column: &String| column == "runtime_factor";
                if !here.columns().iter().any(is_printed) {
                    continue;
                }
                let there = Published::of(claim).unwrap();
                let columns = ["balance.nodes", "balance.tasks", "runtime_factor"];
                let same = there.rows(&claim.rows).into_iter().filter(|&other| {
                    let equal = |column| here.text(row, column) == there.text(other, column);
                    columns.into_iter().all(equal)
                });
                assert_eq!(same.count(), 1, "{name}, row {row}");
                found += 1;
            }
        }
        assert_eq!(found, 18);
        let quantities = || {
            let claims = systems.iter().flat_map(|system| &system.claim);
            claims.flat_map(|claim| &claim.value)
        };
        for id in quantities().filter_map(|quantity| quantity.counted_in.as_deref()) {
            let mut claims = systems.iter().flat_map(|system| &system.claim);
            assert!(claims.any(|claim| claim.id == id), "{id}");
        }
    }

    /// Every published row is in a claim or among the values without a scenario.
    #[test]
    fn every_published_row_has_a_claim_or_a_reason() {
        let systems = System::read_all().unwrap();
        for (name, _) in published::FILES {
            let published = Published::read(name).unwrap();
            let mut named: BTreeSet<usize> = BTreeSet::new();
            for system in &systems {
                let claims = system.claim.iter();
                for claim in claims.filter(|claim| claim.published.as_deref() == Some(*name)) {
                    for row in published.rows(&claim.rows) {
                        let mut readings = claim.reading.iter();
                        if readings.any(|reading| published.keeps(row, &reading.rows)) {
                            named.insert(row);
                        }
                    }
                }
                let others = system.not_covered.iter();
                for other in others.filter(|other| other.published.as_deref() == Some(*name)) {
                    named.extend(published.rows(&other.rows));
                }
            }
            let all: BTreeSet<usize> = published.rows(&Filter::new()).into_iter().collect();
            let forgotten: Vec<&usize> = all.difference(&named).collect();
            assert!(forgotten.is_empty(), "{name}: rows {forgotten:?} (from 0)");
        }
    }

    #[test]
    fn columns_and_filters_of_claims_exist() {
        let mut ids = BTreeSet::new();
        for system in System::read_all().unwrap() {
            assert!(ids.insert(system.id.clone()), "{}", system.id);
            for claim in &system.claim {
                let id = &claim.id;
                assert!(ids.insert(id.clone()), "{id} is there twice");
                let published = Published::of(claim).unwrap();
                let known = |column: &str| published.columns().iter().any(|name| name == column);
                let rows = published.rows(&claim.rows);
                assert!(!rows.is_empty(), "{id}: no row");
                for column in claim.rows.keys().chain(&claim.at).chain(&claim.label) {
                    assert!(known(column), "{id}: no column {column}");
                }
                for reading in &claim.reading {
                    let kept = rows.iter().any(|&row| published.keeps(row, &reading.rows));
                    assert!(kept, "{id}, {}: no row", reading.name);
                    for value in claim.values_of(reading) {
                        assert!(known(&value.column), "{id}: no column {}", value.column);
                        assert!(!value.metric.is_empty() || value.quantity.is_some(), "{id}");
                        let choice = value.least_at.is_some() || value.most_at.is_some();
                        assert_eq!(choice, !value.among.is_empty(), "{id}: among");
                    }
                    for explanation in reading.explanation.iter().chain(&reading.no_verdict) {
                        for column in explanation.filter.keys() {
                            assert!(known(column) || column == "column", "{id}: {column}");
                        }
                        if let Some(scenario) = &explanation.shown_by {
                            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
                            let path = format!("{root}/{scenario}.toml");
                            assert!(fs::exists(path).unwrap(), "{id}: no scenario {scenario}");
                        }
                        if let Some(wanted) = explanation.filter.get("column") {
                            let mut values = claim.values_of(reading).iter();
                            let named = |value: &Quantity| published::admits(wanted, &value.column);
                            assert!(values.any(named), "{id}: {wanted}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_claim_has_values_in_a_file_or_in_rows() {
        let both = "title = 'x'\nsource = 'x'\n[[claim]]\nid = 'x'\ntitle = 'x'\nplace = 'x'\n\
            says = 'x'\nreading = []\n";
        let error = System::read("x.toml", both).unwrap_err().to_string();
        assert!(
            error.contains("claim `x`: expected either `published` or `row`"),
            "{error}"
        );
        let unknown = format!("{both}colour = 'red'\n");
        let error = System::read("x.toml", &unknown).unwrap_err().to_string();
        assert!(error.contains("colour"), "{error}");
    }
}
