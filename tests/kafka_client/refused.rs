//! Records that their topic does not take: those around them are written, in order.
use std::time::Duration;

use bytes::Bytes;
use millstream::broker::Fault;
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::compression::Compression;
use millstream::kafka::config::Isolation;
use millstream::kafka::error::{Excerpt, RefusedRecord};
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::produce::{LeftOut, NewRecord, Producer, ProducerOptions, RefusedRecords};
use millstream::kafka::records::{BatchBuilder, HeadersRef};
use millstream::kafka::{Cluster, KafkaError, ResponseError};

use crate::support::{Broker, PRODUCE};
use crate::support::{broker, faulty, from_start, read, timeout, topic, unique, with};

/// A time that any topic takes, and one that lies too far ahead for those of [`strict_topic`].
const PAST: i64 = 1_700_000_000_000;
const FAR_AHEAD: i64 = 4_102_444_800_000;

/// A topic that takes nothing from further ahead than an hour, as Kafka 4's topics do by themselves.
async fn strict_topic(cluster: &Cluster, partitions: i32) -> String {
    let name = unique("strict");
    let topic = NewTopic::new(&name, partitions);
    let topic = topic.with_config("message.timestamp.after.max.ms", "3600000");
    Admin::new(cluster).create_topic(&topic).await.unwrap();
    name
}

/// A producer that leaves out what is refused, with many small batches.
fn skipping(cluster: &Cluster, compression: Compression) -> Producer {
    let cluster = with(cluster, |config| {
        config.batch_bytes = 600;
        config.compression = compression;
    });
    let refused = RefusedRecords::Skip;
    Producer::with_options(&cluster, ProducerOptions { refused, ..ProducerOptions::default() })
}

