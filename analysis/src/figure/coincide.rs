//! Points that coincide: their markers are side by side, and a sentence says which lines are one.

use super::axis::Axis;
use super::plot::{Mark, Plot, Point};

/// Points nearer than this part of the vertical axis are one to a reader: the radius of a marker.
const NEAR: f64 = 0.015;

/// Shifts the markers of joined series that would hide each other, and names lines that coincide in
/// the caption.
pub fn set_apart(plot: &mut Plot, (x, y): &(Axis, Axis)) {
    let is_cut = plot.x.shown.is_some() || plot.y.shown.is_some();
    let is_seen = |point: &Point| !is_cut || x.shows(point.x) && y.shows(point.y);
    let mut sentences: Vec<(String, Vec<String>)> = Vec::new();
    for panel in &mut plot.panels {
        for group in lines(&panel.marks, y) {
            // Lines without a point in the range are not drawn, so they do not coincide.
            if !points(&panel.marks[group[0]]).iter().any(is_seen) {
                continue;
            }
            let entries = group.iter().filter_map(|&mark| {
                let Mark::Series { index, .. } = panel.marks[mark] else {
                    return None;
                };
                let mut entries = plot.legend.iter();
                entries.find(|entry| entry.sample.series() == Some(index))
            });
            let names: Vec<&str> = entries.map(|entry| entry.label.as_str()).collect();
            let (names, title) = (names.join("; "), panel.title.clone().unwrap_or_default());
            match sentences.iter_mut().find(|(other, _)| *other == names) {
                Some((_, titles)) => titles.push(title),
                None => sentences.push((names, vec![title])),
            }
        }
        shift_markers(&mut panel.marks, y);
    }
    for (names, titles) in sentences {
        let place = if titles.len() == plot.panels.len() {
            String::new()
        } else {
            format!(" ({})", titles.join("; "))
        };
        let caption = format!("{} Lines that coincide{place}: {names}.", plot.caption);
        caption.trim().clone_into(&mut plot.caption);
    }
}

/// The points of a joined series.
fn points(mark: &Mark) -> &[Point] {
    match mark {
        Mark::Series {
            joined: true,
            points,
            ..
        } => points,
        _ => &[],
    }
}

fn is_near(one: &Point, other: &Point, y: &Axis) -> bool {
    one.x == other.x && (y.position(one.y) - y.position(other.y)).abs() <= NEAR
}

/// The marks that are one line, as groups of at least two.
fn lines(marks: &[Mark], y: &Axis) -> Vec<Vec<usize>> {
    let coincide = |one: &Mark, other: &Mark| {
        let (one, other) = (points(one), points(other));
        let mut pairs = one.iter().zip(other);
        one.len() == other.len() && pairs.all(|(one, other)| is_near(one, other, y))
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, mark) in marks.iter().enumerate() {
        if points(mark).len() < 2 {
            continue;
        }
        let mut known = groups.iter_mut();
        match known.find(|group| coincide(&marks[group[0]], mark)) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

fn shift_markers(marks: &mut [Mark], y: &Axis) {
    let before: Vec<Vec<Point>> = marks.iter().map(|mark| points(mark).to_vec()).collect();
    for (place, mark) in marks.iter_mut().enumerate() {
        let Mark::Series {
            joined: true,
            points,
            ..
        } = mark
        else {
            continue;
        };
        for point in points {
            let shares = |other: &Vec<Point>| other.iter().any(|other| is_near(point, other, y));
            let all = before.iter().filter(|other| shares(other)).count();
            let earlier = before[..place].iter().filter(|other| shares(other)).count();
            point.shift = earlier as f64 - (all as f64 - 1.0) / 2.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::AxisRange;
    use super::super::plot::{LegendEntry, Panel, Sample};
    use super::*;

    #[test]
    fn lines_that_coincide_are_named_and_markers_side_by_side() {
        let line = |index, heights: [f64; 2]| Mark::Series {
            index,
            joined: true,
            points: [0.0, 1.0]
                .into_iter()
                .zip(heights)
                .map(|(x, y)| Point {
                    x,
                    y,
                    x_interval: None,
                    y_interval: None,
                    shift: 0.0,
                })
                .collect(),
        };
        let entry = |index, label: &str| LegendEntry {
            label: label.to_owned(),
            sample: Sample::Series {
                index,
                joined: true,
            },
        };
        let mut plot = Plot {
            caption: "A caption.".to_owned(),
            panels: vec![Panel {
                title: None,
                marks: vec![
                    line(0, [5.0, 5.0]),
                    line(1, [2.0, 5.0]),
                    line(2, [5.001, 5.0]),
                ],
            }],
            legend: vec![entry(0, "a"), entry(1, "b"), entry(2, "c")],
            ..Plot::default()
        };
        let axis = Axis::linear(0.0, 6.0, AxisRange::WithZero, 6);
        set_apart(&mut plot, &(axis.clone(), axis));
        assert_eq!(plot.caption, "A caption. Lines that coincide: a; c.");
        let shifts: Vec<f64> = plot.panels[0]
            .marks
            .iter()
            .flat_map(|mark| points(mark).iter().map(|point| point.shift))
            .collect();
        assert_eq!(shifts, [-0.5, -1.0, 0.0, 0.0, 0.5, 1.0]);
    }
}
