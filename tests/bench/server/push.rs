//! A thousand push queries over one stream, each for one device; some of their clients never read.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::runtime::clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::feed::Feed;
use crate::load::Latencies;
use crate::pull::DEVICE_SQL;
use crate::world::{World, query};

/// How many queries there are, and how many of them are never read.
const QUERIES: usize = 1_000;
const NEVER_READ: usize = 100;

/// How many readings come in a second, and of how many devices.
const PER_SECOND: f64 = 10_000.0;
const DEVICES: u32 = 1_000;

pub(crate) async fn run(lasts: Duration) -> Result<()> {
    println!(
        "{QUERIES} push queries over one stream of {PER_SECOND} rows/s, {NEVER_READ} never read"
    );
    let (stream, _) = DEVICE_SQL.split_once(';').context("a statement")?;
    let world = World::start("SHOW STREAMS;").await?;
    let feed =
        Feed::new(&Cluster::new(ClientConfig::new(&world.kafka)?)?, 100_000, DEVICES).await?;
    world.run(&format!("{stream};")).await?;
    let mut silent = Vec::new();
    let mut readers = JoinSet::new();
    for number in 0..QUERIES {
        let device = &feed.devices[number % feed.devices.len()];
        let mut client = TcpStream::connect(&world.address).await?;
        let sql = format!(
            "SELECT ROWTIME AS came, device, x, y, z FROM device_readings WHERE device = '{device}' \
             EMIT CHANGES;"
        );
        client.write_all(&query(&sql)).await?;
        if number < NEVER_READ {
            silent.push(client);
        } else {
            readers.spawn(read(client, lasts));
        }
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = world.server.usage()?;
    let written = feed.pace(PER_SECOND, lasts).await?;
    let after = world.server.usage()?;
    let mut all = Vec::new();
    while let Some(took) = readers.join_next().await {
        all.extend(took??);
    }
    let cpu = (after.cpu_seconds - before.cpu_seconds) / lasts.as_secs_f64();
    println!("  {written} readings, {cpu:.2} cores, {:.0} MB at most", after.peak_mb);
    println!("  from the record's time to its row: {}", Latencies::new(all));
    drop(silent);
    Ok(())
}

/// Reads rows, and gives how long each took since its record was written.
async fn read(mut client: TcpStream, lasts: Duration) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    let mut bytes = Vec::with_capacity(16 << 10);
    let mut is_answered = false;
    let end = tokio::time::Instant::from_std(clock::instant()) + lasts + Duration::from_secs(7);
    while let Ok(read) = tokio::time::timeout_at(end, client.read_buf(&mut bytes)).await {
        if read? == 0 {
            break;
        }
        let now = clock::now().0;
        ensure!(is_answered || bytes.starts_with(b"HTTP/1.1 200"), "a query is refused");
        is_answered = true;
        while let Some(line) = bytes.iter().position(|byte| *byte == b'\n') {
            let row: Vec<u8> = bytes.drain(..=line).collect();
            let at = row.strip_prefix(b"[").and_then(|row| row.split(|byte| *byte == b',').next());
            let at = at.and_then(|at| std::str::from_utf8(at).ok()?.parse::<i64>().ok());
            let millis = at.and_then(|at| u64::try_from(now - at).ok());
            took.extend(millis.map(Duration::from_millis));
        }
    }
    Ok(took)
}
