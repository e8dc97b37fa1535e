//! Consumer groups: joining, generations, static members, sessions.
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DescribeGroupsRequest, GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, OffsetCommitRequest, SyncGroupRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use millstream::broker::EmbeddedBroker;

use crate::wire::{Wire, text};
use crate::{StillClock, start};

fn join_request(member: &StrBytes, instance: Option<&str>) -> JoinGroupRequest {
    let protocol = |name| {
        JoinGroupRequestProtocol::default()
            .with_name(text(name))
            .with_metadata(Bytes::from_static(b"m"))
    };
    JoinGroupRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(20_000)
        .with_member_id(member.clone())
        .with_group_instance_id(instance.map(text))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol("best"), protocol("other")])
}

/// Joins as a new member, as far as the answer for all.
async fn join(wire: &mut Wire, instance: Option<&str>) -> JoinGroupResponse {
    let response = wire.call(9, &join_request(&text(""), instance)).await;
    if response.error_code != ResponseError::MemberIdRequired.code() {
        return response;
    }
    wire.call(9, &join_request(&response.member_id, instance)).await
}

/// Hands in or asks for assignments.
async fn sync(
    wire: &mut Wire,
    joined: &JoinGroupResponse,
    assignments: &[(&StrBytes, &'static str)],
) -> (i16, Bytes) {
    let assignments = assignments.iter().map(|(member, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id((*member).clone())
            .with_assignment(Bytes::from_static(assignment.as_bytes()))
    });
    let request = sync_request(joined).with_assignments(assignments.collect());
    let response = wire.call(3, &request).await;
    (response.error_code, response.assignment)
}

async fn heartbeat(wire: &mut Wire, joined: &JoinGroupResponse) -> i16 {
    wire.call(4, &heartbeat_request(joined)).await.error_code
}

async fn commit(wire: &mut Wire, joined: &JoinGroupResponse, offset: i64) -> i16 {
    let response = wire.call(8, &commit_request(joined, offset)).await;
    response.topics[0].partitions[0].error_code
}

fn sync_request(joined: &JoinGroupResponse) -> SyncGroupRequest {
    SyncGroupRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
}

fn heartbeat_request(joined: &JoinGroupResponse) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
}

fn commit_request(joined: &JoinGroupResponse, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text("a")))
        .with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_generation_id_or_member_epoch(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_topics(vec![topic])
}

#[tokio::test]
async fn two_members_agree_and_one_takes_over() {
    let broker = start().await;
    let (mut one, mut two) = (Wire::connect(&broker).await, Wire::connect(&broker).await);
    one.create("a", 1, &[]).await;
    let first = join(&mut one, None).await;
    assert_eq!((first.error_code, first.generation_id), (0, 1));
    assert_eq!(first.leader, first.member_id);
    assert_eq!(first.protocol_name, Some(text("best")));
    assert_eq!(sync(&mut one, &first, &[(&first.member_id, "all")]).await, (0, "all".into()));
    assert_eq!(commit(&mut one, &first, 3).await, 0);

    let joining = tokio::spawn(async move { (join(&mut two, None).await, two) });
    while heartbeat(&mut one, &first).await != ResponseError::RebalanceInProgress.code() {
        tokio::task::yield_now().await;
    }
    let first = one.call(9, &join_request(&first.member_id, None)).await;
    let (second, mut two) = joining.await.unwrap();
    assert_eq!((first.generation_id, second.generation_id), (2, 2));
    assert_eq!((first.members.len(), second.members.len()), (2, 0));
    assert_eq!(commit(&mut one, &first, 4).await, ResponseError::RebalanceInProgress.code());
    let waiting = tokio::spawn(async move { (sync(&mut two, &second, &[]).await, second, two) });
    let assignments = [(&first.member_id, "half"), (&first.members[1].member_id, "other half")];
    assert_eq!(sync(&mut one, &first, &assignments).await, (0, "half".into()));
    let (synced, second, mut two) = waiting.await.unwrap();
    assert_eq!(synced, (0, "other half".into()));

    let member = MemberIdentity::default().with_member_id(first.member_id.clone());
    let leave =
        LeaveGroupRequest::default().with_group_id(GroupId(text("g"))).with_members(vec![member]);
    assert_eq!(one.call(5, &leave).await.members[0].error_code, 0);
    assert_eq!(commit(&mut one, &first, 5).await, ResponseError::UnknownMemberId.code());
    let second = two.call(9, &join_request(&second.member_id, None)).await;
    assert_eq!((second.generation_id, &second.leader), (3, &second.member_id));
}

