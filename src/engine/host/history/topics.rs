//! How much came to topics, by partition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ends::Ends;
use crate::runtime::live::TopicPartitionFigures;
use crate::types::Partition;

/// How much came to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicGrowth {
    /// The topic.
    pub name: Arc<str>,
    /// Whether a query of this process reads it, so that its records are counted; otherwise only its end is known.
    pub is_read: bool,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionGrowth>,
}

/// How much came to a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionGrowth {
    /// The partition.
    pub partition: Partition,
    /// How many records were read, or by how much its end has grown since it was first looked at.
    pub records: u64,
    /// How many bytes were read, where it is read.
    pub bytes: Option<u64>,
    /// Where it ends, as far as that is known.
    pub end: i64,
}

/// How much came to the topics that are read, and to those whose ends are known.
pub(super) fn growth(read: &[TopicPartitionFigures], ends: &Ends) -> Vec<TopicGrowth> {
    let mut topics: BTreeMap<Arc<str>, TopicGrowth> = BTreeMap::new();
    let is_read: BTreeSet<&str> = read.iter().map(|read| &*read.topic).collect();
    let mut add = |name: &Arc<str>, partition: PartitionGrowth| {
        let is_read = is_read.contains(&**name);
        let new = || TopicGrowth { name: Arc::clone(name), is_read, partitions: Vec::new() };
        topics.entry(Arc::clone(name)).or_insert_with(new).partitions.push(partition);
    };
    for read in read {
        let TopicPartitionFigures { topic, partition, records, bytes, end, .. } = read.clone();
        add(&topic, PartitionGrowth { partition, records, bytes: Some(bytes), end });
    }
    for (at, end) in ends.offsets.iter().filter(|(at, _)| !is_read.contains(&*at.topic)) {
        let grown = end - ends.first.get(at).unwrap_or(end);
        let (partition, records) = (Partition(at.partition), u64::try_from(grown).unwrap_or(0));
        add(&at.topic, PartitionGrowth { partition, records, bytes: None, end: *end });
    }
    topics.into_values().collect()
}
