//! Text to decimal, as `new BigDecimal(String)` reads it, in digits of any script.

use num_bigint::BigInt;

use super::{DIGITS_MAX, Decimal, DecimalDigits, DecimalError};

/// Where the runs of ten digits begin that `Character.digit` knows.
const ZEROS: [u32; 37] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// Above this many characters Java words its complaint about a wrong one in another way.
const COMPACT_CHARS_MAX: usize = 18;

/// The most characters of an exponent, zeros before it left out.
const EXPONENT_CHARS_MAX: usize = 10;

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
    /// Reads `[+-]digits[.digits][e[+-]digits]`, of no more than [`DIGITS_MAX`] digits.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let DecimalDigits { is_negative, digits, scale } = DecimalDigits::parse(text)?;
        if digits.len() > DIGITS_MAX as usize {
            return Err(DecimalError::TooLarge);
        }
        // Most numbers are short, and `BigInt` takes long to read them.
        let unscaled = match digits.parse::<i64>() {
            Ok(short) => BigInt::from(short),
            Err(_) => digits.parse().map_err(|_| DecimalError::Text("No digits found.".into()))?,
        };
        Ok(Self { unscaled: if is_negative { -unscaled } else { unscaled }, scale })
    }
}

impl DecimalDigits {
    /// Reads `[+-]digits[.digits][e[+-]digits]`, of however many digits.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let error = |message: &'static str| DecimalError::Text(message.into());
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if text.is_empty() {
            return Err(DecimalError::Incomplete(0));
        }
        let mut digits = String::with_capacity(unsigned.len());
        let mut has_digits = false;
        let mut fraction: Option<i64> = None;
        let mut exponent = 0;
        for (at, c) in unsigned.char_indices() {
            if let Some(digit) = unicode_digit(c).and_then(|digit| char::from_digit(digit, 10)) {
                has_digits = true;
                if digit != '0' || !digits.is_empty() {
                    digits.push(digit);
                }
                fraction = fraction.map(|count| count + 1);
            } else if c == '.' && fraction.is_some() {
                return Err(error("Character array contains more than one decimal point."));
            } else if c == '.' {
                fraction = Some(0);
            } else if !matches!(c, 'e' | 'E') {
                return Err(wrong_character(c, unsigned));
            } else if !has_digits {
                return Err(error("No digits found."));
            } else {
                exponent = parse_exponent(&unsigned[at + 1..], text)?;
                break;
            }
        }
        if !has_digits {
            return Err(error("No digits found."));
        }
        if digits.is_empty() {
            digits.push('0');
        }
        let scale = fraction.unwrap_or(0) - exponent;
        let scale = i32::try_from(scale).map_err(|_| error("Scale out of range."))?;
        let is_negative = text.starts_with('-') && digits != "0";
        Ok(Self { is_negative, digits, scale })
    }
}

fn wrong_character(c: char, text: &str) -> DecimalError {
    if utf16_len(text) > COMPACT_CHARS_MAX {
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

/// Java's `length()`.
fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Reads what follows the `e` of the number `whole`.
fn parse_exponent(text: &str, whole: &str) -> Result<i64, DecimalError> {
    let error = |message: &'static str| DecimalError::Text(message.into());
    let mut digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return Err(DecimalError::Incomplete(utf16_len(whole)));
    }
    let mut len = utf16_len(digits);
    while len > EXPONENT_CHARS_MAX
        && let Some(c) = digits.chars().next().filter(|c| unicode_digit(*c) == Some(0))
    {
        digits = &digits[c.len_utf8()..];
        len -= 1;
    }
    if len > EXPONENT_CHARS_MAX {
        return Err(error("Too many nonzero exponent digits."));
    }
    let mut exponent = 0_i64;
    for c in digits.chars() {
        let digit = unicode_digit(c).ok_or_else(|| error("Not a digit."))?;
        exponent = exponent * 10 + i64::from(digit);
    }
    let exponent = if text.starts_with('-') { -exponent } else { exponent };
    if i32::try_from(exponent).is_err() {
        return Err(error("Exponent overflow."));
    }
    Ok(exponent)
}
