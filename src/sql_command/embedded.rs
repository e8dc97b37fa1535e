//! A server of the shell's own, where none is named: on brokers, or on one in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::engine::host::{Host, HostOptions};
use millstream::engine::{Properties, Services};
use millstream::server::{Server, ServerOptions};

use crate::run_command;

/// How long queries may take to commit at the end.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// By which its topics and groups differ from those of a server beside the same brokers.
const SERVICE_ID: &str = "millstream_sql_";

/// A server in this process, on a free port of loopback.
pub(crate) struct Embedded {
    server: Server,
    host: Arc<Host>,
    /// The broker, where none was named; it goes last.
    broker: Option<EmbeddedBroker>,
}

impl Embedded {
    /// Starts it, on these brokers or on one of its own.
    pub(crate) async fn start(
        bootstrap_servers: Option<&str>,
        mut properties: Properties,
    ) -> anyhow::Result<Self> {
        let broker = if bootstrap_servers.is_none() {
            Some(EmbeddedBroker::start(EmbeddedConfig::default()).await?)
        } else {
            None
        };
        let own = broker.as_ref().map(EmbeddedBroker::bootstrap);
        let servers = bootstrap_servers.map(str::to_owned).or(own).unwrap_or_default();
        properties.set("bootstrap.servers", servers);
        if properties.get("ksql.service.id").is_none() {
            properties.set("ksql.service.id", SERVICE_ID);
        }
        // Nobody but this shell knows of it.
        properties.unset("authentication.method");
        let services = Services::new(&properties)?;
        let options = HostOptions {
            workers: run_command::workers(&properties)?,
            properties,
            instance: u64::from(std::process::id()),
            stop_within: STOP_WITHIN,
        };
        let host = Arc::new(Host::start(services, options).await?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::start(Arc::clone(&host), ServerOptions::new(address)).await?;
        Ok(Self { server, host, broker })
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Ends it, its queries committed.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
        if let Some(host) = Arc::into_inner(self.host) {
            host.stop().await;
        }
        drop(self.broker);
    }
}
