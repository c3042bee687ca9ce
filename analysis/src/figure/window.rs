//! The part of a page to which a drawing is cut.

use super::canvas::PagePoint;

/// A rectangle of the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Window {
    /// Whether a position is inside or on the edge.
    pub fn contains(&self, (x, y): PagePoint) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// The parts of a line through points that are inside.
    pub fn line(&self, points: &[PagePoint]) -> Vec<Vec<PagePoint>> {
        let mut parts: Vec<Vec<PagePoint>> = Vec::new();
        for pair in points.windows(2) {
            let Some((from, to)) = self.segment(pair[0], pair[1]) else {
                continue;
            };
            match parts.last_mut() {
                Some(part) if part.last() == Some(&from) => part.push(to),
                _ => parts.push(vec![from, to]),
            }
        }
        parts
    }

    /// The part of a segment that is inside, after Liang and Barsky.
    fn segment(&self, from: PagePoint, to: PagePoint) -> Option<(PagePoint, PagePoint)> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut first, mut last) = (0.0_f64, 1.0_f64);
        for (step, room) in [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ] {
            if step == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if step < 0.0 {
                first = first.max(room / step);
            } else {
                last = last.min(room / step);
            }
        }
        let at = |part: f64| match part {
            0.0 => from,
            1.0 => to,
            part => (from.0 + part * dx, from.1 + part * dy),
        };
        (first <= last).then(|| (at(first), at(last)))
    }

    /// The part of a rectangle that is inside, by its upper left and its lower right corner.
    pub fn rectangle(&self, one: PagePoint, other: PagePoint) -> Option<[PagePoint; 2]> {
        let one = (one.0.max(self.left), one.1.max(self.top));
        let other = (other.0.min(self.right), other.1.min(self.bottom));
        (one.0 <= other.0 && one.1 <= other.1).then_some([one, other])
    }

    /// The corners of the part of a polygon that is inside, after Sutherland and Hodgman.
    pub fn polygon(&self, corners: &[PagePoint]) -> Vec<PagePoint> {
        let turned = |(x, y): PagePoint| (y, x);
        let mut inside = corners.to_vec();
        inside = kept(&inside, self.left, 1.0);
        inside = kept(&inside, self.right, -1.0);
        inside = inside.into_iter().map(turned).collect();
        inside = kept(&inside, self.top, 1.0);
        inside = kept(&inside, self.bottom, -1.0);
        inside.into_iter().map(turned).collect()
    }
}

/// The part of a polygon whose x is at least `edge` (`side` 1) or at most `edge` (`side` -1).
fn kept(corners: &[PagePoint], edge: f64, side: f64) -> Vec<PagePoint> {
    let room = |corner: PagePoint| (corner.0 - edge) * side;
    let mut kept = Vec::with_capacity(corners.len() + 4);
    for (index, &corner) in corners.iter().enumerate() {
        let next = corners[(index + 1) % corners.len()];
        if room(corner) >= 0.0 {
            kept.push(corner);
        }
        if (room(corner) < 0.0) != (room(next) < 0.0) && next.0 != corner.0 {
            let part = (edge - corner.0) / (next.0 - corner.0);
            kept.push((edge, corner.1 + part * (next.1 - corner.1)));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNIT: Window = Window {
        left: 0.0,
        top: 0.0,
        right: 10.0,
        bottom: 10.0,
    };

    #[test]
    fn a_line_is_cut_at_the_edges() {
        let points = [
            (-5.0, 5.0),
            (5.0, 5.0),
            (5.0, 15.0),
            (8.0, 15.0),
            (8.0, 5.0),
        ];
        assert_eq!(
            UNIT.line(&points),
            [
                vec![(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)],
                vec![(8.0, 10.0), (8.0, 5.0)]
            ]
        );
        assert!(UNIT.line(&[(-1.0, 0.0), (-1.0, 9.0)]).is_empty());
    }

    #[test]
    fn areas_are_cut_at_the_edges() {
        let whole = [(-5.0, -5.0), (15.0, -5.0), (15.0, 15.0), (-5.0, 15.0)];
        let mut corners = UNIT.polygon(&whole);
        corners.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        assert_eq!(
            corners,
            [(0.0, 0.0), (0.0, 10.0), (10.0, 0.0), (10.0, 10.0)]
        );
        assert!(
            UNIT.polygon(&[(11.0, 0.0), (12.0, 0.0), (12.0, 9.0)])
                .is_empty()
        );
        let part = UNIT.rectangle((5.0, -1.0), (15.0, 4.0));
        assert_eq!(part, Some([(5.0, 0.0), (10.0, 4.0)]));
        assert_eq!(UNIT.rectangle((11.0, 0.0), (12.0, 4.0)), None);
    }

    proptest! {
        #[test]
        fn what_is_left_is_inside_and_the_inside_is_left(
            points in prop::collection::vec((-20.0..30.0_f64, -20.0..30.0_f64), 2..8)
        ) {
            let near = Window { left: -1e-9, top: -1e-9, right: 10.0 + 1e-9, bottom: 10.0 + 1e-9 };
            let parts = UNIT.line(&points);
            for &point in parts.iter().flatten() {
                prop_assert!(near.contains(point), "{point:?}");
            }
            for point in UNIT.polygon(&points) {
                prop_assert!(near.contains(point), "{point:?}");
            }
            for &point in points.iter().filter(|point| UNIT.contains(**point)) {
                prop_assert!(parts.iter().flatten().any(|other| *other == point), "{point:?}");
            }
        }
    }
}
