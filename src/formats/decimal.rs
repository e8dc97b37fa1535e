//! Decimals that have to fit a column.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::java::decimal_to_plain_string;
use crate::types::Decimal;

/// The decimal with the scale of a column, or ksqlDB's message if it does not fit.
pub(super) fn fit(decimal: &Decimal, precision: u32, scale: u32) -> Result<Decimal, String> {
    let digits = precision - scale;
    if exceeds(decimal, digits) {
        return Err(format!(
            "Numeric field overflow: A field with precision {precision} and scale {scale} must \
             round to an absolute value less than 10^{digits}. Got {}",
            decimal_to_plain_string(decimal)
        ));
    }
    with_scale(decimal, scale as i32).ok_or_else(|| {
        format!(
            "Cannot fit decimal '{}' into DECIMAL({precision}, {scale}) without rounding. \
             (Requires {},{})",
            decimal_to_plain_string(decimal),
            decimal.unscaled.magnitude().to_string().len(),
            decimal.scale
        )
    })
}

/// Whether the decimal is `10^digits` or more, without its sign.
fn exceeds(decimal: &Decimal, digits: u32) -> bool {
    if decimal.unscaled.is_zero() {
        return false;
    }
    let written = decimal.unscaled.magnitude().to_string().len() as i64;
    written - i64::from(decimal.scale) > i64::from(digits)
}

/// The same number with another scale, if no digit is lost.
pub(super) fn with_scale(decimal: &Decimal, scale: i32) -> Option<Decimal> {
    let grow = i64::from(scale) - i64::from(decimal.scale);
    if decimal.unscaled.is_zero() || grow == 0 {
        return Some(Decimal { unscaled: decimal.unscaled.clone(), scale });
    }
    let digits = decimal.unscaled.magnitude().to_string().len() as i64;
    if grow < -digits {
        return None;
    }
    let power = BigInt::from(10).pow(grow.unsigned_abs() as u32);
    if grow > 0 {
        return Some(Decimal { unscaled: &decimal.unscaled * power, scale });
    }
    let (unscaled, rest) = num_integer::Integer::div_rem(&decimal.unscaled, &power);
    rest.is_zero().then_some(Decimal { unscaled, scale })
}

/// The whole part's low 64 bits: Java's `BigDecimal.longValue`.
pub(super) fn wrapped_i64(decimal: &Decimal) -> i64 {
    let scale = i64::from(decimal.scale);
    let digits = decimal.unscaled.magnitude().to_string().len() as i64;
    // 10^64 and more leave no low bits.
    if scale <= -64 || scale >= digits {
        return 0;
    }
    let power = BigInt::from(10).pow(scale.unsigned_abs() as u32);
    let whole = if scale > 0 { &decimal.unscaled / power } else { &decimal.unscaled * power };
    let low = (whole.abs() & BigInt::from(u64::MAX)).to_u64().unwrap_or_default();
    if whole.is_negative() { (low as i64).wrapping_neg() } else { low as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::java::{decimal_to_string, parse_decimal};

    #[test]
    fn a_decimal_is_fitted_without_rounding() {
        let fitted = |text| {
            fit(&parse_decimal(text).unwrap(), 4, 2).map(|decimal| decimal_to_string(&decimal))
        };
        assert_eq!(fitted("1.5").unwrap(), "1.50");
        assert_eq!(fitted("1E1").unwrap(), "10.00");
        assert_eq!(fitted("1.500").unwrap(), "1.50");
        assert!(fitted("100").unwrap_err().starts_with("Numeric field overflow"));
        assert!(fitted("1.555").unwrap_err().starts_with("Cannot fit decimal '1.555'"));
    }

    #[test]
    fn numbers_wrap() {
        let long = |text| wrapped_i64(&parse_decimal(text).unwrap());
        assert_eq!(long("9223372036854775808"), i64::MIN);
        assert_eq!(long("-9223372036854775809"), i64::MAX);
        assert_eq!(long("12345678901234567890123"), 4_807_115_922_877_859_019);
        assert_eq!(long("1e19"), -8_446_744_073_709_551_616);
        assert_eq!(long("-12.7"), -12);
        assert_eq!(long("1e300"), 0);
    }
}
