//! The canvas of a figure: plotters' SVG backend, with lengths in pixels and dashed lines.
//!
//! Plotters rounds coordinates and line widths to whole units, and its dashes have one length. So
//! the backend is [`GRID`] times as large as the figure, the header scales it down, and this module
//! cuts dashed lines into pieces.

use std::io;

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle,
    TextStyle, WHITE,
};

use super::minify::minify;
use super::window::Window;

/// Units of the backend per pixel.
const GRID: u32 = 10;
/// Plotters divides font sizes by this.
const FONT_SCALE: f64 = 1.24;
/// Distance from the upper side of a text to its baseline in plotters, as a fraction of the size.
const ASCENT: f64 = 0.76;

/// A position in pixels, y downwards.
pub type PagePoint = (f64, f64);

/// Why a figure could not be drawn.
pub type DrawingError = DrawingAreaErrorKind<io::Error>;

/// A canvas for figures. The first failure is stored, and reported with the finished document.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    result: Result<(), DrawingError>,
    /// What is outside of this part of the page is cut off.
    window: Option<Window>,
}

/// The horizontal anchor of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// The direction of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Across,
    /// From bottom to top.
    Upwards,
}

/// The format of a text.
#[derive(Debug, Clone, Copy)]
pub struct TextFormat {
    pub size: f64,
    pub colour: RGBColor,
    pub anchor: Anchor,
    pub direction: Direction,
}

/// The format of a line.
#[derive(Debug, Clone, Copy)]
pub struct Stroke {
    pub colour: RGBColor,
    pub width: f64,
    /// The lengths of dashes and gaps, alternating; empty for a solid line.
    pub dash: &'static [f64],
}

impl Stroke {
    /// A solid line.
    pub fn solid(colour: RGBColor, width: f64) -> Self {
        Self {
            colour,
            width,
            dash: &[],
        }
    }

    fn style(self) -> ShapeStyle {
        self.colour.stroke_width(length(self.width))
    }
}

impl TextFormat {
    /// Text from left to right.
    pub fn across(size: f64, colour: RGBColor, anchor: Anchor) -> Self {
        Self {
            size,
            colour,
            anchor,
            direction: Direction::Across,
        }
    }

    /// Text from bottom to top.
    pub fn upwards(size: f64, colour: RGBColor, anchor: Anchor) -> Self {
        Self {
            direction: Direction::Upwards,
            ..Self::across(size, colour, anchor)
        }
    }
}

