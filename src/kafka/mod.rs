//! Kafka, as bytes: this layer moves keys, values and headers and never asks what is in them.
//!
//! ```text
//! fetch response ─[records::RawBatches]→ raw batches ─[RawBatch::open]→ Batch ─[Batch::records]→ RecordRef<'_>
//! records ─[records::BatchBuilder]→ one raw batch ─→ produce request
//! ```
//!
//! A raw batch is what Kafka stores and serves: a header of 61 bytes and the records behind it, compressed or not. It is
//! kept as it is for as long as possible, and records borrow from it.
//!
//! On top of that stands a client: a [`Cluster`] finds brokers and leaders and retries, and
//! [`admin`], [`fetch`], [`produce`] and [`group`] are what it is used for. None of them ever resets an offset, drops a
//! record or swallows an error on its own.
mod api;
mod clock;
mod connection;
mod coordinator;
mod frames;
mod ghosts;
mod key_store;
mod partition;
mod place;
pub(crate) mod random;
mod retry;
mod sasl;
pub(crate) mod tls;

pub mod admin;
pub mod cluster;
pub mod compression;
pub mod config;
pub mod error;
pub mod fetch;
pub mod group;
pub mod lease;
pub mod partitioner;
pub mod produce;
pub mod records;

pub use cluster::Cluster;
pub use config::ClientConfig;
pub use error::{DeliveryFailure, ErrorKind, KafkaError};
pub use kafka_protocol::error::ResponseError;
pub use partition::{TopicId, TopicPartition};
