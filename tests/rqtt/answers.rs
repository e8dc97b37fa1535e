//! What a server answered, and whether that is what a case expects.

use millstream::sql::{self, ParseOptions};
use serde_json::Value;

use crate::case::RestCase;
use crate::matching::{includes, rows};
use crate::protobuf;

/// An answer that was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The status, unless the answer had begun.
    pub(crate) status: Option<u16>,
    pub(crate) body: Value,
}

/// All answers, in the order in which a case has them.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The entities of statements.
    pub(crate) admin: Vec<Value>,
    /// The rows of queries, with header and end.
    pub(crate) queries: Vec<Vec<Value>>,
    /// The same in Protobuf.
    pub(crate) protobuf: Vec<Vec<Value>>,
    pub(crate) refusal: Option<Refusal>,
}

impl Answers {
    /// Takes in the whole answer to a query.
    pub(crate) fn take_query(&mut self, status: u16, text: &str) -> Result<(), String> {
        let body: Value = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
        match body {
            Value::Array(answers) if status == 200 => {
                let failed = answers.iter().find_map(|answer| answer.get("errorMessage"));
                if let Some(body) = failed {
                    self.refusal = Some(Refusal { status: None, body: body.clone() });
                }
                self.queries.push(answers);
            }
            body => self.refusal = Some(Refusal { status: Some(status), body }),
        }
        Ok(())
    }

    /// Takes in the whole answer to a query whose rows are asked for in Protobuf.
    pub(crate) fn take_protobuf(&mut self, status: u16, text: &str) -> Result<(), String> {
        match serde_json::from_str(text) {
            Ok(Value::Array(parts)) if status == 200 => {
                self.protobuf.push(protobuf::answer(&parts)?);
                Ok(())
            }
            _ => Err(format!("in Protobuf the answer is {status} {text}")),
        }
    }

    /// Says what is wrong with the answers to a case.
    pub(crate) fn check(&self, case: &RestCase) -> Result<(), String> {
        match (&case.error, &self.refusal) {
            (Some(expected), Some(refusal)) => return check_refusal(case, expected, refusal),
            // Some errors are those of earlier versions; a statement alone may run.
            (Some(_), None) if self.queries.is_empty() => return Ok(()),
            (Some(expected), None) => return Err(format!("not refused: {expected}")),
            (None, Some(refusal)) => return Err(format!("refused: {refusal:?}")),
            (None, None) => {}
        }
        let admin = self.admin.iter().map(|entity| ("admin", vec![entity.clone()]));
        let queries = self.queries.iter().map(|rows| ("query", rows.clone()));
        let protobuf = self.protobuf.iter().map(|rows| ("queryProto", rows.clone()));
        let actual: Vec<_> = admin.chain(queries).chain(protobuf).collect();
        for (at, expected) in case.responses.iter().enumerate() {
            let Some((kind, found)) = actual.get(at) else {
                return Err(format!("answer {at} is missing: {expected}"));
            };
            let Some(expected) = expected.get(*kind) else {
                return Err(format!("answer {at} is of {kind}, not {expected}"));
            };
            let checked = match expected.as_array() {
                Some(expected) => check_rows(expected, found),
                None => includes("", expected, &found[0]),
            };
            checked.map_err(|fault| format!("answer {at}: {fault}"))?;
        }
        Ok(())
    }
}

fn check_refusal(case: &RestCase, expected: &Value, refusal: &Refusal) -> Result<(), String> {
    let Refusal { status, body } = refusal;
    // In Java, an error of a statement is any other error too.
    let class = expected["type"].as_str().unwrap_or_default();
    let is_of_statement = class.ends_with(".KsqlStatementErrorMessage");
    if is_of_statement && body["@type"] != "statement_error" {
        return Err(format!("it is no error of a statement: {body}"));
    }
    if let (Some(expected), Some(found)) = (expected["status"].as_u64(), status)
        && expected != u64::from(*found)
    {
        return Err(format!("status {found} instead of {expected}: {body}"));
    }
    let message = expected["message"].as_str().unwrap_or_default();
    if !body["message"].as_str().is_some_and(|found| found.contains(message)) {
        return Err(format!("{message:?} is not said, but {body}"));
    }
    let last = case.queries.last().or(case.commands.last()).unwrap();
    match body.get("statementText").and_then(Value::as_str) {
        Some(text)
            if is_of_statement
                && !text.contains(last.as_str())
                && Some(text) != masked(last).as_deref() =>
        {
            Err(format!("the statement is {text:?}, not {last:?}"))
        }
        _ => Ok(()),
    }
}

/// A statement without its values, as it is shown of a row that is inserted.
fn masked(statement: &str) -> Option<String> {
    match sql::parse(statement, &ParseOptions::default()) {
        Ok(parsed) => parsed.first().map(sql::print::masked),
        Err(errors) => errors.first().map(|error| error.statement.clone()),
    }
}

fn check_rows(expected: &[Value], found: &[Value]) -> Result<(), String> {
    if expected.len() != found.len() {
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        let (count, expected) = (found.len(), expected.len());
        return Err(format!("{count} rows instead of {expected}:\n{}", shown.join("\n")));
    }
    for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
        includes("", expected, found).map_err(|fault| format!("row {at}: {fault}"))?;
    }
    rows(expected, found)
}
