//! Whole numbers as Java reads them.

use super::double_to_string;
use crate::types::{Decimal, DecimalError, unicode_digit};

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
        let digit = i64::from(unicode_digit(c)?);
        let value = value.checked_mul(10)?;
        if negative { value.checked_sub(digit) } else { value.checked_add(digit) }
    })
}

/// Java's `BigDecimal.valueOf(double)`: the value that a DOUBLE is printed as. NaN and the infinities
/// fail with Java's complaint about their first letter.
pub fn printed_decimal(value: f64) -> Result<Decimal, DecimalError> {
    Decimal::parse(&double_to_string(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_the_decimal_that_it_prints_as() {
        assert_eq!(printed_decimal(0.1).map(|d| d.to_string()).as_deref(), Ok("0.1"));
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
}
