//! The topics, their partitions and their configurations.
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use kafka_protocol::error::ResponseError;
use uuid::Uuid;

use super::configs::{self, Defaults};
use super::log::Log;
use super::refused::Refused;
use super::storage::Storage;

/// The most partitions that all topics together may have.
const PARTITIONS_MAX: usize = 20_000;
/// The longest name of a topic, as in Kafka.
const NAME_LENGTH_MAX: usize = 249;

/// All topics, by name.
pub(super) struct Topics {
    by_name: BTreeMap<String, Topic>,
    folder: Option<PathBuf>,
    /// What topics have where they set nothing of their own.
    pub(super) defaults: Arc<Defaults>,
}

/// One topic.
pub(super) struct Topic {
    pub(super) id: Uuid,
    /// The configurations that are set; others have their defaults.
    pub(super) configs: BTreeMap<String, String>,
    defaults: Arc<Defaults>,
    pub(super) partitions: Vec<Log>,
}

impl Topics {
    /// No topics yet; their files go under `folder`, if any.
    pub(super) fn new(folder: Option<PathBuf>, defaults: Defaults) -> Self {
        Self { by_name: BTreeMap::new(), folder, defaults: Arc::new(defaults) }
    }

    /// Checks whether a topic could be created.
    pub(super) fn check(
        &self,
        name: &str,
        partitions: i32,
        configs: &BTreeMap<String, String>,
    ) -> Result<(), Refused> {
        if self.by_name.contains_key(name) {
            let message = format!("Topic '{name}' already exists.");
            return Err(Refused::new(ResponseError::TopicAlreadyExists, message));
        }
        check_name(name)
            .map_err(|message| Refused::new(ResponseError::InvalidTopicException, message))?;
        let same = |other: &&String| other.replace('.', "_") == name.replace('.', "_");
        if let Some(other) = self.by_name.keys().find(same) {
            let message = format!("Topic '{name}' collides with existing topic: {other}");
            return Err(Refused::new(ResponseError::InvalidTopicException, message));
        }
        if partitions < 1 {
            let message = "Number of partitions was set to an invalid non-positive value.";
            return Err(Refused::new(ResponseError::InvalidPartitions, message.to_owned()));
        }
        self.check_count(partitions)?;
        configs.iter().try_for_each(|(name, value)| configs::check(name, value))
    }

    /// Checks a number of partitions to add.
    pub(super) fn check_count(&self, partitions: i32) -> Result<(), Refused> {
        let refuse = |message| Err(Refused::new(ResponseError::InvalidPartitions, message));
        if partitions < 1 {
            return refuse("Number of partitions must be larger than 0.".to_owned());
        }
        let existing: usize = self.by_name.values().map(|topic| topic.partitions.len()).sum();
        if existing + partitions as usize > PARTITIONS_MAX {
            return refuse(format!("The embedded broker holds up to {PARTITIONS_MAX} partitions."));
        }
        Ok(())
    }

    /// Adds a topic that has been checked, with no partitions yet.
    pub(super) fn add(&mut self, name: &str, id: Uuid, configs: BTreeMap<String, String>) {
        let defaults = Arc::clone(&self.defaults);
        self.by_name
            .insert(name.to_owned(), Topic { id, configs, defaults, partitions: Vec::new() });
    }

    /// Adds empty partitions to a topic until it has `count`.
    pub(super) fn grow(&mut self, name: &str, count: i32) -> io::Result<()> {
        let Some(topic) = self.by_name.get_mut(name) else { return Ok(()) };
        for partition in topic.partitions.len()..count as usize {
            let folder =
                self.folder.as_ref().map(|folder| folder.join(format!("{name}-{partition}")));
            if let Some(folder) = folder.as_ref().filter(|folder| folder.exists()) {
                // A topic of this name was deleted just before a crash.
                std::fs::remove_dir_all(folder)?;
            }
            topic.partitions.push(Log::open(Storage::open(folder.as_deref())?)?);
        }
        Ok(())
    }

