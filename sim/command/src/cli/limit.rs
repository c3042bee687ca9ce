//! The memory limit of a command's runs.

use super::overview;
use dhtlab_core::engine::memory;
use std::str::FromStr;

/// An amount of memory, such as "4 GB" or "512MiB".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount(pub u64);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected an amount such as \"4 GB\", found \"{text}\"");
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'));
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let number: f64 = number.parse().map_err(|_| expected())?;
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return Err(expected()),
        };
        let bytes = number * factor;
        if bytes < 1.0 {
            return Err(expected());
        }
        Ok(Self(bytes as u64))
    }
}

/// Sets the limit of the process: the `amount`, or four fifths of the machine's free memory.
pub(super) fn set(amount: Option<Amount>) {
    let limit = amount.map(|amount| amount.0).or_else(|| {
        let own = memory::resident().unwrap_or(0);
        Some(own + memory::available()? / 5 * 4)
    });
    memory::set_limit(limit.unwrap_or(u64::MAX));
}

/// Whether the process exceeds its limit so far that it must end, because an active run does not
/// check the limit.
pub(super) fn is_far_exceeded() -> bool {
    let limit = memory::limit();
    memory::resident().is_some_and(|now| now > limit.saturating_add(limit / 8))
}

/// The limit as text.
pub(super) fn text() -> String {
    overview::bytes(memory::limit() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        let read = |text: &str| text.parse::<Amount>().map(|amount| amount.0);
        assert_eq!(read("4 GB"), Ok(4_000_000_000));
        assert_eq!(read("1.5MiB"), Ok(1_572_864));
        assert_eq!(read("1000"), Ok(1000));
        for bad in ["", "GB", "-1 GB", "4 parsecs", "0", "1e3 MB"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
