//! Files of results: there is room for them, none is half written, and a checksum tells each.

use super::WALL_TIME;
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Makes sure that there is a folder with room to write.
pub(in crate::cli) fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    probe(folder)
}

/// Writes and removes a file large enough that a full disk is found before the first run.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(".room");
    let probed = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![b' '; 1 << 20])?;
        file.sync_data()
    });
    let removed = fs::remove_file(&path);
    probed.and(removed)
}

/// Writes a file beside its place and moves it there, so that it is never half written.
pub(in crate::cli) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = BufWriter::new(File::create(&beside)?);
    write(&mut file)?;
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_data()?;
    fs::rename(&beside, path)
}

/// Writes a CSV file with this header and what `fill` adds.
pub(in crate::cli) fn write_csv(
    path: &Path,
    header: Vec<String>,
    fill: impl FnOnce(&mut csv::Writer<&mut BufWriter<File>>) -> csv::Result<()>,
) -> io::Result<()> {
    replace(path, |file| {
        let mut rows = csv::Writer::from_writer(file);
        rows.write_record(header)?;
        fill(&mut rows)?;
        rows.flush()
    })
}

/// The SHA-1 of `runs.csv` and of each of the long `tables` in `folder`, by file, by which the
/// report sees whether one was changed.
pub(in crate::cli) fn checksums(
    folder: &Path,
    tables: &[&str],
) -> io::Result<BTreeMap<String, String>> {
    let names = tables.iter().copied().chain(["runs"]);
    let names = names.filter(|name| *name != WALL_TIME);
    let mut checksums = BTreeMap::new();
    for name in names {
        let file = format!("{name}.csv");
        let digest = Sha1::digest(fs::read(folder.join(&file))?);
        checksums.insert(file, hexadecimal(&digest));
    }
    Ok(checksums)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
