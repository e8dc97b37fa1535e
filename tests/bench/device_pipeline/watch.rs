//! Knows from outside when queries have done their work, and whether it is right.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use millstream::engine::Properties;
use millstream::engine::headless;
use millstream::kafka::admin::{Admin, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::GroupOffsets;
use millstream::kafka::{Cluster, TopicPartition};
use millstream::runtime::live::QuerySpec;

/// Makes the topics of a file, and gives its queries.
pub(crate) async fn prepare(cluster: &Cluster, text: &str) -> Result<Vec<QuerySpec>> {
    Ok(headless::prepare(cluster, text, &Properties::default(), &[]).await?)
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
    let ends = end_offsets(cluster, &spec.plan.leftmost_source().topic).await?;
    let group = GroupOffsets::new(cluster, &spec.settings.application_id(&spec.id));
    let committed = group.committed(None).await?;
    let committed = |at: &TopicPartition| committed.get(at).map(|committed| committed.offset);
    Ok(ends.iter().any(|(_, end)| *end > 0)
        && ends.iter().all(|(at, end)| *end == 0 || committed(at) == Some(*end)))
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
    let ends = end_offsets(cluster, topic).await?;
    // Compaction leaves fewer records than offsets, so positions tell when all is read.
    let mut ahead: BTreeMap<TopicPartition, i64> =
        ends.iter().filter(|(_, end)| *end > 0).cloned().collect();
    let fetcher = Fetcher::with_options(cluster, Isolation::ReadCommitted, 8 << 20);
    fetcher.assign(ends.iter().map(|(at, _)| (at.clone(), 0)));
    let mut rows = BTreeMap::new();
    while !ahead.is_empty() {
        for fetched in fetcher.poll(Duration::from_secs(1)).await? {
            for record in fetched.records() {
                let record = record?;
                let row: serde_json::Value =
                    serde_json::from_slice(record.value.unwrap_or(b"null"))?;
                rows.insert(record.key.map(<[u8]>::to_vec), row[column].as_u64());
            }
            ahead.retain(|at, end| *at != fetched.partition || *end > fetched.next_offset);
        }
    }
    rows.into_values().sum::<Option<u64>>().with_context(|| format!("{topic}: no {column}"))
}
