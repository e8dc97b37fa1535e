//! Batches that a topic does not take, and topics that fail on purpose.
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::DescribeConfigsRequest;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use millstream::broker::{EmbeddedBroker, EmbeddedConfig, ProduceFault};
use millstream::kafka::compression::Compression;
use millstream::kafka::records::{BatchBuilder, BatchOptions, HeadersRef};

use crate::wire::{Wire, batch, text};
use crate::{StillClock, start};

const NOW: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;

/// A batch with a record at each of these times.
fn at_times(times: &[i64], compression: Compression) -> Bytes {
    let mut builder = BatchBuilder::new();
    for time in times {
        builder.append(*time, Some(b"k"), Some(b"v"), HeadersRef::EMPTY);
    }
    builder.finish(&BatchOptions { compression, ..BatchOptions::default() }).unwrap()
}

#[tokio::test]
async fn one_record_out_of_time_has_its_batch_refused() {
    let broker = EmbeddedBroker::start(StillClock::new(NOW).config()).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    let limits =
        [("message.timestamp.after.max.ms", "3600000"), ("message.timestamp.before.max.ms", "10")];
    wire.create("a", 1, &limits).await;
    for codec in [Compression::None, Compression::Lz4] {
        let times = [NOW, NOW + HOUR + 1, NOW - 10, NOW - 11, NOW + HOUR, -1];
        let refused = wire.produce("a", at_times(&times, codec)).await;
        assert_eq!(refused.error_code, ResponseError::InvalidTimestamp.code());
        let faults = refused.record_errors.iter();
        let faults: Vec<_> = faults
            .map(|fault| (fault.batch_index, fault.batch_index_error_message.as_deref().unwrap()))
            .collect();
        let range = format!("[{}, {}]", NOW - 10, NOW + HOUR);
        let expected = |time: i64, at| {
            format!(
                "Timestamp {time} of message with offset {at} is out of range. The timestamp should be within {range}"
            )
        };
        let (late, early) = (expected(NOW + HOUR + 1, 1), expected(NOW - 11, 3));
        assert_eq!(faults, [(1, late.as_str()), (3, early.as_str())]);
        let message = refused.error_message.unwrap();
        assert_eq!(&*message, "One or more records have been rejected due to invalid timestamp");
    }
    assert!(wire.read("a", 0).await.is_empty());
    assert_eq!(wire.produce("a", at_times(&[NOW + HOUR], Compression::None)).await.error_code, 0);
}

#[tokio::test]
async fn topics_without_a_limit_of_their_own_have_the_brokers() {
    let limit = ("message.timestamp.after.max.ms".to_owned(), "1000".to_owned());
    let topic_defaults = BTreeMap::from([limit]);
    let config = EmbeddedConfig { topic_defaults, ..StillClock::new(NOW).config() };
    let broker = EmbeddedBroker::start(config).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    wire.create("strict", 1, &[]).await;
    wire.create("lax", 1, &[("message.timestamp.after.max.ms", "2000")]).await;
    wire.create("stamped", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let ahead = at_times(&[NOW + 1_001], Compression::None);
    let code = ResponseError::InvalidTimestamp.code();
    assert_eq!(wire.produce("strict", ahead.clone()).await.error_code, code);
    assert_eq!(wire.produce("lax", ahead.clone()).await.error_code, 0);
    assert_eq!(wire.produce("stamped", ahead).await.error_code, 0);
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("strict"))
        .with_configuration_keys(Some(vec![text("message.timestamp.after.max.ms")]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let described = wire.call(4, &request).await.results.remove(0).configs.remove(0);
    // 4 is Kafka's number for what the broker was set up with.
    assert_eq!((described.value.as_deref(), described.config_source), (Some("1000"), 4));

    let topic_defaults = BTreeMap::from([("no.such.thing".to_owned(), "1".to_owned())]);
    let config = EmbeddedConfig { topic_defaults, ..EmbeddedConfig::default() };
    let error = EmbeddedBroker::start(config).await.err().unwrap();
    assert!(error.to_string().contains("no.such.thing"), "{error}");
}

#[tokio::test]
async fn a_compacted_topic_says_which_records_have_no_key() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[("cleanup.policy", "compact")]).await;
    let mut builder = BatchBuilder::new();
    for key in [Some(&b"k"[..]), None, Some(b"l")] {
        builder.append(NOW, key, Some(b"v"), HeadersRef::EMPTY);
    }
    let refused = wire.produce("a", builder.finish(&BatchOptions::default()).unwrap()).await;
    assert_eq!(refused.error_code, ResponseError::InvalidRecord.code());
    assert_eq!(refused.record_errors.len(), 1);
    assert_eq!(refused.record_errors[0].batch_index, 1);
}

#[tokio::test]
async fn a_topic_that_fails_on_purpose_fails_alone() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    for topic in ["refusing", "stuck", "silent", "sound"] {
        wire.create(topic, 1, &[]).await;
    }
    let faults = broker.faults();
    let refused = ResponseError::NotEnoughReplicas;
    faults.on_produce("refusing", None, ProduceFault::Refused(refused));
    faults.on_produce("stuck", Some(0), ProduceFault::Unreplicated);
    faults.on_produce("silent", None, ProduceFault::Never);
    let one = || batch(&[("k", Some("v"))], &BatchOptions::default());
    assert_eq!(wire.produce("refusing", one()).await.error_code, refused.code());
    let timed_out = ResponseError::RequestTimedOut.code();
    assert_eq!(wire.produce("stuck", one()).await.error_code, timed_out);
    assert_eq!(wire.produce("sound", one()).await.error_code, 0);
    let mut other = Wire::connect(&broker).await;
    let silence = other.produce("silent", one());
    assert!(tokio::time::timeout(Duration::from_millis(100), silence).await.is_err());
    // What is not answered is written all the same.
    let written = [("refusing", 0), ("stuck", 1), ("silent", 1), ("sound", 1)];
    for (topic, count) in written {
        assert_eq!(wire.read(topic, 0).await.len(), count, "{topic}");
    }
    faults.lift("refusing");
    assert_eq!(wire.produce("refusing", one()).await.error_code, 0);
}
