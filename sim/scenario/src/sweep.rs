//! `[sweep]`: all combinations of values. Arrays under `[[sweep.zip]]` vary together; each table
//! `[[sweep.compare]]` has combinations of its own.

use dhtlab_core::parameter::ConfigError;
use dhtlab_core::parameter::{Map, Value};

/// Upper bound on the number of points.
const MOST_POINTS: usize = 1_000_000;

/// The points of a sweep: the keys, and for each point one value per key; `None` where a compared
/// system leaves the key as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sweep {
    pub keys: Vec<String>,
    /// The keys that vary together; a key that is swept alone is a group of one.
    pub groups: Vec<Vec<String>>,
    pub points: Vec<Vec<Option<Value>>>,
}

/// The names in `[sweep]` of arrays of tables, of keys that do not vary independently.
pub(super) const TABLES: [&str; 2] = ["zip", "compare"];

/// Keys that vary together, and their values.
struct Axis {
    /// The location of its first key.
    place: String,
    keys: Vec<String>,
    steps: Vec<Vec<Option<Value>>>,
}

impl Sweep {
    /// Expands the table `[sweep]`; the last key varies fastest.
    pub fn expand(table: Option<&Map>) -> Result<Self, ConfigError> {
        let mut axes: Vec<Axis> = Vec::new();
        for (key, value) in table.into_iter().flatten() {
            match key.as_str() {
                "zip" => axes.extend(zipped(value)?),
                "compare" => axes.push(compared(value)?),
                _ => flatten(key, value, values, &mut axes)?,
            }
        }
        Self::of(axes)
    }

    /// All combinations of the steps of `axes`.
    fn of(axes: Vec<Axis>) -> Result<Self, ConfigError> {
        let mut sweep = Self {
            points: vec![Vec::new()],
            ..Self::default()
        };
        for axis in axes {
            let mut seen = rustc_hash::FxHashSet::default();
            let text = |step: &Vec<Option<Value>>| format!("{step:?}");
            if !axis.steps.iter().all(|step| seen.insert(text(step))) {
                return Err(ConfigError::new(axis.place, "a value occurs twice"));
            }
            for key in &axis.keys {
                if sweep.keys.contains(key) {
                    return Err(ConfigError::new(path(key), "the key is swept twice"));
                }
                sweep.keys.push(key.clone());
            }
            sweep.groups.push(axis.keys);
            let points = sweep.points.len().saturating_mul(axis.steps.len());
            if points > MOST_POINTS {
                return Err(ConfigError::new(
                    "sweep",
                    format_args!("the sweep has more than {MOST_POINTS} points"),
                ));
            }
            let extend = |point: &Vec<Option<Value>>| {
                let point = point.clone();
                axis.steps
                    .iter()
                    .map(move |step| [point.clone(), step.clone()].concat())
            };
            sweep.points = sweep.points.iter().flat_map(extend).collect();
        }
        Ok(sweep)
    }
}

/// A value as written in a cell of a CSV file.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn path(key: &str) -> String {
    format!("sweep.{key}")
}

/// Reads `"a.b" = [...]` and `a.b = [...]` alike.
fn flatten(
    key: &str,
    value: &Value,
    values: Values,
    axes: &mut Vec<Axis>,
) -> Result<(), ConfigError> {
    match value {
        Value::Table(table) if !table.contains_key("from") => {
            for (inner, value) in table {
                flatten(&format!("{key}.{inner}"), value, values, axes)?;
            }
        }
        _ => axes.push(Axis {
            place: path(key),
            keys: vec![key.to_owned()],
            steps: values(key, value)?
                .into_iter()
                .map(|value| vec![Some(value)])
                .collect(),
        }),
    }
    Ok(())
}

/// The swept keys of each table `[[sweep.NAME]]`, with the location of the table.
fn tables(
    name: &str,
    value: &Value,
    values: Values,
) -> Result<Vec<(String, Vec<Axis>)>, ConfigError> {
    let expected = || {
        let message = format_args!("expected tables [[sweep.{name}]]");
        ConfigError::new(path(name), message)
    };
    let tables = value.as_array().ok_or_else(expected)?.iter().enumerate();
    tables
        .map(|(i, table)| {
            let place = format!("sweep.{name}[{i}].");
            let mut single = Vec::new();
            for (key, value) in table.as_table().ok_or_else(expected)? {
                flatten(key, value, values, &mut single).map_err(|problem| ConfigError {
                    key: problem.key.replacen("sweep.", &place, 1),
                    ..problem
                })?;
            }
            Ok((place, single))
        })
        .collect()
}

