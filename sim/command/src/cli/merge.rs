//! Merges the shards of a sweep into the results of a single machine, byte for byte.
//!
//! The manifest of a shard gives the indices of its runs in the whole list of runs, so the rows of
//! all shards are merged in the order of the sweep, one at a time. Nothing is written before all
//! shards of all scenarios are complete.

use super::run;
use crate::Kinds;
use crate::lock::Lock;
use crate::store::{self, JOURNAL, Replacement, RequiredResults, SHARD, ShardFacts};
use crate::{Failure, streams};
use dhtlab_analysis::Error;
use dhtlab_files::Links;
use dhtlab_format::manifest::{SEAL, changed};
use dhtlab_scenario::Experiment;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Fields of a manifest that differ between shards.
const OWN: [&str; 7] = [
    SEAL,
    SHARD,
    "runs_planned",
    "runs_done",
    "tables",
    "notes",
    "files",
];

/// A folder with the results of a shard.
struct ShardResults {
    folder: PathBuf,
    manifest: Value,
    facts: ShardFacts,
}

/// The shards of one scenario, complete and in order.
struct ShardSet {
    name: String,
    parts: Vec<ShardResults>,
    experiment: &'static dyn Experiment,
    /// For each run, in the order of the sweep, the index in `parts` of its shard.
    holders: Vec<usize>,
    target: PathBuf,
}

/// Merges the shards in `folders`, which are shards or contain shards. The results go to one folder
/// per scenario, under `out` or else beside the shards.
///
/// # Errors
/// Shards that are missing, unfinished, changed, duplicate or of different scenarios, and existing
/// results that would be lost. In these cases nothing is written.
pub(super) fn all(kinds: Kinds, folders: &[PathBuf], out: Option<&Path>) -> Result<(), Failure> {
    let mut by_name: BTreeMap<String, Vec<ShardResults>> = BTreeMap::new();
    for folder in folders {
        for part in parts_in(folder)? {
            by_name.entry(part.name()).or_default().push(part);
        }
    }
    let wholes = by_name
        .into_iter()
        .map(|(name, parts)| ShardSet::check(kinds, name, parts, out))
        .collect::<Result<Vec<_>, _>>()?;
    let cannot = |whole: &ShardSet, error: io::Error| store::cannot_write(&whole.target, &error);
    let mut locks = Vec::new();
    for whole in &wholes {
        let lock = Lock::take(&whole.target).and_then(|lock| {
            store::prepare(&whole.target)?;
            Ok(lock)
        });
        locks.push(lock.map_err(|error| cannot(whole, error))?);
    }
    for whole in &wholes {
        let fault = |error| Failure::Run(format!("{}: {error}", whole.target.display()));
        whole.write().map_err(fault)?;
        if !whole.holders.is_empty() {
            run::analyse(&whole.target)?;
        }
        streams::print_note(format_args!(
            "{}: {} runs of {} shards, results in {}",
            whole.name,
            whole.holders.len(),
            whole.parts.len(),
            whole.target.display()
        ));
    }
    Ok(())
}

fn refuse(folder: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("{}: {why}", folder.display()))
}

/// The shard in `folder`, or those in its subfolders.
fn parts_in(folder: &Path) -> Result<Vec<ShardResults>, Failure> {
    if let Some(manifest) = store::manifest(folder)? {
        let part = ShardResults::of(folder, manifest)?;
        let part = part.ok_or_else(|| refuse(folder, "these results are not a shard"))?;
        return Ok(vec![part]);
    }
    let entries = fs::read_dir(folder).map_err(|error| refuse(folder, error))?;
    let mut inner: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    inner.sort();
    let mut parts = Vec::new();
    for folder in inner {
        if let Some(manifest) = store::manifest(&folder)? {
            parts.extend(ShardResults::of(&folder, manifest)?);
        }
    }
    if parts.is_empty() {
        let why = "no finished shards; run `dhtlab run --shard i/n` first";
        return Err(refuse(folder, why));
    }
    Ok(parts)
}

