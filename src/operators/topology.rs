//! The operators of one query, and how batches go through them.

use std::sync::Arc;

use super::aggregate::StreamAggregate;
use super::filter::{Predicate, StreamFilter, TableFilter};
use super::flat_map::FlatMap;
use super::group_by::{StreamGroupBy, TableGroupBy};
use super::groups::{Groups, Placement};
use super::partition_by::{NewKey, PartitionBy};
use super::repartition::Repartition;
use super::select::Select;
use super::session::SessionAggregate;
use super::source::TableSource;
use super::table_aggregate::TableAggregate;
use super::waiting::Emitting;
use super::windowed::WindowedAggregate;
use super::{Context, Operator, QueryError, Store};
use crate::plan::{
    AggregateWindow, Aggregation, NamedExpr, QueryPlan, SourceColumn, Step, StepKind, frame_columns,
};
use crate::types::{RowCodec, Rows};

/// The codecs of a step: of its keys, and of its values.
pub type StepCodecs = (Arc<dyn RowCodec>, Arc<dyn RowCodec>);

/// Gives operators the codecs of the bytes that they keep.
pub trait Codecs {
    /// The codecs of the step at this position of the plan.
    fn codecs(&self, step: usize) -> Result<StepCodecs, QueryError>;
}

/// How a query runs.
#[derive(Clone, Copy, Debug)]
pub struct TopologyOptions {
    /// How many partitions re-keyed rows are spread over.
    pub partitions: i32,
    /// Java's default partitioner.
    pub partitioner: fn(&[u8], i32) -> i32,
    /// Whether rows are re-keyed in memory, and not through a topic.
    pub rekeys_in_memory: bool,
    /// How many groups may wait in the cache of an aggregation; 0 for no cache.
    pub cached_groups: usize,
    /// How long `EMIT FINAL` waits between two emissions.
    pub emit_interval_ms: i64,
}

/// A store of a topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// Its name, such as `Aggregate-Aggregate-Materialize`.
    pub name: String,
    /// Whether its keys have windows, so that its changelog also forgets by time.
    pub retention_ms: Option<i64>,
    /// The step that keeps it.
    pub step: usize,
}

/// Where a batch enters a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// From the query's source.
    Source,
    /// From its repartition topic.
    Repartition,
}

/// The operators of one query.
pub struct Topology {
    operators: Vec<Box<dyn Operator>>,
    /// The operator after the repartition topic, if there is one.
    after_repartition: Option<usize>,
    /// The operator of each store.
    stores: Vec<(usize, StoreInfo)>,
}

struct Builder<'p> {
    plan: &'p QueryPlan,
    options: TopologyOptions,
    codecs: &'p dyn Codecs,
    topology: Topology,
    /// Whether rows are changes of a table by now.
    is_table: bool,
    has_repartition: bool,
}

impl Topology {
    /// Builds the operators of a plan.
    pub fn build(
        plan: &QueryPlan,
        options: TopologyOptions,
        codecs: &dyn Codecs,
    ) -> Result<Self, QueryError> {
        let topology = Self { operators: Vec::new(), after_repartition: None, stores: Vec::new() };
        let mut builder =
            Builder { plan, options, codecs, topology, is_table: false, has_repartition: false };
        for (index, step) in plan.steps.iter().enumerate() {
            builder.add(index, step)?;
        }
        Ok(builder.topology)
    }

    /// Takes a batch through the operators, down to the sink.
    pub fn process<'a>(
        &mut self,
        entry: Entry,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let start = match entry {
            Entry::Source => 0,
            Entry::Repartition => self.after_repartition.unwrap_or_default(),
        };
        self.run_from(start, rows, ctx)
    }

    /// Gives away some of what waits in caches, operator by operator, down to the sink. Whether
    /// more waits.
    pub fn flush(&mut self, ctx: &mut Context<'_, '_>) -> Result<bool, QueryError> {
        for index in 0..self.operators.len() {
            let outcome = self.operators[index].flush(ctx);
            if outcome.rows.len > 0 {
                self.run_from(index + 1, &outcome.rows, ctx)?;
            }
            if let Some(failure) = outcome.failure {
                return Err(failure);
            }
            if self.operators[index].is_waiting() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The stores, in the order of the numbers under which they report their changes.
    pub fn stores(&self) -> impl Iterator<Item = &StoreInfo> {
        self.stores.iter().map(|(_, info)| info)
    }

    /// The store of a number.
    pub fn store(&mut self, store: usize) -> Option<&mut dyn Store> {
        let (operator, _) = self.stores.get(store)?;
        self.operators.get_mut(*operator)?.store()
    }

    fn run_from<'a>(
        &mut self,
        start: usize,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let mut current: Option<Rows<'a>> = None;
        // What an operator gave before it failed still goes down to the sink; then the query fails.
        let mut failure: Option<QueryError> = None;
        for operator in &mut self.operators[start..] {
            let outcome = match current.take() {
                Some(rows) => operator.process_owned(rows, ctx),
                None => operator.process(rows, ctx),
            };
            failure = outcome.failure.or(failure);
            if outcome.rows.len == 0 {
                return failure.map_or(Ok(()), Err);
            }
            current = Some(outcome.rows);
        }
        ctx.out.sink(current.as_ref().unwrap_or(rows))?;
        failure.map_or(Ok(()), Err)
    }
}

