//! The command line: arguments, progress, resumption, result files, exit codes.
//!
//! Exit codes: 0, success; 1, a run or a file failed; 2, invalid input, nothing was changed; 101, a
//! bug in the command; 130, interrupted. All finished runs are on disk in each case.

mod arguments;
mod columns;
mod compare;
mod explain;
mod forecast;
mod limit;
mod manual;
mod merge;
mod outcome;
mod overview;
mod progress;
mod record;
mod report;
mod run;
mod shipped;
mod text_table;

pub use explain::names as explain;
pub use forecast::{Forecast, of as forecast};
pub use shipped::find_one as find_scenario;

pub(crate) use overview::refuse_too_large;
pub use run::verify;
pub(crate) use run::{analyse, missing};

use crate::{Failure, Kinds, streams};
use arguments::{Action, Command, Format, command_line};
use clap::FromArgMatches;
use dhtlab_analysis::{Formats, difference};
use dhtlab_scenario::{Overrides, Scenario, Source, schema};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Sets the default limit of memory of the process.
pub(crate) fn set_memory_limit() {
    limit::set(None);
}

/// Runs the command with these `kinds` of experiment, as the whole of a program. `arguments` are those of a
/// process, its name first. Returns the exit code.
///
/// A panic in any thread and an interrupt end the process; finished runs are on disk then.
pub fn command(kinds: Kinds, arguments: impl IntoIterator<Item = OsString>) -> u8 {
    streams::end_at_panics();
    let parsed = command_line(kinds).try_get_matches_from(arguments);
    let done = match parsed.and_then(|parsed| Command::from_arg_matches(&parsed)) {
        Ok(command) => act(kinds, &command.action),
        // An invalid command line; help and the version are returned as errors, too.
        Err(error) if error.use_stderr() => {
            let _ = error.print();
            return 2;
        }
        Err(help) => streams::checked(help.print().and_then(|()| io::stdout().flush())),
    };
    match done {
        Ok(()) => streams::success(),
        Err(failure) => {
            streams::print_error(format_args!("error: {failure}"));
            failure.code()
        }
    }
}

