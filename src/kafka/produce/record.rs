//! What goes into a producer, and what a caller learns of it.
use tokio::sync::oneshot;

use crate::kafka::error::KafkaError;
use crate::kafka::records::{BatchBuilder, HeadersRef};

/// A record to be written; it borrows, as its bytes go straight into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRecord<'a> {
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: HeadersRef<'a>,
}

impl<'a> NewRecord<'a> {
    /// A record without headers.
    pub fn new(timestamp: i64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Self {
        Self { timestamp, key, value, headers: HeadersRef::EMPTY }
    }

    /// What one without headers takes in a request besides its key and its value, with room to spare.
    pub const OVERHEAD_BYTES: usize = 256;

    /// How many bytes it takes in a batch, at most.
    pub(super) fn bytes_max(&self) -> usize {
        BatchBuilder::record_bytes_max(self.key, self.value, self.headers)
    }
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Its offset, or `None` if the broker did not say.
    pub offset: Option<i64>,
}

/// What becomes of one record, for those who ask.
pub type Acknowledgement = oneshot::Receiver<Result<Delivery, KafkaError>>;

/// Tells whoever asked what became of a record.
pub(super) type Acknowledge = oneshot::Sender<Result<Delivery, KafkaError>>;

/// What [`Producer::try_send`](super::Producer::try_send) is told when there is no room in `buffer.memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;