/// Draws an SVG document of `size` pixels, on white, with a title and a description for screen
/// readers. It is shown `scale` times as large.
///
/// # Errors
/// When the backend fails, which is not expected in memory.
pub fn document(
    size: (u32, u32),
    scale: f64,
    title: &str,
    description: &str,
    draw: impl FnOnce(&mut Canvas<'_>),
) -> Result<String, DrawingError> {
    let mut text = String::new();
    {
        let grid = (size.0 * GRID, size.1 * GRID);
        let area = SVGBackend::with_string(&mut text, grid).into_drawing_area();
        let mut canvas = Canvas {
            result: area.fill(&WHITE),
            area,
            window: None,
        };
        draw(&mut canvas);
        canvas.result?;
        canvas.area.present()?;
    }
    Ok(minify(&with_header(&text, size, scale, title, description)))
}

/// Replaces the header of plotters: the size in pixels, round line joins, and the texts for screen
/// readers.
fn with_header(
    text: &str,
    (width, height): (u32, u32),
    scale: f64,
    title: &str,
    description: &str,
) -> String {
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    // Two digits after the point: a hundredth of a pixel is not seen.
    let shown = |length: u32| (f64::from(length) * scale * 100.0).round() / 100.0;
    let mut header = format!(
        "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" \
         xmlns=\"http://www.w3.org/2000/svg\" stroke-linejoin=\"round\">\n",
        shown(width),
        shown(height),
        width * GRID,
        height * GRID
    );
    for (tag, text) in [("title", title), ("desc", description)] {
        if !text.is_empty() {
            header.push_str(&format!("<{tag}>{}</{tag}>\n", escaped(text)));
        }
    }
    header + body
}

impl<'a> Canvas<'a> {
    /// Cuts off what is drawn outside of a part of the page from now on, or nothing.
    pub fn within(&mut self, window: Option<Window>) {
        self.window = window;
    }

    /// The part of the page to which a drawing is cut at present.
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// A line through points.
    pub fn line(&mut self, points: &[PagePoint], stroke: Stroke) {
        match self.window {
            None => self.whole_line(points, stroke),
            // It is cut first: what is outside may be long, and would have as many dashes.
            Some(window) => {
                for part in window.line(points) {
                    self.whole_line(&part, stroke);
                }
            }
        }
    }

    fn whole_line(&mut self, points: &[PagePoint], stroke: Stroke) {
        if stroke.dash.is_empty() {
            self.draw(&PathElement::new(places(points), stroke.style()));
            return;
        }
        for dash in dashes(points, stroke.dash) {
            self.draw(&PathElement::new(places(&dash), stroke.style()));
        }
    }

    /// A filled polygon, outlined where `edge` is given.
    pub fn polygon(&mut self, corners: &[PagePoint], fill: RGBAColor, edge: Option<Stroke>) {
        let inside = match self.window {
            Some(window) => window.polygon(corners),
            None => corners.to_vec(),
        };
        if inside.is_empty() {
            return;
        }
        self.draw(&Polygon::new(places(&inside), fill.filled()));
        if let Some(edge) = edge {
            // The path continues along the first side again, so that every corner is a join.
            let round = corners.iter().chain(corners.iter().take(2));
            self.line(&round.copied().collect::<Vec<_>>(), edge);
        }
    }

    /// A filled rectangle between two opposite corners, outlined where `edge` is given.
    pub fn rectangle(
        &mut self,
        one: PagePoint,
        other: PagePoint,
        fill: RGBColor,
        edge: Option<Stroke>,
    ) {
        let (left, right) = (one.0.min(other.0), one.0.max(other.0));
        let (top, bottom) = (one.1.min(other.1), one.1.max(other.1));
        let inside = match self.window {
            Some(window) => window.rectangle((left, top), (right, bottom)),
            None => Some([(left, top), (right, bottom)]),
        };
        let Some(corners) = inside else { return };
        self.draw(&Rectangle::new(corners.map(place), fill.filled()));
        if let Some(edge) = edge {
            let round = [
                (left, top),
                (right, top),
                (right, bottom),
                (left, bottom),
                (left, top),
                (right, top),
            ];
            self.line(&round, edge);
        }
    }

    /// A filled circle.
    pub fn circle(&mut self, centre: PagePoint, radius: f64, fill: RGBColor) {
        if self.window.is_some_and(|window| !window.contains(centre)) {
            return;
        }
        self.draw(&Circle::new(place(centre), length(radius), fill.filled()));
    }

    /// A text whose baseline is at `at`.
    pub fn text(&mut self, at: PagePoint, text: &str, lettering: TextFormat) {
        let TextFormat {
            size,
            colour,
            anchor,
            direction,
        } = lettering;
        // Only with the upper side as anchor is the baseline the same in every font.
        let rise = size * ASCENT;
        let (at, turn) = match direction {
            Direction::Across => ((at.0, at.1 - rise), FontTransform::None),
            Direction::Upwards => ((at.0 - rise, at.1), FontTransform::Rotate270),
        };
        let side = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = size * f64::from(GRID) * FONT_SCALE;
        let font = FontDesc::new(FontFamily::SansSerif, size, FontStyle::Normal).transform(turn);
        let style = TextStyle::from(font)
            .color(&colour)
            .pos(Pos::new(side, VPos::Top));
        self.draw(&Text::new(printable(text), place(at), style));
    }

    fn draw<E>(&mut self, element: &E)
    where
        E: Drawable<SVGBackend<'a>>,
        for<'e> &'e E: PointCollection<'e, (i32, i32)>,
    {
        if self.result.is_ok() {
            self.result = self.area.draw(element);
        }
    }
}

fn place((x, y): PagePoint) -> (i32, i32) {
    let unit = |value: f64| (value * f64::from(GRID)).round() as i32;
    (unit(x), unit(y))
}

fn places(points: &[PagePoint]) -> Vec<(i32, i32)> {
    points.iter().copied().map(place).collect()
}

fn length(value: f64) -> u32 {
    (value * f64::from(GRID)).round() as u32
}

/// Cuts a line into dashes; dash and gap lengths alternate in `pattern`.
fn dashes(points: &[PagePoint], pattern: &[f64]) -> Vec<Vec<PagePoint>> {
    let mut dashes = Vec::new();
    let mut dash: Vec<PagePoint> = points.first().copied().into_iter().collect();
    let mut part = 0;
    let mut left = pattern[0];
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let whole = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        while whole - done > left {
            done += left;
            let share = done / whole;
            let at = (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            );
            if part % 2 == 0 {
                dash.push(at);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![at];
            }
            part += 1;
            left = pattern[part % pattern.len()];
        }
        left -= whole - done;
        if part % 2 == 0 {
            dash.push(to);
        }
    }
    if dash.len() > 1 {
        dashes.push(dash);
    }
    dashes
}