fn ordinals(refused: &[RefusedRecord], partition: i32) -> Vec<u64> {
    let of_it = refused.iter().filter(|refused| refused.partition.partition == partition);
    of_it.map(|refused| refused.ordinal).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_too_far_ahead_are_left_out_and_the_others_stay_in_order() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    for compression in [Compression::None, Compression::Lz4] {
        let topic = strict_topic(&cluster, 2).await;
        let producer = skipping(&cluster, compression);
        // The first ones too: then the broker knows nothing of the producer yet, and takes any number from it.
        let is_ahead = |index: u64| index.is_multiple_of(97) || index == 1_999;
        for index in 0..2_000 {
            let timestamp = if is_ahead(index) { FAR_AHEAD } else { PAST };
            let value = index.to_string();
            for partition in 0..2 {
                let record = NewRecord::new(timestamp, Some(b"key"), Some(value.as_bytes()));
                producer.send(&topic, partition, record).await.unwrap();
            }
        }
        timeout(producer.flush()).await.unwrap();
        let fetcher = Fetcher::new(&cluster);
        fetcher.assign(from_start(&topic, 2));
        let expected: Vec<u64> = (0..2_000).filter(|index| !is_ahead(*index)).collect();
        let records = read(&fetcher, expected.len() * 2).await;
        let refused = producer.take_left_out().records;
        for partition in 0..2 {
            let values = records.iter().filter(|record| record.0 == partition);
            let values: Vec<u64> = values.map(|record| record.2.parse().unwrap()).collect();
            assert_eq!(values, expected);
            let left_out: Vec<u64> = (0..2_000).filter(|index| is_ahead(*index)).collect();
            assert_eq!(ordinals(&refused, partition), left_out);
        }
        let first = &refused[0];
        assert_eq!(first.timestamp_ms, FAR_AHEAD);
        assert_eq!(first.value, Some(Excerpt { bytes: Bytes::from_static(b"0"), length: 1 }));
        assert_eq!(first.cause.code(), Some(ResponseError::InvalidTimestamp));
        assert!(first.cause.to_string().contains("is out of range"), "{}", first.cause);
        assert_eq!(producer.refused_count(), refused.len() as u64);
        assert_eq!(producer.take_left_out(), LeftOut::default());
        assert_eq!(producer.handed_over(&topic, 1), 2_000);
        assert_eq!(producer.end_offset(&topic, 1), Some(expected.len() as i64));
        assert_eq!(producer.buffered_bytes(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_records_and_lost_answers_together_lose_and_double_nothing() {
    let (cluster, embedded) = faulty().await;
    let topic = strict_topic(&cluster, 1).await;
    let producer = skipping(&cluster, Compression::None);
    for round in 0..20u64 {
        let fault = if round % 2 == 0 { Fault::DropAnswer } else { Fault::DropRequest };
        embedded.faults().inject(PRODUCE, fault);
        for index in round * 100..(round + 1) * 100 {
            let timestamp = if index % 31 == 0 { FAR_AHEAD } else { PAST };
            let value = index.to_string();
            let record = NewRecord::new(timestamp, None, Some(value.as_bytes()));
            producer.send(&topic, 0, record).await.unwrap();
        }
        timeout(producer.flush()).await.unwrap();
    }
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&topic, 1));
    let expected: Vec<u64> = (0..2_000).filter(|index| index % 31 != 0).collect();
    let records = read(&fetcher, expected.len()).await;
    let values: Vec<u64> = records.iter().map(|record| record.2.parse().unwrap()).collect();
    assert_eq!(values, expected);
    assert_eq!(fetcher.poll(Duration::from_millis(100)).await.unwrap(), []);
    assert_eq!(producer.refused_count(), 2_000 - expected.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_they_are_skipped_refused_records_fail_the_flush_and_nothing_else() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = strict_topic(&cluster, 1).await;
    let producer = Producer::new(&cluster);
    for (at, timestamp) in [(0, PAST), (1, FAR_AHEAD), (2, PAST)] {
        let value = format!("value {at}");
        let record = NewRecord::new(timestamp, Some(b"key"), Some(value.as_bytes()));
        producer.send(&topic, 0, record).await.unwrap();
    }
    let ahead = NewRecord::new(FAR_AHEAD, None, None);
    let told = producer.send_acknowledged(&topic, 0, ahead).await.unwrap();
    let last = NewRecord::new(PAST, None, Some(b"last"));
    let written = producer.send_acknowledged(&topic, 0, last).await.unwrap();
    let error = timeout(producer.flush()).await.unwrap_err();
    let KafkaError::Flush { count: 2, first, failures } = error else { panic!("{error}") };
    let expected = format!(
        "record 1 for {topic}-0 was refused (timestamp {FAR_AHEAD}, key 3 bytes, value 7 bytes): \
         Produce failed for {topic}-0: INVALID_TIMESTAMP (Timestamp {FAR_AHEAD} of message with offset 1 is out of range."
    );
    assert!(first.to_string().starts_with(&expected), "{first}");
    assert_eq!((failures.len(), failures[0].records), (2, 1));
    let error = told.await.unwrap().unwrap_err();
    assert!(error.to_string().starts_with(&format!("record 3 for {topic}-0 was")), "{error}");
    assert_eq!(written.await.unwrap().unwrap().offset, Some(2));
    assert_eq!(producer.take_left_out(), LeftOut::default());
    timeout(producer.flush()).await.unwrap();
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&topic, 1));
    let values: Vec<_> = read(&fetcher, 3).await.into_iter().map(|record| record.2).collect();
    assert_eq!(values, ["value 0", "value 2", "last"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compacted_topic_is_written_without_the_records_that_have_no_key() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let name = unique("compacted");
    let topic = NewTopic::new(&name, 1).with_config("cleanup.policy", "compact");
    Admin::new(&cluster).create_topic(&topic).await.unwrap();
    let producer = skipping(&cluster, Compression::None);
    for key in [Some(&b"a"[..]), None, Some(b"b"), None] {
        producer.send(&name, 0, NewRecord::new(PAST, key, Some(b"v"))).await.unwrap();
    }
    timeout(producer.flush()).await.unwrap();
    let refused = producer.take_left_out().records;
    assert_eq!(ordinals(&refused, 0), [1, 3]);
    assert_eq!(refused[0].cause.code(), Some(ResponseError::InvalidRecord));
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&name, 1));
    assert_eq!(read(&fetcher, 2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_records_arrive_and_too_large_ones_are_told() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "large", 1).await;
    let producer = Producer::new(&with(&cluster, |config| config.request_bytes_max = 4 << 20));
    let large = vec![7u8; 900_000];
    producer.send(&topic, 0, NewRecord::new(0, None, Some(&large))).await.unwrap();
    timeout(producer.flush()).await.unwrap();
    let fetcher = Fetcher::with_options(&cluster, Isolation::ReadUncommitted, 1_000);
    fetcher.assign(from_start(&topic, 1));
    let fetched = timeout(fetcher.poll(Duration::from_secs(20))).await.unwrap();
    assert_eq!(fetched[0].records().next().unwrap().unwrap().value, Some(&large[..]));

    let huge = vec![7u8; 5 << 20];
    let error = producer.send(&topic, 0, NewRecord::new(0, None, Some(&huge))).await.unwrap_err();
    let KafkaError::RecordRefused(refused) = &error else { panic!("{error}") };
    let is_ours = matches!(&refused.cause, KafkaError::RecordTooLarge { limit_bytes: Some(_), .. });
    assert!(is_ours && refused.ordinal == 1, "{error}");
    producer.send(&topic, 0, NewRecord::new(0, None, Some(&huge[..2 << 20]))).await.unwrap();
    producer.send(&topic, 0, NewRecord::new(0, None, Some(b"after"))).await.unwrap();
    let error = timeout(producer.flush()).await.unwrap_err();
    let KafkaError::Flush { count: 1, first, .. } = error else { panic!("{error}") };
    assert!(first.to_string().contains(&format!("too large for topic {topic}")), "{first}");
    assert_eq!(read(&fetcher, 1).await, [(0, 1, "after".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_records_are_left_out_whoever_finds_them_so() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let name = unique("small");
    let topic = NewTopic::new(&name, 1).with_config("max.message.bytes", "2000");
    Admin::new(&cluster).create_topic(&topic).await.unwrap();
    let cluster = with(&cluster, |config| {
        config.batch_bytes = 16_384;
        config.request_bytes_max = 20_000;
    });
    let refused = RefusedRecords::Skip;
    let options = ProducerOptions { refused, ..ProducerOptions::default() };
    let producer = Producer::with_options(&cluster, options);
    // A hundred of these are more than the topic takes at once, and all of them fit.
    let sizes = (0..300).map(|index| match index {
        50 | 299 => 3_000,
        100 | 101 => 30_000,
        _ => 100 + index,
    });
    let values: Vec<_> = sizes.map(|size| "x".repeat(size)).collect();
    let records: Vec<_> = values
        .iter()
        .map(|value| (0, NewRecord::new(PAST, None, Some(value.as_bytes()))))
        .collect();
    timeout(producer.send_all(&name, &records)).await.unwrap();
    timeout(producer.flush()).await.unwrap();
    let mut refused = producer.take_left_out().records;
    refused.sort_by_key(|refused| refused.ordinal);
    assert_eq!(ordinals(&refused, 0), [50, 100, 101, 299]);
    let is_ours = |refused: &RefusedRecord| match &refused.cause {
        KafkaError::RecordTooLarge { limit_bytes, .. } => limit_bytes.is_some(),
        cause => panic!("{cause}"),
    };
    assert_eq!(refused.iter().map(is_ours).collect::<Vec<_>>(), [false, true, true, false]);
    let value = refused[1].value.as_ref().unwrap();
    assert_eq!((value.bytes.len(), value.length), (Excerpt::BYTES_MAX, 30_000));
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&name, 1));
    let lengths: Vec<_> = read(&fetcher, 296).await.iter().map(|record| record.2.len()).collect();
    let expected = values.iter().map(String::len).filter(|length| *length < 3_000);
    assert_eq!(lengths, expected.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_larger_than_a_request_is_written_in_parts() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "parts", 1).await;
    let producer = Producer::new(&with(&cluster, |config| config.request_bytes_max = 10_000));
    let mut builder = BatchBuilder::new();
    for index in 0..1_000 {
        let value = format!("{index:0>100}");
        builder.append(PAST, None, Some(value.as_bytes()), HeadersRef::EMPTY);
    }
    producer.send_batch(&topic, 0, builder).await.unwrap();
    let after = NewRecord::new(PAST, None, Some(b"1000"));
    let after = producer.send_acknowledged(&topic, 0, after).await.unwrap();
    timeout(producer.flush()).await.unwrap();
    assert_eq!(after.await.unwrap().unwrap().offset, Some(1_000));
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&topic, 1));
    let records = read(&fetcher, 1_001).await;
    let values: Vec<i64> = records.iter().map(|record| record.2.parse().unwrap()).collect();
    assert_eq!(values, (0..1_001).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_goes_on_without_refused_records_or_is_aborted_for_them() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = strict_topic(&cluster, 1).await;
    for policy in [RefusedRecords::Skip, RefusedRecords::Fail] {
        let options = ProducerOptions {
            transactional_id: Some(unique("id")),
            refused: policy.clone(),
            ..ProducerOptions::default()
        };
        let cluster = with(&cluster, |config| config.batch_bytes = 200);
        let producer = Producer::with_options(&cluster, options);
        timeout(producer.init_transactions()).await.unwrap();
        producer.begin_transaction().unwrap();
        for index in 0..100 {
            let timestamp = if index % 10 == 5 { FAR_AHEAD } else { PAST };
            let value = format!("{policy:?} {index}");
            let record = NewRecord::new(timestamp, None, Some(value.as_bytes()));
            let sent = producer.send(&topic, 0, record).await;
            // A refused record ends the transaction as soon as it is known.
            assert!(sent.is_ok() || policy == RefusedRecords::Fail, "{sent:?}");
        }
        let committed = timeout(producer.commit_transaction()).await;
        assert_eq!(committed.is_ok(), policy == RefusedRecords::Skip, "{committed:?}");
        timeout(producer.abort_transaction()).await.unwrap();
        let skipped = if policy == RefusedRecords::Skip { 10 } else { 0 };
        assert_eq!(producer.take_left_out().records.len(), skipped);
        producer.begin_transaction().unwrap();
        let record = NewRecord::new(PAST, None, Some(b"after"));
        producer.send(&topic, 0, record).await.unwrap();
        timeout(producer.commit_transaction()).await.unwrap();
    }
    let fetcher = Fetcher::with_options(&cluster, Isolation::ReadCommitted, 1 << 20);
    fetcher.assign(from_start(&topic, 1));
    let values: Vec<_> = read(&fetcher, 92).await.into_iter().map(|record| record.2).collect();
    let written = (0..100).filter(|index| index % 10 != 5).map(|index| format!("Skip {index}"));
    let expected: Vec<_> = written.chain(["after".to_owned(), "after".to_owned()]).collect();
    assert_eq!(values, expected);
}
