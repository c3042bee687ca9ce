//! The shipped scenarios: found by name, in a folder or built into the command, and copied.

use crate::Failure;
use dhtlab_core::parameter::Value;
use dhtlab_files::Links;
use dhtlab_format::nearest::nearest;
use dhtlab_scenario::{Source, parse_toml};
use include_dir::{Dir, DirEntry, include_dir};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The scenarios that are built into the command, with the files that they read.
static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// The folder of scenarios of a clone.
const FOLDER: &str = "scenarios";

/// The examples in it.
const EXAMPLES: &str = "examples";

/// What `new` writes without a scenario to copy.
const STARTER: &str = "examples/first.toml";

/// The `files`; one that does not exist and is a mere name is a file with `.toml`, or a shipped
/// scenario.
pub(super) fn find(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    files.iter().map(|file| find_one(file)).collect()
}

/// The `file`; `file.toml` if only that exists; or the file of the shipped scenario with this name.
///
/// # Errors
/// There is no such file and no such scenario; built-in scenarios cannot be unpacked.
pub fn find_one(file: &Path) -> Result<PathBuf, Failure> {
    // A folder of this name, such as one of results, is no scenario.
    if file.exists() && !file.is_dir() {
        return Ok(file.to_owned());
    }
    let mut name = file.to_owned();
    if file.extension().is_none_or(|extension| extension != "toml") {
        name.as_mut_os_string().push(".toml");
    }
    // A file of one's own comes before a shipped scenario.
    if name.is_file() {
        return Ok(name);
    }
    let is_name = file.components().count() == 1;
    if !is_name {
        return Ok(file.to_owned());
    }
    let name = name.to_string_lossy().into_owned();
    for inner in ["", EXAMPLES] {
        if names(inner).contains(&name) {
            return Ok(folder(None)?.join(inner).join(name));
        }
        // A folder `scenarios` of one's own does not hide those that are built in.
        if built_in(inner).contains(&name) {
            return Ok(unpacked().map_err(cannot_unpack)?.join(inner).join(name));
        }
    }
    if file.exists() {
        // Reading it says what is wrong.
        return Ok(file.to_owned());
    }
    let wanted = name.strip_suffix(".toml").unwrap_or(&name);
    let all = [names(""), names(EXAMPLES)].concat();
    let known = all.iter().filter_map(|name| name.strip_suffix(".toml"));
    let file = file.display();
    Err(Failure::Input(match nearest(wanted, known) {
        Some(near) => format!("{file}: no such file; did you mean `{near}`?"),
        None => format!("{file}: no such file, and no shipped scenario; `dhtlab list` lists those"),
    }))
}

/// The names of the files in the folder `inner` of the shipped scenarios. Nothing is unpacked for them.
fn names(inner: &str) -> Vec<String> {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    if in_folder(Path::new(FOLDER)).is_ok() {
        let files = in_folder(&Path::new(FOLDER).join(inner)).unwrap_or_default();
        return files.iter().filter_map(|file| name(file)).collect();
    }
    built_in(inner)
}

/// The names of the files in the folder `inner` of the scenarios that are built in.
fn built_in(inner: &str) -> Vec<String> {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    let folder = match inner {
        "" => Some(&BUILT_IN),
        inner => BUILT_IN.get_dir(inner),
    };
    let files = folder.into_iter().flat_map(|folder| folder.files());
    let scenarios = files
        .map(|file| file.path())
        .filter(|path| is_scenario(path));
    scenarios.filter_map(name).collect()
}

/// The shipped scenarios of `folder`, or of the default one.
pub(super) fn files(folder: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    in_folder(&self::folder(folder)?)
}

/// The scenario files of `folder`, in the order of their names.
pub(super) fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |why: String| Failure::Input(format!("{}: {why}", folder.display()));
    let entries = fs::read_dir(folder).map_err(|error| refuse(error.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| is_scenario(path))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(refuse("no scenario files".to_owned()));
    }
    Ok(files)
}

fn is_scenario(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "toml")
}

/// The folder of the shipped scenarios: the `given` one, `scenarios` if it has any, or a copy of those
/// built into the command.
pub(super) fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    match given {
        Some(folder) => Ok(folder.to_owned()),
        None if in_folder(Path::new(FOLDER)).is_ok() => Ok(FOLDER.into()),
        None => unpacked().map_err(cannot_unpack),
    }
}

fn cannot_unpack((folder, error): (PathBuf, io::Error)) -> Failure {
    Failure::Run(format!(
        "{}: cannot write the built-in scenarios: {error}",
        folder.display()
    ))
}

/// A folder with the built-in scenarios, in the user's cache or else among the temporary files. Each version
/// of them has its own.
fn unpacked() -> Result<PathBuf, (PathBuf, io::Error)> {
    let mut bytes = Vec::new();
    each_file(&BUILT_IN, &mut |path, content| {
        bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
        bytes.extend_from_slice(content);
    });
    let name = format!("scenarios-{}", dhtlab_files::checksum_of(&bytes));
    let mut failed = None;
    // Among the temporary files each user has a folder of their own.
    let user = dirs::home_dir().unwrap_or_default();
    let user = dhtlab_files::checksum_of(user.as_os_str().as_encoded_bytes());
    let parents = [
        dirs::cache_dir().map(|cache| cache.join("dhtlab")),
        Some(std::env::temp_dir().join(format!("dhtlab-{}", &user[..12]))),
    ];
    for parent in parents.into_iter().flatten() {
        let folder = parent.join(&name);
        match unpack(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => failed = Some((folder, error)),
        }
    }
    Err(failed.unwrap_or_else(|| (PathBuf::from(name), io::ErrorKind::NotFound.into())))
}

