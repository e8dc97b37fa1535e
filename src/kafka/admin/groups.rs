//! Consumer groups, seen from outside.
use std::collections::BTreeSet;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest,
};

use super::Admin;
use crate::kafka::api::Api;
use crate::kafka::cluster::{Route, text};
use crate::kafka::coordinator::{Coordinator, CoordinatorKind};
use crate::kafka::error::KafkaError;

/// A consumer group in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupListing {
    /// The id of the group.
    pub group: String,
    /// What kind of group it is, `consumer` or empty for one without members.
    pub protocol_type: String,
}

/// A consumer group in detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// The id of the group.
    pub group: String,
    /// Kafka's word for its state: `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance` or `Dead`.
    pub state: String,
    /// What kind of group it is.
    pub protocol_type: String,
    /// The protocol that its members agreed on, such as `range`.
    pub protocol: String,
    /// The members.
    pub members: Vec<GroupMemberDescription>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMemberDescription {
    /// The id that the coordinator gave it.
    pub member_id: String,
    /// Its `group.instance.id`, if it has one.
    pub instance_id: Option<String>,
    /// Its `client.id`.
    pub client_id: String,
    /// Where it runs.
    pub host: String,
    /// What it joined with.
    pub metadata: Bytes,
    /// What it was assigned.
    pub assignment: Bytes,
}

impl Admin {
    /// All groups of the cluster, in order.
    pub async fn list_groups(&self) -> Result<Vec<GroupListing>, KafkaError> {
        let mut groups = BTreeSet::new();
        for broker in self.cluster.metadata().await?.brokers.into_keys() {
            let check = |response: &kafka_protocol::messages::ListGroupsResponse| {
                KafkaError::check(
                    ListGroupsRequest::NAME,
                    format!("broker {broker}"),
                    response.error_code,
                )
            };
            let response = self
                .cluster
                .call(Route::Broker(broker), &ListGroupsRequest::default(), check)
                .await?;
            groups.extend(response.groups.iter().map(|group| GroupListing {
                group: group.group_id.0.to_string(),
                protocol_type: group.protocol_type.to_string(),
            }));
        }
        Ok(groups.into_iter().collect())
    }

    /// A group in detail, or `None` if there is no such group.
    pub async fn describe_group(
        &self,
        group: &str,
    ) -> Result<Option<GroupDescription>, KafkaError> {
        let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(group))]);
        let check = |response: &DescribeGroupsResponse| {
            let mut codes = response.groups.iter().map(|group| group.error_code);
            codes.try_for_each(|code| KafkaError::check(DescribeGroupsRequest::NAME, group, code))
        };
        let response = match self.coordinator(group).call(&request, check).await {
            Err(error) if error.is_code(ResponseError::GroupIdNotFound) => return Ok(None),
            response => response?,
        };
        let found = response.groups.into_iter().find(|found| &*found.group_state != "Dead");
        Ok(found.map(|found| GroupDescription {
            group: found.group_id.0.to_string(),
            state: found.group_state.to_string(),
            protocol_type: found.protocol_type.to_string(),
            protocol: found.protocol_data.to_string(),
            members: found.members.into_iter().map(member).collect(),
        }))
    }

    /// Deletes a group with its committed offsets; it must have no members.
    pub async fn delete_group(&self, group: &str) -> Result<(), KafkaError> {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(group))]);
        let check = |response: &DeleteGroupsResponse| {
            let mut codes = response.results.iter().map(|result| result.error_code);
            codes.try_for_each(|code| KafkaError::check(DeleteGroupsRequest::NAME, group, code))
        };
        self.coordinator(group).call(&request, check).await.map(drop)
    }

    fn coordinator(&self, group: &str) -> Coordinator {
        Coordinator::new(&self.cluster, CoordinatorKind::Group, group)
    }
}

fn member(
    found: kafka_protocol::messages::describe_groups_response::DescribedGroupMember,
) -> GroupMemberDescription {
    GroupMemberDescription {
        member_id: found.member_id.to_string(),
        instance_id: found.group_instance_id.map(|id| id.to_string()),
        client_id: found.client_id.to_string(),
        host: found.client_host.to_string(),
        metadata: found.member_metadata,
        assignment: found.member_assignment,
    }
}
