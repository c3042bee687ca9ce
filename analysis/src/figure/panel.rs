//! The panels of a figure with axes: their size, the axes, and their labels.

use plotters::style::{Color, WHITE};

use super::axis::{Axis, AxisRange, Tick, powers_of_two};
use super::canvas::{Anchor, Canvas, DrawingError, Stroke, TextFormat};
use super::coincide::set_apart;
use super::marks::{self, Frame};
use super::page::{LINE, Page, Paragraph};
use super::plot::{Mark, Panel, Plot, Scaling, View};
use super::style;
use super::text_layout::{shortened, text_width, wrapped};

const TICK_LENGTH: f64 = 6.0;
/// The least height of a panel whose width is given.
const LEAST_HEIGHT: f64 = 200.0;

/// The width and height of one panel, its labels included.
fn panel_size(panels: usize) -> (f64, f64) {
    match panels {
        0 | 1 => (864.0, 470.0),
        2 | 4 => (640.0, 440.0),
        _ => (540.0, 400.0),
    }
}

/// Draws a plot as an SVG document.
///
/// # Errors
/// When the backend fails.
pub fn draw(mut plot: Plot) -> Result<String, DrawingError> {
    let (panels, layout) = (plot.panels.len(), plot.layout);
    let (mut width, mut height) = panel_size(panels);
    if let Some(given) = layout.panel_width(panels) {
        height = (height * given / width).max(LEAST_HEIGHT);
        width = given;
    }
    let axes = axes(&plot);
    set_apart(&mut plot, &axes);
    let plot = &plot;
    let page = Page {
        title: &plot.title,
        caption: &plot.caption,
        legend: &plot.legend,
        panels,
        panel_size: (width, height),
        layout,
    };
    page.draw(|canvas, index, corner, size| {
        draw_panel(canvas, plot, &plot.panels[index], &axes, corner, size);
    })
}

/// The axes, common to all panels so that these can be compared.
fn axes(plot: &Plot) -> (Axis, Axis) {
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    let mut own_xs = Vec::new();
    let mut bars = false;
    let mut zeros = [false; 2];
    let view = View {
        edges: plot.x.shown,
        logarithmic: [plot.x.logarithmic, plot.y.logarithmic],
    };
    for mark in plot.panels.iter().flat_map(|panel| &panel.marks) {
        mark.extent(view, &mut |x, y| {
            xs.push(x);
            ys.push(y);
        });
        let [x, y] = mark.zeros(view);
        zeros = [zeros[0] || x, zeros[1] || y];
        match mark {
            Mark::Series { points, .. } => own_xs.extend(points.iter().map(|point| point.x)),
            Mark::Bars { .. } | Mark::Steps { .. } => bars = true,
            Mark::Curve { .. } | Mark::Published { .. } => {}
        }
    }
    // A small panel has no space for as many tick labels.
    let panels = plot.panels.len();
    let count = match plot.layout.panel_width(panels) {
        Some(width) => (width / 90.0).clamp(3.0, 9.0) as usize,
        None if panels < 3 => 9,
        None => 6,
    };
    let y_count = plot.layout.panel_height(panels);
    let y_count = y_count.map_or(6, |height| (height / 60.0).clamp(2.0, 6.0) as usize);
    let binary = powers_of_two(&own_xs);
    let y_span = if bars {
        AxisRange::WithZero
    } else {
        AxisRange::FromZero
    };
    let x_count = if binary { 2 * count } else { count };
    let x = axis(&plot.x, &xs, binary, AxisRange::Tight, x_count);
    let y = axis(&plot.y, &ys, false, y_span, y_count);
    let finished = |axis: Axis, scaling: &Scaling, zero: bool| {
        if scaling.shown.is_some() {
            return axis;
        }
        let axis = axis.within(scaling.range);
        if zero && scaling.logarithmic {
            axis.with_zero()
        } else {
            axis
        }
    };
    (
        finished(x, &plot.x, zeros[0]),
        finished(y, &plot.y, zeros[1]),
    )
}

fn axis(scaling: &Scaling, values: &[f64], binary: bool, span: AxisRange, count: usize) -> Axis {
    if let Some(texts) = &scaling.texts {
        return Axis::of_texts(texts);
    }
    if let Some([low, high]) = scaling.shown {
        return if scaling.logarithmic {
            Axis::logarithmic(low, high, binary, count).cut(low, high)
        } else {
            Axis::linear(low, high, AxisRange::Tight, count).cut(low, high)
        };
    }
    let shown = |value: &&f64| value.is_finite() && (!scaling.logarithmic || **value > 0.0);
    let (low, high) = values
        .iter()
        .filter(shown)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    match (low.is_finite(), scaling.logarithmic) {
        (false, false) => Axis::linear(0.0, 1.0, span, count),
        (false, true) => Axis::logarithmic(1.0, 10.0, false, count),
        (true, false) if span == AxisRange::Tight && values.iter().all(|x| x.fract() == 0.0) => {
            Axis::linear(low, high, span, count).at_whole_numbers()
        }
        (true, false) => Axis::linear(low, high, span, count),
        (true, true) => Axis::logarithmic(low, high, binary, count),
    }
}

