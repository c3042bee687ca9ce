//! One writer per folder of results.
//!
//! A writer holds a lock of the operating system on the file `.lock`. The lock ends with the
//! process, so the file of a killed process blocks no other.

use super::store::{self, named};
use super::streams;
use dhtlab_files::Links;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const NAME: &str = ".lock";

/// The exclusive right to write into a folder of results, until dropped.
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock on `folder`, which is created if it is absent.
    ///
    /// # Errors
    /// Another process holds the lock (the message names it); those of creating files.
    pub fn take(folder: &Path) -> io::Result<Self> {
        store::make(folder)?;
        let path = folder.join(NAME);
        loop {
            let mut file = dhtlab_files::update(&path).map_err(|error| named(NAME, &error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held(&mut file)),
                // Some cluster file systems have no locks; the results matter more than the lock.
                Err(TryLockError::Error(error)) => streams::print_note(format_args!(
                    "{}: cannot lock this folder ({error}); make sure that no other dhtlab process writes to it",
                    folder.display()
                )),
            }
            // The previous holder may have removed the file after it was opened here.
            if is_at(&file, &path)? {
                file.set_len(0)?;
                write!(file, "{}", std::process::id())?;
                return Ok(Self { path, _file: file });
            }
        }
    }

    /// Refuses a folder into which another process writes; creates no file.
    ///
    /// # Errors
    /// Another process holds the lock; the message names it.
    pub fn refuse_held(folder: &Path) -> io::Result<()> {
        let mut file = match dhtlab_files::open(&folder.join(NAME), Links::Refused) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(|error| named(NAME, &error))?,
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Err(held(&mut file)),
            _ => Ok(()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A file that remains is reused by the next holder.
        let _ = fs::remove_file(&self.path);
    }
}

/// The error for a held lock in `file`.
fn held(file: &mut File) -> io::Error {
    let mut pid = String::new();
    let read = file.read_to_string(&mut pid);
    io::Error::other(match read {
        Ok(_) if !pid.is_empty() => {
            format!("another dhtlab process (pid {pid}) is writing to this folder")
        }
        _ => "another dhtlab process is writing to this folder".to_owned(),
    })
}

/// Whether `path` still refers to `file`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(now) => Ok((own.dev(), own.ino()) == (now.dev(), now.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether `path` still refers to `file`: on other systems open files are not removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_at_a_time_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("a/b");
        let lock = Lock::take(&inner).expect("free");
        let told = Lock::take(&inner).err().expect("held").to_string();
        let pid = std::process::id();
        assert_eq!(
            told,
            format!("another dhtlab process (pid {pid}) is writing to this folder")
        );
        let also = Lock::refuse_held(&inner).expect_err("held").to_string();
        assert_eq!(also, told);
        drop(lock);
        assert!(fs::read_dir(&inner).expect("a folder").next().is_none());
        Lock::refuse_held(&inner).expect("free");
        Lock::take(&inner).expect("free again");
    }

    /// Many threads take the lock in turn. If a removed file were locked, two could hold it at
    /// once.
    #[test]
    fn lock_is_exclusive_when_its_file_is_removed() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let folder = tempfile::tempdir().expect("a folder");
        let (inside, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut own = 0;
                    while own < 200 {
                        let Ok(lock) = Lock::take(folder.path()) else {
                            std::thread::yield_now();
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        own += 1;
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                    taken.fetch_add(own, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(taken.into_inner(), 800);
    }
}
