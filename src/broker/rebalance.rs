//! How a group changes: joining, agreeing on a protocol, handing out assignments, leaving, expiring.
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use kafka_protocol::protocol::StrBytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::groups::{Group, MEMBERS_MAX, Member, State};

/// An answer that is there at once, or comes when others have done their part.
pub(super) enum Answer<T> {
    Now(T),
    Later(oneshot::Receiver<T>),
}

/// A request to join.
pub(super) struct Join {
    pub(super) member: Member,
    pub(super) protocol_type: StrBytes,
    /// Whether a new member is first told its id and has to come back with it.
    pub(super) needs_id: bool,
    /// Whether a leader can be told to keep the assignment.
    pub(super) can_skip: bool,
    /// How long the first rebalance of a group waits for more members.
    pub(super) initial_delay_ms: i64,
}

/// A request for an assignment.
pub(super) struct Sync {
    pub(super) member: StrBytes,
    pub(super) instance: Option<StrBytes>,
    pub(super) generation: i32,
    pub(super) protocol_type: Option<StrBytes>,
    pub(super) protocol: Option<StrBytes>,
    pub(super) assignments: Vec<(StrBytes, Bytes)>,
}

impl Group {
    /// Takes a member into the group, or back into it.
    pub(super) fn join(&mut self, join: Join, now: i64) -> Answer<JoinGroupResponse> {
        let id = join.member.id.clone();
        self.try_join(join, now).unwrap_or_else(|error| Answer::Now(refused(error, id)))
    }

    fn try_join(
        &mut self,
        mut join: Join,
        now: i64,
    ) -> Result<Answer<JoinGroupResponse>, ResponseError> {
        if !self.agrees_with(&join) {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        join.member.last_seen_ms = now;
        if join.member.id.is_empty() {
            return self.join_new(join, now);
        }
        if self.pending.remove(&join.member.id).is_some() {
            return Ok(self.add(join, now));
        }
        let (state, protocol) = (self.state, self.protocol.clone());
        let leads = self.leader.as_ref() == Some(&join.member.id);
        let known = self.member(&join.member.id, join.member.instance.as_ref())?;
        let changed = known.protocols != join.member.protocols;
        let settled =
            state == State::Completing && !changed || state == State::Stable && !changed && !leads;
        if settled {
            known.last_seen_ms = now;
            let id = known.id.clone();
            return Ok(Answer::Now(self.join_response(&id)));
        }
        known.protocols = join.member.protocols;
        known.session_timeout_ms = join.member.session_timeout_ms;
        known.rebalance_timeout_ms = join.member.rebalance_timeout_ms;
        tracing::debug!(member = %known.id, %protocol, "a member joins again");
        let id = known.id.clone();
        Ok(self.wait_to_join(&id, join.initial_delay_ms, now))
    }

    fn agrees_with(&self, join: &Join) -> bool {
        if join.protocol_type.is_empty() || join.member.protocols.is_empty() {
            return false;
        }
        let others = || self.members.iter().filter(|member| member.id != join.member.id);
        let speaks = |name: &StrBytes| {
            others().all(|member| member.protocols.iter().any(|(own, _)| own == name))
        };
        others().next().is_none()
            || join.protocol_type == self.protocol_type
                && join.member.protocols.iter().any(|(name, _)| speaks(name))
    }

    fn join_new(
        &mut self,
        mut join: Join,
        now: i64,
    ) -> Result<Answer<JoinGroupResponse>, ResponseError> {
        if self.members.len() + self.pending.len() >= MEMBERS_MAX {
            return Err(ResponseError::GroupMaxSizeReached);
        }
        let stem = join.member.instance.as_ref().unwrap_or(&join.member.client_id);
        join.member.id =
            format!("{stem}-{}", Uuid::from_u128(crate::kafka::random::random_u128())).into();
        if join.member.instance.is_some() {
            let same = |member: &Member| member.instance == join.member.instance;
            if let Some(at) = self.members.iter().position(same) {
                return Ok(self.replace(at, join, now));
            }
        } else if join.needs_id {
            let until = now + i64::from(join.member.session_timeout_ms);
            self.pending.insert(join.member.id.clone(), until);
            return Ok(Answer::Now(refused(ResponseError::MemberIdRequired, join.member.id)));
        }
        Ok(self.add(join, now))
    }

    fn add(&mut self, join: Join, now: i64) -> Answer<JoinGroupResponse> {
        let id = join.member.id.clone();
        self.protocol_type = join.protocol_type;
        self.members.push(join.member);
        self.wait_to_join(&id, join.initial_delay_ms, now)
    }

    /// A static member has come back under a new id. Unless the group would agree on another protocol now, it goes on
    /// without a rebalance, whatever it says of itself.
    fn replace(&mut self, at: usize, join: Join, now: i64) -> Answer<JoinGroupResponse> {
        let mut old = std::mem::replace(&mut self.members[at], join.member);
        if let Some(joining) = old.joining.take() {
            let _ = joining.send(refused(ResponseError::FencedInstanceId, old.id.clone()));
        }
        if let Some(syncing) = old.syncing.take() {
            let _ = syncing.send(
                SyncGroupResponse::default()
                    .with_error_code(ResponseError::FencedInstanceId.code()),
            );
        }
        let led = self.leader.as_ref() == Some(&old.id);
        let member = &mut self.members[at];
        member.assignment = old.assignment.clone();
        let id = member.id.clone();
        if led {
            self.leader = Some(id.clone());
        }
        if self.state != State::Stable || self.choose_protocol().as_ref() != Some(&self.protocol) {
            return self.wait_to_join(&id, join.initial_delay_ms, now);
        }
        let mut response = self.join_response(&id);
        if led && join.can_skip {
            response.skip_assignment = true;
        } else if led {
            // Told the old id of the leader, the member does not take itself for it, and keeps the assignment.
            response.leader = old.id;
            response.members.clear();
        }
        Answer::Now(response)
    }

    fn wait_to_join(
        &mut self,
        id: &str,
        initial_delay_ms: i64,
        now: i64,
    ) -> Answer<JoinGroupResponse> {
        let (joining, joined) = oneshot::channel();
        if let Ok(member) = self.member(id, None) {
            member.joining = Some(joining);
        }
        if self.state == State::Empty && initial_delay_ms > 0 {
            self.is_initial = true;
            self.rebalance_until = now + initial_delay_ms;
            self.state = State::Preparing;
        }
        self.rebalance(now);
        Answer::Later(joined)
    }

    /// Starts a rebalance unless one is running, and ends it if nobody is missing.
    fn rebalance(&mut self, now: i64) {
        if self.state != State::Preparing {
            for member in &mut self.members {
                if let Some(syncing) = member.syncing.take() {
                    let error = ResponseError::RebalanceInProgress.code();
                    let _ = syncing.send(SyncGroupResponse::default().with_error_code(error));
                }
            }
            let timeout =
                self.members.iter().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0);
            self.rebalance_until = now + i64::from(timeout);
            self.is_initial = false;
            self.state = State::Preparing;
        }
        let all =
            self.pending.is_empty() && self.members.iter().all(|member| member.joining.is_some());
        if all && !self.is_initial {
            self.complete(now);
        }
    }

