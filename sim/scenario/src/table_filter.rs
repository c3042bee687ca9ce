//! Filter of the long tables' rows: all, or chosen tables and quantities.

use super::{Experiment, RunOutput};
use dhtlab_core::parameter::Value;
use dhtlab_core::parameter::{ConfigError, ParameterValue, ValueError, ValueKind};
use serde::{Deserialize, Serialize};

/// The tables, or quantities of tables (`histogram.latency_ms`), that are written; by default all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableFilter(Option<Vec<String>>);

impl TableFilter {
    /// Whether everything is written.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the rows of `quantity` in `table` are written; without a quantity, whether all rows
    /// are.
    pub fn keeps(&self, table: &str, quantity: Option<&str>) -> bool {
        let Some(kept) = &self.0 else {
            return true;
        };
        kept.iter().any(|name| match name.split_once('.') {
            None => name == table,
            Some((of, only)) => of == table && Some(only) == quantity,
        })
    }

    /// The tables that are named, alone or with a quantity; none if all are written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.0.iter().flatten();
        names.map(|name| {
            name.split_once('.')
                .map_or(name.as_str(), |(table, _)| table)
        })
    }

    /// Whether this filter includes everything that `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        match &other.0 {
            None => self.is_all(),
            Some(names) => names.iter().all(|name| match name.split_once('.') {
                None => self.keeps(name, None),
                Some((table, quantity)) => self.keeps(table, Some(quantity)),
            }),
        }
    }

    /// Removes the rows that are filtered out.
    pub fn trim(&self, outcome: &mut RunOutput, experiment: &dyn Experiment) {
        if self.is_all() {
            return;
        }
        for (table, rows) in experiment.tables().iter().zip(&mut outcome.tables) {
            let mut columns = table.columns.iter();
            let quantity = columns.position(|column| column.name == "quantity");
            rows.0.retain(|row| {
                let quantity = quantity.and_then(|place| row.get(place)?.text());
                self.keeps(table.name, quantity)
            });
        }
    }

    /// Refuses names that `experiment` does not write.
    ///
    /// # Errors
    /// A [`ConfigError`] with the first name that is no table and no quantity.
    pub fn check(&self, experiment: &dyn Experiment) -> Result<(), ConfigError> {
        let tables = experiment.tables();
        let is_known = |name: &str| match name.split_once('.') {
            None => tables.iter().any(|table| table.name == name),
            Some((of, quantity)) => tables
                .iter()
                .any(|table| table.name == of && table.quantities.contains(&quantity)),
        };
        let Some(name) = self.0.iter().flatten().find(|name| !is_known(name)) else {
            return Ok(());
        };
        let of = name.split_once('.').map_or(name.as_str(), |(of, _)| of);
        let there = match tables.iter().find(|table| table.name == of) {
            Some(table) => format!("`{of}` has {}", table.quantities.join(", ")),
            None if tables.is_empty() => "this experiment writes none".to_owned(),
            None => {
                let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
                format!("this experiment writes {}", names.join(", "))
            }
        };
        let kind = Self::kind();
        let message = format!("expected {kind}; {there}, found \"{name}\"");
        Err(ConfigError::new("tables", message))
    }
}

impl ParameterValue for TableFilter {
    fn kind() -> ValueKind {
        ValueKind::TextOrList(
            "a list of tables, or of quantities of them, such as [\"timeline\", \
             \"histogram.latency_ms\"]",
        )
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(None);
        let names = match value {
            Value::Array(names) => names.iter().map(text).collect::<Result<_, _>>()?,
            one => vec![text(one)?],
        };
        Ok(Self(Some(names)))
    }

    fn to_value(&self) -> Option<Value> {
        let names = self.0.as_ref()?.iter().cloned().map(Value::String);
        Some(Value::Array(names.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::TableRows;
    use super::*;
    use crate::plain_network::PlainNetwork;

    fn kept(names: &[&str]) -> TableFilter {
        TableFilter(Some(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    #[test]
    fn tables_and_quantities_are_kept() {
        let some = kept(&["timeline", "histogram.degree"]);
        assert!(some.keeps("timeline", None) && some.keeps("timeline", Some("any")));
        assert!(some.keeps("histogram", Some("degree")));
        assert!(!some.keeps("histogram", None) && !some.keeps("histogram", Some("stretch")));
        let all = TableFilter::default();
        assert!(all.keeps("histogram", None) && all.covers(&some) && all.covers(&all));
        assert!(!some.covers(&all) && some.covers(&some) && some.covers(&kept(&[])));
        assert!(some.covers(&kept(&["histogram.degree"])));
        assert!(!some.covers(&kept(&["histogram"])));
        assert!(kept(&["histogram"]).covers(&kept(&["histogram.degree"])));
        assert!(!kept(&[]).covers(&some) && kept(&[]).covers(&kept(&[])));
    }

    #[test]
    fn rows_are_dropped_by_their_quantity() {
        let experiment = &PlainNetwork;
        let tables = experiment.tables();
        let histogram = tables.iter().position(|table| table.name == "histogram");
        let row = |quantity: &str| vec![quantity.to_owned().into(), 1u32.into(), 2u32.into()];
        let mut outcome = RunOutput {
            tables: vec![
                TableRows(vec![row("degree"), row("stretch"), row("degree")]);
                tables.len()
            ],
            ..RunOutput::default()
        };
        TableFilter::default().trim(&mut outcome, experiment);
        assert!(outcome.tables.iter().all(|rows| rows.0.len() == 3));
        kept(&["histogram.degree"]).trim(&mut outcome, experiment);
        for (place, rows) in outcome.tables.iter().enumerate() {
            let left = if Some(place) == histogram { 2 } else { 0 };
            assert_eq!(rows.0.len(), left);
        }
    }
}
