//! Decimal to text, as `toString` and `toPlainString` write it.

use std::fmt;

use super::{DIGITS_MAX, Decimal, DecimalError};

/// With more zeros than this, a message shows a number with an exponent.
const QUOTED_ZEROS_MAX: u32 = 10_000;

impl fmt::Display for Decimal {
    /// Java's `toString`: with an exponent where there are more than 6 zeros behind the point, or
    /// where the scale is negative.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = i64::from(self.precision()) - 1 - i64::from(self.scale);
        if self.scale >= 0 && exponent >= -6 {
            return f.write_str(&self.plain());
        }
        let (sign, digits) = self.sign_and_digits();
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{first}{point}{rest}")?;
        if exponent == 0 { Ok(()) } else { write!(f, "E{exponent:+}") }
    }
}

impl Decimal {
    /// The value without an exponent (Java's `toPlainString`), unless it has too many zeros.
    pub fn to_plain_string(&self) -> Result<String, DecimalError> {
        if self.zeros() > DIGITS_MAX { Err(DecimalError::TooLarge) } else { Ok(self.plain()) }
    }

    /// The value as messages show it: without an exponent, unless it has very many zeros.
    pub fn quoted(&self) -> String {
        if self.zeros() > QUOTED_ZEROS_MAX { self.to_string() } else { self.plain() }
    }

    /// How many zeros stand before or behind the digits.
    fn zeros(&self) -> u32 {
        match self.scale {
            scale if scale > 0 => scale.unsigned_abs().saturating_sub(self.precision()),
            scale if self.is_zero() || scale == 0 => 0,
            scale => scale.unsigned_abs(),
        }
    }

    fn plain(&self) -> String {
        let (sign, digits) = self.sign_and_digits();
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

    fn sign_and_digits(&self) -> (&'static str, String) {
        let sign = if self.signum() < 0 { "-" } else { "" };
        (sign, self.unscaled.magnitude().to_string())
    }
}