#[tokio::test]
async fn a_static_member_comes_back_without_a_rebalance() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    let first = join(&mut wire, Some("one")).await;
    sync(&mut wire, &first, &[(&first.member_id, "mine")]).await;
    let again = join(&mut wire, Some("one")).await;
    assert_eq!(
        (again.error_code, again.generation_id, again.skip_assignment),
        (0, first.generation_id, true)
    );
    assert_ne!(again.member_id, first.member_id);
    assert_eq!(sync(&mut wire, &again, &[]).await, (0, "mine".into()));
    assert_eq!(heartbeat(&mut wire, &first).await, ResponseError::UnknownMemberId.code());
    let mut fenced = join_request(&first.member_id, Some("one"));
    fenced.reason = None;
    assert_eq!(wire.call(9, &fenced).await.error_code, ResponseError::FencedInstanceId.code());
}

#[tokio::test]
async fn who_names_an_instance_must_be_its_latest_member() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 1, &[]).await;
    let old = join(&mut wire, Some("one")).await;
    sync(&mut wire, &old, &[(&old.member_id, "mine")]).await;
    let new = join(&mut wire, Some("one")).await;
    let (fenced, unknown) =
        (ResponseError::FencedInstanceId.code(), ResponseError::UnknownMemberId.code());
    for (joined, instance, expected) in
        [(&old, "one", fenced), (&new, "one", 0), (&new, "two", unknown), (&old, "two", unknown)]
    {
        let instance = Some(text(instance));
        let request = heartbeat_request(joined).with_group_instance_id(instance.clone());
        assert_eq!(wire.call(4, &request).await.error_code, expected);
        let request = sync_request(joined).with_group_instance_id(instance.clone());
        assert_eq!(wire.call(4, &request).await.error_code, expected);
        let request = commit_request(joined, 1).with_group_instance_id(instance);
        let response = wire.call(8, &request).await;
        assert_eq!(response.topics[0].partitions[0].error_code, expected);
    }
    let mut leave = async |member: &StrBytes, instance: &str| {
        let member = MemberIdentity::default()
            .with_member_id(member.clone())
            .with_group_instance_id(Some(text(instance)));
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(text("g")))
            .with_members(vec![member]);
        wire.call(5, &request).await.members[0].error_code
    };
    assert_eq!(leave(&old.member_id, "one").await, fenced);
    assert_eq!(leave(&new.member_id, "two").await, unknown);
    // An administrator names the instance alone.
    assert_eq!(leave(&text(""), "one").await, 0);
    assert_eq!(leave(&new.member_id, "one").await, unknown);
}

#[tokio::test]
async fn a_silent_member_is_let_go() {
    let clock = StillClock::new(0);
    let broker = EmbeddedBroker::start(clock.config()).await.unwrap();
    let mut wire = Wire::connect(&broker).await;
    let joined = join(&mut wire, None).await;
    sync(&mut wire, &joined, &[]).await;
    clock.advance(9_000);
    assert_eq!(heartbeat(&mut wire, &joined).await, 0);
    clock.advance(10_001);
    let describe = DescribeGroupsRequest::default().with_groups(vec![GroupId(text("g"))]);
    while &*wire.call(5, &describe).await.groups[0].group_state != "Empty" {
        tokio::task::yield_now().await;
    }
    assert_eq!(heartbeat(&mut wire, &joined).await, ResponseError::UnknownMemberId.code());
}

#[tokio::test]
async fn who_does_not_join_again_in_time_is_left_behind() {
    let clock = StillClock::new(0);
    let broker = EmbeddedBroker::start(clock.config()).await.unwrap();
    let (mut one, mut two) = (Wire::connect(&broker).await, Wire::connect(&broker).await);
    let first = join(&mut one, None).await;
    sync(&mut one, &first, &[]).await;
    let joining = tokio::spawn(async move { join(&mut two, None).await });
    while heartbeat(&mut one, &first).await != ResponseError::RebalanceInProgress.code() {
        tokio::task::yield_now().await;
    }
    clock.advance(20_001);
    let second = joining.await.unwrap();
    assert_eq!((second.error_code, second.members.len()), (0, 1));
    assert_eq!(second.leader, second.member_id);
}

#[tokio::test]
async fn members_must_share_a_protocol() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    join(&mut wire, None).await;
    let other = JoinGroupRequestProtocol::default().with_name(text("foreign"));
    let request = join_request(&text(""), None).with_protocols(vec![other]);
    assert_eq!(
        wire.call(9, &request).await.error_code,
        ResponseError::InconsistentGroupProtocol.code()
    );
    let request = join_request(&text(""), None).with_protocol_type(text("connect"));
    assert_eq!(
        wire.call(9, &request).await.error_code,
        ResponseError::InconsistentGroupProtocol.code()
    );
    let unknown = join_request(&text("nobody"), None);
    assert_eq!(wire.call(9, &unknown).await.error_code, ResponseError::UnknownMemberId.code());
}
