//! Underlays by their table `[underlay]`.

mod field;
mod files;
mod measured;
mod table;

use dhtlab::parameter::{ConfigError, Table};
use dhtlab::underlay::Specification;
use std::path::Path;

/// Reads `[underlay]` with `keys`.
fn read(keys: &str, base: &Path) -> Result<Specification, ConfigError> {
    let file: toml::Table = format!("[underlay]\n{keys}").parse().unwrap();
    Specification::read(&Table::root(&file).sub("underlay")?, base)
}