impl ShardResults {
    /// The shard of this manifest; `None` if it is not a shard.
    fn of(folder: &Path, manifest: Value) -> Result<Option<Self>, Failure> {
        let Some(facts) = manifest.get(SHARD) else {
            return Ok(None);
        };
        let fault = |error| refuse(&folder.join("manifest.json"), format!("shard: {error}"));
        let facts = ShardFacts::deserialize(facts).map_err(fault)?;
        let name = manifest["name"].as_str().unwrap_or_default();
        if !dhtlab_files::is_name(name) {
            let why = format!("manifest.json: name: invalid name of a scenario, {name:?}");
            return Err(refuse(folder, why));
        }
        let part = Self {
            folder: folder.to_owned(),
            facts,
            manifest,
        };
        if let Some(table) = part
            .tables()
            .iter()
            .find(|table| !dhtlab_files::is_name(table))
        {
            let why = format!("manifest.json: tables: invalid name of a table, {table:?}");
            return Err(refuse(folder, why));
        }
        Ok(Some(part))
    }

    /// The name of the scenario.
    fn name(&self) -> String {
        self.manifest["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn tables(&self) -> Vec<&str> {
        let tables = self.manifest["tables"].as_array().into_iter().flatten();
        tables.filter_map(Value::as_str).collect()
    }

    /// Refuses a shard that is unfinished or was changed after its run.
    fn is_whole(&self) -> Result<(), Failure> {
        Lock::refuse_held(&self.folder).map_err(|error| refuse(&self.folder, error))?;
        let (done, planned) = (&self.manifest["runs_done"], self.facts.places.len());
        if *done != planned {
            let ShardFacts { place, of, .. } = self.facts;
            let why = format!(
                "{done} of {planned} runs of shard {place}/{of} are finished; `dhtlab run --shard \
                 {place}/{of}` completes it"
            );
            return Err(refuse(&self.folder, why));
        }
        let tables = self.tables().into_iter().chain(["runs"]);
        let tables = tables.filter(|table| *table != store::WALL_TIME);
        let sums = tables.map(|table| {
            let file = format!("{table}.csv");
            let sum = self.manifest["files"][&file].as_str().unwrap_or_default();
            (file, sum.to_owned())
        });
        match changed(&self.folder, &sums.collect()).pop_first() {
            None => Ok(()),
            Some((file, how)) => {
                let path = self.folder.join(file);
                Err(Failure::Input(Error::Changed { path, how }.to_string()))
            }
        }
    }
}

impl ShardSet {
    /// Checks that `parts` are all shards of one scenario, each once and complete.
    fn check(
        kinds: Kinds,
        name: String,
        mut parts: Vec<ShardResults>,
        out: Option<&Path>,
    ) -> Result<Self, Failure> {
        parts.sort_by_key(|part| part.facts.place);
        let first = &parts[0];
        for other in &parts[1..] {
            alike(first, other)?;
        }
        if let Some(twice) = parts
            .windows(2)
            .find(|two| two[0].facts.place == two[1].facts.place)
        {
            let ShardFacts { place, of, .. } = twice[0].facts;
            let why = format!(
                "shard {place}/{of} is also in {}",
                twice[0].folder.display()
            );
            return Err(refuse(&twice[1].folder, why));
        }
        let version = &first.manifest["dhtlab"];
        if version != env!("CARGO_PKG_VERSION") {
            let why = format!(
                "the shards are from version {}, this is version {}",
                version.as_str().unwrap_or("an unknown version"),
                env!("CARGO_PKG_VERSION")
            );
            return Err(refuse(&first.folder, why));
        }
        let there: Vec<u32> = parts.iter().map(|part| part.facts.place).collect();
        let missing: Vec<String> = (1..=first.facts.of)
            .filter(|place| !there.contains(place))
            .map(|place| format!("{place}/{}", first.facts.of))
            .collect();
        if !missing.is_empty() {
            let text = match missing.as_slice() {
                [one] => format!("shard {one} is missing"),
                [some @ .., _] if some.len() < 12 => {
                    format!("shards {} are missing", missing.join(", "))
                }
                several => {
                    let first = several[..10].join(", ");
                    format!("shards {first} and {} more are missing", several.len() - 10)
                }
            };
            return Err(Failure::Input(format!("{name}: {text}")));
        }
        parts.iter().try_for_each(ShardResults::is_whole)?;
        let experiment = kinds
            .iter()
            .find(|kind| first.manifest["experiment"] == kind.name())
            .ok_or_else(|| refuse(&first.folder, "unknown experiment"))?;
        let places: usize = parts.iter().map(|part| part.facts.places.len()).sum();
        if places != first.facts.runs {
            return Err(refuse(&first.folder, "manifest.json: shard: runs"));
        }
        let mut holders = vec![None; places];
        for (i, part) in parts.iter().enumerate() {
            for place in &part.facts.places {
                match holders.get_mut(*place) {
                    Some(holder @ None) => *holder = Some(i),
                    _ => return Err(refuse(&part.folder, "manifest.json: shard: places")),
                }
            }
        }
        let holders: Option<Vec<usize>> = holders.into_iter().collect();
        let holders = holders.ok_or_else(|| refuse(&first.folder, "manifest.json: shard: runs"))?;
        let target = target(&parts, out)?.join(&name);
        let whole = Self {
            name,
            parts,
            experiment: *experiment,
            holders,
            target,
        };
        whole.loses_nothing()?;
        Ok(whole)
    }

