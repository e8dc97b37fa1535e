//! Confluent's REST API over HTTP/1.1.
//!
//! ```text
//! request ─→ Call (who and what) ─→ handler: ask or change ─→ Answer, or Refusal
//! ```
//! Every route stands here, and again below `/contexts/{context}`, where names mean subjects of that context.

mod answer;
mod call;
mod compatibility;
mod login;
mod schemas;
mod settings;
mod subjects;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::Semaphore;

use super::refusal::Refusal;
use super::service::Service;
use answer::{Answer, Json};
use call::Call;
use login::Login;

/// How many requests are worked on at the same time; more of them wait.
const REQUESTS_MAX: usize = 256;

/// The API of a service; bodies of requests are at most that long, and whoever asks must be `user`, if there is one.
pub(super) fn router(
    service: Service,
    body_bytes_max: usize,
    user: Option<(String, String)>,
) -> Router {
    let login = user.map(|(name, password)| Login::new(&name, &password));
    let room = Arc::new(Semaphore::new(REQUESTS_MAX));
    Router::new()
        .merge(routes())
        .nest("/contexts/{context}", routes())
        .route("/", get(async || Json(json!({}))))
        .route("/contexts", get(subjects::contexts))
        .route("/v1/metadata/id", get(metadata_id))
        .route("/v1/metadata/version", get(metadata_version))
        .fallback(async || Refusal::new(404, "HTTP 404 Not Found"))
        .method_not_allowed_fallback(async || Refusal::new(405, "HTTP 405 Method Not Allowed"))
        .layer(middleware::from_fn(move |request, next| login::check(login.clone(), request, next)))
        .layer(middleware::from_fn(answer::negotiate))
        .layer(middleware::from_fn(move |request, next| limited(Arc::clone(&room), request, next)))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(service)
}

fn routes() -> Router<Service> {
    Router::new()
        .route("/subjects", get(subjects::list))
        .route("/subjects/{subject}", post(subjects::look_up).delete(subjects::delete))
        .route("/subjects/{subject}/versions", get(subjects::versions).post(subjects::register))
        .route(
            "/subjects/{subject}/versions/{version}",
            get(subjects::version).delete(subjects::delete_version),
        )
        .route("/subjects/{subject}/versions/{version}/schema", get(subjects::text))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(subjects::referenced_by))
        .route("/schemas", get(schemas::list))
        .route("/schemas/types", get(schemas::types))
        .route("/schemas/ids/{id}", get(schemas::by_id))
        .route("/schemas/ids/{id}/schema", get(schemas::text))
        .route("/schemas/ids/{id}/subjects", get(schemas::subjects))
        .route("/schemas/ids/{id}/versions", get(schemas::versions))
        .route("/schemas/guids/{guid}", get(schemas::by_guid))
        .route("/schemas/guids/{guid}/ids", get(schemas::ids_of_guid))
        .route("/compatibility/subjects/{subject}/versions", post(compatibility::with_subject))
        .route(
            "/compatibility/subjects/{subject}/versions/{version}",
            post(compatibility::with_version),
        )
        .route(
            "/config",
            get(settings::level).put(settings::set_level).delete(settings::delete_level),
        )
        .route(
            "/config/{subject}",
            get(settings::level).put(settings::set_level).delete(settings::delete_level),
        )
        .route("/mode", get(settings::mode).put(settings::set_mode).delete(settings::delete_mode))
        .route(
            "/mode/{subject}",
            get(settings::mode).put(settings::set_mode).delete(settings::delete_mode),
        )
}

async fn metadata_id(_: Call) -> Answer {
    let clusters =
        json!({ "kafka-cluster": "millstream", "schema-registry-cluster": "schema-registry" });
    Ok(json!({ "scope": { "path": [], "clusters": clusters } }).into())
}

async fn metadata_version(_: Call) -> Answer {
    Ok(json!({ "version": env!("CARGO_PKG_VERSION"), "commitId": "" }).into())
}

/// Works on a request once there is room for it.
async fn limited(room: Arc<Semaphore>, request: Request, next: Next) -> Response {
    // The semaphore is never closed.
    let _room = room.acquire_owned().await;
    next.run(request).await
}

/// A refusal of what a request is, before anybody looked at what it asks.
fn refused(refusal: Refusal) -> Response {
    refusal.into_response()
}
