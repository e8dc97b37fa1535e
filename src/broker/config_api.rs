//! Reading and changing configurations: of topics, and a few of the broker's to be read.
use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as AlterResponse;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::call::Call;
use super::configs::{self, Defaults, Kind, TOPIC_CONFIGS};
use super::core::Core;
use super::event::Event;
use super::refused::Refused;
use super::shared::Broker;

/// The source of a configuration that is set on its topic.
pub(super) const SET: i8 = 1;
/// The source of a configuration that the broker was set up with.
const STATIC_BROKER: i8 = 4;
/// The source of a configuration that has its default.
pub(super) const DEFAULT: i8 = 5;
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Tells the configurations of topics and of the broker.
pub(super) fn describe(
    broker: &Broker,
    call: &Call,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let core = broker.core();
    let results = request.resources.into_iter().map(|resource| {
        let described = match resource.resource_type {
            TOPIC => describe_topic(&core, call, &resource.resource_name, request.include_synonyms),
            BROKER => Ok(describe_broker(broker, &core.topics.defaults, call)),
            _ => Err(Refused::new(
                ResponseError::InvalidRequest,
                "Only topics and brokers have configurations here.",
            )),
        };
        describe_resource(resource, described)
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn describe_resource(
    resource: DescribeConfigsResource,
    described: Result<Vec<DescribeConfigsResourceResult>, Refused>,
) -> DescribeConfigsResult {
    let result = DescribeConfigsResult::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name);
    let keys = resource.configuration_keys;
    match described {
        Ok(mut configs) => {
            configs.retain(|config| keys.as_ref().is_none_or(|keys| keys.contains(&config.name)));
            result.with_configs(configs)
        }
        Err(refused) => result
            .with_error_code(refused.error.code())
            .with_error_message(Some(StrBytes::from_string(refused.message))),
    }
}

fn describe_topic(
    core: &Core,
    call: &Call,
    name: &str,
    synonyms: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, Refused> {
    let unknown = || {
        Refused::new(
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )
    };
    let topic = core.topics.get(name).ok_or_else(unknown)?;
    let configs = TOPIC_CONFIGS.iter().map(|config| {
        let set = topic.configs.get(config.name);
        let source = if set.is_some() { SET } else { source(&core.topics.defaults, config.name) };
        let described =
            describe_config(call, config.name, topic.config(config.name), source, config.kind);
        let synonym = |value: &str, source| {
            let value = Some(StrBytes::from_string(value.to_owned()));
            DescribeConfigsSynonym::default()
                .with_name(config.name.into())
                .with_value(value)
                .with_source(source)
        };
        let own = set.map(|value| synonym(value, SET));
        let broker = core.topics.defaults.is_set(config.name);
        let broker = broker.then(|| synonym(core.topics.defaults.of(config.name), STATIC_BROKER));
        let all = own.into_iter().chain(broker).chain([synonym(config.default, DEFAULT)]);
        if synonyms { described.with_synonyms(all.collect()) } else { described }
    });
    Ok(configs.collect())
}

/// Where the value of a configuration comes from that its topic does not set.
pub(super) fn source(defaults: &Defaults, name: &str) -> i8 {
    if defaults.is_set(name) { STATIC_BROKER } else { DEFAULT }
}

/// The broker's own configurations, which cannot be changed while it runs.
fn describe_broker(
    broker: &Broker,
    defaults: &Defaults,
    call: &Call,
) -> Vec<DescribeConfigsResourceResult> {
    let config = &broker.config;
    let rows = [
        (
            "advertised.listeners",
            format!("PLAINTEXT://{}:{}", broker.host(), broker.address.port()),
            Kind::Text,
        ),
        ("auto.create.topics.enable", config.auto_create_topics.to_string(), Kind::Boolean),
        ("broker.id", "1".to_owned(), Kind::Int),
        ("default.replication.factor", "1".to_owned(), Kind::Int),
        ("delete.topic.enable", "true".to_owned(), Kind::Boolean),
        (
            "group.initial.rebalance.delay.ms",
            config.initial_rebalance_delay_ms.to_string(),
            Kind::Int,
        ),
        ("inter.broker.protocol.version", "3.0-IV1".to_owned(), Kind::Text),
        (
            "log.dirs",
            config.data_dir.as_ref().map_or_else(String::new, |path| path.display().to_string()),
            Kind::Text,
        ),
        (
            "log.message.timestamp.after.max.ms",
            defaults.of("message.timestamp.after.max.ms").to_owned(),
            Kind::Long,
        ),
        (
            "log.message.timestamp.before.max.ms",
            defaults.of("message.timestamp.before.max.ms").to_owned(),
            Kind::Long,
        ),
        (
            "log.message.timestamp.type",
            defaults.of("message.timestamp.type").to_owned(),
            Kind::Text,
        ),
        ("log.retention.ms", defaults.of("retention.ms").to_owned(), Kind::Long),
        ("message.max.bytes", defaults.of("max.message.bytes").to_owned(), Kind::Int),
        ("min.insync.replicas", "1".to_owned(), Kind::Int),
        ("num.partitions", config.default_partitions.to_string(), Kind::Int),
        ("offsets.retention.minutes", "2147483647".to_owned(), Kind::Int),
        ("offsets.topic.replication.factor", "1".to_owned(), Kind::Int),
        ("socket.request.max.bytes", config.request_bytes_max.to_string(), Kind::Int),
        ("transaction.max.timeout.ms", super::transactions::TIMEOUT_MAX_MS.to_string(), Kind::Int),
        ("transaction.state.log.replication.factor", "1".to_owned(), Kind::Int),
    ];
    let row = |(name, value, kind): (&'static str, String, Kind)| {
        describe_config(call, name, &value, STATIC_BROKER, kind).with_read_only(true)
    };
    rows.into_iter().map(row).collect()
}

fn describe_config(
    call: &Call,
    name: &'static str,
    value: &str,
    source: i8,
    kind: Kind,
) -> DescribeConfigsResourceResult {
    let described = DescribeConfigsResourceResult::default()
        .with_name(name.into())
        .with_value(Some(StrBytes::from_string(value.to_owned())))
        .with_config_source(source);
    if call.version >= 3 { described.with_config_type(kind.code()) } else { described }
}

/// Sets the configurations of topics, and resets those that are not named.
pub(super) fn replace(broker: &Broker, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let mut core = broker.core();
    let responses = request.resources.into_iter().map(|resource| {
        let set = resource.configs.iter().filter_map(|config| {
            Some((config.name.to_string(), config.value.as_ref()?.to_string()))
        });
        let changed = own_configs(&core, resource.resource_type, &resource.resource_name)
            .map(|_| set.collect());
        let changed = changed.and_then(|configs| {
            store(&mut core, &resource.resource_name, configs, request.validate_only)
        });
        let (error_code, error_message) = outcome(changed);
        AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
            .with_error_code(error_code)
            .with_error_message(error_message)
    });
    AlterConfigsResponse::default().with_responses(responses.collect())
}

/// Changes single configurations of topics.
pub(super) fn alter(
    broker: &Broker,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let mut core = broker.core();
    let responses = request.resources.into_iter().map(|resource| {
        let changed = altered(&core, &resource);
        let changed = changed.and_then(|configs| {
            store(&mut core, &resource.resource_name, configs, request.validate_only)
        });
        let (error_code, error_message) = outcome(changed);
        AlterResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
            .with_error_code(error_code)
            .with_error_message(error_message)
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn outcome(changed: Result<(), Refused>) -> (i16, Option<StrBytes>) {
    match changed {
        Ok(()) => (0, None),
        Err(refused) => (refused.error.code(), Some(StrBytes::from_string(refused.message))),
    }
}

/// The configurations that are set on a resource, if they can be changed.
fn own_configs(
    core: &Core,
    resource_type: i8,
    name: &str,
) -> Result<BTreeMap<String, String>, Refused> {
    if resource_type != TOPIC {
        let message = "Only the configurations of topics can be changed here.";
        return Err(Refused::new(ResponseError::InvalidRequest, message));
    }
    let topic = core.topics.get(name);
    let unknown = || {
        Refused::new(
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )
    };
    topic.map(|topic| topic.configs.clone()).ok_or_else(unknown)
}

fn altered(
    core: &Core,
    resource: &AlterConfigsResource,
) -> Result<BTreeMap<String, String>, Refused> {
    let mut configs = own_configs(core, resource.resource_type, &resource.resource_name)?;
    for config in &resource.configs {
        let name = config.name.to_string();
        let value = config.value.as_ref().map(ToString::to_string).unwrap_or_default();
        let old = configs.get(&name).map_or_else(|| core.topics.defaults.of(&name), String::as_str);
        let parts = old.split(',').map(str::trim).filter(|part| !part.is_empty());
        let changed = match config.config_operation {
            0 => value,
            1 => {
                configs.remove(&name);
                continue;
            }
            2 => parts
                .filter(|part| *part != value)
                .chain([value.as_str()])
                .collect::<Vec<_>>()
                .join(","),
            3 => parts.filter(|part| *part != value).collect::<Vec<_>>().join(","),
            _ => {
                return Err(Refused::new(
                    ResponseError::InvalidRequest,
                    "The operation is not known.",
                ));
            }
        };
        configs.insert(name, changed);
    }
    Ok(configs)
}

fn store(
    core: &mut Core,
    name: &str,
    configs: BTreeMap<String, String>,
    check_only: bool,
) -> Result<(), Refused> {
    configs.iter().try_for_each(|(name, value)| configs::check(name, value))?;
    if let Some(topic) = core.topics.get_mut(name).filter(|_| !check_only) {
        topic.configs.clone_from(&configs);
        core.journal.note(&Event::Configs { topic: name.to_owned(), configs });
    }
    Ok(())
}
