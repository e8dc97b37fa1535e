//! Idempotence, fencing, transactions and their time-outs.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, ApiVersionsRequest, EndTxnRequest, GroupId,
    InitProducerIdRequest, OffsetFetchRequest, ProducerId, TopicName, TransactionalId,
    TxnOffsetCommitRequest,
};
use millstream::broker::EmbeddedBroker;
use millstream::kafka::records::BatchOptions;

use crate::wire::{Wire, batch, row, text};
use crate::{StillClock, start};

/// A transactional producer, step by step.
pub(crate) struct Transactional {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    sequence: i32,
}

impl Transactional {
    pub(crate) async fn init(wire: &mut Wire) -> Self {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text("tx"))))
            .with_transaction_timeout_ms(60_000);
        let response = wire.call(4, &request).await;
        assert_eq!(response.error_code, 0);
        Self { producer_id: response.producer_id.0, epoch: response.producer_epoch, sequence: 0 }
    }

    pub(crate) async fn add(&self, wire: &mut Wire, topic: &str) -> i16 {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(vec![0]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text("tx")))
            .with_v3_and_below_producer_id(ProducerId(self.producer_id))
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let response = wire.call(3, &request).await;
        response.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
    }

    pub(crate) async fn put(&mut self, wire: &mut Wire, topic: &str, value: &str) -> i16 {
        let options = self.options(true);
        let response = wire.produce(topic, batch(&[("k", Some(value))], &options)).await;
        self.sequence += i32::from(response.error_code == 0);
        response.error_code
    }

    fn options(&self, is_transactional: bool) -> BatchOptions {
        BatchOptions {
            producer_id: self.producer_id,
            producer_epoch: self.epoch,
            base_sequence: self.sequence,
            is_transactional,
            ..BatchOptions::default()
        }
    }

    pub(crate) async fn end(&self, wire: &mut Wire, committed: bool) -> i16 {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_committed(committed);
        wire.call(3, &request).await.error_code
    }

    /// Commits offset 5 of partition 0 for the group `g` with the transaction.
    pub(crate) async fn send_offset(&self, wire: &mut Wire, topic: &str) -> i16 {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_group_id(GroupId(text("g")));
        assert_eq!(wire.call(3, &request).await.error_code, 0);
        let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(5);
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(vec![partition]);
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_group_id(GroupId(text("g")))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic]);
        wire.call(3, &request).await.topics[0].partitions[0].error_code
    }
}

/// The offset that group `g` has committed for partition 0, and the error.
pub(crate) async fn committed(wire: &mut Wire, topic: &str, require_stable: bool) -> (i64, i16) {
    let topic = OffsetFetchRequestTopic::default()
        .with_name(TopicName(text(topic)))
        .with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_topics(Some(vec![topic]))
        .with_require_stable(require_stable);
    let response = wire.call(7, &request).await;
    let found = &response.topics[0].partitions[0];
    (found.committed_offset, found.error_code)
}

#[tokio::test]
async fn a_repeated_batch_is_stored_once() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let init =
        InitProducerIdRequest::default().with_transactional_id(None).with_transaction_timeout_ms(1);
    let producer_id = wire.call(1, &init).await.producer_id.0;
    let options = |base_sequence| BatchOptions {
        producer_id,
        producer_epoch: 0,
        base_sequence,
        ..BatchOptions::default()
    };
    let first = batch(&[("a", Some("0")), ("b", Some("1"))], &options(0));
    for _ in 0..2 {
        let response = wire.produce("a", first.clone()).await;
        assert_eq!((response.error_code, response.base_offset), (0, 0));
    }
    let gap = wire.produce("a", batch(&[("c", Some("2"))], &options(3))).await;
    assert_eq!(gap.error_code, ResponseError::OutOfOrderSequenceNumber.code());
    assert_eq!(wire.produce("a", batch(&[("c", Some("2"))], &options(2))).await.base_offset, 2);
    assert_eq!(wire.read("a", 0).await.len(), 3);
}

