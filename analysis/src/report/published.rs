//! The built-in tables of published values, `analysis/published/*.csv`.
//!
//! The first line of each is a comment with its source. Further comments state tolerances:
//!
//! ```text
//! # tolerance hit_rate = 0.05: a curve is one run, and rises by up to .05 a cycle
//! # tolerance start_load_median = 2 %: ...
//! ```
//!
//! These columns give the accuracy of a value. A column about one value alone has the name of the
//! value's column and an underscore as a prefix:
//!
//! | column | meaning |
//! |---|---|
//! | `published_n` | of how many samples the value is the mean |
//! | `published_sd` | the standard deviation of one sample |
//! | `published_se` | the standard error of the value |
//! | `doubt` | why the published value itself is in doubt |
//!
//! Where a source prints a number twice, or one that follows from another, `counted_in` (of a row) or
//! `VALUE_counted_in` names the claim that counts it; here it is compared, but not counted.

use std::path::{Path, PathBuf};

use crate::figure::label;
use crate::figure::select::{same, text_of};
use crate::statistics;
use crate::table::Table;
use dhtlab_format::Error;

use super::claims::{Claim, Filter};
use super::verdict::Tolerance;

/// The column with the claim that counts the same value.
pub const COUNTED_IN: &str = "counted_in";

