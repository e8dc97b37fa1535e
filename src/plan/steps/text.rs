//! Steps as the text that ksqlDB's `EXPLAIN` shows.

use std::fmt::Write as _;

use super::Step;
use crate::sql::{self, print};
use crate::types::{ColumnDef, Schema};

/// The steps of a query with this id, the last one first, each below what reads it.
///
/// ```text
///  > [ SINK ] | Schema: ID INTEGER KEY, N BIGINT | Logger: CTAS_COUNTS_3.COUNTS
///          > [ PROJECT ] | …
/// ```
pub fn execution_plan(last: &Step<'_>, query: &str) -> String {
    let mut out = String::new();
    write(last, query, 0, &mut out);
    out
}

fn write(step: &Step<'_>, query: &str, depth: usize, out: &mut String) {
    let (label, schema, context) = (step.kind.label(), shown_schema(step.schema), step.context);
    let indent = "\t\t".repeat(depth);
    // Writing to a text cannot fail.
    let _ = writeln!(out, "{indent} > [ {label} ] | Schema: {schema} | Logger: {query}.{context}");
    for input in &step.inputs {
        write(input, query, depth + 1, out);
    }
}

/// Columns with no more back-ticks than are needed to read them: `ID INTEGER KEY, N BIGINT`.
pub fn shown_schema(schema: &Schema) -> String {
    let shown = |column: &ColumnDef, role: &str| {
        // A type is printed in a form that can be read again.
        let ty = column.ty.to_string();
        let ty = sql::parse_type(&ty).map_or(ty, |ty| print::type_(&ty));
        format!("{} {ty}{role}", print::identifier(&column.name))
    };
    let keys = schema.key.iter().map(|column| shown(column, " KEY"));
    let values = schema.value.iter().map(|column| shown(column, ""));
    keys.chain(values).collect::<Vec<_>>().join(", ")
}
