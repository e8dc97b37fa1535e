//! What is measured beside the queries: a plain fetch, and one that parses with `serde_json`.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use millstream::kafka::TopicPartition;
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use serde::Deserialize;

use crate::TOPIC;
use crate::process::Usage;

/// As much as a query's reader holds ahead.
pub(crate) const BUFFER_BYTES: usize = 4 << 20;

/// A reading as an application would declare it: typed, its texts borrowed from the record.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the cost of its fields is what is measured")]
struct Reading<'a> {
    #[serde(rename = "Arrival_Time")]
    arrival_time: i64,
    #[serde(rename = "Creation_Time")]
    creation_time: i64,
    #[serde(rename = "Device")]
    device: &'a str,
    #[serde(rename = "Index")]
    index: i32,
    #[serde(rename = "Model")]
    model: &'a str,
    #[serde(rename = "User")]
    user: &'a str,
    gt: &'a str,
    x: f64,
    y: f64,
    z: f64,
}

/// Only walks the batches.
pub(crate) async fn floor(broker: &str, count: u64) -> Result<()> {
    read(broker, count, |value| {
        black_box(value);
        Ok(())
    })
    .await
}

/// Also parses each reading.
pub(crate) async fn serde(broker: &str, count: u64) -> Result<()> {
    read(broker, count, |value| {
        black_box(serde_json::from_slice::<Reading<'_>>(value)?);
        Ok(())
    })
    .await
}

#[expect(clippy::print_stdout, reason = "the result goes to the process that asked")]
async fn read(broker: &str, count: u64, each: impl Fn(&[u8]) -> Result<()>) -> Result<()> {
    let cluster = crate::cluster(broker)?;
    let fetcher = fetcher(&cluster);
    let mut seen = 0;
    while seen < count {
        for fetched in fetcher.poll(Duration::from_secs(1)).await? {
            for record in fetched.records() {
                each(record?.value.unwrap_or_default())?;
                seen += 1;
            }
        }
    }
    println!("{}", Usage::of("self")?.line());
    Ok(())
}

/// A fetcher of all readings, with the settings of a query's.
pub(crate) fn fetcher(cluster: &millstream::kafka::Cluster) -> Fetcher {
    let fetcher = Fetcher::with_options(cluster, Isolation::ReadCommitted, BUFFER_BYTES);
    fetcher.assign((0..3).map(|partition| (TopicPartition::new(TOPIC, partition), 0)));
    fetcher
}
