//! Opens, reads and replaces files: regular files only.
//!
//! A folder of results may come from an untrusted source. A name that dhtlab uses may be a link to
//! another file, a named pipe or a device. Such an entry is refused: dhtlab does not follow it,
//! write to it or wait for it. A reader never sees a partly replaced file.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use sha1::{Digest, Sha1};

/// The largest file that is read into memory completely.
pub const MOST: u64 = 1 << 30;

/// Whether a symbolic link is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The target of the link is opened.
    Followed,
    /// The link is refused.
    Refused,
}

/// Opens a regular file for reading.
///
/// # Errors
/// The path is not a regular file (the message gives its type); those of opening.
pub fn open(path: &Path, links: Links) -> io::Result<File> {
    opened(path, links, OpenOptions::new().read(true))
}

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// Those of [`open`]; the file is larger.
pub fn read(path: &Path, links: Links, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open(path, links)?;
    let mut length = file.metadata()?.len();
    if length <= most {
        // A file may have more bytes than its metadata report, as files of the kernel do.
        length = file.take(most + 1).read_to_end(&mut bytes)? as u64;
    }
    if length > most {
        let most = most >> 20;
        return Err(io::Error::other(format!(
            "it is larger than {most} MiB, the most that is read"
        )));
    }
    Ok(bytes)
}

/// Reads a regular file of UTF-8 text of at most `most` bytes.
///
/// # Errors
/// Those of [`read`]; the file is not UTF-8 (the message gives the line).
pub fn read_text(path: &Path, links: Links, most: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, links, most)?);
    text.map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let message = format!("line {line} is not UTF-8 text");
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

/// Opens a regular file without further hard links for reading and writing; creates an empty one if
/// it is absent.
///
/// # Errors
/// The path is not such a file (the message gives its type); those of opening.
pub fn update(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = opened(path, Links::Refused, &mut options)?;
    match links_to(&file.metadata()?) {
        0 | 1 => Ok(file),
        names => Err(io::Error::other(format!(
            "it is one file with {names} names (hard links); expected a file of its own"
        ))),
    }
}

/// Creates a new file in place of a regular one, whose other hard links stay unchanged.
///
/// # Errors
/// The path is not a regular file (the message gives its type); those of creating it.
pub fn create(path: &Path) -> io::Result<File> {
    if let Some(metadata) = looked_at(path, Links::Refused)?
        && metadata.is_file()
    {
        fs::remove_file(path)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Removes a file, if it exists.
///
/// # Errors
/// Those of removing it.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file at `path` completely and synchronises it to the disk; removes it on failure.
///
/// # Errors
/// Those of [`create`] and of writing.
pub fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::new(create(path)?);
    let written = fill(&mut file).and_then(|()| {
        file.flush()?;
        file.get_ref().sync_data()
    });
    if written.is_err() {
        // The file occupies space that may be needed.
        let _ = file.into_parts();
        let _ = fs::remove_file(path);
    }
    written
}

/// Writes a file under a temporary name and renames it, so that it is never partly written.
///
/// # Errors
/// Those of [`write`](write()); the path is not a regular file; those of renaming.
pub fn replace(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    looked_at(path, Links::Refused)?;
    let mut pending_path = path.as_os_str().to_owned();
    pending_path.push(".partial");
    let pending_path = PathBuf::from(pending_path);
    write(&pending_path, fill)?;
    fs::rename(&pending_path, path).inspect_err(|_| drop(fs::remove_file(&pending_path)))
}

/// Whether `name` is a plain file name, without a path.
pub fn is_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let is_one = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(part)), None) if part == name
    );
    is_one && !name.contains(|c: char| matches!(c, '/' | '\\') || c.is_control())
}

/// The SHA-1 of a regular file in hexadecimal digits.
///
/// # Errors
/// Those of [`open`] and of reading.
pub fn checksum(path: &Path) -> io::Result<String> {
    let mut file = open(path, Links::Refused)?;
    let (mut digest, mut part) = (Sha1::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            read => digest.update(&part[..read]),
        }
    }
}

