//! The device application: invented accelerometer readings, and the statistics a monitor keeps of them.
//!
//! ```text
//! Readings ─encode→ produce ─→ device-sensors        (JSON)     ─→ consume ─decode→ Rolling ─→ table or JSON lines
//!  (seeded)                    device-sensors-proto  (Protobuf)
//! ```
//!
//! [`Readings`] and [`Monitor`] are pure: no clock, no network. `produce` and `consume` connect them to Kafka,
//! and are handed a clock by their caller.

mod consume;
mod device_table;
mod error;
mod feed;
mod lines;
mod monitor;
mod partitions;
mod produce;
mod produced;
mod progress;
mod reader;
mod reading;
mod readings;
mod refused;
mod registry;
mod rolling;
mod spelling;
mod topic;
mod topic_writer;
mod view;

pub use consume::{ConsumeOptions, ConsumeSummary, From, consume};
pub use error::DeviceError;
pub use feed::ReadingSource;
pub use lines::Lines;
pub use monitor::{DeviceReport, Monitor};
pub use partitions::PartitionTable;
pub use produce::{ProduceOptions, produce};
pub use produced::{ProduceSummary, Written};
pub use reading::{Reading, ReadingFormat};
pub use readings::{Pace, Readings};
pub use refused::{OnInvalid, RefusedSummary};
pub use registry::{REGISTRY_TOPIC, RegisterOptions, Registration, register, registrations};
pub use rolling::{AxisStats, Rolling};
pub use spelling::Spelling;
pub use view::{Live, View};

use std::sync::Arc;

/// The wall clock in ms since 1970, handed in by the caller.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
