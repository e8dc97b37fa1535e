//! Text to decimal, as `new BigDecimal(String)` reads it, in digits of any script.

use num_bigint::BigInt;

use super::{Decimal, DecimalError};

/// Where the runs of ten digits begin that `Character.digit` knows.
const ZEROS: [u32; 37] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// Above this many characters Java words its complaint about a wrong one in another way.
const COMPACT_CHARS_MAX: usize = 18;

/// The value of a decimal digit of any script of the Basic Multilingual Plane.
pub fn unicode_digit(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let code = u32::from(c);
    let found = ZEROS.partition_point(|zero| *zero <= code);
    ZEROS.get(found.checked_sub(1)?).map(|zero| code - zero).filter(|digit| *digit < 10)
}

impl Decimal {
    /// Reads `[+-]digits[.digits][e[+-]digits]`.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let error = |message: &'static str| DecimalError::Text(message.into());
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if unsigned.len() == text.len() && text.is_empty() {
            return Err(error("Index 0 out of bounds for length 0"));
        }
        let mut digits = String::with_capacity(text.len());
        if text.starts_with('-') {
            digits.push('-');
        }
        let signs = digits.len();
        let mut fraction: Option<i64> = None;
        let mut exponent = 0;
        for (at, c) in unsigned.char_indices() {
            if let Some(digit) = unicode_digit(c).and_then(|digit| char::from_digit(digit, 10)) {
                digits.push(digit);
                fraction = fraction.map(|count| count + 1);
            } else if c == '.' && fraction.is_some() {
                return Err(error("Character array contains more than one decimal point."));
            } else if c == '.' {
                fraction = Some(0);
            } else if matches!(c, 'e' | 'E') {
                exponent = parse_exponent(&unsigned[at + 1..])?;
                break;
            } else {
                return Err(wrong_character(c, unsigned));
            }
        }
        if digits.len() == signs {
            return Err(error("No digits found."));
        }
        let unscaled: BigInt = digits.parse().map_err(|_| error("No digits found."))?;
        let scale = fraction.unwrap_or(0) - exponent;
        let scale = i32::try_from(scale).map_err(|_| error("Scale out of range."))?;
        Ok(Self { unscaled, scale })
    }
}

fn wrong_character(c: char, text: &str) -> DecimalError {
    if text.chars().map(char::len_utf16).sum::<usize>() > COMPACT_CHARS_MAX {
        return DecimalError::Text(
            "Character array is missing \"e\" notation exponential mark.".into(),
        );
    }
    DecimalError::Text(
        format!(
            "Character {c} is neither a decimal digit number, decimal point, nor \"e\" notation \
             exponential mark."
        )
        .into(),
    )
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let error = |message: &'static str| DecimalError::Text(message.into());
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return Err(error("No exponent digits."));
    }
    let mut exponent = 0_i64;
    for c in digits.chars() {
        let digit = unicode_digit(c).ok_or_else(|| error("Not a digit."))?;
        exponent = exponent.saturating_mul(10).saturating_add(i64::from(digit));
    }
    if i32::try_from(exponent).is_err() {
        let long = digits.trim_start_matches('0').chars().count() > 10;
        return Err(error(if long {
            "Too many nonzero exponent digits."
        } else {
            "Exponent overflow."
        }));
    }
    Ok(if text.starts_with('-') { -exponent } else { exponent })
}