#[tokio::test]
async fn readers_of_committed_records_see_whole_transactions() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let mut producer = Transactional::init(&mut wire).await;
    let outside = producer.put(&mut wire, "a", "early").await;
    assert_eq!(outside, ResponseError::InvalidTxnState.code(), "the partition was not added");
    assert_eq!(
        producer.add(&mut wire, "nowhere").await,
        ResponseError::UnknownTopicOrPartition.code()
    );
    assert_eq!(producer.add(&mut wire, "a").await, 0);
    assert_eq!(producer.put(&mut wire, "a", "0").await, 0);
    wire.put("a", &[("plain", Some("1"))]).await;
    let open = wire.fetch("a", 0, true).await;
    assert_eq!((open.high_watermark, open.last_stable_offset), (2, 0));
    assert!(open.records.unwrap().is_empty());
    assert_eq!(producer.end(&mut wire, false).await, 0);
    assert_eq!(producer.end(&mut wire, false).await, 0, "a repeated end is no error");
    assert_eq!(producer.end(&mut wire, true).await, ResponseError::InvalidTxnState.code());
    let ended = wire.fetch("a", 0, true).await;
    let aborted = ended.aborted_transactions.unwrap();
    assert_eq!(
        (aborted.len(), aborted[0].producer_id.0, aborted[0].first_offset),
        (1, producer.producer_id, 0)
    );
    assert_eq!((ended.high_watermark, ended.last_stable_offset), (3, 3));
    assert!(wire.fetch("a", 3, true).await.aborted_transactions.unwrap().is_empty());
}

#[tokio::test]
async fn compaction_drops_aborted_records_and_keeps_open_ones() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[("cleanup.policy", "compact")]).await;
    let mut producer = Transactional::init(&mut wire).await;
    for (value, commit) in [("0", true), ("1", false), ("2", true), ("3", false)] {
        assert_eq!(producer.add(&mut wire, "a").await, 0);
        assert_eq!(producer.put(&mut wire, "a", value).await, 0);
        assert_eq!(producer.end(&mut wire, commit).await, 0);
    }
    producer.add(&mut wire, "a").await;
    producer.put(&mut wire, "a", "open").await;
    broker.clean().await;
    assert_eq!(wire.read("a", 0).await, [row(4, "k", "2"), row(8, "k", "open")]);
    let fetched = wire.fetch("a", 0, true).await;
    assert!(
        fetched.aborted_transactions.unwrap().is_empty(),
        "their markers are gone, so they must not be named"
    );
    assert_eq!(producer.end(&mut wire, true).await, 0);
    assert_eq!(wire.read("a", 0).await.len(), 2);
}

#[tokio::test]
async fn the_next_producer_of_an_id_fences_the_one_before() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let mut first = Transactional::init(&mut wire).await;
    first.add(&mut wire, "a").await;
    first.put(&mut wire, "a", "0").await;
    let second = Transactional::init(&mut wire).await;
    assert_eq!(second.producer_id, first.producer_id);
    assert!(second.epoch > first.epoch);
    assert_eq!(first.put(&mut wire, "a", "1").await, ResponseError::InvalidProducerEpoch.code());
    assert_eq!(first.end(&mut wire, true).await, ResponseError::ProducerFenced.code());
    assert_eq!(wire.fetch("a", 0, true).await.aborted_transactions.unwrap().len(), 1);
}

#[tokio::test]
async fn a_transaction_is_aborted_when_its_time_is_over() {
    let clock = StillClock::new(0);
    let broker = EmbeddedBroker::start(clock.config()).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let mut producer = Transactional::init(&mut wire).await;
    producer.add(&mut wire, "a").await;
    producer.put(&mut wire, "a", "0").await;
    clock.advance(60_001);
    while wire.fetch("a", 0, true).await.last_stable_offset == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(producer.end(&mut wire, true).await, ResponseError::ProducerFenced.code());
}

