//! The Schema Registry beside an embedded broker.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use millstream::broker::{EmbeddedBroker, SaslPlain};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};

use crate::devices_command::now_ms;

/// Starts a registry that keeps its schemas in the broker. Whoever must log in there must log in here, too.
pub(crate) async fn start(
    broker: &EmbeddedBroker,
    host: IpAddr,
    port: u16,
    sasl: Option<SaslPlain>,
) -> anyhow::Result<EmbeddedRegistry> {
    let mut properties = BTreeMap::from([("bootstrap.servers".to_owned(), broker.bootstrap())]);
    if let Some(sasl) = &sasl {
        let login = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", &sasl.username),
            ("sasl.password", &sasl.password),
        ];
        properties.extend(login.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let cluster = Cluster::new(ClientConfig::from_properties(&properties)?)?;
    let config = EmbeddedRegistryConfig {
        host,
        port,
        user: sasl.map(|sasl| (sasl.username, sasl.password)),
        clock: Arc::new(now_ms),
        ..EmbeddedRegistryConfig::default()
    };
    Ok(EmbeddedRegistry::start(&cluster, config).await?)
}
