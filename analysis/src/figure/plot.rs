//! A figure as data, built by each kind of figure and drawn on the page.

use plotters::style::RGBColor;

/// A figure with its numbers, but without a position on the page.
#[derive(Debug)]
pub struct Plot {
    pub title: String,
    pub caption: String,
    pub x: Scaling,
    pub y: Scaling,
    pub panels: Vec<Panel>,
    pub legend: Vec<Entry>,
}

/// Label and scale of one direction, the same in all panels.
#[derive(Debug, Default)]
pub struct Scaling {
    pub label: String,
    pub logarithmic: bool,
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
    /// Published points.
    Diamonds {
        colour: RGBColor,
        points: Vec<(f64, f64)>,
    },
    /// Bars of `width` in units of x, their centres shifted by `offset`.
    Bars {
        index: usize,
        width: f64,
        offset: f64,
        bars: Vec<(f64, f64)>,
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
    Diamond {
        colour: RGBColor,
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
            Self::Curve { points, .. } | Self::Diamonds { points, .. } => {
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
                for &(at, value) in bars {
                    x(at + offset - width / 2.0);
                    x(at + offset + width / 2.0);
                    y(value);
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

fn around(value: f64, interval: Option<(f64, f64)>) -> [f64; 3] {
    let (low, high) = interval.unwrap_or((value, value));
    [low, value, high]
}
