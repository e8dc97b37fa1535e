//! The schema registry as queries and workers use it: what is written is registered before a query runs, and what is read
//! is asked for where its id is met, while the input that has it waits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::error::LiveError;
use super::inbox::Inbox;
use super::message::{FoundSchema, Message};
use crate::formats::Schemas;
use crate::plan::QueryPlan;
use crate::registry::{RegistryClient, RegistryError, SchemaId};
use crate::runtime::{SchemaChoice, WrittenSchema, clock, written_schemas};

/// How long the registry's word holds that there is no schema with an id.
const MISSING_HOLDS: Duration = Duration::from_secs(10);

/// Registers what a query writes with, and gives it with all that its internal topics, whose names begin with `prefix`,
/// were ever written with.
///
/// A query that writes with no schema needs no registry.
pub(super) async fn register(
    registry: Option<&RegistryClient>,
    plan: &QueryPlan,
    prefix: &str,
) -> Result<Schemas, LiveError> {
    let written = written_schemas(plan, prefix)?;
    match registry {
        Some(registry) => register_all(registry, written).await.map_err(LiveError::Registration),
        None => Ok(Schemas::default()),
    }
}

/// Registers schemas; those that are there already are found.
pub async fn register_all(
    registry: &RegistryClient,
    written: Vec<WrittenSchema>,
) -> Result<Schemas, RegistryError> {
    let mut schemas = Schemas::default();
    for WrittenSchema { subject, choice, is_internal } in written {
        match choice {
            SchemaChoice::Given(id) => schemas.add(registry.by_id(id).await?.as_ref().clone()),
            SchemaChoice::Made(schema) => {
                let id = registry.register(&subject, &schema).await?;
                schemas.add_registered(&schema, registry.by_id(id).await?.as_ref().clone());
            }
        }
        if is_internal {
            for version in registry.versions(&subject).await? {
                let id = registry.version(&subject, version).await?.id;
                schemas.add(registry.by_id(id).await?.as_ref().clone());
            }
        }
    }
    Ok(schemas)
}

/// Finds the schemas of ids that a worker meets, without keeping it waiting: answers come into its inbox.
pub(super) struct SchemaFinder {
    registry: Option<RegistryClient>,
    inbox: Arc<Inbox<Message>>,
    asked: BTreeSet<SchemaId>,
    asking: JoinSet<()>,
    /// Since when it is known of some id that there is no schema.
    missing_since: Option<Instant>,
}

impl SchemaFinder {
    /// One whose answers come into `inbox`.
    pub(super) fn new(registry: Option<RegistryClient>, inbox: Arc<Inbox<Message>>) -> Self {
        let (asked, asking) = (BTreeSet::new(), JoinSet::new());
        Self { registry, inbox, asked, asking, missing_since: None }
    }

    /// Asks for the schemas of ids, unless that is under way.
    pub(super) fn ask_all(&mut self, ids: &BTreeSet<SchemaId>) {
        for id in ids {
            self.ask(*id);
        }
    }

    fn ask(&mut self, id: SchemaId) {
        if !self.asked.insert(id) {
            return;
        }
        let inbox = Arc::clone(&self.inbox);
        let answer = move |found| inbox.push(Message::Schema { id, found });
        match self.registry.clone() {
            Some(registry) => {
                self.asking.spawn(async move { answer(find(&registry, id).await) });
            }
            None => {
                answer(FoundSchema::Missing("'ksql.schema.registry.url' is not set".to_owned()));
            }
        }
    }

    /// Notes an answer.
    pub(super) fn answered(&mut self, id: SchemaId, found: &FoundSchema) {
        self.asked.remove(&id);
        while self.asking.try_join_next().is_some() {}
        if matches!(found, FoundSchema::Missing(_)) {
            self.missing_since.get_or_insert_with(clock::instant);
        }
    }

    /// Whether ids of which the registry had no schema are to be asked for again: it may have them by now.
    pub(super) fn asks_again(&mut self) -> bool {
        let is_over =
            |since: &mut Instant| clock::instant().duration_since(*since) >= MISSING_HOLDS;
        self.missing_since.take_if(is_over).is_some()
    }
}

/// The schema with an id, however long the registry takes to answer.
async fn find(registry: &RegistryClient, id: SchemaId) -> FoundSchema {
    match registry.by_id_once_there(id).await {
        Ok(schema) => FoundSchema::Schema(schema),
        Err(error) if error.is_not_found() => FoundSchema::Missing(client_words(&error)),
        // As in ksqlDB: it answers, and what it answers is no matter of time.
        Err(error) => FoundSchema::Refused(error),
    }
}

/// A refusal as the registry's Java client words it, which is how it stands in the processing log.
fn client_words(error: &RegistryError) -> String {
    match error {
        RegistryError::Refused { code: Some(code), message, .. } => {
            format!("{message}; error code: {code}")
        }
        error => error.to_string(),
    }
}
