//! Sends figures and traces, again and again: what is not taken is said once, and never keeps anything else waiting.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use reqwest::header::CONTENT_TYPE;

use super::config::{OtlpConfig, Target};
use super::messages::{
    KeyValue, MetricsRequest, Resource, ResourceMetrics, ResourceSpans, Scope, ScopeMetrics,
    ScopeSpans, TracesRequest,
};
use super::points::Points;
use super::spans::spans;
use crate::engine::host::Host;
use crate::kafka::config::Tls;
use crate::kafka::tls;
use crate::server::metrics::Measured;

/// How often traces are sent.
const TRACES_EVERY: Duration = Duration::from_secs(5);

/// How long is waited after a failure, twice as long after each further one.
const BACK_OFF: Duration = Duration::from_secs(1);
const BACK_OFF_MAX: Duration = Duration::from_mins(1);

/// Why nothing can be sent at all.
#[derive(Debug, thiserror::Error)]
#[error("OTLP: no connections can be made: {0}")]
pub struct ExporterError(String);

/// Sends what is counted of a host, and how its commits come about.
#[derive(Debug)]
pub struct Exporter {
    http: reqwest::Client,
    config: OtlpConfig,
}

/// One of the things that are sent, and how that fares.
struct Sending<'t> {
    what: &'static str,
    target: &'t Target,
    http: &'t reqwest::Client,
    /// How often it has failed since it was taken last.
    failures: u32,
}

impl Exporter {
    /// Sends nothing yet.
    ///
    /// # Errors
    /// What keeps it from trusting anybody, such as a system without certificates.
    pub fn new(config: OtlpConfig) -> Result<Self, ExporterError> {
        let tls = Tls::from_properties(&BTreeMap::new()).and_then(|tls| tls::client_config(&tls));
        let tls = tls.map_err(|error| ExporterError(error.to_string()))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| ExporterError(error.to_string()))?;
        Ok(Self { http, config })
    }

    /// Sends for good.
    pub async fn run(&self, host: &Arc<Host>) -> Infallible {
        tokio::select! {
            never = self.metrics(host) => never,
            never = self.traces(host) => never,
        }
    }

    async fn metrics(&self, host: &Host) -> Infallible {
        let Some(mut sending) = self.sending("metrics", self.config.metrics.as_ref()) else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(sending.wait(self.config.interval)).await;
            sending.send(self.metrics_request(host).encode_to_vec()).await;
        }
    }

    fn metrics_request(&self, host: &Host) -> MetricsRequest {
        let measured = Measured::now(host);
        let at = u64::try_from(measured.host.at.0).unwrap_or(0).saturating_mul(1_000_000);
        let started = measured.process.started_seconds.map_or(at, |seconds| (seconds * 1e9) as u64);
        let mut points = Points::new(started, at);
        measured.write(&mut points);
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics: points.metrics() }];
        let resource = Some(self.resource(&measured.host.server));
        MetricsRequest { resource_metrics: vec![ResourceMetrics { resource, scope_metrics }] }
    }

    async fn traces(&self, host: &Host) -> Infallible {
        let Some(mut sending) = self.sending("traces", self.config.traces.as_ref()) else {
            return std::future::pending().await;
        };
        host.keep_commit_traces();
        loop {
            tokio::time::sleep(sending.wait(TRACES_EVERY)).await;
            let traces = host.take_commit_traces();
            if traces.is_empty() {
                continue;
            }
            let spans = traces.iter().flat_map(spans).collect();
            let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans }];
            let resource = Some(self.resource(&host.figures().server));
            let resource_spans = vec![ResourceSpans { resource, scope_spans }];
            sending.send(TracesRequest { resource_spans }.encode_to_vec()).await;
        }
    }

    fn sending<'t>(
        &'t self,
        what: &'static str,
        target: Option<&'t Target>,
    ) -> Option<Sending<'t>> {
        target.map(|target| Sending { what, target, http: &self.http, failures: 0 })
    }

    /// What the process is known by: what was said, and where it listens.
    fn resource(&self, address: &str) -> Resource {
        let known = &self.config.resource;
        let mut attributes: Vec<KeyValue> =
            known.iter().map(|(name, value)| KeyValue::text(name, value)).collect();
        if !known.contains_key("service.instance.id") {
            attributes.push(KeyValue::text("service.instance.id", address));
        }
        Resource { attributes }
    }
}

impl Sending<'_> {
    /// How long is waited until it is sent the next time.
    fn wait(&self, every: Duration) -> Duration {
        match self.failures {
            0 => every,
            failures => every.max((BACK_OFF * (1 << (failures - 1).min(6))).min(BACK_OFF_MAX)),
        }
    }

    /// Sends a message. What is not taken is lost; counts come again with the next one.
    async fn send(&mut self, message: Vec<u8>) {
        let Target { url, headers } = self.target;
        let request = self.http.post(url.clone()).headers(headers.clone());
        let request = request.header(CONTENT_TYPE, "application/x-protobuf").body(message);
        let failure = match request.send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(tls::innermost_cause(&error)),
        };
        let (what, place) = (self.what, self.target.place());
        match failure {
            Some(cause) => {
                if self.failures == 0 {
                    tracing::warn!(
                        "OTLP: {what} are not taken by {place}: {cause}; they are sent until they are"
                    );
                }
                self.failures = self.failures.saturating_add(1);
            }
            None if self.failures > 0 => {
                tracing::info!("OTLP: {what} are taken by {place} again");
                self.failures = 0;
            }
            None => {}
        }
    }
}

fn scope() -> Scope {
    let [name, version] = [env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")];
    Scope { name: name.to_owned(), version: version.to_owned() }
}
