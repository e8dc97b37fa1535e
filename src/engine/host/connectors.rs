//! Statements about connectors, which a Kafka Connect worker carries out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::{AnswerBody, ConnectorDetail, ConnectorText, PluginText, SourceText};
use super::{HostError, HostFault, Shared};
use crate::engine::connect::ConnectError;
use crate::sql::ast::{ConnectorKind, CreateConnector, Drop, Literal};

/// The status of what does not exist.
const NOT_FOUND: u16 = 404;

impl Shared {
    /// `CREATE SOURCE|SINK CONNECTOR`.
    pub(super) async fn create_connector(
        &self,
        create: &CreateConnector,
    ) -> Result<AnswerBody, HostError> {
        let name = &create.name.text;
        if create.if_not_exists {
            let names = self.connect.connectors().await;
            let names = names.map_err(|error| refused("check for existing connector", error))?;
            if names.contains(name) {
                let message = format!("Connector {name} already exists");
                return Ok(AnswerBody::Warning(message));
            }
        }
        let properties = create.with.iter();
        let properties =
            properties.map(|property| (property.name.text.clone(), text(&property.value)));
        let config: BTreeMap<String, String> = properties.collect();
        let created = self.connect.create(name, &config).await;
        created.map(AnswerBody::Connector).map_err(|error| refused("create connector", error))
    }

    /// `DROP CONNECTOR`.
    pub(super) async fn drop_connector(&self, drop: &Drop) -> Result<AnswerBody, HostError> {
        let name = &drop.name.text;
        match self.connect.drop(name).await {
            Ok(()) => Ok(AnswerBody::ConnectorDropped(name.clone())),
            Err(ConnectError::Refused { status: NOT_FOUND, .. }) if drop.if_exists => {
                Ok(AnswerBody::Warning(format!("Connector '{name}' does not exist.")))
            }
            Err(error) => Err(refused("drop connector", error)),
        }
    }

    /// `SHOW [SOURCE|SINK] CONNECTORS`.
    pub(super) async fn list_connectors(
        &self,
        kind: Option<ConnectorKind>,
    ) -> Result<AnswerBody, HostError> {
        let refused = |error| refused("list connectors", error);
        let wanted = kind.map(|kind| match kind {
            ConnectorKind::Source => "source",
            ConnectorKind::Sink => "sink",
        });
        let mut connectors = Vec::new();
        for name in self.connect.connectors().await.map_err(refused)? {
            let info = match self.connect.connector(&name).await {
                // It was dropped meanwhile.
                Err(ConnectError::Refused { status: NOT_FOUND, .. }) => continue,
                info => info.map_err(refused)?,
            };
            let kind = field(&info, "type");
            if wanted.is_some_and(|wanted| kind.as_deref() != Some(wanted)) {
                continue;
            }
            let status = self.connect.status(&name).await;
            connectors.push(ConnectorText {
                class: field(&info["config"], "connector.class"),
                state: status.map_or_else(|_| "UNKNOWN".to_owned(), |status| summary(&status)),
                kind,
                name,
            });
        }
        Ok(AnswerBody::Connectors(connectors))
    }

    /// `SHOW CONNECTOR PLUGINS`.
    pub(super) async fn list_plugins(&self) -> Result<AnswerBody, HostError> {
        let plugins = self.connect.plugins().await;
        let plugins = plugins.map_err(|error| refused("list connector plugins", error))?;
        let text = |plugin: &Value| PluginText {
            class: field(plugin, "class"),
            kind: field(plugin, "type"),
            version: field(plugin, "version"),
        };
        Ok(AnswerBody::Plugins(plugins.iter().map(text).collect()))
    }

    /// `DESCRIBE CONNECTOR`.
    pub(super) async fn describe_connector(&self, name: &str) -> Result<AnswerBody, HostError> {
        let status = self.connect.status(name).await;
        let status = status.map_err(|error| refused("query connector status", error))?;
        let info = self.connect.connector(name).await;
        let info = info.map_err(|error| refused("query connector", error))?;
        // Workers before 2.5 do not tell topics.
        let topics = self.connect.topics(name).await.unwrap_or_default();
        let sources = self.sources_over(&topics).await?;
        let class = field(&info["config"], "connector.class");
        Ok(AnswerBody::ConnectorDetail(Box::new(ConnectorDetail {
            class,
            status,
            topics,
            sources,
        })))
    }

    /// The streams and tables over topics.
    async fn sources_over(&self, topics: &[String]) -> Result<Vec<SourceText>, HostError> {
        let sources: Vec<_> = {
            let state = self.state();
            let sources = state.engine().catalog().sources();
            sources.filter(|source| topics.contains(&source.topic)).cloned().collect()
        };
        let mut texts = Vec::with_capacity(sources.len());
        for source in &sources {
            texts.push(self.source_text(source, false).await?);
        }
        Ok(texts)
    }
}

/// How a connector is, with how many of its tasks run.
fn summary(status: &Value) -> String {
    let state = field(&status["connector"], "state").unwrap_or_default();
    if state != "RUNNING" {
        return state;
    }
    let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let running = tasks.iter().filter(|task| task["state"] == "RUNNING").count();
    let state = match running {
        0 => "FAILED",
        running if running == tasks.len() => "RUNNING",
        _ => "WARNING",
    };
    format!("{state} ({running}/{} tasks RUNNING)", tasks.len())
}

fn field(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A value of a configuration, as it is sent.
fn text(literal: &Literal) -> String {
    match literal {
        Literal::String(text) => text.clone(),
        other => crate::sql::print::literal(other),
    }
}

/// What is said of a worker that does not do what it is asked.
fn refused(what: &str, error: ConnectError) -> HostError {
    match error {
        ConnectError::Refused { status, body } => {
            HostError::new(HostFault::Connect(status), format!("Failed to {what}: {body}"))
        }
        ConnectError::Unreachable { url, cause } => HostError::server(format!(
            "io.confluent.ksql.util.KsqlServerException: \
             org.apache.hc.client5.http.HttpHostConnectException: Connect to {url} [{}] failed: \
             {cause}\nCaused by: Could not connect to the server. Please check the server details are\n\
             \tcorrect and that the server is running.",
            resolved(&url)
        )),
        other => HostError::server(format!("Failed to {what}: {other}")),
    }
}

/// The host of a URL with its address, as Java's sockets show them.
fn resolved(url: &str) -> String {
    let host = url.split("://").nth(1).unwrap_or(url);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    match host {
        "localhost" => "localhost/127.0.0.1".to_owned(),
        host => host.to_owned(),
    }
}
