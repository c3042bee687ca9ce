//! Tables of results as Arrow record batches, in memory or as Parquet files.
//!
//! The type of a column depends on its role and its values: `run` is text, `repetition` and
//! `seed` are unsigned integers; a swept key is an integer, a number or text, whichever holds all of its
//! values; other columns are numbers (64-bit floating point) or, if a value is none, text. Empty cells
//! are null.

use crate::Failure;
use crate::store::{RUN, key_cell};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{ArrowError, Field, Schema};
use dhtlab_files::Links;
use dhtlab_format::RUN_COLUMNS;
use dhtlab_format::manifest::Manifest;
use dhtlab_scenario::{Cell, RunOutput, Scenario};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The table `runs` of finished runs, each with its index in `scenario.runs`.
///
/// # Errors
/// Those of Arrow; there are none for tables of a scenario.
pub fn runs(
    scenario: &Scenario,
    finished: &[(usize, &RunOutput)],
) -> Result<RecordBatch, ArrowError> {
    let rows = finished.iter().map(|(run, outcome)| {
        let planned = &scenario.runs[*run];
        let values = &scenario.points[planned.point].values;
        let head = [
            Cell::from(planned.id.clone()),
            planned.repetition.into(),
            planned.seed.value().into(),
        ];
        let keys = values.iter().map(|value| key_cell(value));
        let own = outcome.metrics.iter().map(as_in_file);
        head.into_iter().chain(keys).chain(own).collect()
    });
    let names = RUN.iter().chain(scenario.experiment.metrics());
    let mut names: Vec<String> = names.map(|column| column.name.to_owned()).collect();
    names.splice(RUN.len()..RUN.len(), scenario.swept.iter().cloned());
    batch(names, &scenario.swept, &rows.collect::<Vec<_>>())
}

/// The long table number `place` of the experiment, of finished runs, each with its index in
/// `scenario.runs`.
///
/// # Errors
/// Those of Arrow; there are none for tables of a scenario.
pub fn long_table(
    scenario: &Scenario,
    place: usize,
    finished: &[(usize, &RunOutput)],
) -> Result<RecordBatch, ArrowError> {
    let mut rows = Vec::new();
    for (run, outcome) in finished {
        let planned = &scenario.runs[*run];
        let values = &scenario.points[planned.point].values;
        for row in outcome
            .tables
            .get(place)
            .into_iter()
            .flat_map(|rows| &rows.0)
        {
            let head = [Cell::from(planned.id.clone()), planned.repetition.into()];
            let keys = values.iter().map(|value| key_cell(value));
            let own = row.iter().map(as_in_file);
            rows.push(head.into_iter().chain(keys).chain(own).collect());
        }
    }
    let own = scenario.experiment.tables()[place].columns.iter();
    let names = RUN[..2].iter().chain(own);
    let mut names: Vec<String> = names.map(|column| column.name.to_owned()).collect();
    names.splice(2..2, scenario.swept.iter().cloned());
    batch(names, &scenario.swept, &rows)
}

/// The table in the CSV file `path`, with these swept keys.
///
/// # Errors
/// A file that cannot be read or is not well-formed CSV.
pub fn read_csv(path: &Path, swept: &[String]) -> Result<RecordBatch, Failure> {
    let refuse = |error: String| Failure::Input(format!("{}: {error}", path.display()));
    let file =
        dhtlab_files::open(path, Links::Refused).map_err(|error| refuse(error.to_string()))?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader
        .headers()
        .map_err(|error| refuse(error.to_string()))?;
    let names: Vec<String> = header.iter().map(str::to_owned).collect();
    let is_key: Vec<bool> = names.iter().map(|name| swept.contains(name)).collect();
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| refuse(error.to_string()))?;
        let cells = record
            .iter()
            .zip(&is_key)
            .map(|(text, is_key)| match is_key {
                true => key_cell(text),
                false => Cell::parse(text.to_owned()),
            });
        Ok(cells.collect())
    });
    let rows: Vec<Vec<Cell>> = rows.collect::<Result<_, Failure>>()?;
    batch(names, swept, &rows).map_err(|error| refuse(error.to_string()))
}

