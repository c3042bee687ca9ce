//! Good inputs made bad.

use dhtlab_core::engine::Stream;
use rand::RngExt;

/// Inputs on which readers often fail, and words that some of them look for.
const WORDS: &[&str] = &[
    "0",
    "-1",
    "1",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "-9223372036854775809",
    "1e308",
    "1e-320",
    "nan",
    "NaN",
    "-inf",
    "0.5",
    "5ms",
    "1e9",
    "100000000",
    "\u{feff}",
    "\u{e9}",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "<![CDATA[",
    "]]>",
    "&#x10FFFF;",
    "&#0;",
    "&x;",
    "#",
    "%",
    "*",
    "|",
    ",",
    ";",
    "\t",
    "\r\n",
    "\n",
    "\n\n",
    " ",
    "=",
    ":",
    ".",
    "..",
    "graph [",
    "node [ id 1 ]",
    "<graph>",
    "<node id=\"a\"/>",
    "<key id=\"k\" for=\"edge\"/>",
    "%%MatrixMarket matrix coordinate real general",
    "*Vertices 99999999",
    "*Edges",
    "p edge 9 9",
    "Nodes: ( 3 )",
    "Edges: ( 2 )",
    "% sym weighted",
    "null",
    "true",
    "[[sweep.zip]]",
    "join",
    "crash",
];

fn below(stream: &mut Stream, most: usize) -> usize {
    stream.random_range(0..most.max(1))
}

/// A part of `bytes`, short more often than long.
fn part(bytes: &[u8], stream: &mut Stream) -> std::ops::Range<usize> {
    let start = below(stream, bytes.len() + 1);
    let most = (bytes.len() - start).min(1 << below(stream, 12));
    start..start + below(stream, most + 1)
}

/// One of `seeds` with some changes.
pub fn mutate(seeds: &[Vec<u8>], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = seeds[below(stream, seeds.len())].clone();
    for _ in 0..1 + below(stream, 6) {
        let at = below(stream, bytes.len() + 1);
        let range = part(&bytes, stream);
        match below(stream, 9) {
            0 if at < bytes.len() => bytes[at] = below(stream, 256) as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << below(stream, 8),
            2 => drop(bytes.drain(range)),
            3 => {
                let most = 1 << below(stream, 8);
                let again = bytes[range].repeat(1 + below(stream, most));
                drop(bytes.splice(at..at, again));
            }
            4 => {
                let other = &seeds[below(stream, seeds.len())];
                let other = other[part(other, stream)].to_vec();
                drop(bytes.splice(at..at, other));
            }
            5 => bytes.truncate(at),
            6 => replace_number(&mut bytes, at, stream),
            _ => {
                let word = WORDS[below(stream, WORDS.len())].bytes();
                drop(bytes.splice(range, word));
            }
        }
        bytes.truncate(1 << 20);
    }
    bytes
}

/// Puts another number in the place of the first one from `at` on.
fn replace_number(bytes: &mut Vec<u8>, at: usize, stream: &mut Stream) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = at + start;
    let length = bytes[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let end = start + length.count();
    let number = match below(stream, 3) {
        0 => below(stream, 10).to_string(),
        1 => {
            let most = 1 << below(stream, 34);
            below(stream, most).to_string()
        }
        _ => WORDS[below(stream, 15)].to_owned(),
    };
    drop(bytes.splice(start..end, number.into_bytes()));
}
