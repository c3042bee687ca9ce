//! Result files: free space is checked, all files are replaced together, and each has a checksum.
//!
//! New files are written beside the old ones, as `NAME.new`, and `manifest.new` last: from then on
//! they are valid. The next command that opens the results completes an interrupted move, so that a
//! stop at any moment leaves either the old files or the new ones.

use super::{JOURNAL, WALL_TIME, named};
use dhtlab_files::Links;
use dhtlab_format::manifest::{MANIFEST, is_sealed, seal};
use dhtlab_scenario::{Experiment, TableSpec};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The file with the checksums of new files that may not be in place yet.
const COMMITTED: &str = "manifest.new";

/// Makes sure that the folder exists and has free space.
pub(crate) fn prepare(folder: &Path) -> io::Result<()> {
    make(folder)?;
    probe(folder)
}

/// Creates `folder` if it is absent.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match fs::symlink_metadata(folder)?.is_symlink() {
        true => Err(io::Error::other("it is a symbolic link; expected a folder")),
        false => Ok(()),
    }
}

/// Writes and removes a file large enough to detect a full disk before the first run.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(".room");
    let room = vec![b' '; 1 << 20];
    dhtlab_files::write(&path, |file| file.write_all(&room))
        .map_err(|error| named(".room", &error))?;
    fs::remove_file(&path)
}

/// New result files, which replace the old ones all together or not at all.
pub(crate) struct Replacement<'a> {
    folder: &'a Path,
    /// The names of the tables, without `.csv`, with their checksums.
    tables: Vec<(&'a str, String)>,
    is_committed: bool,
}

impl<'a> Replacement<'a> {
    /// A replacement in `folder` without files.
    pub fn of(folder: &'a Path) -> Self {
        Self {
            folder,
            tables: Vec::new(),
            is_committed: false,
        }
    }

    /// Writes a new `NAME.csv` with this header and the rows that `fill` adds.
    pub fn table(
        &mut self,
        name: &'a str,
        header: Vec<String>,
        fill: impl FnOnce(&mut csv::Writer<&mut BufWriter<File>>) -> csv::Result<()>,
    ) -> io::Result<()> {
        let path = pending_path(self.folder, name);
        let written = dhtlab_files::write(&path, |file| {
            let mut rows = csv::Writer::from_writer(file);
            rows.write_record(header)?;
            fill(&mut rows)?;
            rows.flush()
        });
        let sum = written.and_then(|()| dhtlab_files::checksum(&path));
        self.tables
            .push((name, sum.map_err(|error| with_path(&path, &error))?));
        Ok(())
    }

    /// Replaces the old files by the new ones, with this manifest, which gets their checksums in
    /// addition to those of `others`; tables of `experiment` that are not among them are removed.
    pub fn commit(
        mut self,
        mut manifest: Value,
        others: BTreeMap<String, String>,
        experiment: &dyn Experiment,
    ) -> io::Result<()> {
        let mut sums = others;
        for (name, sum) in &self.tables {
            if *name != WALL_TIME {
                sums.insert(format!("{name}.csv"), sum.clone());
            }
        }
        manifest["files"] = json!(sums);
        seal(&mut manifest);
        let path = self.folder.join(COMMITTED);
        let text = serde_json::to_string_pretty(&manifest)?;
        dhtlab_files::write(&path, |file| writeln!(file, "{text}"))
            .map_err(|error| with_path(&path, &error))?;
        self.is_committed = true;
        move_all(self.folder, &manifest, experiment.tables())
    }
}

impl Drop for Replacement<'_> {
    fn drop(&mut self) {
        if !self.is_committed {
            // They occupy space that may be needed.
            for (name, _) in &self.tables {
                let _ = fs::remove_file(pending_path(self.folder, name));
            }
        }
    }
}

/// Completes an interrupted replacement in `folder`.
pub(super) fn recover(folder: &Path, experiment: &dyn Experiment) -> io::Result<()> {
    for name in [JOURNAL, MANIFEST] {
        // A partial file is either already in place or not needed.
        let path = folder.join(format!("{name}.partial"));
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            fs::remove_file(&path)?;
        }
    }
    let path = folder.join(COMMITTED);
    let text = match dhtlab_files::read(&path, Links::Refused, dhtlab_files::MOST) {
        // A folder at this path gives an error when the file is written.
        Err(error) if path.is_dir() || error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read.map_err(|error| with_path(&path, &error))?,
    };
    let manifest: Option<Value> = serde_json::from_slice(&text).ok();
    // A truncated manifest is not valid yet, nor is one whose files are missing.
    let manifest = manifest.filter(|manifest| {
        let is_whole = is_sealed(manifest) == Some(true);
        let sums = manifest["files"].as_object().into_iter().flatten();
        let is_at = |path: &Path, sum: &Value| {
            dhtlab_files::checksum(path).is_ok_and(|found| sum.as_str() == Some(&found))
        };
        is_whole
            && sums.into_iter().all(|(file, sum)| {
                let Some(name) = file.strip_suffix(".csv") else {
                    return true;
                };
                dhtlab_files::is_name(file)
                    && (is_at(&pending_path(folder, name), sum) || is_at(&folder.join(file), sum))
            })
    });
    match manifest {
        Some(manifest) => move_all(folder, &manifest, experiment.tables()),
        None => fs::remove_file(&path),
    }
}

/// Moves the new files of `manifest` into place, and the manifest last.
fn move_all(folder: &Path, manifest: &Value, specs: &[TableSpec]) -> io::Result<()> {
    let listed = |name: &str| {
        let tables = manifest["tables"].as_array();
        tables.is_some_and(|tables| tables.iter().any(|table| table == name))
    };
    for name in specs.iter().map(|table| table.name).chain(["runs"]) {
        let (new, path) = (
            pending_path(folder, name),
            folder.join(format!("{name}.csv")),
        );
        if name != "runs" && !listed(name) {
            // The results have no rows of this table.
            dhtlab_files::remove(&path)?;
            dhtlab_files::remove(&new)?;
        } else if new.is_file() {
            fs::rename(new, &path).map_err(|error| with_path(&path, &error))?;
        }
    }
    fs::rename(folder.join(COMMITTED), folder.join(MANIFEST))
}

/// The path of the new file of a table until it is valid.
pub(super) fn pending_path(folder: &Path, table: &str) -> PathBuf {
    folder.join(format!("{table}.new"))
}

/// An error for `path`, with the path in its message.
fn with_path(path: &Path, error: &io::Error) -> io::Error {
    let name = path.file_name().unwrap_or_default();
    named(&name.to_string_lossy(), error)
}
