//! ksqlDB's REST API over HTTP/1.1 and HTTP/2, in the clear or with TLS, on one port.
//!
//! ```text
//! connection ─▶ tls ─▶ entrance ─▶ front: guard (Origin, Host), users, body, limits ─▶ handler ─▶ engine::host ─▶ api: typed answers as JSON
//! ```
//! Browsers are shown a page, which asks by the same paths as other clients: its source is TypeScript, in `page/src`, and what
//! `page/build` makes of it, in `page/dist`, is in the binary.
//!
//! What ksqlDB's JSON looks like is known to [`api`] alone; what statements do, to [`crate::engine::host`].

pub mod api;
mod body;
mod cluster;
mod elsewhere;
mod entrance;
mod error;
mod figures;
mod files;
mod front;
mod guard;
mod h2c;
mod inserts;
mod ksql;
mod language;
mod limits;
mod listen;
mod metrics;
mod negotiate;
pub mod otlp;
mod page;
mod query;
mod received;
mod requests;
mod routes;
mod shared;
mod skipped;
mod status;
mod streamed;
mod tail;
mod terminate;
mod tls;
mod users;
mod web_socket;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::engine::Properties;
use crate::engine::host::Host;
use entrance::Entrance;
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

/// A server that waits for its host: clients are told that it is not ready.
pub struct Waiting {
    server: Server,
    entrance: Entrance,
    guard: Guard,
    users: Option<Users>,
    limits: Limits,
}

impl Waiting {
    /// Lets clients ask a host.
    pub fn open(self, host: Arc<Host>) -> Server {
        let Self { server, entrance, guard, users, limits } = self;
        host.keep_history();
        entrance.open(routes::router(Arc::new(Shared::new(host, limits)), guard, users));
        server
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }
}

impl Server {
    /// Starts to serve.
    pub async fn start(host: Arc<Host>, options: ServerOptions) -> Result<Self, ServerError> {
        Ok(Self::wait(host.properties(), options).await?.open(host))
    }

    /// Starts to listen for a host that is to come, which has these properties.
    pub async fn wait(
        properties: &Properties,
        options: ServerOptions,
    ) -> Result<Waiting, ServerError> {
        let ServerOptions { address, is_https } = options;
        let limits = Limits::new(properties)?;
        let users = Users::new(properties)?;
        let tls = is_https.then(|| tls::acceptor(properties)).transpose()?;
        let failed = |source| ServerError::Address { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = Guard::new(address.ip().is_loopback(), Cors::new(properties));
        let has_clients = tls.is_some() && properties.get("ssl.client.authentication").is_some();
        if !address.ip().is_loopback() && users.is_none() && !has_clients {
            tracing::warn!(
                "{address} can be reached from other machines, and nobody has to say who he is: \
                 authentication.method=BASIC changes that"
            );
        }
        let entrance = Entrance::new(guard.clone(), users.clone());
        let (stop, stopped) = watch::channel(false);
        let port = Port { entrance: entrance.clone(), listener, tls, limits };
        let server = Self { address, stop, serving: tokio::spawn(listen::serve(port, stopped)) };
        Ok(Waiting { server, entrance, guard, users, limits })
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
