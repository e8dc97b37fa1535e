//! `Double.toString` as Java had it before JDK 19.
//!
//! The old printer generates digits until the rest lies within half a unit in the last place. It
//! mostly finds the shortest text, but not always: it leaves the ends of that interval out, takes
//! the interval below a power of two for the one above, wants two digits before an exponent, and
//! cuts whole numbers from 2^53 to 2^63 by a table. [`write_double`] takes the shortest text where
//! the two are known to agree, and generates digits as Java does elsewhere.

use std::cmp::Ordering;

use num_bigint::BigUint;

/// Bits of a mantissa behind the hidden one.
const MANTISSA_BITS: i32 = 52;

/// Below this, and above [`SHORTEST_MIN`], the shortest text is Java's.
const SHORTEST_MAX: f64 = (1_u64 << 49) as f64;

/// The smallest normal number with room to spare: subnormal numbers have too few bits.
const SHORTEST_MIN: f64 = 1e-300;

/// What is written without an exponent.
const PLAIN: std::ops::Range<f64> = 1e-3..1e7;

/// Decimal digits and the place of the point: `0.d1d2d3… × 10^exponent`.
struct Digits {
    text: [u8; 24],
    len: usize,
    exponent: i32,
}

/// The text of a DOUBLE.
///
/// ```
/// use millstream::java::double_to_string;
/// assert_eq!(double_to_string(0.0001), "1.0E-4");
/// assert_eq!(double_to_string(1e23), "9.999999999999999E22");
/// ```
pub fn double_to_string(value: f64) -> String {
    let mut text = Vec::with_capacity(24);
    write_double(value, &mut text);
    text.iter().map(|byte| char::from(*byte)).collect()
}

/// Appends the text of a DOUBLE: `1.5`, `1.0E10`, `NaN`, `-Infinity`.
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    if PLAIN.contains(&value) && !is_power_of_two(value) {
        // The shortest text is Java's, and both write it without an exponent.
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else if value == 0.0 {
        out.extend_from_slice(b"0.0");
    } else if value.is_infinite() {
        out.extend_from_slice(b"Infinity");
    } else {
        digits(value).write(out);
    }
}

/// The text of a number of 32 bits: `Float.toString`.
///
/// ```
/// use millstream::java::float_to_string;
/// assert_eq!(float_to_string(0.1), "0.1");
/// assert_eq!(float_to_string(1e10), "1.0E10");
/// ```
pub fn float_to_string(value: f32) -> String {
    if !value.is_finite() || value == 0.0 {
        return double_to_string(value.into());
    }
    let mut out = Vec::with_capacity(16);
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let parts = Parts::of_float(value.abs());
    if parts.tiny_bits == 0 && (0..=62).contains(&parts.exponent) {
        whole(&parts).write(&mut out);
    } else {
        Digits::generate(&parts).write(&mut out);
    }
    out.iter().map(|byte| char::from(*byte)).collect()
}

/// Whether the bits behind the hidden one are all zero.
fn is_power_of_two(value: f64) -> bool {
    value.to_bits() & ((1 << MANTISSA_BITS) - 1) == 0
}

fn digits(value: f64) -> Digits {
    if !is_power_of_two(value) && (SHORTEST_MIN..SHORTEST_MAX).contains(&value) {
        return shortest(value);
    }
    let parts = Parts::of(value);
    if parts.tiny_bits == 0 && (0..=62).contains(&parts.exponent) {
        whole(&parts)
    } else {
        Digits::generate(&parts)
    }
}

/// The digits of the shortest text that reads back as `value`.
fn shortest(value: f64) -> Digits {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    let mut digits = Digits { text: [0; 24], len: 0, exponent: 0 };
    let mut is_whole = true;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'.' => is_whole = false,
            b'e' => {
                digits.exponent += exponent(&text[at + 1..]);
                break;
            }
            b'0' if digits.len == 0 => digits.exponent -= i32::from(!is_whole),
            digit => {
                digits.exponent += i32::from(is_whole);
                digits.push(*digit);
            }
        }
    }
    digits.trim();
    digits
}

fn exponent(text: &[u8]) -> i32 {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let size = digits.fold(0, |size, digit| size * 10 + i32::from(digit - b'0'));
    if text.first() == Some(&b'-') { -size } else { size }
}

