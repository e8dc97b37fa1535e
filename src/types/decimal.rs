//! Decimal numbers of any size, as Java's `BigDecimal` has them: an unscaled number and a scale.
//!
//! [`arithmetic`] computes as ksqlDB does, where an inexact result is an error; [`parse`] and
//! [`text`] are Java's notations.

mod arithmetic;
mod digits;
mod parse;
mod text;

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

pub use arithmetic::{DIGITS_MAX, DecimalError, Rounding};
pub use parse::unicode_digit;

/// `unscaled × 10^-scale`. Two decimals are equal when both parts are (Java's `equals`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits as one whole number.
    pub unscaled: BigInt,
    /// How many of them follow the point; negative for trailing zeros that are not written out.
    pub scale: i32,
}

/// A decimal as it is written, of however many digits: nothing is computed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecimalDigits {
    is_negative: bool,
    /// Without zeros before them; `0` alone for a zero.
    digits: String,
    scale: i32,
}

impl Decimal {
    /// `unscaled × 10^-scale`.
    pub fn new(unscaled: impl Into<BigInt>, scale: i32) -> Self {
        Self { unscaled: unscaled.into(), scale }
    }

    /// The exact value of a DOUBLE in all its digits, as `new BigDecimal(double)` has it; `None`
    /// for NaN and the infinities.
    pub fn from_f64_exact(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let bits = value.to_bits();
        let exponent = ((bits >> 52) & 0x7FF) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let (mut significand, mut exponent) = match exponent {
            0 => (fraction, -1074),
            _ => (fraction | 1 << 52, exponent - 1075),
        };
        if significand == 0 {
            return Some(Self::new(0, 0));
        }
        let zeros = significand.trailing_zeros() as i32;
        significand >>= zeros;
        exponent += zeros;
        let significand = BigInt::from(significand) * if value < 0.0 { -1 } else { 1 };
        Some(match exponent {
            0.. => Self::new(significand << exponent, 0),
            _ => Self::new(significand * BigInt::from(5).pow(-exponent as u32), -exponent),
        })
    }

    /// How many digits the unscaled number has; 1 for zero.
    pub fn precision(&self) -> u32 {
        digits::digits(&self.unscaled)
    }

    /// Whether the value is zero, in whatever scale.
    pub fn is_zero(&self) -> bool {
        self.unscaled.is_zero()
    }

    /// -1, 0 or 1, as the value is negative, zero or positive.
    pub fn signum(&self) -> i32 {
        match self.unscaled.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    /// The value without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        Self { unscaled: self.unscaled.abs(), scale: self.scale }
    }

    /// The value with the other sign.
    #[must_use]
    pub fn negate(&self) -> Self {
        Self { unscaled: -&self.unscaled, scale: self.scale }
    }

    /// Compares values: 1.0 and 1.00 are the same (Java's `compareTo`).
    pub fn compare(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.unscaled.cmp(&other.unscaled);
        }
        match (self.signum(), other.signum()) {
            (a, b) if a != b => a.cmp(&b),
            (0, _) => Ordering::Equal,
            (sign, _) => {
                let order = self.compare_magnitude(other);
                if sign < 0 { order.reverse() } else { order }
            }
        }
    }

    /// Compares two values that are not zero, leaving out their signs.
    pub(super) fn compare_magnitude(&self, other: &Self) -> Ordering {
        let magnitude = |d: &Self| i64::from(d.precision()) - i64::from(d.scale);
        magnitude(self).cmp(&magnitude(other)).then_with(|| {
            let scale = self.scale.max(other.scale);
            let raise = |d: &Self| {
                digits::raised(&d.unscaled.abs(), (i64::from(scale) - i64::from(d.scale)) as u32)
            };
            raise(self).cmp(&raise(other))
        })
    }

    /// The whole part, of which the lowest 32 bits are kept (Java's `intValue`).
    pub fn to_i32(&self) -> i32 {
        self.to_i64() as i32
    }

    /// The whole part, of which the lowest 64 bits are kept (Java's `longValue`).
    pub fn to_i64(&self) -> i64 {
        // 64 bits divide 10^64, so with so many zeros at the end nothing is left.
        if self.scale <= -64 || i64::from(self.precision()) <= i64::from(self.scale) {
            return 0;
        }
        let whole = match self.scale {
            0 => return low_bits(&self.unscaled),
            scale @ 1.. => &self.unscaled / digits::power_of_ten(scale as u32),
            scale => digits::raised(&self.unscaled, scale.unsigned_abs()),
        };
        low_bits(&whole)
    }

    /// The nearest DOUBLE.
    pub fn to_f64(&self) -> f64 {
        const EXACT: i64 = 1 << 53;
        if let Some(unscaled) = self.unscaled.to_i64()
            && unscaled.abs() <= EXACT
            && let Some(power) = POWERS.get(self.scale.unsigned_abs() as usize)
        {
            let unscaled = unscaled as f64;
            return if self.scale < 0 { unscaled * power } else { unscaled / power };
        }
        // Rust reads numbers correctly rounded, as Java does.
        let text = format!("{}e{}", self.unscaled, -i64::from(self.scale));
        text.parse().unwrap_or(f64::NAN)
    }

    /// Java's `hashCode`.
    pub fn hash_code(&self) -> i32 {
        let (sign, words) = self.unscaled.to_u32_digits();
        let hash = words
            .iter()
            .rev()
            .fold(0_i32, |hash, word| hash.wrapping_mul(31).wrapping_add(*word as i32));
        let hash = if sign == Sign::Minus { hash.wrapping_neg() } else { hash };
        hash.wrapping_mul(31).wrapping_add(self.scale)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::new(value, 0)
    }
}

impl From<i32> for Decimal {
    fn from(value: i32) -> Self {
        Self::new(value, 0)
    }
}

/// The powers of ten that a DOUBLE holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The lowest 64 bits in two's complement.
fn low_bits(value: &BigInt) -> i64 {
    let (sign, words) = value.to_u64_digits();
    let low = words.first().copied().unwrap_or(0) as i64;
    if sign == Sign::Minus { low.wrapping_neg() } else { low }
}

#[cfg(test)]
mod tests;
