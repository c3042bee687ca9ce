//! Draws pictures: filled shapes first, then lines, points and texts.

use std::collections::HashMap;

use plotters::style::{Color, RGBColor};

use super::{Form, Picture, Shape, Sheet};
use crate::figure::canvas::{Anchor, Canvas, DrawingError, PagePoint, Stroke, TextFormat};
use crate::figure::marks;
use crate::figure::page::{LINE, Page, PageLayout, Paragraph};
use crate::figure::style;
use crate::figure::text_layout::{shortened, text_width, wrapped};

/// Free space around the shapes: half a marker and more.
const PADDING: f64 = 12.0;
/// The largest height of a panel.
const TALLEST: f64 = 760.0;
/// The part of a small panel that its shapes have in any case.
const LEAST_PART: f64 = 0.2;
/// The size of texts.
const TEXT: f64 = style::TICK_SIZE;
/// From this number on, lines or points are drawn thinner, and from four times as many thinner
/// still.
const MANY: usize = 150;
/// Distance of an arrow's end from its last position, where there usually is a marker.
const SHORT: f64 = 6.0;

/// The width of a panel.
fn width(panels: usize) -> f64 {
    match panels {
        0 | 1 => 864.0,
        2 | 4 => 600.0,
        _ => 480.0,
    }
}

/// The projection from the picture to the page, the same for all panels.
#[derive(Debug, Clone, Copy)]
struct Projection {
    scale: f64,
    /// The leftmost and uppermost coordinates.
    corner: (f64, f64),
    /// Their position in the panel.
    offset: PagePoint,
}

impl Projection {
    fn place(&self, (left, top): PagePoint, (x, y): (f64, f64)) -> PagePoint {
        (
            left + self.offset.0 + (x - self.corner.0) * self.scale,
            top + self.offset.1 + (self.corner.1 - y) * self.scale,
        )
    }
}

/// Draws a picture as an SVG document.
///
/// # Errors
/// When the backend fails.
pub fn draw(picture: &Picture) -> Result<String, DrawingError> {
    let panels = picture.sheets.len();
    let layout = picture.layout;
    let width = layout.panel_width(panels).unwrap_or_else(|| width(panels));
    let tallest = layout.panel_height(panels).unwrap_or(TALLEST);
    let titles: Vec<Option<Paragraph>> = picture
        .sheets
        .iter()
        .map(|sheet| {
            let title = sheet.title.as_deref()?;
            Some(Paragraph::new(title, style::PANEL_SIZE, style::INK, width))
        })
        .collect();
    let title_height = titles
        .iter()
        .flatten()
        .map(Paragraph::height)
        .fold(0.0, f64::max);
    let (projection, height) = projection(&picture.sheets, (width, tallest));
    let page = Page {
        title: &picture.title,
        caption: &picture.caption,
        legend: &picture.legend,
        panels,
        panel_size: (width, title_height + height),
        // The height of a diagram is that of its shapes.
        layout: PageLayout {
            height: None,
            ..layout
        },
    };
    page.draw(|canvas, index, (left, top), _| {
        if let Some(title) = &titles[index] {
            title.draw(canvas, (left + width / 2.0, top));
        }
        let corner = (left, top + title_height);
        draw_sheet(canvas, &picture.sheets[index], &projection, corner);
    })
}

