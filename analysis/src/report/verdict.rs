//! The verdict on a value: a pure function of both values and the rule.

use super::claims::Comparison;

/// The verdict on a published value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Measured and published agree within the rule.
    Agrees,
    /// The interval of the measured value is on the published side of a bound. That is less than
    /// agreement, because many values are there.
    WithinBound,
    /// The rule cannot tell: twice or half the published value, or twice or half of what it lacks of
    /// the largest possible value, would agree, too; or the interval of the measured value contains
    /// the opposite of the claim.
    Undecided,
    /// They do not agree.
    Differs,
    /// The published value itself is in doubt, whether it agrees or not.
    InDoubt,
}

impl Verdict {
    /// The name for readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::WithinBound => "within the bound",
            Self::Undecided => "not decided",
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
    /// None: both are one of several points, and the interval of the measured one spans those that
    /// may be meant.
    Choice,
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
        /// Whether the published error is not known, and is that of our runs.
        borrowed: bool,
    },
}

/// The greatest difference that agrees if the published error is borrowed, as a fraction of the
/// published value: the spread of the published runs is unknown.
pub const MOST_BORROWED: f64 = 0.15;

impl Allowance {
    /// The largest allowed difference.
    pub fn width(self, published: f64) -> f64 {
        match self {
            Self::Choice => 0.0,
            Self::Stated(Tolerance::Absolute(width)) => width,
            Self::Stated(Tolerance::Relative(part)) => part * published.abs(),
            Self::Sampling {
                factor,
                measured,
                published,
                rounding,
                ..
            } => factor * measured.hypot(published) + rounding,
        }
    }
}

/// A measured value as a rule needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredValue {
    /// The mean.
    pub mean: f64,
    /// Its 95 % interval, if known.
    pub interval: Option<(f64, f64)>,
    /// The largest possible value; infinite where there is none.
    pub most: f64,
}

/// Whether the means are as near to each other as is allowed.
pub fn is_within(mean: f64, published: f64, allowance: Allowance) -> bool {
    // Decimal fractions such as 0.05 have rounding errors in binary.
    let slack = 1e-9 * (mean.abs() + published.abs());
    (mean - published).abs() <= allowance.width(published) + slack
}

