//! Load: as much as goes over so many connections, or so many requests a second.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use millstream::runtime::clock;
use tokio::task::JoinSet;

use crate::http::Connection;

/// How many connections ask.
pub(crate) const CONNECTIONS: usize = 64;

/// The requests of a load, which are asked in turn.
pub(crate) type Requests = Arc<[Vec<u8>]>;

/// Asks as fast as answers come, each connection one request at a time, and gives how many are answered in a second.
pub(crate) async fn closed(address: &str, requests: &Requests, lasts: Duration) -> Result<f64> {
    let begun = clock::instant();
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        let (address, requests) = (address.to_owned(), Arc::clone(requests));
        tasks.spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut answered = 0_u64;
            for request in requests.iter().cycle().skip(first * 31) {
                connection.ask(request).await?;
                answered += 1;
                if begun.elapsed() >= lasts {
                    break;
                }
            }
            Ok::<_, anyhow::Error>(answered)
        });
    }
    let mut answered = 0;
    while let Some(task) = tasks.join_next().await {
        answered += task??;
    }
    Ok(answered as f64 / begun.elapsed().as_secs_f64())
}

/// Asks so many times a second, whether answers come or not, and gives how long each took from when it was due: a
/// request that has to wait for the one before it has waited.
pub(crate) async fn open(
    address: &str,
    requests: &Requests,
    per_second: f64,
    lasts: Duration,
) -> Result<Latencies> {
    let begun = clock::instant();
    let each = Duration::from_secs_f64(CONNECTIONS as f64 / per_second);
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        let (address, requests) = (address.to_owned(), Arc::clone(requests));
        tasks.spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut due = begun + each.mul_f64(first as f64 / CONNECTIONS as f64);
            let mut took = Vec::new();
            for request in requests.iter().cycle().skip(first * 31) {
                tokio::time::sleep_until(due.into()).await;
                connection.ask(request).await?;
                took.push(due.elapsed());
                due += each;
                if begun.elapsed() >= lasts {
                    break;
                }
            }
            Ok::<_, anyhow::Error>(took)
        });
    }
    let mut all = Vec::new();
    while let Some(task) = tasks.join_next().await {
        all.extend(task??);
    }
    Ok(Latencies::new(all))
}

/// How long things took.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// How long this part of them took at most.
    fn quantile(&self, part: f64) -> f64 {
        let at = ((self.0.len() as f64 * part) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| self.quantile(part));
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms of {}", self.0.len())
    }
}
