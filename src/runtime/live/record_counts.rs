//! How many records partitions hold, to tell large ones from small ones.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ids::QueryId;
use super::placements::Placements;
use super::query_topics::Topic;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::{Cluster, KafkaError};

/// How long a start waits for the answer, which it can do without.
const WAIT: Duration = Duration::from_secs(1);

/// Has the partitions of a query's sources placed by how many records each has.
pub(super) async fn settle<'t>(
    placements: &Placements,
    cluster: &Cluster,
    query: &QueryId,
    inputs: impl Iterator<Item = &'t Topic> + Clone,
) {
    for names in placements.unknown(query) {
        let read: BTreeMap<&str, &Topic> = inputs
            .clone()
            .map(|topic| (&*topic.name, topic))
            .filter(|(name, _)| names.iter().any(|other| other == name))
            .collect();
        if let Some(records) = record_counts(cluster, read.into_values()).await {
            placements.settle(&names, &records);
        }
    }
}

/// How many records the logs of topics hold together, by the number of the partition. Nothing if
/// that is not known soon.
async fn record_counts<'t>(
    cluster: &Cluster,
    topics: impl Iterator<Item = &'t Topic>,
) -> Option<Vec<u64>> {
    match tokio::time::timeout(WAIT, count(cluster, topics)).await.ok()? {
        Ok(records) => Some(records),
        Err(error) => {
            tracing::debug!("partitions are placed without their sizes: {error}");
            None
        }
    }
}

async fn count<'t>(
    cluster: &Cluster,
    topics: impl Iterator<Item = &'t Topic>,
) -> Result<Vec<u64>, KafkaError> {
    let admin = Admin::new(cluster);
    let mut counts: Vec<u64> = Vec::new();
    for topic in topics {
        let offsets = |spec| admin.topic_offsets(&topic.name, spec, Isolation::ReadUncommitted);
        let (first, next) =
            tokio::try_join!(offsets(OffsetSpec::Earliest), offsets(OffsetSpec::Latest))?;
        counts.resize(counts.len().max(first.len()), 0);
        for (count, (first, next)) in counts.iter_mut().zip(first.iter().zip(&next)) {
            let records = u64::try_from(next.saturating_sub(*first)).unwrap_or(0);
            *count = count.saturating_add(records);
        }
    }
    Ok(counts)
}
