//! What is left of a query, deleted in an order in which it can be done again.

use std::time::Duration;

use super::{HeadlessError, QueryReset, Reset, ResetError};
use crate::engine::Services;
use crate::kafka::admin::Admin;
use crate::kafka::{Cluster, KafkaError, ResponseError};
use crate::registry::{RegistryClient, RegistryError};
use crate::runtime::live::write_plans;
use crate::runtime::plans_topic;
use crate::state::checkpoint::{CheckpointError, StateDirectory};

/// How often, and with what pauses, a topic is looked for that is being deleted.
const GONE_LOOKS: u32 = 100;
const GONE_WAIT: Duration = Duration::from_millis(100);

impl Reset {
    /// Deletes what was found; refused if a query runs by now.
    pub async fn run(&self, services: &Services) -> Result<(), ResetError> {
        let cluster = &services.cluster;
        let admin = Admin::new(cluster);
        self.check_members(&admin).await?;
        for query in &self.queries {
            query.delete_state()?;
            for topic in query.internal_topics.iter().chain(&query.sink) {
                delete_topic(&admin, topic).await?;
            }
            if let Some(registry) = &services.registry {
                query.delete_subjects(registry).await.map_err(HeadlessError::Registry)?;
            }
            query.forget_plans(cluster).await?;
            if let Some(group) = &query.group {
                delete_group(&admin, group).await?;
            }
        }
        Ok(())
    }

    /// Whether none of the queries runs anywhere.
    pub(super) async fn check_members(&self, admin: &Admin) -> Result<(), ResetError> {
        for query in &self.queries {
            let Some(group) = &query.group else { continue };
            let members = admin.describe_group(group).await?.map(|found| found.members);
            let members: Vec<_> = members
                .into_iter()
                .flatten()
                .map(|member| format!("{} at {}", member.client_id, member.host))
                .collect();
            if !members.is_empty() {
                return Err(ResetError::Running {
                    id: query.id.clone(),
                    group: group.clone(),
                    members: members.join(", "),
                });
            }
        }
        Ok(())
    }
}

impl QueryReset {
    /// Deletes local state; refused while a process uses the directory.
    fn delete_state(&self) -> Result<(), CheckpointError> {
        let (Some(_), Some(root)) = (&self.state, &self.state_root) else { return Ok(()) };
        StateDirectory::open(root, &self.service_id)?.remove(&self.id)
    }

    /// Deletes its subjects, unless they are gone.
    async fn delete_subjects(&self, registry: &RegistryClient) -> Result<(), RegistryError> {
        for subject in &self.subjects {
            match registry.delete(subject).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes what is noted of the query's plans.
    async fn forget_plans(&self, cluster: &Cluster) -> Result<(), KafkaError> {
        if self.plans.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = self.plans.iter().map(|key| (key.clone(), None)).collect();
        write_plans(cluster, &plans_topic(&self.service_id), &records).await
    }
}

/// Deletes a topic unless it is gone, and waits until it is.
pub(in crate::engine) async fn delete_topic(admin: &Admin, topic: &str) -> Result<(), KafkaError> {
    match admin.delete_topic(topic).await {
        Err(error) if !error.is_code(ResponseError::UnknownTopicOrPartition) => return Err(error),
        _ => {}
    }
    for _ in 0..GONE_LOOKS {
        if admin.describe_topic(topic).await?.is_none() {
            break;
        }
        tokio::time::sleep(GONE_WAIT).await;
    }
    Ok(())
}

/// Deletes a group unless it is gone.
pub(in crate::engine) async fn delete_group(admin: &Admin, group: &str) -> Result<(), KafkaError> {
    match admin.delete_group(group).await {
        Err(error) if error.is_code(ResponseError::GroupIdNotFound) => Ok(()),
        done => done,
    }
}
