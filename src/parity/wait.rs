//! Waits until both sides have processed the same inputs to the same ends.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::ParityError;
use super::names::Side;
use super::ours::Ours;
use super::topics;
use crate::kafka::admin::Admin;
use crate::kafka::group::GroupOffsets;
use crate::kafka::{KafkaError, TopicPartition};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);

/// A query of a side: its group, and the topics that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    /// Which side.
    pub(super) side: Side,
    /// Its group.
    pub(super) group: String,
    /// What it reads; its own repartition topics are found by its group.
    pub(super) topics: Vec<String>,
}

/// The ends of topics.
pub(super) type Ends = BTreeMap<TopicPartition, i64>;

/// The ends of the inputs, as they are now.
pub(super) async fn ends_of(admin: &Admin, inputs: &[String]) -> Result<Ends, KafkaError> {
    let mut ends = Ends::new();
    for topic in inputs {
        ends.extend(topics::ends(admin, topic).await?);
    }
    Ok(ends)
}

/// Waits until all readers, which stand in the order in which they feed one another, are at the ends of what they read. An error
/// says after some time who is behind in what.
pub(super) async fn until_at_ends(
    admin: &Admin,
    ours: &Ours,
    readers: &[Reader],
    within: Duration,
) -> Result<(), ParityError> {
    let waiting = async {
        loop {
            ours.check()?;
            if behind(admin, readers, 1).await?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    if let Ok(done) = tokio::time::timeout(within, waiting).await {
        return done;
    }
    let behind = behind(admin, readers, usize::MAX).await?;
    Err(ParityError::Behind { within_s: within.as_secs(), behind })
}

/// Who is behind in what, as far as the first so many.
///
/// A commit follows the writing of all before it, and who writes is asked before who reads: so nothing is on its way when
/// nobody is behind.
async fn behind(
    admin: &Admin,
    readers: &[Reader],
    count_max: usize,
) -> Result<Vec<String>, KafkaError> {
    let mut behind = Vec::new();
    for reader in readers {
        let committed = GroupOffsets::new(admin.cluster(), &reader.group).committed(None).await?;
        let own = format!("{}-", reader.group);
        let listed = admin.list_topics().await?;
        let repartitions = listed
            .iter()
            .map(|topic| topic.name.to_string())
            .filter(|topic| topic.starts_with(&own) && topic.ends_with("-repartition"));
        for topic in reader.topics.iter().cloned().chain(repartitions) {
            for (at, end) in topics::ends(admin, &topic).await? {
                let position = committed.get(&at).map(|committed| committed.offset);
                if position.is_none_or(|position| position < end) {
                    behind.push(told(reader, &at, position, end));
                    if behind.len() >= count_max {
                        return Ok(behind);
                    }
                }
            }
        }
    }
    Ok(behind)
}

fn told(reader: &Reader, at: &TopicPartition, position: Option<i64>, end: i64) -> String {
    let (side, group) = (reader.side.name(), &reader.group);
    match position {
        Some(position) => format!("{side}: {at} is read to {position} of {end} (group {group})"),
        None => format!("{side}: {at} is not read yet, its end is {end} (group {group})"),
    }
}
