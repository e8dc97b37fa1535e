//! A member of a group: joins, is told its assignment, and stays by its heartbeats.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{CommittedOffset, GroupMetadata, GroupOffsets};
use crate::kafka::api::Api;
use crate::kafka::clock;
use crate::kafka::cluster::{Cluster, text};
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// How a member joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipOptions {
    /// The id of the group.
    pub group: String,
    /// What kind of group it is; members of another kind are refused.
    pub protocol_type: String,
    /// The ways of assigning that the member knows, best first, each with what the leader is to know of the member.
    pub protocols: Vec<(String, Bytes)>,
    /// A name by which the member keeps its assignment over a restart.
    pub instance_id: Option<String>,
    /// After how long without a heartbeat the member is out.
    pub session_timeout: Duration,
    /// How long a rebalance waits for the member.
    pub rebalance_timeout: Duration,
    /// The time between heartbeats.
    pub heartbeat_interval: Duration,
}

impl MembershipOptions {
    /// A consumer's membership, with the cluster's configuration.
    pub fn new(cluster: &Cluster, group: &str, protocols: Vec<(String, Bytes)>) -> Self {
        let config = cluster.config();
        Self {
            group: group.to_owned(),
            protocol_type: "consumer".to_owned(),
            protocols,
            instance_id: config.group_instance_id.clone(),
            session_timeout: config.session_timeout,
            rebalance_timeout: config.poll_interval_max,
            heartbeat_interval: config.heartbeat_interval,
        }
    }
}

/// A member as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    /// The id that the coordinator gave it.
    pub member_id: String,
    /// Its `group.instance.id`, if it has one.
    pub instance_id: Option<String>,
    /// What it joined with under the protocol that was chosen.
    pub metadata: Bytes,
}

/// What the leader decides about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leadership {
    /// The generation.
    pub generation: i32,
    /// The protocol that all members know.
    pub protocol: String,
    /// All members, the longest-standing first as far as the coordinator says so.
    pub members: Vec<JoinedMember>,
}

/// What a member was assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The generation; it passes with the next rebalance.
    pub generation: i32,
    /// The protocol that was chosen.
    pub protocol: String,
    /// Whether this member is the leader.
    pub is_leader: bool,
    /// What the leader has assigned to this member.
    pub assignment: Bytes,
}

/// Where a member stands, as of its last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberState {
    /// It has not joined, or has left.
    Out,
    /// It has its assignment.
    Stable,
    /// Others come or go: finish and commit what is under way, then join again.
    Rebalancing,
    /// The group went on without it; what it does now no longer counts. It may join again.
    Lost,
    /// It cannot stay.
    Failed(KafkaError),
}

/// Membership in a group. Dropping it ends the heartbeats; [`Self::leave`] tells the others at once.
#[derive(Debug)]
pub struct Membership {
    options: MembershipOptions,
    offsets: Arc<GroupOffsets>,
    member_id: String,
    generation: i32,
    state: Arc<watch::Sender<MemberState>>,
    heartbeats: Option<JoinHandle<()>>,
}

impl Membership {
    /// Prepares a membership; [`Self::join`] makes it one.
    pub fn new(cluster: &Cluster, options: MembershipOptions) -> Self {
        let offsets = Arc::new(GroupOffsets::new(cluster, &options.group));
        let state = Arc::new(watch::Sender::new(MemberState::Out));
        Self { options, offsets, member_id: String::new(), generation: -1, state, heartbeats: None }
    }

