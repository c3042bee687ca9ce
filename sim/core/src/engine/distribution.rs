//! Distributions of spans of time (link latencies, sessions, intervals) and of sizes.

use super::{Duration, Stream};
use crate::parameter::{DistributionForm, ParameterValue, ValueError, ValueKind};
use crate::parameter::{Map, Value};
use rand_distr::{Distribution, Exp1, LogNormal, Normal, Pareto, Weibull};

/// A quantity that can be drawn from a distribution.
pub trait Quantity: ParameterValue + Copy + PartialOrd + std::fmt::Display {
    /// What a value with a distribution is, for the text of an error.
    const KIND: ValueKind;

    /// The quantity with this value, rounded; 0 if it is negative.
    fn from_f64(value: f64) -> Self;

    /// Its value.
    fn as_f64(self) -> f64;

    /// A draw from `low` to `high`, which is not smaller, both included.
    fn uniform(low: Self, high: Self, stream: &mut Stream) -> Self;
}

impl Quantity for Duration {
    const KIND: ValueKind = ValueKind::Distribution(&ValueKind::Duration, FORMS);

    fn from_f64(value: f64) -> Self {
        Self::from_secs_f64(value)
    }

    fn as_f64(self) -> f64 {
        self.as_secs_f64()
    }

    fn uniform(low: Self, high: Self, stream: &mut Stream) -> Self {
        Self::from_nanos(u64::uniform(low.as_nanos(), high.as_nanos(), stream))
    }
}

impl Quantity for u64 {
    const KIND: ValueKind = ValueKind::Distribution(&ValueKind::Integer, FORMS);

    fn from_f64(value: f64) -> Self {
        libm::round(value) as Self
    }

    fn as_f64(self) -> f64 {
        self as f64
    }

    fn uniform(low: Self, high: Self, stream: &mut Stream) -> Self {
        match (high - low).checked_add(1) {
            Some(bound) => low + stream.below(bound),
            None => stream.below(u64::MAX),
        }
    }
}

/// A distribution of spans of time.
pub type DurationDistribution = DistributionOf<Duration>;

/// A distribution of sizes, in bytes; drawn values are whole numbers.
pub type SizeDistribution = DistributionOf<u64>;

/// A distribution, written in a file as a value (a constant) or as a table, here for spans of time:
///
/// | table | meaning |
/// |---|---|
/// | `{ distribution = "uniform", low = "1 ms", high = "9 ms" }` | uniform on `[low, high]` |
/// | `{ distribution = "normal", mean = "5 ms", sd = "2 ms" }` | normal, values below 0 become 0 |
/// | `{ distribution = "lognormal", median = "5 ms", sigma = 0.8 }` | the logarithm is normal with `sigma` |
/// | `{ distribution = "exponential", mean = "5 ms" }` | exponential |
/// | `{ distribution = "weibull", scale = "5 ms", shape = 0.5 }` | Weibull: beyond t with probability exp(-(t / scale)^shape) |
/// | `{ distribution = "pareto", scale = "5 ms", shape = 1.5 }` | Pareto: beyond t >= scale with probability (scale / t)^shape |
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DistributionOf<T> {
    /// A constant.
    Constant(T),
    /// Uniform between two values.
    Uniform {
        /// The least value.
        low: T,
        /// The greatest value.
        high: T,
    },
    /// Normal, cut at zero.
    Normal {
        /// Mean before the cut.
        mean: T,
        /// Standard deviation before the cut.
        sd: T,
    },
    /// Lognormal.
    LogNormal {
        /// Median.
        median: T,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// Exponential.
    Exponential {
        /// Mean.
        mean: T,
    },
    /// Weibull.
    Weibull {
        /// The value that 1/e of the draws exceed.
        scale: T,
        /// Below 1 the tail is heavier than that of the exponential.
        shape: f64,
    },
    /// Pareto.
    Pareto {
        /// The least value.
        scale: T,
        /// The tail's exponent; at 1 or below there is no mean.
        shape: f64,
    },
}

impl<T: Quantity> DistributionOf<T> {
    /// Draws one value.
    pub fn sample(&self, stream: &mut Stream) -> T {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { low, high } => T::uniform(low, high, stream),
            Self::Normal { mean, sd } => {
                let normal = Normal::new(mean.as_f64(), sd.as_f64());
                normal.map_or(mean, |normal| T::from_f64(normal.sample(stream)))
            }
            Self::LogNormal { median, sigma } => {
                let factor = LogNormal::new(0.0, sigma).map_or(1.0, |d| d.sample(stream));
                T::from_f64(median.as_f64() * factor)
            }
            Self::Exponential { mean } => {
                let factor: f64 = Exp1.sample(stream);
                T::from_f64(mean.as_f64() * factor)
            }
            Self::Weibull { scale, shape } => {
                let factor = Weibull::new(1.0, shape).map_or(1.0, |d| d.sample(stream));
                T::from_f64(scale.as_f64() * factor)
            }
            Self::Pareto { scale, shape } => {
                let factor = Pareto::new(1.0, shape).map_or(1.0, |d| d.sample(stream));
                T::from_f64(scale.as_f64() * factor)
            }
        }
    }

    /// The value of a constant; `None` for the others.
    pub fn constant(&self) -> Option<T> {
        match *self {
            Self::Constant(value) => Some(value),
            _ => None,
        }
    }
}

