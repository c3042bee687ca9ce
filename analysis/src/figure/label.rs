//! Names and numbers as readable text.

/// A label from the name of a swept key, metric or column: `underlay_hops_mean` becomes
/// "underlay hops, mean", `latency_ms` becomes "latency (ms)".
pub fn readable(name: &str) -> String {
    const STATISTICS: [&str; 7] = ["mean", "sd", "median", "min", "max", "total", "variance"];
    const UNITS: [&str; 6] = ["ns", "us", "ms", "s", "bytes", "percent"];
    let mut words: Vec<&str> = name
        .split(['.', '_', '-', ' '])
        .filter(|word| !word.is_empty())
        .collect();
    let percentile =
        |word: &str| word.len() > 1 && word.starts_with('p') && word[1..].parse::<u32>().is_ok();
    let is_statistic = |word: &str| STATISTICS.contains(&word) || percentile(word);
    // Both orders are in use: latency_ms_mean and latency_mean_ms.
    let (mut statistic, mut unit) = (None, None);
    while words.len() > 1 {
        let last = words[words.len() - 1];
        if statistic.is_none() && is_statistic(last) {
            statistic = words.pop();
        } else if unit.is_none() && UNITS.contains(&last) {
            unit = words.pop();
        } else {
            break;
        }
    }
    let mut label = words.join(" ");
    if let Some(statistic) = statistic {
        label.push_str(", ");
        label.push_str(statistic);
    }
    match unit {
        Some("us") => label.push_str(" (µs)"),
        Some("percent") => label.push_str(" (%)"),
        Some(unit) => label = format!("{label} ({unit})"),
        None => {}
    }
    label
}

/// The value of a swept key outside of its axis: texts unchanged, numbers with the last part of the
/// key, as in "dimensions = 4".
pub fn value_of(key: &str, value: &str) -> String {
    named(key, value, value)
}

/// [`value_of`] in a figure, where large whole numbers are easier to read.
pub fn typeset_value_of(key: &str, value: &str) -> String {
    let shown = value.parse().map_or_else(|_| value.to_owned(), whole);
    named(key, value, &shown)
}

fn named(key: &str, value: &str, shown: &str) -> String {
    let number = value
        .split_whitespace()
        .next()
        .is_some_and(|word| word.parse::<f64>().is_ok());
    if number || matches!(value, "true" | "false" | "") {
        let short = key.rsplit('.').next().unwrap_or(key);
        return format!("{} = {shown}", short.replace(['-', '_'], " "));
    }
    value.to_owned()
}

