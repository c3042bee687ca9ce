//! Draws the marks between the axes, and their samples in the legend.

use plotters::style::{Color, RGBColor, WHITE};

use super::axis::Axis;
use super::canvas::{Canvas, Stroke};
use super::diagram;
use super::plot::{Mark, Point, Sample};
use super::style::{self, Marker};
use super::window::Window;

/// From this number of points on, a series has a band and few markers instead of many bars.
const DENSE: usize = 40;
const LINE_WIDTH: f64 = 2.2;
const CAP: f64 = 5.0;
/// The radius of a hollow marker.
const HOLLOW: f64 = 7.0;
/// From more published points than this on, their markers are smaller.
const MANY: usize = 9;

/// The projection of values to the page.
#[derive(Debug)]
pub struct Frame<'a> {
    pub x: &'a Axis,
    pub y: &'a Axis,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Frame<'_> {
    /// The horizontal position of a value.
    pub fn at_x(&self, value: f64) -> f64 {
        self.left + self.x.position(value) * (self.right - self.left)
    }

    /// The vertical position of a value.
    pub fn at_y(&self, value: f64) -> f64 {
        self.bottom - self.y.position(value) * (self.bottom - self.top)
    }

    /// The part of the page between the ends of the axes whose range is given (the horizontal one,
    /// the vertical one). Markers at the end of another axis reach beyond it.
    pub fn window(&self, (x_given, y_given): (bool, bool)) -> Window {
        let beyond = |given: bool| if given { 0.0 } else { f64::INFINITY };
        Window {
            left: self.left - beyond(x_given),
            right: self.right + beyond(x_given),
            top: self.top - beyond(y_given),
            bottom: self.bottom + beyond(y_given),
        }
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.at_x(x), self.at_y(y))
    }
}

/// Draws the background of a panel: the bands of dense series.
pub fn draw_behind(canvas: &mut Canvas<'_>, frame: &Frame<'_>, mark: &Mark) {
    if let Mark::Series {
        index,
        joined,
        points,
    } = mark
        && is_dense(*joined, points)
    {
        draw_band(canvas, frame, style::of_series(*index).colour, points);
    }
}

/// Draws one mark of a panel.
pub fn draw(canvas: &mut Canvas<'_>, frame: &Frame<'_>, mark: &Mark) {
    match mark {
        Mark::Series {
            index,
            joined,
            points,
        } => draw_series(canvas, frame, *index, *joined, points),
        Mark::Curve {
            colour,
            dash,
            dots,
            points,
        } => {
            let places: Vec<_> = points.iter().map(|&point| frame.at(point)).collect();
            canvas.line(&places, theory_stroke(*colour, dash));
            if *dots {
                for (&point, place) in points.iter().zip(places) {
                    draw_whole(canvas, frame, point, |canvas| {
                        canvas.circle(place, 3.6, *colour);
                    });
                }
            }
        }
        Mark::Published {
            colour,
            shape,
            points,
        } => {
            let size = if points.len() > MANY { 4.5 } else { HOLLOW };
            for &point in points {
                draw_whole(canvas, frame, point, |canvas| {
                    draw_hollow(canvas, frame.at(point), (*shape, size), *colour);
                });
            }
        }
        Mark::Bars {
            index,
            width,
            offset,
            bars,
        } => draw_bars(canvas, frame, *index, *width, *offset, bars),
        Mark::Steps { index, width, bars } => draw_steps(canvas, frame, *index, *width, bars),
    }
}

/// The width of the sample of a legend entry.
pub fn sample_width(sample: Sample) -> f64 {
    match sample {
        Sample::Series { joined: true, .. }
        | Sample::Curve { .. }
        | Sample::Step { .. }
        | Sample::Arrow { .. } => 46.0,
        Sample::Bar { .. } | Sample::Box { .. } | Sample::Cells => 28.0,
        Sample::Series { joined: false, .. } | Sample::Published { .. } => 16.0,
    }
}

/// Draws the sample of a legend entry in a box that starts at `at` (its left side, its middle
/// height).
pub fn draw_sample(canvas: &mut Canvas<'_>, sample: Sample, (left, middle): (f64, f64)) {
    let width = sample_width(sample);
    let line = [(left, middle), (left + width, middle)];
    let centre = (left + width / 2.0, middle);
    match sample {
        Sample::Series { index, joined } => {
            let style = style::of_series(index);
            if joined {
                canvas.line(&line, series_stroke(index));
            }
            draw_marker(canvas, centre, style.marker, style.colour, 1.0);
        }
        Sample::Curve { colour, dash, dots } => {
            canvas.line(&line, theory_stroke(colour, dash));
            if dots {
                canvas.circle(centre, 3.6, colour);
            }
        }
        Sample::Published { colour, shape } => {
            draw_hollow(canvas, centre, (shape, HOLLOW), colour);
        }
        Sample::Bar { index } => {
            let style = style::of_series(index);
            let outline = Stroke::solid(style.colour, 1.4);
            let corners = [(left, middle - 8.0), (left + width, middle + 8.0)];
            canvas.rectangle(corners[0], corners[1], style.fill, Some(outline));
        }
        Sample::Step { index } => canvas.line(&line, series_stroke(index)),
        Sample::Arrow { index } => diagram::draw_arrow_sample(canvas, index, line[0], width),
        Sample::Box { index } => diagram::draw_box_sample(canvas, index, line[0], width),
        Sample::Cells => diagram::draw_cell_sample(canvas, line[0], width),
    }
}

