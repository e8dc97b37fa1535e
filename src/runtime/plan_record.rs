//! What a query was when it last ran, as a record of the compacted topic that a service keeps.
//!
//! The offsets of a query carry the fingerprint of its plan. What that plan was stands here, under
//! the query's id and the fingerprint, so that a statement that has changed can be shown beside the
//! one that it was, and a topic that was deleted and made again is told apart. Keys and values are
//! JSON; fields that are not known are passed over.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::plan::{QueryPlan, Source};

/// What a query was when it last ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRecord {
    /// Its id.
    pub query: String,
    /// The fingerprint of its plan.
    pub fingerprint: String,
    /// What is known of the plan.
    pub details: PlanDetails,
}

/// What is known of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDetails {
    /// The statement, as ksqlDB prints it.
    pub statement: String,
    /// The stream or table that it writes into.
    pub sink: String,
    /// The topic of that.
    #[serde(default)]
    pub sink_topic: String,
    /// The topics that it reads.
    #[serde(default)]
    pub sources: Vec<SourceTopic>,
    /// Its stores.
    #[serde(default)]
    pub stores: Vec<StorePartitions>,
}

/// A topic that a query reads, through a stream or table over it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceTopic {
    /// Its name.
    pub topic: String,
    /// Its id, as Kafka's tools show it: a topic of the same name that is made later has another.
    pub id: String,
    /// The statement that made the stream or table.
    #[serde(default)]
    pub statement: String,
    /// Its columns, which are those of a registry where the statement does not say them.
    #[serde(default)]
    pub columns: String,
}

/// A store of a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorePartitions {
    /// Its name.
    pub store: String,
    /// How many partitions its changelog has.
    pub partitions: i32,
}

impl PlanDetails {
    /// What the plan itself says: neither ids of topics nor numbers of partitions.
    pub fn of(plan: &QueryPlan) -> Self {
        let source = |read: &Source| SourceTopic {
            topic: read.topic.clone(),
            id: String::new(),
            statement: read.sql.clone(),
            columns: read.schema.to_string(),
        };
        let sources: BTreeSet<_> = plan.sources().map(|(_, read)| source(read)).collect();
        Self {
            statement: plan.sql.clone(),
            sink: plan.sink.name.clone(),
            sink_topic: plan.sink.topic.clone(),
            sources: sources.into_iter().collect(),
            stores: Vec::new(),
        }
    }

    /// The text of a plan where it was another one before: its statement, or, where that is the same,
    /// those of the sources that are not, with the columns that a registry gives them where these alone are others.
    pub fn text_beside(&self, other: &Self) -> String {
        if self.statement != other.statement {
            return self.statement.clone();
        }
        let is_other = |source: &&SourceTopic| {
            other.sources.iter().all(|other| other.statement != source.statement)
        };
        let others = self.sources.iter().filter(is_other).map(|source| source.statement.as_str());
        let texts: Vec<_> = others.filter(|statement| !statement.is_empty()).collect();
        if !texts.is_empty() {
            return texts.join("\n");
        }
        let has_other_columns = |source: &&SourceTopic| {
            !source.columns.is_empty()
                && other.sources.iter().all(|other| other.columns != source.columns)
        };
        let others = self.sources.iter().filter(has_other_columns);
        let texts: Vec<_> = others
            .map(|source| format!("{}\nwith the columns {}", source.statement, source.columns))
            .collect();
        if texts.is_empty() { self.statement.clone() } else { texts.join("\n") }
    }
}

#[derive(Serialize, Deserialize)]
struct Key {
    query: String,
    fingerprint: String,
}

/// The topic of a service's plan records.
pub fn plans_topic(service_id: &str) -> String {
    format!("_confluent-ksql-{service_id}_millstream_plans")
}

impl PlanRecord {
    /// The key and the value of the record.
    pub fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let value = serde_json::to_vec(&self.details);
        (
            Self::key(&self.query, &self.fingerprint),
            value.unwrap_or_else(|_| unreachable!("texts and numbers")),
        )
    }

    /// The key of the record of a query's plan: with a null value it deletes the record.
    pub fn key(query: &str, fingerprint: &str) -> Vec<u8> {
        let key = Key { query: query.to_owned(), fingerprint: fingerprint.to_owned() };
        serde_json::to_vec(&key).unwrap_or_else(|_| unreachable!("two texts"))
    }

    /// The query and the fingerprint that a key names, or `None` if it is of another kind.
    pub fn decode_key(key: &[u8]) -> Option<(String, String)> {
        serde_json::from_slice(key).ok().map(|Key { query, fingerprint }| (query, fingerprint))
    }

    /// Reads a record, or `None` if it is of another kind.
    pub fn decode(key: &[u8], value: &[u8]) -> Option<Self> {
        let (query, fingerprint) = Self::decode_key(key)?;
        let details = serde_json::from_slice(value).ok()?;
        Some(Self { query, fingerprint, details })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = PlanRecord {
            query: "CTAS_HITS_0".to_owned(),
            fingerprint: "7d71b29ea52d8e53204c63f058403991".to_owned(),
            details: PlanDetails {
                statement: "CREATE TABLE HITS AS SELECT 'Ä'".to_owned(),
                sink: "HITS".to_owned(),
                sink_topic: "hits".to_owned(),
                sources: vec![SourceTopic {
                    topic: "clicks".to_owned(),
                    id: "0a".to_owned(),
                    statement: "CREATE STREAM CLICKS".to_owned(),
                    columns: "`A` INTEGER".to_owned(),
                }],
                stores: vec![StorePartitions { store: "Aggregate".to_owned(), partitions: 3 }],
            },
        };
        let (key, value) = record.encode();
        assert_eq!(PlanRecord::decode(&key, &value), Some(record));
        assert_eq!(
            String::from_utf8(key).unwrap(),
            r#"{"query":"CTAS_HITS_0","fingerprint":"7d71b29ea52d8e53204c63f058403991"}"#
        );
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let key = PlanRecord::key("A", "f");
        let value = br#"{"statement":"SELECT","sink":"S","later":{"more":[1]}}"#;
        let record = PlanRecord::decode(&key, value).unwrap();
        assert_eq!((&*record.details.statement, record.details.stores.len()), ("SELECT", 0));
        assert_eq!(PlanRecord::decode(&key, b"{}"), None);
        assert_eq!(PlanRecord::decode(b"A", value), None);
    }
}
