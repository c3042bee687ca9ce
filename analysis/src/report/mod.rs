//! The report: every published number with the measured one and a verdict.
//!
//! The claims of the sources are built in: `analysis/published/*.toml` define the comparisons and
//! their rules, `analysis/published/*.csv` have the values. [`write()`] reads the folders of
//! results, finds the measured value of each published one, judges it ([`Verdict`]), and writes the
//! report in two forms: `REPORT.md` with a page in `claims/` for each claim and the table `POWER.md`, and
//! the self-contained `report.html`. Values that were not found, or whose results are of another version or were
//! changed, have no verdict.
//!
//! The same files give the same bytes, except for the lines with the machine, the commit and the
//! command.

mod claims;
mod compare;
mod drawing;
mod folder;
mod html;
mod line;
mod location;
mod markdown;
mod measure;
mod opening;
mod plan;
mod point;
mod power;
mod provenance;
mod published;
mod rule;
mod text;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

pub use plan::{Form, Plan};
pub use verdict::Verdict;

use claims::System;
use compare::{Chapter, ClaimResult, ReadingResult};
use dhtlab_files::Links;
use dhtlab_format::manifest::MANIFEST;
use dhtlab_format::{Error, output};
use folder::{Folder, FolderState};
use line::{ComparisonResult, Line};
use power::Power;

/// Facts for the report that are not in the results.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The command that writes the report.
    pub command: String,
    /// The version of the program; results of other versions are not judged.
    pub version: String,
    /// The commit that the program was built from, if known.
    pub commit: Option<String>,
    /// The machine: names and values, such as ("cores", "2").
    pub machine: Vec<(String, String)>,
    /// The shipped scenarios.
    pub plans: Vec<Plan>,
}

impl Setting {
    /// The shipped scenario with this `name`.
    fn plan(&self, name: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.name == name)
    }
}

/// Number of values by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Values that agree.
    pub agree: usize,
    /// Values on the published side of a bound.
    pub within_bound: usize,
    /// Values on which the rule cannot decide.
    pub undecided: usize,
    /// Values that differ.
    pub differ: usize,
    /// Values whose published one is in doubt.
    pub in_doubt: usize,
    /// Values in results that must not be judged.
    pub stale: usize,
    /// Values that are missing.
    pub missing: usize,
    /// Values of other parameters than those of the runs.
    pub not_run: usize,
    /// Values that cannot be judged, and cells without a published number.
    pub without: usize,
}

impl Count {
    /// Number of values with a verdict.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.agree + self.within_bound + self.undecided + self.differ + self.in_doubt
    }

    /// Number of values without a verdict.
    #[must_use]
    pub fn unjudged(&self) -> usize {
        self.stale + self.missing + self.not_run + self.without
    }

    /// The columns of tables of outcomes: names and numbers.
    fn columns(&self) -> [(&'static str, usize); 6] {
        [
            ("agree", self.agree),
            ("within a bound", self.within_bound),
            ("not decided", self.undecided),
            ("differ", self.differ),
            ("in doubt", self.in_doubt),
            ("no verdict", self.unjudged()),
        ]
    }

    fn merge(&mut self, other: &Self) {
        self.agree += other.agree;
        self.within_bound += other.within_bound;
        self.undecided += other.undecided;
        self.differ += other.differ;
        self.in_doubt += other.in_doubt;
        self.stale += other.stale;
        self.missing += other.missing;
        self.not_run += other.not_run;
        self.without += other.without;
    }

    fn add(&mut self, outcome: &ComparisonResult) {
        *match outcome {
            ComparisonResult::Judged(Verdict::Agrees) => &mut self.agree,
            ComparisonResult::Judged(Verdict::WithinBound) => &mut self.within_bound,
            ComparisonResult::Judged(Verdict::Undecided) => &mut self.undecided,
            ComparisonResult::Judged(Verdict::Differs) => &mut self.differ,
            ComparisonResult::Judged(Verdict::InDoubt) => &mut self.in_doubt,
            ComparisonResult::Stale(_) => &mut self.stale,
            ComparisonResult::Missing(_) => &mut self.missing,
            ComparisonResult::NotRun(_) => &mut self.not_run,
            ComparisonResult::Unjudged(_) | ComparisonResult::NotPublished => &mut self.without,
        } += 1;
    }

    fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        let mut count = Self::default();
        for line in lines {
            count.add(&line.outcome);
        }
        count
    }
}

/// The written report.
#[derive(Debug)]
pub struct Written {
    /// The files that have it all: `REPORT.md` and `report.html`.
    pub files: Vec<PathBuf>,
    /// Number of published values by outcome, each once, without those of programs that were run
    /// again.
    pub count: Count,
    /// Published values that differ without an explanation; quick forms need
    /// none.
    pub unexplained: Vec<String>,
    /// The files that were changed after their run, and how.
    pub edited: Vec<String>,
}

/// The content of the report.
struct Report<'a> {
    directory: &'a Path,
    setting: &'a Setting,
    /// Whether some of the results are of quick forms.
    quick: bool,
    chapters: Vec<Chapter>,
    /// Every scenario with results or claims.
    folders: BTreeMap<String, Folder>,
    /// The scenarios without claims.
    unclaimed: Vec<String>,
}

