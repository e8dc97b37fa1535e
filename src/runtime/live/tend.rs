//! The life of a query in its group: out, joining, standing by, restoring, running.

use std::time::Duration;

use super::decode::RepartitionReader;
use super::failure::leave;
use super::member::{join, membership};
use super::query::Role;
use super::reader::Reader;
use super::reading::Reading;
use super::restore::{Activated, activate};
use crate::kafka::group::{MemberState, Membership};
use crate::kafka::produce::Producer;
use crate::kafka::{KafkaError, ResponseError};
use crate::runtime::clock;

/// How long a failed membership waits before it is tried again.
pub(super) const REJOIN_WAIT: Duration = Duration::from_millis(500);

impl Reader {
    /// Looks at each query, and takes the next step of its life.
    pub(super) async fn tend_queries(&mut self) {
        for index in 0..self.queries.len() {
            let role = std::mem::replace(&mut self.queries[index].role, Role::Ended);
            let next = self.tend(index, role).await;
            self.queries[index].role = next;
        }
    }

    async fn tend(&mut self, index: usize, role: Role) -> Role {
        match role {
            Role::Out { join_at } if clock::instant() >= join_at => self.start_joining(index),
            Role::Joining(joining) if joining.is_finished() => match joining.await {
                Ok((membership, Ok(is_owner))) => self.joined(index, membership, is_owner),
                Ok((membership, Err(error))) => self.failed_to_join(index, membership, error),
                Err(_) => out_for(REJOIN_WAIT),
            },
            Role::Activating(membership, activating) if activating.is_finished() => {
                match activating.await {
                    Ok(Ok(activated)) => self.activated(index, membership, activated),
                    Ok(Err(error)) => {
                        leave(membership);
                        self.failed(index, &error)
                    }
                    Err(_) => self.rejoin(index, membership),
                }
            }
            Role::Activating(membership, activating) => match membership.state() {
                MemberState::Stable => Role::Activating(membership, activating),
                state => {
                    activating.abort();
                    self.unsettled(index, membership, state)
                }
            },
            Role::Active(membership) => match membership.state() {
                MemberState::Stable => Role::Active(membership),
                MemberState::Rebalancing => self.hand_over(index, membership).await,
                state => {
                    self.detach(index);
                    self.queries[index].forget();
                    self.unsettled(index, membership, state)
                }
            },
            Role::Standby(membership) => match membership.state() {
                MemberState::Stable => Role::Standby(membership),
                state => self.unsettled(index, membership, state),
            },
            other => other,
        }
    }

    /// A member that does not run its query is not stable: it joins again, as the member that it was.
    fn unsettled(&mut self, index: usize, membership: Membership, state: MemberState) -> Role {
        match state {
            MemberState::Failed(error) => {
                leave(membership);
                self.failed(index, &error.into())
            }
            _ => self.rejoin(index, membership),
        }
    }

    fn joined(&mut self, index: usize, membership: Membership, is_owner: bool) -> Role {
        let query = &mut self.queries[index];
        query.cause = None;
        if !is_owner {
            query.forget();
            return Role::Standby(membership);
        }
        if query.tasks.is_some() {
            self.resume(index);
            return Role::Active(membership);
        }
        self.start_activating(index, membership)
    }

    fn activated(&mut self, index: usize, membership: Membership, activated: Activated) -> Role {
        let query = &mut self.queries[index];
        query.tasks = Some(activated.tasks);
        query.checkpoint = activated.checkpoint;
        query.positions = activated.positions;
        query.repartition_positions = activated.repartition_positions;
        query.committed = activated.committed;
        query.producer = Some(Producer::new(&query.cluster));
        query.commit_at = clock::instant() + query.spec.settings.commit_interval;
        query.cause = None;
        self.resume(index);
        Role::Active(membership)
    }

