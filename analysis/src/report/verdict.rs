//! The verdict on a value: a pure function of both values and the rule.

use super::claims::Comparison;

/// The verdict on a published value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Measured and published agree within the rule.
    Agrees,
    /// They do not.
    Differs,
    /// They do not, and the published value itself is in doubt.
    InDoubt,
}

impl Verdict {
    /// The name for readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::InDoubt => "published value in doubt",
        }
    }
}

/// The allowed difference of two values by a tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// In the units of the value.
    Absolute(f64),
    /// As a fraction of the published value.
    Relative(f64),
}

/// The allowed difference of two values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Allowance {
    /// By a tolerance with a reason.
    Stated(Tolerance),
    /// By sampling error.
    Sampling {
        /// Number of standard errors.
        factor: f64,
        /// The standard error of the measured value.
        measured: f64,
        /// The standard error of the published value.
        published: f64,
        /// The rounding error of the published value, which is added.
        rounding: f64,
    },
}

impl Allowance {
    /// The largest allowed difference.
    pub fn width(self, published: f64) -> f64 {
        match self {
            Self::Stated(Tolerance::Absolute(width)) => width,
            Self::Stated(Tolerance::Relative(part)) => part * published.abs(),
            Self::Sampling {
                factor,
                measured,
                published,
                rounding,
            } => factor * measured.hypot(published) + rounding,
        }
    }
}

/// The verdict on `published` by what was `measured`. `doubted` means that the published value is
/// in doubt for a separate reason; if it agrees, the verdict is still that it agrees.
pub fn verdict(
    measured: f64,
    published: f64,
    comparison: Comparison,
    allowance: Allowance,
    doubted: bool,
) -> Verdict {
    let difference = measured - published;
    // Decimal fractions such as 0.05 have rounding errors in binary.
    let slack = 1e-9 * (measured.abs() + published.abs());
    let width = allowance.width(published) + slack;
    let holds = match comparison {
        Comparison::Equals => difference.abs() <= width,
        Comparison::AtLeast => difference >= -slack,
        Comparison::AtMost => difference <= slack,
    };
    match (holds, doubted) {
        (true, _) => Verdict::Agrees,
        (false, false) => Verdict::Differs,
        (false, true) => Verdict::InDoubt,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sampling(measured: f64, published: f64) -> Allowance {
        Allowance::Sampling {
            factor: 3.0,
            measured,
            published,
            rounding: 0.0,
        }
    }

    #[test]
    fn three_standard_errors_of_both_sides() {
        // The errors .3 and .4 combine to .5, so the limit is 1.5.
        let judged = |measured| {
            verdict(
                measured,
                10.0,
                Comparison::Equals,
                sampling(0.3, 0.4),
                false,
            )
        };
        assert_eq!(judged(11.49), Verdict::Agrees);
        assert_eq!(judged(8.51), Verdict::Agrees);
        assert_eq!(judged(11.51), Verdict::Differs);
        assert_eq!(judged(8.49), Verdict::Differs);
    }

    #[test]
    fn tolerances_are_absolute_or_of_the_published_value() {
        let judged = |measured, tolerance| {
            verdict(
                measured,
                2.0,
                Comparison::Equals,
                Allowance::Stated(tolerance),
                false,
            )
        };
        assert_eq!(judged(2.05, Tolerance::Absolute(0.05)), Verdict::Agrees);
        assert_eq!(judged(2.051, Tolerance::Absolute(0.05)), Verdict::Differs);
        assert_eq!(judged(2.06, Tolerance::Relative(0.03)), Verdict::Agrees);
        assert_eq!(judged(1.939, Tolerance::Relative(0.03)), Verdict::Differs);
    }

    #[test]
    fn rounding_is_added() {
        let allowance = Allowance::Sampling {
            factor: 3.0,
            measured: 0.01,
            published: 0.0,
            rounding: 0.05,
        };
        let judged = |measured| verdict(measured, 4.6, Comparison::Equals, allowance, false);
        assert_eq!(judged(4.679), Verdict::Agrees);
        assert_eq!(judged(4.681), Verdict::Differs);
    }

    #[test]
    fn bounds_are_met_or_not() {
        let none = Allowance::Stated(Tolerance::Absolute(0.0));
        let judged = |measured, comparison| verdict(measured, 0.9, comparison, none, false);
        assert_eq!(judged(0.9, Comparison::AtLeast), Verdict::Agrees);
        assert_eq!(judged(0.899, Comparison::AtLeast), Verdict::Differs);
        assert_eq!(judged(0.9, Comparison::AtMost), Verdict::Agrees);
        assert_eq!(judged(0.901, Comparison::AtMost), Verdict::Differs);
    }

    #[test]
    fn doubt_is_told_only_where_values_part() {
        let judged = |measured| {
            verdict(
                measured,
                137.27,
                Comparison::Equals,
                sampling(1.0, 0.0),
                true,
            )
        };
        assert_eq!(judged(100.3), Verdict::InDoubt);
        assert_eq!(judged(137.0), Verdict::Agrees);
    }

    proptest! {
        #[test]
        fn a_wider_allowance_never_turns_agreement_into_difference(
            measured in -1e6..1e6_f64,
            published in -1e6..1e6_f64,
            narrow in 0.0..1e5_f64,
            more in 0.0..1e5_f64,
        ) {
            let judged = |width| {
                let allowance = Allowance::Stated(Tolerance::Absolute(width));
                verdict(measured, published, Comparison::Equals, allowance, false)
            };
            prop_assert!(judged(narrow) >= judged(narrow + more));
        }

        #[test]
        fn neither_sign_nor_place_matters(
            measured in -1e3..1e3_f64,
            published in -1e3..1e3_f64,
            one in 0.0..10.0_f64,
            other in 0.0..10.0_f64,
        ) {
            // Not near the limit, where rounding decides.
            let width = 3.0 * one.hypot(other);
            prop_assume!(((measured - published).abs() - width).abs() > 1e-5);
            let judged = |a, b, errors| verdict(a, b, Comparison::Equals, errors, false);
            let here = judged(measured, published, sampling(one, other));
            prop_assert_eq!(here, judged(-measured, -published, sampling(one, other)));
            prop_assert_eq!(here, judged(published, measured, sampling(other, one)));
            prop_assert_eq!(here, judged(measured + 7.0, published + 7.0, sampling(one, other)));
        }

        #[test]
        fn a_value_agrees_with_itself(value in -1e9..1e9_f64, doubted: bool) {
            for comparison in [Comparison::Equals, Comparison::AtLeast, Comparison::AtMost] {
                let judged = verdict(value, value, comparison, sampling(0.0, 0.0), doubted);
                prop_assert_eq!(judged, Verdict::Agrees);
            }
        }

        #[test]
        fn a_doubted_value_never_plainly_differs(
            measured in -1e3..1e3_f64,
            published in -1e3..1e3_f64,
        ) {
            let judged = verdict(measured, published, Comparison::Equals, sampling(0.1, 0.1), true);
            prop_assert_ne!(judged, Verdict::Differs);
        }
    }
}
