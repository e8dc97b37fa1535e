//! Why a request is refused, with the numbers and the words that clients of a registry know.

use std::fmt::Display;

use crate::registry::schema::{SchemaId, Subject};

/// A refusal: the status of the response, and the error code and the message in its body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; error code: {code}")]
pub(super) struct Refusal {
    /// HTTP's status.
    pub status: u16,
    /// The registry's own number, which begins with the status.
    pub code: i32,
    /// What is wrong.
    pub message: String,
}

impl Refusal {
    /// A refusal whose code may be its status.
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        let status = if code > 999 { code / 100 } else { code };
        Self { status: status as u16, code, message: message.into() }
    }

    pub(super) fn subject_not_found(subject: &Subject) -> Self {
        Self::new(40401, format!("Subject '{subject}' not found."))
    }

    pub(super) fn version_not_found(version: impl Display) -> Self {
        Self::new(40402, format!("Version {version} not found."))
    }

    pub(super) fn schema_not_found() -> Self {
        Self::new(40403, "Schema not found")
    }

    pub(super) fn id_not_found(id: impl Display) -> Self {
        Self::new(40403, format!("Schema {id} not found"))
    }

    pub(super) fn subject_soft_deleted(subject: &Subject) -> Self {
        Self::new(
            40404,
            format!(
                "Subject '{subject}' was soft deleted.Set permanent=true to delete permanently"
            ),
        )
    }

    pub(super) fn subject_not_soft_deleted(subject: &Subject) -> Self {
        Self::new(
            40405,
            format!("Subject '{subject}' was not deleted first before being permanently deleted"),
        )
    }

    pub(super) fn version_soft_deleted(subject: &Subject, version: i32) -> Self {
        Self::new(
            40406,
            format!(
                "Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"
            ),
        )
    }

    pub(super) fn version_not_soft_deleted(subject: &Subject, version: i32) -> Self {
        Self::new(
            40407,
            format!(
                "Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
            ),
        )
    }

    pub(super) fn no_subject_level(subject: &Subject) -> Self {
        Self::new(
            40408,
            format!("Subject '{subject}' does not have subject-level compatibility configured"),
        )
    }

    pub(super) fn no_subject_mode(subject: &Subject) -> Self {
        Self::new(40409, format!("Subject '{subject}' does not have subject-level mode configured"))
    }

    pub(super) fn incompatible(subject: &Subject, details: &[String]) -> Self {
        Self::new(
            409,
            format!(
                "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{}]",
                details.join(", ")
            ),
        )
    }

    pub(super) fn invalid_schema(details: impl Display) -> Self {
        Self::new(42201, details.to_string())
    }

    pub(super) fn invalid_version(version: &str) -> Self {
        Self::new(
            42202,
            format!(
                "The specified version '{version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""
            ),
        )
    }

    pub(super) fn invalid_level() -> Self {
        Self::new(
            42203,
            "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive",
        )
    }

    pub(super) fn invalid_mode() -> Self {
        Self::new(
            42204,
            "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT",
        )
    }

    pub(super) fn not_permitted(details: impl Display) -> Self {
        Self::new(42205, details.to_string())
    }

    pub(super) fn is_referenced(subject: &Subject, version: i32) -> Self {
        Self::new(
            42206,
            format!(
                "One or more references exist to the schema {{magic=1,keytype=SCHEMA,subject={subject},version={version}}}."
            ),
        )
    }

    pub(super) fn id_is_taken(id: SchemaId) -> Self {
        Self::not_permitted(format!("Overwrite new schema with id {id} is not permitted."))
    }

    pub(super) fn invalid_subject(subject: &Subject) -> Self {
        Self::new(42208, format!("The specified subject '{subject}' is not a valid."))
    }

    pub(super) fn store(cause: impl Display) -> Self {
        Self::new(50001, format!("Error while writing to the store of schemas: {cause}"))
    }
}
