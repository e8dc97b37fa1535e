//! Folders with `statements.sql`, `input.json` and `output.json`, as ksql-test-runner takes them.

use std::path::Path;

use serde::Deserialize;

use super::case::{Case, RawRecord, Unreadable};
use super::json_text::carried;

/// The file with the statements.
pub(super) const STATEMENTS: &str = "statements.sql";

#[derive(Deserialize)]
struct Inputs {
    inputs: Vec<RawRecord>,
}

#[derive(Deserialize)]
struct Outputs {
    outputs: Vec<RawRecord>,
}

/// Reads the case of a folder.
pub(super) fn read(folder: &Path) -> Result<Case, Unreadable> {
    let parts: Vec<_> = folder.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
    let name = parts.into_iter().rev().collect::<Vec<_>>().join("/");
    let unreadable = |reason: String| Unreadable { name: name.clone(), reason };
    let text = |file: &str| {
        std::fs::read_to_string(folder.join(file))
            .map_err(|error| unreadable(format!("{file}: {error}")))
    };
    let statements = text(STATEMENTS)?;
    let mut inputs = Vec::new();
    if folder.join("input.json").exists() {
        let file: Inputs = serde_json::from_str(&carried(&text("input.json")?))
            .map_err(|error| unreadable(format!("input.json: {error}")))?;
        if file.inputs.is_empty() {
            return Err(unreadable("input.json has no inputs".into()));
        }
        inputs = file.inputs;
    }
    let file: Outputs = serde_json::from_str(&carried(&text("output.json")?))
        .map_err(|error| unreadable(format!("output.json: {error}")))?;
    if file.outputs.is_empty() {
        return Err(unreadable("output.json has no outputs".into()));
    }
    Ok(Case {
        is_enabled: true,
        statements,
        inputs: inputs.into_iter().map(Into::into).collect(),
        outputs: file.outputs.into_iter().map(Into::into).collect(),
        name: name.clone(),
        ..Case::default()
    })
}
