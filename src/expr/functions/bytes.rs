//! Functions between text, bytes and numbers.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::Digest as _;

use super::{Call, Scalar};
use crate::expr::EvalError;
use crate::java::text::from_utf16_units;
use crate::java::{to_utf8_bytes, utf16_units};
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "CHR(decimalCode INT) -> STRING",
        summary: "Returns the character with a Unicode number.",
        examples: &[("CHR(75)", "'K'"), ("CHR(-1)", "NULL")],
        eval: |call| {
            let code = u32::try_from(call.int(0).unwrap_or_default()).unwrap_or(u32::MAX);
            let units: Vec<u16> = match char::from_u32(code) {
                Some(c) => c.encode_utf16(&mut [0; 2]).to_vec(),
                // Half of a surrogate pair is a character to Java.
                None if code < 0x1_0000 => vec![code as u16],
                None => return Ok(Value::Null),
            };
            Ok(call.string(&from_utf16_units(units)))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "CHR(utf16Code STRING) -> STRING",
        summary: "Returns the characters that escapes such as \\u004b stand for.",
        examples: &[(r"CHR('\u004b')", "'K'"), ("CHR('K')", "NULL")],
        eval: chr,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ENCODE(str STRING, inputEncoding STRING, outputEncoding STRING) -> STRING",
        summary: "Writes text that is encoded as hex, utf8, ascii or base64 in another of these.",
        examples: &[("ENCODE('stream', 'utf8', 'base64')", "'c3RyZWFt'")],
        eval: encode,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TO_BYTES(value STRING, encoding STRING) -> BYTES",
        summary: "Reads text that is encoded as hex, utf8, ascii or base64 as bytes.",
        examples: &[("FROM_BYTES(TO_BYTES('ff', 'hex'), 'base64')", "'/w=='")],
        eval: |call| {
            let text = call.text(0).unwrap_or_default();
            let bytes = match encoding(call.text(1).unwrap_or_default())? {
                Encoding::Hex => unhex(text)?,
                Encoding::Base64 => BASE64_STRICT
                    .decode(&*to_utf8_bytes(text))
                    .map_err(|error| EvalError::new(format!("Illegal base64: {error}")))?,
                Encoding::Ascii => to_ascii(text),
                Encoding::Utf8 => to_utf8_bytes(text).into_owned(),
            };
            Ok(call.byte_string(&bytes))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FROM_BYTES(value BYTES, encoding STRING) -> STRING",
        summary: "Writes bytes as hex, utf8, ascii or base64.",
        examples: &[("FROM_BYTES(TO_BYTES('mill', 'utf8'), 'hex')", "'6D696C6C'")],
        eval: |call| {
            let bytes = call.bytes(0).unwrap_or_default();
            let text = match encoding(call.text(1).unwrap_or_default())? {
                Encoding::Hex => hex(bytes).to_ascii_uppercase(),
                encoding => write(bytes, encoding),
            };
            Ok(call.string(&text))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MD5(s STRING) -> STRING",
        summary: "Returns the MD5 of the text as 32 hexadecimal digits.",
        examples: &[("MD5('stream')", "'f7b44cfafd5c52223d5498196c8a2e7b'")],
        eval: |call| {
            let text = call.text(0).unwrap_or_default();
            Ok(call.string(&hex(&md5::Md5::digest(&*to_utf8_bytes(text)))))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "UUID() -> STRING",
        summary: "Makes a random identifier (version 4).",
        examples: &[("LEN(UUID())", "36")],
        shown_as: Some("uuid"),
        eval: |call| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&call.context.random.next_u64().to_be_bytes());
            bytes[8..].copy_from_slice(&call.context.random.next_u64().to_be_bytes());
            bytes[6] = bytes[6] & 0x0F | 0x40;
            bytes[8] = bytes[8] & 0x3F | 0x80;
            Ok(call.string(&uuid(&bytes)))
        },
        deterministic: false,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "UUID(bytes BYTES) -> STRING",
        summary: "Writes 16 bytes as an identifier.",
        examples: &[(
            "UUID(TO_BYTES('000102030405060708090a0b0c0d0e0f', 'hex'))",
            "'00010203-0405-0607-0809-0a0b0c0d0e0f'",
        )],
        eval: |call| {
            Ok(match call.bytes(0) {
                Some(bytes) if bytes.len() == 16 => call.string(&uuid(bytes)),
                _ => Value::Null,
            })
        },
        ..Scalar::STRICT
    },
];

