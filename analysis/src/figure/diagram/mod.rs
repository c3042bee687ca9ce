//! Figures of kind `diagram`: a picture of a state, from the shapes that a run wrote.
//!
//! A row of the table is a position of a shape. Consecutive rows with the same `layer`, `shape` and
//! `item` are one shape, with the `label` of the first. The shapes are:
//!
//! | shape | places | what is drawn |
//! |---|---|---|
//! | `point` | 1 | a marker |
//! | `line` | 2 or more | a line through them |
//! | `arrow` | 2 or more | the same, with a head at its end |
//! | `cell` | 3 or more | a polygon, in a tint other than that of the cells before and after it |
//! | `box` | 2 opposite corners | a rectangle around its label |
//! | `text` | 1 | the label, around the place |
//! | `text-start`, `text-end` | 1 | the label, which starts or ends there |
//!
//! x grows to the right and y upwards, with the same scale. Each layer has its own colour and
//! marker or dashes, by its index among the layers of the table. A panel shows one run: the first
//! of the repetitions.

mod drawing;

use super::canvas::Anchor;
use super::page::PageLayout;
use super::plot::{LegendEntry, Sample};
use super::select::{DistinctTexts, Source};
use dhtlab_format::Error;

pub use drawing::draw;
pub use drawing::{draw_arrow_sample, draw_box_sample, draw_cell_sample};

/// The form of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Cell,
    Box,
    Line,
    Arrow,
    Point,
    Text(Anchor),
}

impl Form {
    /// The form with this name, with its minimum and maximum number of positions.
    fn of(name: &str) -> Option<(Self, usize, usize)> {
        Some(match name {
            "point" => (Self::Point, 1, 1),
            "line" => (Self::Line, 2, usize::MAX),
            "arrow" => (Self::Arrow, 2, usize::MAX),
            "cell" => (Self::Cell, 3, usize::MAX),
            "box" => (Self::Box, 2, 2),
            "text" => (Self::Text(Anchor::Middle), 1, 1),
            "text-start" => (Self::Text(Anchor::Start), 1, 1),
            "text-end" => (Self::Text(Anchor::End), 1, 1),
            _ => return None,
        })
    }

    /// The sample in the legend for the layer with this index.
    fn sample(self, layer: usize) -> Option<Sample> {
        match self {
            Self::Cell => Some(Sample::Cells),
            Self::Box => Some(Sample::Box { index: layer }),
            Self::Line => Some(Sample::Step { index: layer }),
            Self::Arrow => Some(Sample::Arrow { index: layer }),
            Self::Point => Some(Sample::Series {
                index: layer,
                joined: false,
            }),
            Self::Text(_) => None,
        }
    }
}

/// A shape of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub form: Form,
    /// The index of its layer among the layers of the table.
    pub layer: usize,
    pub places: Vec<(f64, f64)>,
    pub label: String,
}

/// One or several pictures, side by side.
#[derive(Debug)]
pub struct Picture {
    pub title: String,
    pub caption: String,
    pub sheets: Vec<Sheet>,
    pub legend: Vec<LegendEntry>,
    pub layout: PageLayout,
}

/// The shapes of one run.
#[derive(Debug)]
pub struct Sheet {
    pub title: Option<String>,
    pub shapes: Vec<Shape>,
}

/// The columns of a table of shapes.
struct Columns {
    layer: usize,
    shape: usize,
    item: usize,
    x: usize,
    y: usize,
    label: usize,
}

/// Builds the picture of a figure of kind `diagram`.
///
/// # Errors
/// When the results do not contain what the figure shows.
pub fn build(source: &Source<'_>) -> Result<Picture, Error> {
    let (figure, table) = (source.figure, source.table);
    let columns = Columns {
        layer: table.column("layer")?,
        shape: table.column("shape")?,
        item: table.column("item")?,
        x: table.column("x")?,
        y: table.column("y")?,
        label: table.column("label")?,
    };
    // All layers of the table, so that a layer looks the same in every figure of it.
    let mut layers = DistinctTexts::default();
    for row in 0..table.len() {
        layers.place(vec![table.text(row, columns.layer).to_owned()]);
    }
    let run = table.find("run");
    let selection = source.select()?;
    let mut sheets: Vec<Sheet> = selection
        .panels
        .iter()
        .map(|panel| Sheet {
            title: figure.panel.is_some().then(|| panel.label.clone()),
            shapes: Vec::new(),
        })
        .collect();
    for group in &selection.groups {
        source.one_point(&group.rows, None)?;
        let first = run.map(|run| table.text(group.rows[0], run));
        let of_first = |row: &&usize| run.map(|run| table.text(**row, run)) == first;
        let rows: Vec<usize> = group.rows.iter().filter(of_first).copied().collect();
        sheets[group.panel].shapes = shapes(source, &columns, &mut layers, &rows)?;
    }
    let mut samples: Vec<Option<Sample>> = vec![None; layers.all.len()];
    for shape in sheets.iter().flat_map(|sheet| &sheet.shapes) {
        let sample = &mut samples[shape.layer];
        *sample = sample.or(shape.form.sample(shape.layer));
    }
    let legend = layers
        .all
        .iter()
        .zip(samples)
        .filter_map(|(texts, sample)| {
            let label = texts[0].clone();
            sample.map(|sample| LegendEntry { label, sample })
        });
    Ok(Picture {
        title: figure
            .title
            .clone()
            .unwrap_or_else(|| source.title.to_owned()),
        caption: figure.caption.clone().unwrap_or_default(),
        legend: legend.collect(),
        layout: PageLayout::of(figure),
        sheets,
    })
}

