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
mod coincide;
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
pub(crate) mod range;
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
            ranges: &manifest.ranges,
        };
        let svg_path = directory.join(format!("{name}.svg"));
        let (svg, fits) = match figure.kind {
            Kind::Lines | Kind::Histogram | Kind::Cumulative | Kind::Scatter => {
                with_axes(figure, build(&source)?)
            }
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

/// The plot of a figure with axes.
fn build(source: &Source<'_>) -> Result<(plot::Plot, Vec<Fit>), Error> {
    match source.figure.kind {
        Kind::Lines => lines::build(source),
        Kind::Scatter => scatter::build(source),
        Kind::Histogram | Kind::Cumulative => histogram::build(source),
        Kind::Diagram => Err(source.data_error("a diagram has no axes")),
    }
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
    (panel::draw(plot), fits)
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

#[cfg(test)]
mod tests {
    use super::plot::Sample;
    use super::*;

    /// What distinguishes a sample from others for a reader who does not see its dashes.
    fn look(sample: Sample) -> String {
        match sample {
            Sample::Series { index, .. } | Sample::Bar { index } | Sample::Step { index } => {
                let style = style::of_series(index);
                format!("{:?} {:?}", style.colour, style.marker)
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn no_colour_and_marker_is_used_twice_in_a_shipped_figure() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
        let mut figures = 0;
        for folder in std::fs::read_dir(results).expect("results").flatten() {
            let Ok(manifest) = Manifest::read(&folder.path()) else {
                continue;
            };
            for (index, figure) in manifest.figures.iter().enumerate() {
                if figure.kind == Kind::Diagram {
                    continue;
                }
                let table = folder.path().join(format!("{}.csv", figure.table_name()));
                let source = Source {
                    figure,
                    name: &figure.stem(index),
                    title: &manifest.title,
                    swept: &manifest.swept,
                    table: &Table::read(&table).expect("a table"),
                    ranges: &manifest.ranges,
                };
                let (plot, _) = build(&source).expect("a plot");
                let mut seen = HashSet::new();
                for entry in &plot.legend {
                    let is_new = seen.insert(look(entry.sample));
                    assert!(is_new, "{table:?}, {}: {}", source.name, entry.label);
                }
                figures += 1;
            }
        }
        assert!(figures > 100, "{figures}");
    }
}
