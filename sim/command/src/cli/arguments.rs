//! The arguments of the command line.

use super::limit;
use crate::Kinds;
use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use dhtlab_scenario::{Overrides, Shard};
use std::path::PathBuf;

/// A deterministic simulator of distributed hash tables.
#[derive(Parser)]
#[command(name = "dhtlab", version, max_term_width = 100)]
pub(super) struct Command {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand)]
pub(super) enum Action {
    /// Run scenarios; finished runs are not repeated
    Run {
        /// Scenario files, or names of shipped scenarios
        #[arg(required = true, value_name = "SCENARIO")]
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
        /// Redraw the figures every few seconds while runs finish
        #[arg(long, conflicts_with_all = ["only", "shard"])]
        watch: bool,
        #[command(flatten)]
        talk: TalkArgs,
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
        /// Scenario files, or names of shipped scenarios
        #[arg(required = true, value_name = "SCENARIO")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        changes: OverrideArgs,
        /// Forecast from cost estimates only, without trial runs
        #[arg(long)]
        no_trial: bool,
    },
    /// List the shipped scenarios and what each reproduces
    List {
        #[command(flatten)]
        shipped: ShippedArgs,
        /// Print a table in Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Print a scenario file
    Show {
        /// A scenario file, or the name of a shipped scenario
        #[arg(value_name = "SCENARIO")]
        file: PathBuf,
    },
    /// Write a scenario to begin with, NAME.toml
    New {
        /// Name of the scenario
        name: String,
        /// Copy this scenario, a file or a shipped one [default: a short one with comments]
        #[arg(long, value_name = "SCENARIO")]
        like: Option<PathBuf>,
    },
    /// Explain keys of scenarios and columns of results: meaning, unit, range, default
    Explain {
        /// A key such as overlay.chord.successors, a table of keys, or a column such as latency_ms_mean
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Compare two folders of results, or the values of a swept key
    ///
    /// Prints which metrics differ, with 95 % confidence intervals of the differences. Runs of the same seed
    /// are compared in pairs.
    Compare {
        /// Folder of results
        first: PathBuf,
        /// Folder of results with which it is compared
        #[arg(required_unless_present = "by")]
        second: Option<PathBuf>,
        /// Compare the first value of this swept key, such as overlay.protocol, with each other one
        #[arg(long, value_name = "KEY", conflicts_with = "second")]
        by: Option<String>,
        /// Print these metrics only
        #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
        metrics: Vec<String>,
        /// Print all metrics, not only those that differ
        #[arg(long)]
        all: bool,
    },
    /// Redraw the figures from the CSV files
    Plot {
        /// Folders of results
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Write PDF beside SVG and PNG; later runs into the folder keep it up to date
        #[arg(long)]
        pdf: bool,
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
        // Results of changed scenarios are detected.
        #[command(flatten)]
        shipped: ShippedArgs,
    },
    /// Run all shipped scenarios, then write the report
    Reproduce {
        #[command(flatten)]
        shipped: ShippedArgs,
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
        /// Print one page in Markdown with all subcommands
        #[arg(long, conflicts_with = "folder")]
        markdown: bool,
    },
    /// Print the JSON Schema of scenario files, or the columns of the result files
    Schema {
        /// Print the columns of the result files with their units and meanings, of all kinds of
        /// experiment or of one
        #[arg(long, value_name = "EXPERIMENT")]
        columns: Option<Option<String>>,
        /// Print the keys of scenario files with their types, ranges, defaults and meanings
        #[arg(long, conflicts_with = "columns")]
        keys: bool,
    },
}

#[derive(Args)]
pub(super) struct ShippedArgs {
    /// Folder of the shipped scenarios [default: `scenarios` if it exists, or else those built into the
    /// command]
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
}

/// Overrides of a scenario from the command line.
#[derive(Args)]
pub(super) struct OverrideArgs {
    /// Set a key of the scenario, swept or not, such as overlay.nodes=500
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Random seed
    #[arg(long, allow_negative_numbers = true, value_parser = integer::<u64>)]
    pub seed: Option<u64>,
    /// Number of runs of each point
    #[arg(long, allow_negative_numbers = true, value_parser = integer::<u32>)]
    pub repetitions: Option<u32>,
    /// Use the small sizes in the scenario's [quick] table
    #[arg(long)]
    pub quick: bool,
}

/// The command line, with the names of the `kinds` of experiment.
pub(super) fn command_line(kinds: Kinds) -> clap::Command {
    let names = PossibleValuesParser::new(kinds.iter().map(|kind| kind.name()));
    Command::command().mut_subcommand("schema", |schema| {
        schema.mut_arg("columns", |columns| columns.value_parser(names))
    })
}

/// An integer of at least 0.
fn integer<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let most = 8 * size_of::<T>();
    let expected = || format!("expected an integer of at least 0 and below 2^{most}");
    text.parse().map_err(|_| expected())
}

impl OverrideArgs {
    pub fn options(&self) -> Overrides {
        Overrides {
            set: self.set.clone(),
            seed: self.seed,
            repetitions: self.repetitions,
            quick: self.quick,
        }
    }
}

#[derive(Args)]
pub(super) struct OutputArgs {
    /// Output folder, with one subfolder per scenario
    #[arg(long, default_value = "results", value_name = "DIR")]
    pub out: PathBuf,
    /// Number of parallel runs [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Format of the tables; `parquet` writes NAME.parquet beside each NAME.csv
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub format: Format,
    #[command(flatten)]
    pub bound: LimitArgs,
}

/// Formats of the tables of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Csv,
    Parquet,
}

#[derive(Args, Clone, Copy)]
pub(super) struct TalkArgs {
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Print each finished run as one JSON object in a line on stdout
    #[arg(long, conflicts_with = "only")]
    pub json: bool,
}

#[derive(Args)]
pub(super) struct LimitArgs {
    /// Memory limit of the process, such as "4 GB"; a run that exceeds it stops early with partial
    /// results [default: 80 % of the available memory]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<limit::Amount>,
}
