//! Functions of DOUBLEs with the same bits everywhere, and those of Java.
//!
//! Java computes `sin`, `cos`, `tan`, `exp`, `log` and `pow` nearly without error, so a library
//! that does so agrees with it; the others are those of fdlibm, to the bit. What no library has
//! as fdlibm has it is below, after the original:
//!
//! > Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights reserved. Developed at SunSoft,
//! > a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this
//! > software is freely granted, provided that this notice is preserved.

use libm::expm1;
pub(super) use libm::{acos, asin, atan, atan2};
pub(super) use pxfm::{
    f_cos as cos, f_exp as exp, f_log as log, f_pow as pow, f_sin as sin, f_tan as tan,
};

/// The cotangent.
pub(super) fn cot(x: f64) -> f64 {
    1.0 / tan(x)
}

/// Above this, e^x is written as (e^(x/2))^2, so that half of it does not overflow.
const LOG_MAX: f64 = 709.782_712_893_384;
/// Above this, half of e^x is infinite.
const OVERFLOW: f64 = 710.475_860_073_943_9;

/// The hyperbolic sine.
pub(super) fn sinh(x: f64) -> f64 {
    let (size, half) = (x.abs(), 0.5_f64.copysign(x));
    if !x.is_finite() {
        return x;
    }
    if size >= 22.0 {
        return half_exp(size, half);
    }
    if size < 2f64.powi(-28) {
        return x;
    }
    let t = expm1(size);
    if size < 1.0 { half * (2.0 * t - t * t / (t + 1.0)) } else { half * (t + t / (t + 1.0)) }
}

/// The hyperbolic cosine.
pub(super) fn cosh(x: f64) -> f64 {
    let size = x.abs();
    if !x.is_finite() {
        return size;
    }
    if size >= 22.0 {
        return half_exp(size, 0.5);
    }
    // Half of ln 2, as its upper bits have it.
    if f64_high(size) < 0x3FD6_2E43 {
        let t = expm1(size);
        let w = 1.0 + t;
        return if f64_high(size) < 0x3C80_0000 { w } else { 1.0 + (t * t) / (w + w) };
    }
    let t = strict_exp(size);
    0.5 * t + 0.5 / t
}

/// `half × e^size` for a size of 22 and more.
fn half_exp(size: f64, half: f64) -> f64 {
    if size < LOG_MAX {
        return half * strict_exp(size);
    }
    if size > OVERFLOW {
        return f64::INFINITY.copysign(half);
    }
    let w = strict_exp(0.5 * size);
    half * w * w
}

/// The hyperbolic tangent.
pub(super) fn tanh(x: f64) -> f64 {
    let size = x.abs();
    if x.is_nan() {
        return x;
    }
    let z = if size >= 22.0 {
        1.0
    } else if size < 2f64.powi(-55) {
        return x * (1.0 + x);
    } else if size >= 1.0 {
        1.0 - 2.0 / (expm1(2.0 * size) + 2.0)
    } else {
        let t = expm1(-2.0 * size);
        -t / (t + 2.0)
    };
    z.copysign(x)
}

/// The cube root.
pub(super) fn cbrt(x: f64) -> f64 {
    if !x.is_finite() || x == 0.0 {
        return x;
    }
    let size = x.abs();
    let rough = match f64_high(size) {
        0..0x0010_0000 => {
            f64_from_high(f64_high(size * 2f64.powi(54)) / 3 + 696_219_795, size * 2f64.powi(54))
        }
        high => f64_from_high(high / 3 + 715_094_163, 0.0),
    };
    // To 23 bits, and cut to 20 so that its square is exact; then one step of Newton's.
    let r = rough * rough / size;
    let s = 19.0 / 35.0 + r * rough;
    let t = rough * (5.0 / 14.0 + (45.0 / 28.0) / (s + 99.0 / 70.0 + (-864.0 / 1225.0) / s));
    let t = f64_from_high(f64_high(t) + 1, 0.0);
    let r = size / (t * t);
    let r = (r - t) / (t + t + r);
    (t + t * r).copysign(x)
}

/// e^x for x from -709 to 709, which is not as close as [`exp`] but is what `sinh` builds on.
fn strict_exp(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const P: [f64; 5] = [
        1.666_666_666_666_660_2e-1,
        -2.777_777_777_701_559_3e-3,
        6.613_756_321_437_934e-5,
        -1.653_390_220_546_525_2e-6,
        4.138_136_797_057_238_5e-8,
    ];
    let k = (std::f64::consts::LOG2_E * x + 0.5_f64.copysign(x)) as i32;
    let (high, low) = (x - f64::from(k) * LN2_HIGH, f64::from(k) * LN2_LOW);
    let x = high - low;
    let square = x * x;
    let tail = P[1] + square * (P[2] + square * (P[3] + square * P[4]));
    let c = x - square * (P[0] + square * tail);
    let power = 1.0 - ((low - (x * c) / (2.0 - c)) - high);
    f64::from_bits((power.to_bits() as i64).wrapping_add(i64::from(k) << 52) as u64)
}

/// The upper half of the bits.
fn f64_high(x: f64) -> u32 {
    (x.to_bits() >> 32) as u32
}

/// A number of these upper bits, and the lower ones of another.
fn f64_from_high(high: u32, low: f64) -> f64 {
    f64::from_bits(u64::from(high) << 32 | low.to_bits() & 0xFFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64) {
        assert_eq!(found.to_bits(), expected.to_bits(), "{found} {expected}");
    }

    #[test]
    fn results_are_those_of_java() {
        check(sinh(-37.0), -5.859_571_186_401_306e15);
        check(sinh(0.5), 0.521_095_305_493_747_4);
        check(cosh(0.1), 1.005_004_168_055_803_5);
        check(cosh(12.34), 114_330.976_030_591_53);
        check(sinh(-1e9), f64::NEG_INFINITY);
        check(cosh(1e9), f64::INFINITY);
        check(tanh(1000.0), 1.0);
        check(cbrt(2.5), 1.357_208_808_297_453_2);
        check(cbrt(-27.0), -3.0);
        check(cbrt(5e-324), 1.703_183_936_003_260_3e-108);
        check(log(2.55), 0.936_093_359_170_334_8);
        check(cot(1.0), 0.642_092_615_934_330_6);
        check(exp(710.0), f64::INFINITY);
    }
}
