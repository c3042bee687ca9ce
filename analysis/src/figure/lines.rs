//! Figures of kind `lines`: means over the repetitions along x. Those of categories are not joined.

use std::collections::HashSet;

use super::label;
use super::plot::{LegendEntry, Mark, Plot, Point, Sample, Scaling};
use super::positions::Positions;
use super::range::Range;
use super::select::{DistinctTexts, Group, Selection, Source};
use super::spec::{Statistic, Theory};
use super::style;
use super::theory::{self, Drawn, Fit};
use dhtlab_format::Error;

/// Builds the plot of a figure of kind `lines`.
///
/// # Errors
/// When the results do not contain what the figure shows.
pub fn build(source: &Source<'_>) -> Result<(Plot, Vec<Fit>), Error> {
    let figure = source.figure;
    let x_name = figure.x.as_deref().unwrap_or_default();
    let x_column = source.table.column(x_name)?;
    let selection = source.select()?;

    let mut texts = DistinctTexts::default();
    for group in &selection.groups {
        for &row in &group.rows {
            let text = source.table.text(row, x_column).trim();
            if !missing(text) {
                texts.place(vec![text.to_owned()]);
            }
        }
    }
    let texts: Vec<String> = texts.all.into_iter().flatten().collect();
    let positions = Positions::of(&texts);
    if matches!(positions, Positions::Texts(_)) && figure.scale.log_x() {
        return Err(source.data_error(format!(
            "scale: `{x_name}` holds texts, which have no logarithm"
        )));
    }

    let statistic = figure.statistic;
    let mut drawn = Vec::new();
    let mut marks = Vec::new();
    for group in &selection.groups {
        let points = points(source, group, group.y, statistic, x_column, &positions)?;
        if points.is_empty() {
            continue;
        }
        drawn.push(Drawn {
            panel: group.panel,
            series: group.series,
            points: points.iter().map(|point| (point.x, point.y)).collect(),
        });
        marks.push((group.panel, group.series, points));
    }
    if marks.is_empty() {
        return Err(source.data_error(format!("no value of {} to draw", figure.y.0.join(", "))));
    }

    if figure.x_range.is_some() && matches!(positions, Positions::Texts(_)) {
        return Err(source.data_error(format!("`x-range` needs numbers, and `{x_name}` has texts")));
    }
    let mut x_label = label::readable(x_name);
    if let Positions::Durations { unit, .. } = positions {
        x_label = format!("{x_label} ({unit})");
    }
    let x = Scaling {
        label: figure.x_label.clone().unwrap_or(x_label),
        logarithmic: figure.scale.log_x(),
        range: Range::default(),
        texts: match &positions {
            Positions::Texts(texts) => {
                let own = |text: &String| figure.labels.get(text).unwrap_or(text).clone();
                Some(texts.iter().map(own).collect())
            }
            Positions::Numbers | Positions::Durations { .. } => None,
        },
        shown: None,
    };
    let joined = x.texts.is_none();
    let mut plot = source.plot(&selection, x, y_scaling(source)?);
    for (index, name) in selection.series.iter().enumerate() {
        if marks.iter().any(|&(_, series, _)| series == index) {
            plot.legend.push(LegendEntry {
                label: source.series_label(&name.label),
                sample: Sample::Series { index, joined },
            });
        }
    }
    for (panel, index, mut points) in marks {
        for point in &mut points {
            point.x += positions.offset(index, selection.series.len());
        }
        plot.panels[panel].marks.push(Mark::Series {
            index,
            joined,
            points,
        });
    }
    let fits = theory::add(source, &selection, &positions, &drawn, &mut plot)?;
    for theory in &figure.theory {
        if let Theory::Metric { metric, label } = theory {
            let column = source.table.column(metric)?;
            add_metric(
                source, &selection, column, label, x_column, &positions, &mut plot,
            )?;
        }
    }
    Ok((plot, fits))
}

