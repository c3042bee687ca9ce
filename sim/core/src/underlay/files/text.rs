//! Decoding of a file, and its lines.

use super::{Fault, Format, gml, pajek};
use encoding_rs::{Encoding, WINDOWS_1252};
use std::borrow::Cow;

/// The first bytes of compressed files, and their formats.
const PACKED: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
];

/// The greatest length of an XML declaration, in bytes.
const DECLARATION: usize = 256;

/// Decodes a nonempty file: in the encoding that it declares (a byte order mark, an XML
/// declaration), else in UTF-8, else, for formats older than UTF-8, in ISO 8859-1.
pub(super) fn decode(bytes: &[u8], format: Format) -> Result<Cow<'_, str>, Fault> {
    if let Some((_, name)) = PACKED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Fault::new(1, format!("packed by {name}; unpack it first")));
    }
    let text = if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        decode_as(encoding, &bytes[length..])?
    } else if let Some(encoding) = declared(bytes)? {
        decode_as(encoding, bytes)?
    } else {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) => match latin(bytes, format) {
                Some(text) => text,
                None => {
                    let at = control(bytes).unwrap_or(usize::MAX);
                    return Err(not_text(bytes, at.min(error.valid_up_to())));
                }
            },
        }
    };
    if let Some(at) = control(text.as_bytes()) {
        return Err(not_text(text.as_bytes(), at));
    }
    if text.starts_with("version https://git-lfs") {
        let message =
            "this is a pointer of Git LFS, not the file itself; `git lfs pull` fetches it";
        return Err(Fault::new(1, message));
    }
    if text.trim().is_empty() {
        return Err(Fault::new(1, "the file is empty"));
    }
    Ok(line_ends(text))
}

/// The text with line feeds instead of single carriage returns (old Mac files).
fn line_ends(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut returns = text.match_indices('\r');
    if returns.all(|(at, _)| text[at + 1..].starts_with('\n')) {
        return text;
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// The first control character. They are valid UTF-8, but no format has them.
fn control(bytes: &[u8]) -> Option<usize> {
    let strange = |&byte: &u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    bytes.iter().position(strange)
}

fn not_text(bytes: &[u8], at: usize) -> Fault {
    let ends = bytes[..at].iter().zip(bytes[1..].iter().chain([&0]));
    let ends = ends.filter(|&(&byte, &next)| byte == b'\n' || byte == b'\r' && next != b'\n');
    let line = 1 + ends.count();
    let message = format!("not UTF-8 text: found the byte 0x{:02x}", bytes[at]);
    Fault::new(line, message)
}

fn decode_as<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
    if has_errors {
        let message = format!("not text in {}, which the file declares", encoding.name());
        return Err(Fault::new(1, message));
    }
    Ok(text)
}

/// The encoding that an XML declaration names.
fn declared(bytes: &[u8]) -> Result<Option<&'static Encoding>, Fault> {
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let head = String::from_utf8_lossy(head.trim_ascii_start());
    let declaration = head
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"));
    let Some((_, rest)) = declaration.and_then(|(inside, _)| inside.split_once("encoding")) else {
        return Ok(None);
    };
    let rest = rest.trim_start().trim_start_matches('=').trim_start();
    let label = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let label = label.split(['"', '\'']).next().unwrap_or_default();
    match Encoding::for_label(label.as_bytes()) {
        // A declaration that is readable byte by byte cannot be UTF-16.
        Some(encoding) if encoding.name().starts_with("UTF") => Ok(None),
        Some(encoding) => Ok(Some(encoding)),
        None => Err(Fault::new(
            1,
            "the encoding that the file declares is not known",
        )),
    }
}

/// The text in ISO 8859-1 if its format is older than UTF-8.
fn latin(bytes: &[u8], format: Format) -> Option<Cow<'_, str>> {
    if control(bytes).is_some() {
        return None;
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let is_old = match format {
        Format::Gml | Format::Pajek => true,
        Format::Guess => gml::opens(&text) || pajek::opens(&text),
        _ => false,
    };
    is_old.then_some(text)
}

/// All lines with their numbers from 1.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().zip(1..).map(|(line, number)| (number, line))
}

/// Whether a line is neither empty, nor a comment, nor the one that declares the separator.
pub(super) fn is_data(line: &str) -> bool {
    !line.trim_start().is_empty() && !is_comment(line) && declared_separator(line).is_none()
}

pub(super) fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['#', '%']) || line.starts_with("//")
}

/// The separator in a line `sep=;`, which is the first one of files for Excel.
pub(super) fn declared_separator(line: &str) -> Option<char> {
    let line = line.strip_prefix('"').unwrap_or(line);
    let start = line.get(..4)?;
    let mut rest = line[4..].chars();
    let separator = rest.next().filter(|found| !found.is_alphanumeric())?;
    let is_end = matches!(rest.as_str(), "" | "\"");
    (start.eq_ignore_ascii_case("sep=") && is_end).then_some(separator)
}

/// The lines that are neither empty nor comments, with their numbers.
pub(super) fn data_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    numbered(text).filter(|(_, line)| is_data(line))
}

pub(super) fn last_line(text: &str) -> usize {
    text.lines().count().max(1)
}
