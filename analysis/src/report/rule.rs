//! The rule of a value: the allowed and the actual difference, and both in words.

use crate::figure::label;

use super::claims::{Claim, Comparison, Quantity, Rule};
use super::measure::Estimate;
use super::point::FEWEST_RUNS;
use super::published::{Published, Value};
use super::verdict::{Allowance, MOST_BORROWED, Tolerance};

/// The name of a value for readers.
pub fn name_of(quantity: &Quantity) -> String {
    let own = quantity.label.clone();
    own.unwrap_or_else(|| label::readable(&quantity.column))
}

/// The allowed difference of `value` from `estimate`; `None` if it is unknown.
pub fn allowance(
    value: &Value,
    estimate: &Estimate,
    quantity: &Quantity,
    rule: &Rule,
    stated: Option<Tolerance>,
) -> Option<Allowance> {
    if let Some(tolerance) = stated {
        return Some(Allowance::Stated(tolerance));
    }
    if quantity.least_at.is_some() || quantity.most_at.is_some() {
        return Some(Allowance::Choice);
    }
    if rule.compare != Comparison::Equals {
        return Some(Allowance::Stated(Tolerance::Absolute(0.0)));
    }
    let n = value.n.or(rule.published_n);
    let of_mean = |sd: Option<f64>| Some(sd? / n?.sqrt());
    let known = value
        .error
        .or_else(|| of_mean(value.sd))
        .or_else(|| rule.exact.then_some(0.0))
        .or_else(|| of_mean(estimate.sample_sd));
    let published = known.or_else(|| {
        let sample = estimate.run_sd.map(|sd| sd * estimate.samples_a_run.sqrt());
        of_mean(sample)
    });
    Some(Allowance::Sampling {
        factor: rule.sampling.unwrap_or(DEFAULT_ERRORS),
        measured: estimate
            .error
            .or_else(|| error_as_published(value, estimate))?,
        published: published?,
        // Where only the spread of our runs is known, which may be 0, a decimal fraction is known to
        // its digits at best. Whole numbers may be counts.
        rounding: if rule.rounded || (known.is_none() && value.text.contains('.')) {
            value.rounding
        } else {
            0.0
        },
        borrowed: known.is_none(),
    })
}

/// The error of a measured value whose samples vary like the published ones, for a single run of
/// ours.
pub fn error_as_published(value: &Value, estimate: &Estimate) -> Option<f64> {
    Some(value.sd? / (estimate.n as f64 * estimate.samples_a_run).sqrt())
}

/// Why a value has no error.
pub fn without_error(estimate: &Estimate) -> String {
    if estimate.n < FEWEST_RUNS {
        return format!("fewer than {FEWEST_RUNS} runs give no standard error");
    }
    "the accuracy of the published value is unknown".to_owned()
}

/// Default number of standard errors between two values.
const DEFAULT_ERRORS: f64 = 3.0;

/// The difference of the two sides: in standard errors, or in the unit of the tolerance.
pub fn distance(measured: f64, value: &Value, rule: &Rule, allowance: Allowance) -> String {
    let difference = measured - value.number;
    let signed = |number: f64, decimals: usize| {
        let plus = if number > 0.0 { "+" } else { "" };
        format!("{plus}{}", label::number(number, decimals))
    };
    let relative = || signed(100.0 * difference / value.number.abs(), 1) + " %";
    let in_value = || {
        let plus = if difference > 0.0 { "+" } else { "" };
        format!("{plus}{}", label::rounded(difference, 2).replace('-', "−"))
    };
    match allowance {
        _ if rule.compare != Comparison::Equals => in_value(),
        Allowance::Stated(Tolerance::Relative(_)) => relative(),
        Allowance::Stated(Tolerance::Absolute(_)) | Allowance::Choice => in_value(),
        Allowance::Sampling {
            measured,
            published,
            ..
        } => {
            let errors = difference / measured.hypot(published);
            if difference == 0.0 {
                "0".to_owned()
            } else if errors.is_finite() && errors.abs() < 100.0 {
                signed(errors, 1) + " se"
            } else {
                in_value()
            }
        }
    }
}

/// The rules of the values in words; values with the same rule are grouped.
pub fn rules(
    claim: &Claim,
    values: &[Quantity],
    published: &Published,
) -> Vec<(Vec<String>, String)> {
    let mut rules: Vec<(Vec<String>, String)> = Vec::new();
    for quantity in values {
        let text = rule_text(claim, quantity, published);
        match rules.iter_mut().find(|(_, known)| *known == text) {
            Some((names, _)) => names.push(name_of(quantity)),
            None => rules.push((vec![name_of(quantity)], text)),
        }
    }
    rules
}

