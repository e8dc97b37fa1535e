//! How one query runs, read once from its properties.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::plan::QueryPlan;
use crate::runtime::{FaultRules, MaxIdle};

/// A query that is to run.
#[derive(Clone, Debug)]
pub struct QuerySpec {
    /// Its id.
    pub id: String,
    /// What it does.
    pub plan: Arc<QueryPlan>,
    /// How it runs.
    pub settings: QuerySettings,
    /// Whether it may go on with the offsets and the state of another plan, whose place it has taken.
    pub is_replacement: bool,
    /// Whether it takes nothing until it is resumed.
    pub is_paused: bool,
}

/// How one query runs.
#[expect(clippy::struct_excessive_bools, reason = "each is a property that is on or off")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuerySettings {
    /// `ksql.service.id`.
    pub service_id: String,
    /// `auto.offset.reset`: whether a stream without committed offsets is read from its beginning.
    pub from_earliest: bool,
    /// `ksql.millstream.push.since.ms`: how long before it began the records came with which a push query begins that is not
    /// read from the beginning.
    pub push_since: Option<Duration>,
    /// `commit.interval.ms`.
    pub commit_interval: Duration,
    /// `processing.guarantee`.
    pub guarantee: Guarantee,
    /// `cache.max.bytes.buffering`.
    pub cache_bytes: i64,
    /// `ksql.millstream.repartition=topic`: rows are re-keyed through topics.
    pub repartitions_by_topic: bool,
    /// `repartition.purge.interval.ms`: how often what is processed is deleted from these topics.
    pub purge_interval: Duration,
    /// The wall-clock time between two emissions of `EMIT FINAL`.
    pub emit_interval_ms: i64,
    /// What is done about faults.
    pub fault_rules: FaultRules,
    /// `ksql.query.retry.backoff.initial.ms`.
    pub retry_backoff: Duration,
    /// `ksql.query.retry.backoff.max.ms`.
    pub retry_backoff_max: Duration,
    /// `ksql.logging.processing.topic.auto.create`: whether there is a processing log.
    pub has_processing_log: bool,
    /// `ksql.logging.processing.rows.include`.
    pub logs_rows: bool,
    /// `ksql.logging.processing.topic.name`.
    pub processing_log_topic: String,
    /// `ksql.internal.topic.replicas`, for changelogs, repartition topics and the processing log.
    pub internal_replicas: i16,
    /// `max.task.idle.ms`: how long a partition without records is waited for where order across
    /// partitions matters.
    pub max_idle: MaxIdle,
    /// How far ahead of the others, in record time, a partition is read where order across partitions
    /// matters and rows are re-keyed through topics (`ksql.millstream.interleave.ms`).
    pub interleave_ms: i64,
    /// `ksql.millstream.on.lost.records=stop`: whether a query stops whose position is not retained any
    /// more.
    pub stops_at_lost_records: bool,
    /// `ksql.millstream.on.refused.records=stop`: whether a query stops when a broker does not take a record that came of
    /// it.
    pub stops_at_refused_records: bool,
    /// `ksql.streams.state.dir`: where checkpoints of state are kept; without it there are none.
    pub state_dir: Option<PathBuf>,
    /// `ksql.millstream.instance.id`: by what the instance finds its own place in groups again after a
    /// restart; without it, by what its state directory says, if it has one.
    pub instance_id: Option<String>,
}

/// What holds of each record, whatever fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// What comes of it is written at least once.
    AtLeastOnce,
    /// What comes of it is committed once, with the offset behind it, in a transaction that may be open for so long
    /// (`transaction.timeout.ms`).
    ExactlyOnce {
        /// How long that is.
        transaction_timeout: Duration,
    },
}

impl Guarantee {
    /// Whether what a query writes is written in transactions.
    pub fn is_exactly_once(self) -> bool {
        matches!(self, Self::ExactlyOnce { .. })
    }
}

/// What one group takes of a cache, as Kafka Streams counts it: the key, the row and its overhead.
const CACHED_GROUP_BYTES: i64 = 200;

impl QuerySettings {
    /// How many groups the record cache holds.
    pub fn cached_groups(&self) -> usize {
        usize::try_from(self.cache_bytes / CACHED_GROUP_BYTES).unwrap_or(0)
    }

    /// The consumer group of a query, which is also how its internal topics begin.
    pub fn application_id(&self, query_id: &str) -> String {
        format!("{}{query_id}", group_prefix(&self.service_id))
    }
}

/// How the groups and the internal topics of a service's persistent queries begin.
pub fn group_prefix(service_id: &str) -> String {
    format!("_confluent-ksql-{service_id}query_")
}
