//! Functions that hide the characters of a text but keep its shape.

use super::{Call, Scalar};
use crate::expr::EvalError;
use crate::java::text::{code_points_at_units, from_utf16_units};
use crate::java::utf16_units;
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "MASK(input STRING) -> STRING",
        summary: "Hides capital letters as X, small ones as x, digits as n and the rest as -.",
        examples: &[("MASK('My Test $123')", "'Xx-Xxxx--nnn'")],
        eval: |call| mask(call, 1, |_, _| true),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MASK(input STRING, upper STRING, lower STRING, digit STRING, other STRING) \
                    -> STRING",
        summary: "Hides characters by masks of one's choice; a mask that is NULL keeps its kind.",
        examples: &[("MASK('My Test 1', '*', '*', NULL, '-')", "'**-****-1'")],
        eval: |call| mask(call, 1, |_, _| true),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "MASK_LEFT(input STRING, numChars INT) -> STRING",
        summary: "Hides the first characters.",
        examples: &[("MASK_LEFT('ab12', 3)", "'xxn2'")],
        eval: |call| mask(call, 2, |index, n| index < n.0),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MASK_LEFT(input STRING, numChars INT, upper STRING, lower STRING, \
                    digit STRING, other STRING) -> STRING",
        summary: "Hides the first characters by masks of one's choice.",
        examples: &[("MASK_LEFT('ab12', 3, 'A', 'b', '0', '-')", "'bb02'")],
        eval: |call| mask(call, 2, |index, n| index < n.0),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "MASK_RIGHT(input STRING, numChars INT) -> STRING",
        summary: "Hides the last characters.",
        examples: &[("MASK_RIGHT('ab12', 3)", "'axnn'")],
        eval: |call| mask(call, 2, |index, n| index >= n.1),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MASK_RIGHT(input STRING, numChars INT, upper STRING, lower STRING, \
                    digit STRING, other STRING) -> STRING",
        summary: "Hides the last characters by masks of one's choice.",
        examples: &[("MASK_RIGHT('ab12', 3, 'A', 'b', '0', '-')", "'ab00'")],
        eval: |call| mask(call, 2, |index, n| index >= n.1),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "MASK_KEEP_LEFT(input STRING, numChars INT) -> STRING",
        summary: "Hides all but the first characters.",
        examples: &[("MASK_KEEP_LEFT('ab12', 3)", "'ab1n'")],
        eval: |call| mask(call, 2, |index, n| index >= n.0),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MASK_KEEP_LEFT(input STRING, numChars INT, upper STRING, lower STRING, \
                    digit STRING, other STRING) -> STRING",
        summary: "Hides all but the first characters by masks of one's choice.",
        examples: &[("MASK_KEEP_LEFT('ab12', 3, 'A', 'b', '0', '-')", "'ab10'")],
        eval: |call| mask(call, 2, |index, n| index >= n.0),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "MASK_KEEP_RIGHT(input STRING, numChars INT) -> STRING",
        summary: "Hides all but the last characters.",
        examples: &[("MASK_KEEP_RIGHT('ab12', 3)", "'xb12'")],
        eval: |call| mask(call, 2, |index, n| index < n.1),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MASK_KEEP_RIGHT(input STRING, numChars INT, upper STRING, lower STRING, \
                    digit STRING, other STRING) -> STRING",
        summary: "Hides all but the last characters by masks of one's choice.",
        examples: &[("MASK_KEEP_RIGHT('ab12', 3, 'A', 'c', '0', '-')", "'cb12'")],
        eval: |call| mask(call, 2, |index, n| index < n.1),
        ..Scalar::LENIENT
    },
];

/// Hides the units for which `hidden(index, (n, length - n))` holds.
fn mask<'a>(
    call: &Call<'_, 'a>,
    masks_at: usize,
    hidden: fn(usize, (usize, usize)) -> bool,
) -> Result<Value<'a>, EvalError> {
    let Some(text) = call.text(0) else { return Ok(Value::Null) };
    let count = match masks_at {
        1 => 0,
        _ => match call.int(1) {
            None => return Ok(Value::Null),
            Some(count) => usize::try_from(count)
                .map_err(|_| EvalError::new("function requires a non-negative number"))?,
        },
    };
    let mut masks = [b'X', b'x', b'n', b'-'].map(|mask| Some(u16::from(mask)));
    if call.args.len() > masks_at {
        for (index, mask) in masks.iter_mut().enumerate() {
            // An empty mask keeps the character too.
            *mask = call.text(masks_at + index).and_then(|text| utf16_units(text).next());
        }
    }
    let units: Vec<u16> = utf16_units(text).collect();
    let bounds = (count, units.len().saturating_sub(count));
    let mut out = Vec::with_capacity(units.len());
    for (index, c) in code_points_at_units(text).enumerate() {
        // What is hidden is cut out first, so that half of a pair may be left of a character.
        let is_half = c.len_utf16() == 2 && index + 1 < units.len() && !hidden(index + 1, bounds);
        if !hidden(index, bounds) || (is_half && masks[3].is_none()) {
            out.push(units[index]);
        } else if let Some(mask) = masks[kind(c)] {
            out.push(mask);
        } else {
            // A kind that is kept is copied by code points, so that a pair's second half comes twice.
            out.extend(utf16_units(c.encode_utf8(&mut [0; 4])));
        }
    }
    Ok(call.string(&from_utf16_units(out)))
}

/// 0 for capital letters, 1 for small ones, 2 for digits, 3 for the rest.
fn kind(c: char) -> usize {
    match c {
        c if c.is_uppercase() => 0,
        c if c.is_lowercase() => 1,
        c if c.is_numeric() && is_decimal_digit(c) => 2,
        _ => 3,
    }
}

/// Whether `c` is a decimal digit of some script (Unicode's category Nd).
fn is_decimal_digit(c: char) -> bool {
    static DIGITS: std::sync::LazyLock<Option<regex::Regex>> =
        std::sync::LazyLock::new(|| regex::Regex::new(r"\A\p{Nd}\z").ok());
    c.is_ascii_digit()
        || !c.is_ascii()
            && DIGITS.as_ref().is_some_and(|digits| digits.is_match(c.encode_utf8(&mut [0; 4])))
}
