//! Powers of ten and counts of digits of whole numbers.

use num_bigint::BigInt;
use num_traits::Signed;

/// `10^exponent`.
pub(super) fn power_of_ten(exponent: u32) -> BigInt {
    match 10_u64.checked_pow(exponent) {
        Some(power) => BigInt::from(power),
        None => BigInt::from(10_u32).pow(exponent),
    }
}

/// `value × 10^exponent`.
pub(super) fn raised(value: &BigInt, exponent: u32) -> BigInt {
    if exponent == 0 { value.clone() } else { value * power_of_ten(exponent) }
}

/// How many decimal digits a number has; 1 for zero.
pub(super) fn digits(value: &BigInt) -> u32 {
    let magnitude = value.magnitude();
    if let Ok(small) = u64::try_from(magnitude) {
        return small.checked_ilog10().map_or(1, |log| log + 1);
    }
    // log10(2^bits) is at most one digit off.
    let estimate = ((magnitude.bits() - 1) as f64 * std::f64::consts::LOG10_2) as u32 + 1;
    if value.abs() >= power_of_ten(estimate) { estimate + 1 } else { estimate }
}