    /// Before a rebalance, the query commits what it has done. If it cannot, it starts again from
    /// what is committed.
    async fn hand_over(&mut self, index: usize, membership: Membership) -> Role {
        self.queries[index].role = Role::Active(membership);
        let mut done = self.write_out(index).await;
        if done.is_ok() {
            done = self.commit_offsets(index).await;
        }
        self.detach(index);
        let query = &mut self.queries[index];
        if let Err(error) = done {
            tracing::warn!("query {}: not committed before a rebalance: {error}", query.spec.id);
            query.forget();
        }
        match std::mem::replace(&mut query.role, Role::Ended) {
            Role::Active(membership) => self.rejoin(index, membership),
            other => other,
        }
    }

    fn start_joining(&mut self, index: usize) -> Role {
        let query = &self.queries[index];
        let mut topics = vec![query.topics.source.clone()];
        topics.extend(query.topics.repartition.clone());
        match membership(&query.cluster, &query.application_id, &topics, self.instance) {
            Ok(membership) => self.rejoin(index, membership),
            Err(error) => self.failed(index, &error.into()),
        }
    }

    pub(super) fn rejoin(&mut self, index: usize, membership: Membership) -> Role {
        let partitions = self.queries[index].partitions();
        Role::Joining(tokio::spawn(join(membership, partitions)))
    }

    fn failed_to_join(&mut self, index: usize, membership: Membership, error: KafkaError) -> Role {
        leave(membership);
        let query = &mut self.queries[index];
        let cause = if error.is_code(ResponseError::InconsistentGroupProtocol) {
            format!(
                "another application runs this query, such as a ksqlDB server; it is waited for \
                 (group {})",
                query.application_id
            )
        } else if error.is_retriable() {
            format!("cannot join its group yet: {error}")
        } else {
            return self.failed(index, &error.into());
        };
        if query.cause.as_ref() != Some(&cause) {
            tracing::warn!("query {}: {cause}", query.spec.id);
        }
        query.cause = Some(cause);
        out_for(REJOIN_WAIT)
    }

    fn start_activating(&mut self, index: usize, membership: Membership) -> Role {
        let query = &self.queries[index];
        let activating = activate(
            query.cluster.clone(),
            query.spec.clone(),
            query.topics.clone(),
            membership.metadata(),
            query.home.clone(),
        );
        Role::Activating(membership, tokio::spawn(activating))
    }

    /// Lets a query read from its positions on.
    fn resume(&mut self, index: usize) {
        let query = &self.queries[index];
        let topic = query.topics.source.clone();
        let level = self.readings.iter_mut().find(|reading| reading.positions == query.positions);
        if let Some(reading) = level {
            reading.queries.push(index);
        } else {
            let positions = query.positions.clone();
            self.readings.push(Reading::new(&self.cluster, &topic, positions, vec![index]));
        }
        if let Some(topic) = &query.topics.repartition
            && let Ok(Some(reader)) = RepartitionReader::new(&query.spec.plan)
        {
            let positions = query.repartition_positions.clone();
            let reading = Reading::new(&self.cluster, topic, positions, vec![index]);
            self.repartitions.insert(index, (reader, reading));
        }
    }

    /// Takes a query out of its reading.
    pub(super) fn detach(&mut self, index: usize) {
        for reading in &mut self.readings {
            reading.queries.retain(|query| *query != index);
        }
        self.readings.retain(|reading| !reading.queries.is_empty());
        self.repartitions.remove(&index);
    }

    /// Readings that have come to the same positions become one.
    pub(super) fn join_level_readings(&mut self) {
        let mut index = 1;
        while index < self.readings.len() {
            let (before, rest) = self.readings.split_at_mut(index);
            let reading = &mut rest[0];
            match before.iter_mut().find(|other| other.positions == reading.positions) {
                Some(other) => {
                    other.queries.append(&mut reading.queries);
                    self.readings.remove(index);
                }
                None => index += 1,
            }
        }
    }
}

/// Out of the group for a while.
fn out_for(wait: Duration) -> Role {
    Role::Out { join_at: clock::instant() + wait }
}
