//! A broker, and servers beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::engine::host::{Host, HostOptions};
use millstream::engine::{Properties, Services};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::server::{Server, ServerOptions};
use serde_json::{Value, json};

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A broker, beside which servers run.
pub(crate) struct World {
    broker: EmbeddedBroker,
    workers: usize,
}

/// A server, and a client of it.
pub(crate) struct Ksql {
    pub(crate) host: Arc<Host>,
    server: Server,
    client: reqwest::Client,
    is_https: bool,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_workers(2).await
    }

    /// The same, whose servers have so many threads for records.
    pub(crate) async fn with_workers(workers: usize) -> Self {
        let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
        Self { broker, workers }
    }

    /// Where the broker is found.
    pub(crate) fn brokers(&self) -> String {
        self.broker.bootstrap()
    }

    /// A client of the broker.
    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::new(ClientConfig::new(&self.brokers()).unwrap()).unwrap()
    }

    /// Starts a server of the one service that there is.
    pub(crate) async fn server(&self) -> Ksql {
        self.server_with(&[]).await
    }

    /// The same, with further properties; over TLS if they name a certificate.
    pub(crate) async fn server_with(&self, further: &[(&str, &str)]) -> Ksql {
        let is_https = further.iter().any(|(name, _)| *name == "ssl.keystore.location");
        let (services, options) = self.options(further);
        self.serve(Host::start(services, options).await.unwrap(), is_https).await
    }

    /// What a host is started with; later properties win.
    pub(crate) fn options(&self, further: &[(&str, &str)]) -> (Services, HostOptions) {
        static INSTANCES: AtomicU64 = AtomicU64::new(1);
        let brokers = self.brokers();
        let properties = [
            ("bootstrap.servers", brokers.as_str()),
            ("ksql.service.id", "test_"),
            ("commit.interval.ms", "100"),
            ("heartbeat.interval.ms", "100"),
        ];
        let properties = properties.iter().chain(further);
        let properties = properties.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let properties = Properties::new(properties);
        let services = Services::new(&properties).unwrap();
        let options = HostOptions {
            properties,
            instance: INSTANCES.fetch_add(1, Ordering::Relaxed),
            workers: self.workers,
            stop_within: Duration::from_secs(5),
        };
        (services, options)
    }

    /// Lets clients ask a host.
    pub(crate) async fn serve(&self, host: Host, is_https: bool) -> Ksql {
        self.serve_at("127.0.0.1:0".parse().unwrap(), host, is_https).await
    }

    /// Starts a server that says where it listens, as one of a service does whose others are to find it.
    pub(crate) async fn server_among_others(&self, further: &[(&str, &str)]) -> Ksql {
        // Who has let a port go gets it once more, unless another one is quicker.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let url = format!("http://{address}");
        let further = [&[("listeners", url.as_str())], further].concat();
        let (services, options) = self.options(&further);
        self.serve_at(address, Host::start(services, options).await.unwrap(), false).await
    }

    async fn serve_at(&self, address: SocketAddr, host: Host, is_https: bool) -> Ksql {
        let host = Arc::new(host);
        let options = ServerOptions { address, is_https };
        let server = Server::start(Arc::clone(&host), options).await.unwrap();
        Ksql { host, server, client: client(), is_https }
    }
}

/// A client of any server.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

impl Ksql {
    /// Stops the server; what exists stays.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
        let mut host = self.host;
        for _ in 0..100 {
            match Arc::try_unwrap(host) {
                Ok(host) => return drop(host.stop().await),
                Err(shared) => host = shared,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("requests are still under way");
    }

    /// Where it is found.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}", self.server.address())
    }

    /// The status and the text of a `GET`.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.url());
        let response = self.client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The status and the text of a `POST` with further headers.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&'static str, &str)],
    ) -> (u16, String) {
        let url = format!("{}{path}", self.url());
        let mut request = self.client.post(url).body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = tokio::time::timeout(PATIENCE, request.send()).await.unwrap().unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The status and the answer of statements.
    pub(crate) async fn try_run(&self, statements: &str) -> (u16, Value) {
        let properties = json!({ "auto.offset.reset": "earliest" });
        let body = json!({ "ksql": statements, "streamsProperties": properties });
        let (status, text) = self.post("/ksql", &body, &[]).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// The answer of statements that are to be run.
    pub(crate) async fn run(&self, statements: &str) -> Value {
        let (status, answer) = self.try_run(statements).await;
        assert_eq!(status, 200, "{statements}: {answer}");
        answer
    }

    /// The lines of a query.
    pub(crate) async fn query(&self, sql: &str) -> Vec<Value> {
        let properties = json!({ "auto.offset.reset": "earliest" });
        let body = json!({ "sql": sql, "properties": properties });
        let (status, text) = self.post("/query-stream", &body, &[]).await;
        assert_eq!(status, 200, "{sql}: {text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
