//! ksqlDB's REST API over HTTP/1.1 and HTTP/2, in the clear or with TLS, on one port.
//!
//! ```text
//! connection ─▶ tls ─▶ front: guard (Origin, Host), users, body, limits ─▶ handler ─▶ engine::host ─▶ api: typed answers as JSON
//! ```
//! What ksqlDB's JSON looks like is known to [`api`] alone; what statements do, to [`crate::engine::host`].

pub mod api;
mod body;
mod error;
mod files;
mod front;
mod guard;
mod h2c;
mod inserts;
mod ksql;
mod limits;
mod listen;
mod negotiate;
mod query;
mod received;
mod requests;
mod routes;
mod shared;
mod status;
mod streamed;
mod terminate;
mod tls;
mod users;
mod web_socket;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::engine::host::Host;
pub use error::ServerError;
use guard::{Cors, Guard};
use limits::Limits;
use listen::Port;
use shared::Shared;
use users::Users;

/// How a server is set up; all else is in the properties of its host.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether connections are encrypted.
    pub is_https: bool,
}

impl ServerOptions {
    /// A server that listens on an address, in the clear.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, is_https: false }
    }
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
        let ServerOptions { address, is_https } = options;
        let properties = host.properties();
        let limits = Limits::new(properties)?;
        let users = Users::new(properties)?;
        let tls = is_https.then(|| tls::acceptor(properties)).transpose()?;
        let guard = |is_loopback| Guard::new(is_loopback, Cors::new(properties));
        let failed = |source| ServerError::Address { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = guard(address.ip().is_loopback());
        let has_clients = tls.is_some() && properties.get("ssl.client.authentication").is_some();
        if !address.ip().is_loopback() && users.is_none() && !has_clients {
            tracing::warn!(
                "{address} can be reached from other machines, and nobody has to say who he is: \
                 authentication.method=BASIC changes that"
            );
        }
        let shared = Arc::new(Shared::new(host, limits));
        let router = routes::router(shared, guard, users);
        let (stop, stopped) = watch::channel(false);
        let port = Port { listener, tls, limits };
        let serving = tokio::spawn(listen::serve(port, router, stopped));
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
