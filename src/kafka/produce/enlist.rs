//! Tells the coordinator of a transaction which partitions it writes to, before anything is written there; in version 2 of
//! transactions, brokers do.
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, ProducerId, TransactionalId,
};

use super::phase::Phase;
use super::state::Shared;
use crate::kafka::admin::by_topic;
use crate::kafka::api::Api;
use crate::kafka::clock;
use crate::kafka::cluster::{text, topic_name};
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;
use crate::kafka::retry::Retry;

/// The pause while a coordinator finishes the last transaction, which takes milliseconds.
const BRIEFLY: Duration = Duration::from_millis(20);

/// Adds partitions to the open transaction as they come, until it is dropped.
pub(super) async fn enlist(shared: Arc<Shared>) {
    let mut work = shared.work.subscribe();
    let mut retry = Retry::default();
    loop {
        work.borrow_and_update();
        let partitions = shared.outside_transaction();
        if partitions.is_empty() {
            if work.changed().await.is_err() {
                return;
            }
            continue;
        }
        retry.wait().await;
        match shared.add_to_transaction(&partitions).await {
            Ok(()) => retry.reset(),
            Err(error) if error.is_code(ResponseError::ConcurrentTransactions) => {
                tokio::time::sleep(clock::jitter(BRIEFLY)).await;
            }
            Err(error) => {
                retry.fail(shared.cluster.config());
                if error.is_retriable() {
                    shared.give_up_or_wait(&error, |partition| partitions.contains(partition));
                }
            }
        }
    }
}

impl Shared {
    /// The partitions that are to be written in the open transaction and do not belong to it yet.
    fn outside_transaction(&self) -> Vec<TopicPartition> {
        let mut state = self.lock();
        if !state.phase.is_open() || state.is_version_2 {
            return Vec::new();
        }
        let outside = state
            .all_queues()
            .filter(|queue| !queue.waiting.is_empty() && !queue.is_in_transaction);
        outside.map(|queue| queue.partition.clone()).collect()
    }

    async fn add_to_transaction(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let (id, identity) = (self.transactional_id()?, self.identity()?);
        let transaction = self.lock().transaction;
        let asked: Vec<_> = partitions.iter().map(|partition| (partition.clone(), ())).collect();
        let topics = by_topic(&asked, |partition, ()| partition);
        let topic = |(name, partitions): (&str, Vec<i32>)| {
            AddPartitionsToTxnTopic::default()
                .with_name(topic_name(name))
                .with_partitions(partitions)
        };
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(id)))
            .with_v3_and_below_producer_id(ProducerId(identity.producer_id))
            .with_v3_and_below_producer_epoch(identity.epoch)
            .with_v3_and_below_topics(topics.into_iter().map(topic).collect());
        let result = self.coordinator()?.call_once(&request, check_added).await.map(drop);
        if let Err(error) = self.fence(result) {
            self.coordinator()?.learn(&error).await;
            if !error.is_retriable() {
                self.fail_transaction(&error);
            }
            return Err(error);
        }
        let mut state = self.lock();
        // The transaction may have been aborted in the meantime, which ended what was just added to it.
        let is_same = state.transaction == transaction;
        if let Some(Phase::Open { has_parts }) = Some(&mut state.phase).filter(|_| is_same) {
            *has_parts = true;
            for partition in partitions {
                state.queue(&partition.topic, partition.partition).is_in_transaction = true;
            }
        }
        drop(state);
        self.wake();
        Ok(())
    }

    fn fail_transaction(&self, error: &KafkaError) {
        self.lock().phase.fail(error);
        self.drop_waiting(error, |_| true);
    }
}

/// The first error of a partition that says why, rather than that the others failed.
fn check_added(response: &AddPartitionsToTxnResponse) -> Result<(), KafkaError> {
    let not_attempted = ResponseError::OperationNotAttempted.code();
    let mut last = Ok(());
    for topic in &response.results_by_topic_v3_and_below {
        for result in &topic.results_by_partition {
            let partition = TopicPartition::new(topic.name.0.as_str(), result.partition_index);
            let code = result.partition_error_code;
            let checked = KafkaError::check(AddPartitionsToTxnRequest::NAME, partition, code);
            if checked.is_err() && code != not_attempted {
                return checked;
            }
            last = last.and(checked);
        }
    }
    last
}
