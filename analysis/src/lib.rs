//! Statistics, figures and the report from the result files of dhtlab.
//!
//! This crate never calls the simulator. It reads the files that a run left in a directory
//! (`manifest.json`, `runs.csv` and long tables such as `histogram.csv`), computes statistics and
//! draws figures, so figures can be drawn again without simulating again.
//!
//! * [`summarise`] writes `summary.csv`: mean, deviation, interval and quantiles a point of the sweep.
//! * [`draw`] draws every figure that the manifest asks for, as SVG and as PNG, and writes `fits.csv`
//!   with what the theory curves gave.
//! * [`verify`] compares the files with the checksums in the manifest.
//! * [`figure::Figure`] is one figure of a scenario; [`figure::Figure::validate`] checks it before
//!   anything is simulated.
//! * [`report::write`] holds the results of many scenarios against the published values that are built
//!   in, and writes `REPORT.md` and `report.html`.
//! * [`manifest`] says what a run left, and whether that was changed.
//! * [`files`] opens and replaces files so that nothing but regular files is read or written.
//! * [`view`] holds what was recorded of a run, and makes a page that plays it in a browser.
//! * [`statistics`] holds the numbers' definitions.
//!
//! The same files give the same bytes, on every run.
//!
//! ```no_run
//! let directory = std::path::Path::new("results/chord-path-length");
//! dhtlab_analysis::summarise(directory)?;
//! for path in dhtlab_analysis::draw(directory)? {
//!     println!("{}", path.display());
//! }
//! # Ok::<(), dhtlab_analysis::Error>(())
//! ```

mod error;
pub mod figure;
pub mod files;
pub mod manifest;
mod output;
pub mod report;
pub mod statistics;
mod summary;
mod table;
pub mod view;

pub use error::Error;
pub use figure::draw;
pub use manifest::verify;
pub use summary::summarise;
