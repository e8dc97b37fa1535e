//! Functions of JSON text.
//!
//! Numbers keep their digits: a whole number is written as it is, one with a point or an exponent
//! as Java's `BigDecimal`. Text after the first value is ignored, and no value at all is nothing.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::cache::Cache;
use super::{Call, Scalar, check_size, json_write};
use crate::expr::EvalError;
use crate::expr::collections::ordered;
use crate::types::{Decimal, Value};

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "EXTRACTJSONFIELD(input STRING, path STRING) -> STRING",
        summary: "Returns what is at a path such as $.a[0] of JSON text.",
        examples: &[
            (r#"EXTRACTJSONFIELD('{"a": ["x", 2]}', '$.a[0]')"#, "'x'"),
            (r#"EXTRACTJSONFIELD('{"a": [1, 2]}', '$.a')"#, "'[1,2]'"),
        ],
        eval: extract,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "IS_JSON_STRING(input STRING) -> BOOLEAN",
        summary: "Tells whether the text is JSON.",
        examples: &[("IS_JSON_STRING('[1]')", "TRUE"), ("IS_JSON_STRING('abc')", "FALSE")],
        shown_as: Some("IS_JSON_STRING"),
        eval: |call| {
            let parsed = call.text(0).map(|text| matches!(parse(text), Ok(Some(_))));
            Ok(Value::Boolean(parsed.unwrap_or_default()))
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "JSON_ARRAY_CONTAINS(jsonArray STRING, val T) -> BOOLEAN",
        summary: "Tells whether an item of a JSON array equals the value.",
        examples: &[("JSON_ARRAY_CONTAINS('[1, 2]', 2)", "TRUE")],
        shown_as: Some("JSON_ARRAY_CONTAINS"),
        eval: array_contains,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "JSON_ARRAY_LENGTH(jsonArray STRING) -> INT",
        summary: "Returns how many items a JSON array has.",
        examples: &[("JSON_ARRAY_LENGTH('[1, [2]]')", "2"), ("JSON_ARRAY_LENGTH('{}')", "NULL")],
        shown_as: Some("JSON_ARRAY_LENGTH"),
        eval: |call| {
            Ok(match parse(call.text(0).unwrap_or_default())? {
                Some(Json::Array(items)) => Value::Int(items.len() as i32),
                _ => Value::Null,
            })
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "JSON_CONCAT(jsonStrings STRING...) -> STRING",
        summary: "Merges JSON objects, or appends JSON arrays and other values.",
        examples: &[
            (r#"JSON_CONCAT('{"a": 1}', '{"b": 2}')"#, r#"'{"a":1,"b":2}'"#),
            ("JSON_CONCAT('[1]', '2')", "'[1,2]'"),
        ],
        shown_as: Some("JSON_CONCAT"),
        eval: concat,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "JSON_ITEMS(jsonItems STRING) -> ARRAY<STRING>",
        summary: "Lists the items of a JSON array as texts.",
        examples: &[(r#"JSON_ITEMS('[{"a": 1}, 2]')"#, r#"ARRAY['{"a":1}', '2']"#)],
        shown_as: Some("JSON_ITEMS"),
        eval: |call| {
            let Some(Json::Array(items)) = parse(call.text(0).unwrap_or_default())? else {
                return Err(EvalError::new("Expected a JSON array"));
            };
            let mut texts = Vec::with_capacity(items.len());
            let mut size = 0;
            for item in &items {
                let text = written(item)?;
                size += text.len();
                check_size(size)?;
                texts.push(call.string(&text));
            }
            Ok(call.array(&texts))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "JSON_KEYS(jsonObj STRING) -> ARRAY<STRING>",
        summary: "Lists the keys of a JSON object.",
        examples: &[(r#"JSON_KEYS('{"a": 1, "b": 2}')"#, "ARRAY['a', 'b']")],
        shown_as: Some("JSON_KEYS"),
        eval: |call| {
            let Some(Json::Object(fields)) = parse(call.text(0).unwrap_or_default())? else {
                return Ok(Value::Null);
            };
            let keys: Vec<_> = fields.keys().map(|key| call.string(key)).collect();
            Ok(call.array(&keys))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "JSON_RECORDS(jsonObj STRING) -> MAP<STRING, STRING>",
        summary: "Makes a map of a JSON object.",
        examples: &[(r#"JSON_RECORDS('{"a": 1, "b": "x"}')"#, "MAP('a' := '1', 'b' := 'x')")],
        shown_as: Some("JSON_RECORDS"),
        eval: |call| {
            let Some(Json::Object(fields)) = parse(call.text(0).unwrap_or_default())? else {
                return Ok(Value::Null);
            };
            let capacity = fields.len();
            let mut entries = Vec::with_capacity(capacity);
            let mut size = 0;
            for (key, value) in &fields {
                let text = text_or_written(value)?;
                size += text.len();
                check_size(size)?;
                entries.push((call.string(key), call.string(&text)));
            }
            Ok(ordered(&entries, capacity, call.context.arena))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TO_JSON_STRING(val T) -> STRING",
        summary: "Writes any value as JSON.",
        examples: &[
            ("TO_JSON_STRING(ARRAY[1, NULL])", "'[1,null]'"),
            ("TO_JSON_STRING(FROM_DAYS(18321))", r#"'"2020-02-29"'"#),
        ],
        shown_as: Some("TO_JSON_STRING"),
        eval: |call| {
            let mut out = String::new();
            let ty = call.arg_types.first().and_then(super::ArgType::sql_type);
            json_write::write(call.arg(0), ty, &mut out)?;
            Ok(call.string(&out))
        },
        ..Scalar::LENIENT
    },
];

/// The first JSON value of the text, if there is any; what follows it is ignored.
fn parse(text: &str) -> Result<Option<Json>, EvalError> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    values.next().transpose().map_err(|error| {
        EvalError::new(error.to_string()).wrap(format!("Invalid JSON format:{text}"))
    })
}

/// A value as text, or text itself.
fn text_or_written(json: &Json) -> Result<String, EvalError> {
    match json {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => {
            let mut out = String::new();
            write_number(number.as_str(), false, &mut out)?;
            Ok(out)
        }
        json => written(json),
    }
}

/// JSON as Jackson's nodes are written: without blanks, decimals in full.
fn written(json: &Json) -> Result<String, EvalError> {
    let mut out = String::new();
    write(json, true, &mut out)?;
    Ok(out)
}

fn write(json: &Json, plain: bool, out: &mut String) -> Result<(), EvalError> {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Json::Number(number) => write_number(number.as_str(), plain, out)?,
        Json::String(text) => json_write::quoted(text, out),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(item, plain, out)?;
            }
            out.push(']');
        }
        Json::Object(fields) => {
            out.push('{');
            for (index, (key, value)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                json_write::quoted(key, out);
                out.push(':');
                write(value, plain, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_number(text: &str, plain: bool, out: &mut String) -> Result<(), EvalError> {
    let has_fraction = text.contains(['.', 'e', 'E']);
    let decimal = if has_fraction { Decimal::parse(text).ok() } else { None };
    match decimal {
        Some(decimal) if plain => out.push_str(&decimal.to_plain_string()?),
        Some(decimal) => {
            let _ = write!(out, "{decimal}");
        }
        None => out.push_str(if text == "-0" { "0" } else { text }),
    }
    check_size(out.len())
}

thread_local! {
    static PATHS: Cache<Result<Vec<String>, String>> = Cache::new();
}

fn extract<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let path = call.text(1).unwrap_or_default();
    let path = PATHS.with(|paths| paths.get(path, || path_tokens(path)));
    let path = path.as_ref().as_ref().map_err(|error| EvalError::new(error.clone()))?;
    let Some(root) = parse(call.text(0).unwrap_or_default())? else { return Ok(Value::Null) };
    let mut node = &root;
    for token in path {
        let next = match node {
            Json::Array(items) => token.parse().ok().and_then(|index: usize| items.get(index)),
            node => node.get(token),
        };
        let Some(next) = next else { return Ok(Value::Null) };
        node = next;
    }
    Ok(match node {
        Json::String(text) => call.string(text),
        node => {
            let mut out = String::new();
            write(node, false, &mut out)?;
            call.string(&out)
        }
    })
}

/// `$ { "." name | "[" index "]" | '["' name '"]' }`.
fn path_tokens(path: &str) -> Result<Vec<String>, String> {
    let fault = || format!("Invalid JSON path: {path}");
    let mut rest = path.strip_prefix('$').ok_or_else(fault)?;
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let end = quoted.find('"').ok_or_else(fault)?;
            tokens.push(quoted[..end].to_owned());
            rest = quoted[end + 1..].strip_prefix(']').ok_or_else(fault)?;
            continue;
        }
        let (inner, closed) = match rest.strip_prefix('.') {
            Some(inner) => (inner, false),
            None => (rest.strip_prefix('[').ok_or_else(fault)?, true),
        };
        let is_part = |c: char| {
            c.is_alphanumeric() || matches!(c, '_' | '-') || !closed && matches!(c, '@' | ':')
        };
        let end = inner.find(|c| !is_part(c)).unwrap_or(inner.len());
        if end == 0 {
            return Err(fault());
        }
        tokens.push(inner[..end].to_owned());
        rest = &inner[end..];
        if closed {
            rest = rest.strip_prefix(']').ok_or_else(fault)?;
        }
    }
    Ok(tokens)
}

fn concat<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let mut values = Vec::with_capacity(call.args.len());
    for index in 0..call.args.len() {
        let Some(text) = call.text(index) else { return Ok(Value::Null) };
        let Some(value) = parse(text)? else { return Ok(Value::Null) };
        values.push(value);
    }
    let all_objects = values.iter().all(Json::is_object);
    let joined = values.into_iter().reduce(|left, right| match (left, right) {
        (Json::Object(mut left), Json::Object(right)) if all_objects => {
            left.extend(right);
            Json::Object(left)
        }
        (left, right) => {
            let mut items = into_items(left);
            items.extend(into_items(right));
            Json::Array(items)
        }
    });
    match joined {
        Some(json) => Ok(call.string(&written(&json)?)),
        None => Err(EvalError::new("Index 0 out of bounds for length 0")),
    }
}

fn into_items(json: Json) -> Vec<Json> {
    match json {
        Json::Array(items) => items,
        other => vec![other],
    }
}

/// Looks at one item after the other, so that a fault behind the one sought does not matter.
fn array_contains<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(text) = call.text(0) else {
        return Err(EvalError::new(
            "Cannot invoke \"String.length()\" because \"content\" is null",
        ));
    };
    let Some(mut rest) = text.trim_start().strip_prefix('[') else {
        return Ok(Value::Boolean(false));
    };
    loop {
        let mut items = serde_json::Deserializer::from_str(rest).into_iter::<Json>();
        let Some(Ok(item)) = items.next() else { return Ok(Value::Boolean(false)) };
        if equals(&item, call.arg(1)) {
            return Ok(Value::Boolean(true));
        }
        match rest[items.byte_offset()..].trim_start().strip_prefix(',') {
            Some(after) => rest = after,
            None => return Ok(Value::Boolean(false)),
        }
    }
}

/// Whether JSON equals a value of the same kind; a DECIMAL equals none.
fn equals(json: &Json, value: Value<'_>) -> bool {
    match (json, value) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Boolean(b)) => *a == b,
        (Json::String(a), Value::String(b)) => a == b,
        (Json::Number(a), Value::Int(b)) => a.as_str().parse() == Ok(b),
        (Json::Number(a), Value::Bigint(b)) => a.as_str().parse() == Ok(b),
        (Json::Number(a), Value::Double(b)) => {
            a.as_str().contains(['.', 'e', 'E']) && a.as_str().parse() == Ok(b)
        }
        _ => false,
    }
}
