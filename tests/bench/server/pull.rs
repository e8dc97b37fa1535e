//! Pull queries by key, beside the handler that parses the same bodies.

use std::time::Duration;

use anyhow::Result;
use millstream::kafka::{ClientConfig, Cluster};

use crate::feed::Feed;
use crate::load::{Requests, closed, open};
use crate::process::{Child, Usage};
use crate::world::{World, parser, query};

/// What devices keep: the statements of the device pipeline.
pub(crate) const DEVICE_SQL: &str = include_str!("../../../ksql/device.sql");

/// How many readings the table is made of.
const READINGS: usize = 200_000;

/// All cases, each closed and then open at half of what was reached.
pub(crate) async fn run(lasts: Duration) -> Result<()> {
    println!("pull queries by key, 64 connections, server on one core");
    let (peer, peer_address) = parser().await?;
    for (name, devices) in [("12 devices, few texts", 12), ("40,000 devices, many texts", 40_000)] {
        let world = World::start("SHOW STREAMS;").await?;
        let cluster = Cluster::new(ClientConfig::new(&world.kafka)?)?;
        let feed = Feed::new(&cluster, READINGS, devices).await?;
        feed.write().await?;
        world.run(DEVICE_SQL).await?;
        while world.readings().await? < READINGS as u64 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let requests = requests(&feed.devices);
        println!("  {name}");
        let parsed =
            measure("the handler that parses", &peer, &peer_address, &requests, lasts).await?;
        let pulled = measure("the server", &world.server, &world.address, &requests, lasts).await?;
        println!("    {:.2} of the handler's requests/s", pulled / parsed);
        let latencies = open(&world.address, &requests, pulled / 2.0, lasts).await?;
        println!("    open loop at {:.0}/s: {latencies}", pulled / 2.0);
    }
    Ok(())
}

/// A pull query for each key.
pub(crate) fn requests(keys: &[String]) -> Requests {
    let sql =
        |key: &String| query(&format!("SELECT * FROM device_sensor_stats WHERE device = '{key}';"));
    keys.iter().map(sql).collect::<Vec<_>>().into()
}

async fn measure(
    name: &str,
    process: &Child,
    address: &str,
    requests: &Requests,
    lasts: Duration,
) -> Result<f64> {
    let before = process.usage()?;
    let per_second = closed(address, requests, lasts).await?;
    let Usage { cpu_seconds, peak_mb } = process.usage()?;
    let each = (cpu_seconds - before.cpu_seconds) / (per_second * lasts.as_secs_f64());
    println!(
        "    {name:<24} {per_second:>8.0} requests/s, {:.1} µs of CPU each, {peak_mb:.0} MB",
        each * 1e6
    );
    Ok(per_second)
}
