//! `millstream broker`: the embedded broker, alone or with a Schema Registry.
use anyhow::{Context, anyhow};
use millstream::broker::{EmbeddedBroker, EmbeddedConfig, SaslPlain};

use crate::args::BrokerArgs;
use crate::registry_command;

/// Runs a broker until the user stops it.
pub(crate) async fn run(args: BrokerArgs) -> anyhow::Result<()> {
    // Another command may have set up logging already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .try_init();
    let sasl = args.user.as_deref().map(credentials).transpose()?;
    let config = EmbeddedConfig {
        host: args.host,
        port: args.kafka_port,
        advertised_host: args.advertised_host,
        data_dir: args.data_dir,
        sasl: sasl.clone(),
        default_partitions: args.partitions,
        auto_create_topics: !args.no_auto_create,
        memory_bytes_max: args.memory.saturating_mul(1 << 20),
        ..EmbeddedConfig::default()
    };
    let broker = EmbeddedBroker::start(config).await?;
    let registry = match args.registry_port {
        Some(port) => Some(registry_command::start(&broker, args.host, port, sasl).await?),
        None => None,
    };
    let beside =
        registry.as_ref().map(|registry| format!("the Schema Registry is {}; ", registry.url()));
    eprintln!(
        "Kafka clients connect to {}; {}Ctrl-C stops the broker.",
        broker.bootstrap(),
        beside.unwrap_or_default()
    );
    stopped().await.context("waiting for the signal to stop")?;
    if let Some(registry) = registry {
        registry.shutdown().await;
    }
    broker.shutdown().await;
    Ok(())
}

fn credentials(text: &str) -> anyhow::Result<SaslPlain> {
    let (username, password) = text
        .split_once(':')
        .ok_or_else(|| anyhow!("--user takes a name and a password, as in alice:secret"))?;
    Ok(SaslPlain { username: username.to_owned(), password: password.to_owned() })
}

/// Waits for Ctrl-C, or for the signal by which a container is stopped.
async fn stopped() -> std::io::Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}
