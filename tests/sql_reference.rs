//! Every statement of ksqlDB's own cases, held against what a real ksqlDB said of its syntax.
//!
//! The cases lie outside of the repository: `KSQLDB_REFERENCE` names their folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use millstream::sql::{ParseOptions, parse};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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

/// The requests with one statement that a real ksqlDB server refused for their syntax, and its message.
#[test]
fn rest_requests_fail_with_ksqldbs_message() {
    let Some(reference) = reference() else { return };
    let text = std::fs::read_to_string(reference.join("rest/transcript.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let body = exchange["response"]["body"].as_str().unwrap_or_default();
        let request = exchange["request"]["body"].as_str().unwrap_or_default();
        let Ok(request) = serde_json::from_str::<Value>(request) else { continue };
        let Ok(response) = serde_json::from_str::<Value>(body) else { continue };
        let Some(sql) = request["ksql"].as_str().or(request["sql"].as_str()) else { continue };
        let message = response["message"].as_str().unwrap_or_default();
        let variables = serde_json::from_value(request["sessionVariables"].clone());
        let options =
            ParseOptions { variables: Some(variables.unwrap_or_default()), testing: false };
        match parse(sql, &options) {
            Err(errors)
                if response["error_code"] == 40001 && !message.starts_with(&errors[0].unlogged) =>
            {
                let found = &errors[0].unlogged;
                wrong.push(format!("{sql}\n  {found:?}\n  instead of {message:?}"));
            }
            Err(errors)
                if response["error_code"] == 40001
                    && response["statementText"].as_str() != Some(&errors[0].statement) =>
            {
                let found = &errors[0].statement;
                wrong.push(format!(
                    "{sql}\n  {found:?}\n  instead of {}",
                    response["statementText"]
                ));
            }
            Ok(_) if message.contains("Syntax Error") || message.contains("Illegal argument") => {
                wrong.push(format!("{sql}\n  accepted instead of {message:?}"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Every text within a JSON value, at any depth, JSON within texts included.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => texts(&inner, found),
            _ => {
                found.insert(text.clone());
            }
        },
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// Statements that a real ksqlDB printed, which printing must leave as they are.
#[test]
fn statements_print_as_ksqldb_prints_them() {
    let Some(reference) = reference() else { return };
    let mut found = BTreeSet::new();
    for file in ["golden/fresh.jsonl", "golden/query-validation.jsonl", "rest/transcript.jsonl"] {
        let text = std::fs::read_to_string(reference.join(file)).unwrap();
        for line in text.lines() {
            texts(&serde_json::from_str(line).unwrap(), &mut found);
        }
    }
    let (mut wrong, mut count) = (Vec::new(), 0);
    for text in &found {
        let text = text.rsplit("\nStatement: ").next().unwrap_or_default();
        let is_printed = text.contains("\nEMIT ") || text.contains("CLEANUP_POLICY=");
        if !text.starts_with("CREATE") || !is_printed || text.contains(";\n") {
            continue;
        }
        count += 1;
        let text = text.trim_end_matches(';');
        let printed = match parse(&format!("{text};"), &ParseOptions::default()) {
            Ok(parsed) => millstream::sql::print::statement(&parsed[0].statement),
            Err(errors) => errors[0].unlogged.clone(),
        };
        if printed != text {
            wrong.push(format!("{printed}\n  instead of\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(count > 200, "only {count} statements found");
}

/// What parses prints, and what is printed parses to the same tree.
#[test]
fn every_statement_survives_printing() {
    let Some(reference) = reference() else { return };
    let folders = ["cases/query-validation-tests", "cases/rest-query-validation-tests", "fresh"];
    let mut wrong = Vec::new();
    for (name, text) in folders.iter().flat_map(|folder| cases(&reference.join(folder))) {
        let Ok(parsed) = parse(&text, &ParseOptions::default()) else { continue };
        // A decimal without digits after its point is printed as an integer.
        for one in parsed.iter().filter(|one| !one.text.contains("1. ")) {
            let printed = format!("{};", millstream::sql::print::statement(&one.statement));
            match parse(&printed, &ParseOptions::default()) {
                Ok(again) if again.len() == 1 && again[0].statement == one.statement => {}
                Ok(_) => wrong.push(format!("{name}: {}\n  differs as {printed}", one.text)),
                Err(errors) => wrong.push(format!("{name}: {}\n{printed}", errors[0].unlogged)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The scripts of a folder and of those within.
fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
}

/// The scripts parse in the mode of tests, but for the blocks that are there to be refused.
#[test]
fn scripts_of_tests_parse() {
    let Some(reference) = reference() else { return };
    let mut files = Vec::new();
    for folder in ["cases/sql-tests", "cases/sql-tests-support", "cases/test-runner", "device/sql"]
    {
        scripts(&reference.join(folder), &mut files);
    }
    let options = ParseOptions { variables: None, testing: true };
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        for block in text.split("--@test") {
            // What is left of a block's first line is its name.
            let block =
                if block.starts_with(':') { format!("--{block}") } else { block.to_owned() };
            let refused = block.contains("@expected.error");
            if let (false, Err(errors)) = (refused, parse(&block, &options)) {
                wrong.push(format!("{}: {}\n{block}", file.display(), errors[0].unlogged));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(files.len() > 10, "only {} scripts found", files.len());
}