/// One axis with the grid of each table, one after the other.
fn compared(value: &Value) -> Result<Axis, ConfigError> {
    let mut keys: Vec<String> = Vec::new();
    let mut grids = Vec::new();
    for (place, single) in tables("compare", value, value_or_values)? {
        let grid = Sweep::of(single).map_err(|problem| ConfigError {
            key: problem.key.replacen("sweep.", &place, 1),
            ..problem
        })?;
        if grid.keys.is_empty() {
            let message = "expected the keys of a system with their values";
            return Err(ConfigError::new("sweep.compare", message));
        }
        let new = grid.keys.iter().filter(|key| !keys.contains(key));
        keys.extend(new.cloned().collect::<Vec<_>>());
        grids.push(grid);
    }
    let steps = grids.iter().flat_map(|grid| {
        grid.points.iter().map(|point| {
            let value = |key: &String| {
                let place = grid.keys.iter().position(|own| own == key)?;
                point[place].clone()
            };
            keys.iter().map(value).collect()
        })
    });
    Ok(Axis {
        place: "sweep.compare".to_owned(),
        steps: steps.collect(),
        keys,
    })
}

fn zipped(value: &Value) -> Result<Vec<Axis>, ConfigError> {
    let mut axes = Vec::new();
    for (zip, single) in tables("zip", value, values)? {
        let Some(length) = single.first().map(|axis| axis.steps.len()) else {
            return Err(ConfigError::new(
                "sweep.zip",
                "expected keys with arrays of equal length",
            ));
        };
        if let Some(other) = single.iter().find(|axis| axis.steps.len() != length) {
            return Err(ConfigError::new(
                format!("{zip}{}", other.keys[0]),
                format_args!(
                    "arrays of one table need equal lengths: {} values here, {length} for `{}`",
                    other.steps.len(),
                    single[0].keys[0]
                ),
            ));
        }
        axes.push(Axis {
            place: format!("{zip}{}", single[0].keys[0]),
            steps: (0..length)
                .map(|i| {
                    single
                        .iter()
                        .flat_map(|axis| axis.steps[i].clone())
                        .collect()
                })
                .collect(),
            keys: single.into_iter().flat_map(|axis| axis.keys).collect(),
        });
    }
    Ok(axes)
}

/// How the values of a swept key are read.
type Values = fn(&str, &Value) -> Result<Vec<Value>, ConfigError>;

/// As [`values`]; anything else is one value.
fn value_or_values(key: &str, value: &Value) -> Result<Vec<Value>, ConfigError> {
    match value {
        Value::Array(_) | Value::Table(_) => values(key, value),
        value => Ok(vec![value.clone()]),
    }
}

fn values(key: &str, value: &Value) -> Result<Vec<Value>, ConfigError> {
    let refuse = |why: &str| ConfigError::new(path(key), why);
    let values = match value {
        Value::Array(values) => values.clone(),
        Value::Table(range) => range_values(range).map_err(|why| refuse(&why))?,
        _ => {
            return Err(refuse(
                "expected an array, or a range such as { from = 8, to = 64, times = 2 }",
            ));
        }
    };
    if values.is_empty() {
        return Err(refuse("expected at least one value"));
    }
    Ok(values)
}