impl Report<'_> {
    fn readings(&self) -> impl Iterator<Item = &ReadingResult> {
        let claims = self.chapters.iter().flat_map(|chapter| &chapter.claims);
        claims.flat_map(|claim| &claim.readings)
    }

    fn claims(&self) -> impl Iterator<Item = &ClaimResult> {
        self.chapters.iter().flat_map(|chapter| &chapter.claims)
    }

    /// The published values, each once; those of published programs that were run again (`reruns`)
    /// apart from the others.
    fn count(&self, reruns: bool) -> Count {
        let mut count = Count::default();
        let claims = self.claims().filter(|claim| claim.rerun == reruns);
        claims.for_each(|claim| count.merge(&claim.values));
        count
    }

    /// How many values still agree after a change.
    fn power(&self) -> Power {
        let mut power = Power::default();
        self.claims().for_each(|claim| power.add(&claim.power));
        power
    }

    /// The commits of the results, each with its number of scenarios.
    fn commits(&self) -> BTreeMap<String, usize> {
        let mut commits = BTreeMap::new();
        for results in self.folders.values().filter_map(Folder::results) {
            let commit = results.facts.commit.clone();
            let commit = commit.unwrap_or_else(|| "not known".to_owned());
            *commits.entry(commit).or_default() += 1;
        }
        commits
    }

    /// The title of a scenario's results, or else its name.
    fn title<'a>(&'a self, scenario: &'a str) -> &'a str {
        let results = self.folders.get(scenario).and_then(Folder::results);
        let title = results.map(|results| results.facts.title.as_str());
        title.filter(|title| !title.is_empty()).unwrap_or(scenario)
    }

    fn edited(&self) -> Vec<String> {
        let results = self.folders.iter();
        let results = results.filter_map(|(name, folder)| Some((name, folder.results()?)));
        results
            .flat_map(|(name, results)| {
                let edited = results.edited.iter();
                edited.map(move |(file, how)| format!("{name}/{file} {how}"))
            })
            .collect()
    }

    fn unexplained(&self) -> Vec<String> {
        if self.quick {
            return Vec::new();
        }
        let mut all = Vec::new();
        for claim in self.claims() {
            for reading in &claim.readings {
                let parts = reading.lines.iter().filter(|line| line.is_unexplained());
                all.extend(parts.map(|line| {
                    format!(
                        "{}, {}: {}",
                        claim.id,
                        reading.name,
                        text::point(reading, line)
                    )
                }));
            }
        }
        all
    }
}

/// The folder of the claims' pages, one file each.
const CLAIMS: &str = "claims";

/// The page with the power of each claim.
const POWER: &str = "POWER.md";

/// The page with links to all figures.
const FIGURES: &str = "FIGURES.md";

/// Writes `REPORT.md`, `FIGURES.md`, a page in `claims/` for each claim, and `report.html` into `directory`, which
/// has a folder of results for each scenario.
///
/// # Errors
/// [`Error::NoResults`] when there is no such folder, or no results in it; those of writing files.
/// Partial or broken results are not an error: the report mentions them.
pub fn write(directory: &Path, setting: &Setting) -> Result<Written, Error> {
    let systems = System::read_all()?;
    let tables = compare::scenarios(&systems);
    let found = subfolders(directory)?;
    let planned: Vec<String> = setting.plans.iter().map(|plan| plan.name.clone()).collect();
    let names: BTreeSet<String> = tables.keys().cloned().chain(found).chain(planned).collect();
    let none = BTreeSet::new();
    let folders: BTreeMap<String, Folder> = names
        .into_iter()
        .map(|name| {
            let wanted = tables.get(&name).unwrap_or(&none);
            let plan = setting.plan(&name);
            let folder = Folder::open(directory, &name, wanted, &setting.version, plan);
            (name, folder)
        })
        .collect();
    let chapters = compare::compare(&systems, &folders)?;
    let quick = folders
        .values()
        .filter_map(Folder::results)
        .any(|results| results.form.as_ref().is_some_and(|(_, quick)| *quick));
    let unclaimed = folders
        .iter()
        .filter(|(name, folder)| {
            !tables.contains_key(*name) && !matches!(folder.state, FolderState::Absent)
        })
        .map(|(name, _)| name.clone())
        .collect();
    let report = Report {
        directory,
        setting,
        quick,
        chapters,
        folders,
        unclaimed,
    };
    let mut files = Vec::new();
    let pages = directory.join(CLAIMS);
    if pages.symlink_metadata().is_ok() || report.claims().any(ClaimResult::has_page) {
        output::directory(&pages)?;
        for claim in report.claims() {
            let path = directory.join(claim.file());
            if claim.has_page() {
                output::replace(&path, markdown::claim_page(&report, claim).as_bytes())?;
            } else {
                // Of earlier results, which are gone.
                output::remove(&path)?;
            }
        }
        let power = markdown::power_page(&report);
        output::replace(&directory.join(POWER), power.as_bytes())?;
    }
    let figures = markdown::figures_page(&report);
    output::replace(&directory.join(FIGURES), figures.as_bytes())?;
    for (name, text) in [
        ("REPORT.md", markdown::page(&report)),
        ("report.html", html::page(&report)),
    ] {
        let path = directory.join(name);
        output::replace(&path, text.as_bytes())?;
        files.push(path);
    }
    Ok(Written {
        files,
        count: report.count(false),
        unexplained: report.unexplained(),
        edited: report.edited(),
    })
}

/// The names of the folders below `directory` with results; shards are not included.
fn subfolders(directory: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(directory).map_err(|source| Error::NoResults {
        path: directory.to_owned(),
        message: source.to_string(),
    })?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join(MANIFEST).is_file() && !is_shard(path))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(Error::NoResults {
            path: directory.to_owned(),
            message: "no results of scenarios; run `dhtlab reproduce` first".to_owned(),
        });
    }
    Ok(names)
}

/// Whether the results in `folder` are a shard.
fn is_shard(folder: &Path) -> bool {
    let manifest = dhtlab_files::read(&folder.join(MANIFEST), Links::Refused, dhtlab_files::MOST);
    let manifest = manifest.unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    manifest.get("shard").is_some()
}