/// `text` without the characters that XML 1.0 excludes.
fn printable(text: &str) -> String {
    let bad = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.replace(bad, " ")
}

/// `text` as the content of an element.
fn escaped(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use plotters::style::BLACK;

    use super::*;

    #[test]
    fn a_document_has_the_size_in_pixels_and_its_texts_escaped() {
        let svg = document((90, 60), 1.0, "a < b\u{1}", "", |canvas| {
            let lettering = TextFormat::across(16.0, BLACK, Anchor::Middle);
            canvas.text((45.0, 40.0), "c & <d>\u{1}", lettering);
        })
        .unwrap();
        assert!(
            svg.starts_with("<svg width=\"90\" height=\"60\" viewBox=\"0 0 900 600\" "),
            "{svg}"
        );
        assert!(svg.contains("\n<title>a &lt; b </title>\n<rect "), "{svg}");
        assert!(svg.contains(" font-size=\"160\" "), "{svg}");
        assert!(
            svg.contains(">\nc &amp; &lt;d&gt; \n</text>\n</svg>"),
            "{svg}"
        );
    }

    #[test]
    fn places_are_finer_than_a_pixel() {
        let svg = document((9, 6), 1.0, "", "", |canvas| {
            let stroke = Stroke::solid(BLACK, 1.4);
            canvas.line(&[(1.26, 0.0), (2.5, 3.04)], stroke);
        })
        .unwrap();
        assert!(svg.contains("stroke-width=\"14\""), "{svg}");
        assert!(svg.contains("d=\"m13,0l12,30\""), "{svg}");
    }

    #[test]
    fn dashes_go_round_corners() {
        let corner = [(0.0, 0.0), (5.0, 0.0), (5.0, 6.0)];
        assert_eq!(
            dashes(&corner, &[4.0, 2.0]),
            [vec![(0.0, 0.0), (4.0, 0.0)], vec![(5.0, 1.0), (5.0, 5.0)]]
        );
        assert_eq!(
            dashes(&corner, &[6.0, 1.0, 1.0, 1.0]),
            [
                vec![(0.0, 0.0), (5.0, 0.0), (5.0, 1.0)],
                vec![(5.0, 2.0), (5.0, 3.0)],
                vec![(5.0, 4.0), (5.0, 6.0)]
            ]
        );
        assert_eq!(dashes(&[], &[1.0, 1.0]), Vec::<Vec<PagePoint>>::new());
    }

    /// What is outside of a window may be very long.
    #[test]
    fn only_what_is_inside_has_dashes() {
        let svg = document((90, 60), 1.0, "", "", |canvas| {
            canvas.within(Some(Window {
                left: 10.0,
                top: 10.0,
                right: 50.0,
                bottom: 50.0,
            }));
            let stroke = Stroke {
                dash: &[4.0, 4.0],
                ..Stroke::solid(BLACK, 1.0)
            };
            canvas.line(&[(-1e15, 20.0), (1e15, 20.0)], stroke);
        })
        .unwrap();
        // The first dash, and four after gaps.
        assert_eq!(svg.matches("m40,0").count(), 4, "{svg}");
    }
}
