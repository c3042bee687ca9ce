//! The specification of a figure: a `[[figure]]` table of a scenario or an entry of `figures` in a
//! manifest. [`Figure::validate`] checks it against a scenario.

mod check;
mod layout;
mod spec;

pub use check::FigureError;
pub use layout::MOST_DOTS;
pub use spec::*;

impl Figure {
    /// The stem of the files of the figure at `index` (from 0).
    #[must_use]
    pub fn stem(&self, index: usize) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| format!("figure-{}", index + 1))
    }
}
