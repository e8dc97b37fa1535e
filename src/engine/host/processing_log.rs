//! The stream over the processing log, which a server makes by itself where it is told to
//! (`ksql.logging.processing.stream.auto.create`).

use std::collections::BTreeMap;

use super::{Host, HostError, Request};
use crate::engine::settings;
use crate::kafka::admin::Admin;
use crate::runtime::live::ensure_topic;
use crate::sql::print::{identifier, string};

/// The name of the stream, unless `ksql.logging.processing.stream.name` says it.
const STREAM: &str = "KSQL_PROCESSING_LOG";

/// What the records of the log hold.
const COLUMNS: &str = "logger VARCHAR, level VARCHAR, time BIGINT, message STRUCT<type INT, \
     deserializationError STRUCT<target VARCHAR, errorMessage VARCHAR, recordB64 VARCHAR, \
     cause ARRAY<VARCHAR>, `topic` VARCHAR>, \
     recordProcessingError STRUCT<errorMessage VARCHAR, record VARCHAR, cause ARRAY<VARCHAR>>, \
     productionError STRUCT<errorMessage VARCHAR>, \
     serializationError STRUCT<target VARCHAR, errorMessage VARCHAR, record VARCHAR, \
     cause ARRAY<VARCHAR>, `topic` VARCHAR>, \
     kafkaStreamsThreadError STRUCT<errorMessage VARCHAR, threadName VARCHAR, \
     cause ARRAY<VARCHAR>>>";

impl Host {
    /// Makes the stream over the processing log, if that is wanted and it is not there.
    pub(super) async fn make_processing_log(&self) -> Result<(), HostError> {
        let (shared, properties) = (&self.shared, &self.shared.properties);
        if !properties.flag("ksql.logging.processing.stream.auto.create", false)? {
            return Ok(());
        }
        let stream = properties.get("ksql.logging.processing.stream.name").unwrap_or(STREAM);
        if shared.state().engine().catalog().source(stream).is_some() {
            return Ok(());
        }
        let settings = settings(properties)?;
        let topic = settings.processing_log_topic;
        if settings.has_processing_log {
            let admin = Admin::new(&shared.services.cluster);
            ensure_topic(&admin, &topic, 1, settings.internal_replicas, &BTreeMap::new()).await?;
        }
        let text = format!(
            "CREATE STREAM {} ({COLUMNS}) WITH (KAFKA_TOPIC={}, VALUE_FORMAT='JSON');",
            identifier(stream),
            string(&topic)
        );
        self.run(&Request { text, ..Request::default() }).await.map(drop)
    }
}