fn series_stroke(index: usize) -> Stroke {
    let style = style::of_series(index);
    Stroke {
        colour: style.colour,
        width: LINE_WIDTH,
        dash: style.dash,
    }
}

fn theory_stroke(colour: RGBColor, dash: &'static [f64]) -> Stroke {
    Stroke {
        colour,
        width: 1.6,
        dash,
    }
}

fn draw_series(
    canvas: &mut Canvas<'_>,
    frame: &Frame<'_>,
    index: usize,
    joined: bool,
    points: &[Point],
) {
    let style = style::of_series(index);
    let mut places: Vec<_> = points.iter().map(|p| frame.at((p.x, p.y))).collect();
    let dense = is_dense(joined, points);
    if joined && places.len() > 1 {
        canvas.line(&places, series_stroke(index));
    }
    if !dense {
        let gaps: Vec<f64> = places.windows(2).map(|w| w[1].0 - w[0].0).collect();
        for (index, (point, place)) in points.iter().zip(&mut places).enumerate() {
            let beside = [
                index.checked_sub(1).and_then(|i| gaps.get(i)),
                gaps.get(index),
            ];
            let gap = beside
                .into_iter()
                .flatten()
                .fold(60.0_f64, |a, b| a.min(*b));
            // Of k markers in one place the outermost are (k - 1) / 2 steps from it.
            let step = (0.8 * gap / (2.0 * point.shift.abs() + 1.0)).min(11.0);
            place.0 += point.shift * step;
        }
        let thin = Stroke::solid(style.colour, 1.4);
        for (point, &(x, y)) in points.iter().zip(&places) {
            if let Some(interval) = point.y_interval {
                draw_y_interval(canvas, frame, x, interval, thin);
            }
            if let Some((low, high)) = point.x_interval {
                let (left, right) = (frame.at_x(low), frame.at_x(high));
                canvas.line(&[(left, y), (right, y)], thin);
                for (end, value) in [(left, low), (right, high)] {
                    if frame.x.shows(value) {
                        canvas.line(&[(end, y - CAP), (end, y + CAP)], thin);
                    }
                }
            }
        }
    }
    let stride = if dense { points.len().div_ceil(12) } else { 1 };
    // Shifts the markers of series, which would otherwise hide each other.
    let first = if dense {
        (index * stride / 4) % stride
    } else {
        0
    };
    for (index, &place) in places.iter().enumerate().skip(first).step_by(stride) {
        let point = (points[index].x, points[index].y);
        draw_whole(canvas, frame, point, |canvas| {
            draw_marker(canvas, place, style.marker, style.colour, 1.0);
        });
    }
}