/// The largest scale with which all shapes and their texts fit into the width, and the resulting
/// height.
fn projection(sheets: &[Sheet], (width, tallest): (f64, f64)) -> (Projection, f64) {
    let shapes = || sheets.iter().flat_map(|sheet| &sheet.shapes);
    let (mut low, mut high) = (
        (f64::INFINITY, f64::INFINITY),
        (f64::NEG_INFINITY, f64::NEG_INFINITY),
    );
    for (x, y) in shapes().flat_map(|shape| &shape.places).copied() {
        (low.0, low.1) = (low.0.min(x), low.1.min(y));
        (high.0, high.1) = (high.0.max(x), high.1.max(y));
    }
    // If all shapes are at one position or on one line, any scale is suitable.
    let extent = |low: f64, high: f64| (high - low).max(1e-9);
    let (across, up) = (extent(low.0, high.0), extent(low.1, high.1));
    let (mut before, mut after) = (PADDING, PADDING);
    let mut scale = 1.0;
    // Texts extend further the smaller the scale is: a few rounds converge.
    for _ in 0..4 {
        scale =
            ((width - before - after) / across).min((tallest - 2.0 * PADDING - 2.0 * TEXT) / up);
        // Texts that leave nothing to the shapes lie over them.
        scale = scale.max(LEAST_PART * (width / across).min(tallest / up));
        (before, after) = (PADDING, PADDING);
        for shape in shapes() {
            let Form::Text(anchor) = shape.form else {
                continue;
            };
            let x = shape.places[0].0;
            let whole = text_width(&shape.label, TEXT);
            let (left, right) = match anchor {
                Anchor::Start => (0.0, whole),
                Anchor::Middle => (whole / 2.0, whole / 2.0),
                Anchor::End => (whole, 0.0),
            };
            before = before.max(left - (x - low.0) * scale + 4.0);
            after = after.max(right - (high.0 - x) * scale + 4.0);
        }
    }
    let spare = (width - before - after - across * scale).max(0.0) / 2.0;
    let projection = Projection {
        scale,
        corner: (low.0, high.1),
        offset: (before + spare, PADDING + TEXT),
    };
    (projection, up * scale + 2.0 * (PADDING + TEXT))
}

fn draw_sheet(canvas: &mut Canvas<'_>, sheet: &Sheet, projection: &Projection, corner: PagePoint) {
    let of = |form: fn(Form) -> bool| sheet.shapes.iter().filter(move |shape| form(shape.form));
    let at = |shape: &Shape| -> Vec<PagePoint> {
        let places = shape.places.iter();
        places
            .map(|place| projection.place(corner, *place))
            .collect()
    };
    let cells: Vec<&Shape> = of(|form| form == Form::Cell).collect();
    let edge = Stroke::solid(style::FAINT, 1.0);
    for (cell, tint) in cells.iter().zip(tints_of(&cells)) {
        canvas.polygon(&at(cell), style::TINTS[tint].to_rgba(), Some(edge));
    }
    let passes: [fn(Form) -> bool; 4] = [
        |form| form == Form::Box,
        |form| matches!(form, Form::Line | Form::Arrow),
        |form| form == Form::Point,
        |form| matches!(form, Form::Text(_)),
    ];
    for pass in passes {
        let thinness = thinness(of(pass).count());
        for shape in of(pass) {
            draw_shape(canvas, shape, &at(shape), thinness);
        }
    }
}

/// The factor for line widths and marker sizes of `count` lines or points.
fn thinness(count: usize) -> f64 {
    match count {
        0..MANY => 1.0,
        _ if count < 4 * MANY => 0.7,
        _ => 0.45,
    }
}

/// Indices of the tints of cells: cells that share a corner have different tints, as far as there
/// are enough tints.
fn tints_of(cells: &[&Shape]) -> Vec<usize> {
    // With the six digits that a file has.
    let corner = |(x, y): (f64, f64)| ((x * 1e6).round() as i64, (y * 1e6).round() as i64);
    let mut around: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    let mut tints: Vec<usize> = Vec::with_capacity(cells.len());
    for (number, cell) in cells.iter().enumerate() {
        let mut used = [0; style::TINTS.len()];
        for place in &cell.places {
            let others = around.entry(corner(*place)).or_default();
            for other in others.iter().filter(|other| **other != number) {
                used[tints[*other]] += 1;
            }
            others.push(number);
        }
        let in_turn = (number..number + used.len()).map(|tint| tint % used.len());
        tints.push(in_turn.min_by_key(|tint| used[*tint]).unwrap_or(0));
    }
    tints
}

fn draw_shape(canvas: &mut Canvas<'_>, shape: &Shape, places: &[PagePoint], thinness: f64) {
    let look = style::of_series(shape.layer);
    match shape.form {
        Form::Cell => {}
        Form::Box => draw_box(canvas, shape, places),
        Form::Line => canvas.line(places, stroke(shape.layer, thinness)),
        Form::Arrow => draw_arrow(canvas, places, stroke(shape.layer, thinness)),
        Form::Point => marks::draw_marker(canvas, places[0], look.marker, look.colour, thinness),
        Form::Text(anchor) => {
            let (x, y) = places[0];
            let lettering = TextFormat::across(TEXT, style::INK, anchor);
            canvas.text((x, y + TEXT * style::HALF_CAPITAL), &shape.label, lettering);
        }
    }
}

