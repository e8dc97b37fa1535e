//! The consumer groups: members, generations and committed offsets.
//!
//! ```text
//!           join                 all joined, or time over         leader's assignments
//!   Empty ────────▶ Preparing ───────────────────────────▶ Completing ──────────▶ Stable
//!     ▲                 ▲  └─ nobody left ─▶ Empty              │ join, leave, expiry │
//!     └─────────────────┴──────────────────────────────────────┴─────────────────────┘
//! ```
//! The classic protocol of Kafka's `GroupCoordinator`; the changes of state are in `rebalance`.
use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use kafka_protocol::protocol::StrBytes;
use tokio::sync::oneshot;

use super::event::{Committed, Event};

/// The most groups that are remembered.
pub(super) const GROUPS_MAX: usize = 10_000;
/// The most members that a group may have.
pub(super) const MEMBERS_MAX: usize = 1_000;

/// How many bytes the metadata of a member may have for all protocols, and all assignments together.
pub(super) const METADATA_BYTES_MAX: usize = 4 << 20;

/// All groups, by id.
#[derive(Default)]
pub(super) struct Groups {
    by_id: BTreeMap<String, Group>,
}

/// One group.
#[derive(Default)]
pub(super) struct Group {
    pub(super) state: State,
    pub(super) generation: i32,
    pub(super) protocol_type: StrBytes,
    /// The protocol that the members agreed on.
    pub(super) protocol: StrBytes,
    pub(super) leader: Option<StrBytes>,
    /// In the order in which they joined.
    pub(super) members: Vec<Member>,
    /// Ids that were given and not yet used, and until when they may be.
    pub(super) pending: HashMap<StrBytes, i64>,
    pub(super) offsets: BTreeMap<(String, i32), Committed>,
    /// When the running rebalance ends at the latest.
    pub(super) rebalance_until: i64,
    /// Whether the rebalance waits for more members although all have joined.
    pub(super) is_initial: bool,
}

/// Where a group is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    #[default]
    Empty,
    Preparing,
    Completing,
    Stable,
}

impl State {
    /// Kafka's name for the state.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Preparing => "PreparingRebalance",
            Self::Completing => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A member of a group.
pub(super) struct Member {
    pub(super) id: StrBytes,
    pub(super) instance: Option<StrBytes>,
    pub(super) client_id: StrBytes,
    pub(super) client_host: StrBytes,
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    /// The protocols that it speaks, best first, with its metadata for each.
    pub(super) protocols: Vec<(StrBytes, Bytes)>,
    pub(super) assignment: Bytes,
    pub(super) last_seen_ms: i64,
    /// Its request to join, while it waits for the others.
    pub(super) joining: Option<oneshot::Sender<JoinGroupResponse>>,
    /// Its request for its assignment, while it waits for the leader.
    pub(super) syncing: Option<oneshot::Sender<SyncGroupResponse>>,
}

impl Member {
    /// Its metadata for a protocol.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| **name == *protocol);
        found.map_or_else(Bytes::new, |(_, metadata)| metadata.clone())
    }
}

impl Groups {
    /// The group of an id, new if it is not known.
    pub(super) fn group(&mut self, id: &str) -> &mut Group {
        self.by_id.entry(id.to_owned()).or_default()
    }

    /// The group of an id, new if it is not known and there is room.
    pub(super) fn admit(&mut self, id: &str) -> Result<&mut Group, ResponseError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        if self.by_id.len() >= GROUPS_MAX && !self.by_id.contains_key(id) {
            // Those that hold nothing make room.
            self.by_id.retain(|_, group| !group.is_forgettable());
            if self.by_id.len() >= GROUPS_MAX {
                return Err(ResponseError::CoordinatorNotAvailable);
            }
        }
        Ok(self.group(id))
    }

    /// The group of an id.
    pub(super) fn get(&self, id: &str) -> Option<&Group> {
        self.by_id.get(id)
    }

    /// The group of an id, to change it.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.by_id.get_mut(id)
    }

    /// Forgets a group.
    pub(super) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    /// All groups, by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.by_id.iter()
    }

    /// Forgets all offsets of a topic.
    pub(super) fn forget_topic(&mut self, name: &str) {
        for group in self.by_id.values_mut() {
            group.offsets.retain(|(topic, _), _| topic != name);
        }
    }

    /// Expires sessions and ends rebalances whose time is over.
    pub(super) fn tick(&mut self, now: i64) {
        self.by_id.values_mut().for_each(|group| group.tick(now));
    }

    /// What the journal must hold.
    pub(super) fn events(&self) -> impl Iterator<Item = Event> {
        self.by_id.iter().filter(|(_, group)| !group.offsets.is_empty()).map(|(id, group)| {
            let offset = |(at, committed): (&(String, i32), &Committed)| {
                (at.0.clone(), at.1, committed.clone())
            };
            Event::Offsets {
                group: id.clone(),
                offsets: group.offsets.iter().map(offset).collect(),
            }
        })
    }
}

impl Group {
    fn is_forgettable(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty() && self.offsets.is_empty()
    }

    /// Takes offsets as committed.
    pub(super) fn commit(&mut self, offsets: Vec<(String, i32, Committed)>) {
        self.offsets.extend(
            offsets
                .into_iter()
                .map(|(topic, partition, committed)| ((topic, partition), committed)),
        );
    }

    /// The member of an id; with an instance id, fences all but the latest member of that instance.
    pub(super) fn member(
        &mut self,
        id: &str,
        instance: Option<&StrBytes>,
    ) -> Result<&mut Member, ResponseError> {
        let found = match instance {
            Some(instance) => {
                self.members.iter_mut().find(|member| member.instance.as_ref() == Some(instance))
            }
            None => self.members.iter_mut().find(|member| *member.id == *id),
        };
        let member = found.ok_or(ResponseError::UnknownMemberId)?;
        if *member.id == *id { Ok(member) } else { Err(ResponseError::FencedInstanceId) }
    }

    /// Checks that a commit comes from a member of the current generation, or from outside a group without members.
    pub(super) fn check_commit(
        &mut self,
        generation: i32,
        member: &str,
        instance: Option<&StrBytes>,
        now: i64,
    ) -> Result<(), ResponseError> {
        if generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        let current = self.generation;
        let state = self.state;
        let member = self.member(member, instance)?;
        if generation != current {
            return Err(ResponseError::IllegalGeneration);
        }
        member.last_seen_ms = now;
        if state == State::Completing { Err(ResponseError::RebalanceInProgress) } else { Ok(()) }
    }
}
