//! The requests of idempotent and transactional producers, and those that look at transactions.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::describe_transactions_response::{TopicData, TransactionState};
use kafka_protocol::messages::list_transactions_response::TransactionState as ListedTransaction;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, DescribeProducersRequest, DescribeProducersResponse,
    DescribeTransactionsRequest, DescribeTransactionsResponse, EndTxnRequest, EndTxnResponse,
    InitProducerIdRequest, InitProducerIdResponse, ListTransactionsRequest,
    ListTransactionsResponse, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::api::transaction_version_2;
use super::call::Call;
use super::core::Core;
use super::event::{Committed, State, Transaction};
use super::group_offsets::check;
use super::groups::GROUPS_MAX;
use super::log::Log;
use super::shared::Broker;
use super::transactions::Asking;

/// Before this version of a request, a fenced producer is told that its epoch is wrong.
fn code(error: ResponseError, call: &Call, fenced_since: i16) -> i16 {
    match error {
        ResponseError::ProducerFenced if call.version < fenced_since => {
            ResponseError::InvalidProducerEpoch.code()
        }
        error => error.code(),
    }
}

fn outcome(result: Result<(), ResponseError>, call: &Call) -> i16 {
    result.map_or_else(|error| code(error, call, 2), |()| 0)
}

/// Gives a producer its id and epoch.
pub(super) fn init(
    broker: &Broker,
    call: &Call,
    request: &InitProducerIdRequest,
) -> InitProducerIdResponse {
    let now = broker.now();
    let mut core = broker.core();
    let given = match &request.transactional_id {
        None => Ok((core.new_producer_id(), 0)),
        Some(id) if id.is_empty() => Err(ResponseError::InvalidRequest),
        Some(id) => {
            let current = (request.producer_id.0 >= 0)
                .then_some((request.producer_id.0, request.producer_epoch));
            core.init_producer(id, request.transaction_timeout_ms, current, now)
        }
    };
    let response = InitProducerIdResponse::default();
    match given {
        Ok((id, epoch)) => response.with_producer_id(ProducerId(id)).with_producer_epoch(epoch),
        Err(error) => response
            .with_error_code(code(error, call, 4))
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1),
    }
}

