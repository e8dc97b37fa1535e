//! Records and topics, as they were recorded and as they are written now.

use std::collections::BTreeMap;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
pub(crate) use millstream::parity::Record;
use serde::Deserialize;

/// The records of a topic, by partition.
pub(crate) type Partitions = Vec<Vec<Record>>;

/// What is recorded of a topic besides its records.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) partitions: usize,
    pub(crate) configs_set_on_topic: BTreeMap<String, String>,
}

/// What is recorded of a pipeline besides its records.
#[derive(Deserialize)]
pub(crate) struct Recorded {
    /// The ids of its queries, in order.
    pub(crate) queries: Vec<String>,
    pub(crate) topics: BTreeMap<String, Shape>,
}

/// A line of a recorded topic or of an input.
#[derive(Deserialize)]
struct Line {
    partition: usize,
    key_b64: Option<String>,
    #[serde(default)]
    value_b64: Option<String>,
    /// In place of `value_b64`, where it is text.
    #[serde(default)]
    value_text: Option<String>,
    timestamp: i64,
    #[serde(default)]
    headers: Vec<(String, Option<String>)>,
}

/// Where recordings lie.
pub(crate) fn recorded(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/recorded").join(path)
}

/// What is recorded of a pipeline.
pub(crate) fn read_recorded(pipeline: &str) -> Recorded {
    let text = std::fs::read_to_string(recorded(pipeline).join("topics.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The records of a recorded file, with their partitions.
pub(crate) fn read_lines(path: &Path) -> Vec<(usize, Record)> {
    let file = std::fs::File::open(path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        BufReader::new(file).read_to_string(&mut text).unwrap();
    }
    let bytes = |text: String| STANDARD.decode(text).unwrap();
    let record = |line: &str| {
        let line: Line = serde_json::from_str(line).unwrap();
        let headers = line.headers.into_iter().map(|(name, value)| (name, value.map(bytes)));
        let record = Record {
            key: line.key_b64.map(bytes),
            value: line.value_b64.map(bytes).or(line.value_text.map(String::into_bytes)),
            timestamp_ms: line.timestamp,
            headers: headers.collect(),
        };
        (line.partition, record)
    };
    text.lines().map(record).collect()
}

/// The recorded records of a topic.
pub(crate) fn read_topic(pipeline: &str, topic: &str, partitions: usize) -> Partitions {
    let mut records = vec![Vec::new(); partitions];
    for (partition, record) in read_lines(&recorded(pipeline).join(format!("{topic}.jsonl.gz"))) {
        records[partition].push(record);
    }
    records
}
