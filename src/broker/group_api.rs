//! The requests of a group's members: join, sync, heartbeat, leave.
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::call::Call;
use super::client::Client;
use super::groups::{METADATA_BYTES_MAX, Member};
use super::rebalance::{Answer, Join, Sync};
use super::shared::Broker;

/// The session time-outs that a member may ask for.
const SESSION_TIMEOUTS_MS: std::ops::RangeInclusive<i32> = 100..=1_800_000;

/// Takes a member into its group, and answers when the rebalance is over.
pub(super) async fn join(
    broker: &Broker,
    client: &Client,
    call: &Call,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let id = request.member_id.clone();
    let failed = |error: ResponseError| {
        JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            .with_member_id(id)
    };
    let mut response = match start_join(broker, client, call, request) {
        Ok(Answer::Now(response)) => response,
        Ok(Answer::Later(joined)) => {
            joined.await.unwrap_or_else(|_| failed(ResponseError::UnknownMemberId))
        }
        Err(error) => failed(error),
    };
    if call.version < 7 {
        response.protocol_type = None;
        response.protocol_name.get_or_insert_default();
    }
    if call.version < 5 {
        response.members.iter_mut().for_each(|member| member.group_instance_id = None);
    }
    response
}

fn start_join(
    broker: &Broker,
    client: &Client,
    call: &Call,
    request: JoinGroupRequest,
) -> Result<Answer<JoinGroupResponse>, ResponseError> {
    if !SESSION_TIMEOUTS_MS.contains(&request.session_timeout_ms) {
        return Err(ResponseError::InvalidSessionTimeout);
    }
    let metadata: usize = request.protocols.iter().map(|protocol| protocol.metadata.len()).sum();
    if metadata > METADATA_BYTES_MAX {
        return Err(ResponseError::InvalidRequest);
    }
    let now = broker.now();
    let mut core = broker.core();
    if !request.member_id.is_empty() && core.groups.get(&request.group_id).is_none() {
        return Err(ResponseError::UnknownMemberId);
    }
    let group = core.groups.admit(&request.group_id)?;
    Ok(group.join(to_join(broker, client, call, request), now))
}

fn to_join(broker: &Broker, client: &Client, call: &Call, request: JoinGroupRequest) -> Join {
    // Version 0 knows one time-out for both.
    let rebalance =
        if call.version == 0 { request.session_timeout_ms } else { request.rebalance_timeout_ms };
    let member = Member {
        id: request.member_id,
        instance: request.group_instance_id,
        client_id: call.client_id.clone(),
        client_host: StrBytes::from_string(format!("/{}", client.host)),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: rebalance.max(0),
        protocols: request
            .protocols
            .into_iter()
            .map(|protocol| (protocol.name, own(&protocol.metadata)))
            .collect(),
        assignment: Bytes::new(),
        last_seen_ms: 0,
        joining: None,
        syncing: None,
    };
    Join {
        member,
        protocol_type: request.protocol_type,
        needs_id: call.version >= 4,
        can_skip: call.version >= 9,
        initial_delay_ms: broker.config.initial_rebalance_delay_ms,
    }
}

/// Bytes that do not keep the request's alive.
fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// Gives a member its assignment, when the leader has handed them in.
pub(super) async fn sync(
    broker: &Broker,
    call: &Call,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    let size: usize = request.assignments.iter().map(|given| given.assignment.len()).sum();
    let failed = |error: ResponseError| SyncGroupResponse::default().with_error_code(error.code());
    if size > METADATA_BYTES_MAX {
        return failed(ResponseError::InvalidRequest);
    }
    let assignments = request
        .assignments
        .into_iter()
        .map(|given| (given.member_id, own(&given.assignment)))
        .collect();
    let sync = Sync {
        member: request.member_id,
        instance: request.group_instance_id,
        generation: request.generation_id,
        protocol_type: request.protocol_type,
        protocol: request.protocol_name,
        assignments,
    };
    let now = broker.now();
    let answer =
        broker.core().groups.get_mut(&request.group_id).map(|group| group.sync(&sync, now));
    let mut response = match answer {
        Some(Answer::Now(response)) => response,
        Some(Answer::Later(synced)) => {
            synced.await.unwrap_or_else(|_| failed(ResponseError::UnknownMemberId))
        }
        None => failed(ResponseError::UnknownMemberId),
    };
    if call.version < 5 {
        (response.protocol_type, response.protocol_name) = (None, None);
    }
    response
}

/// Notes that a member lives.
pub(super) fn heartbeat(broker: &Broker, request: &HeartbeatRequest) -> HeartbeatResponse {
    let now = broker.now();
    let mut core = broker.core();
    let instance = request.group_instance_id.as_ref();
    let group = core.groups.get_mut(&request.group_id).ok_or(ResponseError::UnknownMemberId);
    let lives = group.and_then(|group| {
        group.heartbeat(&request.member_id, instance, request.generation_id, now)
    });
    HeartbeatResponse::default().with_error_code(lives.map_or_else(|error| error.code(), |()| 0))
}

/// Lets members go.
pub(super) fn leave(
    broker: &Broker,
    call: &Call,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let now = broker.now();
    let mut core = broker.core();
    let Some(group) = core.groups.get_mut(&request.group_id) else {
        return LeaveGroupResponse::default()
            .with_error_code(ResponseError::UnknownMemberId.code());
    };
    if call.version < 3 {
        let left = group.leave(&request.member_id, None, now);
        return LeaveGroupResponse::default()
            .with_error_code(left.map_or_else(|error| error.code(), |_| 0));
    }
    let members = request.members.into_iter().map(|member| {
        let left = group.leave(&member.member_id, member.group_instance_id.as_ref(), now);
        let response = MemberResponse::default().with_group_instance_id(member.group_instance_id);
        match left {
            Ok(id) => response.with_member_id(id),
            Err(error) => response.with_member_id(member.member_id).with_error_code(error.code()),
        }
    });
    LeaveGroupResponse::default().with_members(members.collect())
}
