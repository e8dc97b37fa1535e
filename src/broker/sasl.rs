//! Authentication by name and password (SASL PLAIN).
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};

use super::call::Call;
use super::client::{Client, Session};
use super::error::ConnectionError;
use super::shared::Broker;

/// Agrees on the mechanism.
pub(super) fn handshake(
    broker: &Broker,
    client: &mut Client,
    call: &Call,
    request: &SaslHandshakeRequest,
) -> SaslHandshakeResponse {
    let response = SaslHandshakeResponse::default();
    if broker.config.sasl.is_none() {
        return response.with_error_code(ResponseError::IllegalSaslState.code());
    }
    let response = response.with_mechanisms(vec!["PLAIN".into()]);
    if *request.mechanism != *"PLAIN" {
        return response.with_error_code(ResponseError::UnsupportedSaslMechanism.code());
    }
    client.session = Session::Agreed(call.version == 0);
    response
}

/// Checks a token that comes in a request.
pub(super) fn authenticate(
    broker: &Broker,
    client: &mut Client,
    request: &SaslAuthenticateRequest,
) -> SaslAuthenticateResponse {
    if client.session != Session::Agreed(false) {
        return SaslAuthenticateResponse::default()
            .with_error_code(ResponseError::IllegalSaslState.code());
    }
    if !is_known(broker, &request.auth_bytes) {
        client.session = Session::New;
        return SaslAuthenticateResponse::default()
            .with_error_code(ResponseError::SaslAuthenticationFailed.code())
            .with_error_message(Some(
                "Authentication failed: Invalid username or password".into(),
            ));
    }
    client.session = Session::Authenticated;
    SaslAuthenticateResponse::default()
}

/// Checks a token that comes as it is; the answer to one that is right is empty.
pub(super) fn raw_token(
    broker: &Broker,
    client: &mut Client,
    token: &Bytes,
) -> Result<Vec<Bytes>, ConnectionError> {
    if !is_known(broker, token) {
        return Err(ConnectionError::Unauthenticated);
    }
    client.session = Session::Authenticated;
    Ok(Vec::new())
}

/// Whether a token holds the right name and password: `[identity] NUL name NUL password`.
fn is_known(broker: &Broker, token: &[u8]) -> bool {
    let Some(sasl) = &broker.config.sasl else { return false };
    let mut expected = BytesMut::new();
    expected.put_u8(0);
    expected.put_slice(sasl.username.as_bytes());
    expected.put_u8(0);
    expected.put_slice(sasl.password.as_bytes());
    let from = token.iter().position(|byte| *byte == 0).unwrap_or(token.len());
    let token = &token[from..];
    // As long for a wrong token as for the right one.
    let differences = token.iter().zip(&expected).fold(0, |found, (a, b)| found | (a ^ b));
    token.len() == expected.len() && differences == 0
}
