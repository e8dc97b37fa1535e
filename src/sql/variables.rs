//! `${name}` in statements.
//!
//! A variable stands for an identifier, a literal, or a part of a string. What stands for a literal has to be one,
//! what stands for an identifier has to be a name, and quotes in values are doubled: no value can end a string or
//! start another statement.

use super::lexer::{Kind, tokenize};
use super::parser::ParseError;
use super::span::Span;
use super::suggest::did_you_mean;
use super::text::Text;
use std::collections::HashMap;

/// The most bytes that the values of variables make of a text. Values may hold others, so that a few lines could make one
/// that no memory holds.
pub const VARIABLE_BYTES_MAX: usize = 4 << 20;

/// The values of variables, by name in small letters: names match in any case.
pub type Variables = HashMap<String, String>;

/// A statement with the values of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Substituted {
    pub(super) text: String,
    /// Which tokens hold values, and where they stood before.
    pub(super) replaced: Vec<Replaced>,
}

/// A token that holds the value of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// Where it stands.
    pub now: Span,
    /// Where the token that names the variable stands, in the statement as it is written.
    pub before: Span,
}

/// The place in a statement as it is written of a place in the statement with its values.
pub(super) fn as_written(replaced: &[Replaced], place: Span) -> Span {
    let offset = |offset: usize, is_end: bool| {
        let (mut now, mut before) = (0, 0);
        for one in replaced {
            let is_past = if is_end { offset > one.now.start } else { offset >= one.now.end };
            if !is_past {
                let is_within = !is_end && offset >= one.now.start;
                return if is_within { one.before.start } else { before + (offset - now) };
            }
            if is_end && offset <= one.now.end {
                return one.before.end;
            }
            (now, before) = (one.now.end, one.before.end);
        }
        before + (offset - now)
    };
    Span::new(offset(place.start, false), offset(place.end, true))
}

/// The statement with the values of its variables, those unknown left as they are; `None` if nothing changes.
///
/// No more than `room` bytes are put in, and what is put in takes from that.
pub(super) fn substitute(
    statement: &Text,
    variables: &Variables,
    room: &mut usize,
) -> Result<Option<Substituted>, ParseError> {
    let mut out = String::with_capacity(statement.len());
    let mut copied = 0;
    let mut all = Vec::new();
    for token in tokenize(statement) {
        let text = token.span.text(statement);
        let replaced = match token.kind {
            Kind::Variable => standing_alone(text, variables, statement, token.span)?,
            Kind::String | Kind::DoubleQuoted | Kind::BackQuoted => {
                inside_string(text, variables, *room)
            }
            _ => None,
        };
        if let Some(replaced) = replaced {
            out.push_str(&statement[copied..token.span.start]);
            *room =
                room.checked_sub(replaced.len()).ok_or_else(|| too_large(statement, token.span))?;
            let start = out.len();
            out.push_str(&replaced);
            copied = token.span.end;
            all.push(Replaced { now: Span::new(start, out.len()), before: token.span });
        }
    }
    out.push_str(&statement[copied..]);
    Ok((!all.is_empty()).then_some(Substituted { text: out, replaced: all }))
}

/// The value of a variable, whose name is given in any case.
fn value_of<'v>(name: &str, variables: &'v Variables) -> Option<&'v String> {
    variables.get(&name.to_lowercase())
}

/// The places in a statement that name variables which are not set, and the names.
pub(super) fn unset(statement: &str, variables: &Variables) -> Vec<(Span, String)> {
    if !statement.contains("${") {
        return Vec::new();
    }
    let mut unset = Vec::new();
    for token in tokenize(statement) {
        let is_text = matches!(token.kind, Kind::String | Kind::DoubleQuoted | Kind::BackQuoted);
        if !is_text && token.kind != Kind::Variable {
            continue;
        }
        let mut at = token.span.start;
        while let Some(found) = statement[at..token.span.end].find("${") {
            let start = at + found;
            let Some(length) = statement[start..token.span.end].find('}') else { break };
            at = start + length + 1;
            let name = &statement[start + 2..at - 1];
            if !statement[..start].ends_with('$') && value_of(name, variables).is_none() {
                unset.push((Span::new(start, at), name.to_owned()));
            }
        }
    }
    unset
}

