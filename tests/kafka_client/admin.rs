//! Topics, configs and offsets, as an administrator sees them.
use std::time::Duration;

use millstream::kafka::admin::{Admin, ConfigEntry, ConfigResource, NewTopic, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::{KafkaError, TopicPartition};

use crate::support::{Broker, broker, timeout, topic, unique};

#[tokio::test(flavor = "multi_thread")]
async fn topics_come_and_go() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let admin = Admin::new(&cluster);
    assert!(admin.cluster_id().await.unwrap().is_some());
    let name = unique("topics");
    let topic = NewTopic::new(&name, 3).with_config("cleanup.policy", "compact");
    admin.validate_topic(&topic).await.unwrap();
    assert_eq!(admin.describe_topic(&name).await.unwrap(), None);
    admin.create_topic(&topic).await.unwrap();
    let error = admin.create_topic(&topic).await.unwrap_err();
    assert!(error.to_string().contains("TOPIC_ALREADY_EXISTS"), "{error}");
    assert_eq!(cluster.topic(&name).await.unwrap().partitions.len(), 3);

    let resource = ConfigResource::Topic(name.clone());
    admin.alter_configs(&resource, &[("retention.ms", Some("5000"))]).await.unwrap();
    // A config takes a moment to reach every broker.
    let is_set = |entry: &ConfigEntry| {
        entry.name == "retention.ms" && entry.value.as_deref() == Some("5000")
    };
    let described = timeout(async {
        loop {
            let configs = admin.describe_configs(&resource).await.unwrap();
            if configs.iter().any(is_set) {
                return configs;
            }
        }
    });
    let configs = described.await;
    let config = |name: &str| configs.iter().find(|config| config.name == name).unwrap();
    assert_eq!(config("cleanup.policy").value.as_deref(), Some("compact"));
    assert_eq!(config("retention.ms").value.as_deref(), Some("5000"));
    assert!(config("segment.bytes").is_default && !config("retention.ms").is_default);
    let broker = *cluster.metadata().await.unwrap().brokers.keys().next().unwrap();
    assert!(!admin.describe_configs(&ConfigResource::Broker(broker)).await.unwrap().is_empty());

    assert!(admin.list_topics().await.unwrap().iter().any(|topic| *topic.name == *name));
    admin.delete_topic(&name).await.unwrap();
    let error = admin.delete_topic(&unique("nothing")).await.unwrap_err();
    assert!(error.to_string().contains("UNKNOWN_TOPIC_OR_PARTITION"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_looked_up_and_records_deleted() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "offsets", 2).await;
    let producer = Producer::new(&cluster);
    for timestamp in [1_000, 2_000, 3_000] {
        producer.send(&topic, 1, NewRecord::new(timestamp, None, Some(b"x"))).await.unwrap();
        timeout(producer.flush()).await.unwrap();
    }
    let admin = Admin::new(&cluster);
    let isolation = Isolation::ReadUncommitted;
    assert_eq!(admin.topic_offsets(&topic, OffsetSpec::Latest, isolation).await.unwrap(), [0, 3]);
    let partition = TopicPartition::new(topic.as_str(), 1);
    let at = async |timestamp| {
        let found =
            admin.list_offsets(&[(partition.clone(), OffsetSpec::At(timestamp))], isolation).await;
        found.unwrap()[&partition].offset
    };
    assert_eq!((at(1_500).await, at(9_999).await), (Some(1), None));
    admin.delete_records(&[(partition.clone(), 2)]).await.unwrap();
    assert_eq!(admin.topic_offsets(&topic, OffsetSpec::Earliest, isolation).await.unwrap(), [0, 2]);
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign([(partition, 0)]);
    let error = timeout(fetcher.poll(Duration::from_secs(20))).await.unwrap_err();
    assert!(matches!(error, KafkaError::OffsetOutOfRange { offset: 0, .. }), "{error}");
}
