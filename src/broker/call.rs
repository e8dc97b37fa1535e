//! A request as far as its header tells, and how it is answered.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::{Encodable, StrBytes};

use super::api::Api;
use super::error::ConnectionError;

/// A request as far as its header tells.
pub(super) struct Call {
    pub(super) api: &'static Api,
    pub(super) version: i16,
    pub(super) correlation_id: i32,
    pub(super) client_id: StrBytes,
}

/// The pieces of an answer, without the length; nothing if the client wants none.
pub(super) type Pieces = Option<Vec<Bytes>>;

/// The header of the answer to a call.
pub(super) fn header(call: &Call) -> BytesMut {
    let mut bytes = BytesMut::with_capacity(512);
    let header = ResponseHeader::default().with_correlation_id(call.correlation_id);
    let version = call.api.key.response_header_version(call.version);
    header
        .encode(&mut bytes, version)
        .unwrap_or_else(|error| unreachable!("a header always fits: {error}"));
    bytes
}

/// The pieces of an answer, header included.
pub(super) fn encode(
    call: &Call,
    response: &impl Encodable,
) -> Result<Vec<Bytes>, ConnectionError> {
    let mut bytes = header(call);
    let encoded = response.encode(&mut bytes, call.version);
    encoded.map_err(|error| {
        tracing::error!(api = ?call.api.key, version = call.version, %error, "an answer does not fit its version");
        ConnectionError::Unwritable(error.to_string())
    })?;
    Ok(vec![bytes.freeze()])
}
