//! Text as Java counts it: in UTF-16 units, where half of a surrogate pair can stand alone.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::LONE_SURROGATE_FIRST;

/// The first byte in UTF-8 of every character from U+100000 on, and so of a lone surrogate.
const TOP_PLANE: u8 = 0xF4;

/// Whether `c` stands for half of a surrogate pair.
pub fn is_lone_surrogate(c: char) -> bool {
    u32::from(c) >= LONE_SURROGATE_FIRST
}

/// The UTF-16 units of `text`, as Java's `charAt` gives them.
pub fn utf16_units(text: &str) -> impl Iterator<Item = u16> + '_ {
    text.chars().flat_map(|c| {
        let code = u32::from(c);
        let (first, second) = if code >= LONE_SURROGATE_FIRST {
            ((code - LONE_SURROGATE_FIRST + 0xD800) as u16, None)
        } else if code >= 0x1_0000 {
            let pair = code - 0x1_0000;
            ((0xD800 + (pair >> 10)) as u16, Some((0xDC00 + (pair & 0x3FF)) as u16))
        } else {
            (code as u16, None)
        };
        std::iter::once(first).chain(second)
    })
}

/// What Java's `codePointAt` gives at each unit of `text`: a pair at its first half, and the second half alone.
pub fn code_points_at_units(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(|c| {
        let is_pair = u32::from(c) >= 0x1_0000 && !is_lone_surrogate(c);
        let low = is_pair.then(|| lone(0xDC00 | (u32::from(c) & 0x3FF) as u16));
        std::iter::once(c).chain(low)
    })
}

/// `String.replace` with an empty target: `new` before, between and behind all units of `text`.
pub fn interspersed(text: &str, new: &str) -> String {
    let mut out = new.to_owned();
    for unit in utf16_units(text) {
        out.push_str(&from_utf16_units([unit]));
        out.push_str(new);
    }
    out
}

/// Text from UTF-16 units; halves of pairs that stand alone are carried as lone surrogates.
pub fn from_utf16_units(units: impl IntoIterator<Item = u16>) -> String {
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or_else(|e| lone(e.unpaired_surrogate())))
        .collect()
}

/// The character that carries the lone surrogate `unit`.
fn lone(unit: u16) -> char {
    char::from_u32(LONE_SURROGATE_FIRST + u32::from(unit & 0x7FF)).unwrap_or('?')
}

/// How many UTF-16 units `text` has: Java's `length()`.
pub fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { utf16_units(text).count() }
}

/// The units from `start` to `end`, which may cut a pair: Java's `substring`.
///
/// Positions past the end mean the end.
pub fn substring_utf16(text: &str, start: usize, end: usize) -> Cow<'_, str> {
    if text.is_ascii() {
        let end = end.min(text.len());
        return Cow::Borrowed(&text[start.min(end)..end]);
    }
    let (from, starts_in_pair) = byte_position(text, start);
    let (to, ends_in_pair) = byte_position(text, end);
    if starts_in_pair || ends_in_pair {
        let count = end.saturating_sub(start);
        return Cow::Owned(from_utf16_units(utf16_units(text).skip(start).take(count)));
    }
    Cow::Borrowed(text.get(from..to).unwrap_or(""))
}

/// Where the unit at `index` begins, and whether it is the second of a pair.
fn byte_position(text: &str, index: usize) -> (usize, bool) {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= index {
            return (at, units > index);
        }
        units += if is_lone_surrogate(c) { 1 } else { c.len_utf16() };
    }
    (text.len(), units > index)
}

/// Compares unit by unit: Java's `compareTo`, in which U+FFFD comes after an emoji.
pub fn compare_utf16(left: &str, right: &str) -> Ordering {
    let same = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    match (left.as_bytes().get(same), right.as_bytes().get(same)) {
        // From U+E000 on, UTF-8 and UTF-16 order differently.
        (Some(0xEE..), Some(0xEE..)) => utf16_units(left).cmp(utf16_units(right)),
        (Some(a), Some(b)) if *a >= 0x80 && *b >= 0x80 => utf16_units(left).cmp(utf16_units(right)),
        (a, b) => a.cmp(&b),
    }
}

/// The bytes of `getBytes(UTF_8)`: a lone surrogate becomes `?`.
pub fn to_utf8_bytes(text: &str) -> Cow<'_, [u8]> {
    if memchr::memchr(TOP_PLANE, text.as_bytes()).is_none() || !text.chars().any(is_lone_surrogate)
    {
        return Cow::Borrowed(text.as_bytes());
    }
    let joined = from_utf16_units(utf16_units(text));
    let plain = joined.chars().map(|c| if is_lone_surrogate(c) { '?' } else { c });
    Cow::Owned(plain.collect::<String>().into_bytes())
}

/// Java's `trim`: everything up to a blank goes, at both ends.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_beyond_the_first_plane_has_two_units() {
        assert_eq!(utf16_len("a😀b"), 4);
        assert_eq!(substring_utf16("a😀b", 1, 3), "😀");
        assert_eq!(substring_utf16("a😀b", 3, 9), "b");
        assert_eq!(substring_utf16("abc", 1, 2), "b");
        assert_eq!(substring_utf16("é", 1, 1), "");
    }

    #[test]
    fn half_a_pair_stands_alone_and_joins_again() {
        let (high, low) = (substring_utf16("a😀b", 0, 2), substring_utf16("a😀b", 2, 4));
        assert_eq!(utf16_len(&high), 2);
        assert_eq!(*to_utf8_bytes(&high), *b"a?");
        assert_eq!(*to_utf8_bytes(&low), *b"?b");
        assert_eq!(*to_utf8_bytes(&format!("{high}{low}")), *"a😀b".as_bytes());
        assert_eq!(*to_utf8_bytes("\u{10F000}"), *"\u{10F000}".as_bytes());
    }

    #[test]
    fn order_is_that_of_utf16() {
        assert_eq!(compare_utf16("a", "b"), Ordering::Less);
        assert_eq!(compare_utf16("ab", "a"), Ordering::Greater);
        assert_eq!(compare_utf16("\u{FFFD}", "😀"), Ordering::Greater);
        assert_eq!(compare_utf16("é", "z"), Ordering::Greater);
        assert_eq!(compare_utf16("😀", "😀"), Ordering::Equal);
    }
}
