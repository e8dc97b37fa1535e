//! What keeps a member in its group, and its lease open.
//!
//! ```text
//! sync ─ Stable ─ beat ─ beat ─┬─ a rebalance: Rebalancing, beating on
//!                              ├─ the group went on, or the coordinator was silent for a session: Lost
//!                              ├─ another process is this member now: Fenced, for good
//!                              └─ anything else that does not pass: Failed
//! ```
//!
//! The lease is renewed with each answer, counted from the sending of what was answered. It is over as soon as the member
//! is out, and closed where a beat comes so late that the process must have been stopped: whether the group has gone on
//! meanwhile, the next answer says.
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};
use tokio::sync::watch;

use super::offsets::GroupOffsets;
use crate::kafka::api::Api;
use crate::kafka::error::KafkaError;
use crate::kafka::lease::{Lease, SessionTime};

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
    /// Another process has joined with its `group.instance.id`: [`KafkaError::InstanceFenced`]. It never joins again.
    Fenced(KafkaError),
    /// It cannot stay.
    Failed(KafkaError),
}

/// What beats for a member.
#[derive(Debug)]
pub(super) struct Heart {
    pub(super) offsets: Arc<GroupOffsets>,
    pub(super) state: Arc<watch::Sender<MemberState>>,
    pub(super) lease: Lease,
    pub(super) request: HeartbeatRequest,
    pub(super) interval: Duration,
    pub(super) session: Duration,
    /// How long a rebalance waits for this member.
    pub(super) rebalance: Duration,
}

impl Heart {
    /// Sends heartbeats until the member is out. `synced` is when it asked for the assignment that it has.
    pub(super) async fn beat(self, synced: SessionTime) {
        let (mut answered, mut stable) = (synced, synced);
        let mut pause = self.interval;
        loop {
            let sending = self.pause(pause).await;
            pause = self.interval;
            let next = match self.send().await {
                Ok(()) => {
                    self.lease.renew(sending, self.session);
                    (answered, stable) = (sending, sending);
                    continue;
                }
                Err(error) => self.next_state(&error, answered),
            };
            match next {
                None => pause = self.interval / 10,
                Some(MemberState::Rebalancing) => {
                    answered = sending;
                    // The rebalance began after the last beat in peace, and ends without us once its time is over.
                    let left = self.rebalance.saturating_sub(sending.since(stable));
                    self.lease.renew(sending, self.session.min(left));
                    self.state.send_replace(MemberState::Rebalancing);
                }
                Some(out) => {
                    self.lease.end();
                    self.state.send_replace(out);
                    return;
                }
            }
        }
    }

    /// Waits for the next beat: the time at which it is sent.
    async fn pause(&self, pause: Duration) -> SessionTime {
        let clock = self.lease.clock();
        let before = clock.now();
        tokio::time::sleep(pause).await;
        let now = clock.now();
        let late = now.since(before).saturating_sub(pause);
        if late > self.interval {
            tracing::warn!(
                group = self.offsets.group(),
                ?late,
                "kafka: this process was stopped for a while"
            );
            self.lease.close();
        }
        now
    }

    async fn send(&self) -> Result<(), KafkaError> {
        let check = |response: &HeartbeatResponse| {
            KafkaError::check(HeartbeatRequest::NAME, self.offsets.group(), response.error_code)
        };
        let coordinator = &self.offsets.coordinator;
        let sent = coordinator.call_once(&self.request, check).await;
        if let Err(error) = &sent {
            coordinator.learn(error).await;
        }
        sent.map(drop)
    }

    /// What a failed beat makes of the member; nothing if the next one may mend it.
    fn next_state(&self, error: &KafkaError, answered: SessionTime) -> Option<MemberState> {
        let is_over = self.lease.clock().now().since(answered) >= self.session;
        match error.code() {
            Some(ResponseError::RebalanceInProgress) => Some(MemberState::Rebalancing),
            Some(ResponseError::IllegalGeneration | ResponseError::UnknownMemberId) => {
                Some(MemberState::Lost)
            }
            Some(ResponseError::FencedInstanceId) => {
                let instance_id = self.request.group_instance_id.as_deref();
                Some(MemberState::Fenced(self.offsets.fenced(instance_id, error.clone())))
            }
            // A coordinator that could not be reached for a session has let us go.
            _ if error.is_retriable() => is_over.then_some(MemberState::Lost),
            _ => Some(MemberState::Failed(error.clone())),
        }
    }
}
