//! A topic as the file of a case states it.

use serde::Deserialize;
use serde_json::Value as Json;

/// A topic that exists before the first statement.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// The schema of its keys: JSON, or text for Protobuf.
    #[serde(default)]
    pub key_schema: Option<Json>,
    /// The schema of its values.
    #[serde(default)]
    pub value_schema: Option<Json>,
    /// The format of the key schema; Avro unless given.
    #[serde(default)]
    pub key_format: Option<String>,
    /// The format of the value schema; Avro unless given.
    #[serde(default)]
    pub value_format: Option<String>,
    /// The id of the key schema.
    #[serde(default)]
    pub key_schema_id: Option<i32>,
    /// The id of the value schema.
    #[serde(default)]
    pub value_schema_id: Option<i32>,
    /// What the key schema refers to.
    #[serde(default)]
    pub key_schema_references: Vec<Json>,
    /// What the value schema refers to.
    #[serde(default)]
    pub value_schema_references: Vec<Json>,
    /// How many partitions it has.
    #[serde(default)]
    pub partitions: Option<i32>,
    /// How many replicas it has.
    #[serde(default)]
    pub replicas: Option<i32>,
    /// How keys of the case are wrapped.
    #[serde(default)]
    pub key_serde_features: Vec<String>,
    /// How values of the case are wrapped.
    #[serde(default)]
    pub value_serde_features: Vec<String>,
}
