//! `GET /metrics`: figures for Prometheus, in its text format, or in OpenMetrics' where that is asked for. Who takes neither, as
//! clients of ksqlDB do, is answered as there: 404.
//!
//! What there is stands in [`table`], a row each. Nothing is counted for a scrape: it reads what workers and queries note a
//! batch at a time. Labels are ids of queries, names of topics, and numbers of partitions and workers; never a key.

mod process;
pub(super) mod samples;
mod table;
mod text;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::negotiate::takes_metrics;
use super::shared::Shared;
use super::status;
pub(super) use table::Measured;
use text::{Exposition, Format};

/// `GET /metrics`.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if !takes_metrics(&headers) {
        return status::not_found();
    }
    let format = format(&headers);
    let mut exposition = Exposition::new(format);
    Measured::now(&shared.host).write(&mut exposition);
    let text = exposition.end();
    let content_type = HeaderValue::from_static(format.content_type());
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// The format that is asked for: Prometheus' own unless OpenMetrics is named.
fn format(headers: &HeaderMap) -> Format {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    let is_open =
        accepted.is_some_and(|accepted| accepted.contains("application/openmetrics-text"));
    if is_open { Format::OpenMetrics } else { Format::Prometheus }
}
