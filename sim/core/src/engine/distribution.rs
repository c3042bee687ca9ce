//! Distributions of spans: link latencies, sessions, intervals.

use super::{Duration, Stream};
use crate::parameter::{Kind, ParameterValue, ValueError};
use crate::parameter::{Map, Value};
use rand_distr::{Distribution, Exp1, LogNormal, Normal, Pareto, Weibull};

/// A distribution of spans of time, written in a file as a duration (a constant) or as a table:
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
pub enum DurationDistribution {
    /// A constant span.
    Constant(Duration),
    /// Uniform between two spans.
    Uniform {
        /// The least value.
        low: Duration,
        /// The greatest value.
        high: Duration,
    },
    /// Normal, cut at zero.
    Normal {
        /// Mean before the cut.
        mean: Duration,
        /// Standard deviation before the cut.
        sd: Duration,
    },
    /// Lognormal.
    LogNormal {
        /// Median.
        median: Duration,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// Exponential.
    Exponential {
        /// Mean.
        mean: Duration,
    },
    /// Weibull.
    Weibull {
        /// The span that 1/e of the draws exceed.
        scale: Duration,
        /// Below 1 the tail is heavier than that of the exponential.
        shape: f64,
    },
    /// Pareto.
    Pareto {
        /// The least value.
        scale: Duration,
        /// The tail's exponent; at 1 or below there is no mean.
        shape: f64,
    },
}

impl DurationDistribution {
    /// Draws one span.
    pub fn sample(&self, stream: &mut Stream) -> Duration {
        match *self {
            Self::Constant(span) => span,
            Self::Uniform { low, high } => {
                let width = high.as_nanos() - low.as_nanos();
                match width.checked_add(1) {
                    Some(bound) => low + Duration::from_nanos(stream.below(bound)),
                    None => Duration::from_nanos(stream.below(u64::MAX)),
                }
            }
            Self::Normal { mean, sd } => {
                let normal = Normal::new(mean.as_secs_f64(), sd.as_secs_f64());
                normal.map_or(mean, |normal| {
                    Duration::from_secs_f64(normal.sample(stream))
                })
            }
            Self::LogNormal { median, sigma } => {
                let factor = LogNormal::new(0.0, sigma).map_or(1.0, |d| d.sample(stream));
                Duration::from_secs_f64(median.as_secs_f64() * factor)
            }
            Self::Exponential { mean } => {
                let factor: f64 = Exp1.sample(stream);
                Duration::from_secs_f64(mean.as_secs_f64() * factor)
            }
            Self::Weibull { scale, shape } => {
                let factor = Weibull::new(1.0, shape).map_or(1.0, |d| d.sample(stream));
                Duration::from_secs_f64(scale.as_secs_f64() * factor)
            }
            Self::Pareto { scale, shape } => {
                let factor = Pareto::new(1.0, shape).map_or(1.0, |d| d.sample(stream));
                Duration::from_secs_f64(scale.as_secs_f64() * factor)
            }
        }
    }

    /// The span of a constant; `None` for the others.
    pub fn constant(&self) -> Option<Duration> {
        match *self {
            Self::Constant(span) => Some(span),
            _ => None,
        }
    }
}

/// The keys of a distribution's table, read one by one; a key that is left over is unknown.
struct Fields<'a>(&'a Map, Vec<&'static str>);

impl Fields<'_> {
    fn take<T: ParameterValue>(&mut self, key: &'static str) -> Result<T, ValueError> {
        self.1.push(key);
        let value = self.0.get(key).ok_or(Some(format!(
            "a distribution of this kind needs the key `{key}`"
        )))?;
        T::from_value(value)
            .map_err(|_| Some(format!("`{key}`: expected {}, found {value}", T::kind())))
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

    fn finish(self, made: DurationDistribution) -> Result<DurationDistribution, ValueError> {
        match self.0.keys().find(|key| !self.1.contains(&key.as_str())) {
            None => Ok(made),
            Some(key) => Err(Some(format!(
                "unknown key `{key}` in a distribution; expected {}",
                self.1.join(", ")
            ))),
        }
    }
}

const DISTRIBUTIONS: &[&str] = &[
    "uniform",
    "normal",
    "lognormal",
    "exponential",
    "weibull",
    "pareto",
];

impl ParameterValue for DurationDistribution {
    fn kind() -> Kind {
        Kind::Other(
            "a duration such as \"1 ms\", or a table \
             { distribution = \"uniform\" | \"normal\" | \"lognormal\" | \"exponential\" | \
             \"weibull\" | \"pareto\", ... }",
        )
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let table = match value {
            Value::String(text) => return text.parse().map(Self::Constant).map_err(|_| None),
            Value::Table(table) => table,
            _ => return Err(None),
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
                    DISTRIBUTIONS.join(", ")
                )));
            }
        };
        fields.finish(made)
    }

    fn to_value(&self) -> Option<Value> {
        let (name, fields): (&str, Vec<(&str, Option<Value>)>) = match self {
            Self::Constant(span) => return span.to_value(),
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    fn read(text: &str) -> Result<DurationDistribution, ValueError> {
        let table = crate::parameter::text::parse(&format!("x = {text}"));
        DurationDistribution::from_value(&table["x"])
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
