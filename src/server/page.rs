//! The page that browsers are shown at `/`, and the files that it is made of.
//!
//! They are in the binary; a debug build reads them from the source tree instead. A name with a digest in it never means
//! anything else, so it may be kept for good; the one without says which those are, and is asked for each time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::negotiate::takes_page;
use super::status;

/// The path of the files that the page is made of.
pub(super) const FILES: &str = "/page/{name}";

/// The page itself.
const INDEX: &str = "index.html";

/// What the page may do: ask this server, and nobody else; and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every file is sent with.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

#[derive(RustEmbed)]
#[folder = "src/server/page/dist"]
struct Files;

/// `GET /`: the page for browsers, and ksqlDB's answer for others.
pub(super) async fn root(headers: HeaderMap) -> Response {
    if takes_page(&headers) { sent(INDEX, &headers) } else { status::root() }
}

/// `GET /page/{name}`.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    sent(&name, &headers)
}

/// The answer to a request that needs no host; none if it needs one.
pub(super) fn answer(request: &Request) -> Option<Response> {
    let (headers, path) = (request.headers(), request.uri().path());
    let name = match path.strip_prefix("/page/") {
        Some(name) => name,
        None if path == "/" && takes_page(headers) => INDEX,
        None => return None,
    };
    matches!(*request.method(), Method::GET | Method::HEAD).then(|| sent(name, headers))
}

/// A file, unless there is none of this name, or the client has it.
fn sent(name: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Files::get(name) else { return status::not_found() };
    let tag = tag(&file);
    let kept = if name == INDEX { "no-cache" } else { "private, max-age=31536000, immutable" };
    let of_all = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, kept),
        (header::VARY, "Accept, Accept-Encoding"),
    ];
    if is_known(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, HEADERS, of_all).into_response();
    }
    let media = [(header::CONTENT_TYPE, media_type(name))];
    if takes_gzip(headers) {
        let coded = [(header::CONTENT_ENCODING, "gzip")];
        return (HEADERS, of_all, media, coded, compressed(name, &tag, &file)).into_response();
    }
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    (HEADERS, of_all, media, bytes).into_response()
}

/// What is the same as long as the file is. It is weak, as it stands for the compressed bytes too.
fn tag(file: &EmbeddedFile) -> String {
    let digest = file.metadata.sha256_hash();
    let [first, second, ..] = digest.as_chunks::<8>().0 else {
        unreachable!("a digest has 32 bytes")
    };
    format!("W/\"{:016x}{:016x}\"", u64::from_be_bytes(*first), u64::from_be_bytes(*second))
}

/// Whether a client has the file with this tag.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let given =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|given| given.to_str().ok());
    given
        .flat_map(|given| given.split(','))
        .any(|given| given.trim() == "*" || opaque(given) == opaque(tag))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let given =
        headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|given| given.to_str().ok());
    given.flat_map(|given| given.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip
            && !parts.any(|part| {
                part.starts_with("q=0") && part.trim_matches(['q', '=', '0', '.']).is_empty()
            })
    })
}

/// A file compressed, which it is once for all who ask for it.
fn compressed(name: &str, tag: &str, file: &EmbeddedFile) -> Bytes {
    static KEPT: LazyLock<Mutex<HashMap<String, (String, Bytes)>>> = LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, bytes)) = kept.get(name)
        && of == tag
    {
        return bytes.clone();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(&file.data).and_then(|()| encoder.finish());
    let bytes =
        Bytes::from(written.unwrap_or_else(|never| unreachable!("a vector takes all: {never}")));
    kept.insert(name.to_owned(), (tag.to_owned(), bytes.clone()));
    bytes
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
