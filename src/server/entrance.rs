//! Where clients come in: before there is a host, they are told that it is not ready.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::guard::Guard;
use super::users::{CHECKS, Users};
use super::{body, page, status};

/// After how many seconds a client may ask again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// What connections are served with.
#[derive(Clone)]
pub(super) struct Entrance {
    waiting: Router,
    api: Arc<OnceLock<Router>>,
}

impl Entrance {
    /// An entrance that is not open yet.
    pub(super) fn new(guard: Guard, users: Option<Users>) -> Self {
        let api = Arc::<OnceLock<Router>>::default();
        let opened = Arc::clone(&api);
        let guard = Arc::new(guard);
        let answer = move |request: Request| {
            // A connection that began to wait may go on with what it waited for.
            let api = opened.get().cloned();
            let (guard, users) = (Arc::clone(&guard), users.clone());
            async move {
                match api {
                    Some(api) => answered(api, request).await,
                    None => guard.pass(request, |request| ready(not_ready(&request, users))).await,
                }
            }
        };
        Self { waiting: Router::new().fallback(answer), api }
    }

    /// Lets clients in.
    pub(super) fn open(&self, api: Router) {
        // It is opened once, by whoever made it.
        let _ = self.api.set(api);
    }

    /// What a connection that begins now is served with.
    pub(super) fn router(&self) -> Router {
        self.api.get().unwrap_or(&self.waiting).clone()
    }
}

async fn answered(api: Router, request: Request) -> Response {
    let answered: Result<Response, Infallible> = TowerToHyperService::new(api).call(request).await;
    answered.unwrap_or_else(|never| match never {})
}

/// What a server answers that is not ready, to those who may ask.
fn not_ready(request: &Request, users: Option<Users>) -> Response {
    if CHECKS.contains(&request.uri().path()) {
        return status::alive();
    }
    if let Some(refusal) = users.and_then(|users| users.refusal(request)) {
        return refusal;
    }
    if let Some(page) = page::answer(request) {
        return page;
    }
    let mut response =
        body::generic(50302, "KSQL is not yet ready to serve requests.").into_response();
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    response
}
