//! What a broker with a data directory finds again after a restart, orderly or not.
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use millstream::broker::{EmbeddedBroker, EmbeddedConfig};

use crate::transactions::{Transactional, committed};
use crate::wire::{Wire, row, text};

async fn start(folder: &Path) -> EmbeddedBroker {
    let config = EmbeddedConfig { data_dir: Some(folder.to_owned()), ..EmbeddedConfig::default() };
    EmbeddedBroker::start(config).await.unwrap()
}

/// Stops a broker without letting it finish anything.
async fn kill(broker: EmbeddedBroker, wire: Wire) {
    drop((broker, wire));
    // The tasks end on their own, and with them the hold on the directory.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
}

#[tokio::test]
async fn records_offsets_and_transactions_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    for orderly in [true, false] {
        let topic = format!("a{orderly}");
        let broker = start(folder.path()).await;
        let mut wire = Wire::connect(&broker).await;
        wire.create(&topic, 1, &[("retention.bytes", "999")]).await;
        let mut producer = Transactional::init(&mut wire).await;
        for (value, commit) in [("0", true), ("1", false)] {
            assert_eq!(producer.add(&mut wire, &topic).await, 0);
            assert_eq!(producer.put(&mut wire, &topic, value).await, 0);
            assert_eq!(producer.send_offset(&mut wire, &topic).await, 0);
            assert_eq!(producer.end(&mut wire, commit).await, 0);
        }
        producer.add(&mut wire, &topic).await;
        producer.put(&mut wire, &topic, "open").await;
        if orderly {
            broker.shutdown().await;
        } else {
            kill(broker, wire).await;
        }

        let broker = start(folder.path()).await;
        let mut wire = Wire::connect(&broker).await;
        assert_eq!(
            wire.read(&topic, 0).await,
            [row(0, "k", "0"), row(2, "k", "1"), row(4, "k", "open")]
        );
        let fetched = wire.fetch(&topic, 0, true).await;
        assert_eq!((fetched.high_watermark, fetched.last_stable_offset), (5, 4));
        assert_eq!(fetched.aborted_transactions.unwrap()[0].first_offset, 2);
        assert_eq!(committed(&mut wire, &topic, true).await, (5, 0));
        assert_eq!(producer.put(&mut wire, &topic, "more").await, 0);
        assert_eq!(producer.end(&mut wire, true).await, 0);
        let next = Transactional::init(&mut wire).await;
        assert_eq!((next.producer_id, next.epoch), (producer.producer_id, producer.epoch + 1));
        broker.shutdown().await;
    }
}

#[tokio::test]
async fn a_torn_tail_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    wire.put("a", &[("a", Some("0")), ("b", Some("1"))]).await;
    kill(broker, wire).await;
    let segment = folder.path().join("topics/a-0/00000000000000000000.log");
    let whole = std::fs::read(&segment).unwrap();
    let append = |path: &Path, bytes: &[u8]| {
        OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
    };
    append(&segment, &whole[..whole.len() / 2 - 5]);
    append(&folder.path().join("journal"), b"0badc0de {\"TopicGone\":{\"na");

    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    assert_eq!(wire.read("a", 0).await, [row(0, "a", "0"), row(1, "b", "1")]);
    wire.put("a", &[("c", Some("2"))]).await;
    broker.shutdown().await;
    // A batch whose bytes were changed is cut off with what follows it.
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    assert_eq!(wire.read("a", 0).await.len(), 2);
}

#[tokio::test]
async fn a_transaction_that_the_journal_has_lost_is_aborted() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let journal = folder.path().join("journal");
    let before = std::fs::read(&journal).unwrap();
    let mut producer = Transactional::init(&mut wire).await;
    producer.add(&mut wire, "a").await;
    producer.put(&mut wire, "a", "open").await;
    kill(broker, wire).await;
    std::fs::write(&journal, before).unwrap();
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    let fetched = wire.fetch("a", 0, true).await;
    assert_eq!((fetched.high_watermark, fetched.last_stable_offset), (2, 2));
    assert_eq!(fetched.aborted_transactions.unwrap().len(), 1);
}

#[tokio::test]
async fn a_compacted_topic_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[("cleanup.policy", "compact")]).await;
    wire.put(
        "a",
        &[("a", Some("0")), ("b", Some("1")), ("a", Some("2")), ("b", Some("3")), ("c", Some("4"))],
    )
    .await;
    broker.clean().await;
    wire.put("a", &[("d", Some("5"))]).await;
    let expected = [row(2, "a", "2"), row(3, "b", "3"), row(4, "c", "4"), row(5, "d", "5")];
    assert_eq!(wire.read("a", 0).await, expected);
    kill(broker, wire).await;
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    assert_eq!(wire.fetch("a", 2, false).await.high_watermark, 6);
    assert_eq!(wire.read("a", 2).await, expected);
}

#[tokio::test]
async fn a_deleted_topic_stays_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    wire.put("a", &[("a", Some("0"))]).await;
    let request = kafka_protocol::messages::DeleteTopicsRequest::default()
        .with_topic_names(vec![TopicName(text("a"))]);
    assert_eq!(wire.call(5, &request).await.responses[0].error_code, 0);
    wire.create("a", 2, &[]).await;
    assert!(wire.read("a", 0).await.is_empty());
    kill(broker, wire).await;
    let broker = start(folder.path()).await;
    let mut wire = Wire::connect(&broker).await;
    let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text("a"))));
    let response = wire.call(12, &MetadataRequest::default().with_topics(Some(vec![topic]))).await;
    assert_eq!(response.topics[0].partitions.len(), 2);
    assert!(wire.read("a", 0).await.is_empty());
}

#[tokio::test]
async fn one_directory_serves_one_broker() {
    let folder = tempfile::tempdir().unwrap();
    let _broker = start(folder.path()).await;
    let config =
        EmbeddedConfig { data_dir: Some(folder.path().to_owned()), ..EmbeddedConfig::default() };
    let message = EmbeddedBroker::start(config).await.err().unwrap().to_string();
    assert!(message.ends_with("is in use by another broker"), "{message}");
}
