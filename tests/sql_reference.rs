//! Every statement of the cases, held against what a real ksqlDB said of its syntax.
//!
//! Our own cases are in the repository. ksqlDB's lie elsewhere, and the tests that read them are ignored where they are
//! missing: `KSQLDB_REFERENCE` names their folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use millstream::sql::{ParseOptions, parse};
use millstream::testing::parse_cases;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[path = "data/mod.rs"]
mod data;

fn main() -> ExitCode {
    let trials = vec![
        own("our cases parse or fail as they should", || {
            let answers = data::FRESH_ANSWERS.map(data::fresh_answers).join("");
            parse_or_fail(&our_cases(), &answers)
        }),
        own("our statements survive printing", || survive_printing(&our_cases())),
        own("answers to our cases print as they are", || {
            print_as_they_are(&data::FRESH_ANSWERS.map(data::fresh_answers).join(""), 100)
        }),
        of_reference("ksqlDB's cases parse or fail as they should", |reference| {
            let answers = read(&reference.join("golden/query-validation.jsonl"));
            parse_or_fail(&cases(&reference.join("cases/query-validation-tests")), &answers)
        }),
        of_reference("ksqlDB's statements survive printing", |reference| {
            let folders = ["cases/query-validation-tests", "cases/rest-query-validation-tests"];
            let all = folders.iter().flat_map(|folder| cases(&reference.join(folder)));
            survive_printing(&all.collect::<Vec<_>>())
        }),
        of_reference("answers of ksqlDB print as they are", |reference| {
            let files = ["golden/query-validation.jsonl", "rest/transcript.jsonl"];
            print_as_they_are(&files.map(|file| read(&reference.join(file))).join(""), 100)
        }),
        of_reference("requests fail with ksqlDB's message", |reference| {
            requests_fail(&read(&reference.join("rest/transcript.jsonl")))
        }),
        of_reference("scripts of tests parse", scripts_parse),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test of what is in the repository.
fn own(name: &str, check: fn() -> Result<(), Failed>) -> Trial {
    Trial::test(name, check)
}

/// A test of what ksqlDB's folder holds.
fn of_reference(name: &str, check: fn(&Path) -> Result<(), Failed>) -> Trial {
    Trial::ignorable_test(name, move || match data::reference() {
        Ok(folder) => check(&folder).map(|()| Completion::Completed),
        Err(missing) => missing.outcome(),
    })
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A case by its full name, with all its statements as one text.
type Statements = (String, String);

fn our_cases() -> Vec<Statements> {
    data::FRESH.iter().flat_map(|family| cases_of(family, &data::fresh(family))).collect()
}

/// Each case of a folder of JSON files.
fn cases(folder: &Path) -> Vec<Statements> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|file| file.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    let stem = |file: &Path| file.file_stem().unwrap().to_string_lossy().into_owned();
    files.iter().flat_map(|file| cases_of(&stem(file), &read(file))).collect()
}

fn cases_of(stem: &str, text: &str) -> Vec<Statements> {
    let cases = parse_cases(stem, text)
        .into_iter()
        .map(|case| case.unwrap_or_else(|error| panic!("{}: {}", error.name, error.reason)));
    cases.map(|case| (case.name, case.statements)).collect()
}

/// The logged and unlogged messages of the cases that a real ksqlDB refused, by name.
fn refused(answers: &str) -> BTreeMap<String, (String, String)> {
    let lines = answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
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

/// Each case that ksqlDB refused for its syntax is refused with the same message, and no other one.
fn parse_or_fail(all: &[Statements], answers: &str) -> Result<(), Failed> {
    let refused = refused(answers);
    let mut wrong = Vec::new();
    for (name, text) in all {
        let expected = refused.get(name).filter(|(message, _)| is_ours(message));
        let found = parse(text, &as_ksqldb());
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
    none(&wrong, all.len())
}

/// Fails with what is wrong, of so many.
fn none(wrong: &[String], count: usize) -> Result<(), Failed> {
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{} of {count} wrong:\n\n{}", wrong.len(), wrong.join("\n\n")).into())
}

/// The requests with one statement that a real ksqlDB server refused for their syntax, and its message.
fn requests_fail(transcript: &str) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for line in transcript.lines() {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let body = exchange["response"]["body"].as_str().unwrap_or_default();
        let request = exchange["request"]["body"].as_str().unwrap_or_default();
        let Ok(request) = serde_json::from_str::<Value>(request) else { continue };
        let Ok(response) = serde_json::from_str::<Value>(body) else { continue };
        let Some(sql) = request["ksql"].as_str().or(request["sql"].as_str()) else { continue };
        let message = response["message"].as_str().unwrap_or_default();
        let variables = serde_json::from_value(request["sessionVariables"].clone());
        let options = ParseOptions {
            variables: Some(variables.unwrap_or_default()),
            is_strict: true,
            ..ParseOptions::default()
        };
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
    none(&wrong, transcript.lines().count())
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

/// Statements that a real ksqlDB printed, which printing must leave as they are; there are more than `at_least`.
fn print_as_they_are(answers: &str, at_least: usize) -> Result<(), Failed> {
    let mut found = BTreeSet::new();
    for line in answers.lines() {
        texts(&serde_json::from_str(line).unwrap(), &mut found);
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
        let printed = match parse(format!("{text};"), &as_ksqldb()) {
            Ok(parsed) => millstream::sql::print::statement(&parsed[0].statement),
            Err(errors) => errors[0].unlogged.clone(),
        };
        if printed != text {
            wrong.push(format!("{printed}\n  instead of\n{text}"));
        }
    }
    assert!(count > at_least, "only {count} statements found");
    none(&wrong, count)
}

/// What parses prints, and what is printed parses to the same tree.
fn survive_printing(all: &[Statements]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for (name, text) in all {
        let Ok(parsed) = parse(text, &as_ksqldb()) else { continue };
        // A decimal without digits after its point is printed as an integer.
        for one in parsed.iter().filter(|one| !one.text.contains("1. ")) {
            let printed = format!("{};", millstream::sql::print::statement(&one.statement));
            match parse(&printed, &as_ksqldb()) {
                Ok(again) if again.len() == 1 && again[0].statement == one.statement => {}
                Ok(_) => wrong.push(format!("{name}: {}\n  differs as {printed}", one.text)),
                Err(errors) => wrong.push(format!("{name}: {}\n{printed}", errors[0].unlogged)),
            }
        }
    }
    none(&wrong, all.len())
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
fn scripts_parse(reference: &Path) -> Result<(), Failed> {
    let mut files = Vec::new();
    for folder in ["cases/sql-tests", "cases/sql-tests-support", "cases/test-runner", "device/sql"]
    {
        scripts(&reference.join(folder), &mut files);
    }
    let options =
        ParseOptions { variables: None, testing: true, is_strict: true, ..ParseOptions::default() };
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
    assert!(files.len() > 10, "only {} scripts found", files.len());
    none(&wrong, files.len())
}

/// Nothing is taken but ksqlDB's own language.
fn as_ksqldb() -> ParseOptions {
    ParseOptions { is_strict: true, ..ParseOptions::default() }
}