/// A positive, finite number in binary: `bits × 2^(exponent - 52)`, where `bits` has 53 bits.
struct Parts {
    bits: u64,
    exponent: i32,
    /// How many of the bits the format held: 53, but fewer for subnormal numbers.
    significant_bits: i32,
    /// How many bits there are, without the zeros at the end.
    used_bits: i32,
    /// How many of those lie behind the binary point.
    tiny_bits: i32,
}

impl Parts {
    fn of(value: f64) -> Self {
        let raw = value.to_bits();
        let fraction = raw & ((1 << MANTISSA_BITS) - 1);
        let biased = (raw >> MANTISSA_BITS) as i32;
        let (bits, exponent, significant_bits) = if biased == 0 {
            let zeros = fraction.leading_zeros() as i32;
            let shift = zeros - (63 - MANTISSA_BITS);
            (fraction << shift, 1 - shift - 1023, 64 - zeros)
        } else {
            (fraction | 1 << MANTISSA_BITS, biased - 1023, MANTISSA_BITS + 1)
        };
        let used_bits = MANTISSA_BITS + 1 - bits.trailing_zeros() as i32;
        let tiny_bits = (used_bits - exponent - 1).max(0);
        Self { bits, exponent, significant_bits, used_bits, tiny_bits }
    }

    /// The same number in the 64 bits that Java computes with, of which the format held fewer.
    fn of_float(value: f32) -> Self {
        const BITS: i32 = 24;
        let fraction = value.to_bits() & ((1 << (BITS - 1)) - 1);
        let is_subnormal = value < f32::MIN_POSITIVE;
        let significant_bits =
            if is_subnormal { 32 - fraction.leading_zeros() as i32 } else { BITS };
        Self { significant_bits, ..Self::of(value.into()) }
    }

    /// The decimal exponent, or one more than that.
    fn decimal_exponent(&self) -> i32 {
        let fraction = self.bits & ((1 << MANTISSA_BITS) - 1);
        let mantissa = f64::from_bits(1023 << MANTISSA_BITS | fraction);
        #[expect(clippy::approx_constant, reason = "Java's digits, which are fewer")]
        let tens_per_bit = 0.301_029_995_663_981;
        let linear = (mantissa - 1.5) * 0.289_529_654 + 0.176_091_259;
        (linear + f64::from(self.exponent) * tens_per_bit).floor() as i32
    }
}

/// A whole number below 2^63, less the digits that its last bit cannot tell apart.
fn whole(parts: &Parts) -> Digits {
    let shift = parts.exponent - MANTISSA_BITS;
    let mut value = if shift >= 0 { parts.bits << shift } else { parts.bits >> -shift };
    let excess_bits = parts.exponent - parts.significant_bits - 1;
    let cut = if excess_bits > 1 { insignificant_digits(excess_bits) } else { 0 };
    if cut > 0 {
        let unit = 10_u64.pow(cut);
        let rest = value % unit;
        value = value / unit + u64::from(rest >= unit / 2);
    }
    let mut digits = Digits { text: [0; 24], len: 0, exponent: cut as i32 };
    let mut reversed = [0; 20];
    while value > 0 {
        reversed[digits.len] = b'0' + (value % 10) as u8;
        value /= 10;
        digits.len += 1;
    }
    for (index, digit) in reversed[..digits.len].iter().rev().enumerate() {
        digits.text[index] = *digit;
    }
    digits.exponent += digits.len as i32;
    digits.trim();
    digits
}

/// How many decimal digits `2^bits` spans, as Java's table has it: `floor(log10(2^bits))`.
fn insignificant_digits(bits: i32) -> u32 {
    (1_u64 << bits).ilog10()
}

/// The two sizes of arithmetic that Java generates digits with. They differ at the upper end of
/// the interval, and the smaller one may overflow.
trait Generator {
    /// The next digit.
    fn digit(&mut self) -> u8;
    /// Whether the digits so far, and the digits so far plus one, are close enough.
    fn close(&mut self, first: bool) -> (bool, bool);
    /// The rest, compared with half a unit of the last digit.
    fn half(&self) -> Ordering;
}

impl Digits {
    fn generate(parts: &Parts) -> Self {
        let scales = Scales::of(parts);
        if scales.fits_long(parts) {
            let five = |power: i32| 5_i64.pow(power as u32);
            let divisor = five(scales.divisor.five) << scales.divisor.two;
            let mut generator = LongGenerator {
                rest: (parts.odd_bits() as i64 * five(scales.value.five)) << scales.value.two,
                margin: five(scales.margin.five) << scales.margin.two,
                divisor,
            };
            Self::run(&mut generator, scales.exponent)
        } else {
            let mut generator = BigGenerator {
                rest: BigUint::from(parts.odd_bits()) * scales.value.power(),
                margin: scales.margin.power(),
                divisor: scales.divisor.power(),
            };
            Self::run(&mut generator, scales.exponent)
        }
    }

