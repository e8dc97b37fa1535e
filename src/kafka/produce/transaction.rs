//! Transactions: what is written between `begin` and `commit`, and the offsets sent with it, count together or not at all.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, EndTxnRequest, EndTxnResponse, GroupId,
    ProducerId, TransactionalId, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};

use super::batch::Identity;
use super::identity::init_producer;
use super::phase::Phase;
use super::producer::Producer;
use super::state::Shared;
use crate::kafka::admin::by_topic;
use crate::kafka::api::{Api, transaction_version_2};
use crate::kafka::cluster::{text, topic_name};
use crate::kafka::coordinator::Coordinator;
use crate::kafka::error::KafkaError;
use crate::kafka::group::{CommittedOffset, GroupMetadata, GroupOffsets};
use crate::kafka::partition::TopicPartition;

impl Producer {
    /// Takes over the transactional id: what an earlier producer with it left open is aborted, and it is fenced.
    pub async fn init_transactions(&self) -> Result<(), KafkaError> {
        self.shared.transactional_id()?;
        let identity = init_producer(&self.shared, Identity::NONE).await;
        let identity = self.shared.fence(identity)?;
        let version = self.shared.coordinator()?.transaction_version().await?;
        self.shared.set_identity(identity);
        let mut state = self.shared.lock();
        state.is_version_2 = version >= 2;
        state.phase = Phase::Ready;
        Ok(())
    }

    /// Begins a transaction; nothing is sent before there is something in it.
    pub fn begin_transaction(&self) -> Result<(), KafkaError> {
        let id = self.shared.transactional_id()?;
        let mut state = self.shared.lock();
        match &state.phase {
            Phase::Ready => {
                state.phase = Phase::Open { has_parts: false };
                state.transaction += 1;
            }
            Phase::Fenced(error) => return Err(error.clone()),
            Phase::None => return Err(problem(id, "is not initialised")),
            Phase::Open { .. } | Phase::Failed(_) => return Err(problem(id, "is open already")),
        }
        Ok(())
    }

    /// Puts a consumer group's offsets into the transaction; a stale member is refused by its generation.
    pub async fn send_offsets_to_transaction(
        &self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), KafkaError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let result = self.shared.send_offsets(offsets, group).await;
        let result = self.shared.fence(result);
        if let Err(error) = &result {
            self.shared.lock().phase.fail(error);
        }
        result
    }

    /// Writes what is buffered and commits. After any error but a fencing, [`Self::abort_transaction`] comes next.
    pub async fn commit_transaction(&self) -> Result<(), KafkaError> {
        let id = self.shared.transactional_id()?.to_owned();
        self.shared.flush().await?;
        let has_parts = match &self.shared.lock().phase {
            Phase::Open { has_parts } => *has_parts,
            Phase::Failed(error) | Phase::Fenced(error) => return Err(error.clone()),
            Phase::None | Phase::Ready => return Err(problem(&id, "was not begun")),
        };
        if has_parts {
            let result = self.shared.end(true).await;
            if let Err(error) = self.shared.fence(result) {
                self.shared.lock().phase.fail(&error);
                return Err(error);
            }
        }
        self.shared.close_transaction();
        Ok(())
    }

    /// Drops what is buffered and aborts. Without an open transaction, there is nothing to do.
    pub async fn abort_transaction(&self) -> Result<(), KafkaError> {
        let id = self.shared.transactional_id()?.to_owned();
        let has_parts = match &self.shared.lock().phase {
            Phase::Open { has_parts } => *has_parts,
            Phase::Failed(_) => true,
            Phase::Fenced(error) => return Err(error.clone()),
            Phase::None | Phase::Ready => return Ok(()),
        };
        let had_waiting = self.shared.buffered_bytes() > 0;
        self.shared.drop_waiting(&problem(&id, "was aborted"), |_| true);
        self.shared.quiesce().await?;
        self.shared.drop_waiting(&problem(&id, "was aborted"), |_| true);
        // The failures are why it is aborted, so nobody needs to hear of them again.
        let _ = self.shared.lock().take_failures();
        let is_failed = matches!(self.shared.lock().phase, Phase::Failed(_));
        let mut has_new_epoch = false;
        if has_parts || is_failed {
            let result = self.shared.end(false).await;
            match self.shared.fence(result) {
                Ok(()) => has_new_epoch = self.shared.lock().is_version_2,
                // The coordinator never heard of a part, or has written the commit whose answer was lost.
                Err(error) if is_failed && error.is_code(ResponseError::InvalidTxnState) => {}
                Err(error) => return Err(error),
            }
        }
        if (is_failed || had_waiting) && !has_new_epoch {
            // A new epoch starts the numbers afresh. Asked for while the transaction is open, it would fence its own
            // producer before Kafka 4.
            let present = self.shared.lock().identity.unwrap_or(Identity::NONE);
            let identity = init_producer(&self.shared, present).await;
            self.shared.set_identity(self.shared.fence(identity)?);
        }
        self.shared.close_transaction();
        Ok(())
    }
}

impl Shared {
    pub(super) fn transactional_id(&self) -> Result<&str, KafkaError> {
        let missing = || problem("a producer without a transactional.id", "does not exist");
        self.options.transactional_id.as_deref().ok_or_else(missing)
    }

