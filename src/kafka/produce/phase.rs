//! Where a transactional producer stands.
//!
//! ```text
//! init ─→ Ready ─begin→ Open ─commit→ Ready
//!                        ├─a batch fails→ Failed ─abort→ Ready (with a new epoch)
//!                        └─a newer producer with our id→ Fenced, for good
//! ```
//!
//! In version 2 of transactions each end gives a new epoch, so that nothing that is late can be taken for a part of the next
//! transaction.
use kafka_protocol::error::ResponseError;

use crate::kafka::error::KafkaError;

/// Where a transactional producer stands.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// Not initialised, or not transactional.
    #[default]
    None,
    /// Between transactions.
    Ready,
    /// In a transaction; `has_parts` once the coordinator may know of partitions or offsets in it.
    Open { has_parts: bool },
    /// In a transaction that can only be aborted.
    Failed(KafkaError),
    /// Another producer has taken over.
    Fenced(KafkaError),
}

impl Phase {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Notes that something is a part of the open transaction, as far as the coordinator knows.
    pub(super) fn has_part(&mut self) {
        if let Self::Open { has_parts } = self {
            *has_parts = true;
        }
    }

    /// Why nothing can be written any more, if so.
    pub(super) fn failure(&self) -> Option<KafkaError> {
        match self {
            Self::Failed(error) | Self::Fenced(error) => Some(error.clone()),
            Self::None | Self::Ready | Self::Open { .. } => None,
        }
    }

    /// Something of the open transaction was not done, so that it can only be aborted.
    pub(super) fn fail(&mut self, error: &KafkaError) {
        if self.is_open() {
            *self = Self::Failed(error.clone());
        }
    }

    /// A batch was not written.
    pub(super) fn fail_batch(&mut self, transactional_id: &str, error: &KafkaError) {
        if error.is_code(ResponseError::ProducerFenced) {
            let transactional_id = transactional_id.to_owned();
            *self = Self::Fenced(KafkaError::ProducerFenced { transactional_id });
        } else {
            self.fail(error);
        }
    }
}
