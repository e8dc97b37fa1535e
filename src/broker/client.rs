//! The other side of a connection.

use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::StrBytes;

/// What is known of the other side of a connection.
pub(super) struct Client {
    pub(super) host: StrBytes,
    pub(super) session: Session,
}

impl Client {
    pub(super) fn new(host: &str) -> Self {
        Self { host: StrBytes::from_string(host.to_owned()), session: Session::default() }
    }
}

/// How far a connection's authentication is.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    #[default]
    New,
    /// The mechanism is agreed on, and a token is to come, in a request or (`true`) as it is.
    Agreed(bool),
    Authenticated,
}

impl Session {
    /// Whether the next frame is a token and not a request, as clients do that know version 0 of the handshake.
    pub(super) fn expects_token(self) -> bool {
        self == Self::Agreed(true)
    }

    /// Whether a request may be answered.
    pub(super) fn admits(self, key: ApiKey) -> bool {
        self == Self::Authenticated
            || matches!(key, ApiKey::ApiVersions | ApiKey::SaslHandshake | ApiKey::SaslAuthenticate)
    }
}