/// A number with `decimals` digits after the point, a true minus sign and, from 10,000 on, commas
/// between the thousands.
pub fn number(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits.as_str(), None),
    };
    let mut text = String::new();
    if value < 0.0 && digits.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        text.push('−');
    }
    for (place, digit) in whole.chars().enumerate() {
        if whole.len() > 4 && place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A whole number: from a million on, a power of ten as such.
fn whole(value: u64) -> String {
    let exponent = value.checked_ilog10().unwrap_or(0);
    if exponent >= 6 && 10_u64.pow(exponent) == value {
        return power_of_ten(exponent as i32);
    }
    number(value as f64, 0)
}

/// A number with about `significant` digits and no trailing zeros.
pub fn rounded(value: f64, significant: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..7).contains(&magnitude) {
        let mantissa = value / 10_f64.powi(magnitude);
        return format!("{}×10{}", rounded(mantissa, significant), raised(magnitude));
    }
    let decimals = (significant - 1 - magnitude).max(0) as usize;
    let text = number(value, decimals);
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A power of ten with its exponent raised.
pub fn power_of_ten(exponent: i32) -> String {
    format!("10{}", raised(exponent))
}

fn raised(exponent: i32) -> String {
    let text = exponent.to_string();
    text.chars().filter_map(raised_char).collect()
}

/// A character as a superscript, if the font has it.
fn raised_char(c: char) -> Option<char> {
    const RAISED: [(char, char); 25] = [
        ('0', '⁰'),
        ('1', '¹'),
        ('2', '²'),
        ('3', '³'),
        ('4', '⁴'),
        ('5', '⁵'),
        ('6', '⁶'),
        ('7', '⁷'),
        ('8', '⁸'),
        ('9', '⁹'),
        ('.', '·'),
        ('-', '⁻'),
        ('−', '⁻'),
        ('+', '⁺'),
        ('(', '⁽'),
        (')', '⁾'),
        ('H', 'ᴴ'),
        ('d', 'ᵈ'),
        ('h', 'ʰ'),
        ('i', 'ⁱ'),
        ('k', 'ᵏ'),
        ('m', 'ᵐ'),
        ('n', 'ⁿ'),
        ('r', 'ʳ'),
        ('t', 'ᵗ'),
    ];
    let found = RAISED.iter().find(|(from, _)| *from == c);
    found.map(|&(_, to)| to)
}

/// `text` with its exponents raised: "10^8" becomes "10⁸". An exponent is a number, a letter, or
/// anything in brackets, which fall away.
pub fn typeset(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('^') {
        out.push_str(before);
        let inner = after.strip_prefix(['(', '{']);
        let exponent = match inner.and_then(|inner| inner.find([')', '}'])) {
            Some(end) => &after[1..=end],
            None => {
                let sign = after.len() - after.trim_start_matches(['-', '−']).len();
                let number = |c: char| c.is_ascii_digit() || c == '.';
                let digits = after[sign..].find(|c| !number(c));
                let digits = digits.unwrap_or(after.len() - sign);
                let length = if digits > 0 { sign + digits } else { 1 };
                after
                    .get(..length)
                    .unwrap_or_default()
                    .trim_end_matches('.')
            }
        };
        let raised: Option<String> = exponent.chars().map(raised_char).collect();
        match raised {
            Some(raised) if !raised.is_empty() => {
                out.push_str(&raised);
                let brackets = usize::from(after.starts_with(['(', '{']));
                rest = &after[exponent.len() + 2 * brackets..];
            }
            _ => {
                out.push('^');
                rest = after;
            }
        }
    }
    out + rest
}

/// The seconds of a duration such as "30 s" or "100 ms".
pub fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let value: f64 = text[..split].trim().parse().ok()?;
    let unit = match text[split..].trim() {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    Some(value * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels() {
        for (name, label) in [
            ("overlay.nodes", "overlay nodes"),
            ("underlay_hops_mean", "underlay hops, mean"),
            ("latency_ms", "latency (ms)"),
            ("latency_ms_mean", "latency, mean (ms)"),
            ("latency_p99_ms", "latency, p99 (ms)"),
            ("churn.session-length", "churn session length"),
            ("hops", "hops"),
            ("mean", "mean"),
            ("delay_us", "delay (µs)"),
        ] {
            assert_eq!(readable(name), label);
        }
    }

    #[test]
    fn numbers_are_grouped_from_ten_thousand() {
        for (value, decimals, text) in [
            (1234.0, 0, "1234"),
            (10_000.0, 0, "10,000"),
            (1_234_567.0, 0, "1,234,567"),
            (-0.25, 2, "−0.25"),
            (0.1 + 0.2, 1, "0.3"),
            (-0.0001, 1, "0.0"),
        ] {
            assert_eq!(number(value, decimals), text);
        }
        assert_eq!(rounded(0.862_31, 3), "0.862");
        assert_eq!(rounded(0.5, 3), "0.5");
        assert_eq!(rounded(12.0, 3), "12");
        assert_eq!(rounded(123_456.0, 3), "123,456");
        assert_eq!(rounded(0.000_012_3, 3), "1.23×10⁻⁵");
    }

    #[test]
    fn exponents_are_raised() {
        for (text, typeset_text) in [
            ("10^8 samples", "10⁸ samples"),
            ("1.97 x^0.986", "1.97 x⁰·⁹⁸⁶"),
            ("x^−0.5.", "x⁻⁰·⁵."),
            ("A p^r τ^(r-1), r = 2", "A pʳ τʳ⁻¹, r = 2"),
            ("1 - E[(1-f)^H]", "1 - E[(1-f)ᴴ]"),
            ("n^(1/d) and k^", "n^(1/d) and k^"),
        ] {
            assert_eq!(typeset(text), typeset_text);
        }
        assert_eq!(
            typeset_value_of("job.samples", "100000000"),
            "samples = 10⁸"
        );
        assert_eq!(typeset_value_of("nodes", "20000000"), "nodes = 20,000,000");
        assert_eq!(typeset_value_of("nodes", "1000"), "nodes = 1000");
    }

    #[test]
    fn values_stand_for_themselves() {
        assert_eq!(value_of("overlay.protocol", "chord"), "chord");
        assert_eq!(value_of("overlay.vhash.dimensions", "4"), "dimensions = 4");
        assert_eq!(
            value_of("time.session-length", "30 s"),
            "session length = 30 s"
        );
        assert_eq!(seconds("100 ms"), Some(0.1));
        assert_eq!(seconds("100"), None);
        assert_eq!(seconds("chord"), None);
    }
}
