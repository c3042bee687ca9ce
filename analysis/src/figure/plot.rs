//! A figure as data, built by each kind of figure and drawn on the page.

use plotters::style::RGBColor;

use super::page::PageLayout;
use super::range::Range;

/// A figure with its numbers, but without a position on the page.
#[derive(Debug, Default)]
pub struct Plot {
    pub title: String,
    pub caption: String,
    pub x: Scaling,
    pub y: Scaling,
    pub panels: Vec<Panel>,
    pub legend: Vec<LegendEntry>,
    pub layout: PageLayout,
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
pub struct LegendEntry {
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
    /// Calls `see` with positions whose coordinates the axes must contain: of what the x axis shows, and
    /// where joined points cross its ends.
    pub fn extent(&self, view: View, see: &mut impl FnMut(f64, f64)) {
        let is_shown = |x: f64| view.shows(x);
        let edges = view.edges;
        let mut see = |x: f64, y: f64| {
            if is_shown(x) {
                see(x, y);
            }
        };
        match self {
            Self::Series { points, joined, .. } => {
                for point in points {
                    for x in around(point.x, point.x_interval) {
                        for y in around(point.y, point.y_interval) {
                            see(x, y);
                        }
                    }
                }
                if *joined {
                    let places: Vec<_> = points.iter().map(|point| (point.x, point.y)).collect();
                    view.crossings(&places, &mut see);
                }
            }
            Self::Curve { points, .. } => {
                points.iter().for_each(|&(x, y)| see(x, y));
                view.crossings(points, &mut see);
            }
            Self::Published { points, .. } => points.iter().for_each(|&(x, y)| see(x, y)),
            Self::Bars {
                width,
                offset,
                bars,
                ..
            } => {
                for bar in bars {
                    for x in sides(bar.x + offset, *width, edges).into_iter().flatten() {
                        for y in around(bar.y, bar.y_interval) {
                            see(x, y);
                        }
                    }
                }
            }
            Self::Steps { width, bars, .. } => {
                for &(middle, y) in bars {
                    for x in sides(middle, *width, edges).into_iter().flatten() {
                        see(x, y);
                    }
                }
            }
        }
    }
}

impl Mark {
    /// Whether a point that the x axis shows is at 0, along x and along y.
    pub fn zeros(&self, view: View) -> [bool; 2] {
        let any = |places: &[(f64, f64)]| {
            let mut shown = places.iter().filter(|place| view.shows(place.0));
            [
                shown.clone().any(|place| place.0 == 0.0),
                shown.any(|place| place.1 == 0.0),
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

/// What the axes show before their ends are known.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// The given ends of the x axis.
    pub edges: Option<[f64; 2]>,
    /// Whether the axes along x and along y are logarithmic.
    pub logarithmic: [bool; 2],
}

impl View {
    fn shows(&self, x: f64) -> bool {
        self.edges
            .is_none_or(|[low, high]| (low..=high).contains(&x))
    }

    /// Calls `see` with the positions at which joined points cross the ends of the x axis. Lines are
    /// straight on the page.
    fn crossings(&self, points: &[(f64, f64)], see: &mut impl FnMut(f64, f64)) {
        let [log_x, log_y] = self.logarithmic;
        let on_page = |is_log: bool, value: f64| if is_log { value.ln() } else { value };
        for edge in self.edges.into_iter().flatten() {
            for pair in points.windows(2) {
                if (pair[0].0 < edge) == (pair[1].0 < edge) {
                    continue;
                }
                let [from, to] =
                    [pair[0], pair[1]].map(|(x, y)| (on_page(log_x, x), on_page(log_y, y)));
                let part = (on_page(log_x, edge) - from.0) / (to.0 - from.0);
                let height = from.1 + part * (to.1 - from.1);
                // From 0 on a logarithmic axis a line has no such height.
                if height.is_finite() {
                    see(edge, if log_y { height.exp() } else { height });
                }
            }
        }
    }
}

/// The sides of the part of a bar that is between the `edges`, if there is one.
fn sides(middle: f64, width: f64, edges: Option<[f64; 2]>) -> Option<[f64; 2]> {
    let [low, high] = edges.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    let left = low.max(middle - width / 2.0);
    let right = high.min(middle + width / 2.0);
    (left < right).then_some([left, right])
}

fn around(value: f64, interval: Option<(f64, f64)>) -> [f64; 3] {
    let (low, high) = interval.unwrap_or((value, value));
    [low, value, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values along y that the axis must contain.
    fn heights(mark: &Mark, edges: Option<[f64; 2]>) -> Vec<f64> {
        let mut heights = Vec::new();
        let view = View {
            edges,
            ..View::default()
        };
        mark.extent(view, &mut |_, y| heights.push(y));
        heights.sort_by(f64::total_cmp);
        heights.dedup();
        heights
    }

    fn curve(points: &[(f64, f64)]) -> Mark {
        Mark::Curve {
            colour: RGBColor(0, 0, 0),
            dash: &[],
            dots: false,
            points: points.to_vec(),
        }
    }

    #[test]
    fn the_vertical_axis_fits_what_a_range_along_x_leaves() {
        let mark = curve(&[(0.0, 100.0), (10.0, 0.0), (20.0, 2.0), (40.0, 50.0)]);
        assert_eq!(heights(&mark, None), [0.0, 2.0, 50.0, 100.0]);
        assert_eq!(heights(&mark, Some([5.0, 20.0])), [0.0, 2.0, 50.0]);
        // No point is inside, and the line crosses.
        assert_eq!(heights(&mark, Some([25.0, 30.0])), [14.0, 26.0]);
        // Straight on the page: between 1 and 100 on a logarithmic axis is 10.
        let mark = curve(&[(0.0, 1.0), (10.0, 100.0), (20.0, 0.0)]);
        let view = View {
            edges: Some([5.0, 15.0]),
            logarithmic: [false, true],
        };
        let mut heights_of_logs = Vec::new();
        mark.extent(view, &mut |_, y| heights_of_logs.push(y.round()));
        assert_eq!(heights_of_logs, [100.0, 10.0]);
        assert_eq!(mark.zeros(view), [false, false]);
        let bars = Mark::Bars {
            index: 0,
            width: 1.0,
            offset: 0.0,
            bars: [(1.0, 9.0), (2.0, 3.0), (3.0, 4.0)]
                .map(|(x, y)| Point {
                    x,
                    y,
                    x_interval: None,
                    y_interval: None,
                    shift: 0.0,
                })
                .into(),
        };
        assert_eq!(heights(&bars, Some([1.6, 2.4])), [3.0]);
        assert_eq!(heights(&bars, Some([1.5, 9.0])), [3.0, 4.0]);
    }
}
