//! The producer of a query, and the transactions that it writes in where each record is to count once.
//!
//! ```text
//! assigned ─▶ init ─▶ restore ─▶ begin ─▶ outputs ─▶ barrier ─▶ changelogs ─▶ offsets ─▶ end ─▶ begin ─▶ …
//!              └ fences whoever wrote before, and completes or aborts what he left open
//! ```
//!
//! One member of a query's group runs the whole query, so its transactional id is that of the query, whoever runs it: a
//! successor fences his predecessor and ends what that left open at once, where he would wait for `transaction.timeout.ms`
//! if each instance had an id of its own. Who takes over although the group has gone on without him ends somebody else's
//! transaction, but cannot commit one: offsets are taken from a member of the present generation alone (KIP-447).

use std::time::Duration;

use super::error::LiveError;
use super::outbox::Sender;
use super::refused::refused_records;
use super::restoring::Restoring;
use super::settings::Guarantee;
use crate::kafka::group::{CommittedOffset, Membership};
use crate::kafka::lease::Lease;
use crate::kafka::produce::{Producer, ProducerOptions};
use crate::kafka::{KafkaError, TopicPartition};

/// How long those are waited for who abort what was not committed; a coordinator does so by itself once its time is over.
pub(super) const ABORT_WAIT: Duration = Duration::from_secs(1);

impl Restoring {
    /// The query's producer, which writes only while the member may; in a transaction that has begun, if it is to.
    ///
    /// When this returns, nothing that was written before in the query's transactions is undecided.
    pub(super) async fn producer(&self, lease: Lease) -> Result<Producer, LiveError> {
        let mut options = ProducerOptions {
            refused: refused_records(&self.settings, &self.topics),
            lease: Some(lease),
            ..ProducerOptions::default()
        };
        let Guarantee::ExactlyOnce { transaction_timeout } = self.settings.guarantee else {
            return Ok(Producer::with_options(&self.cluster, options));
        };
        let application_id = self.settings.application_id(self.layout.query_id());
        options.transactional_id = Some(transactional_id(&application_id));
        options.transaction_timeout = Some(transaction_timeout);
        let producer = Producer::with_options(&self.cluster, options);
        producer.init_transactions().await?;
        producer.begin_transaction()?;
        Ok(producer)
    }
}

/// Commits offsets as a member: with all that was written since the last commit, where that is one transaction, of which the
/// next one has begun then.
pub(super) async fn commit(
    producer: &Producer,
    member: &Membership,
    offsets: &[(TopicPartition, CommittedOffset)],
) -> Result<(), KafkaError> {
    if !producer.is_transactional() {
        return member.commit(offsets).await;
    }
    producer.send_offsets_to_transaction(offsets, &member.metadata()).await?;
    producer.commit_transaction().await?;
    producer.begin_transaction()
}

/// The transactional id of a query.
fn transactional_id(application_id: &str) -> String {
    format!("{application_id}-0")
}

impl Sender {
    /// Aborts what is open, if it writes in transactions, so that readers of committed records need not wait until its time
    /// is over.
    pub(super) async fn abort(&self, query: &str) {
        if !self.is_transactional() {
            return;
        }
        match tokio::time::timeout(ABORT_WAIT, self.producer.abort_transaction()).await {
            Ok(Ok(())) => {}
            // Whoever has fenced it has aborted it.
            Ok(Err(error)) => tracing::debug!("query {query}: there is nothing to abort: {error}"),
            Err(_) => tracing::info!(
                "query {query}: its transaction is not aborted yet; its coordinator does so in a while"
            ),
        }
    }
}
