//! Functions of regular expressions, with Java's idea of them.

use std::rc::Rc;

use fancy_regex::{Captures, Regex};

use super::cache::Cache;
use super::regex_java::translate;
use super::{Call, Scalar, check_items, check_size};
use crate::expr::EvalError;
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "REGEXP_EXTRACT(pattern STRING, input STRING) -> STRING",
        summary: "Returns the first part of the text that matches.",
        examples: &[("REGEXP_EXTRACT('[0-9]+', 'ab12cd')", "'12'")],
        eval: |call| extract(call, 0),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "REGEXP_EXTRACT(pattern STRING, input STRING, group INT) -> STRING",
        summary: "Returns a group of the first part of the text that matches.",
        examples: &[("REGEXP_EXTRACT('(.)=(.)', 'a=b', 2)", "'b'")],
        eval: |call| extract(call, call.int(2).unwrap_or_default()),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "REGEXP_EXTRACT_ALL(pattern STRING, input STRING) -> ARRAY<STRING>",
        summary: "Returns all parts of the text that match.",
        examples: &[("REGEXP_EXTRACT_ALL('[0-9]', 'a1b2')", "ARRAY['1', '2']")],
        eval: |call| extract_all(call, 0),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "REGEXP_EXTRACT_ALL(pattern STRING, input STRING, group INT) -> ARRAY<STRING>",
        summary: "Returns a group of all parts of the text that match.",
        examples: &[("REGEXP_EXTRACT_ALL('(.)([0-9])', 'a1b2', 1)", "ARRAY['a', 'b']")],
        eval: |call| extract_all(call, call.int(2).unwrap_or_default()),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "REGEXP_REPLACE(str STRING, regexp STRING, newStr STRING) -> STRING",
        summary: "Replaces all parts of the text that match; $1 stands for the first group.",
        examples: &[("REGEXP_REPLACE('banana', 'a(.)', '<$1>')", "'b<n><n>a'")],
        eval: replace,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "REGEXP_SPLIT_TO_ARRAY(string STRING, regexp STRING) -> ARRAY<STRING>",
        summary: "Splits text where a regular expression matches.",
        examples: &[("REGEXP_SPLIT_TO_ARRAY('a1b22c', '[0-9]+')", "ARRAY['a', 'b', 'c']")],
        eval: split,
        ..Scalar::STRICT
    },
];

thread_local! {
    static PATTERNS: Cache<Result<Regex, String>> = Cache::new();
}

/// How often a pattern may step back before it counts as an error of its row.
const BACKTRACKING_MAX: usize = 10_000_000;

fn pattern(text: &str) -> Result<Rc<Result<Regex, String>>, EvalError> {
    let compiled = PATTERNS.with(|patterns| {
        patterns.get(text, || {
            fancy_regex::RegexBuilder::new(&translate(text))
                .backtrack_limit(BACKTRACKING_MAX)
                .build()
                .map_err(|error| error.to_string())
        })
    });
    match &*compiled {
        Ok(_) => Ok(compiled),
        Err(error) => Err(EvalError::new(error.clone())
            .wrap(format!("Invalid regular expression pattern: {text}"))),
    }
}

/// Calls `each` with every match, as Java's `find` finds them: after an empty one it goes on one
/// character later.
fn for_each_match<'t>(
    regex: &Regex,
    text: &'t str,
    mut each: impl FnMut(&Captures<'t, str>) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    let mut from = 0;
    while from <= text.len() {
        let found = regex.captures_from_pos(text, from);
        let found = found.map_err(|error| EvalError::new(error.to_string()))?;
        let Some((captures, whole)) = found.and_then(|c| c.get(0).map(|whole| (c, whole))) else {
            return Ok(());
        };
        each(&captures)?;
        from = whole.end();
        if whole.start() == whole.end() {
            from += text[from..].chars().next().map_or(1, char::len_utf8);
        }
    }
    Ok(())
}

fn extract<'a>(call: &Call<'_, 'a>, group: i32) -> Result<Value<'a>, EvalError> {
    let compiled = pattern(call.text(0).unwrap_or_default())?;
    let Ok(regex) = &*compiled else { return Ok(Value::Null) };
    let found = regex.captures(call.text(1).unwrap_or_default());
    let found = found.map_err(|error| EvalError::new(error.to_string()))?;
    if group >= regex.captures_len() as i32 {
        return Ok(Value::Null);
    }
    match found {
        Some(captures) => group_of(&captures, group),
        None => Ok(Value::Null),
    }
}

