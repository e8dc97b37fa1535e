//! Numbers as JSON writes them, kept exactly: all digits and a scale.

use num_bigint::BigInt;

/// `unscaled × 10^-scale`, as Java's `BigDecimal` reads a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) unscaled: BigInt,
    pub(super) scale: i64,
}

impl Number {
    /// Reads `-12.50`, `1.0E-4` and the like.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].trim_start_matches('+').parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
        if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { unscaled: digits.parse().ok()?, scale: fraction.len() as i64 - exponent })
    }

    /// The number without what follows its point, if 64 bits can hold that.
    pub(super) fn truncated(&self) -> Option<i64> {
        let power = |size: u64| u32::try_from(size).ok().filter(|size| *size < 400);
        let unit = BigInt::from(10).pow(power(self.scale.unsigned_abs())?);
        let whole = if self.scale > 0 { &self.unscaled / unit } else { &self.unscaled * unit };
        i64::try_from(whole).ok()
    }

    /// Whether both are the same number; scales may differ.
    pub(super) fn is_same_value(&self, other: &Self) -> bool {
        let scale = self.scale.max(other.scale);
        let shifted = |number: &Self| {
            let missing = u32::try_from(scale - number.scale).ok().filter(|size| *size < 4000)?;
            Some(&number.unscaled * BigInt::from(10).pow(missing))
        };
        shifted(self).is_some_and(|value| Some(value) == shifted(other))
    }

    /// The nearest DOUBLE.
    pub(super) fn to_double(&self) -> f64 {
        format!("{}e{}", self.unscaled, -self.scale).parse().unwrap_or(f64::NAN)
    }

    /// The text of `BigDecimal.toString`.
    pub(super) fn to_java(&self) -> String {
        let digits = self.unscaled.magnitude().to_string();
        let sign = if self.unscaled < BigInt::ZERO { "-" } else { "" };
        let exponent = digits.len() as i64 - 1 - self.scale;
        if self.scale < 0 || exponent < -6 {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return format!("{sign}{first}{point}{rest}E{exponent:+}");
        }
        if self.scale == 0 {
            return format!("{sign}{digits}");
        }
        let scale = self.scale as usize;
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_scale() {
        let check = |text: &str, scale: i64, java: &str| {
            let number = Number::parse(text).unwrap();
            assert_eq!((number.scale, number.to_java().as_str()), (scale, java), "{text}");
        };
        check("1.50", 2, "1.50");
        check("1.0E-4", 5, "0.00010");
        check("1e2", -2, "1E+2");
        check("0E-10", 10, "0E-10");
        check("-7", 0, "-7");
        assert_eq!(Number::parse("abc"), None);
        assert_eq!(Number::parse("-1.9").unwrap().truncated(), Some(-1));
        let [a, b] = ["1.50", "1.5"].map(|text| Number::parse(text).unwrap());
        assert!(a != b && a.is_same_value(&b));
    }
}
