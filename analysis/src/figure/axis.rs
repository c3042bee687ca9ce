//! Axes: ranges, ticks, and positions of values.

use super::label;
use super::range::Range;

/// The position of 0 on a logarithmic axis.
const ZERO: f64 = 0.03;
/// The position at which its numbers begin.
const NUMBERS: f64 = 0.09;

/// One axis of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
    /// Whether a logarithmic axis has a place for 0 before its numbers.
    zero: bool,
    /// Whether data can be beyond its ends.
    is_cut: bool,
    /// Labelled positions, in increasing order.
    pub ticks: Vec<Tick>,
    /// Positions of the finer grid.
    pub minor: Vec<f64>,
}

/// A labelled position.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The value.
    pub at: f64,
    /// Its text.
    pub label: String,
}

/// How the data determine the range of a linear axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisRange {
    /// From 0, unless the data vary little relative to their size; ends at ticks.
    FromZero,
    /// Always from 0; ends at ticks.
    WithZero,
    /// The data with a margin.
    Tight,
}

impl Axis {
    /// An axis of texts, evenly spaced at 0, 1, 2, ...
    pub fn of_texts(texts: &[String]) -> Self {
        Self {
            logarithmic: false,
            zero: false,
            is_cut: false,
            low: -0.5,
            high: texts.len().max(1) as f64 - 0.5,
            ticks: texts
                .iter()
                .enumerate()
                .map(|(index, text)| Tick {
                    at: index as f64,
                    label: text.clone(),
                })
                .collect(),
            minor: Vec::new(),
        }
    }

    /// A linear axis from `low` to `high` or wider, with about `count` ticks.
    pub fn linear(low: f64, high: f64, span: AxisRange, count: usize) -> Self {
        // Data that differ only by rounding errors are constant.
        let flat = high - low <= 1e-9 * low.abs().max(high.abs());
        let near_zero = low >= 0.0 && (flat || low <= 0.6 * high);
        let zero = match span {
            AxisRange::WithZero => true,
            AxisRange::FromZero => near_zero,
            AxisRange::Tight => false,
        };
        let (mut from, mut to) = (low, high);
        if zero {
            from = from.min(0.0);
            to = (if to > 0.0 { to * 1.04 } else { to }).max(0.0);
        } else if flat {
            let margin = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            (from, to) = (low - margin, high + margin);
        } else {
            let margin = (high - low) * if span == AxisRange::Tight { 0.04 } else { 0.08 };
            (from, to) = (low - margin, high + margin);
            // Space below 0 for markers at 0, whose error bars would otherwise lie on the axis.
            if span == AxisRange::Tight && low > 0.0 {
                from = from.max(0.0);
            }
        }
        if to <= from {
            to = from + 1.0;
        }
        let step = nice_step((to - from) / count.max(1) as f64);
        if span != AxisRange::Tight {
            from = (from / step + 1e-9).floor() * step;
            to = (to / step - 1e-9).ceil() * step;
        }
        Self {
            logarithmic: false,
            zero: false,
            is_cut: false,
            low: from,
            high: to,
            ticks: linear_ticks(from, to, step),
            minor: Vec::new(),
        }
    }

    /// The axis without ticks between integers, for integer values.
    pub fn at_whole_numbers(mut self) -> Self {
        if self.ticks.iter().any(|tick| tick.at.fract() != 0.0) {
            self.ticks = linear_ticks(self.low, self.high, 1.0);
        }
        self
    }