/// Adds partitions to a producer's transaction; all of them or none.
pub(super) fn add_partitions(
    broker: &Broker,
    call: &Call,
    request: &AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let now = broker.now();
    let mut core = broker.core();
    let id = &request.v3_and_below_transactional_id;
    let (producer_id, epoch) =
        (request.v3_and_below_producer_id.0, request.v3_and_below_producer_epoch);
    let added = request.v3_and_below_topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| (topic.name.to_string(), *partition))
    });
    let added: Vec<_> = added.collect();
    let missing: Vec<_> = added
        .iter()
        .filter(|(topic, partition)| !core.topics.has(topic, *partition))
        .cloned()
        .collect();
    let checked = core.transactions.of(&Asking { id, producer_id, epoch });
    let checked = checked.map(|transaction| {
        if missing.is_empty() {
            transaction.begin(now);
            transaction.partitions.extend(added);
        }
    });
    if checked.is_ok() && missing.is_empty() {
        core.note_transaction(id);
    }
    let error = |topic: &TopicName, partition: i32| match checked {
        Err(error) => code(error, call, 2),
        Ok(()) if missing.is_empty() => 0,
        Ok(()) if core.topics.has(topic, partition) => ResponseError::OperationNotAttempted.code(),
        Ok(()) => ResponseError::UnknownTopicOrPartition.code(),
    };
    let topics = request.v3_and_below_topics.iter().map(|topic| {
        let results = topic.partitions.iter().map(|partition| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*partition)
                .with_partition_error_code(error(&topic.name, *partition))
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(results.collect())
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(topics.collect())
}

/// Adds a group's offsets to a producer's transaction.
pub(super) fn add_offsets(
    broker: &Broker,
    call: &Call,
    request: &AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let now = broker.now();
    let mut core = broker.core();
    let id = &request.transactional_id;
    let producer = Asking { id, producer_id: request.producer_id.0, epoch: request.producer_epoch };
    let added = core
        .transactions
        .of(&producer)
        .and_then(|transaction| add_group(transaction, &request.group_id, now));
    if added.is_ok() {
        core.note_transaction(id);
    }
    AddOffsetsToTxnResponse::default().with_error_code(outcome(added, call))
}

/// Makes the offsets of a group a part of a transaction, which begins if it has to.
fn add_group(transaction: &mut Transaction, group: &str, now: i64) -> Result<(), ResponseError> {
    if transaction.groups.len() >= GROUPS_MAX {
        return Err(ResponseError::PolicyViolation);
    }
    transaction.begin(now);
    transaction.groups.entry(group.to_owned()).or_default();
    Ok(())
}

/// Takes offsets that are committed when the transaction is.
pub(super) fn commit_offsets(
    broker: &Broker,
    call: &Call,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let now = broker.now();
    let mut core = broker.core();
    let core = &mut *core;
    let checked = check_group(core, &request, now).and_then(|()| {
        let (id, producer_id, epoch) =
            (&request.transactional_id, request.producer_id.0, request.producer_epoch);
        let transaction = core.transactions.of(&Asking { id, producer_id, epoch })?;
        if call.version >= transaction_version_2::TXN_OFFSET_COMMIT {
            return add_group(transaction, &request.group_id, now);
        }
        let open = transaction.state == State::Ongoing
            && transaction.groups.contains_key(request.group_id.as_str());
        if open { Ok(()) } else { Err(ResponseError::InvalidTxnState) }
    });
    let mut offsets = Vec::new();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|wanted| {
            let metadata =
                wanted.committed_metadata.map(|metadata| metadata.to_string()).unwrap_or_default();
            let (offset, leader_epoch) = (wanted.committed_offset, wanted.committed_leader_epoch);
            let committed = Committed { offset, leader_epoch, metadata };
            let response = TxnOffsetCommitResponsePartition::default()
                .with_partition_index(wanted.partition_index);
            match checked
                .and_then(|()| check(core, &topic.name, wanted.partition_index, &committed))
            {
                Ok(()) => {
                    offsets.push((topic.name.to_string(), wanted.partition_index, committed));
                    response
                }
                Err(error) => response.with_error_code(code(error, call, 2)),
            }
        });
        let partitions = partitions.collect();
        TxnOffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(partitions)
    });
    let topics = topics.collect();
    if !offsets.is_empty() {
        core.transactions.stage(&request.transactional_id, &request.group_id, offsets);
        core.note_transaction(&request.transactional_id);
    }
    TxnOffsetCommitResponse::default().with_topics(topics)
}

/// A producer that names a member must be of the group's current generation.
fn check_group(
    core: &mut Core,
    request: &TxnOffsetCommitRequest,
    now: i64,
) -> Result<(), ResponseError> {
    let group = core.groups.admit(&request.group_id)?;
    if request.generation_id < 0
        && request.member_id.is_empty()
        && request.group_instance_id.is_none()
    {
        return Ok(());
    }
    match group.check_commit(
        request.generation_id,
        &request.member_id,
        request.group_instance_id.as_ref(),
        now,
    ) {
        Err(ResponseError::RebalanceInProgress) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Commits or aborts a transaction.
pub(super) fn end(broker: &Broker, call: &Call, request: &EndTxnRequest) -> EndTxnResponse {
    let now = broker.now();
    let mut core = broker.core();
    let id = &request.transactional_id;
    let producer = Asking { id, producer_id: request.producer_id.0, epoch: request.producer_epoch };
    if call.version >= transaction_version_2::END_TXN {
        let ended = core.end_and_bump(&producer, request.committed, now);
        let response = EndTxnResponse::default();
        return match ended {
            Ok((id, epoch)) => response.with_producer_id(ProducerId(id)).with_producer_epoch(epoch),
            Err(error) => response
                .with_error_code(error.code())
                .with_producer_id(ProducerId(-1))
                .with_producer_epoch(-1),
        };
    }
    let state = core.transactions.of(&producer).map(|transaction| transaction.state);
    let ended = state.and_then(|state| match state {
        State::Ongoing => core.end_transaction(id, request.committed, false, now),
        // The answer was lost, and the request is repeated.
        State::Complete(committed) if committed == request.committed => Ok(()),
        _ => Err(ResponseError::InvalidTxnState),
    });
    EndTxnResponse::default().with_error_code(outcome(ended, call))
}

/// Tells what partitions know of producers.
pub(super) fn describe_producers(
    broker: &Broker,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let mut core = broker.core();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|partition| {
            let response = PartitionResponse::default().with_partition_index(*partition);
            match core.topics.log(&topic.name, *partition) {
                Ok(log) => response.with_active_producers(producers(log)),
                Err(error) => response.with_error_code(error.code()),
            }
        });
        let partitions = partitions.collect();
        TopicResponse::default().with_name(topic.name).with_partitions(partitions)
    });
    DescribeProducersResponse::default().with_topics(topics.collect())
}

