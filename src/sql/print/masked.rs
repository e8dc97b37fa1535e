//! Statements as they are logged and sent back: without the values that may be secret.

use crate::sql::ParsedStatement;
use crate::sql::ast::{CreateConnector, InsertValues, Name, Statement};
use crate::sql::print::expression::literal;
use crate::sql::print::text::{identifier, join, put};

/// The text of a statement, with `[value]` for what `INSERT … VALUES` inserts and `[string]` for what configures a
/// connector. Every other statement is its text as written.
pub fn masked(parsed: &ParsedStatement) -> String {
    match &parsed.statement {
        Statement::InsertValues(insert) => insert_values(insert),
        Statement::CreateConnector(create) => connector(create, &parsed.source),
        _ => parsed.text.clone(),
    }
}

/// Names are always quoted here.
fn insert_values(insert: &InsertValues) -> String {
    let quoted = |name: &Name| format!("`{}`", name.text.replace('`', "``"));
    let mut out = format!("INSERT INTO {} ", quoted(&insert.target));
    if !insert.columns.is_empty() {
        out.push('(');
        join(&mut out, &insert.columns, ", ", |out, name| out.push_str(&quoted(name)));
        out.push_str(") ");
    }
    out.push_str("VALUES (");
    join(&mut out, &insert.values, ", ", |out, _| out.push_str("'[value]'"));
    out.push_str(");");
    out
}

/// Only the class of a connector is shown, and the properties are in the order in which they were written.
fn connector(create: &CreateConnector, source: &str) -> String {
    let kind = match create.kind {
        crate::sql::ast::ConnectorKind::Source => "SOURCE",
        crate::sql::ast::ConnectorKind::Sink => "SINK",
    };
    let exists = if create.if_not_exists { "IF NOT EXISTS " } else { "" };
    let name = create.name.span.text(source);
    let name = if name.is_empty() { identifier(&create.name.text) } else { name.to_owned() };
    let mut out = format!("CREATE {kind} CONNECTOR {exists}{name} WITH (");
    let mut properties: Vec<_> = create.with.iter().collect();
    properties.sort_by_key(|property| property.name.span.start);
    join(&mut out, &properties, ", ", |out, property| {
        let is_class = property.name.text.eq_ignore_ascii_case("connector.class");
        let value = if is_class { literal(&property.value) } else { "'[string]'".to_owned() };
        put(out, format_args!("{}={value}", property.name.span.text(source)));
    });
    out.push_str(");");
    out
}

#[cfg(test)]
mod tests {
    use super::masked;
    use crate::sql::{ParseOptions, parse};

    #[test]
    fn secrets_do_not_show() {
        let check = |text, expected| {
            let parsed = parse(text, &ParseOptions::default());
            assert_eq!(parsed.map(|parsed| masked(&parsed[0])), Ok(String::from(expected)));
        };
        check(
            "INSERT INTO s (id, x) VALUES (1, 'a');",
            "INSERT INTO `S` (`ID`, `X`) VALUES ('[value]', '[value]');",
        );
        check("INSERT INTO s VALUES (1);", "INSERT INTO `S` VALUES ('[value]');");
        check(
            "create sink connector c with ('z'='p', 'connector.class'='Jdbc', a=1);",
            "CREATE SINK CONNECTOR c WITH ('z'='[string]', 'connector.class'='Jdbc', a='[string]');",
        );
        check("SELECT 'a'  FROM s;", "SELECT 'a'  FROM s;");
    }
}
