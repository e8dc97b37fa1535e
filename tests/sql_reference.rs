//! Every statement of ksqlDB's own cases, held against what a real ksqlDB said of its syntax.
//!
//! The cases lie outside of the repository: `KSQLDB_REFERENCE` names their folder.

use millstream::sql::{ParseOptions, parse};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder, or `None`, said aloud, where it is missing.
fn reference() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/ksqldb");
    let folder = std::env::var_os("KSQLDB_REFERENCE").map_or(default, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: no reference at {} (set KSQLDB_REFERENCE)", folder.display());
        return None;
    }
    Some(folder)
}

/// Each case of a folder of JSON files by its full name, with all its statements as one text.
fn cases(folder: &Path) -> Vec<(String, String)> {
    let mut cases = Vec::new();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "json")) {
        let text = std::fs::read_to_string(file).unwrap();
        let stem = file.file_stem().unwrap().to_string_lossy();
        for case in entries(&text) {
            let Some(statements) = case["statements"].as_array() else { continue };
            let lines: Vec<&str> = statements.iter().filter_map(Value::as_str).collect();
            let name = format!("{stem} - {}", case["name"].as_str().unwrap_or_default());
            cases.push((name, lines.join("\n").replace("{FORMAT}", "JSON")));
        }
    }
    cases
}

/// The cases of a file. One file has a case a line, some with half of a surrogate pair, which are left out.
fn entries(text: &str) -> Vec<Value> {
    if let Ok(mut json) = serde_json::from_str::<Value>(text) {
        return serde_json::from_value(json["tests"].take()).unwrap();
    }
    text.lines().filter_map(|line| serde_json::from_str(line.trim_end_matches(',')).ok()).collect()
}

/// The logged and unlogged messages of the cases that a real ksqlDB refused, by name.
fn refused(file: &Path) -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter_map(|line| {
            let error = if line["error"].is_array() { &line["error"][0] } else { &line };
            let message = error["message"].as_str()?;
            let unlogged =
                error["unlogged"].as_str().or(error["details"].as_str()).unwrap_or_default();
            let name = line["name"].as_str()?.to_owned();
            Some((name, (message.to_owned(), unlogged.to_owned())))
        })
        .collect()
}

/// Whether a message is this layer's to give.
fn is_ours(message: &str) -> bool {
    message.contains("Syntax error at line")
        || message.contains("is not a valid stream/table name or alias")
        || message.contains("Duplicate column names")
        || message.contains("Expected number columns and values")
        || message.contains("Unknown type: ")
        || message.contains("Multiple entries with same key")
        || message.contains("don't support LIMIT")
        || message.contains("KEY' column: please use")
}

/// One line, as the goldens have it.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check(folder: &Path, golden: &Path) {
    let refused = refused(golden);
    let mut wrong = Vec::new();
    let all = cases(folder);
    for (name, text) in &all {
        let known = refused.get(name).or_else(|| refused.get(&format!("{name} - JSON")));
        let expected = known.filter(|(message, _)| is_ours(message));
        let found = parse(text, &ParseOptions::default());
        match (expected, found) {
            (None, Ok(_)) => {}
            (None, Err(errors)) => wrong.push(format!("{name}: {}\n{text}", errors[0].unlogged)),
            (Some((message, _)), Ok(_)) => wrong.push(format!("{name}: not {message}\n{text}")),
            (Some((message, unlogged)), Err(errors)) => {
                let error = &errors[0];
                let shown = format!("{}\nStatement: {}", error.unlogged, error.statement);
                if flat(&error.message) != flat(message) {
                    wrong.push(format!("{name}: {} instead of {message}\n{text}", error.message));
                } else if !unlogged.is_empty()
                    && flat(&shown) != flat(unlogged)
                    && flat(&error.unlogged) != flat(unlogged)
                {
                    wrong.push(format!("{name}: {shown}\n instead of {unlogged}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n\n{}", wrong.len(), all.len(), wrong.join("\n\n"));
}

#[test]
fn ksqldbs_cases_parse_or_fail_as_they_should() {
    let Some(reference) = reference() else { return };
    check(
        &reference.join("cases/query-validation-tests"),
        &reference.join("golden/query-validation.jsonl"),
    );
}

#[test]
fn fresh_cases_parse_or_fail_as_they_should() {
    let Some(reference) = reference() else { return };
    check(&reference.join("fresh"), &reference.join("golden/fresh.jsonl"));
}
