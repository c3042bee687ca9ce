//! Measured networks for tests, found through the environment variable `DHTLAB_DATA`. Both test
//! binaries use this.

use std::path::{Path, PathBuf};

/// The path of `name` in the collection, if there is one.
pub fn path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("DHTLAB_DATA").map(|folder| Path::new(&folder).join(name));
    let found = path.filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: {name} is not in the folder that DHTLAB_DATA names");
    }
    found
}