    pub(super) fn coordinator(&self) -> Result<&Coordinator, KafkaError> {
        self.coordinator.as_ref().ok_or(KafkaError::Closed("transaction coordinator"))
    }

    fn close_transaction(&self) {
        let mut state = self.lock();
        state.phase = Phase::Ready;
        for queue in state.all_queues() {
            queue.is_in_transaction = false;
            // A broker that cannot make sure yet that a partition belongs to the next one refuses what comes first.
            queue.numbers.first_goes_alone();
        }
        drop(state);
        self.wake();
    }

    pub(super) fn identity(&self) -> Result<Identity, KafkaError> {
        let uninitialised = || {
            problem(
                self.options.transactional_id.as_deref().unwrap_or_default(),
                "is not initialised",
            )
        };
        self.lock().identity.ok_or_else(uninitialised)
    }

    /// Remembers for good that another producer has taken over.
    pub(super) fn fence<T>(&self, result: Result<T, KafkaError>) -> Result<T, KafkaError> {
        use ResponseError as E;
        let is_fenced = |code| matches!(code, E::ProducerFenced | E::InvalidProducerEpoch);
        match result {
            Err(error) if error.code().is_some_and(is_fenced) => {
                let transactional_id = self.options.transactional_id.clone().unwrap_or_default();
                let error = KafkaError::ProducerFenced { transactional_id };
                self.lock().phase = Phase::Fenced(error.clone());
                Err(error)
            }
            result => result,
        }
    }

    async fn send_offsets(
        &self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), KafkaError> {
        let (id, identity) = (self.transactional_id()?, self.identity()?);
        self.check_phase(&self.lock())?;
        let is_version_2 = self.lock().is_version_2;
        if !is_version_2 {
            self.add_offsets(&group.group).await?;
        }
        self.lock().phase.has_part();
        let topics = by_topic(offsets, |partition, committed| {
            TxnOffsetCommitRequestPartition::default()
                .with_partition_index(partition)
                .with_committed_offset(committed.offset)
                .with_committed_metadata(Some(text(&committed.metadata)))
        });
        let topic = |(name, partitions): (&str, _)| {
            TxnOffsetCommitRequestTopic::default()
                .with_name(topic_name(name))
                .with_partitions(partitions)
        };
        let mut request = TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_group_id(GroupId(text(&group.group)))
            .with_producer_id(ProducerId(identity.producer_id))
            .with_producer_epoch(identity.epoch)
            .with_topics(topics.into_iter().map(topic).collect());
        if group.generation >= 0 {
            request = request
                .with_generation_id(group.generation)
                .with_member_id(text(&group.member_id))
                .with_group_instance_id(group.instance_id.as_deref().map(text));
        }
        let check = |response: &TxnOffsetCommitResponse| check_offsets(&group.group, response);
        let of_group = GroupOffsets::new(&self.cluster, &group.group);
        let version = is_version_2.then_some(transaction_version_2::TXN_OFFSET_COMMIT);
        let sent = of_group.coordinator.call_as(&request, version, check).await.map(drop);
        sent.map_err(|error| of_group.fenced(group.instance_id.as_deref(), error))
    }

    /// Tells the coordinator of the transaction that offsets of a group are a part of it.
    async fn add_offsets(&self, group: &str) -> Result<(), KafkaError> {
        let (id, identity) = (self.transactional_id()?, self.identity()?);
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_producer_id(ProducerId(identity.producer_id))
            .with_producer_epoch(identity.epoch)
            .with_group_id(GroupId(text(group)));
        let check = |response: &AddOffsetsToTxnResponse| {
            KafkaError::check(AddOffsetsToTxnRequest::NAME, id, response.error_code)
        };
        self.coordinator()?.call(&request, check).await.map(drop)
    }

    async fn end(&self, is_committed: bool) -> Result<(), KafkaError> {
        let (id, identity) = (self.transactional_id()?, self.identity()?);
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_producer_id(ProducerId(identity.producer_id))
            .with_producer_epoch(identity.epoch)
            .with_committed(is_committed);
        let check = |response: &EndTxnResponse| {
            KafkaError::check(EndTxnRequest::NAME, id, response.error_code)
        };
        let version = self.lock().is_version_2.then_some(transaction_version_2::END_TXN);
        let response = self.coordinator()?.call_as(&request, version, check).await?;
        if version.is_some() {
            let (producer_id, epoch) = (response.producer_id.0, response.producer_epoch);
            self.set_identity(Identity { producer_id, epoch });
        }
        Ok(())
    }
}

fn check_offsets(group: &str, response: &TxnOffsetCommitResponse) -> Result<(), KafkaError> {
    let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.try_for_each(|partition| {
        // The coordinator of the group may not have heard of the transaction's epoch yet, or be loading.
        KafkaError::check(
            TxnOffsetCommitRequest::NAME,
            format!("group {group}"),
            partition.error_code,
        )
    })
}

/// That a call does not fit the state of the transaction.
pub(super) fn problem(transactional_id: &str, problem: &str) -> KafkaError {
    KafkaError::Transaction {
        transactional_id: transactional_id.to_owned(),
        problem: problem.to_owned(),
    }
}
