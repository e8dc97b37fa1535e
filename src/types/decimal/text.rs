//! Decimal to text, as `toString` and `toPlainString` write it.

use std::fmt;

use super::{DIGITS_MAX, Decimal, DecimalDigits, DecimalError};

/// With more zeros than this, a message shows a number with an exponent.
const QUOTED_ZEROS_MAX: u32 = 10_000;

impl fmt::Display for Decimal {
    /// Java's `toString`: with an exponent where there are more than 6 zeros behind the point, or
    /// where the scale is negative.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits().fmt(f)
    }
}

impl fmt::Display for DecimalDigits {
    /// As [`Decimal`]'s.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.digits.len() as i64 - 1 - i64::from(self.scale);
        if self.scale >= 0 && exponent >= -6 {
            return f.write_str(&self.plain());
        }
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{}{first}{point}{rest}", self.sign())?;
        if exponent == 0 { Ok(()) } else { write!(f, "E{exponent:+}") }
    }
}

impl Decimal {
    /// The value without an exponent (Java's `toPlainString`), unless it has too many zeros.
    pub fn to_plain_string(&self) -> Result<String, DecimalError> {
        let digits = self.digits();
        if digits.zeros() > DIGITS_MAX { Err(DecimalError::TooLarge) } else { Ok(digits.plain()) }
    }

    /// The value as messages show it: without an exponent, unless it has very many zeros.
    pub fn quoted(&self) -> String {
        let digits = self.digits();
        if digits.zeros() > QUOTED_ZEROS_MAX { digits.to_string() } else { digits.plain() }
    }

    fn digits(&self) -> DecimalDigits {
        let digits = self.unscaled.magnitude().to_string();
        DecimalDigits { is_negative: self.signum() < 0, digits, scale: self.scale }
    }
}

impl DecimalDigits {
    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }

    /// How many zeros stand before or behind the digits.
    fn zeros(&self) -> u32 {
        match self.scale {
            scale if scale > 0 => {
                u32::try_from(i64::from(scale) - self.digits.len() as i64).unwrap_or(0)
            }
            scale if self.digits == "0" || scale == 0 => 0,
            scale => scale.unsigned_abs(),
        }
    }

    fn plain(&self) -> String {
        let (sign, digits) = (self.sign(), &self.digits);
        let zeros = "0".repeat(self.zeros() as usize);
        match usize::try_from(self.scale) {
            Err(_) | Ok(0) => format!("{sign}{digits}{zeros}"),
            Ok(scale) if digits.len() > scale => {
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                format!("{sign}{whole}.{fraction}")
            }
            Ok(_) => format!("{sign}0.{zeros}{digits}"),
        }
    }

    /// The whole part, of which the lowest 64 bits are kept (Java's `longValue`).
    pub fn to_i64(&self) -> i64 {
        // 64 bits divide 10^64, so with so many zeros at the end nothing is left.
        let (whole, zeros) = match usize::try_from(self.scale) {
            Ok(scale) => (&self.digits[..self.digits.len().saturating_sub(scale)], 0),
            Err(_) => (&*self.digits, self.scale.unsigned_abs().min(64)),
        };
        let ten =
            |number: i64, digit: u8| number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        let number = whole.bytes().chain(std::iter::repeat_n(b'0', zeros as usize)).fold(0, ten);
        if self.is_negative { number.wrapping_neg() } else { number }
    }
}
