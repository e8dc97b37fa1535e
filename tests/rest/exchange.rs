//! What was sent, and what was answered.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// A request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Its place among all.
    pub(crate) n: u64,
    pub(crate) group: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) protocol: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
    /// The status that was answered, if there was any answer.
    pub(crate) status: Option<u64>,
    pub(crate) content_type: Option<String>,
    pub(crate) answer: String,
    /// Whether the answer came to its end.
    pub(crate) is_complete: bool,
}

impl Exchange {
    fn of(value: &Value) -> Self {
        let (request, response) = (&value["request"], &value["response"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers = request["headers"].as_object().into_iter().flatten();
        Self {
            n: value["n"].as_u64().unwrap_or_default(),
            group: text(&value["group"]),
            method: text(&request["method"]),
            path: text(&request["path"]).replace("HOST:8088", ""),
            protocol: text(&request["protocol"]),
            headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
            body: request["body"].as_str().map(str::to_owned),
            status: response["status"].as_u64(),
            content_type: response["headers"]["content-type"].as_str().map(str::to_owned),
            answer: text(&response["body"]),
            is_complete: response["ended"] == "complete",
        }
    }

    /// Whether nothing is sent.
    pub(crate) fn is_wait(&self) -> bool {
        self.method == "WAIT"
    }

    pub(crate) fn name(&self) -> String {
        let body = self.body.as_deref().unwrap_or_default();
        let body: String = body.chars().take(60).collect();
        format!("{} {}: {} {} {body}", self.n, self.group, self.method, self.path)
    }
}

/// All exchanges of a file.
pub(crate) fn read(path: &Path) -> Vec<Exchange> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| Exchange::of(&serde_json::from_str(line).unwrap())).collect()
}
