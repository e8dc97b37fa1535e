//! Errors, with ksqlDB's codes: the status of HTTP, and two more digits.

use serde_json::{Value, json};

use crate::engine::host::{HostError, HostFault};
use crate::sql::{Diagnostic, Span};

/// An error that concerns no statement.
pub fn generic(code: u32, message: impl Into<String>) -> Value {
    json!({ "@type": "generic_error", "error_code": code, "message": message.into() })
}

/// The status of an error, and its text.
pub fn render(error: &HostError) -> (u32, Value) {
    let code = error.fault.code();
    let value = match &error.statement {
        Some(statement) if concerns_statements(error.fault) => json!({
            "@type": "statement_error",
            "error_code": code,
            "message": error.message,
            "statementText": statement,
            "entities": [],
        }),
        _ => generic(code, error.message.clone()),
    };
    (code / 100, value)
}

/// The same, and what people are shown of it, for who asks for that: its places in the text of the request, as offsets of
/// bytes, and hints.
pub fn render_shown(error: &HostError) -> (u32, Value) {
    let (status, mut value) = render(error);
    if let (Some(shown), Some(object)) = (&error.shown, value.as_object_mut()) {
        object.insert("diagnostic".to_owned(), diagnostic(shown));
    }
    (status, value)
}

fn diagnostic(shown: &Diagnostic) -> Value {
    let label = |(span, label): &(Span, String)| json!({ "start": span.start, "end": span.end, "label": label });
    json!({
        "message": shown.message,
        "labels": shown.labels.iter().map(label).collect::<Vec<_>>(),
        "help": shown.help,
        "more": shown.more.iter().map(diagnostic).collect::<Vec<_>>(),
    })
}

/// Whether a fault is told with the statement that has it.
fn concerns_statements(fault: HostFault) -> bool {
    matches!(
        fault,
        HostFault::Statement | HostFault::Query | HostFault::ReadOnly | HostFault::Server
    )
}
