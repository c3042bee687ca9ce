//! The possible range of what a figure shows.

/// The least and the largest possible value; infinite where there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub low: f64,
    pub high: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl Range {
    /// The range of a fraction.
    pub const FRACTION: Self = Self {
        low: 0.0,
        high: 1.0,
    };

    /// The range with these bounds.
    pub fn new(low: Option<f64>, high: Option<f64>) -> Self {
        Self {
            low: low.unwrap_or(f64::NEG_INFINITY),
            high: high.unwrap_or(f64::INFINITY),
        }
    }

    /// Whether a value is possible. Rounding errors of sums and quotients are.
    pub fn contains(&self, value: f64) -> bool {
        self.low - 1e-9 * self.low.abs() <= value && value <= self.high + 1e-9 * self.high.abs()
    }

    /// The possible part of an interval around a possible value.
    pub fn clip(&self, (low, high): (f64, f64)) -> (f64, f64) {
        (low.max(self.low), high.min(self.high))
    }

    /// The smallest range that contains both.
    pub fn or(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// The range for an error message.
    pub fn text(&self) -> String {
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) => format!("from {} to {}", self.low, self.high),
            (true, false) => format!("at least {}", self.low),
            (false, true) => format!("at most {}", self.high),
            (false, false) => "any number".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_their_ends_and_clip_intervals() {
        let counts = Range::new(Some(0.0), None);
        assert!(counts.contains(0.0) && counts.contains(1e300) && !counts.contains(-1e-9));
        assert!(Range::FRACTION.contains(1.0 + 1e-12) && !Range::FRACTION.contains(1.001));
        assert_eq!(Range::FRACTION.clip((-0.2, 0.4)), (0.0, 0.4));
        assert_eq!(counts.clip((-3.0, 9.0)), (0.0, 9.0));
        assert_eq!(Range::FRACTION.or(counts), counts);
        assert!(Range::default().contains(-1e300));
        assert_eq!(Range::FRACTION.text(), "from 0 to 1");
    }
}
