//! The page of a figure: title, panels side by side, legend and caption below them.

use plotters::style::RGBColor;

use super::canvas::{self, Anchor, Canvas, DrawingError, PagePoint, TextFormat};
use super::legend::Legend;
use super::plot::LegendEntry;
use super::spec::{Figure, LegendPlace};
use super::style;
use super::text_layout::wrapped;

const MARGIN: f64 = 18.0;
const ROW_GAP: f64 = 16.0;

/// The height of a line of text, as a multiple of its size.
pub const LINE: f64 = 1.3;

/// The least height of a panel of a figure whose height is given.
const LEAST_HEIGHT: f64 = 130.0;

/// Number of panels side by side: at most three, and four as a square.
fn columns(panels: usize) -> usize {
    if panels == 4 { 2 } else { panels.clamp(1, 3) }
}

/// The size and the arrangement of a page, as the keys of a figure say. Lengths are in pixels of the
/// layout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageLayout {
    pub width: Option<f64>,
    pub height: Option<f64>,
    /// The pixels of the figure per pixel of the layout, in which texts have the sizes of [`style`].
    pub scale: f64,
    pub legend: LegendPlace,
}

impl Default for PageLayout {
    fn default() -> Self {
        Self::of(&Figure::default())
    }
}

impl PageLayout {
    /// The layout of a figure.
    pub fn of(figure: &Figure) -> Self {
        let scale = figure
            .font_size
            .map_or(1.0, |size| size / style::LABEL_SIZE);
        Self {
            width: figure.width.map(|width| width / scale),
            height: figure.height.map(|height| height / scale),
            scale,
            legend: figure.legend,
        }
    }

    /// The width of one panel, where the figure has a width.
    pub fn panel_width(&self, panels: usize) -> Option<f64> {
        let inner = self.width? - 2.0 * MARGIN;
        Some(inner / columns(panels) as f64)
    }

    /// About the height of one panel, where the figure has a height.
    pub fn panel_height(&self, panels: usize) -> Option<f64> {
        Some(self.height? / panels.div_ceil(columns(panels)) as f64)
    }
}

/// The parts around the panels of a figure, and the size of these.
pub struct Page<'a> {
    pub title: &'a str,
    pub caption: &'a str,
    pub legend: &'a [LegendEntry],
    pub panels: usize,
    /// The width and height of one panel, its labels included. If the layout has a height, the height
    /// is what it leaves.
    pub panel_size: (f64, f64),
    pub layout: PageLayout,
}

impl Page<'_> {
    /// Draws the page as an SVG document; `panel` draws the panel with this number (from 0) below
    /// and to the right of a corner, with a width and a height.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn draw(
        &self,
        mut panel: impl FnMut(&mut Canvas<'_>, usize, PagePoint, (f64, f64)),
    ) -> Result<String, DrawingError> {
        let (width, mut height) = self.panel_size;
        let columns = columns(self.panels);
        let rows = self.panels.div_ceil(columns) as f64;
        let inner = columns as f64 * width;

        let title = Paragraph::new(self.title, style::TITLE_SIZE, style::INK, inner);
        let entries = match self.layout.legend {
            LegendPlace::None => &[],
            LegendPlace::Below | LegendPlace::Above => self.legend,
        };
        let legend = Legend::new(entries, inner);
        let caption = Paragraph::new(self.caption, style::CAPTION_SIZE, style::FAINT, inner);
        let (above, below) = match self.layout.legend {
            LegendPlace::Above => (legend.height(), 0.0),
            LegendPlace::Below | LegendPlace::None => (0.0, legend.height()),
        };
        let title_end = MARGIN + title.height() + 8.0;
        let panels_top = title_end + above;
        let under = 10.0 + below + caption.height() + MARGIN;
        if let Some(whole) = self.layout.height {
            let free = (whole - panels_top - under + ROW_GAP) / rows - ROW_GAP;
            height = free.max(LEAST_HEIGHT);
        }
        let panels_end = panels_top + rows * (height + ROW_GAP) - ROW_GAP + 10.0;
        let legend_top = if above > 0.0 { title_end } else { panels_end };
        let caption_top = panels_end + below;
        let size = (
            (inner + 2.0 * MARGIN).ceil() as u32,
            (caption_top + caption.height() + MARGIN).ceil() as u32,
        );

        canvas::document(
            size,
            self.layout.scale,
            self.title,
            self.caption,
            |canvas| {
                let middle = MARGIN + inner / 2.0;
                title.draw(canvas, (middle, MARGIN));
                for index in 0..self.panels {
                    let corner = (
                        MARGIN + (index % columns) as f64 * width,
                        panels_top + (index / columns) as f64 * (height + ROW_GAP),
                    );
                    panel(canvas, index, corner, (width, height));
                }
                legend.draw(canvas, (MARGIN, legend_top));
                caption.draw(canvas, (middle, caption_top));
            },
        )
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