/// The values of `{ from, to, step }` or `{ from, to, times }`; integers if all of them are whole.
fn range_values(range: &Map) -> Result<Vec<Value>, String> {
    let number = |key: &str| -> Result<Option<f64>, String> {
        match range.get(key) {
            None => Ok(None),
            Some(Value::Integer(i)) => Ok(Some(*i as f64)),
            Some(Value::Float(x)) if x.is_finite() => Ok(Some(*x)),
            Some(other) => Err(format!(
                "`{key}` of a range: expected a number, found {other}"
            )),
        }
    };
    if let Some(key) = range
        .keys()
        .find(|key| !["from", "to", "step", "times"].contains(&key.as_str()))
    {
        return Err(format!(
            "unknown key `{key}` in a range; expected from, to, step, times"
        ));
    }
    let (Some(from), Some(to)) = (number("from")?, number("to")?) else {
        return Err("a range has `from`, `to`, and `step` or `times`".to_owned());
    };
    let whole = range.values().all(Value::is_integer);
    let at: Box<dyn Fn(u32) -> f64> = match (number("step")?, number("times")?) {
        (Some(step), None) if step > 0.0 => Box::new(move |i| from + step * f64::from(i)),
        (None, Some(times)) if times > 1.0 && from > 0.0 => {
            Box::new(move |i| from * libm::pow(times, i.into()))
        }
        (Some(_), None) => return Err("`step` of a range is above 0".to_owned()),
        (None, Some(_)) => {
            return Err("a range with `times` needs `times` above 1 and `from` above 0".to_owned());
        }
        _ => return Err("a range has either `step` or `times`".to_owned()),
    };
    // Rounding may exceed the end: multiples of 0.1 do not add up to 1.
    let end = to + 1e-9 * to.abs().max(1.0);
    let mut values = Vec::new();
    for i in 0.. {
        let x = at(i);
        if x > end {
            break;
        }
        if values.len() >= MOST_POINTS {
            return Err(format!("a range of more than {MOST_POINTS} values"));
        }
        values.push(if whole {
            Value::Integer(libm::round(x) as i64)
        } else {
            // Twelve digits restore the intended value: 0.3, not 0.30000000000000004.
            Value::Float(format!("{x:.11e}").parse().unwrap_or(x))
        });
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(sweep: &Sweep, point: usize) -> Vec<String> {
        sweep.points[point]
            .iter()
            .map(|value| cell(value.as_ref()))
            .collect()
    }

    fn expand(text: &str) -> Result<Sweep, ConfigError> {
        Sweep::expand(Some(&crate::parse_toml(text).expect("valid TOML")))
    }

    #[test]
    fn combinations_steps_and_ranges() {
        let sweep = expand(
            "\"a.b\" = [\"x\", \"y\"]\nc = { from = 8, to = 64, times = 2 }\n\
             [[zip]]\nd = [1, 2]\ne.f = [3, 4]\n",
        )
        .expect("valid");
        assert_eq!(sweep.keys, ["a.b", "c", "d", "e.f"]);
        assert_eq!(sweep.points.len(), 2 * 4 * 2);
        assert_eq!(cells(&sweep, 15), ["y", "64", "2", "4"]);
        let tenths = expand("x = { from = 0, to = 1, step = 0.1 }").expect("valid");
        let tenths: Vec<String> = tenths.points.iter().map(|p| cell(p[0].as_ref())).collect();
        assert_eq!(tenths.len(), 11);
        assert_eq!(tenths[3], "0.3");
        assert_eq!(
            Sweep::expand(None).expect("empty").points,
            [Vec::<Option<Value>>::new()]
        );
    }

    #[test]
    fn each_compared_system_has_its_own_grid() {
        let sweep = expand(
            "n = [8, 9]\n[[compare]]\np = \"chord\"\nchord.base = [2, 4]\nchord.r = [1, 16]\n\
             [[compare]]\np = \"kademlia\"\n\"kademlia.k\" = { from = 4, to = 8, times = 2 }\n",
        )
        .expect("valid");
        assert_eq!(
            sweep.keys,
            ["n", "p", "chord.base", "chord.r", "kademlia.k"]
        );
        assert_eq!(sweep.groups.len(), 2);
        assert_eq!(sweep.points.len(), 2 * (4 + 2));
        assert_eq!(cells(&sweep, 2), ["8", "chord", "4", "1", ""]);
        assert_eq!(cells(&sweep, 11), ["9", "kademlia", "", "", "8"]);
    }

    #[test]
    fn faults_are_told() {
        for (text, key, part) in [
            ("a = 3", "sweep.a", "expected an array"),
            ("a = []", "sweep.a", "at least one"),
            ("a = [1, 1]", "sweep.a", "twice"),
            ("a = { from = 1 }", "sweep.a", "`from`, `to`"),
            ("a = { from = 1, to = 2 }", "sweep.a", "either"),
            ("a = { from = 1, to = 2, step = 0 }", "sweep.a", "above 0"),
            ("a = { from = 0, to = 2, times = 2 }", "sweep.a", "above 1"),
            (
                "a = { from = 0, to = 1, step = 1e-9 }",
                "sweep.a",
                "more than",
            ),
            (
                "a = { from = 0, to = 1, steps = 1 }",
                "sweep.a",
                "unknown key `steps`",
            ),
            (
                "[[zip]]\na = [1]\nb = [1, 2]",
                "sweep.zip[0].b",
                "equal length",
            ),
            ("[[zip]]\na = 1", "sweep.zip[0].a", "expected an array"),
            ("a = [1]\n[[zip]]\na = [1]", "sweep.a", "swept twice"),
            ("zip = 1", "sweep.zip", "expected tables"),
            ("compare = 1", "sweep.compare", "expected tables"),
            ("compare = [{}]", "sweep.compare", "keys of a system"),
            ("[[compare]]\na = []", "sweep.compare[0].a", "at least one"),
            (
                "[[compare]]\na = [1, 1]",
                "sweep.compare[0].a",
                "occurs twice",
            ),
            (
                "[[compare]]\na = 1\n[[compare]]\na = 1",
                "sweep.compare",
                "occurs twice",
            ),
            ("a = [1]\n[[compare]]\na = 2", "sweep.a", "swept twice"),
        ] {
            let problem = expand(text).expect_err(text);
            assert_eq!(problem.key, key, "{text}");
            assert!(
                problem.message.contains(part),
                "{text}: {}",
                problem.message
            );
        }
    }
}
