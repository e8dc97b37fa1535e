//! From paths to cases.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::case::{Case, CaseFile, Entry, Unreadable};
use super::json_text::carried;
use super::script;
use super::system::RecordedSchemas;
use super::topic_spec::TopicSpec;
use super::triple;

/// All cases of a file or a folder, in order of their files.
pub fn cases(path: &Path) -> std::io::Result<Vec<Result<Case, Unreadable>>> {
    if path.join(triple::STATEMENTS).is_file() {
        return Ok(vec![triple::read(path)]);
    }
    if path.is_file() {
        return of_file(path);
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        let is_of_cases = |extension: &std::ffi::OsStr| extension == "json" || extension == "sql";
        if entry.is_dir() || entry.extension().is_some_and(is_of_cases) {
            found.extend(cases(&entry)?);
        }
    }
    Ok(found)
}

fn of_file(path: &Path) -> std::io::Result<Vec<Result<Case, Unreadable>>> {
    if path.extension().is_some_and(|extension| extension == "sql") {
        return script::read(path);
    }
    let text = std::fs::read_to_string(path)?;
    Ok(parse_cases(&path.file_stem().unwrap_or_default().to_string_lossy(), &text))
}

/// All cases of a file's text; the names of the cases begin with the `stem` of the file's.
pub fn parse_cases(stem: &str, text: &str) -> Vec<Result<Case, Unreadable>> {
    match serde_json::from_str::<CaseFile>(&carried(text)) {
        Ok(file) => file.tests.into_iter().flat_map(|entry| expand(stem, &entry)).collect(),
        Err(error) => vec![Err(Unreadable { name: stem.to_owned(), reason: error.to_string() })],
    }
}

/// The cases of an entry: one for each format and setting.
fn expand(stem: &str, entry: &Entry) -> Vec<Result<Case, Unreadable>> {
    let formats: Vec<Option<&str>> = options(entry.format.iter().map(String::as_str));
    let configs: Vec<Option<&Json>> = options(entry.config.iter());
    let pairs =
        formats.iter().flat_map(|format| configs.iter().map(move |config| (format, config)));
    pairs.map(|(format, config)| one(stem, entry, *format, *config)).collect()
}

fn options<T>(items: impl Iterator<Item = T>) -> Vec<Option<T>> {
    let items: Vec<_> = items.map(Some).collect();
    if items.is_empty() { vec![None] } else { items }
}

fn one(
    stem: &str,
    entry: &Entry,
    format: Option<&str>,
    config: Option<&Json>,
) -> Result<Case, Unreadable> {
    let mut name = format!("{stem} - {}", entry.name);
    if let Some(format) = format {
        name.extend([" - ", format]);
    }
    let mut statements = entry.statements.join("\n");
    if let Some(format) = format {
        statements = statements.replace("{FORMAT}", format);
    }
    let mut properties = super::Properties::new();
    for (property, value) in &entry.properties {
        let mut value = text(value);
        if let (Some(config), "{CONFIG}") = (config, &*value) {
            value = text(config);
            name.extend([" - ", property, "=", &value]);
        }
        properties.insert(property.clone(), value);
    }
    let unreadable = |reason: String| Unreadable { name: name.clone(), reason };
    let topics = entry.topics.iter().map(|topic| {
        serde_json::from_value::<TopicSpec>(topic.clone())
            .map_err(|error| unreadable(format!("a topic cannot be read: {error}")))
    });
    let topics = topics.collect::<Result<_, _>>()?;
    Ok(Case {
        is_enabled: entry.enabled != Some(false),
        topics,
        properties,
        statements,
        inputs: entry.inputs.iter().cloned().map(Into::into).collect(),
        outputs: entry.outputs.iter().cloned().map(Into::into).collect(),
        expected_error: entry.expected_exception.clone(),
        recorded_schemas: RecordedSchemas::default(),
        script_folder: None,
        post: entry.post.clone(),
        name,
    })
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stands_for_each_format_and_setting() {
        let text = r#"{"tests":[{"name":"n","format":["JSON","AVRO"],"config":[true,false],
            "properties":{"p":"{CONFIG}","q":1},"statements":["A {FORMAT};","B;"],
            "inputs":[{"topic":"t","value":null,"value_b64":"AQ=="}]}]}"#;
        let file: CaseFile = serde_json::from_str(text).unwrap();
        let cases: Vec<_> = expand("f", &file.tests[0]).into_iter().map(Result::unwrap).collect();
        let names: Vec<_> = cases.iter().map(|case| &*case.name).collect();
        assert_eq!(
            names,
            [
                "f - n - JSON - p=true",
                "f - n - JSON - p=false",
                "f - n - AVRO - p=true",
                "f - n - AVRO - p=false"
            ]
        );
        assert_eq!(cases[3].statements, "A AVRO;\nB;");
        assert_eq!(cases[3].properties["p"], "false");
        assert_eq!(cases[3].properties["q"], "1");
        assert_eq!(cases[0].inputs[0].value_bytes, Some(Some(vec![1])));
        assert_eq!(cases[0].inputs[0].key_bytes, None);
    }
}