/// The tables.
pub const FILES: &[(&str, &str)] = &[
    (
        "balance-averages.csv",
        include_str!("../../published/balance-averages.csv"),
    ),
    (
        "balance-churn.csv",
        include_str!("../../published/balance-churn.csv"),
    ),
    (
        "balance-median-loads.csv",
        include_str!("../../published/balance-median-loads.csv"),
    ),
    (
        "balance-starting-medians.csv",
        include_str!("../../published/balance-starting-medians.csv"),
    ),
    (
        "balance-text.csv",
        include_str!("../../published/balance-text.csv"),
    ),
    (
        "balance-variants.csv",
        include_str!("../../published/balance-variants.csv"),
    ),
    (
        "balance-virtual-nodes.csv",
        include_str!("../../published/balance-virtual-nodes.csv"),
    ),
    (
        "bep42-vectors.csv",
        include_str!("../../published/bep42-vectors.csv"),
    ),
    (
        "chord-churn.csv",
        include_str!("../../published/chord-churn.csv"),
    ),
    (
        "chord-deployment-hops.csv",
        include_str!("../../published/chord-deployment-hops.csv"),
    ),
    (
        "chord-deployment-timeouts.csv",
        include_str!("../../published/chord-deployment-timeouts.csv"),
    ),
    (
        "chord-failures.csv",
        include_str!("../../published/chord-failures.csv"),
    ),
    (
        "chord-path-length.csv",
        include_str!("../../published/chord-path-length.csv"),
    ),
    (
        "chord-sigcomm.csv",
        include_str!("../../published/chord-sigcomm.csv"),
    ),
    (
        "chordreduce-churn.csv",
        include_str!("../../published/chordreduce-churn.csv"),
    ),
    (
        "chordreduce-speedup.csv",
        include_str!("../../published/chordreduce-speedup.csv"),
    ),
    ("churn-li.csv", include_str!("../../published/churn-li.csv")),
    (
        "dgvh-convergence.csv",
        include_str!("../../published/dgvh-convergence.csv"),
    ),
    (
        "dgvh-errors.csv",
        include_str!("../../published/dgvh-errors.csv"),
    ),
    (
        "dgvh-reruns.csv",
        include_str!("../../published/dgvh-reruns.csv"),
    ),
    (
        "geometry-failed-paths.csv",
        include_str!("../../published/geometry-failed-paths.csv"),
    ),
    (
        "geometry-few-failures.csv",
        include_str!("../../published/geometry-few-failures.csv"),
    ),
    (
        "geometry-hops.csv",
        include_str!("../../published/geometry-hops.csv"),
    ),
    (
        "ipfs-censorship.csv",
        include_str!("../../published/ipfs-censorship.csv"),
    ),
    (
        "ipfs-lookup-rounds.csv",
        include_str!("../../published/ipfs-lookup-rounds.csv"),
    ),
    (
        "ipfs-prefix-divergence.csv",
        include_str!("../../published/ipfs-prefix-divergence.csv"),
    ),
    (
        "ipfs-provide.csv",
        include_str!("../../published/ipfs-provide.csv"),
    ),
    (
        "ipfs-region-search.csv",
        include_str!("../../published/ipfs-region-search.csv"),
    ),
    (
        "ipfs-tables.csv",
        include_str!("../../published/ipfs-tables.csv"),
    ),
    (
        "kademlia-steps.csv",
        include_str!("../../published/kademlia-steps.csv"),
    ),
    ("kademlia.csv", include_str!("../../published/kademlia.csv")),
    (
        "mainline-decay.csv",
        include_str!("../../published/mainline-decay.csv"),
    ),
    (
        "mainline-size-deviation.csv",
        include_str!("../../published/mainline-size-deviation.csv"),
    ),
    (
        "mainline-size.csv",
        include_str!("../../published/mainline-size.csv"),
    ),
    (
        "p2p-mapreduce.csv",
        include_str!("../../published/p2p-mapreduce.csv"),
    ),
    (
        "sessions-bittorrent.csv",
        include_str!("../../published/sessions-bittorrent.csv"),
    ),
    (
        "sessions-fta.csv",
        include_str!("../../published/sessions-fta.csv"),
    ),
    (
        "sybil-fingers.csv",
        include_str!("../../published/sybil-fingers.csv"),
    ),
    (
        "sybil-mash-time.csv",
        include_str!("../../published/sybil-mash-time.csv"),
    ),
    (
        "sybil-neighbours.csv",
        include_str!("../../published/sybil-neighbours.csv"),
    ),
    (
        "sybil-text.csv",
        include_str!("../../published/sybil-text.csv"),
    ),
    (
        "urdht-growth.csv",
        include_str!("../../published/urdht-growth.csv"),
    ),
    (
        "vhash-hops-per-hop.csv",
        include_str!("../../published/vhash-hops-per-hop.csv"),
    ),
    (
        "vhash-other-trials.csv",
        include_str!("../../published/vhash-other-trials.csv"),
    ),
    (
        "vhash-overlay-hops.csv",
        include_str!("../../published/vhash-overlay-hops.csv"),
    ),
    (
        "vhash-reruns.csv",
        include_str!("../../published/vhash-reruns.csv"),
    ),
    (
        "vhash-underlay-histogram.csv",
        include_str!("../../published/vhash-underlay-histogram.csv"),
    ),
    (
        "vhash-underlay-hops.csv",
        include_str!("../../published/vhash-underlay-hops.csv"),
    ),
    ("zave.csv", include_str!("../../published/zave.csv")),
];

/// A table of published values.
#[derive(Debug)]
pub struct Published {
    /// The source of the values.
    pub source: String,
    tolerances: Vec<(String, Tolerance, String)>,
    table: Table,
}

/// A published value.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The printed text.
    pub text: String,
    /// The number.
    pub number: f64,
    /// Half a unit of its last digit.
    pub rounding: f64,
    /// Number of samples in the mean.
    pub n: Option<f64>,
    /// The standard deviation of one sample.
    pub sd: Option<f64>,
    /// The standard error.
    pub error: Option<f64>,
    /// Why the value is in doubt.
    pub doubt: Option<String>,
}