    /// Ends a rebalance with those who have joined.
    fn complete(&mut self, now: i64) {
        self.members.retain(|member| member.joining.is_some() || member.instance.is_some());
        self.is_initial = false;
        let joined = |member: &&Member| member.joining.is_some();
        let Some(first) = self.members.iter().find(joined).map(|member| member.id.clone()) else {
            if self.members.is_empty() {
                self.generation += 1;
                (self.state, self.leader, self.protocol) =
                    (State::Empty, None, StrBytes::default());
            } else {
                let timeout = self
                    .members
                    .iter()
                    .map(|member| member.rebalance_timeout_ms)
                    .max()
                    .unwrap_or(0);
                self.rebalance_until = now + i64::from(timeout);
            }
            return;
        };
        let leads =
            |member: &Member| self.leader.as_ref() == Some(&member.id) && member.joining.is_some();
        if !self.members.iter().any(leads) {
            self.leader = Some(first);
        }
        self.generation += 1;
        self.protocol = self.choose_protocol().unwrap_or_default();
        self.state = State::Completing;
        for at in 0..self.members.len() {
            let response = self.join_response(&self.members[at].id.clone());
            let member = &mut self.members[at];
            member.last_seen_ms = now;
            member.assignment = Bytes::new();
            if let Some(joining) = member.joining.take() {
                let _ = joining.send(response);
            }
        }
    }

    /// The protocol that all speak and most prefer.
    fn choose_protocol(&self) -> Option<StrBytes> {
        let spoken = |name: &StrBytes| {
            self.members.iter().all(|other| other.protocols.iter().any(|(own, _)| own == name))
        };
        let votes: Vec<&StrBytes> = self
            .members
            .iter()
            .filter_map(|member| {
                member.protocols.iter().map(|(name, _)| name).find(|name| spoken(name))
            })
            .collect();
        let count = |name: &StrBytes| votes.iter().filter(|vote| **vote == name).count();
        // Of equals the first member's choice: `max_by_key` would take the last.
        votes.iter().rev().max_by_key(|name| count(name)).map(|name| (*name).clone())
    }

    fn join_response(&self, id: &StrBytes) -> JoinGroupResponse {
        let leads = self.leader.as_ref() == Some(id);
        let describe = |member: &Member| {
            JoinGroupResponseMember::default()
                .with_member_id(member.id.clone())
                .with_group_instance_id(member.instance.clone())
                .with_metadata(member.metadata(&self.protocol))
        };
        let members = if leads { self.members.iter().map(describe).collect() } else { Vec::new() };
        JoinGroupResponse::default()
            .with_generation_id(self.generation)
            .with_protocol_type(Some(self.protocol_type.clone()))
            .with_protocol_name(Some(self.protocol.clone()))
            .with_leader(self.leader.clone().unwrap_or_default())
            .with_member_id(id.clone())
            .with_members(members)
    }

