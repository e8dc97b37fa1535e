//! A DECIMAL literal that DOUBLEs are compared with.
//!
//! ksqlDB compares the decimal with the digits that Java prints of the double. These lie between
//! the halves of the ways to the doubles next to it, as does the literal around the double nearest
//! to it. So a double that is not the nearest one is on the same side of the literal as it is of
//! the nearest, and only for the nearest the digits have to be looked at, once.

use std::cmp::Ordering;

use crate::java::printed_decimal;
use crate::types::Decimal;

/// The order of doubles around a decimal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threshold {
    nearest: f64,
    /// How the digits of the nearest double compare with the decimal.
    at_nearest: Ordering,
}

impl Threshold {
    /// `None` for a decimal outside of the range of doubles.
    pub(super) fn new(limit: &Decimal) -> Option<Self> {
        let nearest = limit.to_f64();
        let printed = printed_decimal(nearest).ok()?;
        Some(Self { nearest, at_nearest: printed.compare(limit) })
    }

    /// How a double compares with the decimal; `None` for NaN and the infinities.
    #[inline]
    pub(super) fn order(&self, value: f64) -> Option<Ordering> {
        if value.is_infinite() {
            return None;
        }
        let order = value.partial_cmp(&self.nearest)?;
        Some(order.then(self.at_nearest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_decide_at_the_nearest_double() {
        let order = |value: f64, limit: &str| {
            let limit = Decimal::parse(limit).ok()?;
            Threshold::new(&limit)?.order(value)
        };
        assert_eq!(order(0.1, "0.1"), Some(Ordering::Equal));
        assert_eq!(order(0.1, "0.10000000000000000001"), Some(Ordering::Less));
        assert_eq!(order(-0.0, "0.0"), Some(Ordering::Equal));
        assert_eq!(order(f64::NAN, "1"), None);
        assert_eq!(order(f64::INFINITY, "1"), None);
    }

    proptest! {
        #[test]
        fn it_is_the_order_of_the_printed_digits(
            near in any::<f64>(), ulps in -2_i64..3, digit in 0_u32..10, places in 0_i32..20,
        ) {
            prop_assume!(near.is_finite() && near.abs() < 1e300 && near.abs() > 1e-300);
            let limit = printed_decimal(near).unwrap_or_else(|_| 0_i64.into());
            let more = Decimal::new(digit, limit.scale + places);
            let limit = limit.add(&more).unwrap_or(limit);
            let value = f64::from_bits((near.to_bits() as i64 + ulps) as u64);
            let printed = printed_decimal(value).unwrap_or_else(|_| 0_i64.into());
            let threshold = Threshold::new(&limit);
            prop_assert_eq!(
                threshold.and_then(|t| t.order(value)),
                Some(printed.compare(&limit))
            );
        }
    }
}