impl Published {
    /// Reads the built-in file `name`.
    ///
    /// # Errors
    /// [`Error::Claim`] when there is none, or its first line is not a source; those of a table.
    pub fn read(name: &str) -> Result<Self, Error> {
        let text = FILES.iter().find(|(file, _)| *file == name);
        let Some((_, text)) = text else {
            return Err(fault(name, "no such file"));
        };
        Self::parse(name, text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let comments = || text.lines().filter_map(|line| line.strip_prefix('#'));
        let source = comments().find_map(|line| line.trim().strip_prefix("source:"));
        let Some(source) = source else {
            return Err(fault(name, "expected `# source: ...` in the first line"));
        };
        let tolerances = comments()
            .filter_map(|line| line.trim().strip_prefix("tolerance "))
            .map(|line| {
                tolerance(line).ok_or_else(|| {
                    fault(
                        name,
                        "expected `# tolerance COLUMN = VALUE: REASON` with a number or percentage",
                    )
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            source: source.trim().to_owned(),
            tolerances,
            table: Table::parse(&path(name), text)?,
        })
    }

    /// The values in `claim` itself, or in its file.
    ///
    /// # Errors
    /// Those of [`Published::read`].
    pub fn of(claim: &Claim) -> Result<Self, Error> {
        if let Some(name) = &claim.published {
            return Self::read(name);
        }
        let rows = claim.row.iter().map(|row| {
            row.iter()
                .map(|(column, value)| (column.clone(), text_of(value)))
                .collect()
        });
        Ok(Self {
            source: claim.place.clone(),
            tolerances: Vec::new(),
            table: Table::of_rows(Path::new(&claim.id), rows)?,
        })
    }

    /// A table of these rows.
    #[cfg(test)]
    pub fn of_rows(rows: Vec<Vec<(String, String)>>) -> Self {
        Self {
            source: "a test".to_owned(),
            tolerances: Vec::new(),
            table: Table::of_rows(Path::new("test"), rows).unwrap(),
        }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.table.columns
    }

    /// The rows that `filter` selects.
    pub fn rows(&self, filter: &Filter) -> Vec<usize> {
        (0..self.table.len())
            .filter(|&row| self.keeps(row, filter))
            .collect()
    }

    /// Whether `filter` selects `row`. A missing column selects none.
    pub fn keeps(&self, row: usize, filter: &Filter) -> bool {
        filter
            .iter()
            .all(|(column, wanted)| admits(wanted, self.text(row, column)))
    }

    /// The text of a cell; empty if there is no such column.
    pub fn text(&self, row: usize, column: &str) -> &str {
        let place = self.table.find(column);
        place.map_or("", |place| self.table.text(row, place).trim())
    }

    /// The tolerance that the file states for `column`, with its reason.
    pub fn tolerance(&self, column: &str) -> Option<(Tolerance, &str)> {
        let stated = self.tolerances.iter().find(|(name, ..)| name == column);
        stated.map(|(_, tolerance, reason)| (*tolerance, reason.as_str()))
    }

    /// The value in `column` of one row, or the mean over several rows that are trials of one
    /// point. `None` if there is no number.
    pub fn value(&self, rows: &[usize], column: &str) -> Option<Value> {
        let texts: Vec<&str> = rows.iter().map(|&row| self.text(row, column)).collect();
        let numbers: Vec<f64> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        let mean = statistics::mean(&numbers).filter(|mean| mean.is_finite())?;
        let about = |what: &str| {
            let own = format!("{column}_{what}");
            let first = *rows.first()?;
            [self.text(first, &own), self.text(first, what)]
                .into_iter()
                .find(|text| !text.is_empty())
        };
        let number = |what: &str| about(what).and_then(|text| text.parse().ok());
        let several = numbers.len() > 1;
        Some(Value {
            text: match texts.as_slice() {
                [one] => (*one).to_owned(),
                _ => label::rounded(mean, 5),
            },
            number: mean,
            rounding: texts.first().map_or(0.0, |text| half_a_unit(text)),
            n: several
                .then_some(numbers.len() as f64)
                .or_else(|| number("published_n")),
            sd: statistics::standard_deviation(&numbers).or_else(|| number("published_sd")),
            error: number("published_se"),
            doubt: about("doubt").map(str::to_owned),
        })
    }
}

/// Whether a cell is the value, or one of the values, of a filter.
pub fn admits(wanted: &serde_json::Value, text: &str) -> bool {
    match wanted {
        serde_json::Value::Array(several) => several.iter().any(|one| same(&text_of(one), text)),
        one => same(&text_of(one), text),
    }
}

fn tolerance(line: &str) -> Option<(String, Tolerance, String)> {
    let (column, rest) = line.split_once('=')?;
    let (size, reason) = rest.split_once(':')?;
    let tolerance = match size.trim().strip_suffix('%') {
        Some(percent) => Tolerance::Relative(percent.trim().parse::<f64>().ok()? / 100.0),
        None => Tolerance::Absolute(size.trim().parse().ok()?),
    };
    let reason = reason.trim();
    (!reason.is_empty()).then(|| (column.trim().to_owned(), tolerance, reason.to_owned()))
}

/// Half a unit of the last digit of a decimal number.
fn half_a_unit(text: &str) -> f64 {
    let decimals = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    0.5 * 0.1_f64.powi(i32::try_from(decimals).unwrap_or(i32::MAX))
}

fn path(name: &str) -> PathBuf {
    Path::new("analysis/published").join(name)
}

fn fault(name: &str, message: &str) -> Error {
    Error::Claim {
        file: name.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "# source: somewhere, table 1\n# tolerance rate = 2 %: a reason\n\
        # tolerance hops = 0.05: another: reason\nx.nodes,trial,rate,hops,hops_doubt,published_n\n\
        10,1,0.50,4.1,,100\n10,2,0.70,inf,told from memory,100\n20,1,,3,,\n";

    #[test]
    fn values_have_their_digits_samples_and_doubts() {
        let published = Published::parse("x.csv", SAMPLE).unwrap();
        assert_eq!(published.source, "somewhere, table 1");
        let rate = published.value(&[0], "rate").unwrap();
        assert_eq!((rate.text.as_str(), rate.number), ("0.50", 0.5));
        assert!((rate.rounding - 0.005).abs() < 1e-12);
        assert_eq!((rate.n, rate.sd, rate.doubt), (Some(100.0), None, None));
        // A text that is no number is not a published value.
        assert_eq!(published.value(&[1], "hops"), None);
        assert_eq!(published.value(&[2], "rate"), None);
        assert_eq!(published.value(&[0], "speed"), None);
        let doubted = Published::parse("x.csv", &SAMPLE.replace("inf", "5")).unwrap();
        let hops = doubted.value(&[1], "hops").unwrap();
        assert_eq!(hops.doubt.as_deref(), Some("told from memory"));
        assert_eq!(doubted.value(&[1], "rate").unwrap().doubt, None);
    }

    #[test]
    fn trials_have_a_mean_and_a_spread() {
        let published = Published::parse("x.csv", SAMPLE).unwrap();
        let rate = published.value(&[0, 1], "rate").unwrap();
        assert!((rate.number - 0.6).abs() < 1e-12);
        assert_eq!(rate.n, Some(2.0));
        assert!((rate.sd.unwrap() - 0.02_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn tolerances_are_stated_with_a_reason() {
        let published = Published::parse("x.csv", SAMPLE).unwrap();
        assert_eq!(
            published.tolerance("rate"),
            Some((Tolerance::Relative(0.02), "a reason"))
        );
        let absolute = Some((Tolerance::Absolute(0.05), "another: reason"));
        assert_eq!(published.tolerance("hops"), absolute);
        assert_eq!(published.tolerance("trial"), None);
        let without = SAMPLE.replace(": a reason", ":");
        let error = Published::parse("x.csv", &without).unwrap_err().to_string();
        assert!(error.contains("COLUMN = VALUE: REASON"), "{error}");
        let nowhere = SAMPLE.replace("# source", "# from");
        let error = Published::parse("x.csv", &nowhere).unwrap_err().to_string();
        assert!(error.contains("# source"), "{error}");
    }

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        assert!(admits(&serde_json::json!(0.01), "0.010000"));
        assert!(admits(&serde_json::json!([1, "chord"]), "chord"));
        assert!(!admits(&serde_json::json!([1, "chord"]), "vhash"));
        assert!(admits(&serde_json::json!(false), "false"));
    }
}