/// Writes a Parquet file beside each CSV table of the results in `folder`; returns their paths. The same
/// tables give the same bytes.
///
/// # Errors
/// Results that cannot be read, files that cannot be written.
pub fn write_parquet(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let manifest = Manifest::read(folder).map_err(|error| Failure::Run(error.to_string()))?;
    let mut written = Vec::new();
    for name in manifest.files.keys() {
        let Some(stem) = name.strip_suffix(".csv") else {
            continue;
        };
        let path = folder.join(format!("{stem}.parquet"));
        let fault = |error: String| Failure::Run(format!("{}: {error}", path.display()));
        let batch = read_csv(&folder.join(name), &manifest.swept)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let mut bytes = Vec::new();
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build()))
            .and_then(|mut writer| {
                writer.write(&batch)?;
                writer.close()
            })
            .map_err(|error| fault(error.to_string()))?;
        dhtlab_files::replace(&path, |file| std::io::Write::write_all(file, &bytes))
            .map_err(|error| fault(error.to_string()))?;
        written.push(path);
    }
    Ok(written)
}

/// A cell as it is read from a file: an empty text is no value, and a text of digits a number.
fn as_in_file(cell: &Cell) -> Cell {
    match cell {
        Cell::Text(text) => Cell::parse(text.to_string()),
        other => other.clone(),
    }
}

/// A record batch of `rows` with a cell for each of `names`.
fn batch(
    names: Vec<String>,
    swept: &[String],
    rows: &[Vec<Cell>],
) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::with_capacity(names.len());
    let mut columns = Vec::with_capacity(names.len());
    for (place, name) in names.into_iter().enumerate() {
        let cells: Vec<&Cell> = rows
            .iter()
            .map(|row| row.get(place).unwrap_or(&Cell::Absent))
            .collect();
        let column = match RUN_COLUMNS.iter().position(|own| *own == name) {
            Some(0) => text(&cells),
            Some(_) => unsigned(&cells),
            None => column(&cells, swept.contains(&name)),
        };
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn column(cells: &[&Cell], is_key: bool) -> ArrayRef {
    let is_count = |cell: &&&Cell| matches!(cell, Cell::Absent | Cell::Count(_));
    let is_text = |cell: &&Cell| matches!(cell, Cell::Text(_));
    if cells.iter().copied().any(|cell| is_text(&cell)) {
        return text(cells);
    }
    let has_values = cells.iter().any(|cell| **cell != Cell::Absent);
    if is_key && has_values && cells.iter().all(|cell| is_count(&cell)) {
        let integer = |cell: &&Cell| match cell {
            Cell::Count(count) => i64::try_from(*count).ok(),
            _ => None,
        };
        return Arc::new(cells.iter().map(integer).collect::<Int64Array>());
    }
    Arc::new(
        cells
            .iter()
            .map(|cell| cell.number())
            .collect::<Float64Array>(),
    )
}

fn text(cells: &[&Cell]) -> ArrayRef {
    let text = |cell: &&Cell| match cell {
        Cell::Absent => None,
        cell => Some(cell.to_string()),
    };
    Arc::new(cells.iter().map(text).collect::<StringArray>())
}

fn unsigned(cells: &[&Cell]) -> ArrayRef {
    let count = |cell: &&Cell| match cell {
        Cell::Count(count) => Some(*count),
        _ => None,
    };
    Arc::new(cells.iter().map(count).collect::<UInt64Array>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::DataType;

    #[test]
    fn columns_have_the_type_of_their_role() {
        let names = [
            "run",
            "seed",
            "overlay.nodes",
            "ring",
            "mean",
            "word",
            "none",
        ];
        let names = names.map(str::to_owned).to_vec();
        let row = |text: [&str; 7]| text.map(key_cell).to_vec();
        let rows = vec![
            row(["00a1", "18446744073709551615", "50", "0.5", "2", "a", ""]),
            row(["12", "3", "100", "1.0", "", "7", ""]),
        ];
        let swept = ["overlay.nodes", "ring"].map(str::to_owned);
        let batch = batch(names, &swept, &rows).expect("a batch");
        let schema = batch.schema();
        let types: Vec<&DataType> = schema
            .fields()
            .iter()
            .map(|field| field.data_type())
            .collect();
        use DataType::{Float64, Int64, UInt64, Utf8};
        assert_eq!(
            types,
            [&Utf8, &UInt64, &Int64, &Float64, &Float64, &Utf8, &Float64]
        );
        let nulls: Vec<usize> = batch
            .columns()
            .iter()
            .map(|column| column.null_count())
            .collect();
        assert_eq!(nulls, [0, 0, 0, 0, 1, 0, 2]);
    }
}
