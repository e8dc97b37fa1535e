//! Readings on the broker: as fast as it takes them, or so many a second.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use millstream::devices::{Pace, PartitionTable, Reading, ReadingFormat, Readings};
use millstream::kafka::Cluster;
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::runtime::clock;

/// Where readings lie.
const TOPIC: &str = "device-sensors";

/// A hundred readings a second, from a fixed time on.
const PACE: Pace = Pace { start_ms: 1_700_000_000_000, interval_us: 10_000 };

/// How often it is looked how many readings are due.
const EVERY: Duration = Duration::from_millis(5);

/// Readings that are encoded, and can be written again and again.
pub(crate) struct Feed {
    producer: Producer,
    readings: Vec<Encoded>,
    /// Whose they are.
    pub(crate) devices: Vec<String>,
}

struct Encoded {
    value: Vec<u8>,
    partition: i32,
}

impl Feed {
    /// So many readings of so many devices, for a topic that is made.
    pub(crate) async fn new(cluster: &Cluster, count: usize, devices: u32) -> Result<Self> {
        Admin::new(cluster).create_topic(&NewTopic::new(TOPIC, 3)).await?;
        let table = PartitionTable::default();
        let (mut readings, mut names) = (Vec::new(), BTreeSet::new());
        for reading in Readings::new(1, devices / 4, PACE).take(count) {
            let value = ReadingFormat::Json.encode(&reading)?;
            let Reading { device, model, .. } = reading;
            readings.push(Encoded { value, partition: table.partition(&model, 3) });
            names.insert(device);
        }
        let devices = names.into_iter().collect();
        Ok(Self { producer: Producer::new(cluster), readings, devices })
    }

    /// Writes all of them once.
    pub(crate) async fn write(&self) -> Result<()> {
        for reading in &self.readings {
            self.send(reading).await?;
        }
        self.producer.flush().await?;
        Ok(())
    }

    /// Writes so many a second, again and again, and gives how many.
    pub(crate) async fn pace(&self, per_second: f64, lasts: Duration) -> Result<u64> {
        let begun = clock::instant();
        let mut readings = self.readings.iter().cycle();
        let mut written = 0_u64;
        while begun.elapsed() < lasts {
            let due = (begun.elapsed().as_secs_f64() * per_second) as u64;
            for reading in readings.by_ref().take(usize::try_from(due.saturating_sub(written))?) {
                self.send(reading).await?;
            }
            written = written.max(due);
            tokio::time::sleep(EVERY).await;
        }
        self.producer.flush().await?;
        Ok(written)
    }

    async fn send(&self, reading: &Encoded) -> Result<()> {
        let record = NewRecord::new(clock::now().0, None, Some(&reading.value));
        self.producer.send(TOPIC, reading.partition, record).await?;
        Ok(())
    }
}
