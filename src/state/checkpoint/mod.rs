//! Local checkpoints: what the changelog topics of a query hold, kept beside it on disk.
//!
//! ```text
//! <state directory>/<service id>/lock                    one process at a time
//! <state directory>/<service id>/<query id>/query        whose state it is, and of which plan
//! <state directory>/<service id>/<query id>/<store>.<partition>.log
//!
//! log:  header │ change change … mark │ change mark │ change …  (torn: cut off at the last mark)
//! ```
//!
//! A log mirrors one partition of one changelog topic, and names both and the store. A [`Mark`] closes what comes before it: it
//! holds the length and the CRC-32C of all changes since the mark before, and the offset of the
//! changelog from which on the log knows nothing. So a restore is the log up to its last mark, and
//! then the changelog from that mark's offset on. Nothing is synced to the disk: a process that dies
//! leaves what it has written to the system, and what a machine loses when its power goes is missed
//! by a mark, or not there, and comes from the changelog.
//!
//! A log that has grown to more than twice of what it was after it was last compacted is
//! [compacted](Compaction) from its own changes: the latest of each key, and no tombstones.
//!
//! Nothing here knows Kafka, a clock, or what the bytes mean.

mod compaction;
mod directory;
mod error;
mod frame;
mod log;
mod owner;
#[cfg(test)]
mod tests;

pub use compaction::{Compacted, Compaction, Forgetting};
pub use directory::{Claim, QueryDirectory, StateDirectory};
pub use error::CheckpointError;
pub use frame::{Change, Mark};
pub use log::{ChangeLog, Found, Mirrored, TopicId};
pub use owner::Owner;
