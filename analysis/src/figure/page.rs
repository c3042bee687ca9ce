//! The page of a figure: title, panels side by side, legend and caption below them.

use plotters::style::RGBColor;

use super::canvas::{self, Anchor, Canvas, DrawingError, PagePoint, TextFormat};
use super::legend::Legend;
use super::plot::Entry;
use super::style;
use super::text_layout::wrapped;

const MARGIN: f64 = 18.0;
const ROW_GAP: f64 = 16.0;

/// The height of a line of text, as a multiple of its size.
pub const LINE: f64 = 1.3;

/// Number of panels side by side: at most three, and four as a square.
fn columns(panels: usize) -> usize {
    if panels == 4 { 2 } else { panels.clamp(1, 3) }
}

/// The parts around the panels of a figure, and the size of these.
pub struct Page<'a> {
    pub title: &'a str,
    pub caption: &'a str,
    pub legend: &'a [Entry],
    pub panels: usize,
    /// The width and height of one panel, its labels included.
    pub panel_size: (f64, f64),
}

impl Page<'_> {
    /// Draws the page as an SVG document; `panel` draws the panel with this number (from 0) below
    /// and to the right of a corner.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn draw(
        &self,
        mut panel: impl FnMut(&mut Canvas<'_>, usize, PagePoint),
    ) -> Result<String, DrawingError> {
        let (width, height) = self.panel_size;
        let columns = columns(self.panels);
        let rows = self.panels.div_ceil(columns) as f64;
        let inner = columns as f64 * width;

        let title = Paragraph::new(self.title, style::TITLE_SIZE, style::INK, inner);
        let legend = Legend::new(self.legend, inner);
        let caption = Paragraph::new(self.caption, style::CAPTION_SIZE, style::FAINT, inner);
        let panels_top = MARGIN + title.height() + 8.0;
        let legend_top = panels_top + rows * (height + ROW_GAP) - ROW_GAP + 10.0;
        let caption_top = legend_top + legend.height();
        let size = (
            (inner + 2.0 * MARGIN).ceil() as u32,
            (caption_top + caption.height() + MARGIN).ceil() as u32,
        );

        canvas::document(size, self.title, self.caption, |canvas| {
            let middle = MARGIN + inner / 2.0;
            title.draw(canvas, (middle, MARGIN));
            for index in 0..self.panels {
                let corner = (
                    MARGIN + (index % columns) as f64 * width,
                    panels_top + (index / columns) as f64 * (height + ROW_GAP),
                );
                panel(canvas, index, corner);
            }
            legend.draw(canvas, (MARGIN, legend_top));
            caption.draw(canvas, (middle, caption_top));
        })
    }
}

/// A text in centred lines.
pub struct Paragraph {
    lines: Vec<String>,
    lettering: TextFormat,
}

impl Paragraph {
    /// Breaks `text` into lines no wider than `width`.
    pub fn new(text: &str, size: f64, colour: RGBColor, width: f64) -> Self {
        Self {
            lines: wrapped(text, size, width),
            lettering: TextFormat::across(size, colour, Anchor::Middle),
        }
    }

    /// The height of the paragraph.
    pub fn height(&self) -> f64 {
        self.lines.len() as f64 * self.lettering.size * LINE
    }

    /// Draws it below a position, centred.
    pub fn draw(&self, canvas: &mut Canvas<'_>, (middle, top): (f64, f64)) {
        let mut baseline = top + self.lettering.size;
        for line in &self.lines {
            canvas.text((middle, baseline), line, self.lettering);
            baseline += self.lettering.size * LINE;
        }
    }
}
