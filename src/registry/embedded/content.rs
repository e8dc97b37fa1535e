//! What an id stands for: a schema, and what a data contract adds to it.

use md5::{Digest, Md5};

use crate::registry::schema::{Schema, Subject};

/// A schema with the metadata and the rules of a data contract, which are kept and not looked at.
///
/// Two that are equal have one id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Content {
    pub(super) schema: Schema,
    /// JSON.
    pub(super) metadata: Option<String>,
    /// JSON.
    pub(super) rule_set: Option<String>,
}

impl Content {
    /// A number that is the same for this content in any registry of ours.
    pub(super) fn guid(&self) -> uuid::Uuid {
        let mut hash = Md5::new();
        hash.update(self.schema.ty.name());
        hash.update(&self.schema.text);
        for reference in &self.schema.references {
            // What separates the parts is in none of them.
            for part in [&*reference.name, reference.subject.as_str()] {
                hash.update([0]);
                hash.update(part);
            }
            hash.update(reference.version.to_be_bytes());
        }
        for part in [&self.metadata, &self.rule_set] {
            hash.update([0]);
            hash.update(part.as_deref().unwrap_or_default());
        }
        uuid::Uuid::from_bytes(hash.finalize().into())
    }

    /// Whether it uses a version of a subject.
    pub(super) fn refers_to(&self, subject: &Subject, version: i32) -> bool {
        let references = &self.schema.references;
        references.iter().any(|found| found.subject == *subject && found.version == version)
    }
}