fn group_of<'a>(captures: &Captures<'a, str>, group: i32) -> Result<Value<'a>, EvalError> {
    let index = usize::try_from(group).map_err(|_| EvalError::new(format!("No group {group}")))?;
    Ok(captures.get(index).map_or(Value::Null, |found| Value::String(found.as_str())))
}

fn extract_all<'a>(call: &Call<'_, 'a>, group: i32) -> Result<Value<'a>, EvalError> {
    let compiled = pattern(call.text(0).unwrap_or_default())?;
    let Ok(regex) = &*compiled else { return Ok(Value::Null) };
    if group >= regex.captures_len() as i32 {
        return Ok(Value::Null);
    }
    let mut parts = Vec::new();
    for_each_match(regex, call.text(1).unwrap_or_default(), |captures| {
        parts.push(group_of(captures, group)?);
        check_items(parts.len())
    })?;
    Ok(call.array(&parts))
}

fn replace<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let text = call.text(0).unwrap_or_default();
    let compiled = pattern(call.text(1).unwrap_or_default())?;
    let Ok(regex) = &*compiled else { return Ok(Value::Null) };
    let template = call.text(2).unwrap_or_default();
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    for_each_match(regex, text, |captures| {
        if let Some(whole) = captures.get(0) {
            out.push_str(&text[copied..whole.start()]);
            copied = whole.end();
        }
        expand(template, captures, &mut out)
    })?;
    out.push_str(&text[copied..]);
    Ok(call.string(&out))
}

/// Appends the replacement: `$1` and `${name}` are groups, and a backslash quotes what follows.
fn expand(template: &str, captures: &Captures<'_, str>, out: &mut String) -> Result<(), EvalError> {
    let mut rest = template;
    while let Some(at) = rest.find(['\\', '$']) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        rest = &special[1..];
        match special.as_bytes()[0] {
            b'\\' => {
                let quoted = rest.chars().next();
                let quoted =
                    quoted.ok_or_else(|| EvalError::new("character to be escaped is missing"))?;
                out.push(quoted);
                rest = &rest[quoted.len_utf8()..];
            }
            _ => rest = expand_group(rest, captures, out)?,
        }
        check_size(out.len())?;
    }
    out.push_str(rest);
    check_size(out.len())
}

/// Appends the group that `rest` begins with, and gives back what follows it.
fn expand_group<'t>(
    rest: &'t str,
    captures: &Captures<'_, str>,
    out: &mut String,
) -> Result<&'t str, EvalError> {
    if let Some(named) = rest.strip_prefix('{') {
        let (name, after) = named
            .split_once('}')
            .ok_or_else(|| EvalError::new("named capturing group is missing trailing '}'"))?;
        let group = captures.name(name);
        out.push_str(group.map_or("", |group| group.as_str()));
        return Ok(after);
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(EvalError::new("Illegal group reference"));
    }
    // The first digit counts; more do as long as there is such a group.
    let number = |length: usize| rest[..length].parse::<usize>().unwrap_or(usize::MAX);
    let length = (1..=digits).take_while(|n| *n == 1 || number(*n) < captures.len()).last();
    let length = length.unwrap_or(1);
    if number(length) >= captures.len() {
        return Err(EvalError::new(format!("No group {}", number(length))));
    }
    out.push_str(captures.get(number(length)).map_or("", |group| group.as_str()));
    Ok(&rest[length..])
}

fn split<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let text = call.text(0).unwrap_or_default();
    let compiled = pattern(call.text(1).unwrap_or_default())?;
    let Ok(regex) = &*compiled else { return Ok(Value::Null) };
    let matches_nothing = regex.find("").ok().flatten().is_some();
    let (mut parts, mut copied) = (Vec::new(), 0);
    for_each_match(regex, text, |captures| {
        if let Some(whole) = captures.get(0) {
            // Java's own split makes no empty part before a match of nothing at the start.
            let at_start = matches_nothing && whole.end() == 0;
            let at_end = whole.start() == text.len() && whole.start() == whole.end();
            if !at_start && !at_end {
                parts.push(&text[copied..whole.start()]);
                copied = whole.end();
            }
        }
        check_items(parts.len())
    })?;
    parts.push(&text[copied..]);
    if matches_nothing {
        // Java's own split drops empty parts at the end, unless nothing was split.
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
    }
    Ok(call.array(&parts.into_iter().map(Value::String).collect::<Vec<_>>()))
}