fn draw_panel(
    canvas: &mut Canvas<'_>,
    plot: &Plot,
    panel: &Panel,
    (x_axis, y_axis): &(Axis, Axis),
    (left, top): (f64, f64),
    (width, height): (f64, f64),
) {
    let mut frame = Frame {
        x: x_axis,
        y: y_axis,
        left: left + widest(&y_axis.ticks) + TICK_LENGTH + 8.0,
        right: left + width - 22.0,
        top: top + 8.0,
        bottom: top + height - TICK_LENGTH - style::TICK_SIZE - 8.0,
    };
    let title = panel.title.as_deref().map(|title| {
        let room = frame.right - frame.left;
        Paragraph::new(title, style::PANEL_SIZE, style::INK, room)
    });
    if let Some(title) = &title {
        // Markers at the upper end reach above the panel.
        frame.top = top + title.height() + 12.0;
    }
    // The labels of the axes take space from the plot, and the number of lines of one depends on
    // the space that the other leaves: a second round settles both.
    let line = style::LABEL_SIZE * LINE;
    let (free_left, free_bottom) = (frame.left, frame.bottom);
    let (mut x_lines, mut y_lines) = (Vec::new(), Vec::new());
    // Texts that are too wide are upright, and shortened if they are very long.
    let longest = widest(&x_axis.ticks).min(height / 3.0);
    let mut upright = false;
    for _ in 0..2 {
        y_lines = wrapped(&plot.y.label, style::LABEL_SIZE, frame.bottom - frame.top);
        frame.left = free_left + y_lines.len() as f64 * line;
        x_lines = wrapped(&plot.x.label, style::LABEL_SIZE, frame.right - frame.left);
        frame.bottom = free_bottom - x_lines.len() as f64 * line;
        let slots = plot.x.texts.as_ref().map_or(1, Vec::len).max(1) as f64;
        let slot = (frame.right - frame.left) / slots - 8.0;
        upright = plot.x.texts.is_some() && widest(&x_axis.ticks) > slot;
        if upright {
            frame.bottom -= longest - style::TICK_SIZE + 6.0;
        }
    }

    if let Some(title) = &title {
        title.draw(canvas, ((frame.left + frame.right) / 2.0, top));
    }
    draw_grid(canvas, &frame);
    if plot.x.shown.is_some() || plot.y.shown.is_some() {
        canvas.within(Some(
            frame.window((plot.x.shown.is_some(), plot.y.shown.is_some())),
        ));
    }
    for mark in &panel.marks {
        marks::draw_behind(canvas, &frame, mark);
    }
    for mark in &panel.marks {
        marks::draw(canvas, &frame, mark);
    }
    canvas.within(None);
    draw_axes(canvas, &frame, upright.then_some(longest));

    let middle = (frame.left + frame.right) / 2.0;
    let lettering = TextFormat::across(style::LABEL_SIZE, style::INK, Anchor::Middle);
    let mut baseline = top + height - (x_lines.len() as f64 - 1.0) * line - 6.0;
    for text in &x_lines {
        canvas.text((middle, baseline), text, lettering);
        baseline += line;
    }
    let middle = (frame.top + frame.bottom) / 2.0;
    let lettering = TextFormat::upwards(style::LABEL_SIZE, style::INK, Anchor::Middle);
    let mut baseline = left + style::LABEL_SIZE * 0.9;
    for text in &y_lines {
        canvas.text((baseline, middle), text, lettering);
        baseline += line;
    }
}

