//! Every route of the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::guard::Guard;
use super::shared::Shared;
use super::users::Users;
use super::{h2c, inserts, ksql, query, status, terminate, web_socket};

/// What ksqlDB says of a path that it does not have.
const NOT_FOUND: &str = "<html><body><h1>Resource not found</h1></body></html>";

/// The API of a host.
pub(super) fn router(shared: Arc<Shared>, guard: Guard, users: Option<Users>) -> Router {
    let (under_way, receiving) = (shared.under_way.clone(), shared.receiving.clone());
    let of_upgrades = receiving.clone();
    let routes = Router::new()
        .route("/", get(status::root))
        .route("/info", get(status::info))
        .route("/healthcheck", get(status::health))
        .route("/chc/ready", get(status::live))
        .route("/chc/live", get(status::live))
        .route("/clusterStatus", get(status::cluster))
        .route("/status", get(status::all))
        .route("/status/{kind}/{entity}/{action}", get(status::one))
        .route("/is_valid_property/{name}", get(status::is_valid_property))
        .route("/v1/metadata", get(status::metadata))
        .route("/v1/metadata/id", get(status::metadata_id))
        .route("/heartbeat", post(StatusCode::NOT_FOUND))
        .route("/lag", post(StatusCode::NOT_FOUND))
        .route("/ksql", post(ksql::run))
        .route("/ksql/terminate", post(terminate::run))
        .route("/query", post(query::query))
        .route("/query-stream", post(query::query_stream))
        .route("/close-query", post(query::close))
        .route("/ws/query", get(web_socket::query))
        .fallback(not_found)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(middleware::from_fn(move |request, next| under_way.clone().check(request, next)))
        .layer(middleware::from_fn(move |request, next| receiving.clone().check(request, next)))
        // Its body is read while it is answered.
        .route("/inserts-stream", post(inserts::inserts))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), terminate::check))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared);
    let routes = match users {
        Some(users) => routes
            .layer(middleware::from_fn(move |request, next| users.clone().check(request, next))),
        None => routes,
    };
    let guarded = move |request, next| guard.clone().check(request, next);
    let inner = routes.clone().layer(middleware::from_fn(guarded.clone()));
    let upgraded = (inner, of_upgrades);
    routes
        .layer(middleware::from_fn(move |request, next| {
            h2c::upgrade(upgraded.clone(), request, next)
        }))
        .layer(middleware::from_fn(guarded))
}

async fn not_found() -> Response {
    let html = [("content-type", "text/html; charset=utf-8")];
    (StatusCode::NOT_FOUND, html, NOT_FOUND).into_response()
}
