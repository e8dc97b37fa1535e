//! The words in which Jackson refuses a text.

/// The longest part of a number that a message quotes.
const QUOTED_NUMBER_MAX: usize = 1_000;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum TextKind {
    Name,
    Value,
}

impl TextKind {
    pub(super) fn described(self) -> &'static str {
        if self == Self::Name { "name" } else { "string value" }
    }

    pub(super) fn unclosed(self, is_empty: bool) -> String {
        let place = match self {
            Self::Value => " in VALUE_STRING",
            Self::Name if is_empty => ": was expecting closing '\"' for name",
            Self::Name => " in field name",
        };
        format!("Unexpected end-of-input{place}")
    }
}

pub(super) fn non_standard(word: &str) -> String {
    format!(
        "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
    )
}

pub(super) fn unexpected(byte: u8, message: &str) -> String {
    unexpected_char(char::from(byte), message)
}

pub(super) fn unexpected_char(c: char, message: &str) -> String {
    format!("Unexpected character ({}): {message}", describe(c))
}

pub(super) fn unexpected_in_number(byte: u8, message: &str) -> String {
    format!("Unexpected character ({}) in numeric value: {message}", describe(char::from(byte)))
}

/// A number whose exponent Java's `BigDecimal` does not take.
pub(super) fn no_decimal(text: &str, reason: &str) -> String {
    let quoted = match text.get(..QUOTED_NUMBER_MAX) {
        Some(start) if start.len() < text.len() => {
            format!("{start}(truncated, full length is {} chars)", text.len())
        }
        _ => text.to_owned(),
    };
    format!("Value \"{quoted}\" can not be represented as `java.math.BigDecimal`, reason: {reason}")
}

pub(super) fn describe(c: char) -> String {
    let code = u32::from(c);
    match code {
        0..0x20 | 0x7F..0xA0 => format!("(CTRL-CHAR, code {code})"),
        0..=0xFF => format!("'{c}' (code {code})"),
        _ => format!("'{c}' (code {code} / 0x{code:x})"),
    }
}

pub(super) fn is_identifier_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

pub(super) fn is_identifier_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '\0'..='\u{8}' | '\u{e}'..='\u{1b}')
}
