//! Sums, products, quotients, remainders and rounding.
//!
//! ksqlDB computes with `MathContext(precision, UNNECESSARY)` and then sets the result's scale: a
//! result that is not exact is an error, never a rounded number.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero};

use super::Decimal;
use super::digits::{digits, power_of_ten, raised};

/// What to do with digits that a smaller scale has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards positive infinity.
    Ceiling,
    /// Towards negative infinity.
    Floor,
    /// To the nearest; halves away from zero.
    HalfUp,
    /// To the nearest; halves towards zero.
    HalfDown,
    /// To the nearest; halves to the even neighbour.
    HalfEven,
    /// Fails if a digit is lost that is not zero.
    Unnecessary,
}

/// Why there is no decimal; the text is that of Java's exception.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Digits would be lost.
    #[error("Rounding necessary")]
    RoundingNecessary,
    /// Something but zero was divided by zero.
    #[error("Division by zero")]
    DivisionByZero,
    /// Zero was divided by zero.
    #[error("Division undefined")]
    DivisionUndefined,
    /// The whole part of a quotient has more digits than a remainder's precision allows.
    #[error("Division impossible")]
    DivisionImpossible,
    /// More digits than [`DIGITS_MAX`].
    #[error("BigInteger would overflow supported range")]
    TooLarge,
    /// A scale above those of 32 bits.
    #[error("Underflow")]
    Underflow,
    /// A scale below those of 32 bits.
    #[error("Overflow")]
    ScaleOverflow,
    /// The text ends where a digit should be. Java's exception has no message of its own; this is
    /// its cause.
    #[error("Index {0} out of bounds for length {0}")]
    Incomplete(usize),
    /// The text is no number.
    #[error("{0}")]
    Text(std::borrow::Cow<'static, str>),
    /// The value does not fit a precision and a scale.
    #[error(
        "Numeric field overflow: A field with precision {precision} and scale {scale} must round \
         to an absolute value less than 10^{}. Got {value}",
        precision - scale
    )]
    Overflow {
        /// The precision.
        precision: u32,
        /// The scale.
        scale: u32,
        /// The value, written out.
        value: String,
    },
}

/// More digits than this, zeros included, are neither read nor made nor written out.
///
/// An exponent of a few characters stands for any number of zeros. Java makes them, until its
/// memory is used up or it says what [`DecimalError::TooLarge`] says.
pub const DIGITS_MAX: u32 = 100_000;

impl Decimal {
    /// The exact sum. Fails where the scales lie further apart than any precision reaches.
    pub fn add(&self, other: &Self) -> Result<Self, DecimalError> {
        if self.scale == other.scale {
            return Ok(Self::new(&self.unscaled + &other.unscaled, self.scale));
        }
        match (self.is_zero(), other.is_zero()) {
            (true, _) => return Ok(other.clone().with_zeros(self.scale)),
            (_, true) => return Ok(self.clone().with_zeros(other.scale)),
            _ if self.scale.abs_diff(other.scale) > DIGITS_MAX => {
                return Err(DecimalError::RoundingNecessary);
            }
            _ => {}
        }
        let scale = self.scale.max(other.scale);
        let raise = |d: &Self| raised(&d.unscaled, scale.abs_diff(d.scale));
        Ok(Self::new(raise(self) + raise(other), scale))
    }

    /// The value with zeros at its end up to `scale`, if they are few enough.
    fn with_zeros(self, scale: i32) -> Self {
        if scale <= self.scale {
            return self;
        }
        self.set_scale(scale, Rounding::Unnecessary).unwrap_or(self)
    }

    /// The exact difference.
    pub fn subtract(&self, other: &Self) -> Result<Self, DecimalError> {
        self.add(&other.negate())
    }

    /// The exact product.
    pub fn multiply(&self, other: &Self) -> Result<Self, DecimalError> {
        if u64::from(self.precision()) + u64::from(other.precision()) > 2 * u64::from(DIGITS_MAX) {
            return Err(DecimalError::TooLarge);
        }
        let scale = i64::from(self.scale) + i64::from(other.scale);
        Self::new(&self.unscaled * &other.unscaled, 0).scaled(scale)
    }

    /// The digits at another scale; that of a zero is as close as 32 bits allow.
    fn scaled(self, scale: i64) -> Result<Self, DecimalError> {
        let fitted = clamp(scale);
        match i64::from(fitted).cmp(&scale) {
            _ if self.is_zero() => {}
            Ordering::Equal => {}
            Ordering::Less => return Err(DecimalError::Underflow),
            Ordering::Greater => return Err(DecimalError::ScaleOverflow),
        }
        Ok(Self::new(self.unscaled, fitted))
    }

    /// The exact quotient in as many digits as it takes, if `precision` digits are enough.
    pub fn divide(&self, divisor: &Self, precision: u32) -> Result<Self, DecimalError> {
        if divisor.is_zero() {
            return Err(if self.is_zero() {
                DecimalError::DivisionUndefined
            } else {
                DecimalError::DivisionByZero
            });
        }
        let wanted = i64::from(self.scale) - i64::from(divisor.scale);
        if self.is_zero() {
            return Self::new(0, 0).scaled(wanted);
        }
        // With so many zeros the quotient has all its digits and one more, unless it has too many.
        let digits = i64::from(precision.min(DIGITS_MAX)) + i64::from(divisor.precision()) + 1;
        let zeros = (digits - i64::from(self.precision())).max(0) as u32;
        let (mut unscaled, rest) = raised(&self.unscaled, zeros).div_rem(&divisor.unscaled);
        if !rest.is_zero() {
            return Err(DecimalError::RoundingNecessary);
        }
        let mut scale = wanted + i64::from(zeros);
        let ten = BigInt::from(10);
        while scale > wanted {
            let (shorter, rest) = unscaled.div_rem(&ten);
            if !rest.is_zero() {
                break;
            }
            (unscaled, scale) = (shorter, scale - 1);
        }
        Self::new(unscaled, 0).scaled(scale)?.fit(precision)
    }