/// Draws the marker of a point whole if the point is between the ends of the axes, otherwise not at all.
fn draw_whole(
    canvas: &mut Canvas<'_>,
    frame: &Frame<'_>,
    (x, y): (f64, f64),
    marker: impl FnOnce(&mut Canvas<'_>),
) {
    let window = canvas.window();
    if window.is_none() || (frame.x.shows(x) && frame.y.shows(y)) {
        canvas.within(None);
        marker(canvas);
        canvas.within(window);
    }
}

/// Draws an interval at a place along x, without a cap at an end that is not on the axis.
fn draw_y_interval(
    canvas: &mut Canvas<'_>,
    frame: &Frame<'_>,
    x: f64,
    (low, high): (f64, f64),
    stroke: Stroke,
) {
    canvas.line(&[(x, frame.at_y(low)), (x, frame.at_y(high))], stroke);
    for value in [low, high] {
        if frame.y.shows(value) {
            let end = frame.at_y(value);
            canvas.line(&[(x - CAP, end), (x + CAP, end)], stroke);
        }
    }
}

fn is_dense(joined: bool, points: &[Point]) -> bool {
    joined && points.len() >= DENSE
}

fn draw_band(canvas: &mut Canvas<'_>, frame: &Frame<'_>, colour: RGBColor, points: &[Point]) {
    let edge = |pick: fn((f64, f64)) -> f64| {
        points.iter().map(move |point| {
            let y = point.y_interval.map_or(point.y, pick);
            frame.at((point.x, y))
        })
    };
    if points.iter().all(|point| point.y_interval.is_none()) {
        return;
    }
    let mut outline: Vec<_> = edge(|(low, _)| low).collect();
    let upper: Vec<_> = edge(|(_, high)| high).collect();
    outline.extend(upper.into_iter().rev());
    canvas.polygon(&outline, colour.mix(0.2), None);
}

fn draw_bars(
    canvas: &mut Canvas<'_>,
    frame: &Frame<'_>,
    index: usize,
    width: f64,
    offset: f64,
    bars: &[Point],
) {
    let style = style::of_series(index);
    let base = frame.at_y(frame.y.base());
    for bar in bars.iter().filter(|bar| bar.y > 0.0) {
        let (x, y) = (bar.x, bar.y);
        let left = frame.at_x(x + offset - width / 2.0);
        let right = frame.at_x(x + offset + width / 2.0);
        // The outlines of thin bars would hide their fill.
        let outline = Stroke::solid(style.colour, if right - left > 4.0 { 1.4 } else { 0.3 });
        canvas.rectangle(
            (left, frame.at_y(y)),
            (right, base),
            style.fill,
            Some(outline),
        );
        if let Some((low, high)) = bar.y_interval {
            let middle = (left + right) / 2.0;
            let ends = [(middle, frame.at_y(low)), (middle, frame.at_y(high))];
            canvas.line(&ends, Stroke::solid(style::INK, 1.2));
        }
    }
}

fn draw_steps(
    canvas: &mut Canvas<'_>,
    frame: &Frame<'_>,
    index: usize,
    width: f64,
    bars: &[(f64, f64)],
) {
    let zero = frame.y.base();
    let mut outline: Vec<(f64, f64)> = Vec::new();
    let mut end = f64::NEG_INFINITY;
    for &(x, y) in bars {
        let (left, right) = (x - width / 2.0, x + width / 2.0);
        // Missing values between two bars have a count of zero.
        if left > end + width * 1e-6 {
            if end.is_finite() {
                outline.push((end, zero));
            }
            outline.push((left, zero));
        }
        outline.push((left, y));
        outline.push((right, y));
        end = right;
    }
    if end.is_finite() {
        outline.push((end, zero));
    }
    let places: Vec<_> = outline.into_iter().map(|point| frame.at(point)).collect();
    canvas.line(&places, series_stroke(index));
}

/// Draws a hollow marker: a diamond, a square, triangles, a pentagon.
fn draw_hollow(
    canvas: &mut Canvas<'_>,
    centre: (f64, f64),
    (shape, size): (usize, f64),
    colour: RGBColor,
) {
    const SHAPES: [(usize, f64); 5] = [(4, 0.0), (4, 0.125), (3, 0.0), (3, 0.5), (5, 0.0)];
    let (count, turn) = SHAPES[shape % SHAPES.len()];
    let corners = corners(centre, count, [size; 2], turn);
    canvas.polygon(&corners, WHITE.mix(0.6), Some(Stroke::solid(colour, 1.8)));
}

/// Corners on a circle, the first at the top; `turn` is a fraction of a full turn.
fn corners((x, y): (f64, f64), count: usize, radii: [f64; 2], turn: f64) -> Vec<(f64, f64)> {
    (0..count)
        .map(|corner| {
            let angle = (corner as f64 / count as f64 + turn) * std::f64::consts::TAU;
            let radius = radii[corner % 2];
            (x + radius * angle.sin(), y - radius * angle.cos())
        })
        .collect()
}

/// Draws a marker at a position, `size` times as large as those of series.
pub fn draw_marker(
    canvas: &mut Canvas<'_>,
    (x, y): (f64, f64),
    marker: Marker,
    colour: RGBColor,
    size: f64,
) {
    let edge = Some(Stroke::solid(WHITE, 0.8 * size));
    let fill = colour.to_rgba();
    let corners = |count, radii: [f64; 2], turn| {
        corners((x, y), count, radii.map(|radius| size * radius), turn)
    };
    match marker {
        Marker::Circle => canvas.circle((x, y), 5.0 * size, colour),
        Marker::Square => {
            let half = 4.8 * size;
            canvas.rectangle((x - half, y - half), (x + half, y + half), colour, edge);
        }
        Marker::Up => canvas.polygon(&corners(3, [6.6; 2], 0.0), fill, edge),
        Marker::Down => canvas.polygon(&corners(3, [6.6; 2], 0.5), fill, edge),
        Marker::Pentagon => canvas.polygon(&corners(5, [6.2; 2], 0.0), fill, edge),
        Marker::Star => canvas.polygon(&corners(10, [7.4, 3.0], 0.0), fill, edge),
        Marker::Plus => {
            let (stroke, arm) = (Stroke::solid(colour, 2.6 * size), 6.0 * size);
            canvas.line(&[(x - arm, y), (x + arm, y)], stroke);
            canvas.line(&[(x, y - arm), (x, y + arm)], stroke);
        }
        Marker::Cross => {
            let (stroke, arm) = (Stroke::solid(colour, 2.6 * size), 4.6 * size);
            canvas.line(&[(x - arm, y - arm), (x + arm, y + arm)], stroke);
            canvas.line(&[(x - arm, y + arm), (x + arm, y - arm)], stroke);
        }
    }
}
