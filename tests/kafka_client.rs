//! The Kafka client against a broker: a real one where `KAFKA_BROKERS` names it.
//!
//! Each test makes topics and groups of its own, so that they can run side by side and again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use millstream::kafka::admin::{Admin, ConfigResource, NewTopic};
use millstream::kafka::{ClientConfig, Cluster};

/// The broker to test against, or `None`, said aloud, if there is none.
fn cluster() -> Option<Cluster> {
    let Ok(servers) = std::env::var("KAFKA_BROKERS") else {
        eprintln!("skipped: KAFKA_BROKERS names no broker");
        return None;
    };
    Some(Cluster::new(ClientConfig::new(&servers).unwrap()).unwrap())
}

fn unique(name: &str) -> String {
    format!("{name}-{:016x}", rand::random::<u64>())
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_come_and_go() {
    let Some(cluster) = cluster() else { return };
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
    let configs = admin.describe_configs(&resource).await.unwrap();
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
