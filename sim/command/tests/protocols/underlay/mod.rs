//! Underlays from the table `[underlay]`.

mod field;
mod files;
mod measured;
mod table;

use dhtlab_core::parameter::{ConfigError, Table};
use dhtlab_core::underlay::Specification;
use std::path::Path;

/// Reads `[underlay]` with `keys`.
fn read(keys: &str, base: &Path) -> Result<Specification, ConfigError> {
    let file = dhtlab_scenario::parse_toml(&format!("[underlay]\n{keys}")).expect("TOML");
    Specification::read(&Table::root(&file).sub("underlay")?, base)
}