#[tokio::test]
async fn offsets_wait_for_the_end_of_their_transaction() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let producer = Transactional::init(&mut wire).await;
    for (commit, expected) in [(false, -1), (true, 5)] {
        assert_eq!(producer.send_offset(&mut wire, "a").await, 0);
        assert_eq!(
            committed(&mut wire, "a", true).await,
            (-1, ResponseError::UnstableOffsetCommit.code())
        );
        assert_eq!(committed(&mut wire, "a", false).await, (-1, 0));
        assert_eq!(producer.end(&mut wire, commit).await, 0);
        assert_eq!(committed(&mut wire, "a", true).await, (expected, 0));
    }
}

/// A producer of version 2 of transactions (KIP-890).
struct SelfJoining {
    producer_id: i64,
    epoch: i16,
}

impl SelfJoining {
    async fn init(wire: &mut Wire) -> Self {
        let Transactional { producer_id, epoch, .. } = Transactional::init(wire).await;
        Self { producer_id, epoch }
    }

    /// Writes the first batch of a transaction to a partition that nobody has added.
    async fn put(&self, wire: &mut Wire, topic: &str, value: &str) -> i16 {
        let options = BatchOptions {
            producer_id: self.producer_id,
            producer_epoch: self.epoch,
            base_sequence: 0,
            is_transactional: true,
            ..BatchOptions::default()
        };
        wire.produce_as(12, topic, batch(&[("k", Some(value))], &options)).await.error_code
    }

    /// Ends the transaction: the error, and who it is from then on.
    async fn end(&self, wire: &mut Wire, committed: bool) -> (i16, i64, i16) {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_committed(committed);
        let response = wire.call(5, &request).await;
        (response.error_code, response.producer_id.0, response.producer_epoch)
    }

    /// Commits offset 5 of partition 0 for the group `g`, which nobody has added.
    async fn send_offset(&self, wire: &mut Wire, topic: &str) -> i16 {
        let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(5);
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(vec![partition]);
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_group_id(GroupId(text("g")))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic]);
        wire.call(5, &request).await.topics[0].partitions[0].error_code
    }
}

#[tokio::test]
async fn in_version_2_all_joins_by_itself_and_each_end_gives_the_next_epoch() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    let offered = wire.call(3, &ApiVersionsRequest::default()).await;
    let feature = &offered.finalized_features[0];
    assert_eq!((&*feature.name, feature.max_version_level), ("transaction.version", 2));
    wire.create("a", 1, &[]).await;
    let mut producer = SelfJoining::init(&mut wire).await;
    let nothing = producer.end(&mut wire, true).await;
    assert_eq!(nothing.0, ResponseError::InvalidTxnState.code(), "nothing is to be committed");
    for (round, is_committed) in [true, false, true].into_iter().enumerate() {
        assert_eq!(producer.put(&mut wire, "a", &round.to_string()).await, 0);
        assert_eq!(producer.send_offset(&mut wire, "a").await, 0);
        let (error, producer_id, epoch) = producer.end(&mut wire, is_committed).await;
        assert_eq!((error, producer_id, epoch), (0, producer.producer_id, producer.epoch + 1));
        // The answer was lost: it is the same once more.
        assert_eq!(producer.end(&mut wire, is_committed).await, (0, producer_id, epoch));
        let other = producer.end(&mut wire, !is_committed).await;
        assert_eq!(other.0, ResponseError::ProducerFenced.code());
        let late = producer.put(&mut wire, "a", "late").await;
        assert_eq!(late, ResponseError::InvalidProducerEpoch.code());
        producer.epoch = epoch;
    }
    assert_eq!(committed(&mut wire, "a", true).await, (5, 0));
    let fetched = wire.fetch("a", 0, true).await;
    assert_eq!((fetched.high_watermark, fetched.last_stable_offset), (6, 6));
    assert_eq!(fetched.aborted_transactions.unwrap().len(), 1);
    // One that failed before anything was written begins anew in the same way.
    let (error, _, epoch) = producer.end(&mut wire, false).await;
    assert_eq!((error, epoch), (0, producer.epoch + 1));
}