    /// Refuses to replace existing results that the shards do not contain.
    fn loses_nothing(&self) -> Result<(), Failure> {
        let lost = |what: String| {
            let why = format!("{what} would be lost; set another output folder with --out");
            Err(refuse(&self.target, why))
        };
        let own = &self.parts[0].manifest;
        let kept = store::kept(own);
        if let Some(theirs) = store::manifest(&self.target)? {
            if ["experiment", "dhtlab"]
                .iter()
                .any(|field| theirs[field] != own[field])
            {
                return lost("results of another experiment or version".to_owned());
            }
            if !kept.covers(&store::kept(&theirs)) {
                return lost("table rows that the shards omit".to_owned());
            }
        }
        let wanted = RequiredResults {
            experiment: self.experiment,
            kept: &kept,
        };
        let mut there = store::finished_names(&self.target, wanted);
        for part in &self.parts {
            for run in store::written_names(&part.folder) {
                there.remove(&run);
            }
        }
        match there.len() {
            0 => Ok(()),
            runs => lost(format!("{runs} existing runs that no shard contains")),
        }
    }

    fn write(&self) -> io::Result<()> {
        let written = self.parts.iter().flat_map(ShardResults::tables);
        let written: Vec<&str> = written.collect();
        let specs = self.experiment.tables().iter();
        let tables: Vec<&str> = specs
            .map(|table| table.name)
            .filter(|name| written.contains(name))
            .collect();
        let mut new = Replacement::of(&self.target);
        for table in ["runs"].iter().chain(&tables) {
            self.write_table(&mut new, table)?;
        }
        let mut manifest = self.parts[0].manifest.clone();
        if let Some(fields) = manifest.as_object_mut() {
            fields.shift_remove(SHARD);
        }
        let notes = self
            .parts
            .iter()
            .filter_map(|part| part.manifest["notes"].as_object());
        let notes: BTreeMap<&String, &Value> = notes.flatten().collect();
        manifest["runs_planned"] = json!(self.holders.len());
        manifest["runs_done"] = json!(self.holders.len());
        manifest["notes"] = json!(notes);
        manifest["tables"] = json!(tables);
        let recording = store::sum_of_recording(&self.target);
        new.commit(manifest, recording, self.experiment)?;
        // All of its runs are in the tables.
        dhtlab_files::remove(&self.target.join(JOURNAL))
    }

    /// Merges the rows of `NAME.csv` of all shards in the order of the sweep. The rows of a run are
    /// consecutive, in their original order.
    fn write_table<'a>(&self, new: &mut Replacement<'a>, name: &'a str) -> io::Result<()> {
        let swept = self.parts[0].manifest["swept"].as_array();
        let swept = swept.map_or(0, Vec::len);
        let (mut runs, mut tables) = (Vec::new(), Vec::new());
        for part in &self.parts {
            runs.push(RowReader::open(&part.folder, "runs")?);
            let is_there = part.tables().contains(&name);
            tables.push(
                is_there
                    .then(|| RowReader::open(&part.folder, name))
                    .transpose()?,
            );
        }
        let header = match name {
            "runs" => runs.first(),
            _ => tables.iter().flatten().next(),
        };
        let header = header.map(|rows| rows.header.iter().map(str::to_owned).collect());
        new.table(name, header.unwrap_or_default(), |out| {
            for holder in &self.holders {
                let run = runs[*holder].take()?;
                let Some(run) = run else {
                    return Err(runs[*holder].fault("a run is missing").into());
                };
                if name == "runs" {
                    out.write_record(&run)?;
                }
                // The run, its repetition and its point; in runs.csv the seed is between them.
                let places = (0..3 + swept).filter(|column| *column != 2);
                let head: Vec<&str> = places.filter_map(|place| run.get(place)).collect();
                if let Some(rows) = &mut tables[*holder] {
                    while rows.is_next_of(&head) {
                        out.write_record(&rows.take()?.unwrap_or_default())?;
                    }
                }
            }
            for rows in runs.iter_mut().chain(tables.iter_mut().flatten()) {
                if rows.next.is_some() {
                    return Err(rows.fault("a row belongs to no run of the shard").into());
                }
            }
            Ok(())
        })
    }
}

