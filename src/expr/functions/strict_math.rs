//! Functions of DOUBLEs with the same bits everywhere, and Java's where it matters.

pub(super) use libm::{
    acos, asin, atan, atan2, cbrt, cos, cosh, exp, log, pow, sin, sinh, tan, tanh,
};

/// The cotangent.
pub(super) fn cot(x: f64) -> f64 {
    cos(x) / sin(x)
}
