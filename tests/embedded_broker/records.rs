//! Records in and out: offsets, timestamps, limits, compaction, retention.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{DeleteTopicsRequest, FetchRequest, ListOffsetsRequest, TopicName};
use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::records::{BatchBuilder, BatchHeader, BatchOptions, HeadersRef};
use rskafka::client::ClientBuilder;
use rskafka::client::partition::{Compression, OffsetAt, UnknownTopicHandling};
use rskafka::record::Record;

use crate::wire::{Wire, batch, row, rows, text};
use crate::{StillClock, start};

#[tokio::test]
async fn rskafka_produces_and_consumes() {
    let broker = start().await;
    let client = ClientBuilder::new(vec![broker.bootstrap()]).build().await.unwrap();
    client.controller_client().unwrap().create_topic("readings", 2, 1, 5_000).await.unwrap();
    let partition =
        client.partition_client("readings", 1, UnknownTopicHandling::Retry).await.unwrap();
    for compression in [Compression::NoCompression, Compression::Gzip, Compression::Snappy] {
        let records = (0..3).map(|at| Record {
            key: Some(vec![at]),
            value: Some(vec![at; 100]),
            headers: [("h".to_owned(), vec![1])].into(),
            timestamp: chrono::DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
        });
        partition.produce(records.collect(), compression).await.unwrap();
    }
    let (records, high_watermark) = partition.fetch_records(0, 1..1_000_000, 1_000).await.unwrap();
    assert_eq!((records.len(), high_watermark), (9, 9));
    assert_eq!(records[8].record.value, Some(vec![2; 100]));
    assert_eq!(partition.get_offset(OffsetAt::Latest).await.unwrap(), 9);
    let topics = client.list_topics().await.unwrap();
    assert_eq!(topics.iter().map(|topic| topic.partitions.len()).collect::<Vec<_>>(), [2]);
    broker.shutdown().await;
}

#[tokio::test]
async fn a_fetch_gives_whole_batches_from_the_one_that_has_the_offset() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let two = batch(&[("a", Some("0")), ("b", Some("1"))], &BatchOptions::default());
    assert_eq!(wire.produce("a", two.clone()).await.base_offset, 0);
    assert_eq!(wire.produce("a", two).await.base_offset, 2);
    assert_eq!(wire.read("a", 1).await.len(), 4);
    assert_eq!(wire.read("a", 2).await, [row(2, "a", "0"), row(3, "b", "1")]);
    assert!(wire.read("a", 4).await.is_empty());
    let beyond = wire.fetch("a", 5, false).await;
    assert_eq!(beyond.error_code, ResponseError::OffsetOutOfRange.code());
}

#[tokio::test]
async fn a_topic_that_is_asked_for_by_its_id_is_no_other_of_its_name() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    wire.put("a", &[("a", Some("0"))]).await;
    let id = wire.topic_id("a").await;
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic_id(id).with_partitions(vec![partition]);
    let request = FetchRequest::default().with_max_bytes(1 << 20).with_topics(vec![topic]);
    let fetched = wire.call(13, &request).await.responses.remove(0);
    assert_eq!(fetched.topic_id, id);
    assert_eq!(rows(fetched.partitions[0].records.as_ref().unwrap()), [row(0, "a", "0")]);

    let delete = DeleteTopicsRequest::default().with_topic_names(vec![TopicName(text("a"))]);
    assert_eq!(wire.call(5, &delete).await.responses[0].error_code, 0);
    wire.create("a", 1, &[]).await;
    wire.put("a", &[("b", Some("1"))]).await;
    assert_ne!(wire.topic_id("a").await, id);
    let fetched = wire.call(13, &request).await.responses.remove(0).partitions.remove(0);
    assert_eq!(fetched.error_code, ResponseError::UnknownTopicId.code());
    assert_eq!(wire.read("a", 0).await, [row(0, "b", "1")]);
}

