//! A member of a group: joins, is told its assignment, and stays by its heartbeats.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::heartbeat::{Heart, MemberState};
use super::metadata::{Assigned, GroupMetadata, JoinedMember, Leadership, MembershipOptions};
use super::offsets::{CommittedOffset, GroupOffsets};
use crate::kafka::api::Api;
use crate::kafka::cluster::{Cluster, text};
use crate::kafka::error::KafkaError;
use crate::kafka::lease::{Lease, SessionClock, SessionTime};
use crate::kafka::partition::TopicPartition;

/// Membership in a group. Dropping it ends the heartbeats; [`Self::leave`] tells the others at once.
#[derive(Debug)]
pub struct Membership {
    cluster: Cluster,
    options: MembershipOptions,
    offsets: Arc<GroupOffsets>,
    member_id: String,
    generation: i32,
    state: Arc<watch::Sender<MemberState>>,
    lease: Lease,
    heartbeats: Option<JoinHandle<()>>,
}

impl Membership {
    /// Prepares a membership; [`Self::join`] makes it one.
    pub fn new(cluster: &Cluster, options: MembershipOptions) -> Self {
        Self::with_clock(cluster, options, SessionClock::system())
    }

    /// The same, with other clocks for the session.
    pub fn with_clock(cluster: &Cluster, options: MembershipOptions, clock: SessionClock) -> Self {
        Self {
            cluster: cluster.clone(),
            offsets: Arc::new(GroupOffsets::new(cluster, &options.group)),
            options,
            member_id: String::new(),
            generation: -1,
            state: Arc::new(watch::Sender::new(MemberState::Out)),
            lease: Lease::new(clock),
            heartbeats: None,
        }
    }

