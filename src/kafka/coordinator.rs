//! The broker that looks after one group or one transactional id.
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::FindCoordinatorRequest;

use super::api::Api;
use super::cluster::{Cluster, text};
use super::connection::{Connection, Terms};
use super::error::KafkaError;
use super::lease::Lease;

/// What a coordinator coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CoordinatorKind {
    /// A consumer group.
    Group = 0,
    /// The transactions of a transactional id.
    Transaction = 1,
}

/// The coordinator of one group or transactional id, on a connection of its own.
#[derive(Debug)]
pub(super) struct Coordinator {
    cluster: Cluster,
    kind: CoordinatorKind,
    key: String,
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
}

impl Coordinator {
    /// The coordinator of `key`; it is looked up with the first request.
    pub(super) fn new(cluster: &Cluster, kind: CoordinatorKind, key: &str) -> Self {
        Self {
            cluster: cluster.clone(),
            kind,
            key: key.to_owned(),
            connection: tokio::sync::Mutex::default(),
        }
    }

    /// Makes a request and retries it, at another broker if need be, until `check` finds nothing that may be mended.
    pub(super) async fn call<A: Api>(
        &self,
        request: &A,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        self.call_leased(request, None, check).await
    }

    /// The same, if the lease, where there is one, is open when the request is written; waits while it is closed.
    pub(super) async fn call_leased<A: Api>(
        &self,
        request: &A,
        lease: Option<&Lease>,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        self.call_on(request, Terms { lease, ..Terms::default() }, check, || {}).await
    }

    /// The same, in a version of the caller's choice, if there is one.
    pub(super) async fn call_as<A: Api>(
        &self,
        request: &A,
        version: Option<i16>,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        self.call_on(request, Terms { version, ..Terms::default() }, check, || {}).await
    }

    /// The version of transactions that the cluster has, as this coordinator says.
    pub(super) async fn transaction_version(&self) -> Result<i16, KafkaError> {
        Ok(self.connection().await?.transaction_version())
    }

    /// The same, for a request that may take `within` longer than usual.
    pub(super) async fn call_long<A: Api>(
        &self,
        request: &A,
        within: Duration,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        self.call_watched(request, within, check, || {}).await
    }

    /// The same, for a caller who wants to know of each attempt right before it is made.
    pub(super) async fn call_watched<A: Api>(
        &self,
        request: &A,
        within: Duration,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
        before: impl Fn() + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        self.call_on(request, Terms { within, ..Terms::default() }, check, before).await
    }

    async fn call_on<A: Api>(
        &self,
        request: &A,
        terms: Terms<'_>,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
        before: impl Fn() + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        let mut backoff = self.cluster.backoff();
        loop {
            before();
            match self.attempt(request, terms, &check).await {
                Ok(response) => return Ok(response),
                Err(error) => {
                    self.learn(&error).await;
                    backoff.pause(error).await?;
                }
            }
        }
    }

    /// Makes a request once.
    pub(super) async fn call_once<A: Api>(
        &self,
        request: &A,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        self.attempt(request, Terms::default(), check).await
    }

    async fn attempt<A: Api>(
        &self,
        request: &A,
        terms: Terms<'_>,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        let connection = self.connection().await?;
        let response = connection.request_on(request, terms).await?;
        check(&response)?;
        Ok(response)
    }

    /// Learns from an error that the coordinator is elsewhere.
    pub(super) async fn learn(&self, error: &KafkaError) {
        use ResponseError as E;
        let is_moved = match error {
            KafkaError::Code { code, .. } => {
                matches!(code, E::NotCoordinator | E::CoordinatorNotAvailable)
            }
            KafkaError::LeaseClosed => false,
            error => error.is_retriable(),
        };
        if is_moved {
            *self.connection.lock().await = None;
        }
    }

    async fn connection(&self) -> Result<Arc<Connection>, KafkaError> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = connection.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let request = FindCoordinatorRequest::default()
            .with_key(text(&self.key))
            .with_key_type(self.kind as i8);
        let found = self.cluster.any().await?.request(&request).await?;
        KafkaError::check(FindCoordinatorRequest::NAME, &self.key, found.error_code)?;
        Ok(connection.insert(self.cluster.open(found.node_id.0).await?).clone())
    }
}