/// The verdict on `published` by what was `measured`. `doubted` means that the published value is
/// in doubt for a separate reason.
pub fn verdict(
    measured: MeasuredValue,
    published: f64,
    comparison: Comparison,
    allowance: Allowance,
    doubted: bool,
) -> Verdict {
    if doubted {
        return Verdict::InDoubt;
    }
    let MeasuredValue {
        mean,
        interval,
        most,
    } = measured;
    let slack = 1e-9 * (mean.abs() + published.abs());
    let within = |published: f64| is_within(mean, published, allowance);
    // Where the interval is unknown, nothing excludes the opposite.
    let (low, high) = interval.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    match comparison {
        Comparison::AtLeast if low >= published - slack => Verdict::WithinBound,
        Comparison::AtMost if high <= published + slack => Verdict::WithinBound,
        Comparison::AtLeast if high < published - slack => Verdict::Differs,
        Comparison::AtMost if low > published + slack => Verdict::Differs,
        Comparison::AtLeast | Comparison::AtMost => Verdict::Undecided,
        Comparison::Above if low > published => Verdict::Agrees,
        Comparison::Below if high < published => Verdict::Agrees,
        Comparison::Above if high < published => Verdict::Differs,
        Comparison::Below if low > published => Verdict::Differs,
        Comparison::Above | Comparison::Below => Verdict::Undecided,
        Comparison::Equals if allowance == Allowance::Choice => {
            match (low <= published && published <= high, low == high) {
                (false, _) => Verdict::Differs,
                (true, true) => Verdict::Agrees,
                (true, false) => Verdict::Undecided,
            }
        }
        Comparison::Equals if !within(published) => Verdict::Differs,
        Comparison::Equals => {
            let is_far = matches!(allowance, Allowance::Sampling { borrowed: true, rounding, .. }
                if (mean - published).abs() > MOST_BORROWED * published.abs() + rounding + slack);
            let lacks = most - published;
            let is_weak = published != 0.0 && (within(2.0 * published) || within(published / 2.0));
            // A success rate of 0.98 is no other claim than a failure rate of 0.02.
            let is_near_most = lacks > 0.0 && lacks < published;
            let is_weak = is_weak
                || is_near_most && (within(most - 2.0 * lacks) || within(most - lacks / 2.0));
            match is_far || is_weak {
                true => Verdict::Undecided,
                false => Verdict::Agrees,
            }
        }
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
            borrowed: false,
        }
    }

    fn verdict(
        mean: f64,
        published: f64,
        comparison: Comparison,
        allowance: Allowance,
        doubted: bool,
    ) -> Verdict {
        let interval = Some((mean - 0.1, mean + 0.1));
        let measured = MeasuredValue {
            mean,
            interval,
            most: f64::INFINITY,
        };
        super::verdict(measured, published, comparison, allowance, doubted)
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
            borrowed: false,
        };
        let judged = |measured| verdict(measured, 4.6, Comparison::Equals, allowance, false);
        assert_eq!(judged(4.679), Verdict::Agrees);
        assert_eq!(judged(4.681), Verdict::Differs);
    }

    #[test]
    fn bounds_are_met_or_not() {
        let none = Allowance::Stated(Tolerance::Absolute(0.0));
        let judged = |measured, comparison| verdict(measured, 0.9, comparison, none, false);
        // The interval is 0.1 on each side.
        assert_eq!(judged(1.01, Comparison::AtLeast), Verdict::WithinBound);
        assert_eq!(judged(0.99, Comparison::AtLeast), Verdict::Undecided);
        assert_eq!(judged(0.81, Comparison::AtLeast), Verdict::Undecided);
        assert_eq!(judged(0.79, Comparison::AtLeast), Verdict::Differs);
        assert_eq!(judged(0.79, Comparison::AtMost), Verdict::WithinBound);
        assert_eq!(judged(0.81, Comparison::AtMost), Verdict::Undecided);
        assert_eq!(judged(0.99, Comparison::AtMost), Verdict::Undecided);
        assert_eq!(judged(1.01, Comparison::AtMost), Verdict::Differs);
        let unknown = MeasuredValue {
            mean: 5.0,
            interval: None,
            most: f64::INFINITY,
        };
        let judged = super::verdict(unknown, 0.9, Comparison::AtLeast, none, false);
        assert_eq!(judged, Verdict::Undecided);
    }

    #[test]
    fn a_choice_agrees_only_if_the_interval_has_no_other_point() {
        let judged = |low, high| {
            let measured = MeasuredValue {
                mean: low,
                interval: Some((low, high)),
                most: f64::INFINITY,
            };
            super::verdict(measured, 20.0, Comparison::Equals, Allowance::Choice, false)
        };
        assert_eq!(judged(20.0, 20.0), Verdict::Agrees);
        assert_eq!(judged(20.0, 30.0), Verdict::Undecided);
        assert_eq!(judged(10.0, 20.0), Verdict::Undecided);
        assert_eq!(judged(30.0, 40.0), Verdict::Differs);
    }

    #[test]
    fn a_published_zero_allows_for_its_digits() {
        let borrowed = |rounding| Allowance::Sampling {
            factor: 3.0,
            measured: 0.001,
            published: 0.003,
            rounding,
            borrowed: true,
        };
        let judged = |measured, rounding| {
            verdict(measured, 0.0, Comparison::Equals, borrowed(rounding), false)
        };
        assert_eq!(judged(0.00002, 0.00005), Verdict::Agrees);
        assert_eq!(judged(0.00009, 0.00005), Verdict::Undecided);
        assert_eq!(judged(0.1, 0.00005), Verdict::Differs);
    }

    #[test]
    fn a_shape_agrees_only_if_the_interval_excludes_the_opposite() {
        let none = Allowance::Stated(Tolerance::Absolute(0.0));
        let judged = |measured, comparison| verdict(measured, 1.0, comparison, none, false);
        // The interval is .1 on each side.
        assert_eq!(judged(1.11, Comparison::Above), Verdict::Agrees);
        assert_eq!(judged(1.09, Comparison::Above), Verdict::Undecided);
        assert_eq!(judged(0.91, Comparison::Above), Verdict::Undecided);
        assert_eq!(judged(0.89, Comparison::Above), Verdict::Differs);
        assert_eq!(judged(0.89, Comparison::Below), Verdict::Agrees);
        assert_eq!(judged(0.91, Comparison::Below), Verdict::Undecided);
        assert_eq!(judged(1.11, Comparison::Below), Verdict::Differs);
        let unknown = MeasuredValue {
            mean: 5.0,
            interval: None,
            most: f64::INFINITY,
        };
        let judged = super::verdict(unknown, 1.0, Comparison::Above, none, false);
        assert_eq!(judged, Verdict::Undecided);
    }

    /// What the audit found: .387 against 2.917, 2.15 against .943, 411.57 s against 134.5 s.
    #[test]
    fn a_wide_spread_of_ours_does_not_make_values_agree() {
        let wide = |error| Allowance::Sampling {
            factor: 3.0,
            measured: error / 5.0,
            published: error,
            rounding: 0.0,
            borrowed: true,
        };
        for (measured, published, error) in [
            (2.917, 0.387, 1.0),
            (0.943, 2.15, 0.5),
            (134.5, 411.57, 95.0),
        ] {
            let judged = verdict(measured, published, Comparison::Equals, wide(error), false);
            assert_eq!(judged, Verdict::Undecided, "{measured} against {published}");
        }
        // A borrowed spread is admitted up to .15 of the value.
        let judged = |measured| verdict(measured, 10.0, Comparison::Equals, wide(0.6), false);
        assert_eq!(judged(11.4), Verdict::Agrees);
        assert_eq!(judged(11.6), Verdict::Undecided);
        assert_eq!(judged(12.0), Verdict::Differs);
    }

    #[test]
    fn a_rule_that_admits_twice_or_half_the_value_decides_nothing() {
        let judged = |error| verdict(10.0, 10.0, Comparison::Equals, sampling(0.0, error), false);
        assert_eq!(judged(1.6), Verdict::Agrees);
        assert_eq!(judged(1.7), Verdict::Undecided);
    }

    /// A success rate is judged as its failure rate is.
    #[test]
    fn a_fraction_near_1_is_judged_by_what_it_lacks() {
        let judged = |measured: f64, published, width| {
            let measured = MeasuredValue {
                mean: measured,
                interval: None,
                most: 1.0,
            };
            let allowance = Allowance::Stated(Tolerance::Absolute(width));
            super::verdict(measured, published, Comparison::Equals, allowance, false)
        };
        assert_eq!(judged(0.98, 0.98, 0.009), Verdict::Agrees);
        assert_eq!(judged(0.98, 0.98, 0.05), Verdict::Undecided);
        assert_eq!(judged(0.9, 0.98, 0.05), Verdict::Differs);
        // What is published as 1 lacks nothing.
        assert_eq!(judged(0.98, 1.0, 0.05), Verdict::Agrees);
        assert_eq!(judged(0.6, 0.6, 0.1), Verdict::Agrees);
    }

    #[test]
    fn doubt_works_both_ways() {
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
        assert_eq!(judged(137.0), Verdict::InDoubt);
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
            let (narrow, wide) = (judged(narrow), judged(narrow + more));
            // Wider, it differs no more; but it may decide nothing.
            prop_assert!(narrow == Verdict::Differs || wide != Verdict::Differs);
        }

        #[test]
        fn the_sign_does_not_matter(
            measured in -1e3..1e3_f64,
            published in -1e3..1e3_f64,
            one in 0.0..10.0_f64,
            other in 0.0..10.0_f64,
        ) {
            let judged = |a, b| verdict(a, b, Comparison::Equals, sampling(one, other), false);
            prop_assert_eq!(judged(measured, published), judged(-measured, -published));
        }

        #[test]
        fn a_value_agrees_with_itself(value in -1e9..1e9_f64) {
            let judged = verdict(value, value, Comparison::Equals, sampling(0.0, 0.0), false);
            prop_assert_eq!(judged, Verdict::Agrees);
            let measured = MeasuredValue {
                mean: value,
                interval: Some((value, value)),
                most: f64::INFINITY,
            };
            for bound in [Comparison::AtLeast, Comparison::AtMost] {
                let judged = super::verdict(measured, value, bound, sampling(0.0, 0.0), false);
                prop_assert_eq!(judged, Verdict::WithinBound);
            }
        }

        /// Nothing that agrees would agree if the published value were doubled or halved.
        #[test]
        fn what_agrees_has_power(
            measured in -1e3..1e3_f64,
            published in -1e3..1e3_f64,
            error in 0.0..1e3_f64,
            borrowed: bool,
        ) {
            let allowance = Allowance::Sampling {
                factor: 3.0,
                measured: error,
                published: error,
                rounding: 0.0,
                borrowed,
            };
            let judged = |published| {
                verdict(measured, published, Comparison::Equals, allowance, false)
            };
            if published != 0.0 && judged(published) == Verdict::Agrees {
                prop_assert_ne!(judged(2.0 * published), Verdict::Agrees);
                prop_assert_ne!(judged(published / 2.0), Verdict::Agrees);
            }
        }
    }
}