    /// Opens the logs of a topic that the journal tells of, in `counts` partitions each.
    pub(super) fn reopen(&mut self, counts: &BTreeMap<String, i32>) -> io::Result<()> {
        for (name, topic) in &mut self.by_name {
            for partition in 0..counts.get(name).copied().unwrap_or(0) {
                let folder =
                    self.folder.as_ref().map(|folder| folder.join(format!("{name}-{partition}")));
                topic.partitions.push(Log::open(Storage::open(folder.as_deref())?)?);
            }
        }
        Ok(())
    }

    /// Removes a topic whose logs are not open.
    pub(super) fn forget(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// Removes a topic and its files.
    pub(super) fn remove(&mut self, name: &str) -> Option<Topic> {
        let mut topic = self.by_name.remove(name)?;
        topic.partitions.iter_mut().for_each(|log| log.storage.remove());
        Some(topic)
    }

    /// The topic of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Topic> {
        self.by_name.get(name)
    }

    /// The topic of a name, to change it.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Topic> {
        self.by_name.get_mut(name)
    }

    /// The name of the topic with an id.
    pub(super) fn name_of(&self, id: Uuid) -> Option<&str> {
        self.by_name.iter().find(|(_, topic)| topic.id == id).map(|(name, _)| name.as_str())
    }

    /// The log of a partition.
    pub(super) fn log(&mut self, topic: &str, partition: i32) -> Result<&mut Log, ResponseError> {
        let topic = self.by_name.get_mut(topic).ok_or(ResponseError::UnknownTopicOrPartition)?;
        let partition =
            usize::try_from(partition).map_err(|_| ResponseError::UnknownTopicOrPartition)?;
        topic.partitions.get_mut(partition).ok_or(ResponseError::UnknownTopicOrPartition)
    }

    /// Whether the partition exists.
    pub(super) fn has(&self, topic: &str, partition: i32) -> bool {
        self.get(topic).is_some_and(|topic| (0..topic.partitions.len() as i32).contains(&partition))
    }

    /// All topics, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Topic)> {
        self.by_name.iter().map(|(name, topic)| (name.as_str(), topic))
    }

    /// All topics, by name, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Topic)> {
        self.by_name.iter_mut().map(|(name, topic)| (name.as_str(), topic))
    }
}

impl Topic {
    /// The value of a configuration: as set, or the default.
    pub(super) fn config(&self, name: &str) -> &str {
        self.configs.get(name).map_or_else(|| self.defaults.of(name), String::as_str)
    }

    /// The value of a numeric configuration.
    pub(super) fn number(&self, name: &str) -> i64 {
        self.config(name).parse().unwrap_or(-1)
    }

    /// Whether only the latest record of each key is kept.
    pub(super) fn is_compacted(&self) -> bool {
        self.config("cleanup.policy").split(',').any(|policy| policy.trim() == "compact")
    }

    /// Whether old records are deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.config("cleanup.policy").split(',').any(|policy| policy.trim() == "delete")
    }
}

/// Checks a topic's name as Kafka does; the messages are Kafka's.
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("Topic name is invalid: the empty string is not allowed".into());
    }
    if name == "." || name == ".." {
        return Err("Topic name is invalid: '.' or '..' is not allowed".into());
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err(format!(
            "Topic name is invalid: the length of '{name}' is longer than the max allowed length {NAME_LENGTH_MAX}"
        ));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Err(format!(
            "Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_kafka_does() {
        let mut topics = Topics::new(None, Defaults::default());
        let none = BTreeMap::new();
        for wrong in ["", ".", "..", "a b", "ä", &"x".repeat(250)] {
            assert_eq!(
                topics.check(wrong, 1, &none).unwrap_err().error,
                ResponseError::InvalidTopicException
            );
        }
        topics.check("a.b", 1, &none).unwrap();
        topics.add("a.b", Uuid::from_u128(1), none.clone());
        assert_eq!(
            topics.check("a.b", 1, &none).unwrap_err().error,
            ResponseError::TopicAlreadyExists
        );
        assert_eq!(
            topics.check("a_b", 1, &none).unwrap_err().error,
            ResponseError::InvalidTopicException
        );
        assert_eq!(
            topics.check("c", 0, &none).unwrap_err().error,
            ResponseError::InvalidPartitions
        );
    }
}
