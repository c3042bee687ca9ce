//! Reading CSV tables: those of a run, and those of published values.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use dhtlab_files::Links;
use dhtlab_format::Error;

/// A table in memory: every cell as its text.
#[derive(Debug)]
pub struct Table {
    /// The path of its file.
    pub path: PathBuf,
    /// The names in the header.
    pub columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    line: u64,
    cells: Vec<String>,
}

impl Table {
    /// Reads a table with a header and at least one row.
    ///
    /// # Errors
    /// When the file is missing, is not well-formed CSV, or has no rows.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = dhtlab_files::open(path, Links::Refused).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::of(path, csv::Reader::from_reader(file))
    }

    /// Reads a table from text, in which lines that begin with `#` are comments; `name` is its path
    /// in errors.
    ///
    /// # Errors
    /// Those of [`Table::read`].
    pub fn parse(name: &Path, text: &str) -> Result<Self, Error> {
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.comment(Some(b'#')).from_reader(text.as_bytes());
        Self::of(name, reader)
    }

    /// A table of given rows; cells that a row lacks are empty.
    ///
    /// # Errors
    /// When there are no rows.
    pub fn of_rows(
        name: &Path,
        rows: impl IntoIterator<Item = Vec<(String, String)>>,
    ) -> Result<Self, Error> {
        let mut columns: Vec<String> = Vec::new();
        let mut cells: Vec<Vec<String>> = Vec::new();
        for row in rows {
            let mut line = vec![String::new(); columns.len()];
            for (column, text) in row {
                match columns.iter().position(|known| *known == column) {
                    Some(place) => line[place] = text,
                    None => {
                        columns.push(column);
                        line.push(text);
                    }
                }
            }
            cells.push(line);
        }
        if cells.is_empty() {
            return Err(Error::Empty {
                path: name.to_owned(),
            });
        }
        for line in &mut cells {
            line.resize(columns.len(), String::new());
        }
        let numbered = cells.into_iter().zip(1..);
        Ok(Self {
            path: name.to_owned(),
            columns,
            rows: numbered.map(|(cells, line)| Row { line, cells }).collect(),
        })
    }

    fn of(path: &Path, mut reader: csv::Reader<impl Read>) -> Result<Self, Error> {
        let broken = |error| Error::of_csv(path, error);
        let columns = reader
            .headers()
            .map_err(broken)?
            .iter()
            .map(str::to_owned)
            .collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            rows.push(Row {
                line: record.position().map_or(0, csv::Position::line),
                cells: record.iter().map(str::to_owned).collect(),
            });
        }
        if rows.is_empty() {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            columns,
            rows,
        })
    }

    /// Number of rows; never 0.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The index of the column `name`.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], which lists the existing columns.
    pub fn column(&self, name: &str) -> Result<usize, Error> {
        self.find(name).ok_or_else(|| Error::MissingColumn {
            path: self.path.clone(),
            column: name.to_owned(),
            known: self.columns.join(", "),
        })
    }

    /// The index of the column `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The rows for which `is_meant`, by their texts in `columns` (empty for a column that is absent), in
    /// the order of their first appearance.
    pub fn groups(
        &self,
        columns: &[Option<usize>],
        is_meant: impl Fn(usize) -> bool,
    ) -> Vec<(Vec<String>, Vec<usize>)> {
        let mut groups: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
        let mut places: HashMap<Vec<String>, usize> = HashMap::new();
        for row in (0..self.len()).filter(|row| is_meant(*row)) {
            let text = |column: &Option<usize>| column.map_or("", |column| self.text(row, column));
            let key: Vec<String> = columns
                .iter()
                .map(|column| text(column).to_owned())
                .collect();
            let place = *places.entry(key.clone()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(row);
        }
        groups
    }

    /// The text of a cell.
    pub fn text(&self, row: usize, column: usize) -> &str {
        &self.rows[row].cells[column]
    }

    /// The number in a cell; `None` where it is empty or `NaN`, which both mean missing.
    ///
    /// # Errors
    /// [`Error::Table`] when the cell holds something else.
    pub fn number(&self, row: usize, column: usize) -> Result<Option<f64>, Error> {
        let text = self.text(row, column).trim();
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_nan() => Ok(None),
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(Error::Table {
                path: self.path.clone(),
                line: self.rows[row].line,
                message: format!(
                    "column `{}`: expected a finite number, found `{text}`",
                    self.columns[column]
                ),
            }),
        }
    }
}