fn stroke(layer: usize, thinness: f64) -> Stroke {
    let look = style::of_series(layer);
    Stroke {
        colour: look.colour,
        width: 2.2 * thinness,
        dash: look.dash,
    }
}

/// A box with its label in the middle, shortened to the available space.
fn draw_box(canvas: &mut Canvas<'_>, shape: &Shape, corners: &[PagePoint]) {
    let [one, other] = [corners[0], corners[1]];
    let edge = box_edge(shape.layer);
    canvas.rectangle(one, other, box_fill(shape.layer), Some(edge));
    let width = (one.0 - other.0).abs() - 8.0;
    let height = (one.1 - other.1).abs();
    let mut lines = wrapped(&shape.label, TEXT, width);
    let most = (height / (TEXT * LINE)).floor().max(1.0) as usize;
    if lines.len() > most {
        // The rest of the text, shortened, as the last line.
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(shortened(&rest, TEXT, width));
    }
    let (x, middle) = ((one.0 + other.0) / 2.0, (one.1 + other.1) / 2.0);
    let lettering = TextFormat::across(TEXT, style::INK, Anchor::Middle);
    let first = middle - (lines.len() as f64 - 1.0) / 2.0 * TEXT * LINE;
    for (number, line) in lines.iter().enumerate() {
        let y = first + number as f64 * TEXT * LINE + TEXT * style::HALF_CAPITAL;
        canvas.text((x, y), line, lettering);
    }
}

fn box_fill(layer: usize) -> RGBColor {
    style::TINTS[layer % style::TINTS.len()]
}

fn box_edge(layer: usize) -> Stroke {
    Stroke {
        colour: style::FAINT,
        width: 1.2,
        dash: style::of_series(layer).dash,
    }
}

/// A line with an arrowhead slightly before its last position.
fn draw_arrow(canvas: &mut Canvas<'_>, places: &[PagePoint], stroke: Stroke) {
    const HEAD: f64 = 12.0;
    let mut places = places.to_vec();
    // The head of a bent arrow has the direction of the part that it covers.
    if let Some(tip) = places.last().copied() {
        let covered = |place: &PagePoint| (tip.0 - place.0).hypot(tip.1 - place.1) < SHORT + HEAD;
        while places.len() > 2 && covered(&places[places.len() - 2]) {
            places.remove(places.len() - 2);
        }
    }
    let Some((tip, line)) = places.split_last_mut() else {
        return;
    };
    let Some(from) = line.last().copied() else {
        return;
    };
    let (dx, dy) = (tip.0 - from.0, tip.1 - from.1);
    let length = dx.hypot(dy);
    if length < SHORT + 2.0 {
        return;
    }
    let (dx, dy) = (dx / length, dy / length);
    *tip = (tip.0 - SHORT * dx, tip.1 - SHORT * dy);
    let tip = *tip;
    let size = HEAD.min(length - SHORT) * (0.6 + 0.4 * stroke.width / 2.2);
    let base = (tip.0 - size * dx, tip.1 - size * dy);
    if let Some(last) = places.last_mut() {
        *last = (tip.0 - 0.8 * size * dx, tip.1 - 0.8 * size * dy);
    }
    canvas.line(&places, stroke);
    let side = 0.36 * size;
    let head = [
        tip,
        (base.0 - side * dy, base.1 + side * dx),
        (base.0 + side * dy, base.1 - side * dx),
    ];
    canvas.polygon(&head, stroke.colour.to_rgba(), None);
}

/// The sample of a layer of arrows, in a box of this width that starts at a position (its left
/// side, its middle height).
pub fn draw_arrow_sample(canvas: &mut Canvas<'_>, layer: usize, at: PagePoint, width: f64) {
    let end = (at.0 + width + SHORT, at.1);
    draw_arrow(canvas, &[at, end], stroke(layer, 1.0));
}

/// The sample of a layer of boxes, likewise.
pub fn draw_box_sample(
    canvas: &mut Canvas<'_>,
    layer: usize,
    (left, middle): PagePoint,
    width: f64,
) {
    let corners = ((left, middle - 8.0), (left + width, middle + 8.0));
    let edge = Some(box_edge(layer));
    canvas.rectangle(corners.0, corners.1, box_fill(layer), edge);
}

