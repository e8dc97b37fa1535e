//! Functions of text. Lengths and positions count UTF-16 units, as Java does.

use super::{Call, Scalar, check_size};
use crate::expr::EvalError;
use crate::java::text::{from_utf16_units, interspersed};
use crate::java::{substring_utf16, utf16_len, utf16_units};
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "UCASE(input STRING) -> STRING",
        summary: "Returns the text in capital letters.",
        examples: &[("UCASE('straße')", "'STRASSE'")],
        eval: |call| Ok(call.string(&call.text(0).unwrap_or_default().to_uppercase())),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "LCASE(input STRING) -> STRING",
        summary: "Returns the text in small letters.",
        examples: &[("LCASE('STREAM')", "'stream'")],
        eval: |call| Ok(call.string(&call.text(0).unwrap_or_default().to_lowercase())),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "INITCAP(str STRING) -> STRING",
        summary: "Capitalises the first letter of each word and makes the others small.",
        examples: &[("INITCAP('an OLD mill')", "'An Old Mill'")],
        eval: |call| Ok(initcap(call)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TRIM(input STRING) -> STRING",
        summary: "Removes blanks and control characters from both ends.",
        examples: &[("TRIM('  a b ')", "'a b'")],
        eval: |call| {
            let text = call.text(0).unwrap_or_default();
            Ok(Value::String(text.trim_matches(|c: char| c <= ' ')))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "LEN(input STRING) -> INT",
        summary: "Returns how many UTF-16 units the text has.",
        examples: &[("LEN('stream')", "6"), ("LEN('😀')", "2")],
        eval: |call| Ok(Value::Int(utf16_len(call.text(0).unwrap_or_default()) as i32)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "LEN(input BYTES) -> INT",
        summary: "Returns how many bytes there are.",
        examples: &[("LEN(TO_BYTES('é', 'utf8'))", "2")],
        eval: |call| Ok(Value::Int(call.bytes(0).unwrap_or_default().len() as i32)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "INSTR(str STRING, substring STRING) -> INT",
        summary: "Finds where a part first occurs, counted from 1, or 0 if it does not.",
        examples: &[("INSTR('stream', 'ea')", "4"), ("INSTR('stream', 'x')", "0")],
        eval: |call| Ok(instr(call)),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "INSTR(str STRING, substring STRING, position INT) -> INT",
        summary: "Finds a part at or after a position, or before it from the end if that is \
                  negative.",
        examples: &[("INSTR('banana', 'an', 3)", "4"), ("INSTR('banana', 'an', -1)", "4")],
        eval: |call| Ok(instr(call)),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "INSTR(str STRING, substring STRING, position INT, occurrence INT) -> INT",
        summary: "Finds the n-th occurrence of a part, counting from a position.",
        examples: &[("INSTR('banana', 'a', 1, 3)", "6")],
        eval: |call| Ok(instr(call)),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "SUBSTRING(str STRING, pos INT, length INT) -> STRING",
        summary: "Returns a part of the text, from a position counted from 1.",
        examples: &[("SUBSTRING('stream', 2, 3)", "'tre'")],
        eval: |call| Ok(substring(call)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SUBSTRING(bytes BYTES, pos INT, length INT) -> BYTES",
        summary: "Returns a part of the bytes, from a position counted from 1.",
        examples: &[("FROM_BYTES(SUBSTRING(TO_BYTES('stream', 'utf8'), 2, 3), 'utf8')", "'tre'")],
        eval: |call| Ok(substring_bytes(call)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SUBSTRING(bytes BYTES, pos INT) -> BYTES",
        summary: "Returns the bytes from a position on.",
        examples: &[("FROM_BYTES(SUBSTRING(TO_BYTES('stream', 'utf8'), 5), 'utf8')", "'am'")],
        eval: |call| Ok(substring_bytes(call)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SUBSTRING(str STRING, pos INT) -> STRING",
        summary: "Returns the text from a position on, counted from the end if it is negative.",
        examples: &[("SUBSTRING('stream', 3)", "'ream'"), ("SUBSTRING('stream', -2)", "'am'")],
        eval: |call| Ok(substring(call)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "REPLACE(str STRING, oldStr STRING, newStr STRING) -> STRING",
        summary: "Replaces every occurrence of a part by another text.",
        examples: &[("REPLACE('banana', 'an', 'in')", "'binina'")],
        eval: |call| {
            let [text, old, new] = [0, 1, 2].map(|index| call.text(index).unwrap_or_default());
            replaced(text, old, new).map(|text| call.string(&text))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "CONCAT(inputs STRING...) -> STRING",
        summary: "Joins texts, leaving out those that are NULL.",
        examples: &[("CONCAT('a', NULL, 'b')", "'ab'")],
        eval: |call| {
            check_size(texts(call, 0).map(str::len).sum())?;
            Ok(call.string(&texts(call, 0).collect::<String>()))
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "CONCAT(inputs BYTES...) -> BYTES",
        summary: "Joins bytes, leaving out those that are NULL.",
        examples: &[("LEN(CONCAT(TO_BYTES('a', 'utf8'), TO_BYTES('bc', 'utf8')))", "3")],
        eval: |call| {
            check_size(byte_strings(call, 0).map(<[u8]>::len).sum())?;
            Ok(call.byte_string(&byte_strings(call, 0).collect::<Vec<_>>().concat()))
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "CONCAT_WS(separator STRING, inputs STRING...) -> STRING",
        summary: "Joins texts with a separator, leaving out those that are NULL.",
        examples: &[("CONCAT_WS('-', 'a', NULL, 'b')", "'a-b'")],
        eval: |call| {
            let Some(separator) = call.text(0) else { return Ok(Value::Null) };
            check_size(texts(call, 1).map(|text| text.len() + separator.len()).sum())?;
            Ok(call.string(&texts(call, 1).collect::<Vec<_>>().join(separator)))
        },
        shown_as: Some("concat_ws"),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "CONCAT_WS(separator BYTES, inputs BYTES...) -> BYTES",
        summary: "Joins bytes with a separator, leaving out those that are NULL.",
        examples: &[(
            "FROM_BYTES(CONCAT_WS(TO_BYTES('-', 'utf8'), TO_BYTES('a', 'utf8'), \
             TO_BYTES('b', 'utf8')), 'utf8')",
            "'a-b'",
        )],
        eval: |call| {
            let Some(separator) = call.bytes(0) else { return Ok(Value::Null) };
            check_size(byte_strings(call, 1).map(|bytes| bytes.len() + separator.len()).sum())?;
            Ok(call.byte_string(&byte_strings(call, 1).collect::<Vec<_>>().join(separator)))
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "ELT(pos INT, args STRING...) -> STRING",
        summary: "Returns the n-th of the other arguments, counted from 1.",
        examples: &[("ELT(2, 'a', 'b')", "'b'"), ("ELT(3, 'a', 'b')", "NULL")],
        eval: |call| {
            let position = call.int(0).unwrap_or_default();
            Ok(if position < 1 { Value::Null } else { call.arg(position as usize) })
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "FIELD(str STRING, args STRING...) -> INT",
        summary: "Finds the first argument as its position among the others, or 0.",
        examples: &[("FIELD('b', 'a', 'b')", "2"), ("FIELD('c', 'a', 'b')", "0")],
        eval: |call| {
            let Some(text) = call.text(0) else { return Ok(Value::Int(0)) };
            let found = (1..call.args.len()).find(|index| call.text(*index) == Some(text));
            Ok(Value::Int(found.unwrap_or_default() as i32))
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "LPAD(input STRING, targetLen INT, padding STRING) -> STRING",
        summary: "Pads the start of the text up to a length, or cuts its end off.",
        examples: &[("LPAD('7', 3, '0')", "'007'"), ("LPAD('stream', 3, '0')", "'str'")],
        shown_as: Some("LPad"),
        eval: |call| pad(call, true),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "LPAD(input BYTES, targetLen INT, padding BYTES) -> BYTES",
        summary: "Pads the start of the bytes up to a length, or cuts their end off.",
        examples: &[(
            "FROM_BYTES(LPAD(TO_BYTES('7', 'utf8'), 3, TO_BYTES('0', 'utf8')), 'utf8')",
            "'007'",
        )],
        eval: |call| pad_bytes(call, true),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "RPAD(input STRING, targetLen INT, padding STRING) -> STRING",
        summary: "Pads the end of the text up to a length, or cuts it off.",
        examples: &[("RPAD('7', 3, '-')", "'7--'")],
        shown_as: Some("RPad"),
        eval: |call| pad(call, false),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "RPAD(input BYTES, targetLen INT, padding BYTES) -> BYTES",
        summary: "Pads the end of the bytes up to a length, or cuts it off.",
        examples: &[(
            "FROM_BYTES(RPAD(TO_BYTES('7', 'utf8'), 3, TO_BYTES('-', 'utf8')), 'utf8')",
            "'7--'",
        )],
        eval: |call| pad_bytes(call, false),
        ..Scalar::STRICT
    },
];

fn texts<'a>(call: &Call<'_, 'a>, from: usize) -> impl Iterator<Item = &'a str> {
    (from..call.args.len()).filter_map(|index| call.text(index))
}

fn byte_strings<'a>(call: &Call<'_, 'a>, from: usize) -> impl Iterator<Item = &'a [u8]> {
    (from..call.args.len()).filter_map(|index| call.bytes(index))
}

/// The text with `new` in place of each `old`; of an empty one, between all units.
fn replaced(text: &str, old: &str, new: &str) -> Result<String, EvalError> {
    if old.is_empty() {
        check_size((utf16_len(text) + 1).saturating_mul(new.len()))?;
        return Ok(interspersed(text, new));
    }
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    for (at, part) in text.match_indices(old) {
        out.push_str(&text[copied..at]);
        out.push_str(new);
        check_size(out.len())?;
        copied = at + part.len();
    }
    out.push_str(&text[copied..]);
    Ok(out)
}

/// Words are runs of anything but blanks; blanks before the first one are dropped.
fn initcap<'a>(call: &Call<'_, 'a>) -> Value<'a> {
    let text = call.text(0).unwrap_or_default().to_lowercase();
    let blank = |c: char| matches!(c, ' ' | '\t'..='\r');
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.trim_start_matches(blank).chars() {
        // Half of a surrogate pair has no capital.
        if starts && (c as u32) < 0x1_0000 {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        starts = blank(c);
    }
    call.string(&out)
}

fn instr<'a>(call: &Call<'_, 'a>) -> Value<'a> {
    // The numbers are primitive in Java, so a NULL there is one of the result; not so the texts.
    if call.args.iter().skip(2).any(Value::is_null) {
        return Value::Null;
    }
    let (Some(text), Some(part)) = (call.text(0), call.text(1)) else { return Value::Int(0) };
    let position = call.int(2).unwrap_or(1);
    let occurrence = call.int(3).unwrap_or(1);
    let length = utf16_len(text) as i32;
    if position.wrapping_abs() > length || occurrence < 1 {
        return Value::Int(0);
    }
    let from_end = position < 0;
    let units = |text: &str| -> Vec<u16> {
        if from_end {
            utf16_units(&text.chars().rev().collect::<String>()).collect()
        } else {
            utf16_units(text).collect()
        }
    };
    let (text, part) = (units(text), units(part));
    let start = position.wrapping_abs();
    // A position of 0 means the last unit, as a negative start does for `substring`.
    let skipped = match start.wrapping_sub(1) {
        -1 => text.len().saturating_sub(1),
        skipped => (skipped as u32 as usize).min(text.len()),
    };
    let Some(found) = ordinal_index_of(&text[skipped..], &part, occurrence) else {
        return Value::Int(0);
    };
    let found = found as i32;
    Value::Int(if from_end {
        length.wrapping_sub(start).wrapping_sub(found).wrapping_sub(part.len() as i32) + 2
    } else {
        found + start
    })
}

/// Where `part` occurs for the `occurrence`-th time; occurrences may overlap.
fn ordinal_index_of(text: &[u16], part: &[u16], occurrence: i32) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    let mut found = text.windows(part.len()).enumerate().filter(|(_, window)| *window == part);
    found.nth(occurrence as usize - 1).map(|(index, _)| index)
}

/// The part of something `length` long that starts at `pos`, with `count` items if that is given.
fn range(length: usize, pos: i32, count: Option<i32>) -> (usize, usize) {
    let length = length as i64;
    let pos = i64::from(pos);
    let start = if pos < 0 { (length + pos).max(0) } else { (pos - 1).min(length).max(0) };
    let end = match count {
        // Java adds in 32 bits, so a huge count makes the end negative, and the part empty.
        Some(count) => i64::from((start as i32).wrapping_add(count)).min(length).max(start),
        None => length,
    };
    (start as usize, end as usize)
}

fn substring<'a>(call: &Call<'_, 'a>) -> Value<'a> {
    let text = call.text(0).unwrap_or_default();
    let (start, end) = range(utf16_len(text), call.int(1).unwrap_or_default(), call.int(2));
    match substring_utf16(text, start, end) {
        std::borrow::Cow::Borrowed(part) => Value::String(part),
        std::borrow::Cow::Owned(part) => call.string(&part),
    }
}

fn substring_bytes<'a>(call: &Call<'_, 'a>) -> Value<'a> {
    let bytes = call.bytes(0).unwrap_or_default();
    let (start, end) = range(bytes.len(), call.int(1).unwrap_or_default(), call.int(2));
    Value::Bytes(&bytes[start..end])
}

/// `input` with as much of `padding` as is needed to be `length` long, and no longer.
fn padded<T: Copy>(input: &[T], length: usize, padding: &[T], at_start: bool) -> Vec<T> {
    let missing = length.saturating_sub(input.len());
    let padding = padding.iter().copied().cycle().take(missing);
    let input = input.iter().copied();
    if at_start {
        padding.chain(input).take(length).collect()
    } else {
        input.chain(padding).take(length).collect()
    }
}

fn pad<'a>(call: &Call<'_, 'a>, at_start: bool) -> Result<Value<'a>, EvalError> {
    let padding: Vec<u16> = utf16_units(call.text(2).unwrap_or_default()).collect();
    let Some(length) = pad_length(call.int(1), padding.len())? else { return Ok(Value::Null) };
    let input: Vec<u16> = utf16_units(call.text(0).unwrap_or_default()).collect();
    Ok(call.string(&from_utf16_units(padded(&input, length, &padding, at_start))))
}

fn pad_bytes<'a>(call: &Call<'_, 'a>, at_start: bool) -> Result<Value<'a>, EvalError> {
    let padding = call.bytes(2).unwrap_or_default();
    let Some(length) = pad_length(call.int(1), padding.len())? else { return Ok(Value::Null) };
    Ok(call.byte_string(&padded(call.bytes(0).unwrap_or_default(), length, padding, at_start)))
}

fn pad_length(length: Option<i32>, padding: usize) -> Result<Option<usize>, EvalError> {
    match length.and_then(|length| usize::try_from(length).ok()) {
        Some(length) if padding > 0 => check_size(length).map(|()| Some(length)),
        _ => Ok(None),
    }
}
