//! What every request passes before its handler, in one place: a layer for each would cost as much as a short answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::guard::Guard;
use super::shared::Shared;
use super::users::Users;
use super::{h2c, terminate};

/// Where rows are sent: the body is read while it is answered, so that no other waits for it.
pub(super) const INSERTS: &str = "/inserts-stream";

/// What every request passes.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) guard: Guard,
    pub(super) users: Option<Users>,
    pub(super) shared: Arc<Shared>,
    /// What serves connections that go over to HTTP/2; none for these themselves.
    pub(super) upgraded: Option<Router>,
}

impl Front {
    /// Passes a request on, or refuses it.
    pub(super) async fn pass(
        State(front): State<Arc<Self>>,
        request: Request,
        next: Next,
    ) -> Response {
        front.guard.pass(request, |request| front.answer(request, next)).await
    }

    async fn answer(&self, request: Request, next: Next) -> Response {
        let Shared { host, receiving, under_way, .. } = &*self.shared;
        let request = match &self.upgraded {
            Some(inner) if h2c::is_asked(&request) => {
                match h2c::upgrade((inner, receiving), request).await {
                    Ok(response) => return response,
                    Err(request) => request,
                }
            }
            _ => request,
        };
        if let Some(refusal) = self.users.as_ref().and_then(|users| users.refusal(&request)) {
            return refusal;
        }
        if let Some(refusal) = terminate::refusal(host.phase()) {
            return refusal;
        }
        if request.uri().path() == INSERTS {
            return next.run(request).await;
        }
        let (parts, body) = request.into_parts();
        let (bytes, _room) = match receiving.receive(body).await {
            Ok(received) => received,
            Err(error) => return receiving.refuse(error),
        };
        match under_way.begin() {
            Ok(_one) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Err(refusal) => *refusal,
        }
    }
}
