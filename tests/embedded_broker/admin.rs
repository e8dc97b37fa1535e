//! Topics and configurations, and how the broker starts, authenticates and fails on purpose.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiKey, CreateTopicsRequest, MetadataRequest, SaslAuthenticateRequest, SaslHandshakeRequest,
    TopicName,
};
use millstream::broker::{EmbeddedBroker, EmbeddedConfig, Fault, SaslPlain};
use millstream::kafka::records::BatchOptions;

use crate::start;
use crate::wire::{Wire, batch, text};

#[tokio::test]
async fn metadata_creates_topics_only_if_asked() {
    let broker = EmbeddedBroker::start(EmbeddedConfig {
        default_partitions: 3,
        ..EmbeddedConfig::default()
    })
    .await
    .unwrap();
    let mut wire = Wire::connect(&broker).await;
    let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text("a"))));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(false);
    let response = wire.call(12, &request).await;
    assert_eq!(response.topics[0].error_code, ResponseError::UnknownTopicOrPartition.code());
    let response = wire.call(12, &request.with_allow_auto_topic_creation(true)).await;
    assert_eq!((response.topics[0].error_code, response.topics[0].partitions.len()), (0, 3));
    let by_id =
        MetadataRequestTopic::default().with_name(None).with_topic_id(response.topics[0].topic_id);
    let response = wire.call(12, &MetadataRequest::default().with_topics(Some(vec![by_id]))).await;
    assert_eq!(response.topics[0].name, Some(TopicName(text("a"))));
}

#[tokio::test]
async fn topics_are_refused_in_kafkas_words() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a.b", 1, &[]).await;
    let config = CreatableTopicConfig::default()
        .with_name(text("cleanup.policy"))
        .with_value(Some(text("vanish")));
    let cases = [
        ("a.b", 1, 1, vec![], ResponseError::TopicAlreadyExists, "Topic 'a.b' already exists."),
        (
            "a_b",
            1,
            1,
            vec![],
            ResponseError::InvalidTopicException,
            "Topic 'a_b' collides with existing topic: a.b",
        ),
        (
            "c",
            0,
            1,
            vec![],
            ResponseError::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        ),
        (
            "c",
            1,
            2,
            vec![],
            ResponseError::InvalidReplicationFactor,
            "Unable to replicate the partition 2 time(s)",
        ),
        (
            "c",
            1,
            1,
            vec![config],
            ResponseError::InvalidConfig,
            "Invalid value vanish for configuration cleanup.policy",
        ),
    ];
    for (name, partitions, replicas, configs, error, message) in cases {
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(name)))
            .with_num_partitions(partitions)
            .with_replication_factor(replicas)
            .with_configs(configs);
        let response = wire.call(7, &CreateTopicsRequest::default().with_topics(vec![topic])).await;
        assert_eq!(response.topics[0].error_code, error.code(), "{name}");
        assert!(
            response.topics[0].error_message.as_ref().unwrap().starts_with(message),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_flag_that_changes_it() {
    let broker = start().await;
    let port = broker.address().port();
    let taken = EmbeddedBroker::start(EmbeddedConfig { port, ..EmbeddedConfig::default() }).await;
    let message = taken.err().unwrap().to_string();
    assert_eq!(
        message,
        format!(
            "port {port} is taken; choose another with --kafka-port, or 0 for any that is free"
        )
    );
}

#[tokio::test]
async fn only_those_with_the_password_come_in() {
    let sasl = SaslPlain { username: "alice".into(), password: "secret".into() };
    let broker =
        EmbeddedBroker::start(EmbeddedConfig { sasl: Some(sasl), ..EmbeddedConfig::default() })
            .await
            .unwrap();
    let mut wire = Wire::connect(&broker).await;
    assert!(wire.try_call(12, &MetadataRequest::default()).await.is_none());
    for (token, error) in
        [("\0alice\0wrong", ResponseError::SaslAuthenticationFailed.code()), ("\0alice\0secret", 0)]
    {
        let mut wire = Wire::connect(&broker).await;
        let handshake =
            wire.call(1, &SaslHandshakeRequest::default().with_mechanism(text("PLAIN"))).await;
        assert_eq!((handshake.error_code, handshake.mechanisms), (0, vec![text("PLAIN")]));
        let request = SaslAuthenticateRequest::default().with_auth_bytes(token.into());
        assert_eq!(wire.call(2, &request).await.error_code, error);
        assert_eq!(wire.try_call(12, &MetadataRequest::default()).await.is_some(), error == 0);
    }
    // Version 0 of the handshake is followed by the token as it is.
    let mut wire = Wire::connect(&broker).await;
    wire.call(0, &SaslHandshakeRequest::default().with_mechanism(text("PLAIN"))).await;
    assert_eq!(wire.raw(b"\0alice\0secret").await.unwrap().len(), 0);
    assert!(wire.try_call(12, &MetadataRequest::default()).await.is_some());
}

#[tokio::test]
async fn faults_come_when_they_are_wanted() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    broker.faults().inject(ApiKey::Produce as i16, Fault::DropAnswer);
    let good = batch(&[("a", Some("0"))], &BatchOptions::default());
    let lost = tokio::spawn(async move { wire.produce("a", good).await });
    assert!(lost.await.is_err(), "the answer is lost");
    let mut wire = Wire::connect(&broker).await;
    assert_eq!(wire.read("a", 0).await.len(), 1, "but the record is there");
    broker.faults().inject(ApiKey::Metadata as i16, Fault::DropRequest);
    assert!(wire.try_call(12, &MetadataRequest::default()).await.is_none());
}
