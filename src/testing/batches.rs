//! Whether batches or a restart change anything: a case gives the same record by record, batch by batch, and where its
//! queries start again in the middle.

use std::collections::BTreeMap;

use super::case::Case;
use super::failure::Failure;
use super::golden::{Golden, with_bytes};
use super::report::guarded;
use super::run::{Feed, Observed, observe};
use super::system::Record;
use super::systems::Systems;

/// What batches made of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batched {
    /// The same as single records.
    Same,
    /// Neither runs yet, for this reason.
    Unsupported(String),
    /// The same, but for the order of entries in the processing log.
    LogOrder(String),
    /// Something else, which is told.
    Other(String),
}

/// Runs a case record by record, then as each of `feeds` says, and compares all that it gave. With an `answer`, the bytes
/// that it tells of are fed.
pub fn run_batched(
    systems: &dyn Systems,
    case: &Case,
    answer: Option<&Golden>,
    feeds: &[Feed],
) -> Batched {
    let case = answer.map_or_else(|| case.clone(), |answer| with_bytes(case, answer));
    let mut found = Batched::Same;
    let compared = guarded(|| {
        let rows = observe(systems, &case, Feed::ROWS);
        if let Some(failure) = rows.failure.as_ref().filter(|failure| failure.is_unsupported) {
            found = Batched::Unsupported(failure.message.clone());
            return Ok(());
        }
        for feed in feeds {
            let batches = observe(systems, &case, *feed);
            compare(&rows, &batches).map_err(|other| format!("fed as {feed:?}: {other}"))?;
            if let Err(order) = sequence("the processing log", &rows.log, &batches.log) {
                found = Batched::LogOrder(order);
            }
        }
        Ok(())
    });
    compared.map_or_else(Batched::Other, |()| found)
}

/// Compares all but the order of the processing log.
fn compare(rows: &Observed, batches: &Observed) -> Result<(), String> {
    for (what, rows, batches) in [
        ("topic", &rows.topics, &batches.topics),
        ("changelog", &rows.changelogs, &batches.changelogs),
    ] {
        let shown = |all: &BTreeMap<String, Vec<Record>>, name: &str| -> Vec<String> {
            all.get(name)
                .into_iter()
                .flatten()
                .map(|record| without_sequence(&show(record)))
                .collect()
        };
        for name in rows.keys().chain(batches.keys()) {
            sequence(&format!("{what} {name}"), &shown(rows, name), &shown(batches, name))?;
        }
    }
    let sorted = |observed: &Observed| {
        let mut log = observed.log.clone();
        log.sort_unstable();
        log
    };
    sequence("the sorted processing log", &sorted(rows), &sorted(batches))?;
    let failure = |observed: &Observed| observed.failure.as_ref().map(without_offset);
    let (rows, batches) = (failure(rows), failure(batches));
    if rows == batches {
        return Ok(());
    }
    Err(format!("fails with {batches:?} instead of {rows:?}"))
}

fn sequence(what: &str, rows: &[String], batches: &[String]) -> Result<(), String> {
    let at = rows.iter().zip(batches).take_while(|(row, batch)| row == batch).count();
    match (rows.get(at), batches.get(at)) {
        (None, None) => Ok(()),
        (row, batch) => {
            let shown = |line: Option<&String>| line.map_or("nothing", String::as_str).to_owned();
            let (row, batch) = (shown(row), shown(batch));
            Err(format!("{what}, from {at} on:\n  by record {row}\n  by batch  {batch}"))
        }
    }
}

/// A failure without the offset in its message: that of a batch is of its first record.
fn without_offset(failure: &Failure) -> Failure {
    let (message, _) = failure.message.split_once(", offset=").unwrap_or((&failure.message, ""));
    Failure { message: message.to_owned(), ..failure.clone() }
}

fn show(record: &Record) -> String {
    let text = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map_or_else(|| "null".to_owned(), |bytes| bytes.escape_ascii().to_string())
    };
    let (key, value) = (text(&record.key), text(&record.value));
    format!("{key} {value} @ {} {:?}", record.timestamp, record.headers)
}

/// Takes out the counter of `LATEST_BY_OFFSET` and its like: a batch makes its groups before it fills them.
fn without_sequence(text: &str) -> String {
    let name = r#"\"SEQ\":"#;
    let mut parts = text.split(name);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.extend([name, part.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit())]);
    }
    out
}
