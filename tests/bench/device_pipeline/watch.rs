//! Knows from outside when queries have done their work, and whether it is right.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use millstream::engine::{Properties, Services, headless};
use millstream::kafka::admin::{Admin, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::GroupOffsets;
use millstream::kafka::{Cluster, TopicPartition};
use millstream::runtime::live::QuerySpec;

/// Makes the topics of a file, and gives its queries.
pub(crate) async fn prepare(cluster: &Cluster, text: &str) -> Result<Vec<QuerySpec>> {
    Ok(headless::prepare(&Services::of(cluster), text, &Properties::default(), &[]).await?)
}

/// Waits until every query has committed the end of its source.
///
/// Queries come in the order in which they feed each other, so that the end of a source is final once the queries before
/// have committed theirs.
pub(crate) async fn until_level(cluster: &Cluster, specs: &[QuerySpec]) -> Result<()> {
    for spec in specs {
        while !is_level(cluster, spec).await? {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

async fn is_level(cluster: &Cluster, spec: &QuerySpec) -> Result<bool> {
    let topics: Vec<&str> = spec.plan.sources().map(|(_, source)| source.topic.as_str()).collect();
    has_committed(cluster, &spec.settings.application_id(&spec.id), &topics).await
}

/// Waits until a group has committed the ends of topics.
pub(crate) async fn until_committed(cluster: &Cluster, group: &str, topics: &[&str]) -> Result<()> {
    while !has_committed(cluster, group, topics).await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn has_committed(cluster: &Cluster, group: &str, topics: &[&str]) -> Result<bool> {
    let committed = GroupOffsets::new(cluster, group).committed(None).await?;
    let committed = |at: &TopicPartition| committed.get(at).map(|committed| committed.offset);
    for topic in topics {
        let ends = end_offsets(cluster, topic).await?;
        let is_behind = |(at, end): &(TopicPartition, i64)| *end > 0 && committed(at) != Some(*end);
        if ends.iter().all(|(_, end)| *end == 0) || ends.iter().any(is_behind) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn end_offsets(cluster: &Cluster, topic: &str) -> Result<Vec<(TopicPartition, i64)>> {
    let admin = Admin::new(cluster);
    let ends = admin.topic_offsets(topic, OffsetSpec::Latest, Isolation::ReadCommitted).await?;
    Ok((0..).map(|partition| TopicPartition::new(topic, partition)).zip(ends).collect())
}

/// Both tables of `device.sql` must have counted every reading once.
pub(crate) async fn check_counts(cluster: &Cluster, readings: u64) -> Result<()> {
    for (topic, column) in
        [("DEVICE_ACTIVITY_COUNTS", "ACTIVITY_COUNT"), ("DEVICE_SENSOR_STATS", "READING_COUNT")]
    {
        let counted = counted(cluster, topic, column).await?;
        ensure!(counted == readings, "{topic} counts {counted} of {readings} readings");
    }
    Ok(())
}

/// The sum of a column over the last row of each key.
async fn counted(cluster: &Cluster, topic: &str, column: &str) -> Result<u64> {
    let mut rows = BTreeMap::new();
    each_record(cluster, topic, |key, value| {
        let row: serde_json::Value = serde_json::from_slice(value.unwrap_or(b"null"))?;
        rows.insert(key.map(<[u8]>::to_vec), row[column].as_u64());
        Ok(())
    })
    .await?;
    rows.into_values().sum::<Option<u64>>().with_context(|| format!("{topic}: no {column}"))
}

/// How many records a topic has, or how many keys where it is that of a table.
pub(crate) async fn results(cluster: &Cluster, topic: &str, is_table: bool) -> Result<u64> {
    let (mut records, mut keys) = (0, BTreeSet::new());
    each_record(cluster, topic, |key, _| {
        records += 1;
        if is_table {
            keys.insert(key.map(<[u8]>::to_vec));
        }
        Ok(())
    })
    .await?;
    Ok(if is_table { keys.len() as u64 } else { records })
}

/// Reads a topic to its end.
async fn each_record(
    cluster: &Cluster,
    topic: &str,
    mut read: impl FnMut(Option<&[u8]>, Option<&[u8]>) -> Result<()>,
) -> Result<()> {
    let ends = end_offsets(cluster, topic).await?;
    // Compaction leaves fewer records than offsets, so positions tell when all is read.
    let mut ahead: BTreeMap<TopicPartition, i64> =
        ends.iter().filter(|(_, end)| *end > 0).cloned().collect();
    let fetcher = Fetcher::with_options(cluster, Isolation::ReadCommitted, 8 << 20);
    fetcher.assign(ends.iter().map(|(at, _)| (at.clone(), 0)));
    while !ahead.is_empty() {
        for fetched in fetcher.poll(Duration::from_secs(1)).await? {
            for record in fetched.records() {
                let record = record?;
                read(record.key, record.value)?;
            }
            ahead.retain(|at, end| *at != fetched.partition || *end > fetched.next_offset);
        }
    }
    Ok(())
}
