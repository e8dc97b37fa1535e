//! Every route of the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};

use super::front::{Front, INSERTS};
use super::guard::Guard;
use super::shared::Shared;
use super::users::Users;
use super::{
    cluster, figures, inserts, ksql, language, metrics, page, query, skipped, status, tail,
    terminate, web_socket,
};

/// The API of a host.
pub(super) fn router(shared: Arc<Shared>, guard: Guard, users: Option<Users>) -> Router {
    let routes = Router::new()
        .route("/", get(page::root))
        .route(page::FILES, get(page::file))
        .route("/info", get(status::info))
        .route("/healthcheck", get(status::health))
        .route("/metrics", get(metrics::metrics))
        .route("/chc/ready", get(status::live))
        .route("/chc/live", get(status::live))
        .route("/clusterStatus", get(cluster::status))
        .route("/status", get(status::all))
        .route("/status/{kind}/{entity}/{action}", get(status::one))
        .route("/is_valid_property/{name}", get(status::is_valid_property))
        .route("/v1/millstream/figures", get(figures::figures))
        .route("/v1/millstream/language", get(language::language))
        .route("/v1/millstream/records", get(tail::records))
        .route("/v1/millstream/skipped", get(skipped::skipped))
        .route("/v1/metadata", get(status::metadata))
        .route("/v1/metadata/id", get(status::metadata_id))
        .route("/heartbeat", post(cluster::heartbeat))
        .route("/lag", post(cluster::lag))
        .route("/ksql", post(ksql::run))
        .route("/ksql/terminate", post(terminate::run))
        .route("/query", post(query::query))
        .route("/query-stream", post(query::query_stream))
        .route("/close-query", post(query::close))
        .route("/ws/query", get(web_socket::query))
        .fallback(async || status::not_found())
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .route(INSERTS, post(inserts::inserts))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&shared));
    let front = Front { guard, users, shared, upgraded: None };
    let behind = |front: Front| {
        routes.clone().layer(middleware::from_fn_with_state(Arc::new(front), Front::pass))
    };
    let upgraded = Some(behind(front.clone()));
    behind(Front { upgraded, ..front })
}
