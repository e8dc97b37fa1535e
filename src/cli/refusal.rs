//! Why there is no answer, shown with its place in the statement.

use serde_json::Value;

use crate::sql::span::{Lines as _, Span};
use crate::sql::{Diagnostic, ParseError, ParseOptions, Variables, read};

/// Why a statement has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The server refuses it.
    #[error("{message}")]
    Server {
        /// ksqlDB's code: the HTTP status and two digits.
        code: i64,
        /// What the server says.
        message: String,
        /// The error as it came.
        raw: Value,
    },
    /// There is no server, or no ksqlDB.
    #[error("cannot talk to {url}: {cause}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        cause: String,
    },
    /// The shell itself cannot do it.
    #[error("{0}")]
    Shell(String),
}

impl Refusal {
    /// What a server's error object, or any other answer with this status, says.
    pub fn of_answer(status: u16, body: &str) -> Self {
        let raw: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        if let Some(refusal) = Self::of_object(&raw) {
            return refusal;
        }
        let hint = if status == 401 { ": --user and --password say who you are" } else { "" };
        let shown: String = body.chars().take(300).collect();
        let colon = if shown.trim().is_empty() { "" } else { ": " };
        let message = format!("the server answers {status}{hint}{colon}{}", shown.trim());
        Self::Server { code: i64::from(status) * 100, message, raw }
    }

    /// What an error object says.
    pub fn of_object(object: &Value) -> Option<Self> {
        let code = object.get("error_code").and_then(Value::as_i64)?;
        let message = object.get("message").and_then(Value::as_str).unwrap_or_default();
        Some(Self::Server { code, message: message.to_owned(), raw: object.clone() })
    }

    /// The error as `check` shows one, with its place in the statement if it has one.
    pub fn diagnostic(&self, statement: &str, variables: &Variables) -> Diagnostic {
        let Self::Server { message, raw, .. } = self else {
            let hint = "a server runs with `millstream server` or ksqlDB; its URL stands behind `millstream sql`";
            let is_away = matches!(self, Self::Unreachable { .. });
            let found = Diagnostic::new(self.to_string());
            return if is_away { found.help(hint) } else { found };
        };
        if let Some(shown) = raw.get("diagnostic").and_then(|shown| given(shown, statement)) {
            return shown;
        }
        let (message, hints) = without_echo(message);
        let Some(place) = place(&message, statement) else {
            return hints.into_iter().fold(Diagnostic::new(message), Diagnostic::help);
        };
        let (message, detail) = match message.split_once(" Syntax Error\n") {
            Some((line, detail)) => (format!("{line} Syntax error"), detail.replace('\n', "; ")),
            None => (message, String::new()),
        };
        // Where our own parser refuses the same, `check` says what it says.
        let options =
            ParseOptions { variables: Some(variables.clone()), ..ParseOptions::default() };
        let own = read(statement, &options).faulty.into_iter().flat_map(|one| one.errors).next();
        let is_same = |own: &ParseError| own.position == place.position(statement);
        let found = match own {
            Some(own) if is_same(&own) => own.to_diagnostic(),
            own => {
                let help = own.and_then(|own| own.help);
                help.into_iter().fold(Diagnostic::new(message).at(place, detail), Diagnostic::help)
            }
        };
        hints.into_iter().fold(found, Diagnostic::help)
    }
}

/// What a server of ours shows of an error, with its places in the statement.
fn given(shown: &Value, statement: &str) -> Option<Diagnostic> {
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let label = |label: &Value| {
        let offset = |name: &str| label[name].as_u64().and_then(|at| usize::try_from(at).ok());
        let (start, end) = (offset("start")?, offset("end")?);
        statement.get(start..end)?; // another text than this one
        Some((Span::new(start, end), label["label"].as_str().unwrap_or_default().to_owned()))
    };
    let more = shown["more"].as_array().into_iter().flatten();
    Some(Diagnostic {
        message: shown["message"].as_str()?.to_owned(),
        labels: shown["labels"].as_array().into_iter().flatten().filter_map(label).collect(),
        help: texts(&shown["help"]),
        more: more.filter_map(|more| given(more, statement)).collect(),
    })
}

