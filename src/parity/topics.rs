//! Topics, as they lie on the broker that both sides share.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::error::ParityError;
use super::record::{Placed, Record};
use crate::kafka::admin::{Admin, ConfigResource, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::Fetcher;
use crate::kafka::records::RecordRef;
use crate::kafka::{Cluster, KafkaError, TopicPartition};

/// What is committed counts, on both sides.
const ISOLATION: Isolation = Isolation::ReadCommitted;
/// How many bytes are held ahead of who reads.
const AHEAD_BYTES: usize = 8 << 20;
/// How long one poll waits.
const POLL: Duration = Duration::from_millis(500);

/// What a topic has besides its records, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// How many partitions it has.
    pub(super) partitions: usize,
    /// `cleanup.policy`, its words in order.
    pub(super) cleanup_policy: String,
}

/// The shape of a topic, if it is there.
pub(super) async fn shape(admin: &Admin, topic: &str) -> Result<Option<Shape>, KafkaError> {
    let Some(found) = admin.describe_topic(topic).await? else { return Ok(None) };
    let configs = admin.describe_configs(&ConfigResource::Topic(topic.to_owned())).await?;
    let policy = configs.into_iter().find(|config| config.name == "cleanup.policy");
    let policy = policy.and_then(|config| config.value).unwrap_or_default();
    let mut words: Vec<&str> = policy.split(',').map(str::trim).collect();
    words.sort_unstable();
    let cleanup_policy = words.join(",");
    Ok(Some(Shape { partitions: found.partitions.len(), cleanup_policy }))
}

/// The end of each partition of a topic that has records.
pub(super) async fn ends(
    admin: &Admin,
    topic: &str,
) -> Result<BTreeMap<TopicPartition, i64>, KafkaError> {
    let earliest = admin.topic_offsets(topic, OffsetSpec::Earliest, ISOLATION).await?;
    let latest = admin.topic_offsets(topic, OffsetSpec::Latest, ISOLATION).await?;
    let bounds = (0..).zip(earliest.into_iter().zip(latest));
    let has_records = bounds.filter(|(_, (earliest, latest))| earliest < latest);
    Ok(has_records
        .map(|(partition, (_, latest))| (TopicPartition::new(topic, partition), latest))
        .collect())
}

/// All records of topics, by partition and offset.
pub(super) async fn read(
    cluster: &Cluster,
    topics: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, Vec<Placed>>, ParityError> {
    let admin = Admin::new(cluster);
    let mut read = HashMap::new();
    for topic in topics {
        read.insert(topic.to_owned(), read_one(cluster, &admin, topic).await?);
    }
    Ok(read)
}

async fn read_one(
    cluster: &Cluster,
    admin: &Admin,
    topic: &str,
) -> Result<Vec<Placed>, ParityError> {
    let mut left = ends(admin, topic).await?;
    let earliest = admin.topic_offsets(topic, OffsetSpec::Earliest, ISOLATION).await?;
    let fetcher = Fetcher::with_options(cluster, ISOLATION, AHEAD_BYTES);
    let at = |(partition, offset)| (TopicPartition::new(topic, partition), offset);
    let positions = (0..).zip(earliest).map(at).filter(|(at, _)| left.contains_key(at));
    fetcher.assign(positions.collect::<Vec<_>>());
    let mut records = Vec::new();
    while !left.is_empty() {
        for fetched in fetcher.poll(POLL).await? {
            let Some(end) = left.get(&fetched.partition).copied() else { continue };
            for record in fetched.records() {
                let record = record.map_err(|error| {
                    let topic = topic.to_owned();
                    ParityError::Record { topic, error }
                })?;
                if record.offset < end {
                    records.push(placed(fetched.partition.partition, &record));
                }
            }
            if fetched.next_offset >= end {
                left.remove(&fetched.partition);
                fetcher.unassign([&fetched.partition]);
            }
        }
    }
    records.sort_by_key(|placed| (placed.partition, placed.offset));
    Ok(records)
}

fn placed(partition: i32, record: &RecordRef<'_>) -> Placed {
    let headers = record.headers.iter().map(|header| {
        let name = String::from_utf8_lossy(header.key).into_owned();
        (name, header.value.map(<[u8]>::to_vec))
    });
    Placed {
        partition,
        offset: record.offset,
        record: Record {
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            timestamp_ms: record.timestamp,
            headers: headers.collect(),
        },
    }
}

/// Whether offsets are missing between these records: compaction, or a transaction, has left them out.
pub(super) fn has_gaps(records: &[Placed]) -> bool {
    let begins_late = |partition: i32| {
        records.iter().find(|one| one.partition == partition).is_some_and(|one| one.offset > 0)
    };
    let gap = |pair: &[Placed]| {
        let [one, next] = pair else { return false };
        if one.partition == next.partition {
            next.offset != one.offset + 1
        } else {
            begins_late(next.partition)
        }
    };
    records.first().is_some_and(|first| first.offset > 0) || records.windows(2).any(gap)
}
