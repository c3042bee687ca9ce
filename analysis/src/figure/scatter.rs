//! Figures of kind `scatter`: one metric against another.

use super::label;
use super::lines::y_scaling;
use super::plot::{LegendEntry, Mark, Plot, Point, Sample, Scaling};
use super::positions::Positions;
use super::select::{DistinctTexts, Source};
use super::spec::{Envelope, Statistic};
use super::style;
use super::theory::{self, Drawn, Fit};
use dhtlab_format::Error;

/// Builds the plot of a figure of kind `scatter`.
///
/// # Errors
/// When the results do not contain what the figure shows.
pub fn build(source: &Source<'_>) -> Result<(Plot, Vec<Fit>), Error> {
    let figure = source.figure;
    let x_name = figure.x.as_deref().unwrap_or_default();
    let x_column = source.table.column(x_name)?;
    let keys = source
        .swept
        .iter()
        .map(|key| source.table.column(key))
        .collect::<Result<Vec<_>, _>>()?;
    let selection = source.select()?;
    let x = Scaling {
        label: figure
            .x_label
            .clone()
            .unwrap_or_else(|| label::readable(x_name)),
        logarithmic: figure.scale.log_x(),
        range: source.range(x_column),
        texts: None,
        shown: None,
    };
    let mut plot = source.plot(&selection, x, y_scaling(source)?);
    let mut drawn: Vec<Drawn> = Vec::new();
    for group in &selection.groups {
        let Some(y_column) = group.y else { continue };
        let mut places = DistinctTexts::default();
        let mut rows_at: Vec<Vec<usize>> = Vec::new();
        for &row in &group.rows {
            let texts = keys
                .iter()
                .map(|&key| source.table.text(row, key).to_owned());
            let place = places.place(texts.collect());
            rows_at.resize_with(places.all.len(), Vec::new);
            rows_at[place].push(row);
        }
        let mut points = Vec::new();
        for rows in &rows_at {
            let x = source.estimate(rows, x_column, Statistic::Mean)?;
            let y = source.vertical_estimate(rows, y_column, Statistic::Mean)?;
            let (Some((x, x_interval)), Some((y, y_interval))) = (x, y) else {
                continue;
            };
            if (figure.scale.log_x() && x < 0.0) || (figure.scale.log_y() && y < 0.0) {
                continue;
            }
            points.push(Point {
                x,
                y,
                x_interval,
                y_interval,
                shift: 0.0,
            });
        }
        if points.is_empty() {
            continue;
        }
        if !drawn.iter().any(|other| other.series == group.series) {
            plot.legend.push(LegendEntry {
                label: source.series_label(&selection.series[group.series].label),
                sample: Sample::Series {
                    index: group.series,
                    joined: false,
                },
            });
        }
        drawn.push(Drawn {
            panel: group.panel,
            series: group.series,
            points: points.iter().map(|point| (point.x, point.y)).collect(),
        });
        let marks = &mut plot.panels[group.panel].marks;
        if let Some(envelope) = figure.envelope {
            let style = style::of_series(group.series);
            marks.push(Mark::Curve {
                colour: style.colour,
                dash: style.dash,
                dots: false,
                points: best(envelope, &points),
            });
        }
        marks.push(Mark::Series {
            index: group.series,
            joined: false,
            points,
        });
    }
    if drawn.is_empty() {
        return Err(source.data_error(format!(
            "no point has both {x_name} and {}",
            figure.y.0.join(", ")
        )));
    }
    let positions = Positions::Numbers;
    let fits = theory::add(source, &selection, &positions, &drawn, &mut plot)?;
    Ok((plot, fits))
}

/// The points that no other point with at most their x exceeds, by x.
fn best(envelope: Envelope, points: &[Point]) -> Vec<(f64, f64)> {
    // Smaller is better.
    let badness = |point: &Point| match envelope {
        Envelope::Lower => point.y,
        Envelope::Upper => -point.y,
    };
    let mut sorted: Vec<&Point> = points.iter().collect();
    sorted.sort_by(|a, b| (a.x.total_cmp(&b.x)).then(badness(a).total_cmp(&badness(b))));
    let mut least = f64::INFINITY;
    sorted.retain(|point| {
        let is_best = badness(point) < least;
        least = least.min(badness(point));
        is_best
    });
    sorted.iter().map(|point| (point.x, point.y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A point is on the envelope if and only if no other point costs at most as much and is at
        /// least as good.
        #[test]
        fn the_envelope_is_what_nothing_beats(
            places in prop::collection::btree_set((0i32..20, 0i32..20), 1..30),
            upper in any::<bool>(),
        ) {
            let points: Vec<Point> = places
                .iter()
                .map(|(x, y)| Point {
                    x: f64::from(*x),
                    y: f64::from(*y),
                    x_interval: None,
                    y_interval: None,
                    shift: 0.0,
                })
                .collect();
            let (envelope, sign) = match upper {
                true => (Envelope::Upper, -1),
                false => (Envelope::Lower, 1),
            };
            let expected: Vec<(f64, f64)> = places
                .iter()
                .filter(|(x, y)| {
                    let beats = |other: &&(i32, i32)| {
                        **other != (*x, *y) && other.0 <= *x && sign * other.1 <= sign * *y
                    };
                    places.iter().filter(beats).count() == 0
                })
                .map(|(x, y)| (f64::from(*x), f64::from(*y)))
                .collect();
            prop_assert_eq!(best(envelope, &points), expected);
        }
    }
}
