//! Whole numbers and decimals as Java reads and prints them.

use num_bigint::{BigInt, Sign};

use super::double_to_string;
use crate::types::{Decimal, DecimalError};

/// The zeros of the decimal digits that `Character.digit` knows, ASCII left out.
const DIGIT_ZEROS: [u32; 36] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// Java's `Character.digit(c, 10)`: the digits of all scripts of the first plane.
pub fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.to_digit(10).map(|digit| digit as u8);
    }
    let code = u32::from(c);
    let zero = DIGIT_ZEROS.iter().rev().find(|zero| **zero <= code)?;
    (code - zero < 10).then(|| (code - zero) as u8)
}

/// Java's `Integer.parseInt`: a sign, then digits of any script, and nothing else.
pub fn parse_int(text: &str) -> Option<i32> {
    parse_long(text)?.try_into().ok()
}

/// Java's `Long.parseLong`: a sign, then digits of any script, and nothing else.
pub fn parse_long(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let negative = text.starts_with('-');
    digits.chars().try_fold(0_i64, |value, c| {
        let digit = i64::from(digit(c)?);
        let value = value.checked_mul(10)?;
        if negative { value.checked_sub(digit) } else { value.checked_add(digit) }
    })
}

/// Java's `new BigDecimal(text)`. The error is the exception's message, which may be missing.
pub fn parse_decimal(text: &str) -> Result<Decimal, Option<String>> {
    let error = |message: &str| Err(Some(message.to_owned()));
    if text.is_empty() {
        return Err(None);
    }
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mut digits, mut scale, mut has_point, mut exponent) = (Vec::new(), 0_i64, false, 0);
    for (at, c) in body.char_indices() {
        if let Some(digit) = digit(c) {
            digits.push(digit);
            scale += i64::from(has_point);
        } else if c == '.' {
            if std::mem::replace(&mut has_point, true) {
                return error("Character array contains more than one decimal point.");
            }
        } else if matches!(c, 'e' | 'E') {
            if digits.is_empty() {
                return error("No digits found.");
            }
            exponent = parse_exponent(&body[at + 1..])?;
            break;
        } else if text.chars().count() > 18 {
            return error("Character array is missing \"e\" notation exponential mark.");
        } else {
            return Err(Some(format!(
                "Character {c} is neither a decimal digit number, decimal point, nor \"e\" notation \
                 exponential mark."
            )));
        }
    }
    if digits.is_empty() {
        return error("No digits found.");
    }
    let Ok(scale) = i32::try_from(scale - exponent) else { return error("Scale out of range.") };
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    let unscaled = BigInt::from_radix_be(sign, &digits, 10).unwrap_or_default();
    Ok(Decimal { unscaled, scale })
}

fn parse_exponent(text: &str) -> Result<i64, Option<String>> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return Err(None);
    }
    let mut size = 0_i64;
    let significant = digits.trim_start_matches('0').chars().count();
    for c in digits.chars() {
        let Some(digit) = digit(c) else { return Err(Some("Not a digit.".into())) };
        size = size.saturating_mul(10).saturating_add(digit.into());
    }
    if significant > 10 {
        return Err(Some("Too many nonzero exponent digits.".into()));
    }
    Ok(if text.starts_with('-') { -size } else { size })
}

/// Java's `BigDecimal.valueOf(double)`: the value that a DOUBLE is printed as. NaN and the infinities
/// fail with Java's complaint about their first letter.
pub fn printed_decimal(value: f64) -> Result<Decimal, DecimalError> {
    Decimal::parse(&double_to_string(value))
}

/// Java's `BigDecimal.toString`: `0.01`, `1E+2`, `0E-10`.
pub fn decimal_to_string(decimal: &Decimal) -> String {
    let digits = decimal.unscaled.magnitude().to_string();
    let adjusted = digits.len() as i64 - 1 - i64::from(decimal.scale);
    if decimal.scale == 0 || (decimal.scale > 0 && adjusted >= -6) {
        return decimal_to_plain_string(decimal);
    }
    let sign = if decimal.unscaled.sign() == Sign::Minus { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    if adjusted == 0 {
        return format!("{sign}{first}{point}{rest}");
    }
    format!("{sign}{first}{point}{rest}E{adjusted:+}")
}

/// Java's `BigDecimal.toPlainString`: all digits, and no exponent.
pub fn decimal_to_plain_string(decimal: &Decimal) -> String {
    let digits = decimal.unscaled.magnitude().to_string();
    let sign = if decimal.unscaled.sign() == Sign::Minus { "-" } else { "" };
    let Ok(scale) = usize::try_from(decimal.scale) else {
        let zeros = if digits == "0" { 0 } else { decimal.scale.unsigned_abs() as usize };
        return format!("{sign}{digits}{:0<zeros$}", "");
    };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_the_decimal_that_it_prints_as() {
        assert_eq!(printed_decimal(0.1).map(|d| d.to_string()).as_deref(), Ok("0.1"));
    }

    #[test]
    fn reads_decimals_as_java() {
        let cases = [
            ("+.5", Ok("0.5")),
            ("-5.", Ok("-5")),
            ("1E5", Ok("1E+5")),
            ("1e-5", Ok("0.00001")),
            ("1e00000000005", Ok("1E+5")),
            ("٣.٥", Ok("3.5")),
            ("0E-10", Ok("0E-10")),
            ("123E-20", Ok("1.23E-18")),
            ("100E-2", Ok("1.00")),
            ("0E+3", Ok("0E+3")),
            ("", Err(None)),
            ("1e", Err(None)),
            ("-", Err(Some("No digits found."))),
            ("1.2.3", Err(Some("Character array contains more than one decimal point."))),
            ("1e5.5", Err(Some("Not a digit."))),
            ("1e99999999999", Err(Some("Too many nonzero exponent digits."))),
        ];
        for (text, expected) in cases {
            let read = parse_decimal(text).map(|decimal| decimal_to_string(&decimal));
            let read = read.as_deref().map_err(Option::as_deref);
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(
            parse_decimal(" 1").unwrap_err().unwrap(),
            "Character   is neither a decimal digit number, decimal point, nor \"e\" notation \
             exponential mark."
        );
    }

    #[test]
    fn reads_whole_numbers_as_java() {
        assert_eq!(parse_int("+5"), Some(5));
        assert_eq!(parse_int("٣"), Some(3));
        assert_eq!(parse_int("2147483648"), None);
        assert_eq!(parse_long("-9223372036854775808"), Some(i64::MIN));
        for text in ["", "+", " 1", "1.0", "1_0", "--1"] {
            assert_eq!(parse_long(text), None, "{text}");
        }
    }

    #[test]
    fn prints_plain_decimals() {
        for (text, plain) in [("1E+2", "100"), ("-1E-7", "-0.0000001"), ("0E+3", "0")] {
            let decimal = parse_decimal(text).unwrap();
            assert_eq!(decimal_to_plain_string(&decimal), plain);
        }
    }
}
