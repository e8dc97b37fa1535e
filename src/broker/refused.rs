//! What an administrator is told when a wish is not granted.
use kafka_protocol::error::ResponseError;

/// Why a topic or its configuration was refused: Kafka's code, and what to tell the user.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) error: ResponseError,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn new(error: ResponseError, message: impl Into<String>) -> Self {
        Self { error, message: message.into() }
    }
}
