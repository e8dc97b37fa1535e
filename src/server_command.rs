//! `millstream server`: ksqlDB's REST API beside a Kafka cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use millstream::engine::Services;
use millstream::engine::host::{Host, HostOptions};

use crate::apply_command;
use crate::args::ServerArgs;
use crate::files::Files;
use crate::kafka_wait::telling;
use crate::listening::Listening;
use crate::minute_line;
use crate::otlp::Otlp;
use crate::run_command::{
    kafka_properties, set_state_dir, start_logging, stop_signal, warn_of_servers, workers,
};

/// Where a server listens, unless it is told.
const LISTENER: &str = "http://127.0.0.1:8088";

/// Serves until it is told to stop.
pub(crate) async fn run(args: ServerArgs) -> anyhow::Result<()> {
    start_logging(&args.log);
    let mut properties = kafka_properties(&args.kafka)?;
    set_state_dir(&mut properties, args.state_dir.as_deref())?;
    warn_of_servers(&properties);
    if let Some(listeners) = &args.listeners {
        // Who asks for a query is told where it runs.
        properties.set("listeners", listeners.as_str());
    }
    let services = Services::new(&properties)?;
    let otlp = Otlp::of_environment()?;
    let listeners = properties.get("listeners").unwrap_or(LISTENER);
    // Whoever asks while Kafka is away, or files are applied, is told that it is not ready.
    let Listening { waiting, url } = Listening::start(listeners, &properties).await?;
    let mut stop = std::pin::pin!(stop_signal()?);
    let host_options = HostOptions {
        workers: workers(&properties)?,
        properties,
        instance: u64::from(std::process::id()),
        stop_within: Duration::from_secs(args.stop_within),
    };
    let cluster = services.cluster.clone();
    // A cluster that does not answer is waited for, and nobody has to wait for that.
    let host = tokio::select! {
        host = telling(&cluster, Host::start(services, host_options)) => Arc::new(host?),
        () = &mut stop => return Ok(()),
    };
    if !args.apply.is_empty()
        && let Err(error) = apply_files(&host, &args.apply).await
    {
        // What ran before goes on where it stands, at the next start.
        stop_host(host).await;
        return Err(error);
    }
    let server = waiting.open(Arc::clone(&host));
    tracing::info!("listening on {url}");
    tokio::select! {
        () = stop => {}
        never = minute_line::tell(&host) => match never {},
        never = otlp.send(&host) => match never {},
    }
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
