//! What can go wrong for someone who produces or watches readings.

use crate::registry::RegistryError;

/// A fault of the device application, worded for the one who ran it.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No broker answered.
    #[error("no Kafka broker answers at {brokers}: {cause}")]
    NoBroker {
        /// The addresses tried.
        brokers: String,
        /// What the last attempt met.
        cause: String,
    },
    /// The topic to read does not exist.
    #[error("topic '{0}' does not exist; `millstream produce` makes it")]
    UnknownTopic(String),
    /// The topic could not be made.
    #[error("topic '{topic}' could not be made: {cause}")]
    NoTopic {
        /// The topic.
        topic: String,
        /// The broker's answer.
        cause: String,
    },
    /// Readings were not acknowledged in time, retries included.
    #[error(
        "'{topic}' has acknowledged {acknowledged} readings, and not those after them: {cause}"
    )]
    NotWritten {
        /// The topic.
        topic: String,
        /// How many it has acknowledged before.
        acknowledged: u64,
        /// What the last attempt met.
        cause: String,
    },
    /// The consumer group or a fetch failed for good.
    #[error("consumer group '{group}': {cause}")]
    Group {
        /// The group.
        group: String,
        /// What it met.
        cause: String,
    },
    /// A reading has no spelling in its format.
    #[error("a reading cannot be written: {0}")]
    Encoding(String),
    /// A record's value is not a reading.
    #[error("not a reading: {0}")]
    NotAReading(String),
    /// A partition table's entry is not `MODEL=PARTITION`.
    #[error("'{0}' is no entry of the partition table; expected MODEL=PARTITION, as in nexus4=0")]
    PartitionEntry(String),
    /// A partition table's entry is for a model of which there are no readings.
    #[error("no reading is of the model '{model}'; there are {models}")]
    UnknownModel {
        /// The model.
        model: String,
        /// Those that there are.
        models: String,
    },
    /// A partition table's entry is for a partition that the topic does not have.
    #[error("'{entry}': topic '{topic}' has {partitions} partitions, the last of which is {}", partitions - 1)]
    NoSuchPartition {
        /// The entry.
        entry: String,
        /// The topic.
        topic: String,
        /// How many it has.
        partitions: i32,
    },
    /// Lines cannot be read.
    #[error("input: {0}")]
    Input(std::io::Error),
    /// A line has no end.
    #[error("line {line} is longer than {max} bytes")]
    LongLine {
        /// Its number, counted from 1.
        line: u64,
        /// How long it may be.
        max: usize,
    },
    /// Readings were refused, and nothing is to be written then.
    #[error("{readings} readings are refused by the topic's schema, so none was written")]
    Refused {
        /// How many.
        readings: u64,
    },
    /// The schema of the topic cannot be used.
    #[error("subject {subject} of the schema registry: {cause}")]
    Schema {
        /// Its subject.
        subject: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The schema registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The terminal or the output stream refused.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
}
