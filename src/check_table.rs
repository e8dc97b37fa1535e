//! What `millstream check` shows of files that nothing is wrong with: what each statement makes, column by column.

use millstream::engine::headless::{Checked, CheckedStatement};
use millstream::plan::{FilledFrom, Source};
use millstream::sql::ast::SourceKind;

use crate::dry_run::aligned;
use crate::files::Files;

/// A line for each statement that makes or fills a source, and below it one for each column.
pub(crate) fn table(checked: &Checked, files: &Files) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut shown: Vec<&str> = Vec::new();
    for CheckedStatement { place, source, query } in &checked.statements {
        rows.push([
            source.name.clone(),
            kind(source.kind).to_owned(),
            files.place(*place),
            detail(source, query.as_deref()),
        ]);
        // What fills a source that is there already has its columns.
        if !shown.contains(&source.name.as_str()) {
            shown.push(&source.name);
            rows.extend(columns(source));
        }
    }
    aligned(&rows)
}

fn kind(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Stream => "stream",
        SourceKind::Table => "table",
    }
}

/// Where the rows are, how they are spelled, and which query writes them.
fn detail(source: &Source, query: Option<&str>) -> String {
    let Source { topic, key_format, value_format, .. } = source;
    let mut detail = format!("topic {topic} ({}, {})", key_format.format, value_format.format);
    if let Some(query) = query {
        detail.push_str(", query ");
        detail.push_str(query);
    }
    detail
}

/// The columns of a source in the order in which they were declared.
fn columns(source: &Source) -> impl Iterator<Item = [String; 4]> {
    let key = match source.kind {
        SourceKind::Stream => "key",
        SourceKind::Table => "primary key",
    };
    source.columns().map(move |(name, ty, from)| {
        let role = match from {
            FilledFrom::Key => key.to_owned(),
            FilledFrom::Value => String::new(),
            FilledFrom::Headers(Some(name)) => format!("header {name}"),
            FilledFrom::Headers(None) => "headers".to_owned(),
        };
        [format!("  {name}"), ty.to_string(), String::new(), role]
    })
}
