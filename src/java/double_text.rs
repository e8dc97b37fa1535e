//! `Double.parseDouble`: what Java reads as a number, hexadecimal ones too.

use num_bigint::BigUint;

/// Reads a number as `Double.parseDouble` does, or `None` where that throws.
///
/// Characters up to a blank are trimmed; `NaN`, `Infinity`, hexadecimal numbers such as `0x1p3`
/// and one of `d D f F` at the end of a number are accepted.
pub fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c| c <= ' ');
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let value = match magnitude {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        _ => parse_magnitude(magnitude)?,
    };
    Some(if negative { -value } else { value })
}

fn parse_magnitude(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    if bytes.starts_with(b"0x") || bytes.starts_with(b"0X") {
        return parse_hex(&text[2..]);
    }
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let bytes = number.as_bytes();
    let plain = bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !plain || !bytes.first().is_some_and(|b| b.is_ascii_digit() || *b == b'.') {
        return None;
    }
    number.parse().ok()
}

/// `HexDigits [. HexDigits] p [sign] Digits [suffix]`, rounded half to even.
fn parse_hex(text: &str) -> Option<f64> {
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let (mantissa, power) = text.split_once(['p', 'P'])?;
    let power = parse_power(power)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !digits.clone().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bits = BigUint::ZERO;
    for digit in digits {
        bits = (bits << 4) | BigUint::from(char::from(digit).to_digit(16)?);
    }
    Some(round_binary(&bits, power.saturating_sub(4 * fraction.len() as i64)))
}

fn parse_power(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
    Some(if text.starts_with('-') { -size } else { size })
}

/// `bits × 2^power`, rounded half to even.
fn round_binary(bits: &BigUint, power: i64) -> f64 {
    let len = bits.bits() as i64;
    if len == 0 || len + power < -1074 {
        return 0.0;
    }
    if len + power > 1024 {
        return f64::INFINITY;
    }
    // The unit of the last place: 53 bits below the top, but never below the smallest number.
    let unit = (len + power - 53).max(-1074);
    let drop = unit - power;
    let mut kept = if drop > 0 { bits >> drop as u64 } else { bits << (-drop) as u64 };
    if drop > 0 && bits.bit(drop as u64 - 1) {
        let tie = bits.trailing_zeros() == Some(drop as u64 - 1);
        if !tie || kept.bit(0) {
            kept += 1_u8;
        }
    }
    let kept = kept.iter_u64_digits().next().unwrap_or(0) as f64;
    // In two steps, so that the factor itself stays a number.
    let half = (unit / 2) as i32;
    kept * 2_f64.powi(half) * 2_f64.powi(unit as i32 - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_java_parses() {
        let cases: &[(&str, Option<f64>)] = &[
            (" 0.5 ", Some(0.5)),
            ("0x1p3", Some(8.0)),
            ("-0X.8P1f", Some(-1.0)),
            ("0x1.fffffffffffff8p1023", Some(f64::INFINITY)),
            ("0x1.0p-1075", Some(0.0)),
            ("0x1.8p-1075", Some(f64::from_bits(1))),
            ("1d", Some(1.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("+1e400", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("", None),
            (".", None),
            ("1e", None),
            ("inf", None),
            ("nan", None),
            ("1_000", None),
            ("0x1", None),
            ("1dd", None),
            ("--1", None),
            ("+-1", None),
            ("+", None),
        ];
        for (text, value) in cases {
            assert_eq!(parse_double(text), *value, "{text}");
        }
        assert!(parse_double("NaN").is_some_and(f64::is_nan));
    }
}
