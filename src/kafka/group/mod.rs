//! Consumer groups, by the classic protocol: members share partitions, and offsets are kept for all of them.
//!
//! ```text
//! join ─→ the leader assigns ─→ sync ─→ heartbeats … rebalance ─→ join again
//! ```
//!
//! [`Membership`] is the protocol alone, for callers with a protocol of their own; [`Consumer`] is an ordinary consumer
//! on top of it; [`GroupOffsets`] reads and writes offsets from outside. A member that may have been let go writes
//! nothing more: [`Membership::lease`] is what a producer asks.
mod assignor;
mod consumer;
mod heartbeat;
mod membership;
mod metadata;
mod offsets;

pub use assignor::{
    Strategy, decode_assignment, decode_subscription, decode_user_data, encode_assignment,
    encode_subscription, encode_subscription_of,
};
pub use consumer::Consumer;
pub use heartbeat::MemberState;
pub use membership::Membership;
pub use metadata::{Assigned, GroupMetadata, JoinedMember, Leadership, MembershipOptions};
pub use offsets::{CommittedOffset, GroupOffsets};