    /// What is left of a division with a whole quotient of at most `precision` digits.
    pub fn remainder(&self, divisor: &Self, precision: u32) -> Result<Self, DecimalError> {
        if divisor.is_zero() {
            return Err(if self.is_zero() {
                DecimalError::DivisionUndefined
            } else {
                DecimalError::DivisionByZero
            });
        }
        if self.scale.abs_diff(divisor.scale) > DIGITS_MAX && !self.is_zero() {
            return Err(DecimalError::TooLarge);
        }
        let scale = self.scale.max(divisor.scale);
        if self.is_zero() {
            return Ok(Self::new(0, scale));
        }
        let left = raised(&self.unscaled, scale.abs_diff(self.scale));
        let right = raised(&divisor.unscaled, scale.abs_diff(divisor.scale));
        let (quotient, remainder) = left.div_rem(&right);
        let extra = digits(&quotient).saturating_sub(precision);
        if extra > 0 && !quotient.is_multiple_of(&power_of_ten(extra)) {
            return Err(DecimalError::DivisionImpossible);
        }
        Ok(Self::new(remainder, scale))
    }

    /// The value with at most `precision` digits, zeros dropped where there are more; fails where
    /// another digit would be lost.
    pub fn fit(self, precision: u32) -> Result<Self, DecimalError> {
        self.round(precision, Rounding::Unnecessary)
    }

    /// The value rounded to at most `precision` digits.
    pub fn round(self, precision: u32, rounding: Rounding) -> Result<Self, DecimalError> {
        let extra = self.precision().saturating_sub(precision);
        if extra == 0 {
            return Ok(self);
        }
        let scale = clamp(i64::from(self.scale) - i64::from(extra));
        // Rounding 9.99 up gives 10.0, which has one digit more again.
        self.set_scale(scale, rounding)?.round(precision, rounding)
    }

    /// The same value with another scale, rounded where that is smaller.
    pub fn set_scale(&self, scale: i32, rounding: Rounding) -> Result<Self, DecimalError> {
        let change = self.scale.abs_diff(scale);
        if scale >= self.scale {
            if self.is_zero() {
                return Ok(Self::new(0, scale));
            }
            if change > DIGITS_MAX {
                return Err(DecimalError::TooLarge);
            }
            return Ok(Self::new(raised(&self.unscaled, change), scale));
        }
        if change > DIGITS_MAX && change > self.precision() {
            // Everything is lost, so the value is closer to zero than to anything else.
            return round_away(&self.unscaled, rounding).map(|away| Self::new(away, scale));
        }
        let divisor = power_of_ten(change);
        let (quotient, rest) = self.unscaled.div_rem(&divisor);
        if rest.is_zero() {
            return Ok(Self::new(quotient, scale));
        }
        let half = (rest.abs() * 2_u32).cmp(&divisor);
        let negative = rest.is_negative();
        let away = match rounding {
            Rounding::Unnecessary => return Err(DecimalError::RoundingNecessary),
            Rounding::Up => true,
            Rounding::Down => false,
            Rounding::Ceiling => !negative,
            Rounding::Floor => negative,
            Rounding::HalfUp => half.is_ge(),
            Rounding::HalfDown => half.is_gt(),
            Rounding::HalfEven => half.is_gt() || (half.is_eq() && quotient.is_odd()),
        };
        let step = if away { BigInt::from(if negative { -1 } else { 1 }) } else { BigInt::ZERO };
        Ok(Self::new(quotient + step, scale))
    }

    /// The value without the zeros at its end.
    #[must_use]
    pub fn strip_trailing_zeros(&self) -> Self {
        if self.is_zero() {
            return Self::new(0, 0);
        }
        let ten = BigInt::from(10);
        let mut stripped = self.clone();
        while stripped.scale > i32::MIN {
            let (quotient, rest) = stripped.unscaled.div_rem(&ten);
            if !rest.is_zero() {
                break;
            }
            stripped = Self::new(quotient, stripped.scale - 1);
        }
        stripped
    }

    /// Fails if the whole part has more than `precision - scale` digits.
    pub fn check_range(&self, precision: u32, scale: u32) -> Result<(), DecimalError> {
        let limit = Self::new(1, scale as i32 - precision as i32);
        if self.is_zero() || self.compare_magnitude(&limit).is_lt() {
            return Ok(());
        }
        Err(DecimalError::Overflow { precision, scale, value: self.quoted() })
    }

    /// The value as a DECIMAL of this precision and scale, halves rounded away from zero.
    pub fn cast(&self, precision: u32, scale: u32) -> Result<Self, DecimalError> {
        if self.scale == scale as i32 && self.precision() == precision {
            return Ok(self.clone());
        }
        self.check_range(precision, scale)?;
        self.set_scale(scale as i32, Rounding::HalfUp)
    }
}

/// What a tiny number is rounded to, in units of the last place.
fn round_away(value: &BigInt, rounding: Rounding) -> Result<BigInt, DecimalError> {
    let away = match rounding {
        Rounding::Unnecessary if !value.is_zero() => return Err(DecimalError::RoundingNecessary),
        Rounding::Up => true,
        Rounding::Ceiling => value.is_positive(),
        Rounding::Floor => value.is_negative(),
        _ => false,
    };
    Ok(if away { value.signum() } else { BigInt::ZERO })
}

fn clamp(scale: i64) -> i32 {
    scale.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}