/// The keys of a distribution's table, read one by one; a key that is left over is unknown.
struct Fields<'a>(&'a Map, Vec<&'static str>);

impl Fields<'_> {
    fn take<V: ParameterValue>(&mut self, key: &'static str) -> Result<V, ValueError> {
        self.1.push(key);
        let value = self.0.get(key).ok_or(Some(format!(
            "a distribution of this kind needs the key `{key}`"
        )))?;
        V::from_value(value)
            .map_err(|_| Some(format!("`{key}`: expected {}, found {value}", V::kind())))
    }

    fn take_shape(&mut self) -> Result<f64, ValueError> {
        let shape = self.take("shape")?;
        if (0.05..=100.0).contains(&shape) {
            return Ok(shape);
        }
        Err(Some(format!(
            "`shape`: expected 0.05 to 100, found {shape}"
        )))
    }

    fn finish<T>(self, made: DistributionOf<T>) -> Result<DistributionOf<T>, ValueError> {
        match self.0.keys().find(|key| !self.1.contains(&key.as_str())) {
            None => Ok(made),
            Some(key) => Err(Some(format!(
                "unknown key `{key}` in a distribution; expected {}",
                self.1.join(", ")
            ))),
        }
    }
}

/// The distributions with their keys.
const FORMS: &[DistributionForm] = &[
    form("uniform", &["low", "high"], &[]),
    form("normal", &["mean", "sd"], &[]),
    form("lognormal", &["median"], &["sigma"]),
    form("exponential", &["mean"], &[]),
    form("weibull", &["scale"], &["shape"]),
    form("pareto", &["scale"], &["shape"]),
];

const fn form(
    name: &'static str,
    values: &'static [&'static str],
    numbers: &'static [&'static str],
) -> DistributionForm {
    DistributionForm {
        name,
        values,
        numbers,
    }
}

impl<T: Quantity> ParameterValue for DistributionOf<T> {
    fn kind() -> ValueKind {
        T::KIND
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let Value::Table(table) = value else {
            return T::from_value(value).map(Self::Constant);
        };
        let mut fields = Fields(table, Vec::new());
        let made = match fields.take::<String>("distribution")?.as_str() {
            "uniform" => {
                let (low, high) = (fields.take("low")?, fields.take("high")?);
                if low > high {
                    return Err(Some(format!("`low` ({low}) is above `high` ({high})")));
                }
                Self::Uniform { low, high }
            }
            "normal" => Self::Normal {
                mean: fields.take("mean")?,
                sd: fields.take("sd")?,
            },
            "lognormal" => {
                let (median, sigma) = (fields.take("median")?, fields.take("sigma")?);
                if !(0.0..=20.0).contains(&sigma) {
                    return Err(Some(format!("`sigma`: expected 0 to 20, found {sigma}")));
                }
                Self::LogNormal { median, sigma }
            }
            "exponential" => Self::Exponential {
                mean: fields.take("mean")?,
            },
            "weibull" => Self::Weibull {
                scale: fields.take("scale")?,
                shape: fields.take_shape()?,
            },
            "pareto" => Self::Pareto {
                scale: fields.take("scale")?,
                shape: fields.take_shape()?,
            },
            other => {
                return Err(Some(format!(
                    "expected one of {} as `distribution`, found \"{other}\"",
                    FORMS
                        .iter()
                        .map(|form| form.name)
                        .collect::<Vec<_>>()
                        .join(", ")
                )));
            }
        };
        fields.finish(made)
    }

    fn to_value(&self) -> Option<Value> {
        let (name, fields): (&str, Vec<(&str, Option<Value>)>) = match self {
            Self::Constant(value) => return value.to_value(),
            Self::Uniform { low, high } => (
                "uniform",
                vec![("low", low.to_value()), ("high", high.to_value())],
            ),
            Self::Normal { mean, sd } => (
                "normal",
                vec![("mean", mean.to_value()), ("sd", sd.to_value())],
            ),
            Self::LogNormal { median, sigma } => (
                "lognormal",
                vec![("median", median.to_value()), ("sigma", sigma.to_value())],
            ),
            Self::Exponential { mean } => ("exponential", vec![("mean", mean.to_value())]),
            Self::Weibull { scale, shape } => (
                "weibull",
                vec![("scale", scale.to_value()), ("shape", shape.to_value())],
            ),
            Self::Pareto { scale, shape } => (
                "pareto",
                vec![("scale", scale.to_value()), ("shape", shape.to_value())],
            ),
        };
        let mut table = Map::new();
        table.insert("distribution".to_owned(), Value::String(name.to_owned()));
        for (key, value) in fields {
            table.extend(value.map(|value| (key.to_owned(), value)));
        }
        Some(Value::Table(table))
    }

