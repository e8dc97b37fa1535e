//! What the records of a topic are written in, where nobody says it.

use std::collections::BTreeSet;

use crate::formats::detected::{Detected, Manner};
use crate::kafka::fetch::{Fetched, FetchedPartition};
use crate::kafka::records::RecordRef;
use crate::registry::{RegistryClient, RegistryError, SchemaId};

/// For how many schemas the registry is asked at a time.
const SCHEMAS_AT_ONCE: usize = 100;

/// The formats that keys and values may have by what has been seen of them.
#[derive(Debug)]
pub struct RecordFormats {
    /// Those of keys.
    pub keys: Detected,
    /// Those of values.
    pub values: Detected,
    /// Where the schemas are that records name, if anywhere.
    registry: Option<RegistryClient>,
}

impl RecordFormats {
    /// All formats there are.
    pub fn new(manner: Manner, registry: Option<RegistryClient>) -> Self {
        Self { keys: Detected::keys(manner), values: Detected::values(manner), registry }
    }

    /// Asks the registry for the schemas that records name, before they are looked at.
    ///
    /// # Errors
    /// What keeps the registry from saying whether it has one. One that it does not have is none.
    pub async fn learn_schemas(&mut self, fetched: &Fetched) -> Result<(), RegistryError> {
        let Some(registry) = self.registry.clone() else { return Ok(()) };
        loop {
            let unknown = self.unknown_schemas(fetched);
            if unknown.is_empty() {
                return Ok(());
            }
            for id in unknown {
                let schema = match registry.by_id(id).await {
                    Ok(schema) => Some(schema),
                    Err(error) if error.is_not_found() => None,
                    Err(error) => return Err(error),
                };
                self.keys.learn_schema(id, schema.as_deref());
                self.values.learn_schema(id, schema.as_deref());
            }
        }
    }

    fn unknown_schemas(&self, fetched: &Fetched) -> BTreeSet<SchemaId> {
        let mut unknown = BTreeSet::new();
        for record in fetched.partitions.iter().flat_map(FetchedPartition::records).flatten() {
            unknown.extend(self.keys.unknown_schema(record.key));
            unknown.extend(self.values.unknown_schema(record.value));
            if unknown.len() >= SCHEMAS_AT_ONCE {
                break;
            }
        }
        unknown
    }

    /// Looks at a record: what it cannot be is left out from now on.
    pub fn look(&mut self, record: &RecordRef<'_>) {
        self.keys.look(record.key);
        self.values.look(record.value);
    }

    /// The names of the formats of keys, and of those of values.
    pub fn names(&self) -> (String, String) {
        (self.keys.names(), self.values.names())
    }
}
