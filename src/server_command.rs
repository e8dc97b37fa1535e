//! `millstream server`: ksqlDB's REST API beside a Kafka cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use millstream::engine::Services;
use millstream::engine::host::{Host, HostOptions};
use millstream::server::{Server, ServerOptions};

use crate::apply_command;
use crate::args::ServerArgs;
use crate::files::Files;
use crate::run_command::{
    kafka_properties, set_state_dir, start_tracing, stop_signal, warn_of_servers, workers,
};

/// Where a server listens, unless it is told.
const LISTENER: &str = "http://127.0.0.1:8088";

/// Serves until it is told to stop.
pub(crate) async fn run(args: ServerArgs) -> anyhow::Result<()> {
    start_tracing("info");
    let mut properties = kafka_properties(&args.kafka)?;
    set_state_dir(&mut properties, args.state_dir.as_deref())?;
    warn_of_servers(&properties);
    if let Some(listeners) = &args.listeners {
        // Who asks for a query is told where it runs.
        properties.set("listeners", listeners.as_str());
    }
    let options = listener(properties.get("listeners").unwrap_or(LISTENER)).await?;
    let services = Services::new(&properties)?;
    let mut stop = std::pin::pin!(stop_signal()?);
    let host_options = HostOptions {
        workers: workers(&properties)?,
        properties,
        instance: u64::from(std::process::id()),
        stop_within: Duration::from_secs(args.stop_within),
    };
    // A cluster that does not answer is waited for, and nobody has to wait for that.
    let host = tokio::select! {
        host = Host::start(services, host_options) => Arc::new(host?),
        () = &mut stop => return Ok(()),
    };
    if !args.apply.is_empty()
        && let Err(error) = apply_files(&host, &args.apply).await
    {
        // What ran before goes on where it stands, at the next start.
        stop_host(host).await;
        return Err(error);
    }
    let scheme = if options.is_https { "https" } else { "http" };
    let server = Server::start(Arc::clone(&host), options).await?;
    tracing::info!("listening on {scheme}://{}", server.address());
    stop.await;
    server.stop().await;
    stop_host(host).await;
    Ok(())
}

/// Lets the server have what files define.
async fn apply_files(host: &Arc<Host>, files: &[PathBuf]) -> anyhow::Result<()> {
    apply_command::apply_here(host, &Files::read(files)?).await
}

/// Stops what runs. Requests that are under way hold it too; what they have not done is left to the next start.
async fn stop_host(host: Arc<Host>) {
    if let Some(host) = Arc::into_inner(host) {
        host.stop().await;
    }
}

/// The first listener of a list. There is one port for everything.
async fn listener(listeners: &str) -> anyhow::Result<ServerOptions> {
    let mut all = listeners.split(',').map(str::trim);
    let first = all.next().unwrap_or_default();
    let more: Vec<_> = all.collect();
    if !more.is_empty() {
        tracing::warn!("listeners: only {first} is listened on, and not {}", more.join(", "));
    }
    let is_https = first.starts_with("https://");
    let expected = || format!("listener {first}: expected http://HOST:PORT or https://HOST:PORT");
    let rest = first.strip_prefix("http://").or(first.strip_prefix("https://"));
    let rest = rest.with_context(expected)?.trim_end_matches('/');
    let mut found = tokio::net::lookup_host(rest).await.with_context(expected)?;
    let address = found.next().with_context(|| format!("listener {first}: no address"))?;
    Ok(ServerOptions { address, is_https })
}
