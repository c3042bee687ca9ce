//! Figures of kind `histogram` and `cumulative`: the distribution of a quantity, pooled over the
//! repetitions.

use std::collections::BTreeMap;

use super::label;
use super::plot::{LegendEntry, Mark, Plot, Point, Sample, Scaling};
use super::positions::Positions;
use super::range::Range;
use super::select::Source;
use super::spec::FigureKind;
use super::style;
use super::theory::{self, Drawn, Fit};
use crate::statistics;
use dhtlab_format::Error;

/// Builds the plot of a figure of kind `histogram`.
///
/// # Errors
/// When the results do not contain what the figure shows.
pub fn build(source: &Source<'_>) -> Result<(Plot, Vec<Fit>), Error> {
    let figure = source.figure;
    let value_column = source.table.column("value")?;
    let count_column = source.table.column("count")?;
    let selection = source.select()?;

    let run_column = source.table.column("run").ok();
    let (mut drawn, mut intervals) = (Vec::new(), Vec::new());
    for group in &selection.groups {
        source.one_point(&group.rows, None)?;
        let mut counts: Vec<(f64, f64)> = Vec::new();
        let mut by_run: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
        for &row in &group.rows {
            let value = source.table.number(row, value_column)?;
            let count = source.table.number(row, count_column)?;
            if let (Some(value), Some(count)) = (value, count) {
                if count < 0.0 {
                    return Err(source.data_error(format!("a count is negative: {count}")));
                }
                counts.push((value, count));
                let run = run_column.map_or("", |column| source.table.text(row, column));
                by_run.entry(run).or_default().push((value, count));
            }
        }
        counts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = counts.iter().map(|&(_, count)| count).sum();
        if total > 0.0 {
            let fractions = counts.chunk_by(|a, b| a.0 == b.0).map(|same| {
                let count: f64 = same.iter().map(|&(_, count)| count).sum();
                (same[0].0, count / total)
            });
            drawn.push(Drawn {
                panel: group.panel,
                series: group.series,
                points: fractions.collect(),
            });
            let values = counts.chunk_by(|a, b| a.0 == b.0).map(|same| same[0].0);
            intervals.push(values.map(|value| interval(&by_run, value)).collect());
        }
    }
    if drawn.is_empty() {
        return Err(source.data_error("nothing was counted"));
    }

    let cumulative = figure.kind == FigureKind::Cumulative;
    let quantity = figure.quantity.as_deref().unwrap_or_default();
    let x = Scaling {
        label: figure
            .x_label
            .clone()
            .unwrap_or_else(|| label::readable(quantity)),
        logarithmic: figure.scale.log_x(),
        range: Range::default(),
        texts: None,
        shown: None,
    };
    let y = Scaling {
        label: figure.y_label.clone().unwrap_or_else(|| {
            if cumulative {
                "cumulative fraction"
            } else {
                "fraction"
            }
            .to_owned()
        }),
        logarithmic: figure.scale.log_y(),
        range: source.y_range()?,
        texts: None,
        shown: None,
    };
    let mut plot = source.plot(&selection, x, y);
    let bin = bin_width(&drawn);
    let count = selection.series.len();
    for (one, intervals) in drawn.iter().zip(intervals) {
        let intervals: Vec<Option<(f64, f64)>> = intervals;
        let (index, bars) = (one.series, one.points.clone());
        plot.panels[one.panel].marks.push(if cumulative {
            let style = style::of_series(index);
            Mark::Curve {
                colour: style.colour,
                dash: style.dash,
                dots: false,
                points: steps(&bars),
            }
        } else if count <= 2 {
            // A fifth of a bin separates neighbouring values.
            let width = 0.8 * bin / count as f64;
            Mark::Bars {
                index,
                width,
                offset: (index as f64 - (count as f64 - 1.0) / 2.0) * width,
                bars: bars
                    .into_iter()
                    .zip(intervals)
                    .map(|((x, y), y_interval)| Point {
                        x,
                        y,
                        x_interval: None,
                        y_interval,
                        shift: 0.0,
                    })
                    .collect(),
            }
        } else {
            Mark::Steps {
                index,
                width: bin,
                bars,
            }
        });
    }
    for (index, name) in selection.series.iter().enumerate() {
        if drawn.iter().any(|one| one.series == index) {
            plot.legend.push(LegendEntry {
                label: source.series_label(&name.label),
                sample: if cumulative {
                    Sample::Step { index }
                } else if count <= 2 {
                    Sample::Bar { index }
                } else {
                    Sample::Step { index }
                },
            });
        }
    }
    let positions = Positions::Numbers;
    let fits = theory::add(source, &selection, &positions, &drawn, &mut plot)?;
    Ok((plot, fits))
}

/// The 95 % interval of the fraction of one value, from the fractions in the runs.
fn interval(by_run: &BTreeMap<&str, Vec<(f64, f64)>>, value: f64) -> Option<(f64, f64)> {
    let fraction = |counts: &Vec<(f64, f64)>| {
        let total: f64 = counts.iter().map(|&(_, count)| count).sum();
        let here = counts.iter().filter(|&&(of, _)| of == value);
        here.map(|&(_, count)| count).sum::<f64>() / total
    };
    let fractions: Vec<f64> = by_run.values().map(fraction).collect();
    let interval = statistics::confidence_interval(&fractions)?;
    Some(Range::FRACTION.clip(interval)).filter(|(low, high)| low.is_finite() && high.is_finite())
}

/// The corners of the steps of the fraction that does not exceed a value: from 0 at the least value
/// to 1 at the greatest.
fn steps(fractions: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sum = 0.0;
    let mut corners = Vec::with_capacity(2 * fractions.len());
    for &(value, fraction) in fractions {
        corners.push((value, sum));
        sum += fraction;
        corners.push((value, sum));
    }
    corners
}

/// The least distance between two values.
fn bin_width(drawn: &[Drawn]) -> f64 {
    let mut values: Vec<f64> = drawn
        .iter()
        .flat_map(|one| one.points.iter().map(|&(value, _)| value))
        .collect();
    values.sort_by(f64::total_cmp);
    let least = values
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .filter(|gap| *gap > 0.0)
        .fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cumulative_fractions_go_in_steps_from_0_to_1() {
        let corners = [(1.0, 0.0), (1.0, 0.25), (4.0, 0.25), (4.0, 1.0)];
        assert_eq!(steps(&[(1.0, 0.25), (4.0, 0.75)]), corners);
    }
}