    fn run(generator: &mut impl Generator, mut exponent: i32) -> Self {
        let mut digits = Self { text: [0; 24], len: 0, exponent: 0 };
        let first = generator.digit();
        let (mut low, mut high) = generator.close(true);
        if first == 0 && !high {
            exponent -= 1;
        } else {
            digits.push(b'0' + first);
        }
        if !(-3..8).contains(&exponent) {
            (low, high) = (false, false);
        }
        while !low && !high {
            let digit = generator.digit();
            (low, high) = generator.close(false);
            digits.push(b'0' + digit);
        }
        digits.exponent = exponent + 1;
        let is_odd = digits.text[digits.len - 1] & 1 != 0;
        let up = match generator.half() {
            Ordering::Less => false,
            Ordering::Equal => is_odd,
            Ordering::Greater => true,
        };
        if high && (!low || up) {
            digits.round_up();
        }
        digits
    }

    fn push(&mut self, digit: u8) {
        if self.len < self.text.len() {
            self.text[self.len] = digit;
            self.len += 1;
        }
    }

    /// Drops zeros at the end.
    fn trim(&mut self) {
        while self.len > 1 && self.text[self.len - 1] == b'0' {
            self.len -= 1;
        }
    }

    fn round_up(&mut self) {
        let mut at = self.len - 1;
        while self.text[at] == b'9' && at > 0 {
            self.text[at] = b'0';
            at -= 1;
        }
        if self.text[at] == b'9' {
            self.text[at] = b'1';
            self.exponent += 1;
        } else {
            self.text[at] += 1;
        }
    }

    /// Appends the digits: plain from 0.001 to 10^7, else with an exponent.
    fn write(&self, out: &mut Vec<u8>) {
        let digits = &self.text[..self.len];
        match self.exponent {
            1..8 => {
                let whole = (self.exponent as usize).min(digits.len());
                out.extend_from_slice(&digits[..whole]);
                out.resize(out.len() + self.exponent as usize - whole, b'0');
                out.push(b'.');
                out.extend_from_slice(if whole < digits.len() { &digits[whole..] } else { b"0" });
            }
            -2..1 => {
                out.extend_from_slice(b"0.");
                out.resize(out.len() + self.exponent.unsigned_abs() as usize, b'0');
                out.extend_from_slice(digits);
            }
            _ => {
                out.extend_from_slice(&[digits[0], b'.']);
                out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
                out.push(b'E');
                write_exponent(self.exponent - 1, out);
            }
        }
    }
}

/// Appends an exponent of up to three digits.
fn write_exponent(exponent: i32, out: &mut Vec<u8>) {
    if exponent < 0 {
        out.push(b'-');
    }
    let size = exponent.unsigned_abs();
    if size >= 100 {
        out.push(b'0' + (size / 100) as u8);
    }
    if size >= 10 {
        out.push(b'0' + (size / 10 % 10) as u8);
    }
    out.push(b'0' + (size % 10) as u8);
}

/// `2^two × 5^five`.
#[derive(Clone, Copy)]
struct Scale {
    two: i32,
    five: i32,
}

impl Scale {
    fn power(self) -> BigUint {
        BigUint::from(5_u8).pow(self.five as u32) << self.two as usize
    }
}

/// What makes the value, its divisor and its margin (half a unit in the last place) whole.
struct Scales {
    value: Scale,
    divisor: Scale,
    margin: Scale,
    exponent: i32,
}

impl Scales {
    fn of(parts: &Parts) -> Self {
        let exponent = parts.decimal_exponent();
        let five = (-exponent).max(0);
        let mut value = Scale { five, two: five + parts.tiny_bits + parts.exponent };
        let tens = exponent.max(0);
        let mut divisor = Scale { five: tens, two: tens + parts.tiny_bits };
        let mut margin = Scale { five, two: value.two - parts.significant_bits };
        value.two -= parts.used_bits - 1;
        let common = value.two.min(divisor.two);
        // Java halves the margin of a power of two, below which numbers lie twice as close.
        margin.two -= common + i32::from(parts.used_bits == 1);
        let lift = (-margin.two).max(0);
        value.two += lift - common;
        divisor.two += lift - common;
        margin.two += lift;
        Self { value, divisor, margin, exponent }
    }

