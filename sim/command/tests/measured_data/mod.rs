//! Measured networks for tests, found through the environment variable `DHTLAB_DATA`. Where it names no
//! folder, the tests that need them are reported as ignored. Both test binaries use this.

use std::path::{Path, PathBuf};

/// The path of `name` in the collection.
pub fn path(name: &str) -> PathBuf {
    let folder = std::env::var_os("DHTLAB_DATA").expect("DHTLAB_DATA names a folder");
    let path = Path::new(&folder).join(name);
    assert!(
        path.exists(),
        "{name} is not in the folder that DHTLAB_DATA names"
    );
    path
}
