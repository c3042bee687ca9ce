//! Theory curves, their fits, and published points.

use statrs::distribution::{Binomial, Discrete};

use super::label;
use super::plot::{LegendEntry, Mark, Plot, Sample};
use super::positions::Positions;
use super::range::Range;
use super::select::{Selection, Source, same, text_of};
use super::spec::{Shift, Theory};
use super::style;
use crate::statistics;
use dhtlab_format::Error;

/// The points of one series in one panel.
#[derive(Debug)]
pub struct Drawn {
    pub panel: usize,
    pub series: usize,
    pub points: Vec<(f64, f64)>,
}

/// A row of `fits.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    pub panel: String,
    pub series: String,
    pub curve: &'static str,
    pub parameter: &'static str,
    /// `None` where the data do not determine it.
    pub value: Option<f64>,
}

/// A theory curve that applies to the data.
struct Curve {
    label: String,
    dots: bool,
    points: Vec<(f64, f64)>,
}

/// Adds the curves and points of the figure's `theory` to the plot, and returns the fits.
///
/// # Errors
/// When a curve needs numbers along x and there are none, and when the x of a published point is
/// not of the kind of the axis.
pub fn add(
    source: &Source<'_>,
    selection: &Selection,
    positions: &Positions,
    drawn: &[Drawn],
    plot: &mut Plot,
) -> Result<Vec<Fit>, Error> {
    let mut fits = Vec::new();
    let mut legend: Vec<(usize, LegendEntry)> = Vec::new();
    let mut curves = 0;
    for theory in &source.figure.theory {
        let each = match theory {
            Theory::HalfLog2 { series_each, .. }
            | Theory::Power { series_each, .. }
            | Theory::Binomial { series_each, .. } => *series_each,
            Theory::Points { .. } => {
                add_points(source, selection, positions, theory, plot)?;
                continue;
            }
            // Handled where lines are built, which have the rows.
            Theory::Metric { .. } => continue,
        };
        if let Positions::Texts(_) = positions {
            return Err(source.data_error(format!(
                "theory: curve `{}` needs numbers along x, and `{}` holds texts",
                theory.name(),
                source.figure.x.as_deref().unwrap_or_default()
            )));
        }
        let mut last_panel = None;
        for one in drawn {
            if last_panel == Some(one.panel) && !each {
                continue;
            }
            last_panel = Some(one.panel);
            // Curves with a logarithm or a power of x begin at the smallest positive x.
            let positive = !matches!(theory, Theory::Binomial { .. });
            let in_panel = drawn.iter().filter(|other| other.panel == one.panel);
            let panel_range = range(in_panel, positive);
            let mut row = |parameter, value| {
                fits.push(Fit {
                    panel: selection.panels[one.panel].id.clone(),
                    series: selection.series[one.series].id.clone(),
                    curve: theory.name(),
                    parameter,
                    value,
                });
            };
            let logarithmic = source.figure.scale.log_x();
            let Some(mut curve) = fitted(theory, &one.points, panel_range, logarithmic, &mut row)
            else {
                continue;
            };
            if source.figure.scale.log_y() {
                curve.points.retain(|&(_, y)| y > 0.0);
            }
            let colour = if each && selection.series.len() > 1 {
                let name = source.series_label(&selection.series[one.series].label);
                curve.label = format!("{name}: {}", curve.label);
                style::of_series(one.series).colour
            } else {
                style::THEORY
            };
            let dash = style::theory_dash(curves + if each { one.series } else { 0 });
            legend.push((
                one.panel,
                LegendEntry {
                    label: curve.label,
                    sample: Sample::Curve {
                        colour,
                        dash,
                        dots: curve.dots,
                    },
                },
            ));
            plot.panels[one.panel].marks.push(Mark::Curve {
                colour,
                dash,
                dots: curve.dots,
                points: curve.points,
            });
        }
        curves += 1;
    }
    // All panels share one legend, so entries that differ between panels name their panel.
    for (panel, entry) in &legend {
        let everywhere = (0..plot.panels.len()).all(|panel| {
            legend
                .iter()
                .any(|other| (other.0, &other.1) == (panel, entry))
        });
        let mut entry = entry.clone();
        if plot.panels.len() > 1 && !everywhere {
            entry.label = format!("{}: {}", selection.panels[*panel].label, entry.label);
        }
        if !plot.legend.contains(&entry) {
            plot.legend.push(entry);
        }
    }
    Ok(fits)
}