/// Adds the means of another column as one dotted line per series, in black, so that it is visible
/// on the series that it predicts.
fn add_metric(
    source: &Source<'_>,
    selection: &Selection,
    column: usize,
    label: &str,
    x_column: usize,
    positions: &Positions,
    plot: &mut Plot,
) -> Result<(), Error> {
    let (colour, dash, dots, shape) = (style::THEORY, style::DOTS, false, 0);
    // Several metrics of one series have the same rows, and one prediction.
    let first = selection.groups.first().and_then(|group| group.y);
    let mut used = false;
    for group in selection.groups.iter().filter(|group| group.y == first) {
        let points = points(
            source,
            group,
            Some(column),
            Statistic::Mean,
            x_column,
            positions,
        )?;
        let points: Vec<(f64, f64)> = points.iter().map(|point| (point.x, point.y)).collect();
        if !points.is_empty() {
            used = true;
            plot.panels[group.panel]
                .marks
                .push(if plot.x.texts.is_none() {
                    Mark::Curve {
                        colour,
                        dash,
                        dots,
                        points,
                    }
                } else {
                    Mark::Published {
                        colour,
                        shape,
                        points,
                    }
                });
        }
    }
    if used {
        plot.legend.push(LegendEntry {
            label: label.to_owned(),
            sample: if plot.x.texts.is_none() {
                Sample::Curve { colour, dash, dots }
            } else {
                Sample::Published { colour, shape }
            },
        });
    }
    Ok(())
}

/// Labels and scales of the vertical axis of lines and scatters.
///
/// # Errors
/// When a column is missing.
pub fn y_scaling(source: &Source<'_>) -> Result<Scaling, Error> {
    let figure = source.figure;
    let names: Vec<String> = figure
        .y
        .0
        .iter()
        .map(|name| source.readable(name))
        .collect();
    Ok(Scaling {
        label: figure.y_label.clone().unwrap_or_else(|| names.join("; ")),
        logarithmic: figure.scale.log_y(),
        range: source.y_range()?,
        texts: None,
        shown: None,
    })
}

fn missing(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("nan")
}

fn points(
    source: &Source<'_>,
    group: &Group,
    y: Option<usize>,
    statistic: Statistic,
    x_column: usize,
    positions: &Positions,
) -> Result<Vec<Point>, Error> {
    let Some(y_column) = y else {
        return Ok(Vec::new());
    };
    let mut places = DistinctTexts::default();
    let mut rows_at: Vec<Vec<usize>> = Vec::new();
    for &row in &group.rows {
        let text = source.table.text(row, x_column).trim();
        if missing(text) {
            continue;
        }
        let place = places.place(vec![text.to_owned()]);
        rows_at.resize_with(places.all.len(), Vec::new);
        rows_at[place].push(row);
    }
    let run = source.table.column("run").ok();
    let mut points = Vec::new();
    for (texts, rows) in places.all.iter().zip(&rows_at) {
        source.one_point(rows, source.figure.x.as_deref())?;
        if let Some(run) = run {
            let mut seen = HashSet::new();
            if let Some(&twice) = rows
                .iter()
                .find(|&&row| !seen.insert(source.table.text(row, run)))
            {
                return Err(source.data_error(format!(
                    "run {} has several rows at {} = {}: tell them apart by `series`, or choose by \
                     `where` or `quantity`",
                    source.table.text(twice, run),
                    source.table.columns[x_column],
                    texts[0]
                )));
            }
        }
        let (Some((y, y_interval)), Some(x)) = (
            source.vertical_estimate(rows, y_column, statistic)?,
            positions.place(&texts[0]),
        ) else {
            continue;
        };
        let shown = |logarithmic: bool, value: f64| !logarithmic || value >= 0.0;
        if shown(source.figure.scale.log_x(), x) && shown(source.figure.scale.log_y(), y) {
            points.push(Point {
                x,
                y,
                x_interval: None,
                y_interval,
                shift: 0.0,
            });
        }
    }
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    Ok(points)
}
