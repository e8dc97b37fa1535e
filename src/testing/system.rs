//! What the runners need of an engine.

use std::collections::BTreeMap;

use super::actual::Actual;
use super::failure::Failure;
use super::source_info::{SourceInfo, TopicInfo};
use super::topic_spec::TopicSpec;

/// Settings of a case, on top of those that all cases share.
pub type Properties = BTreeMap<String, String>;

/// The texts of schemas, by subject and id.
pub type RecordedSchemas = BTreeMap<(String, i32), String>;

/// A broker-less engine: statements go in, records go through its queries.
pub trait System {
    /// Makes a topic, and registers its schemas.
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), Failure>;

    /// The topics that the statements name, with their partitions; those that exist are kept.
    fn declared_topics(&self, sql: &str) -> Vec<TopicSpec>;

    /// Parses all statements, then runs them in order. Gives back what INSERT VALUES wrote.
    fn execute(&mut self, sql: &str) -> Result<Vec<(String, Record)>, Failure>;

    /// Takes the ids of schemas in front of a recorded record for those of its topic: the serializers
    /// that wrote it registered forms of their own, which are `schemas` where these are known.
    fn adopt_ids(&mut self, topic: &str, record: &Record, schemas: &RecordedSchemas) {
        let _ = (topic, record, schemas);
    }

    /// The persistent queries, in the order in which they were made.
    fn queries(&self) -> Vec<String>;

    /// The description of the topology that Kafka Streams would run for a query.
    fn topology(&self, query: &str) -> String;

    /// The topics that a query reads.
    fn query_topics(&self, query: &str) -> Vec<String>;

    /// Takes records of a topic through a query, as one batch, and adds what the query gave to
    /// `given`, also where the query then died.
    fn pipe(
        &mut self,
        query: &str,
        topic: &str,
        batch: &[Record],
        given: &mut Given,
    ) -> Result<(), Failure>;

    /// Starts a query again, as a new process does, from what its changelogs hold.
    fn restart(
        &mut self,
        query: &str,
        changelogs: &BTreeMap<String, Vec<Record>>,
    ) -> Result<(), Failure>;

    /// How the records of a topic are laid out: that of a source over it, or of the query that
    /// owns it.
    fn source_on(&self, topic: &str) -> Option<SourceInfo>;

    /// The source called `name`.
    fn source(&self, name: &str) -> Option<SourceInfo>;

    /// All topics, internal ones too.
    fn topics(&self) -> Vec<TopicInfo>;

    /// The bytes of a JSON value in a format that needs a schema.
    fn encode(
        &self,
        source: &SourceInfo,
        is_key: bool,
        value: &serde_json::Value,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let _ = value;
        Err(Failure::unsupported(format!("writing {}", source.format(is_key).name)))
    }

    /// What bytes hold in a format that needs a schema.
    fn decode(&self, source: &SourceInfo, is_key: bool, bytes: &[u8]) -> Result<Actual, Failure> {
        let _ = bytes;
        Err(Failure::unsupported(format!("reading {}", source.format(is_key).name)))
    }
}

/// What a query gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Records of sinks, with their topics.
    pub written: Vec<(String, Record)>,
    /// Records of changelogs, with the names of their stores.
    pub stored: Vec<(String, Record)>,
    /// Entries of the processing log, in JSON.
    pub logged: Vec<String>,
}

/// A record of a topic with one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The key, window bytes included.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// Its time.
    pub timestamp: i64,
    /// Its headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Its position, as the query that reads it sees it.
    pub offset: i64,
}
