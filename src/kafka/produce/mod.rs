//! Writes records: in batches, in order, each once.
//!
//! ```text
//! send ─→ queue of batches a partition ─→ a lane for each topic and broker ─→ up to five requests in flight ─→ settled
//!                 ↑ returned, in order, if trying again may help; in parts, if some records were refused ─────┘
//! ```
//!
//! An idempotent producer (the default) numbers its batches. A batch that fails while others are in flight holds its
//! partition until those are settled, and what was refused is sent again in order, so that the broker can tell what it
//! has already. A producer with a `transactional.id` writes in transactions only.
//!
//! What fails holds nothing else up: not another topic, whose lane has a connection of its own; not another partition of
//! the topic, for one that is slow gets a lane of its own; and not another record, for a batch in which some are refused
//! is written without them.
//!
//! Delivery failures never go unseen: [`Producer::flush`] and [`Producer::commit_transaction`] give all of them, and
//! [`Producer::take_left_out`] the records that were left out.
mod batch;
mod buffer;
mod enlist;
mod identity;
mod lane;
mod next;
mod numbers;
mod options;
mod outcome;
mod phase;
mod producer;
mod push;
mod queue;
mod record;
mod router;
mod settle;
mod split;
mod state;
mod transaction;

pub use options::{LeftOut, ProducerOptions, RefusedRecords};
pub use producer::Producer;
pub use record::{Acknowledgement, Delivery, Full, NewRecord};
