//! What `millstream run --dry-run` shows: a line for each query, and one for each topic to be made.

use std::fmt::Write as _;

use millstream::engine::ServiceQuery;
use millstream::engine::headless::DryRun;
use millstream::engine::identity::Fate;

use crate::files::Files;

/// The table of a dry run.
pub(crate) fn table(run: &DryRun, files: &Files) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for query in &run.queries.queries {
        let spec = &query.spec;
        rows.push([
            spec.id.clone(),
            word(&query.fate).to_owned(),
            files.place(query.place),
            detail(query),
        ]);
        if let Some(before) = &query.before {
            let [was, now] = before.texts(&spec.plan);
            rows.extend(indented("was", &was));
            rows.extend(indented("now", &now));
        }
    }
    for query in &run.queries.gone {
        let detail = format!("no statement makes it; group {} stays", query.group);
        rows.push([query.id.clone(), "gone".to_owned(), String::new(), detail]);
    }
    for topic in &run.topics {
        let shape = &topic.shape;
        let replicas = match shape.replicas {
            replicas @ 1.. => format!("{replicas} replicas"),
            _ => "the brokers' replicas".to_owned(),
        };
        let detail =
            format!("{} partitions, {replicas}, {}", shape.partitions, topic.cleanup_policy);
        rows.push([topic.name.clone(), "new topic".to_owned(), String::new(), detail]);
    }
    for request in &run.schemas {
        let detail = format!("{}, unless it is there", request.schema.ty);
        rows.push([request.subject.to_string(), "schema".to_owned(), String::new(), detail]);
    }
    aligned(&rows)
}

fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::Kept | Fate::Renumbered | Fate::TakenOver => "keeps",
        Fate::New => "starts new",
        Fate::Changed => "changed",
        Fate::OffsetsLost => "stops",
    }
}

fn detail(query: &ServiceQuery) -> String {
    let settings = &query.spec.settings;
    let group = settings.application_id(&query.spec.id);
    match query.fate {
        Fate::Kept => format!("group {group}"),
        Fate::Renumbered => format!("group {group}; its statement stands elsewhere now"),
        Fate::TakenOver => {
            format!("group {group}; its offsets do not say of which statement they are")
        }
        Fate::New => {
            let from = if settings.from_earliest { "earliest" } else { "latest" };
            format!("group {group}, from {from}")
        }
        Fate::Changed => format!("group {group} is of another statement; reset it, or go back"),
        Fate::OffsetsLost => format!("its changelogs hold state, but group {group} has no offsets"),
    }
}

/// The lines of a text below a row.
fn indented(name: &str, text: &str) -> Vec<[String; 4]> {
    let line = |(index, line): (usize, &str)| {
        let name = if index == 0 { format!("{name}:") } else { String::new() };
        [format!("  {name:<4} {line}"), String::new(), String::new(), String::new()]
    };
    text.lines().enumerate().map(line).collect()
}

/// Columns of equal width; rows of one column do not widen it.
pub(crate) fn aligned(rows: &[[String; 4]]) -> String {
    let width = |column: usize| {
        let whole = rows.iter().filter(|row| !row[1].is_empty());
        whole.map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for [first, second, third, fourth] in rows {
        let line = format!(
            "{first:<0$}  {second:<1$}  {third:<2$}  {fourth}",
            widths[0], widths[1], widths[2]
        );
        let _ = writeln!(out, "{}", line.trim_end()); // writing to a text cannot fail
    }
    out
}
