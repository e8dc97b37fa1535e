//! Names and types resolved: a statement and the catalog in, a typed plan out.
//!
//! Planning is pure. It reads no topic and no registry: what it has to know is handed in with the
//! [`PlanContext`], and what it finds wrong is a [`PlanError`] in ksqlDB's words, with a place.

mod aggregate;
mod aggregate_call;
mod builder;
mod catalog;
mod columns;
mod error;
mod explain;
mod expression;
mod faults;
mod fingerprint;
mod foreign_key;
mod frame;
mod from;
mod grouping;
mod ids;
mod insert;
mod insert_values;
mod internal_formats;
mod join;
mod keys;
mod lookups;
mod name_help;
mod names;
mod node;
mod options;
mod over;
mod partitions;
mod pull;
mod push;
mod query;
mod query_plan;
mod read_features;
mod reasons;
mod relation;
mod sanitise;
mod schema_uses;
mod schemas;
mod select;
mod size;
mod source;
mod source_table;
mod statement;
mod statement_formats;
pub mod steps;
mod store;
mod stream_stream_join;
mod sub_topology;
mod survey;
mod topology;
mod types;
mod wanted;
mod window;

pub use catalog::{Catalog, PersistentQuery, QueryKind};
pub use error::{PlanError, Stage};
pub use explain::explain;
pub use fingerprint::fingerprint;
pub use frame::{FrameColumn, SourceColumn, frame_columns};
pub use ids::{NodeId, RepartitionId, StoreId};
pub use insert::{StatementTexts, plan_insert_into};
pub use insert_values::{
    InsertRow, InsertedRow, KeyValue, insert_target, named_values, plan_insert_values,
};
pub use name_help::{function_help, query_help, source_help};
pub use node::{
    AggregateCall, AggregateWindow, Aggregation, ForeignKeyAnswer, ForeignKeyResolve,
    ForeignKeySubscribe, GroupPurpose, HeldRows, JoinKind, Joined, NamedExpr, NodeKind, Over,
    OverCall, OverFunction, RESPONSE_COLUMNS, RepartitionKind, RepartitionTopic, RowFormats,
    RowOrigin, TableCall,
};
pub use options::{OptionSet, Options};
pub use partitions::{KeptPartitions, PartitionCounts, SourcePartitions, UnequalPartitions};
pub use pull::{PullPlan, plan_pull, plan_stream_pull};
pub use push::{plan_push, tapped};
pub use query_plan::{ClientSink, Gives, KeyPlace, Node, QueryPlan, Sink, Sought, SoughtValue};
pub use read_features::ReadFeature;
pub use sanitise::sanitised;
pub use schema_uses::SchemaUse;
pub use schemas::{KnownSchemas, NoSchemas, SchemaRequest, register_sink, register_source};
pub use size::{COLUMNS_PARTS_MAX, TYPE_PARTS_MAX};
pub use source::{FilledFrom, HeaderColumn, Source, SourceWindow, TimestampColumn, all_headers};
pub use source_table::plan_source_table;
pub use statement::{PlannedSink, already_exists, canonical, plan_create_as, plan_create_source};
pub use store::{StoreKind, StoreSpec};
pub use stream_stream_join::StreamStreamJoin;
pub use sub_topology::{Input, SubTopology, SubTopologyId, part_of, reader_of};
pub use topology::topology;
pub use types::resolve_type;
pub use wanted::Wanted;

use crate::expr::aggregates::{AggregateLimits, Aggregates};
use crate::sql::Text;
use crate::types::{ColumnDef, SqlType};
use expression::{Clause, Scope};

/// What planning has to know of the configuration.
#[derive(Clone, Debug)]
pub struct PlanConfig {
    /// `ksql.persistence.default.format.key`.
    pub default_key_format: String,
    /// `ksql.persistence.default.format.value`.
    pub default_value_format: Option<String>,
    /// `ksql.persistence.wrap.single.values`, where it is set.
    pub wrap_single_values: Option<bool>,
    /// `ksql.output.topic.name.prefix`.
    pub output_topic_prefix: String,
    /// `ksql.functions.collect_list.limit` and its like.
    pub aggregate_limits: AggregateLimits,
    /// `ksql.new.query.planner.enabled`.
    pub has_new_planner: bool,
    /// `ksql.millstream.strict`: whether what ksqlDB does not have is refused.
    pub is_strict: bool,
    /// `ksql.millstream.over.grace.ms`: how long rows wait to be put in order before an `OVER` takes them; 0 if they do
    /// not.
    pub over_grace_ms: i64,
    /// `ksql.millstream.over.retention.ms`: how long after its last row a key of an `OVER` is forgotten, by the time of rows;
    /// `None` for never.
    pub over_retention_ms: Option<i64>,
    /// What queries of clients may not do, as properties say.
    pub switched_off: Vec<ReadFeature>,
    /// Whether the functions of ksqlDB's own tests exist. They never do outside the case runner.
    pub with_test_functions: bool,
}

impl Default for PlanConfig {
    fn default() -> Self {
        Self {
            default_key_format: "KAFKA".to_owned(),
            default_value_format: None,
            wrap_single_values: None,
            output_topic_prefix: String::new(),
            aggregate_limits: AggregateLimits::default(),
            has_new_planner: false,
            is_strict: false,
            over_grace_ms: 0,
            over_retention_ms: None,
            switched_off: Vec::new(),
            with_test_functions: false,
        }
    }
}

/// What a statement is planned against.
#[derive(Clone, Copy, Debug)]
pub struct PlanContext<'c> {
    /// What exists.
    pub catalog: &'c Catalog,
    /// The configuration.
    pub config: &'c PlanConfig,
    /// The whole text that was parsed, to tell lines and columns.
    pub text: &'c Text,
    /// What is known of topics.
    pub topics: &'c dyn TopicPartitions,
    /// What is known of the registry.
    pub schemas: &'c dyn KnownSchemas,
}

/// What planning has to know of topics.
pub trait TopicPartitions: std::fmt::Debug {
    /// How many partitions a topic has, where that is known.
    fn partitions(&self, topic: &str) -> Option<i32>;
}

/// Nothing is known of topics.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTopics;

impl TopicPartitions for NoTopics {
    fn partitions(&self, _topic: &str) -> Option<i32> {
        None
    }
}

impl PlanContext<'_> {
    /// The aggregates that exist.
    pub(crate) fn aggregates(&self) -> Aggregates {
        Aggregates { with_test_functions: self.config.with_test_functions }
    }

    /// Types expressions of a clause against these columns, of rows with this key.
    fn scope<'s>(
        &'s self,
        columns: &'s [(String, SqlType)],
        key: &'s [ColumnDef],
        clause: Clause,
    ) -> Scope<'s> {
        Scope {
            columns,
            key,
            catalog: self.catalog,
            text: self.text,
            clause,
            calls: &[],
            select: &[],
            written: &[],
            named: None,
        }
    }
}