/// The message without the statement that ksqlDB repeats behind it, and its hints apart.
fn without_echo(message: &str) -> (String, Vec<String>) {
    let message = message.split("\nStatement: ").next().unwrap_or_default();
    let (mut said, mut hints) = (String::new(), Vec::new());
    for line in message.lines() {
        let hint = line.strip_prefix("Hint: ").or(line.starts_with("Did you mean").then_some(line));
        match hint {
            Some(hint) => hints.push(hint.to_owned()),
            None if said.is_empty() => said.push_str(line),
            None => {
                said.push('\n');
                said.push_str(line);
            }
        }
    }
    (said.trim_end().to_owned(), hints)
}

/// The place that a message tells as `line 1:8` or `Line: 1, Col: 8`.
fn place(message: &str, statement: &str) -> Option<Span> {
    let (line, column) =
        numbers(message, "line ", ":").or_else(|| numbers(message, "Line: ", ", Col: "))?;
    let before = statement.split_inclusive('\n').take(line.checked_sub(1)?);
    let start: usize = before.map(str::len).sum();
    let text = statement[start..].split_inclusive('\n').next()?;
    let within =
        text.char_indices().nth(column.checked_sub(1)?).map_or(text.trim_end().len(), |(at, _)| at);
    let at = start + within;
    let line = statement.line_at(at);
    let word = statement[at..line.end].chars().take_while(|c| c.is_alphanumeric() || *c == '_');
    let length: usize = word.map(char::len_utf8).sum();
    Some(Span::new(at, (at + length.max(1)).min(statement.len()).max(at)))
}

/// Two numbers, one behind `first` and the other behind `second`.
fn numbers(message: &str, first: &str, second: &str) -> Option<(usize, usize)> {
    for (at, _) in message.match_indices(first) {
        let rest = &message[at + first.len()..];
        let Some((line, rest)) = number(rest) else { continue };
        let Some((column, _)) = rest.strip_prefix(second).and_then(number) else { continue };
        return Some((line, column));
    }
    None
}

fn number(text: &str) -> Option<(usize, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..length].parse().ok()?, &text[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::diagnostic::Color;

    fn shown(message: &str, statement: &str) -> String {
        let body = serde_json::json!({"@type": "statement_error", "error_code": 40001, "message": message});
        let refusal = Refusal::of_answer(400, &body.to_string());
        refusal.diagnostic(statement, &Variables::new()).render(statement, Color::Never)
    }

    #[test]
    fn errors_point_at_their_place() {
        assert_eq!(
            shown("line 2:6: Syntax Error\nExpecting ';'", "SELECT *\nFRMO clicks;"),
            "error: line 2:6: Syntax error\n 2 | FRMO clicks;\n   |      ^^^^^^ Expecting ';'\n\
             help: did you mean FROM?\n"
        );
        assert_eq!(
            shown(
                "Line: 1, Col: 8: SELECT column 'X' cannot be resolved.\nStatement: SELECT X",
                "SELECT X FROM a;"
            ),
            "error: Line: 1, Col: 8: SELECT column 'X' cannot be resolved.\n 1 | SELECT X FROM a;\n   |        ^\n"
        );
        assert_eq!(shown("A\nDid you mean \"B\"?", "X;"), "error: A\nhelp: Did you mean \"B\"?\n");
        assert_eq!(
            shown("line 1:1: Syntax Error\nof tomorrow", "SHOW TABLES;"),
            "error: line 1:1: Syntax error\n 1 | SHOW TABLES;\n   | ^^^^ of tomorrow\n"
        );
        assert_eq!(shown("line 9:9: no", "X;"), "error: line 9:9: no\n");
        assert_eq!(shown("line 1:90: no", "é;"), "error: line 1:90: no\n 1 | é;\n   |   ^\n");
    }

    #[test]
    fn what_is_no_error_of_ksqldb_is_told_too() {
        let refusal = Refusal::of_answer(401, "");
        assert!(refusal.to_string().contains("--user"), "{refusal}");
        assert_eq!(Refusal::of_answer(502, "<html>").to_string(), "the server answers 502: <html>");
    }
}
