//! `INSERT INTO … VALUES`: rows written, and answered once Kafka has them.

use std::sync::Arc;

use super::refusal::not_written;
use super::{HostError, HostFault, Shared};
use crate::engine::diagnostic;
use crate::expr::EvalContext;
use crate::formats::{Format, Role, Schemas, is_one_of_several};
use crate::kafka::partitioner::partition_for_key;
use crate::kafka::produce::{Acknowledgement, NewRecord};
use crate::kafka::random::random_u128;
use crate::operators::QueryError;
use crate::plan::{InsertRow, InsertedRow, Source};
use crate::registry::{RegistryClient, RegistryError, Subject};
use crate::runtime::live::register_all;
use crate::runtime::{InsertedRecord, RowWriter, SeededRandom, clock, source_schemas};
use crate::sql::ParsedStatement;
use crate::types::Arena;

impl Shared {
    /// Writes the row of a statement, and waits until Kafka has it.
    pub(super) async fn insert(
        &self,
        row: &InsertRow,
        parsed: &ParsedStatement,
    ) -> Result<(), HostError> {
        let inserted = self.evaluated(row, parsed)?;
        let writer = self.row_writer(&row.source).await?;
        let record = writer.write(&inserted);
        let record = record.map_err(|error| HostError::server(error.message))?;
        let written = self.send(&row.source.topic, &record).await?;
        self.acknowledged(written, &row.source).await
    }

    /// The values of a row.
    fn evaluated(
        &self,
        row: &InsertRow,
        parsed: &ParsedStatement,
    ) -> Result<InsertedRow, HostError> {
        let nested_error_set_null = self.properties.flag("ksql.nested.error.set.null", true)?;
        let (arena, random) = (Arena::new(), SeededRandom::new(random_u128() as u64));
        let context = EvalContext {
            arena: &arena,
            now: clock::now(),
            random: &random,
            nested_error_set_null,
        };
        let inserted: InsertedRow = row.evaluate(&context).map_err(|error| {
            let shown = diagnostic(&error, parsed);
            HostError::from(error).shown_as(shown)
        })?;
        if inserted.timestamp_ms >= 0 {
            return Ok(inserted);
        }
        let (name, time) = (&row.source.name, inserted.timestamp_ms);
        Err(HostError::new(
            HostFault::Statement,
            format!(
                "Failed to insert values into '{name}'. Invalid timestamp: {time}. Timestamp should always \
                 be non-negative or null."
            ),
        ))
    }

    /// What writes the rows of a source. Schemas that the registry lacks are registered.
    pub(super) async fn row_writer(&self, source: &Arc<Source>) -> Result<RowWriter, HostError> {
        let failed = |error: QueryError| HostError::server(error.message);
        let Some(registry) = &self.services.registry else {
            return RowWriter::new(source, &Schemas::default()).map_err(failed);
        };
        let source = with_named_messages(registry, source).await?;
        let written = source_schemas(&source).map_err(failed)?;
        let schemas = register_all(registry, written).await?;
        RowWriter::new(&source, &schemas).map_err(failed)
    }

    /// Hands a record to the producer.
    pub(super) async fn send(
        &self,
        topic: &str,
        record: &InsertedRecord,
    ) -> Result<Acknowledgement, HostError> {
        let partitions = self.services.cluster.topic(topic).await?.partitions.len();
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        let partition = match &record.key {
            Some(key) => partition_for_key(key, partitions),
            None => (random_u128() % u128::from(partitions.unsigned_abs().max(1))) as i32,
        };
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let new = NewRecord::new(record.timestamp_ms, key, value);
        Ok(self.producer.send_acknowledged(topic, partition, new).await?)
    }

    /// Waits until Kafka has a record; all that were handed to the producer are sent at once.
    pub(super) async fn acknowledged(
        &self,
        mut written: Acknowledgement,
        source: &Source,
    ) -> Result<(), HostError> {
        let acknowledged = if let Ok(acknowledged) = written.try_recv() {
            acknowledged
        } else {
            // What it fails with may be another's record; each is told of its own.
            let _ = self.producer.flush().await;
            written.await.map_err(|_| HostError::server("the row was not acknowledged"))?
        };
        acknowledged.map(drop).map_err(|error| not_written(error, &source.name))
    }
}

/// A source that is written with what the registry has where it names one of the several messages of that. No schema of its
/// columns alone could take the place of such a schema.
async fn with_named_messages(
    registry: &RegistryClient,
    source: &Arc<Source>,
) -> Result<Arc<Source>, RegistryError> {
    let mut named = Arc::clone(source);
    for role in [Role::Key, Role::Value] {
        let (spec, subject) = match role {
            Role::Key => (&source.key_format, Subject::of_keys(&source.topic)),
            Role::Value => (&source.value_format, Subject::of_values(&source.topic)),
        };
        let has_names = spec.format == Format::Protobuf && spec.schema_id.is_none();
        let Some(name) = spec.full_schema_name.as_deref().filter(|_| has_names) else { continue };
        let id = match registry.latest(&subject).await {
            Ok(latest) => latest.id,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        if is_one_of_several(spec.format, &*registry.by_id(id).await?, name) {
            let named = Arc::make_mut(&mut named);
            let spec =
                if role == Role::Key { &mut named.key_format } else { &mut named.value_format };
            spec.schema_id = Some(id);
        }
    }
    Ok(named)
}