    /// A logarithmic axis from `low` to `high` or wider, both positive. `binary` puts the ticks at
    /// powers of two instead of ten.
    pub fn logarithmic(low: f64, high: f64, binary: bool, count: usize) -> Self {
        let decades = (high / low).log10();
        let margin = 10_f64.powf((decades * 0.04).max(0.04));
        let (from, to) = (low / margin, high * margin);
        let inside = |value: &f64| (from..=to).contains(value);
        let mut minor = Vec::new();
        let ticks = if binary {
            let first = low.log2().round() as i32;
            let last = high.log2().round() as i32;
            let powers = |stride: usize| {
                (first..=last)
                    .step_by(stride)
                    .map(|power| 2_f64.powi(power))
            };
            let stride = ((last - first) as usize).div_ceil(count.max(1)).max(1);
            minor = powers(1).filter(inside).collect();
            powers(stride)
                .filter(inside)
                .map(|at| tick(at, label::rounded(at, 7)))
                .collect()
        } else {
            let first = from.log10().floor() as i32;
            let last = to.log10().ceil() as i32;
            let of = |multiples: &[f64]| -> Vec<f64> {
                (first..=last)
                    .flat_map(|exponent| {
                        multiples.iter().map(move |multiple| {
                            // Division gives the nearest number to a thousandth for 0.001.
                            if exponent < 0 {
                                multiple / 10_f64.powi(-exponent)
                            } else {
                                multiple * 10_f64.powi(exponent)
                            }
                        })
                    })
                    .filter(inside)
                    .collect()
            };
            let powers = of(&[1.0]);
            let steps = of(&[1.0, 2.0, 5.0]);
            if powers.len() >= 3 {
                minor = of(&[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
                let stride = powers.len().div_ceil(count.max(1)).max(1);
                let extreme = powers.iter().any(|at| !(1e-4..1e6).contains(at));
                powers
                    .into_iter()
                    .step_by(stride)
                    .map(|at| {
                        let exponent = at.log10().round() as i32;
                        if extreme {
                            tick(at, label::power_of_ten(exponent))
                        } else {
                            tick(at, label::number(at, (-exponent).max(0) as usize))
                        }
                    })
                    .collect()
            } else if steps.len() >= 3 {
                steps
                    .into_iter()
                    .map(|at| tick(at, label::rounded(at, 3)))
                    .collect()
            } else {
                linear_ticks(from, to, nice_step((to - from) / count.max(1) as f64))
            }
        };
        Self {
            logarithmic: true,
            zero: false,
            is_cut: false,
            low: from,
            high: to,
            ticks,
            minor,
        }
    }

    /// The axis between two values that a figure says: values outside are before its low or after
    /// its high end.
    pub fn cut(mut self, low: f64, high: f64) -> Self {
        self = self.within(Range::new(Some(low), Some(high)));
        (self.low, self.high) = (low, high);
        self.is_cut = true;
        // Between two powers there may be no tick.
        if self.ticks.len() < 2 {
            self.ticks = linear_ticks(low, high, nice_step((high - low) / 5.0));
        }
        self
    }

    /// The logarithmic axis with a place for 0, beyond a break.
    pub fn with_zero(mut self) -> Self {
        self.zero = true;
        self.ticks.insert(0, tick(0.0, "0".to_owned()));
        self
    }

    /// The axis without the part that is outside of the possible range.
    pub fn within(mut self, range: Range) -> Self {
        (self.low, self.high) = range.clip((self.low, self.high));
        let inside = |at: f64| range.contains(at);
        self.ticks.retain(|tick| inside(tick.at));
        self.minor.retain(|&at| inside(at));
        self
    }

    /// The position of `value`: 0 at the low end, 1 at the high end. Values that a logarithmic axis
    /// cannot show are at the low end of its numbers.
    pub fn position(&self, value: f64) -> f64 {
        if !self.logarithmic {
            return (value - self.low) / (self.high - self.low);
        }
        if value <= 0.0 && self.zero {
            return ZERO;
        }
        if self.is_cut {
            // 0 is as far outside as the whole axis is long.
            let value = value.max(self.low * self.low / self.high);
            return (value / self.low).ln() / (self.high / self.low).ln();
        }
        let start = if self.zero { NUMBERS } else { 0.0 };
        if value <= self.low {
            return start;
        }
        start + (1.0 - start) * (value / self.low).ln() / (self.high / self.low).ln()
    }

    /// Whether the axis shows a value at its place.
    pub fn shows(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value) || (self.zero && value == 0.0)
    }

    /// The position of the break: before the numbers of a logarithmic axis with 0, and at the low end
    /// of a linear one that begins above 0.
    pub fn broken_at(&self) -> Option<f64> {
        if self.zero {
            return Some((ZERO + NUMBERS) / 2.0);
        }
        (!self.logarithmic && self.low > 0.0).then_some(0.03)
    }

    /// The value at which bars start.
    pub fn base(&self) -> f64 {
        if self.logarithmic {
            self.low
        } else {
            self.low.max(0.0)
        }
    }
}

/// Whether every value is a power of two (and there are at least two of them).
pub fn powers_of_two(values: &[f64]) -> bool {
    let power = |value: &f64| *value >= 1.0 && value.log2().fract() == 0.0;
    values.iter().all(power) && values.iter().any(|value| Some(value) != values.first())
}

fn tick(at: f64, label: String) -> Tick {
    Tick { at, label }
}

/// 1, 2 or 5 times a power of ten, the nearest to `rough` by ratio.
fn nice_step(rough: f64) -> f64 {
    let magnitude = 10_f64.powf(rough.log10().floor());
    let ratio = rough / magnitude;
    // The geometric means of 1 and 2, of 2 and 5, and of 5 and 10.
    let multiple = match ratio {
        ratio if ratio < 2_f64.sqrt() => 1.0,
        ratio if ratio < 10_f64.sqrt() => 2.0,
        ratio if ratio < 50_f64.sqrt() => 5.0,
        _ => 10.0,
    };
    multiple * magnitude
}

fn linear_ticks(from: f64, to: f64, step: f64) -> Vec<Tick> {
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    let largest = from.abs().max(to.abs());
    (first..=last)
        .map(|index| {
            let at = index as f64 * step;
            // Long rows of zeros are hard to read.
            let label = if at != 0.0 && (decimals > 4 || largest >= 1e7) {
                label::rounded(at, 4)
            } else {
                label::number(at, if at == 0.0 { 0 } else { decimals })
            };
            tick(at, label)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let axis = Axis::linear(0.05, 0.58, AxisRange::FromZero, 6);
        assert_eq!(
            labels(&axis),
            ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]
        );
        let axis = Axis::linear(0.0, 1.0, AxisRange::WithZero, 6);
        assert!(labels(&axis).contains(&"0.6"), "{:?}", labels(&axis));
        let axis = Axis::linear(0.0, 45_000.0, AxisRange::Tight, 5);
        assert_eq!(labels(&axis), ["0", "10,000", "20,000", "30,000", "40,000"]);
    }

    #[test]
    fn whole_numbers_have_whole_ticks() {
        let axis = Axis::linear(2.0, 5.0, AxisRange::Tight, 9).at_whole_numbers();
        assert_eq!(labels(&axis), ["2", "3", "4", "5"]);
    }

    #[test]
    fn an_axis_leaves_zero_only_for_data_that_vary_little() {
        let from_zero = Axis::linear(3.0, 6.0, AxisRange::FromZero, 6);
        assert_eq!(from_zero.position(0.0), 0.0);
        let zoomed = Axis::linear(0.97, 0.99, AxisRange::FromZero, 6);
        assert!(zoomed.position(0.9) < 0.0);
        let flat = Axis::linear(1.0, 1.0, AxisRange::FromZero, 6);
        assert_eq!(flat.position(0.0), 0.0);
    }

    #[test]
    fn logarithmic_ticks_are_powers() {
        let axis = Axis::logarithmic(8.0, 256.0, true, 9);
        assert_eq!(labels(&axis), ["8", "16", "32", "64", "128", "256"]);
        let axis = Axis::logarithmic(2.0, 65_536.0, true, 8);
        assert_eq!(labels(&axis)[..3], ["2", "8", "32"]);
        let axis = Axis::logarithmic(1.0, 20_000.0, false, 9);
        assert_eq!(labels(&axis), ["1", "10", "100", "1000", "10,000"]);
        let axis = Axis::logarithmic(0.001, 0.3, false, 9);
        assert_eq!(labels(&axis), ["0.001", "0.01", "0.1"]);
        let axis = Axis::logarithmic(100.0, 2000.0, false, 9);
        assert_eq!(labels(&axis), ["100", "200", "500", "1000", "2000"]);
        let axis = Axis::logarithmic(1e-9, 1.0, false, 5);
        assert_eq!(labels(&axis)[0], "10⁻⁹");
        let axis = Axis::logarithmic(3.0, 4.0, false, 5);
        assert!(labels(&axis).len() >= 3, "{:?}", labels(&axis));
    }

    #[test]
    fn zero_has_its_place_on_a_logarithmic_axis() {
        let plain = Axis::logarithmic(0.001, 0.1, false, 9);
        assert_eq!((plain.position(0.0), plain.broken_at()), (0.0, None));
        let axis = plain.with_zero();
        assert_eq!(labels(&axis), ["0", "0.001", "0.01", "0.1"]);
        let [zero, broken, first] = [
            axis.position(0.0),
            axis.broken_at().unwrap(),
            axis.position(0.001),
        ];
        assert!(0.0 < zero && zero < broken && broken < first, "{axis:?}");
        assert!(axis.position(1e-9) > broken && axis.position(0.1) < 1.0);
        assert!(axis.shows(0.0) && !axis.shows(1e-9));
    }

    #[test]
    fn an_axis_ends_where_its_range_ends() {
        let axis = Axis::linear(0.2, 1.0, AxisRange::FromZero, 6).within(Range::FRACTION);
        assert_eq!(axis.position(1.0), 1.0);
        assert_eq!(labels(&axis).last(), Some(&"1.0"));
        let axis = Axis::linear(0.99, 1.0, AxisRange::FromZero, 6).within(Range::FRACTION);
        assert_eq!(axis.position(1.0), 1.0);
        assert!(axis.broken_at().is_some());
        let axis = Axis::logarithmic(0.01, 1.0, false, 6).within(Range::FRACTION);
        assert_eq!(axis.position(1.0), 1.0);
        let axis = Axis::linear(1.0, 9.0, AxisRange::FromZero, 6);
        assert_eq!(axis.broken_at(), None);
    }

    #[test]
    fn every_range_has_a_finite_axis() {
        for (low, high) in [
            (0.0, 0.0),
            (-5.0, -5.0),
            (-3.0, 4.0),
            (1e-12, 1e-12),
            (1e15, 2e15),
        ] {
            for span in [AxisRange::FromZero, AxisRange::WithZero, AxisRange::Tight] {
                let axis = Axis::linear(low, high, span, 6);
                assert!(axis.ticks.len() >= 2, "{low} {high} {span:?} {axis:?}");
                for value in [low, high] {
                    let at = axis.position(value);
                    assert!((-0.01..=1.01).contains(&at), "{low} {high} {span:?} {at}");
                }
            }
        }
    }
}
