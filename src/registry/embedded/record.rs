//! The records of the topic `_schemas`, as the real registry writes them.
//!
//! ```text
//! {"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}   the schema, or null: deleted for good
//! {"keytype":"CONFIG","subject":null,"magic":0}                         {"compatibilityLevel":"FULL"}
//! {"keytype":"MODE","subject":"orders-value","magic":0}                 {"subject":"orders-value","mode":"READONLY"}
//! {"keytype":"DELETE_SUBJECT","subject":"orders-value","magic":0}       {"subject":"orders-value","version":3}
//! ```
//! The last one deletes versions up to that number, softly. Since keys are as they are, compaction keeps of each
//! subject what counts.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::content::Content;
use super::level::{Compatibility, Mode};
use crate::registry::json::{number, read_schema, text, write_head};
use crate::registry::schema::{SchemaId, Subject};

/// A version of a subject, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) id: SchemaId,
    pub(super) content: Arc<Content>,
    /// Whether it is deleted softly: it can still be asked for by its id.
    pub(super) is_deleted: bool,
}

/// A change of what the registry knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A version is added, changed, or deleted for good.
    Version { subject: Subject, version: i32, value: Option<Version> },
    /// A level is set, for all subjects or for one, or taken back.
    Level { subject: Option<Subject>, value: Option<Compatibility> },
    /// A mode is set, for all subjects or for one, or taken back.
    Mode { subject: Option<Subject>, value: Option<Mode> },
    /// All versions up to a number are deleted softly, or that is forgotten.
    DeleteSubject { subject: Subject, up_to: Option<i32> },
}

impl Record {
    /// Its key, as JSON.
    pub(super) fn key(&self) -> Bytes {
        let key = match self {
            Self::Version { subject, version, .. } => json!({
                "keytype": "SCHEMA", "subject": subject.as_str(), "version": version, "magic": 1
            }),
            Self::Level { subject, .. } => key_of("CONFIG", subject.as_ref()),
            Self::Mode { subject, .. } => key_of("MODE", subject.as_ref()),
            Self::DeleteSubject { subject, .. } => key_of("DELETE_SUBJECT", Some(subject)),
        };
        key.to_string().into()
    }

    /// Its value, as JSON, or nothing to delete what was there.
    pub(super) fn value(&self) -> Option<Bytes> {
        let value = match self {
            Self::Version { subject, version, value } => {
                version_value(subject, *version, value.as_ref()?)
            }
            Self::Level { subject, value } => {
                of_subject(subject.as_ref(), "compatibilityLevel", &value.as_ref()?.to_string())
            }
            Self::Mode { subject, value } => {
                of_subject(subject.as_ref(), "mode", &value.as_ref()?.to_string())
            }
            Self::DeleteSubject { subject, up_to } => {
                json!({ "subject": subject.as_str(), "version": (*up_to)? })
            }
        };
        Some(value.to_string().into())
    }

    /// Reads a record. There is none in what the registry writes for itself alone; what cannot be read is an error
    /// that says why.
    pub(super) fn read(key: &[u8], value: Option<&[u8]>) -> Result<Option<Self>, String> {
        let key: Value = serde_json::from_slice(key).map_err(|error| format!("key: {error}"))?;
        let value: Option<Value> = value
            .map(serde_json::from_slice)
            .transpose()
            .map_err(|error| format!("value: {error}"))?;
        // A value that is JSON's null deletes too.
        let value = value.filter(|value| !value.is_null());
        let subject = || text(&key, "subject").map(Subject::new);
        let named = || subject().ok_or("a key without a subject");
        Ok(Some(match text(&key, "keytype").unwrap_or_default() {
            "SCHEMA" => {
                let value = value.as_ref().map(read_version).transpose()?;
                Self::Version { subject: named()?, version: number(&key, "version")?, value }
            }
            "CONFIG" => {
                let level = value.as_ref().and_then(|value| text(value, "compatibilityLevel"));
                let value = level.map(str::parse).transpose();
                Self::Level { subject: subject(), value: value.map_err(|()| "an unknown level")? }
            }
            "MODE" => {
                let mode = value.as_ref().and_then(|value| text(value, "mode"));
                let value = mode.map(str::parse).transpose();
                Self::Mode { subject: subject(), value: value.map_err(|()| "an unknown mode")? }
            }
            "DELETE_SUBJECT" => {
                let up_to = value.as_ref().map(|value| number(value, "version")).transpose()?;
                Self::DeleteSubject { subject: named()?, up_to }
            }
            _ => return Ok(None),
        }))
    }
}