    /// A range bounds constants.
    fn magnitude(&self) -> Option<f64> {
        self.constant().and_then(|value| value.magnitude())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    fn read(text: &str) -> Result<DurationDistribution, ValueError> {
        let table = crate::parameter::text::parse(&format!("x = {text}"));
        DurationDistribution::from_value(&table["x"])
    }

    /// The table that the kind describes can be read, and lacks no key.
    #[test]
    fn the_kind_has_the_keys_of_each_distribution() {
        for form in FORMS {
            let all: Vec<&str> = [form.values, form.numbers].concat();
            let table = |without: Option<&str>| {
                let keys = all.iter().filter(|key| Some(**key) != without);
                let fields: String = keys
                    .map(|key| match form.numbers.contains(key) {
                        true => format!(", {key} = 1"),
                        false => format!(", {key} = \"2 ms\""),
                    })
                    .collect();
                read(&format!("{{ distribution = \"{}\"{fields} }}", form.name))
            };
            assert!(table(None).is_ok(), "{}", form.name);
            for key in &all {
                assert!(table(Some(key)).is_err(), "{} without {key}", form.name);
            }
        }
    }

    /// The first draws of each distribution, recorded: they change if a crate in the build changes
    /// how `rand_distr` computes.
    #[test]
    fn draws_are_golden_and_the_mean_is_right() {
        let cases = [
            ("\"5 ms\"", [5000000, 5000000, 5000000], 5.0),
            (
                "{ distribution = \"uniform\", low = \"1 ms\", high = \"9 ms\" }",
                [4015950, 1975625, 7312847],
                5.0,
            ),
            (
                "{ distribution = \"normal\", mean = \"5 ms\", sd = \"1 ms\" }",
                [4880083, 3905260, 6336182],
                5.0,
            ),
            // exp(sigma^2 / 2) times the median.
            (
                "{ distribution = \"lognormal\", median = \"5 ms\", sigma = 0.5 }",
                [4709017, 2892346, 9752554],
                5.666,
            ),
            (
                "{ distribution = \"exponential\", mean = \"5 ms\" }",
                [478138, 922254, 13359701],
                5.0,
            ),
            // Gamma(1 + 1/2) = 0.886 times the scale.
            (
                "{ distribution = \"weibull\", scale = \"5 ms\", shape = 2 }",
                [4938438, 7252790, 2433387],
                4.431,
            ),
            // shape / (shape - 1) times the scale.
            (
                "{ distribution = \"pareto\", scale = \"3 ms\", shape = 3 }",
                [4152821, 6049557, 3246456],
                4.5,
            ),
        ];
        for (text, golden, mean) in cases {
            let distribution = read(text).expect(text);
            assert_eq!(
                DurationDistribution::from_value(&distribution.to_value().expect("a value")),
                Ok(distribution)
            );
            let mut stream = Seed::new(1).stream("distribution", 0);
            let draws: Vec<u64> = (0..100_000)
                .map(|_| distribution.sample(&mut stream).as_nanos())
                .collect();
            assert_eq!(draws[..3], golden, "{text}");
            let measured = draws.iter().sum::<u64>() as f64 / draws.len() as f64 / 1e6;
            // Six standard errors of the widest of them, the exponential: 6 * 5 / sqrt(1e5).
            assert!((measured - mean).abs() < 0.095, "{text}: {measured}");
        }
    }

    #[test]
    fn sizes_are_whole_numbers() {
        let table = crate::parameter::text::parse(
            "x = { distribution = \"uniform\", low = 3, high = 5 }\ny = 7\n\
             z = { distribution = \"normal\", mean = 0, sd = 1 }",
        );
        let read = |key: &str| SizeDistribution::from_value(&table[key]).expect("sizes");
        let mut stream = Seed::new(1).stream("sizes", 0);
        let mut draws =
            |key: &str| -> Vec<u64> { (0..100).map(|_| read(key).sample(&mut stream)).collect() };
        let few = draws("x");
        assert!([3, 4, 5].iter().all(|size| few.contains(size)));
        assert!(few.iter().all(|size| (3..=5).contains(size)));
        assert_eq!(draws("y"), [7; 100]);
        assert!(draws("z").iter().all(|size| *size < 5));
    }

    #[test]
    fn faults_are_told() {
        let fault = |text| read(text).expect_err(text).unwrap_or_default();
        assert_eq!(fault("5"), "");
        assert!(fault("{ distribution = \"cauchy\" }").contains("expected one of uniform"));
        assert!(fault("{ distribution = \"uniform\", low = \"1 ms\" }").contains("`high`"));
        assert!(
            fault("{ distribution = \"uniform\", low = \"2 s\", high = \"1 s\" }")
                .contains("above")
        );
        assert!(
            fault("{ distribution = \"exponential\", mean = 3 }")
                .contains("`mean`: expected a duration")
        );
        assert!(
            fault("{ distribution = \"exponential\", mean = \"1 s\", sd = \"1 s\" }")
                .contains("unknown key `sd`")
        );
    }
}