pub(super) static CONVERSIONS: &[Scalar] = &[
    Scalar {
        signature: "INT_FROM_BYTES(value BYTES) -> INT",
        summary: "Reads 4 bytes as an INT, the first one the highest.",
        examples: &[("INT_FROM_BYTES(TO_BYTES('0000ff00', 'hex'))", "65280")],
        eval: int_from_bytes,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "INT_FROM_BYTES(value BYTES, byteOrder STRING) -> INT",
        summary: "Reads 4 bytes as an INT in the order BIG_ENDIAN or LITTLE_ENDIAN.",
        examples: &[("INT_FROM_BYTES(TO_BYTES('01000000', 'hex'), 'LITTLE_ENDIAN')", "1")],
        eval: int_from_bytes,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "BIGINT_FROM_BYTES(value BYTES) -> BIGINT",
        summary: "Reads 8 bytes as a BIGINT, the first one the highest.",
        examples: &[("BIGINT_FROM_BYTES(TO_BYTES('00000000ffffffff', 'hex'))", "4294967295")],
        eval: bigint_from_bytes,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "BIGINT_FROM_BYTES(value BYTES, byteOrder STRING) -> BIGINT",
        summary: "Reads 8 bytes as a BIGINT in the order BIG_ENDIAN or LITTLE_ENDIAN.",
        examples: &[(
            "BIGINT_FROM_BYTES(TO_BYTES('0100000000000000', 'hex'), 'LITTLE_ENDIAN')",
            "1",
        )],
        eval: bigint_from_bytes,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "DOUBLE_FROM_BYTES(value BYTES) -> DOUBLE",
        summary: "Reads 8 bytes as a DOUBLE, the first one the highest.",
        examples: &[("DOUBLE_FROM_BYTES(TO_BYTES('3ff8000000000000', 'hex'))", "1.5")],
        eval: double_from_bytes,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "DOUBLE_FROM_BYTES(value BYTES, byteOrder STRING) -> DOUBLE",
        summary: "Reads 8 bytes as a DOUBLE in the order BIG_ENDIAN or LITTLE_ENDIAN.",
        examples: &[(
            "DOUBLE_FROM_BYTES(TO_BYTES('000000000000f83f', 'hex'), 'LITTLE_ENDIAN')",
            "1.5",
        )],
        eval: double_from_bytes,
        ..Scalar::STRICT
    },
];

#[derive(Clone, Copy)]
enum Encoding {
    Hex,
    Utf8,
    Ascii,
    Base64,
}

/// Base64 as `java.util.Base64` reads it: bits that are left over need not be zero.
const BASE64_STRICT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn encoding(name: &str) -> Result<Encoding, EvalError> {
    match &*name.to_ascii_lowercase() {
        "hex" => Ok(Encoding::Hex),
        "utf8" => Ok(Encoding::Utf8),
        "ascii" => Ok(Encoding::Ascii),
        "base64" => Ok(Encoding::Base64),
        _ => Err(EvalError::new(format!(
            "Unknown encoding type '{name}'. Supported formats are 'hex', 'utf8', 'ascii', and \
             'base64'."
        ))),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, EvalError> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => {
            Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        }
        Some(_) => Err(EvalError::new("Odd number of characters.")),
        None => Err(EvalError::new("Illegal hexadecimal character")),
    }
}

/// Each character that ASCII does not have becomes `?`.
fn to_ascii(text: &str) -> Vec<u8> {
    let text = from_utf16_units(utf16_units(text));
    text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).collect()
}

fn write(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Hex => hex(bytes),
        Encoding::Base64 => base64::engine::general_purpose::STANDARD.encode(bytes),
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Ascii => bytes
            .iter()
            .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{FFFD}' })
            .collect(),
    }
}

fn encode<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let text = call.text(0).unwrap_or_default();
    let input = call.text(1).unwrap_or_default();
    let output = call.text(2).unwrap_or_default();
    let (Ok(from), Ok(to)) = (encoding(input), encoding(output)) else {
        return Err(EvalError::new(format!(
            "Supported input and output encodings are: hex, utf8, ascii and base64: \
             {input}, {output}"
        )));
    };
    let bytes = match from {
        Encoding::Hex => unhex(&hex_digits(text))?,
        Encoding::Base64 => decode_base64_leniently(text),
        Encoding::Ascii => to_ascii(text),
        Encoding::Utf8 => to_utf8_bytes(text).into_owned(),
    };
    Ok(call.string(&write(&bytes, to)))
}

