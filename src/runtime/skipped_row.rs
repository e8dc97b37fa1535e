//! What a record that was skipped holds, as texts that may be shown to people who may see rows.

use std::fmt::Write as _;

use super::raw_records::RawRecords;
use crate::types::Timestamp;

/// How many characters of a key and of a value are kept.
const KEY_CHARS: usize = 200;
const VALUE_CHARS: usize = 1_000;

/// What a record that was skipped holds, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkippedRow {
    /// Its time.
    pub timestamp: Option<Timestamp>,
    /// The begin of its key.
    pub key: Option<String>,
    /// The begin of its value, or of the row that was made of it.
    pub value: Option<String>,
}

impl SkippedRow {
    /// That of a record as it was fetched.
    pub(super) fn of_record(records: &RawRecords<'_>, row: usize) -> Self {
        let shown = |bytes: Option<&[u8]>, chars| bytes.map(|bytes| shown(bytes, chars));
        Self {
            timestamp: records.timestamps.get(row).copied().map(Timestamp),
            key: shown(records.keys.get(row).copied().flatten(), KEY_CHARS),
            value: shown(records.values.get(row).copied().flatten(), VALUE_CHARS),
        }
    }

    /// The same with a text for its value, where it has none.
    pub(super) fn or_value(mut self, text: Option<&str>) -> Self {
        if self.value.is_none() {
            self.value = text.map(|text| shown(text.as_bytes(), VALUE_CHARS));
        }
        self
    }

    /// What may be told to those who may not see rows.
    #[must_use]
    pub(super) fn without_texts(self) -> Self {
        Self { timestamp: self.timestamp, ..Self::default() }
    }

    /// How many bytes its texts take.
    pub(super) fn bytes(&self) -> usize {
        [&self.key, &self.value].into_iter().flatten().map(String::len).sum()
    }
}

/// The begin of some bytes, and how many there are where that is not all of them.
fn shown(bytes: &[u8], chars_max: usize) -> String {
    let (mut text, is_all) = plain_text(bytes, chars_max);
    if !is_all {
        // What is written to a string does not fail.
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text
}

/// So many characters of bytes: as they are where they are a text, otherwise with escapes as in Rust. Whether those are all.
pub(super) fn plain_text(bytes: &[u8], chars_max: usize) -> (String, bool) {
    // No character has more bytes than four; one that is cut in two is left out.
    let begin = &bytes[..bytes.len().min(chars_max.saturating_mul(4))];
    let is_plain = |text: &&str| !text.contains(char::is_control);
    let begin = match std::str::from_utf8(begin) {
        Err(error) if begin.len() < bytes.len() && error.error_len().is_none() => {
            &begin[..error.valid_up_to()]
        }
        _ => begin,
    };
    let plain = std::str::from_utf8(begin).ok().filter(is_plain);
    let all = plain.map_or_else(|| begin.escape_ascii().to_string(), str::to_owned);
    let text: String = all.chars().take(chars_max).collect();
    let is_all = text.len() == all.len() && begin.len() == bytes.len();
    (text, is_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_texts_where_they_are_such() {
        assert_eq!(shown(b"{\"n\": 1}", 20), "{\"n\": 1}");
        assert_eq!(shown(b"d1\0\x90", 20), r"d1\x00\x90");
        assert_eq!(shown("äöü".repeat(5).as_bytes(), 4), "äöüä… (30 bytes)");
        // Ten bytes are looked at of these, in the middle of a character.
        assert_eq!(shown("ä€€€€€".as_bytes(), 2), "ä€… (17 bytes)");
        assert_eq!(shown(&[b'x'; 9_000], 3), "xxx… (9000 bytes)");
    }
}
