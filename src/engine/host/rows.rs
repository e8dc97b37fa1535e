//! `INSERT INTO … VALUES`: rows written, and answered once Kafka has them.

use super::{HostError, HostFault, Shared};
use crate::engine::Known;
use crate::engine::trial_registry::TrialRegistry;
use crate::expr::EvalContext;
use crate::kafka::partitioner::partition_for_key;
use crate::kafka::produce::NewRecord;
use crate::kafka::random::random_u128;
use crate::plan::{InsertRow, InsertedRow};
use crate::runtime::{InsertedRecord, SeededRandom, clock, write_inserted};
use crate::types::Arena;

impl Shared {
    /// Writes a row, and waits until Kafka has it.
    pub(super) async fn insert(&self, row: &InsertRow, known: &Known) -> Result<(), HostError> {
        for spec in [&row.source.key_format, &row.source.value_format] {
            if spec.format.supports_schema_inference() {
                return Err(HostError::unsupported(
                    "INSERT INTO … VALUES of formats with a registry is",
                ));
            }
        }
        let record = self.record(row, known)?;
        self.write(&row.source.topic, &record).await
    }

    /// The record of a row.
    fn record(&self, row: &InsertRow, known: &Known) -> Result<InsertedRecord, HostError> {
        let properties = &self.properties;
        let nested_error_set_null = properties.flag("ksql.nested.error.set.null", true)?;
        let (arena, random) = (Arena::new(), SeededRandom::new(random_u128() as u64));
        let context = EvalContext {
            arena: &arena,
            now: clock::now(),
            random: &random,
            nested_error_set_null,
        };
        let inserted: InsertedRow = row.evaluate(&context)?;
        if inserted.timestamp_ms < 0 {
            let (name, time) = (&row.source.name, inserted.timestamp_ms);
            return Err(HostError::new(
                HostFault::Statement,
                format!(
                    "Failed to insert values into '{name}'. Invalid timestamp: {time}. Timestamp should always \
                     be non-negative or null."
                ),
            ));
        }
        let registry = TrialRegistry::new(known);
        write_inserted(&row.source, &inserted, &registry)
            .map_err(|error| HostError::server(error.message))
    }

    async fn write(&self, topic: &str, record: &InsertedRecord) -> Result<(), HostError> {
        let partitions = self.services.cluster.topic(topic).await?.partitions.len();
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        let partition = match &record.key {
            Some(key) => partition_for_key(key, partitions),
            None => (random_u128() % u128::from(partitions.unsigned_abs().max(1))) as i32,
        };
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let new = NewRecord::new(record.timestamp_ms, key, value);
        let written = self.producer.send_acknowledged(topic, partition, new).await?;
        // What waits is sent at once: the client waits for it.
        self.producer.flush().await?;
        written.await.map_err(|_| HostError::server("the row was not acknowledged"))??;
        Ok(())
    }
}