/// One rule in words.
fn rule_text(claim: &Claim, quantity: &Quantity, published: &Published) -> String {
    let rule = claim.rule_of(quantity);
    if let Some((tolerance, reason)) = published.tolerance(&quantity.column) {
        let size = match tolerance {
            Tolerance::Absolute(width) => label::rounded(width, 3),
            Tolerance::Relative(part) => format!("{} %", label::rounded(100.0 * part, 3)),
        };
        return format!("within {size}: {reason}");
    }
    match rule.compare {
        Comparison::AtLeast => {
            return "the 95 % interval is at or above the published bound".to_owned();
        }
        Comparison::AtMost => {
            return "the 95 % interval is at or below the published bound".to_owned();
        }
        Comparison::Above => return "the 95 % interval is above the published value".to_owned(),
        Comparison::Below => return "the 95 % interval is below the published value".to_owned(),
        Comparison::Equals => {}
    }
    if quantity.least_at.is_some() || quantity.most_at.is_some() {
        return "the same point of those that were run, and no other may be the best".to_owned();
    }
    let columns = published.columns();
    let has = |what: &str| {
        let own = format!("{}_{what}", quantity.column);
        columns
            .iter()
            .any(|column| column == what || *column == own)
    };
    let errors = label::rounded(rule.sampling.unwrap_or(DEFAULT_ERRORS), 3);
    let mut borrows = false;
    let theirs = if has("published_se") || has("published_sd") {
        "that of the published value is given".to_owned()
    } else if claim.average {
        "that of the published value follows from the spread of its trials".to_owned()
    } else if rule.exact {
        "the published value has none".to_owned()
    } else {
        let n = match rule.published_n {
            _ if has("published_n") => "the number of samples in its table".to_owned(),
            Some(1.0) => "one sample".to_owned(),
            Some(n) => format!("{} samples", label::rounded(n, 7)),
            None => {
                return "none, since neither the error of the published value nor the number of its \
                        samples is known"
                    .to_owned();
            }
        };
        match (&rule.sd_metric, &rule.successes_of) {
            (Some(metric), _) => {
                format!("that of the published value follows from {n} and our column {metric}")
            }
            (None, Some(_)) => {
                format!("that of the published value follows from {n} and our rate of successes")
            }
            (None, None) => {
                borrows = true;
                format!(
                    "that of the published value follows from {n} and the spread of our runs, since that \
                     of the published ones is not known, and so the difference may be at most {:.0} % of \
                     the value",
                    100.0 * MOST_BORROWED
                )
            }
        }
    };
    let rounding = match (rule.rounded, borrows) {
        (true, _) => "; half a unit of the last printed digit is added",
        (false, true) => "; half a unit of the last printed digit of a fraction is added",
        (false, false) => "",
    };
    format!("within {errors} combined standard errors; {theirs}{rounding}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::range::Range;

    fn estimate() -> Estimate {
        Estimate {
            n: 10,
            samples_a_run: 1.0,
            mean: 1.0,
            range: Range::default(),
            interval: Some((1.0, 1.0)),
            error: Some(0.0),
            run_sd: Some(0.0),
            sample_sd: None,
        }
    }

    fn value(text: &str) -> Value {
        let row = vec![("c".to_owned(), text.to_owned())];
        let published = Published::of_rows(vec![row]);
        published.value(&[0], "c").unwrap()
    }

    #[test]
    fn where_our_runs_do_not_vary_a_fraction_is_known_to_its_digits() {
        let quantity: Quantity = toml::from_str("column = 'c'\nmetric = 'm'").unwrap();
        let width = |text: &str, rule: &str| {
            let rule: Rule = toml::from_str(rule).unwrap();
            let value = value(text);
            let allowance = allowance(&value, &estimate(), &quantity, &rule, None).unwrap();
            allowance.width(value.number)
        };
        assert!((width("0.99", "published-n = 1") - half(2)).abs() < 1e-12);
        assert!((width("0.0000", "published-n = 1") - half(4)).abs() < 1e-12);
        // A whole number may be a count, which is exact unless the rule says otherwise.
        assert_eq!(width("3", "published-n = 1"), 0.0);
        assert_eq!(width("3", "published-n = 1\nrounded = true"), 0.5);
        // An error that is known covers the digits.
        assert_eq!(width("0.99", "exact = true"), 0.0);
    }

    fn half(decimals: i32) -> f64 {
        0.5 * 0.1_f64.powi(decimals)
    }

    #[test]
    fn a_best_point_is_a_choice() {
        let least = "column = 'c'\nmetric = 'm'\nleast-at = 'x.nodes'\namong = [1]";
        let quantity: Quantity = toml::from_str(least).unwrap();
        let found = allowance(&value("3"), &estimate(), &quantity, &Rule::default(), None);
        assert_eq!(found, Some(Allowance::Choice));
    }
}