/// The shapes of `rows`, in their order.
fn shapes(
    source: &Source<'_>,
    columns: &Columns,
    layers: &mut DistinctTexts,
    rows: &[usize],
) -> Result<Vec<Shape>, Error> {
    let table = source.table;
    let name = |row: usize| {
        let text = |column| table.text(row, column);
        (text(columns.layer), text(columns.shape), text(columns.item))
    };
    let mut shapes = Vec::new();
    for alike in rows.chunk_by(|a, b| name(*a) == name(*b)) {
        let (layer, shape, item) = name(alike[0]);
        let Some((form, least, most)) = Form::of(shape) else {
            return Err(source.data_error(format!("no shape is called `{shape}`")));
        };
        let mut places = Vec::with_capacity(alike.len());
        for &row in alike {
            let x = table.number(row, columns.x)?;
            let y = table.number(row, columns.y)?;
            places.extend(x.zip(y));
        }
        if !(least..=most).contains(&places.len()) || places.len() < alike.len() {
            return Err(source.data_error(format!(
                "the {shape} {item} of layer `{layer}` has {} places",
                places.len()
            )));
        }
        shapes.push(Shape {
            form,
            layer: layers.place(vec![layer.to_owned()]),
            places,
            label: table.text(alike[0], columns.label).to_owned(),
        });
    }
    Ok(shapes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;
    use dhtlab_format::figure::{Figure, FigureKind};
    use std::collections::BTreeMap;
    use std::path::Path;

    fn table(rows: &str) -> Table {
        let head = "run,repetition,layer,shape,item,x,y,label\n";
        Table::parse(Path::new("shapes.csv"), &format!("{head}{rows}")).expect("a table")
    }

    fn picture(figure: &Figure, rows: &str) -> Result<Picture, Error> {
        let table = table(rows);
        build(&Source {
            figure,
            name: "one",
            title: "A title",
            swept: &[],
            table: &table,
            ranges: &BTreeMap::new(),
        })
    }

    fn diagram() -> Figure {
        Figure {
            kind: FigureKind::Diagram,
            ..Figure::default()
        }
    }

    const ROWS: &str = "a,0,region,cell,0,0,0,\na,0,region,cell,0,1,0,\na,0,region,cell,0,1,1,\n\
                        a,0,region,cell,1,0,0,\na,0,region,cell,1,1,1,\na,0,region,cell,1,0,1,\n\
                        a,0,node,point,0,0.5,0.5,\na,0,node,text,0,0.5,0.6,n 0\n\
                        b,1,node,point,0,9,9,\n";

    #[test]
    fn rows_of_one_item_are_one_shape_of_the_first_run() {
        let picture = picture(&diagram(), ROWS).expect("a picture");
        let shapes = &picture.sheets[0].shapes;
        let forms: Vec<(Form, usize, usize)> = shapes
            .iter()
            .map(|shape| (shape.form, shape.layer, shape.places.len()))
            .collect();
        assert_eq!(
            forms,
            [
                (Form::Cell, 0, 3),
                (Form::Cell, 0, 3),
                (Form::Point, 1, 1),
                (Form::Text(Anchor::Middle), 1, 1)
            ]
        );
        assert_eq!(shapes[3].label, "n 0");
        assert_eq!(shapes[1].places[2], (0.0, 1.0));
        let labels: Vec<&str> = picture
            .legend
            .iter()
            .map(|entry| entry.label.as_str())
            .collect();
        assert_eq!(labels, ["region", "node"]);
    }

    /// A figure of some layers shows them like the figure of all.
    #[test]
    fn a_layer_looks_the_same_without_the_others() {
        let figure = Figure {
            filter: [("layer".to_owned(), "node".into())].into(),
            ..diagram()
        };
        let picture = picture(&figure, ROWS).expect("a picture");
        assert!(
            picture.sheets[0]
                .shapes
                .iter()
                .all(|shape| shape.layer == 1)
        );
        assert_eq!(picture.legend.len(), 1);
    }

    #[test]
    fn what_is_no_shape_is_refused() {
        for (rows, expected) in [
            ("a,0,node,pont,0,1,1,\n", "no shape is called `pont`"),
            (
                "a,0,edge,line,7,1,1,\n",
                "the line 7 of layer `edge` has 1 places",
            ),
            (
                "a,0,node,point,0,1,1,\na,0,node,point,0,1,1,\n",
                "the point 0 of layer `node` has 2 places",
            ),
            (
                "a,0,edge,line,7,1,1,\na,0,edge,line,7,1,,\na,0,edge,line,7,1,2,\n",
                "the line 7 of layer `edge` has 2 places",
            ),
        ] {
            let error = picture(&diagram(), rows).expect_err(rows).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
