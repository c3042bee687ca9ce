//! The command line: arguments, progress, resumption, result files, exit codes.
//!
//! Exit codes: 0, success; 1, a run or a file failed; 2, invalid input, nothing was changed; 101, a
//! bug in the command; 130, interrupted. All finished runs are on disk in each case.

mod forecast;
mod limit;
mod lock;
mod manual;
mod merge;
mod overview;
mod progress;
mod record;
mod report;
mod run;
mod store;
mod streams;

use clap::{Args, Parser, Subcommand};
use dhtlab_experiments::KINDS;
use dhtlab_scenario::{Overrides, Scenario, Shard, Source, schema};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A deterministic simulator of distributed hash tables.
#[derive(Parser)]
#[command(name = "dhtlab", version, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run scenarios; finished runs are not repeated
    Run {
        /// Scenario files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        changes: OverrideArgs,
        #[command(flatten)]
        place: OutputArgs,
        /// Execute only the run with this name (the column `run`) and print its metrics; writes no files
        #[arg(long, value_name = "RUN")]
        only: Option<String>,
        /// Record all events of the run with this name, or of the first run, and write a page that
        /// replays it in a browser; for networks of at most 200 nodes
        #[arg(
            long,
            value_name = "RUN",
            num_args = 0..=1,
            require_equals = true,
            default_missing_value = "",
            conflicts_with = "only"
        )]
        record: Option<String>,
        /// Execute shard i of n of each scenario, for use on several machines; the results go to
        /// NAME.shard-i-of-n, and `dhtlab merge` merges them
        #[arg(long, value_name = "i/n", conflicts_with_all = ["only", "record"])]
        shard: Option<Shard>,
    },
    /// Merge the shards of a sweep (`run --shard`) into the results of the whole sweep
    Merge {
        /// Folders of shards, or folders that contain them
        #[arg(required = true, value_name = "DIR")]
        folders: Vec<PathBuf>,
        /// Output folder, with one subfolder per scenario [default: the folder of the shards]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Validate scenarios; print the planned runs and a forecast of their time and memory
    Check {
        /// Scenario files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        changes: OverrideArgs,
        /// Forecast from cost estimates only, without trial runs
        #[arg(long)]
        no_trial: bool,
    },
    /// List the shipped scenarios and what each reproduces
    List {
        /// Folder of the scenarios
        #[arg(long, default_value = "scenarios", value_name = "DIR")]
        scenarios: PathBuf,
    },
    /// Redraw the figures from the CSV files
    Plot {
        /// Folders of results
        #[arg(required = true)]
        folders: Vec<PathBuf>,
    },
    /// Write the page that replays a recorded run (`run --record`) in a browser
    View {
        /// Folder of results with the recording
        folder: PathBuf,
        /// Output file [default: view.html in the folder]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Compare results with the published values; writes REPORT.md and report.html
    Report {
        /// Folder with one subfolder of results per scenario
        #[arg(default_value = "results", value_name = "DIR")]
        folder: PathBuf,
        /// Folder of the scenarios, to detect results of changed scenarios [default: scenarios, if it
        /// exists]
        #[arg(long, value_name = "DIR")]
        scenarios: Option<PathBuf>,
    },
    /// Run all shipped scenarios, then write the report
    Reproduce {
        /// Folder of the scenarios
        #[arg(long, default_value = "scenarios", value_name = "DIR")]
        scenarios: PathBuf,
        /// Use the small sizes in each scenario's [quick] table; results go to results/quick
        #[arg(long)]
        quick: bool,
        /// Output folder, with one subfolder per scenario [default: results, or results/quick]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Number of parallel runs [default: number of cores]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        jobs: Option<u16>,
        #[command(flatten)]
        bound: LimitArgs,
    },
    /// Print the JSON Schema of the scenario file, for editors
    Schema,
    /// Print the completion script for a shell
    Completions {
        /// Name of the shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all subcommands into a folder
    Man {
        /// Output folder [default: print the page of `dhtlab` to stdout]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Overrides of a scenario from the command line.
#[derive(Args)]
struct OverrideArgs {
    /// Set a key of the scenario, swept or not, such as overlay.nodes=500
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Random seed
    #[arg(long, allow_negative_numbers = true, value_parser = integer::<u64>)]
    seed: Option<u64>,
    /// Number of runs of each point
    #[arg(long, allow_negative_numbers = true, value_parser = integer::<u32>)]
    repetitions: Option<u32>,
    /// Use the small sizes in the scenario's [quick] table
    #[arg(long)]
    quick: bool,
}

/// An integer of at least 0.
fn integer<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let most = 8 * size_of::<T>();
    let expected = || format!("expected an integer of at least 0 and below 2^{most}");
    text.parse().map_err(|_| expected())
}

impl OverrideArgs {
    fn options(&self) -> Overrides {
        Overrides {
            set: self.set.clone(),
            seed: self.seed,
            repetitions: self.repetitions,
            quick: self.quick,
        }
    }
}

#[derive(Args)]
struct OutputArgs {
    /// Output folder, with one subfolder per scenario
    #[arg(long, default_value = "results", value_name = "DIR")]
    out: PathBuf,
    /// Number of parallel runs [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    bound: LimitArgs,
}

#[derive(Args)]
struct LimitArgs {
    /// Memory limit of the process, such as "4 GB"; a run that exceeds it stops early with partial
    /// results [default: 80 % of the available memory]
    #[arg(long, value_name = "SIZE")]
    memory: Option<limit::Amount>,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Invalid input.
    #[error("{0}")]
    Input(String),
    /// A failure during execution.
    #[error("{0}")]
    Run(String),
}

impl Failure {
    fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Input(_) => 2,
            Self::Run(_) => 1,
        })
    }
}

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    streams::end_at_panics();
    let done = match Command::try_parse() {
        Ok(command) => act(&command.action),
        // An invalid command line; help and the version are returned as errors, too.
        Err(error) if error.use_stderr() => {
            let _ = error.print();
            return ExitCode::from(2);
        }
        Err(help) => streams::checked(help.print().and_then(|()| io::stdout().flush())),
    };
    match done {
        Ok(()) => streams::success(),
        Err(failure) => {
            streams::print_note(format_args!("error: {failure}"));
            failure.code()
        }
    }
}

