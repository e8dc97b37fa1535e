//! `millstream server`: ksqlDB's REST API beside a Kafka cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use millstream::engine::Services;
use millstream::engine::host::{Host, HostOptions};
use millstream::server::{Server, ServerOptions};

use crate::args::ServerArgs;
use crate::run_command::{
    kafka_properties, set_state_dir, start_tracing, stop_signal, warn_of, workers,
};

/// Where a server listens, unless it is told.
const LISTENER: &str = "http://127.0.0.1:8088";

/// Serves until it is told to stop.
pub(crate) async fn run(args: ServerArgs) -> anyhow::Result<()> {
    start_tracing("info");
    let mut properties = kafka_properties(&args.kafka)?;
    set_state_dir(&mut properties, args.state_dir.as_deref())?;
    warn_of(&properties);
    let listeners = args.listeners.as_deref().or(properties.get("listeners")).unwrap_or(LISTENER);
    let address = address(listeners).await?;
    let allowed_origin = properties.get("access.control.allow.origin").map(str::to_owned);
    let services = Services::new(&properties)?;
    let mut stop = std::pin::pin!(stop_signal()?);
    let options = HostOptions {
        workers: workers(&properties)?,
        properties,
        instance: u64::from(std::process::id()),
        stop_within: Duration::from_secs(args.stop_within),
    };
    // A cluster that does not answer is waited for, and nobody has to wait for that.
    let host = tokio::select! {
        host = Host::start(services, options) => Arc::new(host?),
        () = &mut stop => return Ok(()),
    };
    let options = ServerOptions { allowed_origin, ..ServerOptions::new(address) };
    let server = Server::start(Arc::clone(&host), options).await?;
    tracing::info!("listening on http://{}", server.address());
    stop.await;
    server.stop().await;
    // Requests that are under way hold it too; what they have not done is left to the next start.
    if let Some(host) = Arc::into_inner(host) {
        host.stop().await;
    }
    Ok(())
}

/// The address of the first listener of a list.
async fn address(listeners: &str) -> anyhow::Result<SocketAddr> {
    let first = listeners.split(',').next().unwrap_or_default().trim();
    let rest = first
        .strip_prefix("http://")
        .with_context(|| format!("listener {first}: expected http://HOST:PORT"))?;
    let rest = rest.trim_end_matches('/');
    let found = tokio::net::lookup_host(rest).await;
    let mut found =
        found.with_context(|| format!("listener {first}: expected http://HOST:PORT"))?;
    found.next().with_context(|| format!("listener {first}: the host has no address"))
}