/// The folder of the merged results; the shards may be in different folders.
fn target(parts: &[ShardResults], out: Option<&Path>) -> Result<PathBuf, Failure> {
    let beside = |part: &ShardResults| {
        // `shards` has no parent, and `.` and `x/..` have none that follows from their names.
        let folder = fs::canonicalize(&part.folder);
        let folder = folder.map_err(|error| refuse(&part.folder, error))?;
        let parent = folder.parent().map(Path::to_owned);
        let told = part.folder.parent().map(Path::to_owned);
        Ok::<_, Failure>((parent.unwrap_or(folder), told))
    };
    if let Some(out) = out {
        return Ok(out.to_owned());
    }
    let (first, told) = beside(&parts[0])?;
    for part in &parts[1..] {
        if beside(part)?.0 != first {
            let why = format!(
                "not in the same folder as {}; set the output folder with --out",
                parts[0].folder.display()
            );
            return Err(refuse(&part.folder, why));
        }
    }
    Ok(match told {
        Some(told) if parts[0].folder.file_name().is_some() => told,
        _ => first,
    })
}

/// Refuses two shards of different sweeps.
fn alike(one: &ShardResults, other: &ShardResults) -> Result<(), Failure> {
    let fields = |part: &ShardResults| part.manifest.as_object().cloned().unwrap_or_default();
    let (first, second) = (fields(one), fields(other));
    let shared = first.keys().chain(second.keys());
    let differs =
        |key: &&String| !OWN.contains(&key.as_str()) && first.get(*key) != second.get(*key);
    let different = match shared.into_iter().find(differs) {
        Some(key) => format!("`{key}` in manifest.json"),
        None if one.facts.of != other.facts.of => "the number of shards".to_owned(),
        None if one.facts.plan != other.facts.plan || one.facts.runs != other.facts.runs => {
            "the list of runs".to_owned()
        }
        None => return Ok(()),
    };
    let why = format!(
        "not of the same sweep as {}: {different} differs",
        one.folder.display()
    );
    Err(refuse(&other.folder, why))
}

/// The rows of a result table, with a look-ahead of one row.
struct RowReader {
    path: PathBuf,
    header: csv::StringRecord,
    rows: csv::StringRecordsIntoIter<File>,
    next: Option<csv::StringRecord>,
}

impl RowReader {
    fn open(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(format!("{name}.csv"));
        let told = |error: io::Error| io::Error::other(format!("{}: {error}", path.display()));
        let mut reader =
            csv::Reader::from_reader(dhtlab_files::open(&path, Links::Refused).map_err(told)?);
        let header = reader
            .headers()
            .map_err(|error| told(error.into()))?
            .clone();
        let mut rows = Self {
            header,
            rows: reader.into_records(),
            next: None,
            path,
        };
        rows.take()?;
        Ok(rows)
    }

    /// Returns the next row and advances.
    fn take(&mut self) -> io::Result<Option<csv::StringRecord>> {
        let after = self.rows.next().transpose();
        let after = after.map_err(|error| self.fault(error))?;
        Ok(std::mem::replace(&mut self.next, after))
    }

    /// Whether the next row begins with these cells.
    fn is_next_of(&self, head: &[&str]) -> bool {
        let next = self.next.as_ref();
        next.is_some_and(|row| row.iter().take(head.len()).eq(head.iter().copied()))
    }

    fn fault(&self, why: impl std::fmt::Display) -> io::Error {
        io::Error::other(format!("{}: {why}", self.path.display()))
    }
}
