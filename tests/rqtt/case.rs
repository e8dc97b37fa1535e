//! Cases as their files state them.

use std::path::Path;

use millstream::testing::{Case, parse_cases};
use serde_json::Value;

/// A case, and what it has beyond those without a server.
pub(crate) struct RestCase {
    /// Its statements are those that are sent to `/ksql`.
    pub(crate) case: Case,
    /// The properties, of the types that the case gives them.
    pub(crate) properties: Value,
    /// The same, one by one.
    pub(crate) commands: Vec<String>,
    /// The queries after them.
    pub(crate) queries: Vec<String>,
    /// The answers to expect: to statements, to queries, and to queries asked in Protobuf.
    pub(crate) responses: Vec<Value>,
    /// The error to expect.
    pub(crate) error: Option<Value>,
    /// Whether its one query runs before there are records.
    pub(crate) asks_first: bool,
    /// Whether its queries are asked in Protobuf too.
    pub(crate) asks_protobuf: bool,
}

/// All cases of a folder, in the order of its files.
pub(crate) fn read(folder: &Path) -> Vec<RestCase> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files.iter().flat_map(|file| of_file(file)).collect()
}

fn of_file(path: &Path) -> Vec<RestCase> {
    let text = std::fs::read_to_string(path).unwrap();
    let stem = path.file_stem().unwrap().to_string_lossy();
    let file: Value = serde_json::from_str(&text).unwrap();
    let entries = file["tests"].as_array().unwrap().iter().flat_map(|entry| {
        let formats = entry["format"].as_array().map_or(&[][..], Vec::as_slice);
        let formats: Vec<_> = formats.iter().map(|format| format.as_str()).collect();
        let formats = if formats.is_empty() { vec![None] } else { formats };
        formats.into_iter().map(move |format| (entry, format))
    });
    let cases = parse_cases(&stem, &text).into_iter().map(|case| case.unwrap());
    cases.zip(entries).map(|(case, (entry, format))| RestCase::of(case, entry, format)).collect()
}

impl RestCase {
    fn of(mut case: Case, entry: &Value, format: Option<&str>) -> Self {
        let text = |statement: &Value| {
            let statement = statement.as_str().unwrap();
            format.map_or(statement.to_owned(), |format| statement.replace("{FORMAT}", format))
        };
        let statements = entry["statements"].as_array().unwrap().iter().map(text);
        let mut commands: Vec<String> = statements.collect();
        let first = commands.iter().position(|statement| statement.starts_with("SELECT "));
        let queries = commands.split_off(first.unwrap_or(commands.len()));
        case.statements = commands.join("\n");
        Self {
            case,
            properties: entry["properties"].clone(),
            commands,
            queries,
            responses: entry["responses"].as_array().cloned().unwrap_or_default(),
            error: entry.get("expectedError").cloned(),
            asks_first: entry["inputConditions"]["waitForActivePushQuery"] == true,
            asks_protobuf: entry["testPullWithProtoFormat"] == true,
        }
    }
}
