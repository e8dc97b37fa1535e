//! What becomes of queries that fail: tried again after a while, or never.

use super::query::{LiveError, Role};
use super::reader::Reader;
use super::tend::REJOIN_WAIT;
use crate::kafka::group::Membership;
use crate::kafka::{KafkaError, ResponseError};
use crate::operators::QueryError;
use crate::runtime::{LogEvent, ProcessingLogEntry, clock};
use crate::state::checkpoint::CheckpointError;

impl Reader {
    /// A query failed: it is tried again after a while, or never, by its cause.
    pub(super) fn failed(&mut self, index: usize, error: &LiveError) -> Role {
        self.detach(index);
        let query = &mut self.queries[index];
        query.forget();
        query.cause = Some(error.to_string());
        let id = &query.spec.id;
        if is_final(error) {
            return Role::Ended;
        }
        let wait = query.backoff;
        tracing::error!("query {id} has failed and starts again in {wait:?}: {error}");
        query.backoff = (wait * 2).min(query.spec.settings.retry_backoff_max);
        Role::Out { join_at: clock::instant() + wait }
    }

    /// Ends what a query does, for a cause.
    pub(super) async fn fail(&mut self, index: usize, error: LiveError) {
        let role = std::mem::replace(&mut self.queries[index].role, Role::Ended);
        if let LiveError::Query(error) = &error {
            self.log_failure(index, error).await;
        }
        match role {
            Role::Active(membership) | Role::Standby(membership) => leave(membership),
            Role::Activating(membership, activating) => {
                activating.abort();
                leave(membership);
            }
            Role::Joining(joining) => joining.abort(),
            Role::Out { .. } | Role::Ended => {}
        }
        self.queries[index].role = self.failed(index, &error);
    }

    async fn log_failure(&mut self, index: usize, error: &QueryError) {
        let query = &mut self.queries[index];
        let entry = ProcessingLogEntry {
            logger: format!("processing.{}", query.spec.id),
            event: LogEvent::StreamThread {
                message: error.message.clone(),
                thread: format!("{}-1", query.application_id),
                causes: error.causes.clone(),
            },
        };
        if let Some(producer) = &query.producer {
            let sent = super::query::send_log(&query.spec.settings, producer, &[entry]).await;
            let flushed = producer.flush().await;
            if let Err(error) = sent.and(flushed.map_err(LiveError::from)) {
                tracing::warn!("query {}: no entry in the processing log: {error}", query.spec.id);
            }
        }
    }

    /// Fails the queries whose topics are gone.
    pub(super) async fn fail_without_topics(&mut self) {
        let problems = self.watch.problems();
        if problems.is_empty() {
            return;
        }
        for index in 0..self.queries.len() {
            let query = &self.queries[index];
            let names = query.topics.names();
            let found = names.into_iter().find_map(|(name, _)| problems.get_key_value(name));
            if let (Some((topic, cause)), false) = (found, matches!(query.role, Role::Ended)) {
                let (topic, cause) = (topic.clone(), cause.clone());
                self.fail(index, LiveError::Topic { topic, cause }).await;
            }
        }
    }

    /// What becomes of the queries of a reading whose fetch failed.
    pub(super) async fn fetch_failed(
        &mut self,
        queries: Vec<usize>,
        topic: &str,
        error: KafkaError,
    ) {
        if error.is_retriable() {
            tracing::warn!("{topic}: {error}");
            tokio::time::sleep(REJOIN_WAIT).await;
            return;
        }
        for index in queries {
            self.fail(index, error.clone().into()).await;
        }
    }
}

/// Leaves a group, so that its other members need not wait for the session to time out.
pub(super) fn leave(membership: Membership) {
    tokio::spawn(async move {
        if let Err(error) = membership.leave().await {
            tracing::debug!("left a group without a word: {error}");
        }
    });
}

/// Whether trying again would end in the same way.
fn is_final(error: &LiveError) -> bool {
    match error {
        LiveError::Kafka(error) => is_final_for_kafka(error),
        LiveError::Topic { .. }
        | LiveError::State { .. }
        | LiveError::Checkpoint(CheckpointError::Mismatch { .. }) => true,
        LiveError::Query(_) | LiveError::Checkpoint(_) => false,
    }
}

fn is_final_for_kafka(error: &KafkaError) -> bool {
    use ResponseError as E;
    match error {
        KafkaError::Flush { first, .. } => is_final_for_kafka(first),
        KafkaError::RecordRefused(refused) => is_final_for_kafka(&refused.cause),
        KafkaError::Config(_)
        | KafkaError::Unsupported { .. }
        | KafkaError::OffsetOutOfRange { .. }
        | KafkaError::RecordTooLarge { .. }
        | KafkaError::Record { .. } => true,
        KafkaError::Code { code, .. } => matches!(
            code,
            E::MessageTooLarge
                | E::RecordListTooLarge
                | E::InvalidRecord
                | E::InvalidTopicException
                | E::UnsupportedForMessageFormat
                | E::InvalidSessionTimeout
                | E::InvalidGroupId
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn undelivered() -> KafkaError {
        KafkaError::Undelivered {
            topic: "T".to_owned(),
            partition: 0,
            within: Duration::from_mins(2),
            cause: "no answer".to_owned(),
        }
    }

    #[test]
    fn a_broker_that_is_away_for_long_fails_no_query_for_good() {
        let first = Box::new(undelivered());
        let flush = KafkaError::Flush { count: 1, first, failures: Vec::new() };
        assert!(!is_final(&flush.into()));
    }

    #[test]
    fn a_record_that_is_too_large_fails_its_query_for_good() {
        let topic = "T".to_owned();
        let first = KafkaError::RecordTooLarge { topic, bytes: 2_000_000, limit_bytes: None };
        let first = Box::new(first);
        let flush = KafkaError::Flush { count: 1, first, failures: Vec::new() };
        assert!(is_final(&flush.into()));
    }
}