    /// Joins, or joins again after a rebalance. If this member becomes the leader, `assign` says who gets what, by member id.
    ///
    /// Waits for the other members, at most their rebalance time-out. That other members have no protocol in common with
    /// this one is the error `INCONSISTENT_GROUP_PROTOCOL`.
    pub async fn join<F>(
        &mut self,
        mut assign: impl FnMut(Leadership) -> F,
    ) -> Result<Assigned, KafkaError>
    where
        F: Future<Output = Result<Vec<(String, Bytes)>, KafkaError>>,
    {
        loop {
            self.stop_heartbeats();
            let joined = self.join_round().await?;
            self.generation = joined.generation_id;
            let protocol = joined.protocol_name.as_deref().unwrap_or_default().to_owned();
            let is_leader = joined.leader == joined.member_id;
            let assignments =
                if is_leader { assign(leadership(&joined, &protocol)).await? } else { Vec::new() };
            match self.sync(assignments).await {
                Ok(response) => {
                    self.start_heartbeats();
                    let (generation, assignment) = (self.generation, response.assignment);
                    return Ok(Assigned { generation, protocol, is_leader, assignment });
                }
                Err(error) if self.may_rejoin(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn join_round(&mut self) -> Result<JoinGroupResponse, KafkaError> {
        loop {
            let request = self.join_request();
            let group = &self.options.group;
            let check = |response: &JoinGroupResponse| {
                // The coordinator gives an id first, so that one who never comes back is not waited for.
                let is_id_given = response.error_code == ResponseError::MemberIdRequired.code();
                KafkaError::check(
                    JoinGroupRequest::NAME,
                    group,
                    if is_id_given { 0 } else { response.error_code },
                )
            };
            let within = self.options.rebalance_timeout;
            match self.offsets.coordinator.call_long(&request, within, check).await {
                Ok(response) => {
                    self.member_id = response.member_id.to_string();
                    if response.error_code == 0 {
                        return Ok(response);
                    }
                }
                Err(error) if self.may_rejoin(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn join_request(&self) -> JoinGroupRequest {
        let protocol = |(name, metadata): &(String, Bytes)| {
            JoinGroupRequestProtocol::default()
                .with_name(text(name))
                .with_metadata(metadata.clone())
        };
        JoinGroupRequest::default()
            .with_group_id(GroupId(text(&self.options.group)))
            .with_session_timeout_ms(millis(self.options.session_timeout))
            .with_rebalance_timeout_ms(millis(self.options.rebalance_timeout))
            .with_member_id(text(&self.member_id))
            .with_group_instance_id(self.instance_id())
            .with_protocol_type(text(&self.options.protocol_type))
            .with_protocols(self.options.protocols.iter().map(protocol).collect())
    }

    async fn sync(
        &self,
        assignments: Vec<(String, Bytes)>,
    ) -> Result<SyncGroupResponse, KafkaError> {
        let assignment = |(member, assignment): (String, Bytes)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(StrBytes::from_string(member))
                .with_assignment(assignment)
        };
        let request = SyncGroupRequest::default()
            .with_group_id(GroupId(text(&self.options.group)))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.member_id))
            .with_group_instance_id(self.instance_id())
            .with_assignments(assignments.into_iter().map(assignment).collect());
        let group = &self.options.group;
        let check = |response: &SyncGroupResponse| {
            KafkaError::check(SyncGroupRequest::NAME, group, response.error_code)
        };
        self.offsets.coordinator.call_long(&request, self.options.rebalance_timeout, check).await
    }

    /// Whether joining again mends an error; a member that the coordinator does not know gets a new id.
    fn may_rejoin(&mut self, error: &KafkaError) -> bool {
        match error.code() {
            Some(ResponseError::RebalanceInProgress) => true,
            Some(ResponseError::IllegalGeneration) => {
                self.generation = -1;
                true
            }
            Some(ResponseError::UnknownMemberId) => {
                self.member_id.clear();
                true
            }
            _ => false,
        }
    }

    fn instance_id(&self) -> Option<StrBytes> {
        self.options.instance_id.as_deref().map(text)
    }

    fn start_heartbeats(&mut self) {
        self.state.send_replace(MemberState::Stable);
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(text(&self.options.group)))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.member_id))
            .with_group_instance_id(self.instance_id());
        let (offsets, state) = (self.offsets.clone(), self.state.clone());
        let (interval, session) = (self.options.heartbeat_interval, self.options.session_timeout);
        self.heartbeats = Some(tokio::spawn(beat(offsets, state, request, (interval, session))));
    }

    fn stop_heartbeats(&mut self) {
        if let Some(heartbeats) = self.heartbeats.take() {
            heartbeats.abort();
        }
        self.state.send_replace(MemberState::Out);
    }

    /// Where this member stands.
    pub fn state(&self) -> MemberState {
        self.state.borrow().clone()
    }

    /// Waits until this member is anything but stable, and says what.
    pub async fn changed(&self) -> MemberState {
        let mut state = self.state.subscribe();
        let changed = state.wait_for(|state| *state != MemberState::Stable).await;
        changed.map_or(MemberState::Out, |state| state.clone())
    }

    /// Who this member is, for commits in a transaction.
    pub fn metadata(&self) -> GroupMetadata {
        GroupMetadata {
            group: self.options.group.clone(),
            generation: self.generation,
            member_id: self.member_id.clone(),
            instance_id: self.options.instance_id.clone(),
        }
    }

    /// Replaces what the member says of itself when it joins next.
    pub fn set_protocols(&mut self, protocols: Vec<(String, Bytes)>) {
        self.options.protocols = protocols;
    }

    /// Commits offsets as this member of this generation; a stale one is refused.
    pub async fn commit(
        &self,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), KafkaError> {
        self.offsets.commit_as(&self.metadata(), offsets).await
    }

    /// The group's offsets.
    pub fn offsets(&self) -> &GroupOffsets {
        &self.offsets
    }

    /// Leaves, so that the others need not wait for the session to time out. A static member stays a member.
    pub async fn leave(mut self) -> Result<(), KafkaError> {
        self.stop_heartbeats();
        if self.member_id.is_empty() || self.options.instance_id.is_some() {
            return Ok(());
        }
        let member = MemberIdentity::default().with_member_id(text(&self.member_id));
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(text(&self.options.group)))
            .with_members(vec![member]);
        let group = &self.options.group;
        let check = |response: &LeaveGroupResponse| {
            KafkaError::check(LeaveGroupRequest::NAME, group, response.error_code)
        };
        self.offsets.coordinator.call(&request, check).await.map(drop)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.stop_heartbeats();
    }
}

fn leadership(joined: &JoinGroupResponse, protocol: &str) -> Leadership {
    let member =
        |member: &kafka_protocol::messages::join_group_response::JoinGroupResponseMember| {
            JoinedMember {
                member_id: member.member_id.to_string(),
                instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
                metadata: member.metadata.clone(),
            }
        };
    let members = joined.members.iter().map(member).collect();
    Leadership { generation: joined.generation_id, protocol: protocol.to_owned(), members }
}

/// Sends heartbeats until the member is out; a session that the coordinator could not be reached for is over.
async fn beat(
    offsets: Arc<GroupOffsets>,
    state: Arc<watch::Sender<MemberState>>,
    request: HeartbeatRequest,
    (interval, session): (Duration, Duration),
) {
    let mut last = clock::now();
    let mut pause = interval;
    loop {
        tokio::time::sleep(pause).await;
        let check = |response: &HeartbeatResponse| {
            KafkaError::check(HeartbeatRequest::NAME, offsets.group(), response.error_code)
        };
        let result = offsets.coordinator.call_once(&request, Duration::ZERO, check).await;
        pause = interval;
        let next = match result {
            Ok(_) => {
                last = clock::now();
                continue;
            }
            Err(error) => match error.code() {
                Some(ResponseError::RebalanceInProgress) => {
                    last = clock::now();
                    MemberState::Rebalancing
                }
                Some(ResponseError::IllegalGeneration | ResponseError::UnknownMemberId) => {
                    MemberState::Lost
                }
                _ if error.is_retriable() && last.elapsed() < session => {
                    offsets.coordinator.learn(&error).await;
                    pause = interval / 10;
                    continue;
                }
                _ if error.is_retriable() => MemberState::Lost,
                _ => MemberState::Failed(error),
            },
        };
        let is_over = next != MemberState::Rebalancing;
        state.send_replace(next);
        if is_over {
            return;
        }
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
