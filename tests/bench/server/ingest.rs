//! Pull queries at half of their maximum, while readings come in at half of theirs, on the same core.

use std::time::Duration;

use anyhow::Result;
use millstream::kafka::{ClientConfig, Cluster};
use millstream::runtime::clock;

use crate::feed::Feed;
use crate::load::{closed, open};
use crate::pull::{DEVICE_SQL, requests};
use crate::world::World;

/// How many readings it is measured with how fast they come in at most.
const READINGS: usize = 500_000;

/// How long it may take until all of them are counted.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) async fn run(lasts: Duration) -> Result<()> {
    println!("device.sql of 12 devices and pull queries by key, on one core");
    let world = World::start("SHOW STREAMS;").await?;
    let feed = Feed::new(&Cluster::new(ClientConfig::new(&world.kafka)?)?, READINGS, 12).await?;
    feed.write().await?;
    let begun = clock::instant();
    world.run(DEVICE_SQL).await?;
    counted(&world, READINGS as u64).await?;
    let most = READINGS as f64 / begun.elapsed().as_secs_f64();
    println!("  {most:.0} readings/s at most, from the statement on");
    let requests = requests(&feed.devices);
    let pulls = closed(&world.address, &requests, lasts).await? / 2.0;
    let alone = in_time(&world, &feed, most / 2.0, lasts).await?;
    println!("  without pulls: {alone:.0} readings/s of {:.0} that are written", most / 2.0);
    let (beside, latencies) = tokio::join!(
        in_time(&world, &feed, most / 2.0, lasts),
        open(&world.address, &requests, pulls, lasts),
    );
    println!("  with {pulls:.0} pulls/s: {:.2} of these readings, {}", beside? / alone, latencies?);
    Ok(())
}

/// Writes so many readings a second, and gives how many of them a second are counted when all are written.
async fn in_time(world: &World, feed: &Feed, per_second: f64, lasts: Duration) -> Result<f64> {
    let before = world.readings().await?;
    let begun = clock::instant();
    let written = feed.pace(per_second, lasts).await?;
    let after = world.readings().await?;
    let seconds = begun.elapsed().as_secs_f64();
    counted(world, before + written).await?;
    Ok((after - before) as f64 / seconds)
}

/// Waits until so many readings are counted.
async fn counted(world: &World, count: u64) -> Result<()> {
    let begun = clock::instant();
    while world.readings().await? < count {
        anyhow::ensure!(begun.elapsed() < PATIENCE, "{count} readings are never counted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
