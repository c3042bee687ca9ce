//! Reads a table `[[figure]]`, with errors in the words of other keys.

use crate::toml_value::to_toml;
use dhtlab_core::parameter::Value;
use dhtlab_format::figure::Figure;
use dhtlab_format::nearest::nearest;

/// Reads a table `[[figure]]`.
///
/// # Errors
/// The key that is wrong, relative to the table and empty for the table itself, and what was expected.
pub(super) fn read(table: &Value) -> Result<Figure, (String, String)> {
    to_toml(table).try_into().map_err(|error: toml::de::Error| {
        // The error names the key in its last line only.
        let text = error.to_string();
        let key = text
            .lines()
            .find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
        let key = key.unwrap_or_default();
        match unknown_key(error.message()) {
            Some((unknown, message)) if key.is_empty() => (unknown, message),
            Some((unknown, message)) => (format!("{key}.{unknown}"), message),
            None => (key.to_owned(), in_plain_words(error.message())),
        }
    })
}

/// The key of a message about an unknown one, and what to say of it.
fn unknown_key(message: &str) -> Option<(String, String)> {
    let mut words = message.strip_prefix("unknown field `")?.split('`');
    let unknown = words.next()?;
    let known: Vec<&str> = words.skip(1).step_by(2).collect();
    let advice = match nearest(unknown, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the known ones are {}", known.join(", ")),
    };
    Some((unknown.to_owned(), format!("unknown key; {advice}")))
}

/// The message of an error of the deserialiser in the words of other errors.
fn in_plain_words(message: &str) -> String {
    if let Some(missing) = message.strip_prefix("missing field ") {
        return format!("expected the key {missing}");
    }
    if let Some((found, known)) = message
        .strip_prefix("unknown variant `")
        .and_then(|rest| rest.split_once('`'))
    {
        let known: Vec<String> = known
            .split('`')
            .skip(1)
            .step_by(2)
            .map(|word| format!("\"{word}\""))
            .collect();
        return format!("expected one of {}, found \"{found}\"", known.join(", "));
    }
    // What was found is lost in these.
    if message.contains("expected string only") || message.contains("wanted exactly 1 element") {
        return "expected a text".to_owned();
    }
    let found = ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|begin| message.strip_prefix(begin));
    let length = message.strip_prefix("invalid length ");
    let Some((found, expected)) = found
        .or(length)
        .and_then(|rest| rest.split_once(", expected "))
    else {
        return message.to_owned();
    };
    let expected = match expected {
        "f64" => "a number",
        "a string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "an array of length 2"
        | "a tuple of size 2"
        | "fewer elements in array"
        | "2 elements in sequence" => "a list of two values",
        expected if expected.starts_with(['u', 'i']) && expected[1..].parse::<u32>().is_ok() => {
            "a whole number of at least 0"
        }
        expected if expected.contains("tagged enum") || expected.starts_with("struct ") => {
            "a table"
        }
        other => other,
    };
    let number = ["integer `", "floating point `", "boolean `"]
        .into_iter()
        .find_map(|kind| found.strip_prefix(kind));
    let found = match (length, number) {
        (Some(_), _) => format!("{found} of them"),
        (None, Some(number)) => number.trim_end_matches('`').to_owned(),
        (None, None) => match found.strip_prefix("string ").unwrap_or(found) {
            "sequence" => "a list".to_owned(),
            "map" => "a table".to_owned(),
            other => other.to_owned(),
        },
    };
    format!("expected {expected}, found {found}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error of a figure with these keys.
    fn told(keys: &str) -> (String, String) {
        let table = crate::parse_toml(keys).expect("TOML");
        read(&Value::Table(table)).expect_err("an error")
    }

    #[test]
    fn errors_of_figures_are_in_plain_words() {
        for (keys, place, message) in [
            ("widht = 3", "widht", "unknown key; did you mean `width`?"),
            (
                "theory = [{ curve = \"half-log2\", lable = 2 }]",
                "theory.lable",
                "unknown key; the known ones are from, series-each",
            ),
            ("x = 3", "x", "expected a text, found 3"),
            (
                "width = \"wide\"",
                "width",
                "expected a number, found \"wide\"",
            ),
            ("width = true", "width", "expected a number, found true"),
            (
                "x-range = [1.5]",
                "x-range",
                "expected a list of two values, found 1 of them",
            ),
            (
                "x-range = [1, 2, 3]",
                "x-range",
                "expected a list of two values, found 3 of them",
            ),
            (
                "theory = [{ curve = \"points\", label = \"a\", data = [[1, 2, 3]] }]",
                "theory",
                "expected a list of two values, found 3 of them",
            ),
            (
                "x-range = 2.5",
                "x-range",
                "expected a list of two values, found 2.5",
            ),
            ("title = []", "title", "expected a text, found a list"),
            (
                "kind = \"pie\"",
                "kind",
                "expected one of \"lines\", \"histogram\", \"cumulative\", \"scatter\", \"diagram\", \
                 found \"pie\"",
            ),
            (
                "theory = [{ curve = \"points\", data = [[1, 2]] }]",
                "theory",
                "expected the key `label`",
            ),
            ("kind = 3", "kind", "expected a text"),
            ("kind = {}", "kind", "expected a text"),
            (
                "where = \"`a`\"",
                "where",
                "expected a table, found \"`a`\"",
            ),
            (
                "theory = [{ curve = \"binomial\", trials = -1 }]",
                "theory",
                "expected a whole number of at least 0, found -1",
            ),
            ("theory = [3]", "theory", "expected a table, found 3"),
        ] {
            assert_eq!(told(keys), (place.to_owned(), message.to_owned()), "{keys}");
        }
    }
}
