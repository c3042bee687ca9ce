//! A figure as data, built by each kind of figure and drawn on the page.

use plotters::style::RGBColor;

use super::page::Layout;
use super::range::Range;

/// A figure with its numbers, but without a position on the page.
#[derive(Debug, Default)]
pub struct Plot {
    pub title: String,
    pub caption: String,
    pub x: Scaling,
    pub y: Scaling,
    pub panels: Vec<Panel>,
    pub legend: Vec<Entry>,
    pub layout: Layout,
}

/// Label and scale of one direction, the same in all panels.
#[derive(Debug, Default)]
pub struct Scaling {
    pub label: String,
    pub logarithmic: bool,
    /// The possible range of the values.
    pub range: Range,
    /// The first and the last value of the axis, where the figure says them.
    pub shown: Option<[f64; 2]>,
    /// The texts at 0, 1, 2, ... if the direction has no numbers.
    pub texts: Option<Vec<String>>,
}

/// One pair of axes.
#[derive(Debug, Default)]
pub struct Panel {
    pub title: Option<String>,
    pub marks: Vec<Mark>,
}

/// Something drawn in a panel. Series are identified by their index, which determines their style.
#[derive(Debug)]
pub enum Mark {
    /// Markers with error bars, with or without a line.
    Series {
        index: usize,
        joined: bool,
        points: Vec<Point>,
    },
    /// A theory curve, with or without a dot at each point.
    Curve {
        colour: RGBColor,
        dash: &'static [f64],
        dots: bool,
        points: Vec<(f64, f64)>,
    },
    /// Published points, with one shape for each source of the same colour.
    Published {
        colour: RGBColor,
        shape: usize,
        points: Vec<(f64, f64)>,
    },
    /// Bars of `width` in units of x, their centres shifted by `offset`.
    Bars {
        index: usize,
        width: f64,
        offset: f64,
        bars: Vec<Point>,
    },
    /// The outline of bars of `width` in units of x.
    Steps {
        index: usize,
        width: f64,
        bars: Vec<(f64, f64)>,
    },
}

/// A mean and its 95 % intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub x_interval: Option<(f64, f64)>,
    pub y_interval: Option<(f64, f64)>,
    /// How far its marker is from its place, in widths of a marker: those that would hide each other
    /// are side by side.
    pub shift: f64,
}

/// An entry of the legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub label: String,
    pub sample: Sample,
}

/// The sample beside a label in the legend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    Series {
        index: usize,
        joined: bool,
    },
    Curve {
        colour: RGBColor,
        dash: &'static [f64],
        dots: bool,
    },
    Published {
        colour: RGBColor,
        shape: usize,
    },
    Bar {
        index: usize,
    },
    Step {
        index: usize,
    },
    /// A layer of arrows in a diagram.
    Arrow {
        index: usize,
    },
    /// A layer of boxes in a diagram.
    Box {
        index: usize,
    },
    /// Cells in a diagram.
    Cells,
}

impl Sample {
    /// The series with this sample.
    pub fn series(self) -> Option<usize> {
        match self {
            Self::Series { index, .. } | Self::Bar { index } | Self::Step { index } => Some(index),
            _ => None,
        }
    }
}

impl Mark {
    /// Calls `x` and `y` with every value that the axes must contain.
    pub fn extent(&self, x: &mut impl FnMut(f64), y: &mut impl FnMut(f64)) {
        match self {
            Self::Series { points, .. } => {
                for point in points {
                    for value in around(point.x, point.x_interval) {
                        x(value);
                    }
                    for value in around(point.y, point.y_interval) {
                        y(value);
                    }
                }
            }
            Self::Curve { points, .. } | Self::Published { points, .. } => {
                for &(at, value) in points {
                    x(at);
                    y(value);
                }
            }
            Self::Bars {
                width,
                offset,
                bars,
                ..
            } => {
                for bar in bars {
                    x(bar.x + offset - width / 2.0);
                    x(bar.x + offset + width / 2.0);
                    for value in around(bar.y, bar.y_interval) {
                        y(value);
                    }
                }
            }
            Self::Steps { width, bars, .. } => {
                for &(at, value) in bars {
                    x(at - width / 2.0);
                    x(at + width / 2.0);
                    y(value);
                }
            }
        }
    }
}

impl Mark {
    /// Whether a point is at 0, along x and along y.
    pub fn zeros(&self) -> [bool; 2] {
        let any = |places: &[(f64, f64)]| {
            [
                places.iter().any(|place| place.0 == 0.0),
                places.iter().any(|place| place.1 == 0.0),
            ]
        };
        match self {
            Self::Series { points, .. } => {
                any(&points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>())
            }
            Self::Published { points, .. } | Self::Curve { points, .. } => any(points),
            Self::Bars { .. } | Self::Steps { .. } => [false; 2],
        }
    }
}

fn around(value: f64, interval: Option<(f64, f64)>) -> [f64; 3] {
    let (low, high) = interval.unwrap_or((value, value));
    [low, value, high]
}
