//! What differs from run to run, made alike.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static MASKS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"transient_[A-Za-z0-9_]+?_-?\d{6,}", "TRANSIENT"),
        (r"query_\d{13}", "PULL"),
        (r"\bINSERTQUERY_\d+\b", "INSERTQUERY"),
        (r"\b(CTAS|CSAS|CSTS|CST)_([A-Z0-9_]+?)_?\d+\b", "${1}_${2}"),
        (r#""(kafkaClusterId|kafka-cluster)":"[^"]+""#, "\"$1\":\"\""),
        (r#""commandSequenceNumber":-?\d+"#, "\"commandSequenceNumber\":0"),
        (r"20(?:2[4-9]|3\d)[-/]\d\d[-/]\d\d[T ][0-9:.]+|\b1[789]\d{11}\b", "1"),
        (r#""(logStartOffset|logEndOffset|consumerOffset)":\d+"#, "\"$1\":0"),
        (r#""(statistics|errorStats)":"[^"]+""#, "\"$1\":\"\""),
        (r#""clusterStatistics":\[[^\]]*\]"#, "\"clusterStatistics\":[]"),
        (r"HOST:8088|127\.0\.0\.1:8088", "HOST"),
        (r#""consumer(Group)?Count":\d+"#, "\"consumer${1}Count\":0"),
        (r"@[0-9a-f]{6,8}\b", "@"),
        (r"TRANSIENT_\d{13}", "TRANSIENT"),
        // What a function does is said in words of its own.
        (r#""(description|author)":"(?:[^"\\]|\\.)*""#, "\"$1\":\"\""),
        // What ksqlDB does not have: a function, and a topic.
        (r#"\{"name":"MD5"[^}]*\},"#, ""),
        (r#"\{"name":"[^"]*__millstream_plans"[^}]*\},"#, ""),
        // How long records stay is said by the brokers: ours keep theirs.
        (r"RETENTION_MS=-?\d+", "RETENTION_MS=0"),
    ]
    .into_iter()
    .map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask))
    .collect()
});

/// Lists whose order is nobody's, or that of a map of Java's.
const UNORDERED: &[&str] = &[
    "functions",
    "queries",
    "readQueries",
    "writeQueries",
    "sourceConstraints",
    "topicSummaries",
    "streams",
    "tables",
    "sourceDescriptions",
];

/// An answer without what differs from run to run.
pub(crate) fn masked(answer: &str) -> String {
    let mut text = answer.to_owned();
    for (pattern, mask) in MASKS.iter() {
        text = pattern.replace_all(&text, *mask).into_owned();
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(mut value) => {
            sort(&mut value);
            value.to_string()
        }
        Err(_) => text,
    }
}

/// Sorts fields, and the lists whose order is nobody's.
fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(sort),
        Value::Object(fields) => {
            fields.sort_keys();
            for (name, field) in fields {
                sort(field);
                if let (true, Value::Array(items)) = (UNORDERED.contains(&name.as_str()), field) {
                    items.sort_by_key(ToString::to_string);
                }
            }
        }
        _ => {}
    }
}
