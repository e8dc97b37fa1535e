//! Why a connection ends.

/// Why a connection ends before its client closes it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The frame is longer than is allowed.
    #[error("a request of {length} bytes, where at most {max} are allowed")]
    TooLong { length: i32, max: usize },
    /// The request is not of Kafka's protocol.
    #[error("a request that cannot be read: {0}")]
    Malformed(&'static str),
    /// The answer cannot be put into the version that was asked for.
    #[error("an answer that cannot be written: {0}")]
    Unwritable(String),
    /// The client has to authenticate first.
    #[error("a request before authentication")]
    Unauthenticated,
    /// A test wanted it so.
    #[error("dropped on purpose")]
    Dropped,
}
