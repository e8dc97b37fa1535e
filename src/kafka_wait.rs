//! What is said while Kafka does not answer.

use std::pin::pin;
use std::time::Duration;

use millstream::kafka::Cluster;

/// How long nothing is said.
const SOON: Duration = Duration::from_secs(1);

/// How often it is said again.
const AGAIN: Duration = Duration::from_secs(10);

/// Does what needs Kafka. As long as it is not done and Kafka does not answer, that is said.
pub(crate) async fn telling<T>(cluster: &Cluster, doing: impl Future<Output = T>) -> T {
    let mut doing = pin!(doing);
    tokio::select! {
        done = &mut doing => done,
        () = tell(cluster) => doing.await,
    }
}

/// Says that Kafka does not answer, and why, until it does.
async fn tell(cluster: &Cluster) {
    let servers = cluster.config().bootstrap_servers.join(",");
    let once = cluster.with_patience(Duration::ZERO);
    let mut was_away = false;
    loop {
        let cause = match tokio::time::timeout(SOON, once.metadata()).await {
            Ok(Ok(_)) => break,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {SOON:?}"),
        };
        was_away = true;
        tracing::warn!("waiting for Kafka at {servers} (bootstrap.servers): {cause}");
        tokio::time::sleep(AGAIN).await;
    }
    if was_away {
        tracing::info!("Kafka at {servers} answers");
    }
}