fn key_of(keytype: &str, subject: Option<&Subject>) -> Value {
    json!({ "keytype": keytype, "subject": subject.map(Subject::as_str), "magic": 0 })
}

fn of_subject(subject: Option<&Subject>, field: &str, value: &str) -> Value {
    let mut fields = Map::new();
    if let Some(subject) = subject {
        fields.insert("subject".into(), subject.as_str().into());
    }
    fields.insert(field.into(), value.into());
    fields.into()
}

fn version_value(subject: &Subject, version: i32, value: &Version) -> Value {
    let mut fields = Map::new();
    fields.insert("subject".into(), subject.as_str().into());
    fields.insert("version".into(), version.into());
    fields.insert("id".into(), value.id.0.into());
    write_content(&value.content, &mut fields);
    fields.insert("deleted".into(), value.is_deleted.into());
    fields.into()
}

/// Writes a schema as the registry shows it.
pub(super) fn write_content(content: &Content, fields: &mut Map<String, Value>) {
    write_head(&content.schema, fields);
    for (name, part) in [("metadata", &content.metadata), ("ruleSet", &content.rule_set)] {
        if let Some(part) = part.as_ref().and_then(|part| serde_json::from_str(part).ok()) {
            fields.insert(name.into(), part);
        }
    }
    fields.insert("schema".into(), content.schema.text.as_str().into());
}

fn read_version(value: &Value) -> Result<Version, String> {
    Ok(Version {
        id: SchemaId(number(value, "id")?),
        content: Arc::new(read_content(value)?),
        is_deleted: value.get("deleted").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// Reads a schema as requests and records have it.
pub(super) fn read_content(value: &Value) -> Result<Content, String> {
    let part = |name: &str| value.get(name).filter(|part| !part.is_null()).map(Value::to_string);
    let (metadata, rule_set) = (part("metadata"), part("ruleSet"));
    Ok(Content { schema: read_schema(value)?, metadata, rule_set })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::schema::{Reference, Schema, SchemaType};

    fn round_trip(record: &Record) -> Record {
        Record::read(&record.key(), record.value().as_deref()).unwrap().unwrap()
    }

    #[test]
    fn records_are_those_of_the_real_registry() {
        let schema = Schema {
            ty: SchemaType::Json,
            text: "{}".into(),
            references: vec![Reference {
                name: "a.json".into(),
                subject: Subject::new("a"),
                version: 2,
            }],
        };
        let content = Arc::new(Content { schema, metadata: None, rule_set: None });
        let value = Version { id: SchemaId(7), content, is_deleted: false };
        let record = Record::Version { subject: Subject::new("s"), version: 3, value: Some(value) };
        assert_eq!(record.key(), r#"{"keytype":"SCHEMA","subject":"s","version":3,"magic":1}"#);
        assert_eq!(
            record.value().unwrap(),
            r#"{"subject":"s","version":3,"id":7,"schemaType":"JSON","references":[{"name":"a.json","subject":"a","version":2}],"schema":"{}","deleted":false}"#
        );
        assert_eq!(round_trip(&record), record);
        let record = Record::Level { subject: None, value: Some(Compatibility::Full) };
        assert_eq!(record.key(), r#"{"keytype":"CONFIG","subject":null,"magic":0}"#);
        assert_eq!(record.value().unwrap(), r#"{"compatibilityLevel":"FULL"}"#);
        assert_eq!(round_trip(&record), record);
        let record = Record::DeleteSubject { subject: Subject::new("s"), up_to: Some(3) };
        assert_eq!(record.key(), r#"{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}"#);
        assert_eq!(record.value().unwrap(), r#"{"subject":"s","version":3}"#);
        assert_eq!(round_trip(&record), record);
        let record = Record::Mode { subject: Some(Subject::new("s")), value: None };
        assert_eq!(record.value(), None);
        assert_eq!(round_trip(&record), record);
    }

    #[test]
    fn what_is_not_for_us_is_passed_over_and_what_is_damaged_is_told() {
        assert_eq!(Record::read(br#"{"keytype":"NOOP","magic":0}"#, None), Ok(None));
        assert!(Record::read(b"x", None).is_err());
        assert!(Record::read(br#"{"keytype":"SCHEMA","subject":"s"}"#, None).is_err());
        let key = br#"{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}"#;
        assert!(Record::read(key, Some(br#"{"id":1e99,"schema":"x"}"#)).is_err());
    }
}
