//! Shell completions and manual pages.

use crate::{Failure, streams};
use clap::Command;
use clap_complete::Shell;
use std::path::Path;

/// Prints the script that completes the line of `command` in `shell`.
pub(super) fn completions(mut command: Command, shell: Shell) -> Result<(), Failure> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    streams::print(String::from_utf8_lossy(&script))
}

/// Writes the manual pages of `command` and of each subcommand into `folder`; without a folder,
/// prints that of the command.
pub(super) fn pages(command: Command, folder: Option<&Path>) -> Result<(), Failure> {
    // Without `help`, as in the pages in a folder.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(folder) = folder else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(|error| Failure::Run(error.to_string()))?;
        return streams::print(String::from_utf8_lossy(&page));
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| Failure::Input(format!("{}: {error}", folder.display())))
}
