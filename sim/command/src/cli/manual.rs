//! Shell completions and manual pages.

use super::{Command, Failure, streams};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::Path;

/// Prints the script that completes the command line in `shell`.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut command = Command::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    streams::print(String::from_utf8_lossy(&script))
}

/// Writes the manual pages of the command and of each subcommand into `folder`; without a folder,
/// prints that of the command.
pub(super) fn pages(folder: Option<&Path>) -> Result<(), Failure> {
    // Without `help`, as in the pages in a folder.
    let mut command = Command::command().disable_help_subcommand(true);
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