/// The digits of `0x48` and `X'48'`, where an odd number after `0x` gets a zero; other text is
/// digits as it is.
fn hex_digits(text: &str) -> std::borrow::Cow<'_, str> {
    if let Some(digits) = text.strip_prefix("0x") {
        return match digits.len() % 2 {
            0 => digits.into(),
            _ => format!("0{digits}").into(),
        };
    }
    let quoted = text.strip_prefix(['x', 'X']).and_then(|rest| rest.strip_prefix('\''));
    quoted.and_then(|rest| rest.strip_suffix('\'')).unwrap_or(text).into()
}

/// Base64 as Apache Commons reads it: what is no digit is skipped, and `=` ends the text.
fn decode_base64_leniently(text: &str) -> Vec<u8> {
    let digit = |c: char| match c {
        'A'..='Z' => Some(c as u32 - 'A' as u32),
        'a'..='z' => Some(c as u32 - 'a' as u32 + 26),
        '0'..='9' => Some(c as u32 - '0' as u32 + 52),
        '+' | '-' => Some(62),
        '/' | '_' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = text.chars().take_while(|c| *c != '=').filter_map(digit).collect();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    out
}

fn uuid(bytes: &[u8]) -> String {
    let digits = hex(bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// The bytes at 0 as an array of `N`, in the order that the second argument names.
fn number_bytes<const N: usize>(call: &Call<'_, '_>) -> Result<[u8; N], EvalError> {
    let bytes = call.bytes(0).unwrap_or_default();
    let mut array: [u8; N] = bytes.try_into().map_err(|_| {
        EvalError::new(format!("Number of bytes must be equal to {N}, but found {}", bytes.len()))
    })?;
    match call.text(1).unwrap_or("BIG_ENDIAN") {
        "BIG_ENDIAN" => {}
        "LITTLE_ENDIAN" => array.reverse(),
        _ => {
            return Err(EvalError::new("Byte order must be BIG_ENDIAN or LITTLE_ENDIAN"));
        }
    }
    Ok(array)
}

fn int_from_bytes<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::Int(i32::from_be_bytes(number_bytes(call)?)))
}

fn bigint_from_bytes<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::Bigint(i64::from_be_bytes(number_bytes(call)?)))
}

fn double_from_bytes<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::Double(f64::from_be_bytes(number_bytes(call)?)))
}

/// Reads Java's escapes, in text that begins with one of the form `\u004b`.
fn chr<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let text = call.text(0).unwrap_or_default();
    if text.len() < 6 || !text.starts_with("\\u") {
        return Ok(Value::Null);
    }
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = if c == '\\' {
            escape(after, &mut units)?
        } else {
            units.extend(utf16_units(&rest[..c.len_utf8()]));
            after
        };
    }
    Ok(call.string(&from_utf16_units(units)))
}

/// Reads what follows a backslash, and gives back what follows that.
fn escape<'t>(text: &'t str, units: &mut Vec<u16>) -> Result<&'t str, EvalError> {
    let first = text.chars().next();
    let plain = match first {
        Some('u') => {
            let digits = text.trim_start_matches('u').trim_start_matches('+');
            let unit = digits.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
            units.push(unit.ok_or_else(|| {
                EvalError::new(format!("Unable to parse unicode value: {digits}"))
            })?);
            return Ok(&digits[4..]);
        }
        Some('0'..='7') => {
            let limit = if matches!(first, Some('0'..='3')) { 3 } else { 2 };
            let length = text.bytes().take(limit).take_while(|b| matches!(b, b'0'..=b'7')).count();
            units.push(u16::from_str_radix(&text[..length], 8).unwrap_or_default());
            return Ok(&text[length..]);
        }
        Some('b') => 0x08,
        Some('n') => 0x0A,
        Some('t') => 0x09,
        Some('f') => 0x0C,
        Some('r') => 0x0D,
        Some(c @ ('\\' | '"' | '\'')) => c as u16,
        _ => return Ok(text),
    };
    units.push(plain);
    Ok(&text[1..])
}
