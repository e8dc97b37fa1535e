//! Groups as administrators see them: list, describe, delete.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest, ListGroupsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::call::Call;
use super::event::Event;
use super::groups::{Group, State};
use super::shared::Broker;

/// Lists the groups, of certain states if asked for.
pub(super) fn list(
    broker: &Broker,
    call: &Call,
    request: &ListGroupsRequest,
) -> ListGroupsResponse {
    let core = broker.core();
    let matches = |filter: &[StrBytes], name: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let wanted = core.groups.iter().filter(|(_, group)| {
        matches(&request.states_filter, group.state.name())
            && matches(&request.types_filter, "classic")
    });
    let groups = wanted.map(|(id, group)| {
        let mut listed = ListedGroup::default()
            .with_group_id(GroupId(StrBytes::from_string(id.clone())))
            .with_protocol_type(group.protocol_type.clone());
        if call.version >= 4 {
            listed.group_state = group.state.name().into();
        }
        if call.version >= 5 {
            listed.group_type = "classic".into();
        }
        listed
    });
    ListGroupsResponse::default().with_groups(groups.collect())
}

/// Describes groups and their members.
pub(super) fn describe(
    broker: &Broker,
    call: &Call,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let core = broker.core();
    let groups = request.groups.into_iter().map(|id| {
        let described = match core.groups.get(&id) {
            Some(group) => describe_group(call, group),
            // As in Kafka, a group that is not known is dead, and that is no error.
            None => DescribedGroup::default().with_group_state("Dead".into()),
        };
        let described = if call.version >= 3 {
            described.with_authorized_operations(i32::MIN)
        } else {
            described
        };
        described.with_group_id(id)
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

fn describe_group(call: &Call, group: &Group) -> DescribedGroup {
    // What members hand in is shown once they agree on a protocol.
    let agreed = matches!(group.state, State::Stable);
    let members = group.members.iter().map(|member| {
        let described = DescribedGroupMember::default()
            .with_member_id(member.id.clone())
            .with_client_id(member.client_id.clone())
            .with_client_host(member.client_host.clone());
        let described = if call.version >= 4 {
            described.with_group_instance_id(member.instance.clone())
        } else {
            described
        };
        if !agreed {
            return described;
        }
        described
            .with_member_metadata(member.metadata(&group.protocol))
            .with_member_assignment(member.assignment.clone())
    });
    let described = DescribedGroup::default()
        .with_group_state(group.state.name().into())
        .with_protocol_type(group.protocol_type.clone())
        .with_members(members.collect());
    if agreed { described.with_protocol_data(group.protocol.clone()) } else { described }
}

/// Deletes groups that have no members.
pub(super) fn delete(broker: &Broker, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut core = broker.core();
    let results = request.groups_names.into_iter().map(|id| {
        let error = match core.groups.get(&id) {
            None => ResponseError::GroupIdNotFound.code(),
            Some(group) if !group.members.is_empty() => ResponseError::NonEmptyGroup.code(),
            Some(_) => {
                core.groups.remove(&id);
                core.journal.note(&Event::GroupGone { group: id.to_string() });
                0
            }
        };
        DeletableGroupResult::default().with_group_id(id).with_error_code(error)
    });
    DeleteGroupsResponse::default().with_results(results.collect())
}
