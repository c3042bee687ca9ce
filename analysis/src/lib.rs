//! Statistics, figures and the report from the result files of dhtlab.
//!
//! This crate never calls the simulator. It reads the result files in a directory (`manifest.json`,
//! `runs.csv` and long tables such as `histogram.csv`), computes statistics and draws figures. So
//! figures can be drawn again without another simulation.
//!
//! * [`summarise`] writes `summary.csv`: mean, deviation, interval and quantiles for each point of
//!   the sweep.
//! * [`draw`] draws every figure of the manifest as SVG and as PNG, [`draw_in`] as PDF, too, and
//!   writes `fits.csv` with the fits of the theory curves.
//! * [`verify`] compares the files with the checksums in the manifest.
//! * [`report::write`] compares the results of many scenarios with the built-in published values,
//!   and writes `REPORT.md` and `report.html`.
//! * [`difference`] compares two results, with the intervals of their differences.
//! * [`view`] makes a page that plays a recorded run in a browser.
//! * [`statistics`] defines the statistics.
//!
//! The same files give the same bytes.
//!
//! ```no_run
//! let directory = std::path::Path::new("results/chord-path-length");
//! dhtlab_analysis::summarise(directory)?;
//! for path in dhtlab_analysis::draw(directory)? {
//!     println!("{}", path.display());
//! }
//! # Ok::<(), dhtlab_analysis::Error>(())
//! ```

pub mod difference;
pub mod figure;
pub mod report;
pub mod statistics;
mod summary;
mod table;
pub mod view;

pub use dhtlab_format::Error;
pub use dhtlab_format::manifest::verify;
pub use figure::{Formats, draw, draw_in};
pub use summary::{MainMetric, MeanAtPoint, SUMMARY_COLUMNS, main_metric, summarise};
