//! Reads many partitions at once, ahead of the caller.
//!
//! ```text
//! router: who leads what? ─→ one worker a broker: long poll ─→ decode ─→ queue ─[Fetcher::fetch]→ caller
//!    ↑ gone, made again, out of range: what is wrong? ──┘                 └─ problems, beside the records
//! ```
//!
//! A worker has its own connection, for a long poll blocks it. While a caller processes what it has, the next fetch is
//! under way, until as many bytes wait as the fetcher may hold. What was fetched for a position that is no longer wanted
//! (after a seek) is thrown away when it arrives. An offset that is not in the log is reported and never reset, and so is
//! a topic that is gone or was made again. Other partitions go on meanwhile.
mod decode;
mod fetched;
mod fetcher;
mod router;
mod shared;
mod state;
mod worker;

pub use fetched::{Fetched, FetchedPartition, PartitionProblem, Progress};
pub use fetcher::Fetcher;
