//! Why a server does not start.

use std::net::SocketAddr;

use crate::engine::PropertyError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It cannot listen.
    #[error("cannot listen on {address}, where --listeners or listeners says")]
    Address {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A property cannot be as it is.
    #[error("{name}: {reason}")]
    Property {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A property is none of its type.
    #[error(transparent)]
    Value(#[from] PropertyError),
}

impl ServerError {
    /// A property cannot be as it is.
    pub(super) fn property(name: &'static str, reason: impl Into<String>) -> Self {
        Self::Property { name, reason: reason.into() }
    }
}