/// Fits one curve to the points of one series and passes the fitted parameters to `row`.
fn fitted(
    theory: &Theory,
    points: &[(f64, f64)],
    range: (f64, f64),
    logarithmic: bool,
    row: &mut impl FnMut(&'static str, Option<f64>),
) -> Option<Curve> {
    let (low, high) = range;
    match theory {
        Theory::HalfLog2 { from, .. } => {
            let used: Vec<(f64, f64)> = points
                .iter()
                .copied()
                .filter(|&(x, _)| x > 0.0 && x >= *from)
                .collect();
            let constant = half_log2(&used);
            row("c", constant);
            let curve = |x: f64| x.log2() / 2.0 + constant.unwrap_or(f64::NAN);
            row(
                "largest_relative_deviation",
                constant.map(|_| largest_relative_deviation(&used, curve)),
            );
            let constant = constant?;
            let sign = if constant < 0.0 { '−' } else { '+' };
            Some(Curve {
                label: format!("log2(x)/2 {sign} {}", label::rounded(constant.abs(), 3)),
                dots: false,
                points: sampled(low, high, logarithmic, curve),
            })
        }
        Theory::Power { from, .. } => {
            let used: Vec<(f64, f64)> = points
                .iter()
                .copied()
                .filter(|&(x, y)| x > 0.0 && y > 0.0 && x >= *from)
                .collect();
            let law = power_law(&used);
            row("a", law.map(|(a, _)| a));
            row("b", law.map(|(_, b)| b));
            let (a, b) = law?;
            let exponent = label::rounded(b, 3);
            Some(Curve {
                label: format!("{} x^{exponent}", label::rounded(a, 3)),
                dots: false,
                points: sampled(low, high, logarithmic, |x| a * x.powf(b)),
            })
        }
        Theory::Binomial {
            trials,
            probability,
            shift,
            ..
        } => {
            let shift = match shift {
                Shift::By(shift) => *shift,
                Shift::Fit => {
                    let mean: f64 = points.iter().map(|&(value, mass)| value * mass).sum();
                    mean - *trials as f64 * probability
                }
            };
            let masses = shifted_binomial(*trials, *probability, shift)?;
            let distance = statistics::total_variation_distance(points, &masses);
            row("shift", Some(shift));
            row("total_variation", distance);
            row(
                "kolmogorov",
                statistics::kolmogorov_distance(points, &masses),
            );
            let sign = if shift < 0.0 { '−' } else { '+' };
            let seen = |&(value, mass): &(f64, f64)| {
                mass >= 1e-4 || ((low..=high).contains(&value) && mass > 0.0)
            };
            Some(Curve {
                label: format!(
                    "Binomial({trials}, {probability}) {sign} {}, total variation distance {}",
                    label::rounded(shift.abs(), 3),
                    label::rounded(distance?, 3)
                ),
                dots: true,
                points: masses.into_iter().filter(seen).collect(),
            })
        }
        Theory::Points { .. } | Theory::Metric { .. } => None,
    }
}

/// The mean residual of y over log2(x) / 2.
fn half_log2(points: &[(f64, f64)]) -> Option<f64> {
    let residuals: Vec<f64> = points.iter().map(|&(x, y)| y - x.log2() / 2.0).collect();
    statistics::mean(&residuals)
}

/// The largest |y - curve| / |curve|.
fn largest_relative_deviation(points: &[(f64, f64)], curve: impl Fn(f64) -> f64) -> f64 {
    points
        .iter()
        .map(|&(x, y)| ((y - curve(x)) / curve(x)).abs())
        .filter(|deviation| deviation.is_finite())
        .fold(0.0, f64::max)
}

/// a and b of y = a x^b by least squares in the logarithms; `None` without two different x.
fn power_law(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let logs: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect();
    let mean_x = statistics::mean(&logs.iter().map(|p| p.0).collect::<Vec<_>>())?;
    let mean_y = statistics::mean(&logs.iter().map(|p| p.1).collect::<Vec<_>>())?;
    let spread: f64 = logs.iter().map(|&(x, _)| (x - mean_x).powi(2)).sum();
    let together: f64 = logs.iter().map(|&(x, y)| (x - mean_x) * (y - mean_y)).sum();
    if spread <= 0.0 {
        return None;
    }
    let b = together / spread;
    Some(((mean_y - b * mean_x).exp(), b))
}

/// The distribution of Binomial(trials, probability) + floor(shift) + Bernoulli(fraction of shift).
fn shifted_binomial(trials: u64, probability: f64, shift: f64) -> Option<Vec<(f64, f64)>> {
    let binomial = Binomial::new(probability, trials).ok()?;
    let (whole, fraction) = (shift.floor(), shift - shift.floor());
    let mass = |successes: Option<u64>| match successes {
        Some(successes) if successes <= trials => binomial.pmf(successes),
        _ => 0.0,
    };
    Some(
        (0..=trials + 1)
            .map(|value| {
                let stays = (1.0 - fraction) * mass(Some(value));
                let moves = fraction * mass(value.checked_sub(1));
                (value as f64 + whole, stays + moves)
            })
            .collect(),
    )
}

/// A curve as points, evenly spaced on the axis.
fn sampled(low: f64, high: f64, logarithmic: bool, curve: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    const STEPS: u32 = 100;
    (0..=STEPS)
        .map(|step| {
            let part = f64::from(step) / f64::from(STEPS);
            let x = if logarithmic {
                low * (high / low).powf(part)
            } else {
                low + (high - low) * part
            };
            (x, curve(x))
        })
        .filter(|(_, y)| y.is_finite())
        .collect()
}

fn range<'a>(drawn: impl Iterator<Item = &'a Drawn>, positive: bool) -> (f64, f64) {
    drawn
        .flat_map(|one| one.points.iter().map(|&(x, _)| x))
        .filter(|x| !positive || *x > 0.0)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        })
}

