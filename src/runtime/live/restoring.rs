//! What is to be restored of a query, and what is said of it before.

use super::checkpoint::CheckpointDirectory;
use super::error::LiveError;
use super::figures::Figures;
use super::positions::reset_of;
use super::probe::Probe;
use super::query_topics::{QueryTopics, Topic};
use super::settings::QuerySettings;
use super::time_order::TimeOrder;
use crate::kafka::Cluster;
use crate::kafka::admin::OffsetSpec;
use crate::plan::Input;
use crate::runtime::Layout;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is to be restored.
#[derive(Clone)]
pub(super) struct Restoring {
    pub(super) cluster: Cluster,
    pub(super) settings: QuerySettings,
    pub(super) topics: Arc<QueryTopics>,
    pub(super) layout: Arc<Layout>,
    /// Where checkpoints are kept, if they are.
    pub(super) directory: Option<CheckpointDirectory>,
    pub(super) probe: Arc<dyn Probe>,
    /// Whether it may go on with the offsets and the state of another plan.
    pub(super) is_replacement: bool,
    /// Topics that were deleted and made again since the query ran last.
    pub(super) made_again: BTreeSet<String>,
    pub(super) figures: Arc<Figures>,
}

impl Restoring {
    pub(super) fn state_error(&self, cause: String) -> LiveError {
        LiveError::State { query: self.layout.query_id().to_owned(), cause }
    }

    /// Refuses a query whose rows would have to be read from a topic before the transaction is committed that they are
    /// written in.
    pub(super) fn refuse_what_is_followed(&self) -> Result<(), LiveError> {
        let order = TimeOrder::of(&self.layout, self.settings.interleave_ms);
        if !self.settings.guarantee.is_exactly_once() || order.into_followed().is_empty() {
            return Ok(());
        }
        Err(self.state_error(
            "rows with new keys that are joined by their times cannot go through a topic under \
             processing.guarantee=exactly_once_v2 (unsupported); with ksql.millstream.repartition=memory, the default, \
             they can"
                .to_owned(),
        ))
    }

    /// Warns of what is taken for granted where state has fewer partitions than its source.
    pub(super) fn say_what_is_spread(&self) {
        let query = self.layout.query_id();
        for (input, topic) in &self.topics.inputs {
            let Some(partitions) = self.layout.spread_from(*input) else { continue };
            let shards =
                self.layout.reader_of(*input).map(|part| self.layout.counts().of_part(part));
            let (name, shards) = (&topic.name, shards.unwrap_or(1));
            tracing::warn!(
                "query {query}: topic {name} has {partitions} partitions and the query's state {shards}; \
                 rows go where the state of their keys is, as if all of them were written with Kafka's \
                 default partitioner"
            );
        }
    }

    pub(super) fn is_source_made_again(&self) -> bool {
        self.topics.inputs.iter().any(|(_, topic)| self.made_again.contains(&topic.name))
    }

    pub(super) fn say_what_was_made_again(&self) {
        let query = self.layout.query_id();
        let is_new = |topic: &&Topic| self.made_again.contains(&topic.name);
        for (input, topic) in self.topics.inputs.iter().filter(|(_, topic)| is_new(&topic)) {
            let is_latest = self.reset_of(*input) == OffsetSpec::Latest;
            let from = if is_latest { "its end" } else { "its beginning" };
            let name = &topic.name;
            tracing::warn!(
                "query {query}: topic {name} was deleted and made again; it is read from {from} on, and \
                 the query's state stays"
            );
        }
        for Topic { name, .. } in self.topics.changelogs.iter().filter(is_new) {
            tracing::warn!(
                "query {query}: topic {name}, a changelog, was deleted and made again; the query's state \
                 is what that holds now"
            );
        }
    }

    /// Where a reader of an input goes that has no position.
    pub(super) fn reset_of(&self, input: Input) -> OffsetSpec {
        reset_of(self.layout.plan(), input, self.settings.from_earliest)
    }
}
