//! Topics: list, describe, create, extend and delete.
use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest};

use super::Admin;
use crate::kafka::api::Api;
use crate::kafka::cluster::{Route, TopicMetadata, text, topic_name};
use crate::kafka::error::KafkaError;

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// The name.
    pub name: String,
    /// How many partitions; `None` leaves it to the broker.
    pub partitions: Option<i32>,
    /// How many copies; `None` leaves it to the broker.
    pub replication_factor: Option<i16>,
    /// The topic's own configs.
    pub configs: BTreeMap<String, String>,
}

impl NewTopic {
    /// A topic with this many partitions, and the broker's defaults otherwise.
    pub fn new(name: impl Into<String>, partitions: i32) -> Self {
        let (partitions, replication_factor) = (Some(partitions), None);
        Self { name: name.into(), partitions, replication_factor, configs: BTreeMap::new() }
    }

    /// Sets a config of the topic.
    #[must_use]
    pub fn with_config(mut self, name: &str, value: impl Into<String>) -> Self {
        self.configs.insert(name.to_owned(), value.into());
        self
    }

    fn creatable(&self) -> CreatableTopic {
        let config = |(name, value): (&String, &String)| {
            CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
        };
        CreatableTopic::default()
            .with_name(topic_name(&self.name))
            .with_num_partitions(self.partitions.unwrap_or(-1))
            .with_replication_factor(self.replication_factor.unwrap_or(-1))
            .with_configs(self.configs.iter().map(config).collect())
    }
}

impl Admin {
    /// All topics, in order of their names.
    pub async fn list_topics(&self) -> Result<Vec<Arc<TopicMetadata>>, KafkaError> {
        let mut backoff = self.cluster.backoff();
        loop {
            match self.cluster.refresh(None).await {
                Ok(topics) => {
                    let mut topics: Vec<_> = topics.into_iter().flatten().collect();
                    topics.sort_by(|a, b| a.name.cmp(&b.name));
                    return Ok(topics);
                }
                Err(error) => backoff.pause(error).await?,
            }
        }
    }

    /// What the cluster says about topics, each by itself; one that does not exist is an error at once.
    pub async fn describe_topics(
        &self,
        names: &[&str],
    ) -> Result<BTreeMap<String, Result<Arc<TopicMetadata>, KafkaError>>, KafkaError> {
        let mut backoff = self.cluster.backoff();
        loop {
            match self.cluster.refresh(Some(names)).await {
                Ok(topics) => {
                    return Ok(names.iter().map(|name| (*name).to_owned()).zip(topics).collect());
                }
                Err(error) => backoff.pause(error).await?,
            }
        }
    }

    /// What the cluster says about a topic, or `None` if it does not exist.
    pub async fn describe_topic(
        &self,
        name: &str,
    ) -> Result<Option<Arc<TopicMetadata>>, KafkaError> {
        match self.describe_topics(&[name]).await?.remove(name) {
            Some(Err(error)) if error.is_code(ResponseError::UnknownTopicOrPartition) => Ok(None),
            topic => topic.transpose(),
        }
    }

    /// Creates a topic; that it exists already is the error `TOPIC_ALREADY_EXISTS`.
    pub async fn create_topic(&self, topic: &NewTopic) -> Result<(), KafkaError> {
        self.create(topic, false).await
    }

    /// Finds out whether a topic could be created, without creating it.
    pub async fn validate_topic(&self, topic: &NewTopic) -> Result<(), KafkaError> {
        self.create(topic, true).await
    }

    async fn create(&self, topic: &NewTopic, is_only_validated: bool) -> Result<(), KafkaError> {
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic.creatable()])
            .with_timeout_ms(self.timeout_ms())
            .with_validate_only(is_only_validated);
        let check = |response: &kafka_protocol::messages::CreateTopicsResponse| {
            response.topics.iter().try_for_each(|topic| {
                let message = topic.error_message.as_deref();
                let error = KafkaError::from_code_with(
                    CreateTopicsRequest::NAME,
                    &*topic.name.0,
                    topic.error_code,
                    message,
                );
                error.map_or(Ok(()), Err)
            })
        };
        self.cluster.forget(&topic.name);
        self.cluster.call(Route::Controller, &request, check).await.map(drop)
    }

    /// Gives a topic more partitions, `count` in all.
    pub async fn create_partitions(&self, topic: &str, count: i32) -> Result<(), KafkaError> {
        let wanted =
            CreatePartitionsTopic::default().with_name(topic_name(topic)).with_count(count);
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![wanted.with_assignments(None)])
            .with_timeout_ms(self.timeout_ms());
        let check = |response: &kafka_protocol::messages::CreatePartitionsResponse| {
            response.results.iter().try_for_each(|result| {
                let message = result.error_message.as_deref();
                let error = KafkaError::from_code_with(
                    CreatePartitionsRequest::NAME,
                    topic,
                    result.error_code,
                    message,
                );
                error.map_or(Ok(()), Err)
            })
        };
        self.cluster.forget(topic);
        self.cluster.call(Route::Controller, &request, check).await.map(drop)
    }

    /// Deletes a topic; that there is none is the error `UNKNOWN_TOPIC_OR_PARTITION`, at once.
    pub async fn delete_topic(&self, topic: &str) -> Result<(), KafkaError> {
        let request = DeleteTopicsRequest::default()
            .with_topic_names(vec![topic_name(topic)])
            .with_timeout_ms(self.timeout_ms());
        let name = DeleteTopicsRequest::NAME;
        let unknown = ResponseError::UnknownTopicOrPartition.code();
        let check = |response: &kafka_protocol::messages::DeleteTopicsResponse| {
            let mut codes = response.responses.iter().map(|topic| topic.error_code);
            codes.try_for_each(|code| {
                KafkaError::check(name, topic, if code == unknown { 0 } else { code })
            })
        };
        self.cluster.forget(topic);
        let response = self.cluster.call(Route::Controller, &request, check).await?;
        response
            .responses
            .iter()
            .try_for_each(|deleted| KafkaError::check(name, topic, deleted.error_code))
    }

    pub(super) fn timeout_ms(&self) -> i32 {
        i32::try_from(self.cluster.config().request_timeout.as_millis()).unwrap_or(i32::MAX)
    }
}
