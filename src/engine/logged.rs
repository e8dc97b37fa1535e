//! Statements as servers log and show them, read back.

use crate::sql::ast::{SourceKind, Statement};
use crate::sql::{self, ParseError, ParseOptions, ParsedStatement};

/// The statements of a text that a server has logged, or shows: one, and perhaps what has altered its source since.
pub fn read_logged(text: &str) -> Result<Vec<ParsedStatement>, Vec<ParseError>> {
    let parsed = sql::parse(text, &ParseOptions::printed())?;
    Ok(parsed.into_iter().map(without_added).collect())
}

/// A statement without what was added to its text alone: its topic is there already.
fn without_added(mut parsed: ParsedStatement) -> ParsedStatement {
    let (with, is_unwindowed_table) = match &mut parsed.statement {
        Statement::CreateSource(create) => (&mut create.with, false),
        Statement::CreateAs(create) => {
            let is_table = create.kind == SourceKind::Table;
            (&mut create.with, is_table && create.query.window.is_none())
        }
        _ => return parsed,
    };
    with.retain(|property| match property.name.text.as_str() {
        "CLEANUP_POLICY" => false,
        "RETENTION_MS" => !is_unwindowed_table,
        _ => true,
    });
    parsed
}