/// Writes the built-in scenarios into `folder`, unless it has them, unchanged.
fn unpack(folder: &Path) -> io::Result<()> {
    if is_unpacked(folder) {
        return Ok(());
    }
    let parent = folder.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(parent)?;
    // Under another name first: a stop in the middle leaves no incomplete folder.
    let new = tempfile::tempdir_in(parent)?;
    BUILT_IN.extract(new.path())?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    match fs::rename(new.path(), folder) {
        Ok(()) => {
            let _ = new.keep();
            Ok(())
        }
        // Another command was faster.
        Err(_) if is_unpacked(folder) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether `folder` has the built-in scenarios, unchanged.
fn is_unpacked(folder: &Path) -> bool {
    let mut is_whole = folder.is_dir() && !folder.is_symlink();
    each_file(&BUILT_IN, &mut |path, content| {
        let read = |path: &Path| dhtlab_files::read(path, Links::Refused, dhtlab_files::MOST);
        is_whole = is_whole && read(&folder.join(path)).is_ok_and(|found| found == content);
    });
    is_whole
}

fn each_file(folder: &Dir<'_>, see: &mut dyn FnMut(&Path, &[u8])) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) => each_file(inner, see),
            DirEntry::File(file) => see(file.path(), file.contents()),
        }
    }
}

/// The text of a scenario file or of a shipped scenario.
pub(super) fn text(file: &Path) -> Result<String, Failure> {
    let file = find_one(file)?;
    Source::text(&file).map_err(|error| {
        Failure::Input(format!(
            "{}: the file cannot be read: {error}",
            file.display()
        ))
    })
}

/// Writes `NAME.toml`, a copy of the scenario `like` or else a short one with comments.
pub(super) fn create(name: &str, like: Option<&Path>) -> Result<PathBuf, Failure> {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    if !dhtlab_files::is_name(name) {
        return Err(Failure::Input(format!(
            "{name:?}: expected a name without separators and control characters"
        )));
    }
    let mut read = Vec::new();
    let text = match like {
        Some(like) => {
            let source = find_one(like)?;
            let text = text(&source)?;
            let folder = source.parent().unwrap_or(Path::new("")).to_owned();
            read.extend(
                files_of(&text)
                    .into_iter()
                    .map(|name| (folder.join(&name), name)),
            );
            text
        }
        None => {
            let starter = BUILT_IN.get_file(STARTER);
            let text = starter.and_then(|file| file.contents_utf8());
            text.unwrap_or_default().to_owned()
        }
    };
    let file = PathBuf::from(format!("{name}.toml"));
    let fault = |error: io::Error| Failure::Input(format!("{}: {error}", file.display()));
    // A path of a scenario is relative to its folder: the copy needs the file beside it.
    let mut copies = Vec::new();
    for (from, to) in read.into_iter().filter(|(from, _)| from.is_file()) {
        let fault = |error: io::Error| Failure::Input(format!("{}: {error}", to.display()));
        let content = fs::read(&from).map_err(fault)?;
        match fs::read(&to) {
            Ok(found) if found == content => {}
            Ok(_) => {
                let why = "it exists with another content, and the scenario reads it";
                return Err(fault(io::Error::other(why)));
            }
            Err(_) => copies.push((to, content)),
        }
    }
    // A file that exists is not replaced.
    let mut new = fs::File::create_new(&file).map_err(fault)?;
    io::Write::write_all(&mut new, text.as_bytes()).map_err(fault)?;
    for (to, content) in copies {
        let folder = to.parent().unwrap_or(Path::new(""));
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::File::create_new(&to))
            .and_then(|mut copy| io::Write::write_all(&mut copy, &content));
        written.map_err(|error| Failure::Input(format!("{}: {error}", to.display())))?;
    }
    Ok(file)
}

/// The relative paths below the folder of a scenario that its texts may name.
fn files_of(text: &str) -> Vec<PathBuf> {
    fn add(value: &Value, found: &mut Vec<PathBuf>) {
        match value {
            Value::String(text) => {
                let path = Path::new(text);
                let is_inside = |part| matches!(part, Component::Normal(_));
                if !text.is_empty() && path.components().all(is_inside) {
                    found.push(path.to_owned());
                }
            }
            Value::Array(values) => values.iter().for_each(|value| add(value, found)),
            Value::Table(table) => table.values().for_each(|value| add(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(table) = parse_toml(text) {
        table.values().for_each(|value| add(value, &mut found));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_scenarios_are_unpacked_once() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let folder = parent.path().join("a").join("b");
        unpack(&folder).expect("unpacked");
        let files = in_folder(&folder).expect("scenarios");
        assert!(
            files.len() > 50 && folder.join(STARTER).is_file(),
            "{files:?}"
        );
        // What was changed or removed is written again.
        let text = fs::read_to_string(&files[0]).expect("read");
        fs::write(&files[0], "changed").expect("written");
        fs::remove_file(&files[1]).expect("removed");
        unpack(&folder).expect("there");
        assert_eq!(fs::read_to_string(&files[0]).expect("read"), text);
        assert!(files[1].is_file());
        assert_eq!(
            fs::read_dir(parent.path().join("a")).expect("read").count(),
            1
        );
    }
}
