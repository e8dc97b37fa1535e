//! Decimal numbers of any size, as Java's `BigDecimal` has them: an unscaled number and a scale.

use num_bigint::BigInt;

/// `unscaled × 10^-scale`. Two decimals are equal when both parts are (Java's `equals`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits as one whole number.
    pub unscaled: BigInt,
    /// How many of them follow the point; negative for trailing zeros that are not written out.
    pub scale: i32,
}
