//! The registry of devices: whose each one is, in which room it is, and from which movement on it alerts.
//!
//! One record a device, keyed by its name, on a compacted topic: `ksql/joins.sql` reads it as a table.

use fake::Fake;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde::Serialize;

use super::DeviceError;
use super::readings::device_names;
use super::topic::partitions_of;
use crate::kafka::admin::NewTopic;
use crate::kafka::partitioner::partition_for_key;
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::{Cluster, KafkaError};

/// The topic of the registry, unless told otherwise.
pub const REGISTRY_TOPIC: &str = "device-registry";

const OWNERS: [&str; 5] = ["ada", "ben", "cleo", "dan", "eve"];
const ROOMS: [&str; 4] = ["hall", "lab", "gym", "yard"];
/// Thresholds of movement, in ten-thousandths: around what readings reach at most.
const THRESHOLDS: std::ops::RangeInclusive<i32> = 450..=530;

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Registration {
    /// The device: the key.
    #[serde(skip)]
    pub device: String,
    /// Whose it is.
    pub owner: &'static str,
    /// Where it is.
    pub room: &'static str,
    /// From which magnitude of movement on it alerts.
    pub threshold: f64,
}

/// Registrations of `devices_per_model` devices of each model, drawn from `seed`.
pub fn registrations(seed: u64, devices_per_model: u32) -> impl Iterator<Item = Registration> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    device_names(devices_per_model).map(move |device| Registration {
        device,
        owner: OWNERS[(0..OWNERS.len()).fake_with_rng::<usize, _>(&mut random)],
        room: ROOMS[(0..ROOMS.len()).fake_with_rng::<usize, _>(&mut random)],
        threshold: f64::from(THRESHOLDS.fake_with_rng::<i32, _>(&mut random)) / 1e4,
    })
}

/// Where a registry goes.
#[derive(Clone, Debug)]
pub struct RegisterOptions {
    /// The topic.
    pub topic: String,
    /// How many partitions it gets if it does not exist: those of the readings, to be joined with them.
    pub partitions: i32,
    /// The time of the records, in ms since 1970.
    pub at_ms: i64,
}

/// Writes a registry, and gives the number of its devices. The topic is made, compacted, if it does not exist.
pub async fn register(
    cluster: &Cluster,
    registrations: impl Iterator<Item = Registration>,
    options: &RegisterOptions,
) -> Result<u64, DeviceError> {
    let RegisterOptions { topic, at_ms, .. } = options;
    let new = NewTopic::new(topic, options.partitions).with_config("cleanup.policy", "compact");
    let partitions = partitions_of(cluster, &new)
        .await
        .map_err(|cause| DeviceError::NoTopic { topic: topic.clone(), cause: cause.to_string() })?;
    let refused = |cause: KafkaError| DeviceError::NotWritten {
        topic: topic.clone(),
        acknowledged: 0,
        cause: cause.to_string(),
    };
    let producer = Producer::new(cluster);
    let mut count = 0;
    for registration in registrations {
        let key = registration.device.as_bytes();
        let value = serde_json::to_vec(&registration)
            .map_err(|error| DeviceError::Encoding(error.to_string()))?;
        let partition = partition_for_key(key, partitions);
        let record = NewRecord::new(*at_ms, Some(key), Some(&value));
        producer.send(topic, partition, record).await.map_err(refused)?;
        count += 1;
    }
    producer.flush().await.map_err(refused)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_registry_of_the_devices_that_read() {
        let registry: Vec<_> = registrations(7, 2).collect();
        assert_eq!(registry, registrations(7, 2).collect::<Vec<_>>());
        let names: Vec<_> = registry.iter().map(|one| one.device.as_str()).collect();
        assert_eq!(names[..3], ["nexus4_1", "nexus4_2", "iphone12_1"]);
        assert_eq!(names.len(), 8);
        assert!(registry.iter().all(|one| (0.045..=0.053).contains(&one.threshold)));
    }
}
