//! `ASSERT TOPIC` and `ASSERT SCHEMA`: what is to be there, or not, within a time.

use std::time::{Duration, Instant};

use super::answer::AnswerBody;
use super::topic_list::replica_counts;
use super::{HostError, HostFault, Shared};
use crate::kafka::admin::Admin;
use crate::kafka::cluster::TopicMetadata;
use crate::registry::schema::{SchemaId, Subject};
use crate::registry::{RegistryClient, RegistryError};
use crate::runtime::clock;
use crate::sql::ast::{self, AssertSchema, AssertTopic, Literal};

/// How often it is looked.
const ASSERT_EVERY: Duration = Duration::from_millis(100);

/// The status of what does not exist.
const NOT_FOUND: u16 = 404;

/// Whether what is asserted holds, or how it does not.
type Held = Result<(), String>;

impl Shared {
    pub(super) async fn assert_topic(&self, assert: &AssertTopic) -> Result<AnswerBody, HostError> {
        let name = &assert.topic.text;
        let timeout = self.timeout(assert.timeout, "ksql.assert.topic.default.timeout.ms")?;
        let (admin, patience) = (Admin::new(&self.services.cluster), Patience::of(timeout));
        while let Err(fault) = topic_held(assert, admin.describe_topic(name).await?.as_deref()) {
            patience.wait(fault).await?;
        }
        Ok(AnswerBody::Topic { name: name.clone(), exists: assert.exists })
    }

    pub(super) async fn assert_schema(
        &self,
        assert: &AssertSchema,
    ) -> Result<AnswerBody, HostError> {
        let Some(registry) = &self.services.registry else {
            return Err(HostError::new(
                HostFault::Assertion,
                "Cannot check schema existence: KSQL is not configured to use a schema registry. To \
                 enable it, please set ksql.schema.registry.url",
            ));
        };
        let subject = assert.subject.as_ref().map(|subject| subject.text.clone());
        let id = assert.id.as_ref().map(schema_id).transpose()?;
        let timeout = self.timeout(assert.timeout, "ksql.assert.schema.default.timeout.ms")?;
        let patience = Patience::of(timeout);
        while has_schema(registry, subject.as_deref(), id).await? != assert.exists {
            let found = if assert.exists { "does not exist" } else { "exists" };
            let what = shown(subject.as_deref(), id);
            patience.wait(format!("Schema with {what} {found}")).await?;
        }
        Ok(AnswerBody::Schema { subject, id: id.map(|id| id.0), exists: assert.exists })
    }

    /// How long it is waited for what is asserted.
    fn timeout(&self, given: Option<ast::Duration>, name: &str) -> Result<Duration, HostError> {
        let ms = match given {
            Some(given) => given.as_ms(),
            None => self.properties.number(name, 1_000)?,
        };
        Ok(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }
}

/// How long it is looked for what is asserted.
struct Patience {
    until: Instant,
}

impl Patience {
    fn of(timeout: Duration) -> Self {
        let now = clock::instant();
        Self { until: now.checked_add(timeout).unwrap_or(now) }
    }

    /// Waits a little, or says that the time is over.
    async fn wait(&self, fault: String) -> Result<(), HostError> {
        let left = self.until.saturating_duration_since(clock::instant());
        if left.is_zero() {
            return Err(HostError::new(HostFault::Assertion, fault));
        }
        tokio::time::sleep(left.min(ASSERT_EVERY)).await;
        Ok(())
    }
}

/// Whether a topic is as it is asserted, or how it is not.
fn topic_held(assert: &AssertTopic, topic: Option<&TopicMetadata>) -> Held {
    let name = &assert.topic.text;
    let topic = match (topic, assert.exists) {
        (Some(_), false) => return Err(format!("Topic {name} exists")),
        (None, false) => return Ok(()),
        (None, true) => return Err(format!("Topic {name} does not exist")),
        (Some(topic), true) => topic,
    };
    let counts = replica_counts(topic);
    for property in &assert.with {
        let expected = match property.value {
            Literal::Integer(number) => i64::from(number),
            Literal::Bigint(number) => number,
            _ => return Err(format!("Cannot assert topic config: {}", property.name.text)),
        };
        let (what, found) = match property.name.text.to_ascii_uppercase().as_str() {
            "PARTITIONS" => ("partitions", counts.len()),
            "REPLICAS" => ("replicas", counts.first().copied().unwrap_or(0)),
            _ => {
                return Err(format!(
                    "Cannot assert unknown topic property: {}",
                    property.name.text
                ));
            }
        };
        if i64::try_from(found).ok() != Some(expected) {
            return Err(format!(
                "Mismatched configuration for topic {name}: For config {what}, expected {expected} got \
                 {found}"
            ));
        }
    }
    Ok(())
}

fn schema_id(literal: &Literal) -> Result<SchemaId, HostError> {
    match literal {
        Literal::Integer(id) => Ok(SchemaId(*id)),
        _ => Err(HostError::new(HostFault::Statement, "the ID of a schema is an INTEGER")),
    }
}

/// What a schema is called in messages.
fn shown(subject: Option<&str>, id: Option<SchemaId>) -> String {
    let subject = subject.map(|subject| format!("subject name {subject}"));
    let id = id.map(|id| format!("id {id}"));
    subject.into_iter().chain(id).collect::<Vec<_>>().join(" ")
}

async fn has_schema(
    registry: &RegistryClient,
    subject: Option<&str>,
    id: Option<SchemaId>,
) -> Result<bool, HostError> {
    let Some(subject) = subject.map(Subject::new) else {
        return match id {
            Some(id) => there(registry.by_id(id).await.map(|_| true)),
            None => Ok(false),
        };
    };
    let Some(id) = id else { return there(registry.latest(&subject).await.map(|_| true)) };
    let versions = match registry.versions(&subject).await {
        Ok(versions) => versions,
        Err(error) => return there(Err(error)),
    };
    for version in versions {
        if there(registry.version(&subject, version).await.map(|found| found.id == id))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is not found is not there.
fn there(found: Result<bool, RegistryError>) -> Result<bool, HostError> {
    match found {
        Err(RegistryError::Refused { status: NOT_FOUND, .. }) => Ok(false),
        found => Ok(found?),
    }
}