impl Builder<'_> {
    fn add(&mut self, index: usize, step: &Step) -> Result<(), QueryError> {
        let operator: Box<dyn Operator> = match &step.kind {
            StepKind::StreamSource => return Ok(()),
            StepKind::TableSource { store } => {
                self.is_table = true;
                let number = self.add_store(index, store.clone(), None);
                Box::new(TableSource::new(&self.plan.source, number, self.codecs.codecs(index)?))
            }
            StepKind::Filter { predicate, text } => self.filter(step, predicate, text),
            StepKind::Select { columns } => {
                Box::new(Select::new(step.name.clone(), columns.clone()))
            }
            StepKind::PartitionBy { keys } => {
                Box::new(PartitionBy::new(step.name.clone(), self.new_keys(keys)))
            }
            StepKind::FlatMap { functions } => {
                Box::new(FlatMap::new(step.name.clone(), functions.clone()))
            }
            StepKind::GroupBy { keys } if self.is_table => {
                Box::new(TableGroupBy::new(step.name.clone(), keys.clone()))
            }
            StepKind::GroupBy { keys } => {
                Box::new(StreamGroupBy::new(step.name.clone(), keys.clone()))
            }
            StepKind::Repartition { .. } => {
                self.has_repartition = true;
                self.topology.after_repartition = Some(self.topology.operators.len() + 1);
                if self.options.rekeys_in_memory {
                    let (key, value) = self.codecs.codecs(index)?;
                    Box::new(Repartition::Memory { key, value })
                } else {
                    Box::new(Repartition::Topic(0))
                }
            }
            StepKind::Aggregate(aggregation) => self.aggregate(index, aggregation)?,
        };
        self.topology.operators.push(operator);
        Ok(())
    }

    /// Tells which new keys depend on nothing but the old one.
    fn new_keys(&self, keys: &[NamedExpr]) -> Vec<NewKey> {
        let frame = frame_columns(&self.plan.source);
        let new_key = |column: &NamedExpr| {
            let mut used = std::collections::BTreeSet::new();
            column.expr.columns_used(&mut used);
            let is_key = |index: &usize| {
                frame.get(*index).is_some_and(|found| matches!(found.from, SourceColumn::Key(_)))
            };
            NewKey { column: column.clone(), reads_key_only: used.iter().all(is_key) }
        };
        keys.iter().map(new_key).collect()
    }

    fn filter(
        &self,
        step: &Step,
        predicate: &Arc<crate::expr::Expr>,
        text: &str,
    ) -> Box<dyn Operator> {
        let predicate = Predicate {
            step: step.name.clone(),
            expr: Arc::clone(predicate),
            text: text.to_owned(),
        };
        if self.is_table {
            Box::new(TableFilter { predicate })
        } else {
            Box::new(StreamFilter { predicate })
        }
    }

    fn aggregate(
        &mut self,
        index: usize,
        aggregation: &Aggregation,
    ) -> Result<Box<dyn Operator>, QueryError> {
        let retention_ms = match aggregation.window {
            None => None,
            Some(
                AggregateWindow::Time { retention_ms, .. }
                | AggregateWindow::Session { retention_ms, .. },
            ) => Some(retention_ms),
        };
        let store = self.add_store(index, aggregation.store.clone(), retention_ms);
        let placement = if self.has_repartition && self.options.rekeys_in_memory {
            let TopologyOptions { partitions, partitioner, .. } = self.options;
            Placement::Hashed { partitions, partitioner }
        } else {
            Placement::Task
        };
        let codecs = self.codecs.codecs(index)?;
        let groups = Groups::new(Arc::new(aggregation.clone()), store, placement, codecs);
        let after = &self.plan.steps[index + 1..];
        let with_old = after.iter().any(|step| matches!(step.kind, StepKind::Filter { .. }));
        let emitting = Emitting { cached_groups: self.options.cached_groups, with_old };
        let interval_ms = self.options.emit_interval_ms;
        let was_table = std::mem::replace(&mut self.is_table, true);
        Ok(match aggregation.window {
            None if was_table => Box::new(TableAggregate::new(groups, emitting)),
            None => Box::new(StreamAggregate::new(groups, emitting)),
            Some(AggregateWindow::Time { windows, retention_ms, .. }) => Box::new(
                WindowedAggregate::new(groups, windows, retention_ms, emitting)
                    .with_emit_interval(interval_ms),
            ),
            Some(AggregateWindow::Session { gap_ms, grace_ms, retention_ms }) => Box::new(
                SessionAggregate::new(groups, (gap_ms, grace_ms, retention_ms), emitting)
                    .with_emit_interval(interval_ms),
            ),
        })
    }

    /// Notes that the operator to be added keeps a store.
    fn add_store(&mut self, step: usize, name: String, retention_ms: Option<i64>) -> usize {
        let operator = self.topology.operators.len();
        self.topology.stores.push((operator, StoreInfo { name, retention_ms, step }));
        self.topology.stores.len() - 1
    }
}
