//! What is measured beside the queries: a plain fetch, and one that parses with `serde_json`.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use millstream::kafka::TopicPartition;
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;

use crate::TOPIC;
use crate::process::Usage;
use crate::reading::Reading;

/// As much as a query's reader holds ahead.
pub(crate) const BUFFER_BYTES: usize = 4 << 20;

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
