//! Configs of topics and brokers.
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::{
    DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

use super::Admin;
use crate::kafka::api::Api;
use crate::kafka::cluster::{Route, text};
use crate::kafka::error::KafkaError;

/// What has configs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigResource {
    /// A topic, by its name.
    Topic(String),
    /// A broker, by its id.
    Broker(i32),
}

impl ConfigResource {
    fn kind(&self) -> i8 {
        match self {
            Self::Topic(_) => 2,
            Self::Broker(_) => 4,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Topic(name) => name.clone(),
            Self::Broker(id) => id.to_string(),
        }
    }

    fn route(&self) -> Route {
        match self {
            Self::Topic(_) => Route::Any,
            Self::Broker(id) => Route::Broker(*id),
        }
    }
}

/// A config and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The name.
    pub name: String,
    /// The value, hidden if it is sensitive.
    pub value: Option<String>,
    /// Whether nobody has set it on this resource.
    pub is_default: bool,
    /// Whether it cannot be altered.
    pub is_read_only: bool,
    /// Whether its value is a secret.
    pub is_sensitive: bool,
}

/// The source of a config that was set on the topic itself, or on this broker or all of them while they ran.
const OWN_SOURCES: [i8; 3] = [1, 2, 3];

impl Admin {
    /// All configs of a topic or broker, with their defaults.
    pub async fn describe_configs(
        &self,
        resource: &ConfigResource,
    ) -> Result<Vec<ConfigEntry>, KafkaError> {
        let name = resource.name();
        let wanted = DescribeConfigsResource::default()
            .with_resource_type(resource.kind())
            .with_resource_name(text(&name))
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default().with_resources(vec![wanted]);
        let check = |response: &DescribeConfigsResponse| {
            response.results.iter().try_for_each(|result| {
                let (code, message) = (result.error_code, result.error_message.as_deref());
                let error =
                    KafkaError::from_code_with(DescribeConfigsRequest::NAME, &name, code, message);
                error.map_or(Ok(()), Err)
            })
        };
        let response = self.cluster.call(resource.route(), &request, check).await?;
        let configs = response.results.into_iter().flat_map(|result| result.configs);
        let entry = |config: kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult| {
            ConfigEntry {
                name: config.name.to_string(),
                value: config.value.map(|value| value.to_string()),
                is_default: !OWN_SOURCES.contains(&config.config_source),
                is_read_only: config.read_only,
                is_sensitive: config.is_sensitive,
            }
        };
        Ok(configs.map(entry).collect())
    }

    /// Sets configs of a topic or broker, or gives them back to their defaults with `None`; the others stay.
    pub async fn alter_configs(
        &self,
        resource: &ConfigResource,
        configs: &[(&str, Option<&str>)],
    ) -> Result<(), KafkaError> {
        let name = resource.name();
        let alter = |(name, value): &(&str, Option<&str>)| {
            AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(i8::from(value.is_none()))
                .with_value(value.map(text))
        };
        let wanted = AlterConfigsResource::default()
            .with_resource_type(resource.kind())
            .with_resource_name(text(&name))
            .with_configs(configs.iter().map(alter).collect());
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![wanted]);
        let check = |response: &IncrementalAlterConfigsResponse| {
            response.responses.iter().try_for_each(|result| {
                let (code, message) = (result.error_code, result.error_message.as_deref());
                let error = KafkaError::from_code_with(
                    IncrementalAlterConfigsRequest::NAME,
                    &name,
                    code,
                    message,
                );
                error.map_or(Ok(()), Err)
            })
        };
        self.cluster.call(resource.route(), &request, check).await.map(drop)
    }
}
