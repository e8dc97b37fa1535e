//! Who commits offsets, and how a member joins.
use std::time::Duration;

use bytes::Bytes;

use crate::kafka::cluster::Cluster;

/// Who commits offsets: a member of a generation, whom the coordinator refuses once the generation has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMetadata {
    /// The id of the group.
    pub group: String,
    /// The generation, or -1 for somebody who is not a member.
    pub generation: i32,
    /// The id that the coordinator gave to the member, or nothing.
    pub member_id: String,
    /// The member's `group.instance.id`, if it has one.
    pub instance_id: Option<String>,
}

impl GroupMetadata {
    /// Somebody who commits for a group without being a member.
    pub fn outside(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            generation: -1,
            member_id: String::new(),
            instance_id: None,
        }
    }
}

/// How a member joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipOptions {
    /// The id of the group.
    pub group: String,
    /// What kind of group it is; members of another kind are refused.
    pub protocol_type: String,
    /// The ways of assigning that the member knows, best first, each with what the leader is to know of the member.
    pub protocols: Vec<(String, Bytes)>,
    /// A name by which the member keeps its place over a restart (KIP-345): whoever joins with it is that member, and
    /// whoever was it before is fenced.
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
