//! The text behind some bytes: which encoding they are in, and how errors quote them.

use std::borrow::Cow;
use std::fmt::Write;

use crate::java::from_utf16_units;

/// How many bytes an error quotes.
const QUOTED_BYTES_MAX: usize = 500;

/// An encoding, as Jackson finds it out from the first four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { big: bool },
    Utf32 { big: bool },
}

/// Turns `bytes` into UTF-8, which stays unchecked. A byte order mark is dropped.
pub(in crate::formats) fn to_utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let (encoding, from) = detect(bytes)?;
    let bytes = &bytes[from..];
    match encoding {
        Encoding::Utf8 => Ok(Cow::Borrowed(bytes)),
        Encoding::Utf16 { big } => Ok(Cow::Owned(utf16(bytes, big).into_bytes())),
        Encoding::Utf32 { big } => utf32(bytes, big).map(|text| Cow::Owned(text.into_bytes())),
    }
}

/// The encoding, and the length of the byte order mark.
#[expect(clippy::match_same_arms, reason = "the order of the arms is Jackson's")]
fn detect(bytes: &[u8]) -> Result<(Encoding, usize), String> {
    let (utf16, utf32) = (|big| Encoding::Utf16 { big }, |big| Encoding::Utf32 { big });
    Ok(match *bytes {
        [0, 0, 0xFE, 0xFF, ..] => (utf32(true), 4),
        [0xFF, 0xFE, 0, 0, ..] => (utf32(false), 4),
        [0, 0, 0xFF, 0xFE, ..] => return Err(unusual("2143")),
        [0xFE, 0xFF, 0, 0, ..] => return Err(unusual("3412")),
        [0xFE, 0xFF, _, _, ..] => (utf16(true), 2),
        [0xFF, 0xFE, _, _, ..] => (utf16(false), 2),
        [0xEF, 0xBB, 0xBF, _, ..] => (Encoding::Utf8, 3),
        [0, 0, 0, _, ..] => (utf32(true), 0),
        [_, 0, 0, 0, ..] => (utf32(false), 0),
        [0, _, 0, 0, ..] => return Err(unusual("3412")),
        [0, 0, _, 0, ..] => return Err(unusual("2143")),
        [0, _, ..] => (utf16(true), 0),
        [_, 0, ..] => (utf16(false), 0),
        _ => (Encoding::Utf8, 0),
    })
}

fn unusual(order: &str) -> String {
    format!("Unsupported UCS-4 endianness ({order}) detected")
}

fn utf16(bytes: &[u8], big: bool) -> String {
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    });
    let decoded = char::decode_utf16(units);
    decoded.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn utf32(bytes: &[u8], big: bool) -> Result<String, String> {
    let mut units = Vec::with_capacity(bytes.len() / 4);
    for (index, quad) in bytes.chunks_exact(4).enumerate() {
        let quad = [quad[0], quad[1], quad[2], quad[3]];
        let code = if big { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) };
        match code {
            0..0x1_0000 => units.push(code as u16),
            0x1_0000..0x11_0000 => {
                let mut pair = [0; 2];
                let c = char::from_u32(code).unwrap_or_default();
                units.extend_from_slice(c.encode_utf16(&mut pair));
            }
            _ => {
                return Err(format!(
                    "Invalid UTF-32 character 0x{:x} (above 0x0010ffff) at char #{}, byte #{})",
                    code - 0x1_0000,
                    units.len(),
                    index * 4 + 3
                ));
            }
        }
    }
    Ok(from_utf16_units(units))
}

/// Where something begins, as Jackson's messages name it.
pub(super) fn location(source: &[u8], text: &[u8], at: Option<usize>) -> String {
    let (line, column) = at.map_or((1, 0), |at| line_and_column(text, at));
    format!("[Source: (byte[]){}; line: {line}, column: {column}]", quote(source))
}

fn line_and_column(text: &[u8], at: usize) -> (usize, usize) {
    let (mut line, mut start) = (1, 0);
    for (index, byte) in text[..at].iter().enumerate() {
        let ends_line = *byte == b'\n' || (*byte == b'\r' && text.get(index + 1) != Some(&b'\n'));
        if ends_line {
            (line, start) = (line + 1, index + 1);
        }
    }
    (line, at - start + 1)
}

fn quote(source: &[u8]) -> String {
    let shown = &source[..source.len().min(QUOTED_BYTES_MAX)];
    let mut text = String::from("\"");
    for c in String::from_utf8_lossy(shown).chars() {
        if c.is_control() && !matches!(c, '\r' | '\n') {
            let _ = write!(text, "\\u{:04X}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text.push('"');
    if source.len() > QUOTED_BYTES_MAX {
        let _ = write!(text, "[truncated {} bytes]", source.len() - QUOTED_BYTES_MAX);
    }
    text
}