/// The SHA-1 of `bytes` in hexadecimal digits.
pub fn checksum_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha1::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Opens a regular file, and checks that it is the inspected one.
fn opened(path: &Path, links: Links, options: &mut OpenOptions) -> io::Result<File> {
    // The holder of a lock removes its file at the end, and another file may follow at once.
    for _ in 0..1000 {
        let before = looked_at(path, links)?;
        let file = options.open(path)?;
        let now = file.metadata()?;
        if let Some(kind) = unusable(&now) {
            return Err(refused(kind));
        }
        if before.is_none_or(|before| identity(&before) == identity(&now)) {
            return Ok(file);
        }
    }
    Err(io::Error::other("it is another file each time"))
}

/// The entry at `path`, if any: a regular file or a folder, whose use fails with the error of the
/// system.
fn looked_at(path: &Path, links: Links) -> io::Result<Option<Metadata>> {
    let metadata = match links {
        Links::Followed => fs::metadata(path),
        Links::Refused => fs::symlink_metadata(path),
    };
    match metadata {
        Ok(metadata) => match unusable(&metadata) {
            None => Ok(Some(metadata)),
            Some(kind) => Err(refused(kind)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn refused(kind: &str) -> io::Error {
    io::Error::other(format!("it is {kind}; expected a regular file"))
}

/// The type of an entry that is neither a regular file nor a folder.
fn unusable(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() || kind.is_dir() {
        return None;
    }
    if kind.is_symlink() {
        return Some("a symbolic link");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    Some("a device")
}

/// The identity of a file.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) {}

/// Number of hard links of a file; 0 if unknown.
#[cfg(unix)]
fn links_to(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.nlink()
}

#[cfg(not(unix))]
fn links_to(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_told_from_paths() {
        for name in ["a", "runs.csv", "..a", "a..", "ä b"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "", ".", "..", "a/b", "/a", "a/", "./a", "../a", "a\\b", "a\nb", "a\0",
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read(&path, Links::Refused, 1 << 20).unwrap().len(), 1 << 20);
        fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
        let told = read(&path, Links::Refused, 1 << 20)
            .unwrap_err()
            .to_string();
        assert_eq!(told, "it is larger than 1 MiB, the most that is read");
        // A sparse file takes no disk space, but would take all memory.
        let file = File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        assert!(read(&path, Links::Refused, 1 << 20).is_err());
    }

    /// Any other entry instead of a file is neither followed nor written, and no process waits for
    /// it.
    #[test]
    #[cfg(unix)]
    fn what_is_no_regular_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("precious"), "mine").unwrap();
        std::os::unix::fs::symlink("precious", at("link")).unwrap();
        std::os::unix::fs::symlink("nothing", at("dangling")).unwrap();
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        let text = |_: &mut BufWriter<File>| Ok(());
        for (name, kind) in [
            ("link", "a symbolic link"),
            ("dangling", "a symbolic link"),
            ("pipe", "a named pipe"),
            ("socket", "a socket"),
        ] {
            let path = at(name);
            let told = format!("it is {kind}; expected a regular file");
            let all = [
                read(&path, Links::Refused, MOST).map(drop),
                update(&path).map(drop),
                create(&path).map(drop),
                replace(&path, text),
                write(&path, text),
                checksum(&path).map(drop),
            ];
            for result in all {
                assert_eq!(result.unwrap_err().to_string(), told, "{name}");
            }
        }
        assert_eq!(fs::read(at("precious")).unwrap(), b"mine");
        assert!(!at("nothing").exists());
        // A file in a scenario may be a link to a file, and to nothing else.
        assert_eq!(read(&at("link"), Links::Followed, MOST).unwrap(), b"mine");
        let zero = read(Path::new("/dev/zero"), Links::Followed, MOST);
        let told = zero.unwrap_err().to_string();
        assert_eq!(told, "it is a device; expected a regular file");
        // A file with a second hard link is never written, and a new file leaves it unchanged.
        fs::hard_link(at("precious"), at("second")).unwrap();
        let told = update(&at("second")).unwrap_err().to_string();
        assert!(told.starts_with("it is one file with 2 names"), "{told}");
        create(&at("second")).unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read(at("precious")).unwrap(), b"mine");
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        replace(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
