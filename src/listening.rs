//! Where the command line has a server listen.

use anyhow::Context as _;
use millstream::engine::Properties;
use millstream::server::{Server, ServerOptions, Waiting};

/// A port that is listened on, for a host that is to come.
pub(crate) struct Listening {
    pub(crate) waiting: Waiting,
    /// Where it is found.
    pub(crate) url: String,
}

impl Listening {
    /// Listens where the first of some listeners says.
    pub(crate) async fn start(listeners: &str, properties: &Properties) -> anyhow::Result<Self> {
        let options = listener(listeners).await?;
        let scheme = if options.is_https { "https" } else { "http" };
        let waiting = Server::wait(properties, options).await?;
        let url = format!("{scheme}://{}", waiting.address());
        Ok(Self { waiting, url })
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
