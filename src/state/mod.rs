//! Stores of a task: keyed rows, by key, by window and by session.
//!
//! A store knows bytes and slots, not Kafka: what changes is handed to the caller, which writes it
//! to the changelog topic, and to a local [`checkpoint`] if there is one.

pub mod checkpoint;
mod group_store;
mod held_rows;
mod join_window;
mod key_index;
mod last_rows;
mod packed_row;
mod packed_state;
mod paged;
mod sessions;
mod subscriptions;
mod table;
mod unmatched;
mod windows;

pub use group_store::{GroupHead, GroupStore, GroupValues};
pub use held_rows::{HeldPlace, HeldRow, HeldRowsStore};
pub use join_window::{JoinWindowStore, RowPlace};
pub use key_index::KeyIndex;
pub use last_rows::{LastRow, LastRowsStore};
pub use packed_row::{PackedValues, pack};
pub use sessions::SessionIndex;
pub use subscriptions::{
    Instruction, Subscriber, Subscription, SubscriptionError, SubscriptionStore, ValueHash,
    read_response, write_response_head, write_subscription_prefix,
};
pub use table::{TableRow, TableStore};
pub use unmatched::{JoinSide, Unmatched, UnmatchedKey, UnmatchedStore};
pub use windows::WindowIndex;