/// What is said of a variable that is not set.
pub(super) fn help_with(name: &str, variables: &Variables) -> String {
    let known = variables.keys().map(String::as_str);
    match did_you_mean(&name.to_lowercase(), known) {
        Some(near) => format!("there is no variable {name}: did you mean {near}?"),
        None => format!("there is no variable {name}: DEFINE {name} = '…' sets it"),
    }
}

/// What is said of variables whose values would fill all memory.
fn too_large(statement: &Text, span: Span) -> ParseError {
    let reason = format!(
        "the values of variables make at most {VARIABLE_BYTES_MAX} bytes of a text, and here they would make more"
    );
    ParseError::prepare(statement, span, &reason)
}

/// The value of a variable that is a whole token.
fn standing_alone(
    text: &str,
    variables: &Variables,
    statement: &Text,
    span: Span,
) -> Result<Option<String>, ParseError> {
    let Some(value) = value_of(&text[2..text.len() - 1], variables) else { return Ok(None) };
    if is_string(value) {
        let inside = value[1..value.len() - 1].replace('\'', "''");
        return Ok(Some(format!("'{inside}'")));
    }
    if is_name(value) || value.parse::<f64>().is_ok_and(f64::is_finite) {
        return Ok(Some(value.clone()));
    }
    let at = span.position(statement);
    let message = format!("Illegal argument at Line: {}, Col: {}.", at.line, at.column);
    Err(ParseError {
        unlogged: format!("{message} Got: '{value}'"),
        message,
        span,
        position: at,
        statement: statement.to_string(),
        help: Some("a text needs quotes of its own: DEFINE x = '''text'''".to_owned()),
    })
}

fn is_string(value: &str) -> bool {
    value.len() >= 2 && value.starts_with('\'') && value.ends_with('\'')
}

/// An identifier, possibly in quotes; `TRUE` and `FALSE` are too.
fn is_name(value: &str) -> bool {
    let unquoted = ['"', '`']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)));
    let name = unquoted.unwrap_or(value);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(fits)
}

/// A quoted token with the values of the variables in it; `$${x}` is the text `${x}`.
///
/// What is longer than `most` is cut off, as nobody wants it.
fn inside_string(text: &str, variables: &Variables, most: usize) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else { break };
        let end = at + end + 1;
        let known = value_of(&rest[at + 2..end - 1], variables);
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at - 1]);
            out.push_str(&rest[at..end]);
            changed = true;
        } else if let Some(value) = known {
            out.push_str(&rest[..at]);
            out.push_str(&value.replace('\'', "''"));
            changed = true;
        } else {
            out.push_str(&rest[..end]);
        }
        rest = &rest[end..];
        if out.len() > most {
            return Some(out);
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, expected: &str) {
        let pairs =
            [("t", "orders"), ("n", "12"), ("s", "'it's'"), ("part", "o'k"), ("bad", "a; b")];
        let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let found = match substitute(&statement.into(), &variables, &mut usize::MAX.clone()) {
            Ok(found) => found.map_or_else(|| statement.to_owned(), |found| found.text),
            Err(error) => error.unlogged,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn places_lead_back_to_the_statement_as_it_is_written() {
        let variables = [("t".to_owned(), "orders".to_owned()), ("n".to_owned(), "1".to_owned())];
        let written = "SELECT ${n}, x FROM ${t} WHERE y;";
        let found = substitute(&written.into(), &variables.into(), &mut usize::MAX.clone())
            .unwrap()
            .unwrap();
        for (word, expected) in [
            ("SELECT", "SELECT"),
            ("1", "${n}"),
            ("x", "x"),
            ("orders", "${t}"),
            ("1, x", "${n}, x"),
            ("FROM orders", "FROM ${t}"),
            ("y;", "y;"),
        ] {
            let start = found.text.find(word).unwrap();
            let place = as_written(&found.replaced, Span::new(start, start + word.len()));
            assert_eq!(place.text(written), expected);
        }
    }

    #[test]
    fn values_stay_one_token() {
        check("DESCRIBE ${t};", "DESCRIBE orders;");
        check(
            "SELECT ${n}, ${s}, 'a ${part}', '$${n}' FROM ${T};",
            "SELECT 12, 'it''s', 'a o''k', '${n}' FROM orders;",
        );
        check("DROP STREAM ${bad};", "Illegal argument at Line: 1, Col: 13. Got: 'a; b'");
    }
}
