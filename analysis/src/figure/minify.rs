//! Smaller SVG: many elements of one style become one.
//!
//! Plotters draws each line, each dash and each arm of a marker as a polyline with all its
//! attributes. Consecutive opaque strokes of one style give the same picture as one path with a
//! part for each, in relative coordinates. This reduces the size to a fifth.

use std::fmt::Write;

/// An integer point of the grid.
type Point = (i64, i64);

/// Joins polylines of one style, and omits default attributes. Everything else stays unchanged, in
/// the same order.
pub fn minify(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut path = Path::default();
    for line in svg.lines() {
        match polyline(line) {
            Some((look, points)) => {
                if path.look != look {
                    path.close(&mut out);
                    path.look = look.to_owned();
                }
                path.add(&points);
            }
            None => {
                path.close(&mut out);
                match line.starts_with('<') {
                    true => out.push_str(&line.replace(OPAQUE, "")),
                    false => out.push_str(line),
                }
                out.push('\n');
            }
        }
    }
    path.close(&mut out);
    out
}

const OPAQUE: &str = " opacity=\"1\"";

/// The attributes and the points of an opaque polyline; `None` for anything else.
fn polyline(line: &str) -> Option<(&str, Vec<Point>)> {
    let rest = line.strip_prefix("<polyline ")?;
    let (look, rest) = rest.split_once(" points=\"")?;
    let points = rest.strip_suffix("\"/>")?;
    if !look.contains(OPAQUE) {
        return None;
    }
    let point = |text: &str| {
        let (x, y) = text.split_once(',')?;
        Some((x.parse().ok()?, y.parse().ok()?))
    };
    let points: Option<Vec<Point>> = points.split_whitespace().map(point).collect();
    Some((look, points.filter(|points| points.len() > 1)?))
}

/// Polylines of one style.
#[derive(Default)]
struct Path {
    look: String,
    data: String,
    end: Point,
}

impl Path {
    fn add(&mut self, points: &[Point]) {
        for (i, point) in points.iter().enumerate() {
            let (x, y) = (point.0 - self.end.0, point.1 - self.end.1);
            // Writing into a string does not fail.
            let _ = match (i, x, y) {
                (0, _, _) => write!(self.data, "m{x}{}{y}", comma(y)),
                (_, x, 0) => write!(self.data, "h{x}"),
                (_, 0, y) => write!(self.data, "v{y}"),
                _ => write!(self.data, "l{x}{}{y}", comma(y)),
            };
            self.end = *point;
        }
    }

    /// Writes the collected polylines, and starts anew.
    fn close(&mut self, out: &mut String) {
        if !self.data.is_empty() {
            let look = self.look.replace(OPAQUE, "");
            let _ = writeln!(out, "<path {look} d=\"{}\"/>", self.data);
        }
        *self = Self::default();
    }
}

/// The separator before a coordinate that follows another: none before a minus.
fn comma(y: i64) -> &'static str {
    if y < 0 { "" } else { "," }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_one_look_become_one_path() {
        let svg = "<svg>\n\
            <polyline fill=\"none\" opacity=\"1\" stroke=\"#DEDEDE\" points=\"986,821 986,4409 \"/>\n\
            <polyline fill=\"none\" opacity=\"1\" stroke=\"#DEDEDE\" points=\"1649,821 1700,700 \"/>\n\
            <polyline fill=\"none\" opacity=\"1\" stroke=\"#000000\" points=\"0,0 5,0 7,9 \"/>\n\
            <polyline fill=\"none\" opacity=\"0.5\" stroke=\"#000000\" points=\"0,0 5,0 \"/>\n\
            <text opacity=\"1\">\n\
            a\n\
            </text>\n\
            <polyline fill=\"none\" opacity=\"1\" stroke=\"#000000\" points=\"0,0 5,0 \"/>\n\
            </svg>\n";
        let expected = "<svg>\n\
            <path fill=\"none\" stroke=\"#DEDEDE\" d=\"m986,821v3588m663-3588l51-121\"/>\n\
            <path fill=\"none\" stroke=\"#000000\" d=\"m0,0h5l2,9\"/>\n\
            <polyline fill=\"none\" opacity=\"0.5\" stroke=\"#000000\" points=\"0,0 5,0 \"/>\n\
            <text>\n\
            a\n\
            </text>\n\
            <path fill=\"none\" stroke=\"#000000\" d=\"m0,0h5\"/>\n\
            </svg>\n";
        assert_eq!(minify(svg), expected);
    }

    /// The points of each part of a path, as SVG has it.
    fn read(data: &str) -> Vec<Vec<Point>> {
        let (mut parts, mut at): (Vec<Vec<Point>>, Point) = (Vec::new(), (0, 0));
        let mut rest = data;
        while let Some(command) = rest.chars().next() {
            let own = &rest[1..];
            let end = own.find(|c: char| c.is_ascii_alphabetic());
            let (numbers, after) = own.split_at(end.unwrap_or(own.len()));
            let spaced = numbers.replace('-', " -").replace(',', " ");
            let numbers: Vec<i64> = spaced.split(' ').filter_map(|n| n.parse().ok()).collect();
            let (x, y) = match (command, numbers.as_slice()) {
                ('m' | 'l', [x, y]) => (*x, *y),
                ('h', [x]) => (*x, 0),
                ('v', [y]) => (0, *y),
                other => panic!("{other:?}"),
            };
            at = (at.0 + x, at.1 + y);
            if command == 'm' {
                parts.push(Vec::new());
            }
            parts.last_mut().expect("a part").push(at);
            rest = after;
        }
        parts
    }

    proptest! {
        #[test]
        fn no_point_is_lost_or_moved(
            lines in prop::collection::vec(prop::collection::vec((-20_i64..20, -20_i64..20), 2..6), 1..8)
        ) {
            let line = |points: &Vec<Point>| {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y} ")).collect();
                format!("<polyline fill=\"none\" opacity=\"1\" points=\"{}\"/>\n", points.concat())
            };
            let svg: String = lines.iter().map(line).collect();
            let out = minify(&svg);
            let data = out.split('"').nth(3).expect("data");
            prop_assert_eq!(read(data), lines);
        }
    }
}
