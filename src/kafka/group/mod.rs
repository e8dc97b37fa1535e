//! Consumer groups, by the classic protocol: members share partitions, and offsets are kept for all of them.
//!
//! ```text
//! join ─→ the leader assigns ─→ sync ─→ heartbeats … rebalance ─→ join again
//! ```
//!
//! [`Membership`] is the protocol alone, for callers with a protocol of their own; [`Consumer`] is an ordinary consumer
//! on top of it; [`GroupOffsets`] reads and writes offsets from outside.
mod assignor;
mod consumer;
mod member;
mod offsets;

pub use assignor::{
    Strategy, decode_assignment, decode_subscription, decode_user_data, encode_assignment,
    encode_subscription, encode_subscription_of,
};
pub use consumer::Consumer;
pub use member::{Assigned, JoinedMember, Leadership, MemberState, Membership, MembershipOptions};
pub use offsets::{CommittedOffset, GroupOffsets};

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