    /// Whether Java takes 64-bit arithmetic, by its estimate of the sizes.
    fn fits_long(&self, parts: &Parts) -> bool {
        let five_bits = |power: i32| match power {
            0 => 0,
            1..27 => 64 - 5_u64.pow(power as u32).leading_zeros() as i32,
            _ => power * 3,
        };
        let value_bits = parts.used_bits + self.value.two + five_bits(self.value.five);
        let divisor_bits = self.divisor.two + 1 + five_bits(self.divisor.five + 1);
        value_bits < 64 && divisor_bits < 64
    }
}

impl Parts {
    fn odd_bits(&self) -> u64 {
        self.bits >> self.bits.trailing_zeros()
    }
}

struct LongGenerator {
    rest: i64,
    margin: i64,
    divisor: i64,
}

impl LongGenerator {
    fn unit(&self) -> i64 {
        self.divisor.wrapping_mul(10)
    }
}

impl Generator for LongGenerator {
    fn digit(&mut self) -> u8 {
        let digit = self.rest / self.divisor;
        self.rest = (self.rest % self.divisor).wrapping_mul(10);
        self.margin = self.margin.wrapping_mul(10);
        digit as u8
    }

    fn close(&mut self, first: bool) -> (bool, bool) {
        if self.margin <= 0 && !first {
            return (true, true);
        }
        (self.rest < self.margin, self.rest.wrapping_add(self.margin) > self.unit())
    }

    fn half(&self) -> Ordering {
        (self.rest << 1).wrapping_sub(self.unit()).cmp(&0)
    }
}

struct BigGenerator {
    rest: BigUint,
    margin: BigUint,
    divisor: BigUint,
}

impl Generator for BigGenerator {
    fn digit(&mut self) -> u8 {
        let digit = &self.rest / &self.divisor;
        self.rest = (&self.rest - &digit * &self.divisor) * 10_u8;
        self.margin *= 10_u8;
        digit.iter_u32_digits().next().unwrap_or(0) as u8
    }

    fn close(&mut self, _first: bool) -> (bool, bool) {
        let unit = &self.divisor * 10_u8;
        (self.rest < self.margin, &self.rest + &self.margin >= unit)
    }

    fn half(&self) -> Ordering {
        (&self.rest * 2_u8).cmp(&(&self.divisor * 10_u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_32_bits_are_printed_as_java_prints_them() {
        let cases = [
            (0x3DCC_CCCD, "0.1"),
            (0x42C7_FEFA, "99.998"),
            (0x0000_0001, "1.4E-45"),
            (0x0080_0000, "1.17549435E-38"),
            (0x7F7F_FFFF, "3.4028235E38"),
            (0x4B00_0000, "8388608.0"),
            (0x5015_02F9, "1.0E10"),
            (0x8000_0000, "-0.0"),
            (0x7FC0_0000, "NaN"),
            (0xFF80_0000, "-Infinity"),
        ];
        for (bits, text) in cases {
            assert_eq!(float_to_string(f32::from_bits(bits)), text);
        }
    }

    #[test]
    fn plain_numbers_are_written_as_their_digits_are() {
        let mut value = 1e-3;
        while value < 1e7 {
            let (mut text, mut plain) = (Vec::new(), Vec::new());
            write_double(value, &mut text);
            digits(value).write(&mut plain);
            assert_eq!(text, plain, "{value}");
            value *= 1.000_37;
        }
    }

    #[test]
    fn prints_as_java_before_19() {
        let cases: &[(f64, &str)] = &[
            (1.0, "1.0"),
            (0.001, "0.001"),
            (9.9e-4, "9.9E-4"),
            (9_999_999.0, "9999999.0"),
            (12_345_678.9, "1.23456789E7"),
            (1e7, "1.0E7"),
            (1e21, "1.0E21"),
            (1e22, "1.0E22"),
            (1e23, "9.999999999999999E22"),
            (2e-3, "0.002"),
            (2.000_000_000_000_000_4e-3, "0.0020000000000000005"),
            (2_f64.powi(-44), "5.6843418860808015E-14"),
            (4.9e-324, "4.9E-324"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::MAX, "1.7976931348623157E308"),
            (9_007_199_254_740_993.0, "9.007199254740992E15"),
            (2_f64.powi(62), "4.6116860184273879E18"),
            (-0.0, "-0.0"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(double_to_string(*value), *text);
        }
    }
}
