//! The width of texts, and how they are broken or shortened to fit.
//!
//! The widths are those of the crate's font, so that a layout never depends on the fonts of a
//! system.

use super::label::typeset;

/// The width of `text` in the crate's font at `size` pixels. Most other fonts are narrower.
pub fn text_width(text: &str, size: f64) -> f64 {
    /// The advance widths of DejaVu Sans from space to tilde, in thousandths of the size.
    const ADVANCES: [u16; 95] = [
        318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636,
        636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698,
        770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732,
        684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635,
        634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,
        525, 636, 337, 636, 838,
    ];
    let advance = |c: char| match c {
        ' '..='~' => ADVANCES[c as usize - 32],
        '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' => 401,
        '·' => 318,
        '−' | '×' => 838,
        // Chinese, Japanese and Korean.
        '\u{2e80}'.. => 1000,
        _ => 700,
    };
    text.chars().map(|c| f64::from(advance(c))).sum::<f64>() * size / 1000.0
}

/// Breaks `text`, with its exponents raised, into lines no wider than `width`: at spaces, and in words
/// that are wider. Where no word has room, words are not broken.
pub fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let text = typeset(text);
    let words = text.split_whitespace();
    for word in words.flat_map(|word| parts(word, size, width)) {
        if let Some(line) = lines.last_mut()
            && text_width(&format!("{line} {word}"), size) <= width
        {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The parts of a word that are no wider than `width`, or than six times its size.
fn parts(word: &str, size: f64, width: f64) -> Vec<&str> {
    let width = width.max(6.0 * size);
    let mut parts = Vec::new();
    let mut rest = word;
    while text_width(rest, size) > width {
        let ends = rest.char_indices().map(|(end, _)| end).skip(1);
        let fitting = ends.take_while(|end| text_width(&rest[..*end], size) <= width);
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = fitting.last().unwrap_or(first);
        if end == rest.len() {
            break;
        }
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts.push(rest);
    parts
}

/// `text`, or as much of its beginning as fits into `width` with an ellipsis.
pub fn shortened(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = text.to_owned();
    while kept.pop().is_some() && text_width(&format!("{}…", kept.trim_end()), size) > width {}
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_wrap_between_words() {
        let lines = wrapped(
            "one two three four",
            10.0,
            text_width("one two", 10.0) + 1.0,
        );
        assert_eq!(lines, ["one two", "three", "four"]);
    }

    #[test]
    fn words_that_do_not_fit_are_broken() {
        let width = text_width("decentralised", 10.0);
        let lines = wrapped("a decentraliseddecentraliseds b", 10.0, width);
        assert_eq!(lines, ["a", "decentralised", "decentralised", "s b"]);
        assert_eq!(
            wrapped("分散ハッシュ表分散", 10.0, 60.0),
            ["分散ハッシュ", "表分散"]
        );
        assert_eq!(wrapped("one two", 10.0, 0.0), ["one", "two"]);
    }

    #[test]
    fn texts_are_cut_only_where_they_must_be() {
        assert_eq!(shortened("one two", 10.0, 100.0), "one two");
        let width = text_width("one…", 10.0) + 1.0;
        assert_eq!(shortened("one two", 10.0, width), "one…");
        assert_eq!(shortened("one", 10.0, 0.0), "…");
    }
}