    /// Joins, or joins again after a rebalance. If this member becomes the leader, `assign` says who gets what, by member
    /// id; a static member that comes back as the leader may find that nothing is to be assigned.
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
        if let MemberState::Fenced(error) = self.state() {
            return Err(error);
        }
        self.leave_for_ghosts().await?;
        let (was, generation) = (self.member_id.clone(), self.generation);
        loop {
            self.stop_heartbeats();
            let joined = self.join_round().await?;
            self.generation = joined.generation_id;
            let protocol = joined.protocol_name.as_deref().unwrap_or_default().to_owned();
            let is_leader = joined.leader == joined.member_id;
            let assignments = if is_leader && !joined.skip_assignment {
                assign(leadership(&joined, &protocol)).await?
            } else {
                Vec::new()
            };
            match self.sync(assignments).await {
                Ok((response, synced)) => {
                    // Who has missed a generation does not know what others have written in it.
                    let is_next = matches!(self.generation.wrapping_sub(generation), 0 | 1);
                    self.keep_lease(was.is_empty() || was == self.member_id && is_next);
                    self.start_heartbeats(synced);
                    let (generation, assignment) = (self.generation, response.assignment);
                    return Ok(Assigned { generation, protocol, is_leader, assignment });
                }
                Err(error) => self.rejoin_or_fail(error)?,
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
                Err(error) => self.rejoin_or_fail(error)?,
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

    /// Asks for the assignment: that, and when the request was sent that was answered.
    async fn sync(
        &self,
        assignments: Vec<(String, Bytes)>,
    ) -> Result<(SyncGroupResponse, SessionTime), KafkaError> {
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
        let clock = self.lease.clock();
        let sending = Mutex::new(clock.now());
        let note = || *sending.lock().unwrap_or_else(PoisonError::into_inner) = clock.now();
        let (coordinator, within) = (&self.offsets.coordinator, self.options.rebalance_timeout);
        let response = coordinator.call_watched(&request, within, check, note).await?;
        Ok((response, sending.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Makes ready for joining again, if that mends an error: a member that the coordinator does not know gets a new id.
    /// One that was fenced says so.
    fn rejoin_or_fail(&mut self, error: KafkaError) -> Result<(), KafkaError> {
        match error.code() {
            Some(ResponseError::RebalanceInProgress) => Ok(()),
            Some(ResponseError::IllegalGeneration) => {
                self.generation = -1;
                Ok(())
            }
            Some(ResponseError::UnknownMemberId) => {
                self.member_id.clear();
                Ok(())
            }
            Some(ResponseError::FencedInstanceId) => {
                let fenced = self.offsets.fenced(self.options.instance_id.as_deref(), error);
                self.lease.end();
                self.state.send_replace(MemberState::Fenced(fenced.clone()));
                Err(fenced)
            }
            _ => Err(error),
        }
    }

    fn instance_id(&self) -> Option<StrBytes> {
        self.options.instance_id.as_deref().map(text)
    }

    /// Keeps the lease over a rebalance if it `is_unbroken`: if nobody else can have held this member's share since it was
    /// given. Otherwise it is over, and another one begins.
    fn keep_lease(&mut self, is_unbroken: bool) {
        if is_unbroken && !self.lease.is_over() {
            return;
        }
        self.lease.end();
        self.lease = Lease::new(self.lease.clock().clone());
    }

    fn start_heartbeats(&mut self, synced: SessionTime) {
        self.lease.renew(synced, self.options.session_timeout);
        self.state.send_replace(MemberState::Stable);
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(text(&self.options.group)))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.member_id))
            .with_group_instance_id(self.instance_id());
        let heart = Heart {
            offsets: self.offsets.clone(),
            state: self.state.clone(),
            lease: self.lease.clone(),
            request,
            interval: self.options.heartbeat_interval,
            session: self.options.session_timeout,
            rebalance: self.options.rebalance_timeout,
        };
        self.heartbeats = Some(tokio::spawn(heart.beat(synced)));
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

    /// Whether this member may write, for whoever writes on its behalf: it is closed as soon as the session may be over.
    ///
    /// It is the same lease as long as nobody else can have had what this member was assigned, over rebalances too. Once
    /// it is over, the member has another one when it has joined again. Whoever gives up what he has under it may end it.
    pub fn lease(&self) -> Lease {
        self.lease.clone()
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

    /// Commits offsets as this member of this generation, under its lease; a stale one is refused.
    pub async fn commit(
        &self,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), KafkaError> {
        let member = self.metadata();
        let committed = self.offsets.commit_leased(&member, Some(&self.lease), offsets).await;
        match (committed, self.state()) {
            (Err(KafkaError::StaleMember), MemberState::Fenced(error)) => Err(error),
            (committed, _) => committed,
        }
    }

    /// The group's offsets.
    pub fn offsets(&self) -> &GroupOffsets {
        &self.offsets
    }

    /// Leaves, so that the others need not wait for the session to time out. A static member leaves too; one that is only
    /// dropped keeps its place until its session is over, and takes it again if it comes back before.
    pub async fn leave(mut self) -> Result<(), KafkaError> {
        let is_fenced = matches!(self.state(), MemberState::Fenced(_));
        self.stop_heartbeats();
        self.lease.end();
        if self.member_id.is_empty() || is_fenced {
            return Ok(());
        }
        let member = MemberIdentity::default()
            .with_member_id(text(&self.member_id))
            .with_group_instance_id(self.instance_id());
        self.leave_as(vec![member]).await?;
        self.member_id.clear();
        Ok(())
    }

    /// Leaves for members that this process was before and that may still be thought to be there.
    async fn leave_for_ghosts(&self) -> Result<(), KafkaError> {
        let ghosts = self.cluster.ghosts().take(&self.options.group);
        if ghosts.is_empty() {
            return Ok(());
        }
        let member = |id: &String| MemberIdentity::default().with_member_id(text(id));
        let left = self.leave_as(ghosts.iter().map(member).collect()).await;
        if let Err(error) = &left
            && error.is_retriable()
        {
            let ghosts = ghosts.into_iter();
            ghosts.for_each(|ghost| self.cluster.ghosts().add(&self.options.group, ghost));
        }
        left
    }

    async fn leave_as(&self, members: Vec<MemberIdentity>) -> Result<(), KafkaError> {
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(text(&self.options.group)))
            .with_members(members);
        let group = &self.options.group;
        let check = |response: &LeaveGroupResponse| {
            // Who is not known has left already, one way or another.
            let gone = [ResponseError::UnknownMemberId, ResponseError::FencedInstanceId];
            let codes = response.members.iter().map(|member| member.error_code);
            let mut codes = std::iter::once(response.error_code).chain(codes);
            codes.try_for_each(|code| {
                let is_gone = gone.iter().any(|gone| gone.code() == code);
                KafkaError::check(LeaveGroupRequest::NAME, group, if is_gone { 0 } else { code })
            })
        };
        self.offsets.coordinator.call(&request, check).await.map(drop)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.stop_heartbeats();
        self.lease.end();
        if !self.member_id.is_empty() && self.options.instance_id.is_none() {
            let member_id = std::mem::take(&mut self.member_id);
            self.cluster.ghosts().add(&self.options.group, member_id);
        }
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

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
