//! Which partition a reading goes to: its model decides, so that a device's readings stay in order.

use std::collections::BTreeMap;

use super::DeviceError;

/// Partitions by model; models that it does not name are spread by their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionTable {
    partitions: BTreeMap<String, i32>,
    /// The models of the entries that somebody gave.
    given: Vec<String>,
}

impl Default for PartitionTable {
    /// `nexus4` → 0, `iphone12` → 1, `pixel6` and `galaxy_s21` → 2.
    fn default() -> Self {
        let table = [("nexus4", 0), ("iphone12", 1), ("pixel6", 2), ("galaxy_s21", 2)];
        let table = table.map(|(model, partition)| (model.to_owned(), partition));
        Self { partitions: table.into(), given: Vec::new() }
    }
}

impl PartitionTable {
    /// The default table with `entries`, each `MODEL=PARTITION`, put over it.
    pub fn with_entries<'a>(
        entries: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DeviceError> {
        let mut table = Self::default();
        for entry in entries {
            let wrong = || DeviceError::PartitionEntry(entry.to_owned());
            let (model, partition) = entry.split_once('=').ok_or_else(wrong)?;
            let partition: i32 = partition.trim().parse().map_err(|_| wrong())?;
            if partition < 0 || model.trim().is_empty() {
                return Err(wrong());
            }
            table.given.push(model.trim().to_owned());
            table.partitions.insert(model.trim().to_owned(), partition);
        }
        Ok(table)
    }

    /// Refuses an entry for a model that is none of `models`.
    pub(super) fn check_models(&self, models: &[&str]) -> Result<(), DeviceError> {
        match self.given.iter().find(|model| !models.contains(&model.as_str())) {
            Some(model) => {
                Err(DeviceError::UnknownModel { model: model.clone(), models: models.join(", ") })
            }
            None => Ok(()),
        }
    }

    /// Refuses an entry for a partition that a topic of `partitions` partitions does not have.
    pub(super) fn check_partitions(&self, topic: &str, partitions: i32) -> Result<(), DeviceError> {
        let given = self.given.iter().filter_map(|model| self.partitions.get_key_value(model));
        match given.into_iter().find(|(_, partition)| **partition >= partitions) {
            Some((model, partition)) => Err(DeviceError::NoSuchPartition {
                entry: format!("{model}={partition}"),
                topic: topic.to_owned(),
                partitions,
            }),
            None => Ok(()),
        }
    }

    /// The partition of `model` on a topic of `partitions` partitions, which must be at least one.
    /// A topic with fewer partitions than the default table names gets the remainder.
    pub fn partition(&self, model: &str, partitions: i32) -> i32 {
        assert!(partitions > 0, "a topic has at least one partition");
        let number = self.partitions.get(model).copied().unwrap_or_else(|| hash(model));
        number % partitions
    }
}

/// FNV-1a, for its spread over short names; not Kafka's partitioner, since no key is hashed here.
fn hash(model: &str) -> i32 {
    let hash = model
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash & 0x7fff_ffff) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_their_partitions() {
        let table = PartitionTable::default();
        let of = |model| table.partition(model, 3);
        assert_eq!([of("nexus4"), of("iphone12"), of("pixel6"), of("galaxy_s21")], [0, 1, 2, 2]);
        assert_eq!(table.partition("galaxy_s21", 1), 0);
    }

    #[test]
    fn unknown_models_spread_by_their_hash_and_stay_put() {
        let table = PartitionTable::default();
        let partitions: Vec<_> =
            (0..30).map(|number| table.partition(&format!("model{number}"), 3)).collect();
        assert!((0..3).all(|partition| partitions.contains(&partition)));
        assert_eq!(table.partition("model7", 3), partitions[7]);
    }

    #[test]
    fn entries_go_over_the_default() {
        let table = PartitionTable::with_entries(["nexus4=2", "shimmer = 1"]).unwrap();
        assert_eq!(
            [
                table.partition("nexus4", 3),
                table.partition("shimmer", 3),
                table.partition("pixel6", 3)
            ],
            [2, 1, 2]
        );
        assert!(table.check_partitions("t", 3).is_ok());
        let error = table.check_partitions("t", 2).unwrap_err().to_string();
        assert_eq!(error, "'nexus4=2': topic 't' has 2 partitions, the last of which is 1");
        // What is spread by default goes to whatever partitions there are.
        assert!(PartitionTable::default().check_partitions("t", 1).is_ok());
        let error = table.check_models(&["nexus4", "pixel6"]).unwrap_err().to_string();
        assert_eq!(error, "no reading is of the model 'shimmer'; there are nexus4, pixel6");
        for wrong in ["nexus4", "=1", "nexus4=", "nexus4=-1", "nexus4=one"] {
            let error = PartitionTable::with_entries([wrong]).unwrap_err().to_string();
            assert!(error.contains("MODEL=PARTITION"), "{error}");
        }
    }
}