fn producers(log: &Log) -> Vec<ProducerState> {
    let describe = |(id, producer): (i64, &super::producers::Producer)| {
        ProducerState::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(i32::from(producer.epoch))
            .with_last_sequence(producer.last_sequence())
            .with_last_timestamp(producer.last_timestamp)
            .with_coordinator_epoch(0)
            .with_current_txn_start_offset(producer.open_since.unwrap_or(-1))
    };
    log.producers.iter().map(describe).collect()
}

/// Describes transactions by id.
pub(super) fn describe(
    broker: &Broker,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let core = broker.core();
    let states = request.transactional_ids.into_iter().map(|id| {
        let described = match core.transactions.get(&id) {
            Some(transaction) => describe_transaction(transaction),
            None => TransactionState::default()
                .with_error_code(ResponseError::TransactionalIdNotFound.code()),
        };
        described.with_transactional_id(id)
    });
    DescribeTransactionsResponse::default().with_transaction_states(states.collect())
}

fn describe_transaction(transaction: &Transaction) -> TransactionState {
    let mut topics: Vec<TopicData> = Vec::new();
    for (topic, partition) in &transaction.partitions {
        match topics.last_mut() {
            Some(last) if **last.topic == **topic => last.partitions.push(*partition),
            _ => {
                let topic = TopicName(StrBytes::from_string(topic.clone()));
                topics
                    .push(TopicData::default().with_topic(topic).with_partitions(vec![*partition]));
            }
        }
    }
    let ongoing = transaction.state == State::Ongoing;
    TransactionState::default()
        .with_transaction_state(transaction.state.name().into())
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(if ongoing { transaction.started_ms } else { -1 })
        .with_producer_id(ProducerId(transaction.producer_id))
        .with_producer_epoch(transaction.epoch)
        .with_topics(topics)
}

/// Lists transactions, of certain states, producers or ages if asked for.
pub(super) fn list(broker: &Broker, request: &ListTransactionsRequest) -> ListTransactionsResponse {
    let now = broker.now();
    let core = broker.core();
    let wanted = |transaction: &Transaction| {
        let states = &request.state_filters;
        let producers = &request.producer_id_filters;
        let old = transaction.state == State::Ongoing
            && now - transaction.started_ms > request.duration_filter;
        (states.is_empty() || states.iter().any(|state| **state == *transaction.state.name()))
            && (producers.is_empty()
                || producers.iter().any(|producer| producer.0 == transaction.producer_id))
            && (request.duration_filter < 0 || old)
    };
    let listed = core.transactions.iter().filter(|(_, transaction)| wanted(transaction)).map(
        |(id, transaction)| {
            ListedTransaction::default()
                .with_transactional_id(TransactionalId(StrBytes::from_string(id.clone())))
                .with_producer_id(ProducerId(transaction.producer_id))
                .with_transaction_state(transaction.state.name().into())
        },
    );
    ListTransactionsResponse::default().with_transaction_states(listed.collect())
}
