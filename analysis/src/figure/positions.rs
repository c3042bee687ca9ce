//! The positions of a column's texts on the horizontal axis.

use super::label;
use super::select::same;

/// The meaning of the texts along x.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// Numbers.
    Numbers,
    /// Durations, shown in one unit.
    Durations {
        /// The name of the unit.
        unit: &'static str,
        /// Its length in seconds.
        length: f64,
    },
    /// Texts, at 0, 1, 2, ...
    Texts(Vec<String>),
}

impl Positions {
    /// The meaning of the distinct texts of a column.
    pub fn of(texts: &[String]) -> Self {
        let number = |text: &String| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
        if texts.iter().all(number) {
            return Self::Numbers;
        }
        let durations: Option<Vec<f64>> = texts.iter().map(|text| label::seconds(text)).collect();
        if let Some(durations) = durations {
            // The unit in which the largest is easiest to read.
            let largest = durations.iter().copied().fold(0.0, f64::max);
            let units = [("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)];
            let (unit, length) = units
                .into_iter()
                .find(|&(_, length)| largest >= 2.0 * length)
                .unwrap_or(("µs", 1e-6));
            return Self::Durations { unit, length };
        }
        Self::Texts(texts.to_vec())
    }

    /// How far the points of a series are from the position: categories have their series side by
    /// side.
    pub fn offset(&self, series: usize, count: usize) -> f64 {
        if !matches!(self, Self::Texts(_)) {
            return 0.0;
        }
        let step = (0.7 / count as f64).min(0.14);
        (series as f64 - (count as f64 - 1.0) / 2.0) * step
    }

    /// The position of `text`, if it has one.
    pub fn place(&self, text: &str) -> Option<f64> {
        match self {
            Self::Numbers => text.trim().parse().ok().filter(|x: &f64| x.is_finite()),
            Self::Durations { length, .. } => Some(label::seconds(text)? / length),
            Self::Texts(texts) => {
                let index = texts.iter().position(|known| same(known, text))?;
                Some(index as f64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Positions {
        Positions::of(
            &texts
                .iter()
                .map(|&text| text.to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn columns_are_numbers_durations_or_texts() {
        assert_eq!(of(&["1", "2.5"]), Positions::Numbers);
        let durations = of(&["30 s", "10 min"]);
        assert_eq!(durations.place("30 s"), Some(0.5));
        let texts = of(&["chord", "vhash"]);
        assert_eq!(texts.place("vhash"), Some(1.0));
        assert_eq!(texts.place("can"), None);
        assert_eq!(texts.offset(1, 3), 0.0);
        assert_eq!(texts.offset(0, 2), -texts.offset(1, 2));
        assert!(texts.offset(7, 8) < 0.5);
        assert_eq!(durations.offset(0, 2), 0.0);
    }
}
