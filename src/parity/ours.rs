//! Our side: the queries in this process, and all that they leave behind.

use std::time::Duration;

use super::error::ParityError;
use super::names::Names;
use crate::engine::headless::{self, HeadlessError};
use crate::engine::{Properties, Services};
use crate::kafka::admin::Admin;
use crate::kafka::{KafkaError, ResponseError};
use crate::runtime::live::{Instance, InstanceOptions, QuerySpec, QueryState};

/// How long queries may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often it is tried to delete a group whose members have just left, and how long it is waited between.
const GROUP_TRIES: u32 = 20;
const GROUP_WAIT: Duration = Duration::from_millis(250);

/// Our queries while they run.
pub(super) struct Ours {
    /// The queries, in the order of their statements.
    pub(super) queries: Vec<QuerySpec>,
    instance: Instance,
}

impl Ours {
    /// Makes what a text says, and starts its queries.
    pub(super) async fn start(
        services: &Services,
        properties: &Properties,
        text: &str,
    ) -> Result<Self, ParityError> {
        let prepared = headless::prepare_application(services, text, properties, false).await;
        let application = prepared.map_err(|error| refused(error, text))?;
        let options = InstanceOptions {
            stop_within: STOP_WITHIN,
            id: u64::from(std::process::id()),
            workers: InstanceOptions::default_workers(),
            registry: services.registry.clone(),
            // Nobody asks for them.
            skipped_bytes_max: 0,
            url: None,
        };
        let queries = application.queries;
        let instance = Instance::start(&services.cluster, queries.clone(), options).await?;
        Ok(Self { queries, instance })
    }

    /// Whether a query has failed for good.
    pub(super) fn check(&self) -> Result<(), ParityError> {
        for query in self.instance.status().queries {
            if query.state == QueryState::Failed {
                let cause = query.cause.unwrap_or_default();
                return Err(ParityError::Failed { id: query.id, cause });
            }
        }
        Ok(())
    }

    /// Stops the queries; what they wrote stays.
    pub(super) async fn stop(self) {
        self.instance.stop().await;
    }
}

fn refused(error: HeadlessError, text: &str) -> ParityError {
    ParityError::Ours { error: Box::new(error), text: text.to_owned() }
}

/// Deletes all topics, groups and subjects of a comparison, on both sides; says what is left.
pub(super) async fn clear(services: &Services, names: &Names) -> Vec<String> {
    let mut left = Vec::new();
    let admin = Admin::new(&services.cluster);
    match admin.list_groups().await {
        Ok(groups) => {
            for group in groups.iter().filter(|group| names.owns(&group.group)) {
                if let Err(error) = delete_group(&admin, &group.group).await {
                    left.push(format!("group {}: {error}", group.group));
                }
            }
        }
        Err(error) => left.push(format!("groups that begin with {}: {error}", names.service_id())),
    }
    match admin.list_topics().await {
        Ok(topics) => {
            for topic in topics.iter().filter(|topic| names.owns(&topic.name)) {
                match admin.delete_topic(&topic.name).await {
                    Err(error) if !error.is_code(ResponseError::UnknownTopicOrPartition) => {
                        left.push(format!("topic {}: {error}", topic.name));
                    }
                    _ => {}
                }
            }
        }
        Err(error) => left.push(format!("topics that begin with {}: {error}", names.service_id())),
    }
    left.extend(clear_subjects(services, names).await);
    left
}

async fn delete_group(admin: &Admin, group: &str) -> Result<(), KafkaError> {
    let mut tries = 0;
    loop {
        match admin.delete_group(group).await {
            Err(error) if error.is_code(ResponseError::NonEmptyGroup) && tries < GROUP_TRIES => {
                tries += 1;
                tokio::time::sleep(GROUP_WAIT).await;
            }
            Err(error) if error.is_code(ResponseError::GroupIdNotFound) => return Ok(()),
            done => return done,
        }
    }
}

async fn clear_subjects(services: &Services, names: &Names) -> Vec<String> {
    let Some(registry) = &services.registry else { return Vec::new() };
    let subjects = match registry.subjects().await {
        Ok(subjects) => subjects,
        Err(error) => {
            return vec![format!("subjects that begin with {}: {error}", names.service_id())];
        }
    };
    let mut left = Vec::new();
    for subject in subjects.iter().filter(|subject| names.owns(subject.as_str())) {
        match registry.delete(subject).await {
            Err(error) if !error.is_not_found() => left.push(format!("subject {subject}: {error}")),
            _ => {}
        }
    }
    left
}
