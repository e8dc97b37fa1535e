//! Readings on the broker.

use anyhow::Result;
use millstream::devices::{Pace, PartitionTable, Reading, ReadingFormat, Readings};
use millstream::kafka::Cluster;
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::produce::{NewRecord, Producer};

use crate::TOPIC;

/// A hundred readings a second, from a fixed time on.
const PACE: Pace = Pace { start_ms: 1_700_000_000_000, interval_us: 10_000 };

/// Writes readings of `devices` devices, and gives how many bytes they have.
pub(crate) async fn fill(cluster: &Cluster, count: u64, devices: u32) -> Result<u64> {
    Admin::new(cluster).create_topic(&NewTopic::new(TOPIC, 3)).await?;
    let producer = Producer::new(cluster);
    let table = PartitionTable::default();
    let mut bytes = 0;
    for reading in Readings::new(1, devices / 4, PACE).take(usize::try_from(count)?) {
        let value = ReadingFormat::Json.encode(&reading)?;
        let Reading { arrival_ms, model, .. } = &reading;
        bytes += value.len() as u64;
        let record = NewRecord::new(*arrival_ms, None, Some(&value));
        producer.send(TOPIC, table.partition(model, 3), record).await?;
    }
    producer.flush().await?;
    Ok(bytes)
}
