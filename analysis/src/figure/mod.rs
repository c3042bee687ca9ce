//! Figures: the figures of a scenario, drawn from the results of its runs.
//!
//! A [`Figure`] has been checked against the scenario. Drawing selects the rows of a table (panels
//! and series), builds a plot of numbers according to the kind of the figure, and draws a page of
//! SVG. With the features `png` and `pdf`, which are on by default, PNG and PDF are made from the SVG.
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
#[cfg(feature = "png")]
mod export;
mod histogram;
pub(crate) mod label;
mod legend;
mod lines;
mod marks;
mod minify;
mod page;
mod panel;
mod plot;
mod positions;
pub(crate) mod range;
mod scatter;
pub(crate) mod select;
mod style;
mod text_layout;
mod theory;
mod window;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

pub(crate) use dhtlab_format::figure as spec;

use crate::summary::metric_columns;
use crate::table::Table;
use dhtlab_format::Error;
use dhtlab_format::figure::{Figure, FigureError, FigureKind, Theory};
use dhtlab_format::manifest::Manifest;
use dhtlab_format::output;
use select::Source;
use theory::Fit;

/// Draws every figure of a run's manifest as SVG and PNG: [`draw_in`] the default formats.
///
/// # Errors
/// Those of [`draw_in`].
pub fn draw(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    draw_in(directory, Formats::default())
}

/// The formats of figures beside SVG and PNG.
#[derive(Debug, Clone, Copy, Default)]
pub struct Formats {
    /// Whether each figure is written as PDF. Without the feature `pdf` it is not.
    pub pdf: bool,
}

/// Draws every figure of a run's manifest.
///
/// Each figure is written as `<name>.svg` and, with the feature `png`, as `<name>.png`. With the
/// feature `pdf` it is written as `<name>.pdf`, too, if `formats` say so, or if the PDF of a figure is
/// there from an earlier drawing. For figures with theory curves, `fits.csv`
/// (`figure, panel, series, curve, parameter, value`) contains the fitted
/// parameters and the deviation of the data from the curve; a value is empty where the data do not
/// determine it. Without such a figure, an older `fits.csv` is deleted.
///
/// Returns the written files, in the order of the figures.
///
/// # Errors
/// When a file is missing, malformed or empty, when a figure needs something that the results do
/// not contain, when two figures have one name, and when a file cannot be written. The other figures
/// are drawn nevertheless; the error is that of the first figure.
pub fn draw_in(directory: &Path, formats: Formats) -> Result<Vec<PathBuf>, Error> {
    let manifest = Manifest::read(directory)?;
    let mut tables = Tables::default();
    let mut names = HashSet::new();
    let mut written = Vec::new();
    let mut first_error = None;
    let mut records = vec![
        ["figure", "panel", "series", "curve", "parameter", "value"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut has_curve = false;
    // A folder that has one PDF has all.
    let names_of = manifest.figures.iter().enumerate();
    let mut pdfs = names_of.map(|(index, figure)| format!("{}.pdf", figure.stem(index)));
    let formats = Formats {
        pdf: formats.pdf || pdfs.any(|name| directory.join(name).exists()),
    };
    for (index, figure) in manifest.figures.iter().enumerate() {
        let name = figure.stem(index);
        let drawn = if names.insert(name.clone()) {
            one(&manifest, directory, figure, &name, &mut tables)
                .and_then(|(svg, fits)| Ok((write(directory, figure, &name, &svg, formats)?, fits)))
        } else {
            Err(Error::Figure {
                path: manifest.path.clone(),
                figure: name.clone(),
                problem: FigureError {
                    key: "name".to_owned(),
                    message: "another figure has this name".to_owned(),
                },
            })
        };
        match drawn {
            Ok((files, fits)) => {
                written.extend(files);
                records.extend(fits.into_iter().map(|fit| record(&name, fit)));
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
        has_curve |= figure
            .theory
            .iter()
            .any(|theory| !matches!(theory, Theory::Points { .. } | Theory::Metric { .. }));
    }
    let path = directory.join("fits.csv");
    if has_curve {
        output::replace(&path, &output::csv_bytes(&path, &records)?)?;
        written.push(path);
    } else {
        output::remove(&path)?;
    }
    match first_error {
        None => Ok(written),
        Some(error) => Err(error),
    }
}

/// The files of a figure with this name, by extension.
pub const EXTENSIONS: [&str; 3] = ["svg", "png", "pdf"];

/// The tables that have been read, by name.
type Tables = HashMap<String, Table>;

/// Draws one figure as SVG, and returns its fits.
fn one(
    manifest: &Manifest,
    directory: &Path,
    figure: &Figure,
    name: &str,
    tables: &mut Tables,
) -> Result<(String, Vec<Fit>), Error> {
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
        .map_err(|problem| Error::Figure {
            path: manifest.path.clone(),
            figure: name.to_owned(),
            problem,
        })?;
    let source = Source {
        figure,
        name,
        title: &manifest.title,
        swept: &manifest.swept,
        table,
        ranges: &manifest.ranges,
    };
    let (svg, fits) = match figure.kind {
        FigureKind::Lines
        | FigureKind::Histogram
        | FigureKind::Cumulative
        | FigureKind::Scatter => with_axes(figure, build(&source)?),
        FigureKind::Diagram => (diagram::draw(&diagram::build(&source)?), Vec::new()),
    };
    let svg = svg.map_err(|error| Error::Render {
        path: directory.join(format!("{name}.svg")),
        message: error.to_string(),
    })?;
    Ok((svg, fits))
}

/// Writes a figure in each format, and returns the files.
#[cfg_attr(not(feature = "pdf"), expect(unused_variables))]
fn write(
    directory: &Path,
    figure: &Figure,
    name: &str,
    svg: &str,
    formats: Formats,
) -> Result<Vec<PathBuf>, Error> {
    let path = |extension: &str| directory.join(format!("{name}.{extension}"));
    let svg_path = path("svg");
    let mut written = Vec::with_capacity(EXTENSIONS.len());
    output::replace(&svg_path, svg.as_bytes())?;
    written.push(svg_path.clone());
    #[cfg(feature = "png")]
    {
        let document = export::Document::new(svg, &svg_path)?;
        output::replace(&path("png"), &document.png(figure.dpi)?)?;
        written.push(path("png"));
        #[cfg(feature = "pdf")]
        if formats.pdf {
            output::replace(&path("pdf"), &document.pdf()?)?;
            written.push(path("pdf"));
        }
    }
    Ok(written)
}

/// The plot of a figure with axes.
fn build(source: &Source<'_>) -> Result<(plot::Plot, Vec<Fit>), Error> {
    match source.figure.kind {
        FigureKind::Lines => lines::build(source),
        FigureKind::Scatter => scatter::build(source),
        FigureKind::Histogram | FigureKind::Cumulative => histogram::build(source),
        FigureKind::Diagram => Err(source.data_error("a diagram has no axes")),
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
                if figure.kind == FigureKind::Diagram {
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
