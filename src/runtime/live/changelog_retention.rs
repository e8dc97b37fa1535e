//! Keeps the changelogs of windows for as long as their state is needed.
//!
//! A store forgets a window by stream time, the broker deletes its records by the wall clock: those of old readings that are
//! read again at once, within seconds on Kafka 4. So `retention.ms` of a changelog is raised where it has to be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::query_topics::QueryTopics;
use super::topics::{ADDITIONAL_RETENTION_MS, TopicConfigs};
use crate::kafka::admin::{Admin, ConfigResource};
use crate::plan::{QueryPlan, StoreId};
use crate::runtime::{Changes, ShardClocks};

/// The changelogs of a query's windows.
pub(super) struct ChangelogRetention {
    query: String,
    changelogs: BTreeMap<StoreId, WindowedChangelog>,
}

struct WindowedChangelog {
    topic: String,
    /// How long its store keeps windows.
    windows_ms: i64,
    /// How long the topic keeps records, once that was asked; `i64::MAX` if for ever, or if it cannot be changed.
    kept_ms: Option<i64>,
}

impl ChangelogRetention {
    pub(super) fn new(query: &str, plan: &QueryPlan, topics: &QueryTopics) -> Self {
        let stores = plan.stores().zip(&topics.changelogs);
        let changelogs = stores.filter_map(|((id, _, store), topic)| {
            let (topic, windows_ms) = (topic.name.clone(), store.retention_ms?);
            Some((id, WindowedChangelog { topic, windows_ms, kept_ms: None }))
        });
        Self { query: query.to_owned(), changelogs: changelogs.collect() }
    }

    /// Raises what has to be kept longer, before these records are written at `now_ms`, and for windows that
    /// are still to be given where these clocks of the stores stand.
    pub(super) async fn make_room(
        &mut self,
        admin: &Admin,
        changes: &[Changes],
        clocks: &[ShardClocks],
        now_ms: i64,
    ) {
        if self.changelogs.is_empty() {
            return;
        }
        for (store, oldest_ms) in oldest(changes, clocks) {
            let Some(changelog) = self.changelogs.get_mut(&store) else { continue };
            changelog.make_room(admin, &self.query, now_ms.saturating_sub(oldest_ms)).await;
        }
    }
}

/// The lowest time among the changes of each store, and of what is still to be given.
///
/// With `EMIT FINAL` a window waits for a later record of its partition, however long none comes.
fn oldest(changes: &[Changes], clocks: &[ShardClocks]) -> BTreeMap<StoreId, i64> {
    let written = changes.iter().flat_map(Changes::times);
    let not_given =
        clocks.iter().filter_map(|shard| Some((shard.store, shard.clocks.not_given_from?)));
    let mut oldest: BTreeMap<StoreId, i64> = BTreeMap::new();
    for (store, at) in written.chain(not_given) {
        let time = oldest.entry(store).or_insert(at);
        *time = at.min(*time);
    }
    oldest
}

impl WindowedChangelog {
    /// Has the topic keep records that are so old by now.
    async fn make_room(&mut self, admin: &Admin, query: &str, age_ms: i64) {
        let needed_ms = age_ms.saturating_add(self.windows_ms);
        let kept_ms = match self.kept_ms {
            Some(kept_ms) => kept_ms,
            None => retention_ms(&TopicConfigs::of(admin, &self.topic).await),
        };
        self.kept_ms = Some(kept_ms);
        // Half of what Kafka Streams adds is left for the time until the windows are closed.
        if needed_ms.saturating_add(MARGIN_MS) <= kept_ms {
            return;
        }
        let raised_ms = whole_days(needed_ms.saturating_add(ADDITIONAL_RETENTION_MS));
        let (topic, text) = (&self.topic, raised_ms.to_string());
        let raised = [("retention.ms", Some(&*text))];
        match admin.alter_configs(&ConfigResource::Topic(topic.clone()), &raised).await {
            Ok(()) => {
                self.kept_ms = Some(raised_ms);
                tracing::warn!(
                    "query {query}: its changelog {topic} has records that are {} old; its retention.ms is raised from \
                     {kept_ms} to {raised_ms}, so that the broker does not delete what the state needs",
                    days(age_ms)
                );
            }
            Err(error) => {
                self.kept_ms = Some(i64::MAX);
                tracing::warn!(
                    "query {query}: its changelog {topic} has records that are {} old, which the broker deletes \
                     (retention.ms is {kept_ms}) while the state needs them, and that cannot be changed: {error}",
                    days(age_ms)
                );
            }
        }
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long a topic's retention is at least to be longer than what its state needs now.
const MARGIN_MS: i64 = ADDITIONAL_RETENTION_MS / 2;

/// How long a topic keeps records, in milliseconds; `i64::MAX` for one that deletes none by their age.
pub(super) fn retention_ms(configs: &TopicConfigs) -> i64 {
    let deletes = configs.text("cleanup.policy").is_some_and(|policy| policy.contains("delete"));
    let retention_ms = configs.get("retention.ms").filter(|ms| deletes && *ms >= 0);
    retention_ms.unwrap_or(i64::MAX)
}

/// A time in milliseconds, rounded up to days.
fn whole_days(ms: i64) -> i64 {
    ms.saturating_add(DAY_MS - 1) / DAY_MS * DAY_MS
}

/// A time in days, or in hours where it is short.
fn days(ms: i64) -> String {
    let hours = Duration::from_millis(ms.unsigned_abs()).as_secs() / 3_600;
    match hours {
        0..48 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::Clocks;
    use crate::types::Partition;

    #[test]
    fn ages_are_told_in_hours_or_days() {
        for (ms, told) in [(0, "0 hours"), (86_400_000, "24 hours"), (172_800_000, "2 days")] {
            assert_eq!(days(ms), told);
        }
    }

    #[test]
    fn a_window_that_is_still_to_be_given_is_kept_as_what_is_written() {
        let clocks = [(0, Some(700)), (0, Some(500)), (1, None), (0, Some(600))];
        let shard = |(store, not_given_from)| ShardClocks {
            store: StoreId(store),
            partition: Partition(0),
            clocks: Clocks { stream_time: Some(9_000), not_given_from, ..Clocks::default() },
        };
        let oldest = oldest(&[], &clocks.map(shard));
        assert_eq!(oldest, BTreeMap::from([(StoreId(0), 500)]));
    }

    #[test]
    fn what_is_raised_is_a_number_of_days() {
        for (ms, days) in [(1, 1), (DAY_MS, 1), (DAY_MS + 1, 2), (i64::MAX, i64::MAX / DAY_MS)] {
            assert_eq!(whole_days(ms), days * DAY_MS);
        }
    }

    #[test]
    fn a_topic_that_is_only_compacted_keeps_everything() {
        let configs = |policy: &str, ms: &str| {
            TopicConfigs::from_iter([("cleanup.policy", policy), ("retention.ms", ms)])
        };
        assert_eq!(retention_ms(&configs("compact,delete", "5000")), 5_000);
        assert_eq!(retention_ms(&configs("delete", "-1")), i64::MAX);
        assert_eq!(retention_ms(&configs("compact", "5000")), i64::MAX);
    }
}
