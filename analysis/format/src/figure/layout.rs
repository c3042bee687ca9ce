//! Checks the keys of the page of a figure: its size, its ranges, its legend.

use super::check::FigureError;
use super::spec::{Figure, FigureKind};

/// The least and the greatest width or height, in pixels.
pub(super) const SIZE: (f64, f64) = (120.0, 10_000.0);
/// The least and the greatest size of texts, in pixels.
pub(super) const FONT_SIZE: (f64, f64) = (4.0, 200.0);
/// The least and the greatest number of dots per inch.
pub(super) const DPI: (f64, f64) = (24.0, 2400.0);
/// The most dots of a PNG along a side.
pub const MOST_DOTS: u32 = 20_000;

/// The largest value at an end of an axis.
const LARGEST: f64 = 1e100;
/// The least distance of the ends of an axis, as a part of the larger one: labels have so many digits.
const NEAREST: f64 = 1e-6;

impl Figure {
    /// Checks the size, the ranges and the legend.
    ///
    /// # Errors
    /// The first invalid key, and what was expected.
    pub(super) fn check_layout(&self) -> Result<(), FigureError> {
        for (key, value, (low, high)) in [
            ("width", self.width, SIZE),
            ("height", self.height, SIZE),
            ("font-size", self.font_size, FONT_SIZE),
            ("dpi", self.dpi, DPI),
        ] {
            if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
                let message = format!("expected a number from {low} to {high}, found {value}");
                return Err(FigureError::new(key, message));
            }
        }
        let side = self.width.into_iter().chain(self.height).reduce(f64::max);
        if let (Some(side), Some(dpi)) = (side, self.dpi)
            && side * dpi / 96.0 > f64::from(MOST_DOTS)
        {
            let message = format!(
                "a side of {side} pixels would have more than {MOST_DOTS} dots at {dpi} dpi"
            );
            return Err(FigureError::new("dpi", message));
        }
        let scales = [self.scale.log_x(), self.scale.log_y()];
        for ((key, range), is_logarithmic) in [("x-range", self.x_range), ("y-range", self.y_range)]
            .into_iter()
            .zip(scales)
        {
            let Some([low, high]) = range else { continue };
            if !(low.is_finite() && high.is_finite() && low < high) {
                let message =
                    format!("expected [first, last] with first < last, found [{low}, {high}]");
                return Err(FigureError::new(key, message));
            }
            let size = low.abs().max(high.abs());
            if size > LARGEST || high - low < NEAREST * size {
                let message = format!(
                    "expected two values of at most {LARGEST:e}, a millionth of the larger one apart, found \
                     [{low}, {high}]"
                );
                return Err(FigureError::new(key, message));
            }
            if is_logarithmic && low <= 0.0 {
                let message = format!("a logarithmic axis starts above 0, found [{low}, {high}]");
                return Err(FigureError::new(key, message));
            }
            if self.kind == FigureKind::Diagram {
                let message = format!("kind `diagram` takes no `{key}`: it has no axes");
                return Err(FigureError::new(key, message));
            }
        }
        Ok(())
    }
}
