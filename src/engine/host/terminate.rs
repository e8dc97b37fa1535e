//! `/ksql/terminate`: the end of a service, for all of its servers.
//!
//! As in ksqlDB, it is a command like others, so that each server hears of it: every query ends, with all that it kept in
//! Kafka; of the topics that queries fill those go that are named; at last the command topic.

use std::sync::Arc;

use fancy_regex::Regex;
use serde_json::{Value, json};

use super::answer::{AnswerBody, CommandState, CommandStatus, Entity};
use super::command::{Command, CommandId};
use super::log::CommandLog;
use super::state::Phase;
use super::topics::clean_up_after;
use super::{Host, HostError, Shared};
use crate::engine::reset::delete::delete_topic;
use crate::kafka::admin::Admin;
use crate::plan::Source;
use crate::runtime::plans_topic;

/// The statement of the command.
const STATEMENT: &str = "TERMINATE CLUSTER;";

/// The property of the command that names topics.
const TOPICS: &str = "deleteTopicList";

/// Whether a command ends the service.
pub(super) fn ends_service(command: &Command) -> bool {
    command.statement.trim().eq_ignore_ascii_case(STATEMENT)
}

impl Host {
    /// Whether the service still is.
    pub fn phase(&self) -> Phase {
        *self.shared.phase.borrow()
    }

    /// Ends the service; topics that queries fill are deleted where one of the patterns (Java's) is their whole name.
    pub async fn terminate(&self, patterns: &[String]) -> Result<Entity, HostError> {
        for pattern in patterns {
            whole(pattern)?;
        }
        let shared = &self.shared;
        let log = shared.log()?;
        let id = CommandId::end_of_service();
        let _writing = shared.writing.lock().await;
        log.begin().await?;
        let value = Command::of_statement(STATEMENT).value(&shared.properties);
        let value = with_topics(value, patterns);
        let offset = match log.write(&id.key(), &value).await {
            Ok(offset) => offset,
            Err(error) => {
                log.give_up().await;
                return Err(error);
            }
        };
        let status = CommandStatus {
            state: CommandState::Queued,
            message: "Statement written to command topic".to_owned(),
            query: None,
        };
        let command_id = id.to_string();
        let body = AnswerBody::Status { command_id, status, sequence: offset };
        Ok(Entity { statement: STATEMENT.to_owned(), body })
    }
}

impl Shared {
    /// Ends what there is of the service on this server, and all that it has in Kafka.
    pub(super) async fn end_service(&self, command: &Command) {
        self.phase.send_replace(Phase::Ending);
        tracing::info!("the service {} is ended", self.service_id);
        let (ids, sinks) = {
            let state = self.state();
            let catalog = state.engine().catalog();
            let queries = catalog.queries().iter();
            let is_sink = |source: &&Arc<Source>| catalog.writers(&source.name).next().is_some();
            let sinks: Vec<_> = catalog.sources().filter(is_sink).cloned().collect();
            (queries.map(|query| query.id.clone()).collect::<Vec<_>>(), sinks)
        };
        self.end_queries(&ids).await;
        let admin = Admin::new(&self.services.cluster);
        for id in &ids {
            clean_up_after(&admin, &self.group_of(id)).await;
        }
        let patterns: Vec<Regex> = topics(command).iter().filter_map(|it| whole(it).ok()).collect();
        for sink in sinks {
            let is_named =
                |pattern: &Regex| pattern.is_match(&sink.topic).is_ok_and(|is_match| is_match);
            if patterns.iter().any(is_named) {
                told(&sink.topic, delete_topic(&admin, &sink.topic).await);
                self.forget_schemas(&sink).await;
            }
        }
        let plans = plans_topic(&self.service_id);
        let log = self.log.as_ref().map(CommandLog::topic);
        for topic in [Some(plans.as_str()), log].into_iter().flatten() {
            told(topic, delete_topic(&admin, topic).await);
        }
        self.phase.send_replace(Phase::Ended);
        tracing::info!("the service {} has ended", self.service_id);
    }
}

/// What is deleted is told where it is not.
fn told<E: std::fmt::Display>(what: &str, deleted: Result<(), E>) {
    if let Err(error) = deleted {
        tracing::warn!("{what} is not deleted: {error}");
    }
}

/// A pattern that a whole name has to match, as Java's `matches`.
fn whole(pattern: &str) -> Result<Regex, HostError> {
    let refused = |_| HostError::request(format!("Invalid pattern: {pattern}"));
    Regex::new(&format!("^(?:{pattern})$")).map_err(refused)
}

/// The bytes of the command, with the topics that are to go.
fn with_topics(mut value: Value, patterns: &[String]) -> Vec<u8> {
    value["streamsProperties"] = json!({ TOPICS: patterns });
    serde_json::to_vec(&value).unwrap_or_default()
}

/// The patterns of a command.
fn topics(command: &Command) -> Vec<String> {
    let text = command.overrides.get(TOPICS).map_or("[]", String::as_str);
    serde_json::from_str(text).unwrap_or_default()
}