/// The sample of a layer of cells, likewise: two of the tints.
pub fn draw_cell_sample(canvas: &mut Canvas<'_>, (left, middle): PagePoint, width: f64) {
    let edge = Some(Stroke::solid(style::FAINT, 1.0));
    for (number, tint) in style::TINTS.iter().take(2).enumerate() {
        let x = left + number as f64 * width / 2.0;
        canvas.rectangle(
            (x, middle - 8.0),
            (x + width / 2.0, middle + 8.0),
            *tint,
            edge,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(x: f64, label: &str, anchor: Anchor) -> Shape {
        Shape {
            form: Form::Text(anchor),
            layer: 0,
            places: vec![(x, 0.0)],
            label: label.to_owned(),
        }
    }

    fn point(x: f64, y: f64) -> Shape {
        Shape {
            form: Form::Point,
            layer: 0,
            places: vec![(x, y)],
            label: String::new(),
        }
    }

    /// Both directions have one scale, and a text at the border is not cut.
    #[test]
    fn all_fits_into_the_width() {
        let sheet = Sheet {
            title: None,
            shapes: vec![
                point(0.0, 0.0),
                point(2.0, 1.0),
                text(0.0, "a long label at the left border", Anchor::End),
                text(2.0, "another one", Anchor::Middle),
            ],
        };
        let (projection, height) = projection(&[sheet], (600.0, TALLEST));
        let at = |x, y| projection.place((0.0, 0.0), (x, y));
        let (low, high) = (at(0.0, 0.0), at(2.0, 1.0));
        assert!((high.0 - low.0 - 2.0 * (low.1 - high.1)).abs() < 1e-9);
        assert!(low.0 >= text_width("a long label at the left border", TEXT));
        assert!(high.0 + text_width("another one", TEXT) / 2.0 <= 600.0);
        assert!(high.1 >= PADDING && low.1 <= height - PADDING);
    }

    #[test]
    fn a_tall_picture_is_as_tall_as_it_may_be() {
        let sheet = Sheet {
            title: None,
            shapes: vec![point(0.0, 0.0), point(0.1, 5.0)],
        };
        let (projection, height) = projection(&[sheet], (600.0, TALLEST));
        assert!((height - TALLEST).abs() < 1e-6, "{height}");
        let middle = projection.place((0.0, 0.0), (0.05, 2.5)).0;
        assert!((middle - 300.0).abs() < 1e-6, "{middle}");
    }

    /// Neighbours on a ring of cells have different tints, also in a honeycomb.
    #[test]
    fn neighbouring_cells_have_different_tints() {
        let cell = |places: Vec<(f64, f64)>| Shape {
            form: Form::Cell,
            layer: 0,
            places,
            label: String::new(),
        };
        for count in 3..40 {
            let at = |place: usize, radius: f64| {
                let angle = (place % count) as f64 / count as f64 * std::f64::consts::TAU;
                (radius * angle.sin(), radius * angle.cos())
            };
            let ring: Vec<Shape> = (0..count)
                .map(|n| cell(vec![at(n, 1.0), at(n + 1, 1.0), at(n + 1, 0.5), at(n, 0.5)]))
                .collect();
            let tints = tints_of(&ring.iter().collect::<Vec<_>>());
            for n in 0..count {
                assert_ne!(tints[n], tints[(n + 1) % count], "{count}");
            }
        }
        // Bricks, each row shifted by half a brick: every corner is shared by three.
        let brick = |row: i32, column: i32| {
            let (x, y) = (f64::from(2 * column + row % 2), f64::from(row));
            let xs = [(x, y), (x + 1.0, y), (x + 2.0, y)];
            let upper = xs.iter().rev().map(|(x, y)| (*x, y + 1.0));
            cell(xs.iter().copied().chain(upper).collect())
        };
        let wall: Vec<Shape> = (0..9)
            .flat_map(|row| (0..9).map(move |column| (row, column)))
            .map(|(row, column)| brick(row, column))
            .collect();
        let tints = tints_of(&wall.iter().collect::<Vec<_>>());
        for (a, one) in wall.iter().enumerate() {
            for (b, other) in wall.iter().enumerate().skip(a + 1) {
                let touch = one.places.iter().any(|place| other.places.contains(place));
                assert!(!touch || tints[a] != tints[b], "{a} and {b}");
            }
        }
    }
}