fn act(kinds: Kinds, action: &Action) -> Result<(), Failure> {
    match action {
        Action::Run {
            files,
            changes,
            place,
            only,
            record,
            watch,
            talk,
            shard,
        } => {
            let mut scenarios = read_all(kinds, &shipped::find(files)?, &changes.options())?;
            if let Some(shard) = shard {
                for scenario in &mut scenarios {
                    scenario.restrict_to_shard(*shard);
                }
            }
            limit::set(place.bound.memory);
            if talk.quiet {
                streams::be_quiet();
            }
            if let Some(run) = only {
                return run::only(&scenarios, run);
            }
            let recorded = record::choose(&scenarios, record.as_deref())?;
            scenarios.iter().for_each(overview::print_advice);
            let mode = run::Mode {
                jobs: place.jobs,
                recorded,
                is_json: talk.json,
                is_watched: *watch,
                has_summary: true,
                has_parquet: place.format == Format::Parquet,
            };
            run::all(&scenarios, &place.out, &mode)
        }
        Action::Check {
            files,
            changes,
            no_trial,
        } => {
            let files = shipped::find(files)?;
            let scenarios = read_all(kinds, &files, &changes.options())?;
            for (file, scenario) in files.iter().zip(scenarios) {
                streams::print_line(overview::check(file, &scenario, !no_trial)?)?;
            }
            Ok(())
        }
        Action::List { shipped, markdown } => {
            let files = shipped::files(shipped.scenarios.as_deref())?;
            let titles = files.iter().map(|file| overview::Titled::read(file));
            let titles: Vec<_> = titles.collect::<Result<_, _>>()?;
            streams::print(match markdown {
                true => overview::markdown(&titles),
                false => overview::list(&titles),
            })
        }
        Action::Show { file } => streams::print(shipped::text(file)?),
        Action::New { name, like } => {
            let file = shipped::create(name, like.as_deref())?;
            streams::print_line(file.display())
        }
        Action::Explain { names } => streams::print(explain::names(kinds, names)?),
        Action::Compare {
            first,
            second,
            by,
            metrics,
            all,
        } => {
            let differences = match (second, by) {
                (Some(second), _) => difference::of_folders(first, second),
                (None, by) => difference::by_key(first, by.as_deref().unwrap_or_default()),
            };
            let differences = differences.map_err(|error| Failure::Input(error.to_string()))?;
            streams::print(compare::table(first, &differences, metrics, *all)?)
        }
        Action::Plot { folders, pdf } => folders.iter().try_for_each(|folder| {
            verify(folder)?;
            let drawn = run::analyse_with(folder, Formats { pdf: *pdf })?;
            drawn
                .iter()
                .try_for_each(|figure| streams::print_line(figure.display()))
        }),
        Action::View { folder, out } => {
            let page = record::view(folder, out.as_deref())?;
            streams::print_line(page.display())
        }
        Action::Reproduce {
            shipped,
            quick,
            out,
            jobs,
            bound,
        } => {
            limit::set(bound.memory);
            let options = Overrides {
                quick: *quick,
                ..Overrides::default()
            };
            let folder = shipped::folder(shipped.scenarios.as_deref())?;
            let files = with_available_data(kinds, shipped::in_folder(&folder)?, &options);
            let default = if *quick { "results/quick" } else { "results" };
            let out = out.as_deref().unwrap_or(Path::new(default));
            let all = read_all(kinds, &files, &options)?;
            let mode = run::Mode {
                jobs: *jobs,
                ..run::Mode::default()
            };
            run::all(&all, out, &mode)?;
            let command = if *quick {
                "dhtlab reproduce --quick"
            } else {
                "dhtlab reproduce"
            };
            report::write(kinds, out, &folder, command.to_owned())
        }
        Action::Report { folder, shipped } => {
            let command = format!("dhtlab report {}", folder.display());
            let scenarios = shipped::folder(shipped.scenarios.as_deref())?;
            report::write(kinds, folder, &scenarios, command)
        }
        Action::Merge { folders, out } => merge::all(kinds, folders, out.as_deref()),
        Action::Completions { shell } => manual::completions(command_line(kinds), *shell),
        Action::Man { markdown: true, .. } => {
            streams::print(clap_markdown::help_markdown_command(&command_line(kinds)))
        }
        Action::Man { folder, .. } => manual::pages(command_line(kinds), folder.as_deref()),
        Action::Schema { keys: true, .. } => streams::print(explain::keys(kinds)),
        Action::Schema { columns: None, .. } => {
            streams::print_line(format_args!("{:#}", schema(kinds)))
        }
        Action::Schema {
            columns: Some(kind),
            ..
        } => streams::print(columns::page(kinds, kind.as_deref())),
    }
}

/// The files without those whose data are missing here, so that the others can still run.
fn with_available_data(kinds: Kinds, mut files: Vec<PathBuf>, options: &Overrides) -> Vec<PathBuf> {
    files.retain(|file| {
        let text = Source::text(file);
        let needs = text.is_ok_and(|text| text.contains("$DHTLAB_DATA/"));
        if !needs || std::env::var_os("DHTLAB_DATA").is_some() {
            return true;
        }
        let read = Source::load(file).and_then(|source| Scenario::read(source, options, kinds));
        match read {
            Err(error) if error.message.contains("DHTLAB_DATA") => {
                streams::print_note(format_args!(
                    "{}: skipped: {}",
                    file.display(),
                    error.message
                ));
                false
            }
            _ => true,
        }
    });
    files
}

/// Reads all scenarios before any run, so that an error in the last one is found first.
fn read_all(
    kinds: Kinds,
    files: &[PathBuf],
    options: &Overrides,
) -> Result<Vec<Scenario>, Failure> {
    let read = |file: &PathBuf| {
        let source = Source::load(file)?;
        Scenario::read(source, options, kinds)
    };
    let scenarios: Result<Vec<Scenario>, _> = files.iter().map(read).collect();
    let scenarios = scenarios.map_err(|error| Failure::Input(error.to_string()))?;
    for (i, scenario) in scenarios.iter().enumerate() {
        if let Some(same) = scenarios[..i]
            .iter()
            .position(|other| other.name == scenario.name)
        {
            return Err(Failure::Input(format!(
                "{} and {} have the same output folder `{}`",
                files[same].display(),
                files[i].display(),
                scenario.name
            )));
        }
    }
    Ok(scenarios)
}