/// Draws the two axes with ticks and labels; if `upright`, those of the horizontal axis are upright
/// and at most this long.
fn draw_axes(canvas: &mut Canvas<'_>, frame: &Frame<'_>, upright: Option<f64>) {
    const SIZE: f64 = style::TICK_SIZE;
    let ink = Stroke::solid(style::INK, 1.2);
    canvas.line(
        &[
            (frame.left, frame.top),
            (frame.left, frame.bottom),
            (frame.right, frame.bottom),
        ],
        ink,
    );
    if let Some(at) = frame.y.broken_at() {
        let y = frame.bottom - at * (frame.bottom - frame.top);
        draw_break(canvas, (frame.left, y), (1.0, 0.0));
    }
    // A linear axis along x has no magnitude that a beginning at 0 would show.
    if let Some(at) = frame.x.broken_at().filter(|_| frame.x.shows(0.0)) {
        let x = frame.left + at * (frame.right - frame.left);
        draw_break(canvas, (x, frame.bottom), (0.0, 1.0));
    }
    let labelled = labelled_stride(&frame.x.ticks, |at| frame.at_x(at), upright.is_some(), 8.0);
    for (index, tick) in frame.x.ticks.iter().enumerate() {
        let x = frame.at_x(tick.at);
        let end = frame.bottom + TICK_LENGTH;
        canvas.line(&[(x, frame.bottom), (x, end)], ink);
        if index % labelled != 0 {
            continue;
        }
        if let Some(longest) = upright {
            let text = shortened(&tick.label, SIZE, longest);
            let lettering = TextFormat::upwards(SIZE, style::INK, Anchor::End);
            canvas.text(
                (x + SIZE * style::HALF_CAPITAL, end + 5.0),
                &text,
                lettering,
            );
        } else {
            let lettering = TextFormat::across(SIZE, style::INK, Anchor::Middle);
            canvas.text((x, end + SIZE), &tick.label, lettering);
        }
    }
    let labelled = labelled_stride(&frame.y.ticks, |at| -frame.at_y(at), true, 1.0);
    for (index, tick) in frame.y.ticks.iter().enumerate() {
        let y = frame.at_y(tick.at);
        let end = frame.left - TICK_LENGTH;
        canvas.line(&[(end, y), (frame.left, y)], ink);
        if index % labelled != 0 {
            continue;
        }
        let lettering = TextFormat::across(SIZE, style::INK, Anchor::End);
        let baseline = y + SIZE * style::HALF_CAPITAL;
        canvas.text((end - 4.0, baseline), &tick.label, lettering);
    }
}

/// Draws two strokes across an axis, towards `across` from it, with a gap between them.
fn draw_break(canvas: &mut Canvas<'_>, (x, y): (f64, f64), across: (f64, f64)) {
    let along = (across.1, across.0);
    let point = |to: f64, on: f64| {
        let on = on - to * 0.4;
        (
            x + to * across.0 + on * along.0,
            y + to * across.1 + on * along.1,
        )
    };
    let gap = [
        point(-6.0, -2.5),
        point(6.0, -2.5),
        point(6.0, 2.5),
        point(-6.0, 2.5),
    ];
    canvas.polygon(&gap, WHITE.to_rgba(), None);
    let ink = Stroke::solid(style::INK, 1.2);
    for side in [-2.5, 2.5] {
        canvas.line(&[point(-6.0, side), point(6.0, side)], ink);
    }
}

fn draw_grid(canvas: &mut Canvas<'_>, frame: &Frame<'_>) {
    let minor = Stroke::solid(style::MINOR_GRID, 1.0);
    let major = Stroke::solid(style::GRID, 1.0);
    let lines = |axis: &Axis| {
        let fine = axis.minor.iter().map(|&at| (at, minor));
        let coarse = axis.ticks.iter().map(|tick| (tick.at, major));
        fine.chain(coarse).collect::<Vec<_>>()
    };
    for (at, stroke) in lines(frame.x) {
        let x = frame.at_x(at);
        canvas.line(&[(x, frame.top), (x, frame.bottom)], stroke);
    }
    for (at, stroke) in lines(frame.y) {
        let y = frame.at_y(at);
        canvas.line(&[(frame.left, y), (frame.right, y)], stroke);
    }
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks
        .iter()
        .map(|tick| text_width(&tick.label, style::TICK_SIZE))
        .fold(0.0, f64::max)
}

/// The smallest n such that labels at every n-th tick do not overlap.
fn labelled_stride(ticks: &[Tick], place: impl Fn(f64) -> f64, upright: bool, gap: f64) -> usize {
    let half = |tick: &Tick| {
        if upright {
            style::TICK_SIZE / 2.0
        } else {
            text_width(&tick.label, style::TICK_SIZE) / 2.0
        }
    };
    let free = |stride: &usize| {
        let shown: Vec<&Tick> = ticks.iter().step_by(*stride).collect();
        shown.windows(2).all(|pair| {
            place(pair[0].at) + half(pair[0]) + gap <= place(pair[1].at) - half(pair[1])
        })
    };
    (1..=ticks.len().max(1)).find(free).unwrap_or(1)
}