fn act(action: &Action) -> Result<(), Failure> {
    match action {
        Action::Run {
            files,
            changes,
            place,
            only,
            record,
            shard,
        } => {
            let mut scenarios = read_all(files, &changes.options())?;
            if let Some(shard) = shard {
                for scenario in &mut scenarios {
                    scenario.restrict_to_shard(*shard);
                }
            }
            limit::set(place.bound.memory);
            if let Some(run) = only {
                return run::only(&scenarios, run);
            }
            let recorded = record::choose(&scenarios, record.as_deref())?;
            scenarios.iter().for_each(overview::print_advice);
            run::all(&scenarios, &recorded, &place.out, place.jobs)
        }
        Action::Check {
            files,
            changes,
            no_trial,
        } => {
            for (file, scenario) in files.iter().zip(read_all(files, &changes.options())?) {
                streams::print_line(overview::check(file, &scenario, !no_trial)?)?;
            }
            Ok(())
        }
        Action::List { scenarios } => {
            let files = with_available_data(overview::shipped(scenarios)?, &Overrides::default());
            let scenarios = read_all(&files, &Overrides::default())?;
            streams::print(overview::list(&scenarios))
        }
        Action::Plot { folders } => folders.iter().try_for_each(|folder| {
            run::verify(folder)?;
            let drawn = run::analyse(folder)?;
            drawn
                .iter()
                .try_for_each(|figure| streams::print_line(figure.display()))
        }),
        Action::View { folder, out } => {
            let page = record::view(folder, out.as_deref())?;
            streams::print_line(page.display())
        }
        Action::Reproduce {
            scenarios,
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
            let files = with_available_data(overview::shipped(scenarios)?, &options);
            let default = if *quick { "results/quick" } else { "results" };
            let out = out.as_deref().unwrap_or(Path::new(default));
            let all = read_all(&files, &options)?;
            run::all(&all, &[], out, *jobs)?;
            let command = if *quick {
                "dhtlab reproduce --quick"
            } else {
                "dhtlab reproduce"
            };
            report::write(out, Some(scenarios), command.to_owned())
        }
        Action::Report { folder, scenarios } => {
            let command = format!("dhtlab report {}", folder.display());
            report::write(folder, scenarios.as_deref(), command)
        }
        Action::Merge { folders, out } => merge::all(folders, out.as_deref()),
        Action::Completions { shell } => manual::completions(*shell),
        Action::Man { folder } => manual::pages(folder.as_deref()),
        Action::Schema => streams::print_line(format_args!("{:#}", schema(KINDS))),
    }
}

/// The files without those whose data are missing here, so that the others can still run.
fn with_available_data(mut files: Vec<PathBuf>, options: &Overrides) -> Vec<PathBuf> {
    files.retain(|file| {
        let text = Source::text(file);
        let needs = text.is_ok_and(|text| text.contains("$DHTLAB_DATA/"));
        if !needs || std::env::var_os("DHTLAB_DATA").is_some() {
            return true;
        }
        let read = Source::load(file).and_then(|source| Scenario::read(source, options, KINDS));
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
fn read_all(files: &[PathBuf], options: &Overrides) -> Result<Vec<Scenario>, Failure> {
    let read = |file: &PathBuf| {
        let source = Source::load(file)?;
        Scenario::read(source, options, KINDS)
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
