//! The known name that a misspelt one is nearest to.

/// The number of characters by which two texts differ: inserted, left out, replaced, or two neighbours
/// swapped (Damerau and Levenshtein).
#[must_use]
pub fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

/// The name nearest to `word`, the first in alphabetic order of several, if few characters differ: at
/// most one, and one more for every six characters of the word; none of a word of one or two characters.
#[must_use]
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = match word.chars().count() {
        0..3 => 0,
        length => 1 + length / 6,
    };
    names
        .into_iter()
        .map(|name| (distance(word, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_characters_may_differ() {
        let names = ["overlay", "underlay", "workload", "k"];
        assert_eq!(nearest("ovrelay", names), Some("overlay"));
        assert_eq!(nearest("wokloda", names), Some("workload"));
        assert_eq!(nearest("storage", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest("k", names), Some("k"));
        assert_eq!(nearest("aab", ["aaa", "bab"]), Some("aaa"));
        assert_eq!(nearest("overlay", []), None);
    }
}
