//! Periods of repeated actions.

use super::{Duration, Stream};
use crate::parameter::{ParameterValue, ValueError, ValueKind};

/// The mean period of a repeated action, or never; in a file `"30 s"` or `"never"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(Option<Duration>);

impl Period {
    /// The action never happens.
    pub const NEVER: Self = Self(None);

    /// The action happens every `span`.
    pub const fn every(span: Duration) -> Self {
        Self(Some(span))
    }

    /// The mean period; `None` for never.
    pub const fn span(self) -> Option<Duration> {
        self.0
    }

    /// Actions per second, on average.
    pub fn rate(self) -> f64 {
        self.0.map_or(0.0, |span| 1.0 / span.as_secs_f64())
    }

    /// The time to the first action: a random phase.
    pub fn first(self, stream: &mut Stream) -> Option<Duration> {
        let nanos = self.0?.as_nanos();
        Some(Duration::from_nanos(stream.below(nanos)))
    }

    /// The time to the next action: uniform between `1 - jitter` and `1 + jitter` times the mean.
    pub fn next(self, jitter: f64, stream: &mut Stream) -> Option<Duration> {
        let span = self.0?;
        if jitter <= 0.0 {
            return Some(span);
        }
        let factor = 1.0 + jitter * (2.0 * stream.unit() - 1.0);
        Some(Duration::from_nanos(
            (span.as_nanos() as f64 * factor) as u64,
        ))
    }
}

impl ParameterValue for Period {
    fn kind() -> ValueKind {
        ValueKind::Other("a duration above zero such as \"30 s\", or \"never\"")
    }

    fn from_value(value: &crate::parameter::Value) -> Result<Self, ValueError> {
        match value.as_str().ok_or(None)? {
            "never" => Ok(Self::NEVER),
            text => match text.parse::<Duration>() {
                Ok(span) if !span.is_zero() => Ok(Self::every(span)),
                _ => Err(None),
            },
        }
    }

    fn to_value(&self) -> Option<crate::parameter::Value> {
        match self.0 {
            None => Some(crate::parameter::Value::String("never".to_owned())),
            Some(span) => span.to_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    #[test]
    fn turns_stay_within_the_jitter() {
        let mut stream = Seed::new(1).stream("period", 0);
        let period = Period::every(Duration::from_secs(30));
        for _ in 0..1000 {
            assert!(period.first(&mut stream) < Some(Duration::from_secs(30)));
            let next = period.next(0.5, &mut stream).expect("it is periodic");
            assert!(next >= Duration::from_secs(15) && next <= Duration::from_secs(45));
            assert_eq!(period.next(0.0, &mut stream), Some(Duration::from_secs(30)));
        }
        assert_eq!(Period::NEVER.first(&mut stream), None);
        let read =
            |text: &str| Period::from_value(&crate::parameter::Value::String(text.to_owned()));
        assert_eq!(read("never"), Ok(Period::NEVER));
        assert_eq!(read("0 s"), Err(None));
    }
}
