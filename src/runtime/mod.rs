//! Tasks: fetch, decode, process, produce, commit, restore.
//!
//! A [`Task`] is one query in memory and never waits; what moves its records stands around it.

pub mod clock;
mod codecs;
mod driver;
mod java_row;
pub mod live;
mod output;
mod processing_log;
mod random;
mod source;
mod task;
mod timestamp;

pub use driver::{Driver, DriverOptions, DriverRecord};
pub use output::{Output, OutputRecord, Placing, Target};
pub use processing_log::{LogEvent, LoggedRecord, ProcessingLogEntry};
pub use random::SeededRandom;
pub use source::{RawRecords, ReadRows, Rejection, SourceReader};
pub use task::{Surroundings, Task, TaskCounts};
