//! `Upgrade: h2c` (RFC 7540 3.2): a client that begins in HTTP/1.1 and goes on in HTTP/2.
//!
//! The request that asks for it is the first of the new protocol. So it is put into what the client sends, behind its
//! first frame, in the form that it would have had there: whoever serves HTTP/2 need not know of any of this.

use std::io;
use std::pin::pin;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncReadExt as _;

use super::listen::server;
use super::received::Receiving;

/// The protocol, as it is asked for.
const H2C: &str = "h2c";
/// The header that carries a client's settings; the client repeats them in its first frame.
const SETTINGS: &str = "http2-settings";
/// What every HTTP/2 client says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The longest frame, and the most that a client may send, before anything else is agreed on.
const FRAME_BYTES_MAX: usize = 16_384;
const WINDOW_BYTES: usize = 65_535;
/// Types and flags of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Goes over to HTTP/2 for a client that asks for it; `inner` serves what it asks then. A request that is too long to be
/// the first of a connection is given back, to be answered as it came, which the RFC allows.
pub(super) async fn upgrade(
    (inner, receiving): (&Router, &Receiving),
    mut request: Request,
) -> Result<Response, Request> {
    let Some(on_upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Err(request);
    };
    let (parts, body) = request.into_parts();
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let has_no_length = parts.headers.contains_key(header::TRANSFER_ENCODING);
    if has_no_length || length.is_some_and(|length| length > WINDOW_BYTES) {
        return Err(Request::from_parts(parts, body));
    }
    let bytes = match receiving.receive(body).await {
        Ok((bytes, _)) => bytes,
        Err(error) => return Ok(receiving.refuse(error)),
    };
    let Some(frames) = first_request(&parts.method, &target(&parts), &parts.headers, &bytes) else {
        return Err(Request::from_parts(parts, Body::from(bytes)));
    };
    let inner = inner.clone();
    tokio::spawn(async move {
        if let Err(error) = serve(on_upgrade, frames, inner).await {
            tracing::debug!("a connection that was to be HTTP/2 has ended: {error}");
        }
    });
    let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, H2C)];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// Whether a request asks for HTTP/2, with the settings that this takes.
pub(super) fn is_asked(request: &Request) -> bool {
    request.version() == Version::HTTP_11 && asks(request.headers())
}

fn asks(headers: &HeaderMap) -> bool {
    let has = |name: header::HeaderName, wanted: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    has(header::UPGRADE, H2C)
        && has(header::CONNECTION, "upgrade")
        && headers.contains_key(SETTINGS)
}

/// What a request is for: host and path.
fn target(parts: &axum::http::request::Parts) -> (String, String) {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or(parts.uri.host()).unwrap_or_default().to_owned();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    (host, path)
}

/// The frames of the first request; none if its head is too long for one.
fn first_request(
    method: &Method,
    (host, path): &(String, String),
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    let pseudo =
        [(":method", method.as_str()), (":scheme", "http"), (":authority", host), (":path", path)];
    for (name, value) in pseudo {
        literal(name.as_bytes(), value.as_bytes(), &mut block);
    }
    let of_connection = [
        header::CONNECTION.as_str(),
        header::UPGRADE.as_str(),
        header::HOST.as_str(),
        SETTINGS,
        "keep-alive",
        "proxy-connection",
        header::TE.as_str(),
    ];
    let kept = headers.iter().filter(|(name, _)| !of_connection.contains(&name.as_str()));
    for (name, value) in kept {
        literal(name.as_str().as_bytes(), value.as_bytes(), &mut block);
    }
    if block.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut frames = Vec::new();
    let end = if body.is_empty() { END_STREAM } else { 0 };
    frame(HEADERS, END_HEADERS | end, &block, &mut frames);
    let mut parts = body.chunks(FRAME_BYTES_MAX).peekable();
    while let Some(part) = parts.next() {
        let end = if parts.peek().is_none() { END_STREAM } else { 0 };
        frame(DATA, end, part, &mut frames);
    }
    Some(frames)
}

/// A header that no table is to remember, so that the client's own table stays as the client knows it.
fn literal(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.push(0);
    for text in [name, value] {
        length(text.len(), out);
        out.extend_from_slice(text);
    }
}

/// A length of a text that is not packed: RFC 7541 5.1 with seven bits.
fn length(length: usize, out: &mut Vec<u8>) {
    const FIRST_MAX: usize = 127;
    if length < FIRST_MAX {
        out.push(length as u8);
        return;
    }
    out.push(FIRST_MAX as u8);
    let mut rest = length - FIRST_MAX;
    while rest >= 128 {
        out.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    out.push(rest as u8);
}

/// A frame of the first stream, whose payload is not longer than one may be.
fn frame(kind: u8, flags: u8, payload: &[u8], out: &mut Vec<u8>) {
    let [.., a, b, c] = payload.len().to_be_bytes();
    out.extend_from_slice(&[a, b, c, kind, flags, 0, 0, 0, 1]);
    out.extend_from_slice(payload);
}

/// Serves a connection that has gone over to HTTP/2.
async fn serve(
    on_upgrade: OnUpgrade,
    frames: Vec<u8>,
    router: Router,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut io = TokioIo::new(on_upgrade.await?);
    let mut first = vec![0; PREFACE.len() + 9];
    io.read_exact(&mut first).await?;
    let (preface, head) = first.split_at(PREFACE.len());
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    if preface != PREFACE || length > FRAME_BYTES_MAX {
        return Err("what follows is no HTTP/2".into());
    }
    let at = first.len();
    first.resize(at + length, 0);
    io.read_exact(&mut first[at..]).await?;
    first.extend_from_slice(&frames);
    let server = server().http2_only();
    let (rest, answers) = tokio::io::split(io);
    let io = TokioIo::new(tokio::io::join(io::Cursor::new(first).chain(rest), answers));
    pin!(server.serve_connection(io, TowerToHyperService::new(router))).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        let written = |of: usize| {
            let mut out = Vec::new();
            length(of, &mut out);
            out
        };
        assert_eq!(written(10), [10]);
        assert_eq!(written(126), [126]);
        assert_eq!(written(127), [127, 0]);
        // As in RFC 7541 C.1.2, with seven bits instead of five.
        assert_eq!(written(1337), [127, 186, 9]);
    }

    #[test]
    fn only_whole_requests_ask_for_an_upgrade() {
        let headers = |all: &[(&'static str, &'static str)]| -> HeaderMap {
            let all = all.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), header::HeaderValue::from_static(value))
            });
            all.collect()
        };
        let asked = [("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c"), (SETTINGS, "")];
        assert!(asks(&headers(&asked)));
        assert!(!asks(&headers(&asked[..2])));
        assert!(!asks(&headers(&[("connection", "Upgrade"), ("upgrade", "websocket")])));
    }
}
