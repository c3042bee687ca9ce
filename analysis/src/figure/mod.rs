//! Figures: the figures of a scenario, drawn from the results of its runs.
//!
//! A [`Figure`] has been checked against the scenario. Drawing selects the rows of a table (panels
//! and series), builds a plot of numbers according to the kind of the figure, and draws a page of
//! SVG. With the feature `png`, which is on by default, a PNG is made from the SVG.
//!
//! Plotters gives the drawing area, its elements and styles, and the SVG backend. Its charts
//! (`ChartBuilder`) are not used: they get the space of labels and the number of ticks as arguments,
//! where a panel here computes them from its texts; they draw the legend over the data; and they
//! have no ticks at powers of two, no axes that panels share, no labels beside marks that give way to
//! each other, no wrapped captions, and no texts for screen readers.

mod axis;
mod canvas;
mod diagram;
mod histogram;
pub(crate) mod label;
mod legend;
mod lines;
mod marks;
mod minify;
mod page;
mod panel;
mod plot;
#[cfg(feature = "png")]
mod png;
mod positions;
mod scatter;
pub(crate) mod select;
mod style;
mod text_layout;
mod theory;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

pub(crate) use dhtlab_format::figure as spec;

use crate::summary::metric_columns;
use crate::table::Table;
use dhtlab_format::Error;
use dhtlab_format::figure::{Figure, FigureError, Kind, Theory};
use dhtlab_format::manifest::Manifest;
use dhtlab_format::output;
use select::Source;
use theory::Fit;

/// Draws every figure of a run's manifest.
///
/// Each figure is written as `<name>.svg` and, with the feature `png`, as `<name>.png` of twice the
/// size. For figures with
/// theory curves, `fits.csv` (`figure, panel, series, curve, parameter, value`) contains the fitted
/// parameters and the deviation of the data from the curve; a value is empty where the data do not
/// determine it. Without such a figure, an older `fits.csv` is deleted.
///
/// Returns the written files, in the order of the figures.
///
/// # Errors
/// When a file is missing, malformed or empty, when a figure needs something that the results do
/// not contain, when two figures have one name, and when a file cannot be written.
pub fn draw(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let manifest = Manifest::read(directory)?;
    let mut tables: HashMap<String, Table> = HashMap::new();
    let mut names = HashSet::new();
    let mut written = Vec::new();
    let mut records = vec![
        ["figure", "panel", "series", "curve", "parameter", "value"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut has_curve = false;
    for (index, figure) in manifest.figures.iter().enumerate() {
        let name = figure.stem(index);
        let problem = |problem: FigureError| Error::Figure {
            path: manifest.path.clone(),
            figure: name.clone(),
            problem,
        };
        if !names.insert(name.clone()) {
            return Err(problem(FigureError {
                key: "name".to_owned(),
                message: "another figure has this name".to_owned(),
            }));
        }
        let table_name = figure.table_name();
        if !tables.contains_key(table_name) {
            let path = directory.join(format!("{table_name}.csv"));
            tables.insert(table_name.to_owned(), Table::read(&path)?);
        }
        let table = &tables[table_name];
        let metrics: Vec<String> = metric_columns(table, &manifest.swept)
            .into_iter()
            .map(|column| table.columns[column].clone())
            .collect();
        let known = [(table_name.to_owned(), table.columns.clone())];
        figure
            .check_names(&manifest.swept, &metrics, &known)
            .map_err(problem)?;
        let source = Source {
            figure,
            name: &name,
            title: &manifest.title,
            swept: &manifest.swept,
            table,
        };
        let svg_path = directory.join(format!("{name}.svg"));
        let (svg, fits) = match figure.kind {
            Kind::Lines => with_axes(figure, lines::build(&source)?),
            Kind::Histogram | Kind::Cumulative => with_axes(figure, histogram::build(&source)?),
            Kind::Scatter => with_axes(figure, scatter::build(&source)?),
            Kind::Diagram => (diagram::draw(&diagram::build(&source)?), Vec::new()),
        };
        let svg = svg.map_err(|error| Error::Render {
            path: svg_path.clone(),
            message: error.to_string(),
        })?;
        output::replace(&svg_path, svg.as_bytes())?;
        written.push(svg_path);
        #[cfg(feature = "png")]
        {
            let path = directory.join(format!("{name}.png"));
            output::replace(&path, &png::render(&svg, &path)?)?;
            written.push(path);
        }
        has_curve |= figure
            .theory
            .iter()
            .any(|theory| !matches!(theory, Theory::Points { .. } | Theory::Metric { .. }));
        records.extend(fits.into_iter().map(|fit| record(&name, fit)));
    }
    let path = directory.join("fits.csv");
    if has_curve {
        output::replace(&path, &output::csv_bytes(&path, &records)?)?;
        written.push(path);
    } else {
        output::remove(&path)?;
    }
    Ok(written)
}

/// Draws a plot, and returns its fits.
fn with_axes(
    figure: &Figure,
    (mut plot, fits): (plot::Plot, Vec<Fit>),
) -> (Result<String, canvas::DrawingError>, Vec<Fit>) {
    // A figure with one unnamed series shows its content in the label of its axis.
    if plot.legend.len() == 1 && figure.series.is_empty() {
        plot.legend.clear();
    }
    (panel::draw(&plot), fits)
}

fn record(figure: &str, fit: Fit) -> Vec<String> {
    vec![
        figure.to_owned(),
        fit.panel,
        fit.series,
        fit.curve.to_owned(),
        fit.parameter.to_owned(),
        fit.value
            .map_or_else(String::new, |value| value.to_string()),
    ]
}