#[tokio::test]
async fn limits_hold_but_one_batch_always_comes() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    wire.put("a", &[("a", Some("0")), ("b", Some("1")), ("c", Some("2"))]).await;
    let size = batch(&[("a", Some("0"))], &BatchOptions::default()).len() as i32;
    for (max_bytes, partition_max_bytes, expected) in
        [(1, 1, 1), (2 * size, 3 * size, 2), (3 * size, 2 * size + 1, 2)]
    {
        let partition = FetchPartition::default().with_partition_max_bytes(partition_max_bytes);
        let topic =
            FetchTopic::default().with_topic(TopicName(text("a"))).with_partitions(vec![partition]);
        let request = FetchRequest::default().with_max_bytes(max_bytes).with_topics(vec![topic]);
        let mut response = wire.call(12, &request).await;
        let records = response.responses.remove(0).partitions.remove(0).records.unwrap();
        assert_eq!(rows(&records).len(), expected, "{max_bytes} {partition_max_bytes}");
    }
}

#[tokio::test]
async fn a_waiting_fetch_is_answered_by_what_comes() {
    let broker = start().await;
    let mut reader = Wire::connect(&broker).await;
    let mut writer = Wire::connect(&broker).await;
    writer.create("a", 1, &[]).await;
    let waiting = tokio::spawn(async move {
        let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
        let topic =
            FetchTopic::default().with_topic(TopicName(text("a"))).with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_max_wait_ms(50_000)
            .with_min_bytes(100)
            .with_max_bytes(1 << 20)
            .with_topics(vec![topic]);
        reader.call(11, &request).await
    });
    writer.put("a", &[("a", Some("0")), ("b", Some("1"))]).await;
    let mut response = waiting.await.unwrap();
    let records = response.responses.remove(0).partitions.remove(0).records.unwrap();
    assert_eq!(rows(&records).len(), 2);
}

#[tokio::test]
async fn a_topic_may_stamp_its_records() {
    let clock = StillClock::new(77_000);
    let broker = EmbeddedBroker::start(clock.config()).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let response = wire.produce("a", batch(&[("a", Some("0"))], &BatchOptions::default())).await;
    assert_eq!(response.log_append_time_ms, 77_000);
    let records = wire.fetch("a", 0, false).await.records.unwrap();
    assert_eq!(rows(&records), [row(0, "a", "0")]);
    let header = BatchHeader::parse(&records).unwrap();
    assert!(header.is_log_append_time());
    assert_eq!(header.max_timestamp, 77_000);
}

#[tokio::test]
async fn batches_that_a_topic_does_not_take_are_refused() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("small", 1, &[("max.message.bytes", "100")]).await;
    wire.create("keyed", 1, &[("cleanup.policy", "compact")]).await;
    let good = batch(&[("a", Some("0"))], &BatchOptions::default());
    let large = batch(&[("a", Some(&"x".repeat(100)))], &BatchOptions::default());
    assert_eq!(wire.produce("small", good.clone()).await.error_code, 0);
    assert_eq!(
        wire.produce("small", large).await.error_code,
        ResponseError::MessageTooLarge.code()
    );
    let mut builder = BatchBuilder::new();
    builder.append(0, None, Some(b"v"), HeadersRef::EMPTY);
    let keyless = builder.finish(&BatchOptions::default()).unwrap();
    assert_eq!(
        wire.produce("keyed", keyless.clone()).await.error_code,
        ResponseError::InvalidRecord.code()
    );
    assert_eq!(wire.produce("small", keyless).await.error_code, 0);
    let mut wrong = good.to_vec();
    wrong[69] ^= 1;
    assert_eq!(
        wire.produce("small", wrong.into()).await.error_code,
        ResponseError::CorruptMessage.code()
    );
    let twice = [&good[..], &good[..]].concat();
    assert_eq!(
        wire.produce("keyed", twice.into()).await.error_code,
        ResponseError::InvalidRecord.code()
    );
    let unknown = wire.produce("nowhere", good).await;
    assert_eq!(unknown.error_code, ResponseError::UnknownTopicOrPartition.code());
}

