//! How many records partitions hold, to tell large ones from small ones.

use std::collections::BTreeMap;
use std::time::Duration;

use super::query_topics::Topic;
use crate::kafka::admin::{Admin, ListedOffset, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::{Cluster, KafkaError, TopicPartition};

/// How long a start waits for the answer, which it can do without.
const WAIT: Duration = Duration::from_secs(1);

/// How many records the logs of topics hold together, by the number of the partition. Nothing if
/// that is not known soon.
pub(super) async fn record_counts<'t>(
    cluster: &Cluster,
    topics: impl Iterator<Item = &'t Topic>,
) -> Option<Vec<u64>> {
    let partitions: Vec<_> = topics.flat_map(Topic::all_partitions).collect();
    match tokio::time::timeout(WAIT, extents(cluster, &partitions)).await.ok()? {
        Ok((first, next)) => Some(counts(&partitions, &first, &next)),
        Err(error) => {
            tracing::debug!("partitions are placed without their sizes: {error}");
            None
        }
    }
}

type Offsets = BTreeMap<TopicPartition, ListedOffset>;

/// Where logs begin and end.
async fn extents(
    cluster: &Cluster,
    partitions: &[TopicPartition],
) -> Result<(Offsets, Offsets), KafkaError> {
    let admin = Admin::new(cluster);
    let of = |spec: OffsetSpec| partitions.iter().map(|at| (at.clone(), spec)).collect::<Vec<_>>();
    let (earliest, latest) = (of(OffsetSpec::Earliest), of(OffsetSpec::Latest));
    let first = admin.list_offsets(&earliest, Isolation::ReadUncommitted);
    tokio::try_join!(first, admin.list_offsets(&latest, Isolation::ReadUncommitted))
}

fn counts(partitions: &[TopicPartition], first: &Offsets, next: &Offsets) -> Vec<u64> {
    let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
    for at in partitions {
        let offset = |of: &Offsets| of.get(at).and_then(|listed| listed.offset).unwrap_or(0);
        let records = u64::try_from(offset(next).saturating_sub(offset(first))).unwrap_or(0);
        let count = counts.entry(usize::try_from(at.partition).unwrap_or(0)).or_default();
        *count = count.saturating_add(records);
    }
    // Topics have all partitions up to their last one.
    counts.into_values().collect()
}
