//! Errors, with ksqlDB's codes: the status of HTTP, and two more digits.

use serde_json::{Value, json};

use crate::engine::host::{HostError, HostFault};

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

/// Whether a fault is told with the statement that has it.
fn concerns_statements(fault: HostFault) -> bool {
    matches!(
        fault,
        HostFault::Statement | HostFault::Query | HostFault::ReadOnly | HostFault::Server
    )
}
