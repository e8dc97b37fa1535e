//! ksqlDB's REST API over HTTP/1.1 and cleartext HTTP/2, on one port.
//!
//! ```text
//! request ─▶ guard (Origin, Host) ─▶ handler ─▶ engine::host ─▶ api: typed answers as JSON
//! ```
//! What ksqlDB's JSON looks like is known to [`api`] alone; what statements do, to [`crate::engine::host`].

pub mod api;
mod body;
mod guard;
mod ksql;
mod negotiate;
mod query;
mod routes;
mod shared;
mod status;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::engine::host::Host;
use guard::Guard;
use shared::Shared;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where it listens.
    pub address: SocketAddr,
    /// The origins of web pages that may use it: `access.control.allow.origin`.
    pub allowed_origin: Option<String>,
    /// The longest body of a request; what is longer is refused.
    pub body_bytes_max: usize,
}

impl ServerOptions {
    /// A server that listens on an address, with limits as they are by default.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, allowed_origin: None, body_bytes_max: 8 << 20 }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ServerError {
    address: SocketAddr,
    source: std::io::Error,
}

/// A running server. It stops when [`Server::stop`] is called or it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Starts to serve.
    pub async fn start(host: Arc<Host>, options: ServerOptions) -> Result<Self, ServerError> {
        let failed = |source| ServerError { address: options.address, source };
        let listener = TcpListener::bind(options.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = Guard::new(address.ip().is_loopback(), options.allowed_origin.as_deref());
        if !address.ip().is_loopback() {
            tracing::warn!(
                "{address} can be reached from other machines, and nobody has to say who he is"
            );
        }
        let shared = Arc::new(Shared { host, queries: shared::RunningQueries::default() });
        let router = routes::router(shared, guard, options.body_bytes_max);
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(async move {
            let until = async move {
                let mut stopped = stopped;
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            // Rows are to be seen at once.
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!("rows may be late: {error}");
                }
            });
            tokio::select! {
                served = std::future::IntoFuture::into_future(axum::serve(listener, router)) => {
                    if let Err(error) = served {
                        tracing::warn!("the server has stopped: {error}");
                    }
                }
                () = until => {}
            }
        });
        Ok(Self { address, stop, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops serving: no more requests are taken.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.serving.abort();
    }
}