    /// Gives a member its assignment, once the leader has handed them in.
    pub(super) fn sync(&mut self, sync: &Sync, now: i64) -> Answer<SyncGroupResponse> {
        let refused = |error: ResponseError| {
            Answer::Now(SyncGroupResponse::default().with_error_code(error.code()))
        };
        self.try_sync(sync, now).unwrap_or_else(refused)
    }

    fn try_sync(
        &mut self,
        sync: &Sync,
        now: i64,
    ) -> Result<Answer<SyncGroupResponse>, ResponseError> {
        let (generation, state) = (self.generation, self.state);
        let agreed = sync.protocol_type.as_ref().is_none_or(|name| *name == self.protocol_type)
            && sync.protocol.as_ref().is_none_or(|name| *name == self.protocol);
        let leads = self.leader.as_ref() == Some(&sync.member);
        let member = self.member(&sync.member, sync.instance.as_ref())?;
        if sync.generation != generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if !agreed {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        member.last_seen_ms = now;
        match state {
            State::Empty => Err(ResponseError::UnknownMemberId),
            State::Preparing => Err(ResponseError::RebalanceInProgress),
            State::Stable => {
                let assignment = member.assignment.clone();
                Ok(Answer::Now(self.sync_response(assignment)))
            }
            State::Completing => {
                let (syncing, synced) = oneshot::channel();
                member.syncing = Some(syncing);
                if leads {
                    self.assign(&sync.assignments, now);
                }
                Ok(Answer::Later(synced))
            }
        }
    }

    fn assign(&mut self, assignments: &[(StrBytes, Bytes)], now: i64) {
        self.state = State::Stable;
        for at in 0..self.members.len() {
            let id = &self.members[at].id;
            let own = assignments
                .iter()
                .find(|(member, _)| member == id)
                .map(|(_, assignment)| assignment.clone());
            let response = self.sync_response(own.clone().unwrap_or_default());
            let member = &mut self.members[at];
            member.assignment = own.unwrap_or_default();
            if let Some(syncing) = member.syncing.take() {
                member.last_seen_ms = now;
                let _ = syncing.send(response);
            }
        }
    }

    fn sync_response(&self, assignment: Bytes) -> SyncGroupResponse {
        SyncGroupResponse::default()
            .with_protocol_type(Some(self.protocol_type.clone()))
            .with_protocol_name(Some(self.protocol.clone()))
            .with_assignment(assignment)
    }

    /// Notes that a member lives; an error tells it to join again.
    pub(super) fn heartbeat(
        &mut self,
        id: &str,
        instance: Option<&StrBytes>,
        generation: i32,
        now: i64,
    ) -> Result<(), ResponseError> {
        let (current, state) = (self.generation, self.state);
        let member = self.member(id, instance)?;
        if generation != current {
            return Err(ResponseError::IllegalGeneration);
        }
        member.last_seen_ms = now;
        if state == State::Preparing { Err(ResponseError::RebalanceInProgress) } else { Ok(()) }
    }

    /// Lets a member go. An administrator may name the instance alone.
    pub(super) fn leave(
        &mut self,
        id: &str,
        instance: Option<&StrBytes>,
        now: i64,
    ) -> Result<StrBytes, ResponseError> {
        if self.pending.remove(&StrBytes::from_string(id.to_owned())).is_some() {
            self.rebalance_if_running(now);
            return Ok(StrBytes::from_string(id.to_owned()));
        }
        let by_instance = |member: &&Member| {
            id.is_empty() && instance.is_some() && member.instance.as_ref() == instance
        };
        let id = match self.members.iter().find(by_instance) {
            Some(member) => member.id.clone(),
            None => self.member(id, instance)?.id.clone(),
        };
        self.remove(&id, now);
        Ok(id)
    }

    fn remove(&mut self, id: &StrBytes, now: i64) {
        self.members.retain(|member| member.id != *id);
        if self.leader.as_ref() == Some(id) {
            self.leader = None;
        }
        self.rebalance(now);
    }

    fn rebalance_if_running(&mut self, now: i64) {
        if self.state == State::Preparing {
            self.rebalance(now);
        }
    }

    /// Lets go of members that were silent for too long, and ends a rebalance whose time is over.
    pub(super) fn tick(&mut self, now: i64) {
        let silent = |member: &&Member| {
            member.joining.is_none()
                && member.syncing.is_none()
                && now - member.last_seen_ms > i64::from(member.session_timeout_ms)
        };
        let gone: Vec<StrBytes> =
            self.members.iter().filter(silent).map(|member| member.id.clone()).collect();
        for id in gone {
            tracing::info!(member = %id, "a member's session has expired");
            self.remove(&id, now);
        }
        let before = self.pending.len();
        self.pending.retain(|_, until| *until > now);
        if self.pending.len() < before {
            self.rebalance_if_running(now);
        }
        if self.state == State::Preparing && now >= self.rebalance_until {
            self.pending.clear();
            self.complete(now);
        }
    }
}

fn refused(error: ResponseError, member: StrBytes) -> JoinGroupResponse {
    JoinGroupResponse::default()
        .with_error_code(error.code())
        .with_generation_id(-1)
        .with_member_id(member)
}