#[tokio::test]
async fn offsets_are_found_by_time() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    // Timestamps 1,000 to 1,002 in each batch.
    let three = batch(&[("a", None), ("b", None), ("c", None)], &BatchOptions::default());
    wire.produce("a", three.clone()).await;
    wire.produce("a", three).await;
    let cases = [
        (-2, (0, -1)),
        (-1, (6, -1)),
        (-3, (2, 1_002)),
        (0, (0, 1_000)),
        (1_001, (1, 1_001)),
        (1_003, (-1, -1)),
    ];
    for (timestamp, expected) in cases {
        let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default()
            .with_name(TopicName(text("a")))
            .with_partitions(vec![partition]);
        let response = wire.call(7, &ListOffsetsRequest::default().with_topics(vec![topic])).await;
        let found = &response.topics[0].partitions[0];
        assert_eq!((found.offset, found.timestamp), expected, "{timestamp}");
    }
}

#[tokio::test]
async fn compaction_keeps_the_latest_record_of_each_key() {
    let clock = StillClock::new(0);
    let broker = EmbeddedBroker::start(clock.config()).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[("cleanup.policy", "compact"), ("delete.retention.ms", "1000")]).await;
    wire.put("a", &[("a", Some("0")), ("b", Some("1")), ("a", Some("2"))]).await;
    wire.produce(
        "a",
        batch(&[("a", Some("3")), ("c", Some("4")), ("b", None)], &BatchOptions::default()),
    )
    .await;
    wire.put("a", &[("d", Some("6"))]).await;
    broker.clean().await;
    let compacted =
        [row(3, "a", "3"), row(4, "c", "4"), (5, Some("b".into()), None), row(6, "d", "6")];
    assert_eq!(wire.read("a", 0).await, compacted);
    assert_eq!(wire.read("a", 1).await, compacted, "a fetch into a gap goes on behind it");
    clock.advance(2_000);
    broker.clean().await;
    assert_eq!(wire.read("a", 0).await, [row(3, "a", "3"), row(4, "c", "4"), row(6, "d", "6")]);
}

#[tokio::test]
async fn old_records_go_by_time_and_by_size() {
    let clock = StillClock::new(1_500);
    let broker = EmbeddedBroker::start(clock.config()).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    wire.create("time", 1, &[("retention.ms", "1000")]).await;
    let size = batch(&[("a", Some("0"))], &BatchOptions::default()).len();
    wire.create("size", 1, &[("retention.bytes", &(2 * size).to_string())]).await;
    wire.create("none", 1, &[]).await;
    for topic in ["time", "size", "none"] {
        wire.put(topic, &[("a", Some("0")), ("b", Some("1")), ("c", Some("2"))]).await;
    }
    broker.clean().await;
    assert_eq!(wire.read("time", 0).await.len(), 3);
    assert_eq!(
        wire.fetch("size", 0, false).await.error_code,
        ResponseError::OffsetOutOfRange.code()
    );
    assert_eq!(wire.read("size", 1).await, [row(1, "b", "1"), row(2, "c", "2")]);
    clock.advance(1_000);
    broker.clean().await;
    assert_eq!(wire.fetch("time", 3, false).await.log_start_offset, 3);
    assert_eq!(wire.read("none", 0).await.len(), 3);
}

#[tokio::test]
async fn memory_has_a_limit() {
    let size = batch(&[("a", Some("0"))], &BatchOptions::default()).len() as u64;
    let config = EmbeddedConfig { memory_bytes_max: 4 * size, ..EmbeddedConfig::default() };
    let broker = EmbeddedBroker::start(config).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    wire.create("kept", 1, &[("cleanup.policy", "compact")]).await;
    wire.create("lost", 1, &[]).await;
    wire.put("kept", &[("a", Some("0"))]).await;
    wire.put("lost", &[("a", Some("0")), ("b", Some("1")), ("c", Some("2")), ("d", Some("3"))])
        .await;
    assert_eq!(wire.fetch("lost", 4, false).await.log_start_offset, 1);
    wire.put("kept", &[("b", Some("1")), ("c", Some("2"))]).await;
    assert_eq!(wire.read("kept", 0).await.len(), 3);
    let refused = wire.produce("kept", batch(&[("d", Some("3"))], &BatchOptions::default())).await;
    assert_eq!(refused.error_code, ResponseError::KafkaStorageError.code());
}
