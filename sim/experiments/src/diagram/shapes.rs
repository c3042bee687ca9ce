//! The elements of a picture: shapes in layers, as rows of the table `shapes`.

use dhtlab_scenario::TableRows;

/// A position in the picture: x to the right, y upwards.
pub(super) type DiagramPoint = (f64, f64);

dhtlab_scenario::columns! {
    pub(super) COLUMNS, fn row(
        group: &str,
        kind: &'static str,
        number: usize,
        place: &DiagramPoint,
        text: &str
    ) {
        /// The layer, an entry of the legend.
        layer ["text"] = group.to_owned(),
        /// The kind of shape: point, line, arrow, cell, box, text, text-start or text-end.
        shape ["text"] = kind,
        /// The number of the shape. A shape has a row for each of its positions.
        item [""] = number,
        /// A position, to the right.
        x ["signed"] = rounded(place.0),
        /// A position, upwards.
        y ["signed"] = rounded(place.1),
        /// The text of the shape; empty if it has none.
        label ["text"] = text.to_owned(),
    }
}

/// The side of a position on which a text is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

/// The shapes of a picture. The figure determines their style; a layer is an entry of the legend.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    rows: TableRows,
    /// Number of shapes: each has its own number.
    count: usize,
}

impl Shapes {
    fn add(&mut self, layer: &str, shape: &'static str, places: &[DiagramPoint], label: &str) {
        let rows = places.iter();
        let rows = rows.map(|place| row(layer, shape, self.count, place, label));
        self.rows.0.extend(rows);
        self.count += 1;
    }

    /// A marker.
    pub fn point(&mut self, layer: &str, at: DiagramPoint) {
        self.add(layer, "point", &[at], "");
    }

    /// A line through positions.
    pub fn line(&mut self, layer: &str, places: &[DiagramPoint]) {
        self.add(layer, "line", places, "");
    }

    /// A line with an arrowhead at its end.
    pub fn arrow(&mut self, layer: &str, places: &[DiagramPoint]) {
        self.add(layer, "arrow", places, "");
    }

    /// A polygon next to others.
    pub fn cell(&mut self, layer: &str, corners: &[DiagramPoint]) {
        self.add(layer, "cell", corners, "");
    }

    /// A rectangle between two opposite corners, around its label.
    pub fn labelled_box(&mut self, layer: &str, corners: [DiagramPoint; 2], label: &str) {
        self.add(layer, "box", &corners, label);
    }

    /// A text centred at a position.
    pub fn text(&mut self, layer: &str, at: DiagramPoint, text: &str) {
        self.add(layer, "text", &[at], text);
    }

    /// A text on one side of a position, at distance `gap`.
    pub fn text_beside(&mut self, layer: &str, at: DiagramPoint, gap: f64, side: Side, text: &str) {
        match side {
            Side::Right => self.add(layer, "text-start", &[(at.0 + gap, at.1)], text),
            Side::Left => self.add(layer, "text-end", &[(at.0 - gap, at.1)], text),
        }
    }

    /// A text beside a position on a circle around the origin, on the outer side.
    pub fn text_outside(&mut self, layer: &str, at: DiagramPoint, text: &str) {
        if libm::fabs(at.0) <= 0.3 {
            self.text(layer, at, text);
        } else {
            let side = if at.0 > 0.0 { Side::Right } else { Side::Left };
            self.text_beside(layer, at, 0.0, side, text);
        }
    }

    /// The rows.
    pub fn into_rows(self) -> TableRows {
        self.rows
    }
}

/// Rounds to six digits, more than a picture shows. Never -0, which differs from 0 in a file.
fn rounded(x: f64) -> f64 {
    libm::round(x * 1e6) / 1e6 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_scenario::Cell;

    #[test]
    fn a_shape_is_a_row_a_place() {
        let mut shapes = Shapes::default();
        shapes.line("edge", &[(0.0, 1.0 / 3.0), (-1e-9, 2.0)]);
        shapes.text_outside("node", (-1.0, 0.0), "left");
        let rows = shapes.into_rows().0;
        let text = |row: &[Cell]| row.iter().map(Cell::to_string).collect::<Vec<_>>();
        assert_eq!(text(&rows[0]), ["edge", "line", "0", "0", "0.333333", ""]);
        assert_eq!(text(&rows[1]), ["edge", "line", "0", "0", "2", ""]);
        assert_eq!(text(&rows[2]), ["node", "text-end", "1", "-1", "0", "left"]);
    }
}
