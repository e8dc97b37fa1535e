//! Sends figures and traces to a collector of OpenTelemetry, if the environment says where that is.

use std::convert::Infallible;
use std::sync::Arc;

use millstream::engine::host::Host;
use millstream::server::otlp::{Exporter, OtlpConfig};

/// What sends, if anything does.
pub(crate) struct Otlp(Option<Exporter>);

impl Otlp {
    /// What the environment says; what it says wrong is an error before anything runs.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        let config = OtlpConfig::read(|name| std::env::var(name).ok())?;
        Ok(Self(config.map(Exporter::new).transpose()?))
    }

    /// Sends for good.
    pub(crate) async fn send(&self, host: &Arc<Host>) -> Infallible {
        match &self.0 {
            Some(exporter) => exporter.run(host).await,
            None => std::future::pending().await,
        }
    }
}
