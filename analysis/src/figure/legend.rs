//! The legend: samples and labels in centred rows.

use super::canvas::{Anchor, Canvas, TextFormat};
use super::marks;
use super::plot::{LegendEntry, Sample};
use super::style;
use super::text_layout::{text_width, wrapped};

/// Space between two entries.
const GAP: f64 = 30.0;
/// Space between a sample and its label.
const BESIDE: f64 = 8.0;
const LINE: f64 = style::LEGEND_SIZE * 1.5;

/// Entries laid out for a width.
#[derive(Debug)]
pub struct Legend {
    rows: Vec<Vec<Item>>,
    width: f64,
}

#[derive(Debug)]
struct Item {
    sample: Sample,
    lines: Vec<String>,
    width: f64,
}

impl Legend {
    /// Lays out `entries` in rows no wider than `width`.
    pub fn new(entries: &[LegendEntry], width: f64) -> Self {
        let mut rows: Vec<Vec<Item>> = Vec::new();
        let mut used = f64::INFINITY;
        for entry in entries {
            let item = Item::new(entry, width);
            if used + GAP + item.width > width {
                rows.push(Vec::new());
                used = -GAP;
            }
            used += GAP + item.width;
            if let Some(row) = rows.last_mut() {
                row.push(item);
            }
        }
        Self { rows, width }
    }

    /// The height, with some space below.
    pub fn height(&self) -> f64 {
        if self.rows.is_empty() {
            return 0.0;
        }
        self.rows.iter().map(|row| row_height(row)).sum::<f64>() + 6.0
    }

    /// Draws the legend below and to the right of a corner.
    pub fn draw(&self, canvas: &mut Canvas<'_>, (left, mut top): (f64, f64)) {
        for row in &self.rows {
            let total = row.iter().map(|item| item.width + GAP).sum::<f64>() - GAP;
            let mut x = left + (self.width - total) / 2.0;
            for item in row {
                item.draw(canvas, (x, top));
                x += item.width + GAP;
            }
            top += row_height(row);
        }
    }
}

impl Item {
    fn new(entry: &LegendEntry, room: f64) -> Self {
        let beside = marks::sample_width(entry.sample) + BESIDE;
        let lines = wrapped(&entry.label, style::LEGEND_SIZE, room - beside);
        let text = lines
            .iter()
            .map(|line| text_width(line, style::LEGEND_SIZE))
            .fold(0.0, f64::max);
        Self {
            sample: entry.sample,
            lines,
            width: beside + text,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, (left, top): (f64, f64)) {
        let beside = marks::sample_width(self.sample) + BESIDE;
        marks::draw_sample(canvas, self.sample, (left, top + LINE / 2.0));
        let mut baseline = top + LINE / 2.0 + style::LEGEND_SIZE * style::HALF_CAPITAL;
        for text in &self.lines {
            let lettering = TextFormat::across(style::LEGEND_SIZE, style::INK, Anchor::Start);
            canvas.text((left + beside, baseline), text, lettering);
            baseline += LINE;
        }
    }
}

fn row_height(row: &[Item]) -> f64 {
    let lines = row.iter().map(|item| item.lines.len()).max().unwrap_or(0);
    LINE * lines.max(1) as f64
}
