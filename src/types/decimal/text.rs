//! Decimal to text, as `toString` and `toPlainString` write it.

use std::fmt;

use super::Decimal;

impl fmt::Display for Decimal {
    /// Java's `toString`: with an exponent where there are more than 6 zeros behind the point, or
    /// where the scale is negative.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = i64::from(self.precision()) - 1 - i64::from(self.scale);
        if self.scale >= 0 && exponent >= -6 {
            return f.write_str(&self.to_plain_string());
        }
        let (sign, digits) = self.sign_and_digits();
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{first}{point}{rest}")?;
        if exponent == 0 { Ok(()) } else { write!(f, "E{exponent:+}") }
    }
}

impl Decimal {
    /// The value without an exponent (Java's `toPlainString`).
    pub fn to_plain_string(&self) -> String {
        let (sign, digits) = self.sign_and_digits();
        if self.scale <= 0 {
            let zeros = if self.is_zero() { 0 } else { self.scale.unsigned_abs() as usize };
            return format!("{sign}{digits}{}", "0".repeat(zeros));
        }
        let scale = self.scale as usize;
        if digits.len() > scale {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            return format!("{sign}{whole}.{fraction}");
        }
        format!("{sign}0.{}{digits}", "0".repeat(scale - digits.len()))
    }

    fn sign_and_digits(&self) -> (&'static str, String) {
        let sign = if self.signum() < 0 { "-" } else { "" };
        (sign, self.unscaled.magnitude().to_string())
    }
}