fn add_points(
    source: &Source<'_>,
    selection: &Selection,
    positions: &Positions,
    theory: &Theory,
    plot: &mut Plot,
) -> Result<(), Error> {
    let Theory::Points {
        label,
        data,
        series,
        panel,
    } = theory
    else {
        return Ok(());
    };
    let mut names = selection.series.iter();
    let series_index = series
        .as_ref()
        .map(|wanted| names.position(|name| name.label == *wanted || name.id == *wanted));
    let colour = match series_index {
        None => style::THEORY,
        Some(Some(index)) => style::of_series(index).colour,
        // A smaller sweep than the published one lacks some of its series and panels.
        Some(None) => return Ok(()),
    };
    let series_index = series_index.flatten();
    // Each source of the same colour has its shape.
    let (mut shape, mut entry) = (0, None);
    for (place, other) in plot.legend.iter().enumerate() {
        match other.sample {
            Sample::Published { shape: its, .. } if other.label == *label => {
                (shape, entry) = (its, Some(place));
                break;
            }
            Sample::Published { colour: its, .. } if its == colour => shape += 1,
            _ => {}
        }
    }
    let offset = series_index.map_or(0.0, |index| positions.offset(index, selection.series.len()));
    let mut points = Vec::new();
    for (x, y) in data {
        let text = text_of(x);
        let range = plot.y.range;
        if !range.contains(*y) {
            // A bound that a key gives is that of this scenario: a smaller one lacks these points.
            if *y > range.high && range != Range::FRACTION {
                continue;
            }
            return Err(source.data_error(format!(
                "theory: curve `points`: y is {y} at {text}, but possible is {}",
                range.text()
            )));
        }
        match positions.place(&text) {
            Some(x) if x.is_finite() => {
                let shown = (!source.figure.scale.log_x() || x >= 0.0)
                    && (!source.figure.scale.log_y() || *y >= 0.0);
                if shown {
                    let y = if source.figure.complement {
                        1.0 - y
                    } else {
                        *y
                    };
                    points.push((x + offset, y));
                }
            }
            // It also lacks some of its texts.
            _ if matches!(positions, Positions::Texts(_)) => {}
            _ => {
                return Err(source.data_error(format!(
                    "theory: curve `points`: expected a place along x, found `{text}`"
                )));
            }
        }
    }
    let mut used = false;
    for (name, place) in selection.panels.iter().zip(&mut plot.panels) {
        let here = panel
            .as_ref()
            .is_none_or(|wanted| same(wanted, &name.id) || *wanted == name.label);
        if here && !points.is_empty() {
            used = true;
            place.marks.push(Mark::Published {
                colour,
                shape,
                points: points.clone(),
            });
        }
    }
    if !used {
        return Ok(());
    }
    // One label for several series is one entry, in a neutral colour.
    let sample = Sample::Published { colour, shape };
    match entry.map(|place| &mut plot.legend[place].sample) {
        Some(other) if *other != sample => {
            *other = Sample::Published {
                colour: style::THEORY,
                shape,
            };
        }
        Some(_) => {}
        None => plot.legend.push(LegendEntry {
            label: label.clone(),
            sample,
        }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_log2_takes_the_mean_residual() {
        let points = [(64.0, 4.0), (256.0, 4.8)];
        let constant = half_log2(&points).unwrap();
        assert!((constant - 0.9).abs() < 1e-12);
        let worst = largest_relative_deviation(&points, |x| x.log2() / 2.0 + constant);
        assert!((worst - 0.1 / 3.9).abs() < 1e-12);
        assert_eq!(half_log2(&[]), None);
    }

    #[test]
    fn a_power_law_is_found_again() {
        let points: Vec<_> = [1.0, 4.0, 9.0].map(|x: f64| (x, 3.0 * x.sqrt())).to_vec();
        let (a, b) = power_law(&points).unwrap();
        assert!((a - 3.0).abs() < 1e-12 && (b - 0.5).abs() < 1e-12);
        assert_eq!(power_law(&[(2.0, 1.0), (2.0, 3.0)]), None);
    }

    #[test]
    fn a_fractional_shift_spreads_mass_over_two_integers() {
        // Binomial(1, 1/2) shifted by 1.25: 1 keeps 3/8, 2 gets 1/8 + 3/8, 3 gets 1/8.
        let masses = shifted_binomial(1, 0.5, 1.25).unwrap();
        for ((value, mass), (at, expected)) in
            masses
                .into_iter()
                .zip([(1.0, 0.375), (2.0, 0.5), (3.0, 0.125)])
        {
            assert_eq!(value, at);
            assert!((mass - expected).abs() < 1e-12, "{value} {mass}");
        }
        let mean: f64 = shifted_binomial(12, 0.5, -0.4)
            .unwrap()
            .iter()
            .map(|(value, mass)| value * mass)
            .sum();
        assert!((mean - 5.6).abs() < 1e-9);
    }
}
