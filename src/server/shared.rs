//! What handlers share: the host, and the queries that run for clients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::elsewhere::Elsewhere;
use super::limits::{Limits, UnderWay};
use super::received::Receiving;
use crate::engine::host::Host;

/// What handlers share.
pub(super) struct Shared {
    pub(super) host: Arc<Host>,
    pub(super) queries: RunningQueries,
    pub(super) limits: Limits,
    pub(super) under_way: UnderWay,
    pub(super) receiving: Receiving,
    pub(super) elsewhere: Elsewhere,
}

impl Shared {
    pub(super) fn new(host: Arc<Host>, limits: Limits) -> Self {
        Self {
            host,
            queries: RunningQueries::default(),
            under_way: UnderWay::new(limits.requests_max),
            receiving: Receiving::new(limits.body_bytes_max),
            limits,
            elsewhere: Elsewhere::default(),
        }
    }
}

/// What queries run, and how each is ended.
#[derive(Clone, Debug, Default)]
pub(super) struct RunningQueries(Arc<Mutex<HashMap<String, Arc<Notify>>>>);

impl RunningQueries {
    fn queries(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a query.
    pub(super) fn begin(&self, id: &str) -> Running {
        let close = Arc::<Notify>::default();
        self.queries().insert(id.to_owned(), Arc::clone(&close));
        Running { queries: self.clone(), id: id.to_owned(), close }
    }

    /// Ends a query; false if there is none of this id.
    pub(super) fn close(&self, id: &str) -> bool {
        let closed = self.queries().get(id).map(|close| close.notify_one());
        closed.is_some()
    }
}

/// A query that is noted as long as it runs.
pub(super) struct Running {
    queries: RunningQueries,
    id: String,
    close: Arc<Notify>,
}

impl Running {
    /// Waits until it is to end.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queries.queries().remove(&self.id);
    }
}
