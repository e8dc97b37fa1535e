//! JSON with halves of surrogate pairs, which `serde_json` refuses.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::number::Number;
use crate::java::{LONE_SURROGATE_FIRST, is_lone_surrogate};

/// The text with every `\uD800` that stands alone replaced by the character that carries it.
pub(super) fn carried(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at..];
        let unit = unit(escape).filter(|unit| (0xD800..0xE000).contains(unit));
        let length = match unit {
            None => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
            Some(unit) => {
                let next = escape.get(6..).and_then(self::unit);
                if unit < 0xDC00 && next.is_some_and(|next| (0xDC00..0xE000).contains(&next)) {
                    12
                } else {
                    let lone = LONE_SURROGATE_FIRST + (unit - 0xD800);
                    out.push_str(&rest[..at]);
                    out.extend(char::from_u32(lone));
                    rest = &escape[6..];
                    continue;
                }
            }
        };
        out.push_str(&rest[..at + length]);
        rest = &rest[at + length..];
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The unit of an escape such as `\uD83D` at the start of `text`.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

/// Writes JSON without blanks; numbers as Java's `BigDecimal` prints them.
pub(super) fn write(json: &Json, out: &mut String) {
    match json {
        Json::Number(number) => {
            let text = number.to_string();
            match Number::parse(&text).filter(|_| text.contains(['.', 'e', 'E'])) {
                // As Jackson, which reads a number beyond DOUBLE as an infinity, and quotes that.
                Some(number) if number.to_double().is_infinite() => {
                    let sign = if text.starts_with('-') { "-" } else { "" };
                    let _ = write!(out, "\"{sign}Infinity\"");
                }
                Some(number) => out.push_str(&number.to_java()),
                None => out.push_str(&text),
            }
        }
        Json::String(text) if text.contains(is_lone_surrogate) => {
            let quoted = json.to_string();
            for c in quoted.chars() {
                if is_lone_surrogate(c) {
                    let unit = u32::from(c) - LONE_SURROGATE_FIRST + 0xD800;
                    let _ = write!(out, "\\u{unit:04X}");
                } else {
                    out.push(c);
                }
            }
        }
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(&Json::String(name.clone()), out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_survives() {
        let check = |text: &str, expected: &str| {
            let json: Json = serde_json::from_str(&carried(text)).unwrap();
            let mut out = String::new();
            write(&json, &mut out);
            assert_eq!(out, expected);
        };
        check(r#"["a\ud83dx"]"#, r#"["a\uD83Dx"]"#);
        check(r#"["\ud83d\ude00","\\ud83d","\n"]"#, r#"["😀","\\ud83d","\n"]"#);
        check(r#"{"a":1.50,"b":1e2}"#, r#"{"a":1.50,"b":1E+2}"#);
        check("[1e400,-1e400]", r#"["Infinity","-Infinity"]"#);
    }
}
