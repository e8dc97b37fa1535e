//! From a part of a plan to its operators.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::aggregate::StreamAggregate;
use super::filter::{Predicate, StreamFilter, TableFilter};
use super::flat_map::FlatMap;
use super::foreign_key::{Answer, LeftCodecs, Resolve, Subscribe};
use super::frame::Frame;
use super::group_by::{StreamGroupBy, TableGroupBy};
use super::groups::Groups;
use super::kept_table::KeptTable;
use super::lookup::{
    JoinLookup, Lookup, SelectLookup, SourceLookup, StoreLookup, Widths, types_of,
};
use super::over::{Over, OverStores};
use super::partition_by::{ForJoin, NewKey, PartitionBy};
use super::repartition::Repartition;
use super::select::Select;
use super::session::{SessionAggregate, SessionSpans};
use super::stream_stream_join::{JoinStores, StreamStreamJoin};
use super::stream_table_join::StreamTableJoin;
use super::table_aggregate::TableAggregate;
use super::table_table_join::{JoinSide, TableTableJoin};
use super::topology::{Keeper, Next, Topology, Vertex};
use super::waiting::Emitting;
use super::windowed::WindowedAggregate;
use super::{CodecPair, Codecs, Minds, Operator, QueryError, Tables, TopologyOptions};
use crate::expr::Expr;
use crate::expr::aggregates::Sequence;
use crate::plan::{
    self, AggregateWindow, Aggregation, ForeignKeySubscribe, Gives, Input, Joined, NamedExpr, Node,
    NodeId, NodeKind, QueryPlan, SourceColumn, StoreId, SubTopology, frame_columns,
};

/// Makes the operators of a plan's nodes.
pub(super) struct Builder<'p> {
    plan: &'p QueryPlan,
    options: TopologyOptions,
    codecs: &'p dyn Codecs,
    tables: Tables,
    keepers: BTreeMap<StoreId, Keeper>,
    vertex: usize,
}

impl<'p> Builder<'p> {
    pub(super) fn new(
        plan: &'p QueryPlan,
        options: TopologyOptions,
        codecs: &'p dyn Codecs,
    ) -> Self {
        let (tables, keepers) = (Tables::default(), BTreeMap::new());
        Self { plan, options, codecs, tables, keepers, vertex: 0 }
    }

    pub(super) fn build(mut self, part: &SubTopology) -> Result<Topology, QueryError> {
        let mut places = BTreeMap::new();
        let mut operators = Vec::new();
        for id in &part.nodes {
            self.vertex = operators.len();
            if let Some(operator) = self.operator(*id)? {
                places.insert(*id, operators.len());
                operators.push((*id, operator));
            }
        }
        let plan = self.plan;
        let vertices = operators.into_iter().map(|(id, operator)| Vertex {
            node: id,
            operator,
            next: Next::of(plan, id, &places),
        });
        let entry = |input: &Input| {
            let next = match input {
                // A source without an operator gives its rows to what comes after it.
                Input::Source(id) => places.get(id).map_or_else(
                    || Next::of(plan, *id, &places),
                    |place| Next::Vertex(*place, super::Port(0)),
                ),
                Input::Repartition(topic) => {
                    let mut topics = plan.repartitions();
                    let writer = topics.find(|(id, ..)| id == topic).map(|(_, writer, _)| writer);
                    writer.map_or(Next::Nowhere, |writer| Next::of(plan, writer, &places))
                }
            };
            (*input, next)
        };
        let vertices: Vec<Vertex> = vertices.collect();
        // One that minds the order gives rows as they come, so that none may mind that come after it.
        let minded = |vertex: &Vertex| vertex.operator.minds() != Minds::Nothing;
        let in_order = |vertex: &Vertex| vertex.operator.minds() == Minds::Order;
        let first_in_order = vertices.iter().position(in_order);
        let takes_together =
            first_in_order == vertices.iter().rposition(minded) || first_in_order.is_none();
        Ok(Topology {
            vertices,
            takes_together,
            entries: part.inputs.iter().map(entry).collect(),
            keepers: self.keepers,
            tables: self.tables,
            sequence: Sequence::default(),
        })
    }

    /// The operator of a node; `None` where rows pass as they are.
    fn operator(&mut self, id: NodeId) -> Result<Option<Box<dyn Operator>>, QueryError> {
        let node = self.plan.node(id);
        let name = || node.name.clone();
        Ok(Some(match &node.kind {
            NodeKind::StreamSource { .. } | NodeKind::Held => return Ok(None),
            NodeKind::Frame { source } => {
                let columns = frame_columns(source).into_iter();
                Box::new(Frame::new(columns.map(|column| (column.from, column.ty)).collect()))
            }
            NodeKind::TableSource { source, .. } => {
                let (store, codecs) = self.shared_table(id)?;
                let cached_rows = self.options.cached_groups;
                Box::new(KeptTable::of_source(source, store, codecs).cached(cached_rows, false))
            }
            NodeKind::Filter { predicate, text } => Self::filter(node, predicate, text),
            NodeKind::Select { columns } => Box::new(Select::new(name(), columns.clone())),
            NodeKind::PartitionBy { keys } => {
                Box::new(PartitionBy::new(name(), self.new_keys(node, keys)))
            }
            NodeKind::FlatMap { functions } => Box::new(FlatMap::new(name(), functions.clone())),
            NodeKind::GroupBy { keys, .. } if self.gives(node) == Gives::Changes => {
                Box::new(TableGroupBy::new(name(), keys.clone()))
            }
            NodeKind::GroupBy { keys, purpose } => {
                Box::new(StreamGroupBy::new(name(), keys.clone(), *purpose))
            }
            NodeKind::SelectKey { key, appends_key } => {
                let keys = self.new_keys(node, std::slice::from_ref(key));
                let for_join = ForJoin { appends_key: *appends_key };
                Box::new(PartitionBy::new(name(), keys).for_join(for_join))
            }
            NodeKind::Materialize { .. } => {
                let (store, codecs) = self.shared_table(id)?;
                let cached_rows = self.options.cached_groups;
                let is_last = self.plan.successor(id).is_none();
                let table = KeptTable::of_rows(&node.schema, store, codecs);
                Box::new(table.cached(cached_rows, is_last))
            }
            NodeKind::StreamTableJoin(joined) => {
                let side = self.side(node, 1)?;
                Box::new(StreamTableJoin::new(*joined, side.rows, side.types))
            }
            NodeKind::TableTableJoin(joined) => {
                Box::new(TableTableJoin::new(*joined, [self.side(node, 0)?, self.side(node, 1)?]))
            }
            NodeKind::ForeignKeySubscribe(subscribe) => {
                let ForeignKeySubscribe { foreign_key, is_left, left, right } = &**subscribe;
                let left = self.codecs.of_rows(left)?;
                let codecs = LeftCodecs { left, right_key: self.codecs.of_rows(right)?.key };
                Box::new(Subscribe::new(name(), foreign_key.clone(), *is_left, codecs))
            }
            NodeKind::ForeignKeyAnswer(answer) => {
                let store = self.own_store(id, 0)?;
                let left = self.codecs.of_rows(&answer.left)?;
                Box::new(Answer::new(store, left, self.table(answer.right)?))
            }
            NodeKind::ForeignKeyResolve(resolve) => {
                let value = self.codecs.of_rows(&resolve.formats)?.value;
                Box::new(Resolve::new(resolve.is_left, self.table(resolve.left)?, value))
            }
            NodeKind::Repartition(topic) => {
                let drops_null_keys = topic.drops_null_keys;
                let mut topics = self.plan.repartitions();
                let topic = topics.find(|(_, writer, _)| *writer == id).map(|(topic, ..)| topic);
                let topic = topic.unwrap_or_else(|| unreachable!("each repartition has a number"));
                Box::new(Repartition::new(topic, drops_null_keys))
            }
            NodeKind::Aggregate(aggregation) => self.aggregate(id, aggregation)?,
            NodeKind::Over(over) => self.over(id, over)?,
            NodeKind::StreamStreamJoin(join) => self.stream_stream_join(id, join)?,
        }))
    }

    /// One side of a join of tables.
    fn side(&self, node: &Node, port: usize) -> Result<JoinSide, QueryError> {
        let missing = || QueryError::new("a join has two sides");
        self.table(*node.inputs.get(port).ok_or_else(missing)?)
    }

    /// The table that a node gives.
    fn table(&self, id: NodeId) -> Result<JoinSide, QueryError> {
        Ok(JoinSide { rows: self.lookup(id)?, types: types_of(&self.plan.node(id).schema) })
    }

    /// Gives the rows that the table of a node has.
    fn lookup(&self, id: NodeId) -> Result<Box<dyn Lookup>, QueryError> {
        let node = self.plan.node(id);
        let of_input = || {
            let input = node.inputs.first().ok_or_else(|| QueryError::new("a node reads none"))?;
            self.lookup(*input)
        };
        Ok(match &node.kind {
            NodeKind::TableSource { source, .. } => {
                let store = self.store(id, 0)?;
                Box::new(SourceLookup::new(source, store, self.codecs.of_store(store)?))
            }
            NodeKind::Materialize { .. } => {
                let store = self.store(id, 0)?;
                let (codecs, columns) = (self.codecs.of_store(store)?, node.schema.value.len());
                Box::new(StoreLookup { store, columns, codecs })
            }
            NodeKind::Select { columns } => {
                let columns = columns.iter().map(|column| Arc::clone(&column.expr)).collect();
                Box::new(SelectLookup { columns, of: of_input()? })
            }
            NodeKind::TableTableJoin(Joined { kind, appends_key }) => {
                let (left, right) = (self.side(node, 0)?, self.side(node, 1)?);
                let widths = Widths { left: left.types.len(), right: right.types.len() };
                let (kind, appends_key) = (*kind, *appends_key);
                let (left, right) = (left.rows, right.rows);
                Box::new(JoinLookup { kind, appends_key, left, right, widths })
            }
            _ => return Err(QueryError::new(format!("{} keeps no table", node.name))),
        })
    }

    /// What the first input of a node gives.
    fn gives(&self, node: &Node) -> Gives {
        node.inputs.first().map_or(Gives::Rows, |input| self.plan.node(*input).gives)
    }

    /// The number of the `nth` store of a node.
    fn store(&self, id: NodeId, nth: usize) -> Result<StoreId, QueryError> {
        let mut stores = self.plan.stores().filter(|(_, node, _)| *node == id);
        let found = stores.nth(nth).map(|(store, ..)| store);
        found.ok_or_else(|| QueryError::new("a node has fewer stores than its operator"))
    }

    /// Notes that the operator to be added writes a table that others look up.
    fn shared_table(&mut self, id: NodeId) -> Result<(StoreId, CodecPair), QueryError> {
        let store = self.store(id, 0)?;
        let codecs = self.codecs.of_store(store)?;
        self.tables.add(store);
        self.keepers.insert(store, Keeper::Tables(Arc::clone(&codecs.value)));
        Ok((store, codecs))
    }

    /// Notes that the operator to be added keeps its `nth` store for itself.
    fn own_store(&mut self, id: NodeId, nth: usize) -> Result<StoreId, QueryError> {
        let store = self.store(id, nth)?;
        self.keepers.insert(store, Keeper::Operator { vertex: self.vertex, nth });
        Ok(store)
    }

    /// Tells which new keys depend on nothing but the old one.
    fn new_keys(&self, node: &Node, keys: &[NamedExpr]) -> Vec<NewKey> {
        let source = node.inputs.first().and_then(|input| self.source_above(*input));
        let frame = source.map(|source| frame_columns(source)).unwrap_or_default();
        let new_key = |column: &NamedExpr| {
            let mut used = BTreeSet::new();
            column.expr.columns_used(&mut used);
            let is_key = |index: &usize| {
                frame.get(*index).is_some_and(|found| matches!(found.from, SourceColumn::Key(_)))
            };
            NewKey { column: column.clone(), reads_key_only: used.iter().all(is_key) }
        };
        keys.iter().map(new_key).collect()
    }

    /// The source whose columns the rows that `id` gives still begin with.
    fn source_above(&self, id: NodeId) -> Option<&'p Arc<crate::plan::Source>> {
        let node = self.plan.node(id);
        match &node.kind {
            NodeKind::Filter { .. } | NodeKind::FlatMap { .. } => {
                self.source_above(*node.inputs.first()?)
            }
            kind => kind.source(),
        }
    }

    fn filter(node: &Node, predicate: &Arc<Expr>, text: &str) -> Box<dyn Operator> {
        let predicate = Predicate {
            step: node.name.clone(),
            expr: Arc::clone(predicate),
            text: text.to_owned(),
        };
        match node.gives {
            Gives::Changes => Box::new(TableFilter { predicate }),
            Gives::Rows => Box::new(StreamFilter { predicate }),
        }
    }

    fn aggregate(
        &mut self,
        id: NodeId,
        aggregation: &Aggregation,
    ) -> Result<Box<dyn Operator>, QueryError> {
        let store = self.own_store(id, 0)?;
        let codecs = self.codecs.of_store(store)?;
        let groups = Groups::new(Arc::new(aggregation.clone()), store, codecs);
        let with_old = self.needs_old(id);
        let emitting = Emitting { cached_groups: self.options.cached_groups, with_old };
        let interval_ms = self.options.emit_interval_ms;
        Ok(match aggregation.window {
            None if self.gives(self.plan.node(id)) == Gives::Changes => {
                Box::new(TableAggregate::new(groups, emitting))
            }
            None => Box::new(StreamAggregate::new(groups, emitting)),
            Some(AggregateWindow::Time { windows, retention_ms, .. }) => Box::new(
                WindowedAggregate::new(groups, windows, retention_ms, emitting)
                    .with_emit_interval(interval_ms),
            ),
            Some(AggregateWindow::Session { gap_ms, grace_ms, retention_ms }) => Box::new(
                SessionAggregate::new(
                    groups,
                    SessionSpans { gap_ms, grace_ms, retention_ms },
                    emitting,
                )
                .with_emit_interval(interval_ms),
            ),
        })
    }

    fn over(&mut self, id: NodeId, over: &plan::Over) -> Result<Box<dyn Operator>, QueryError> {
        let last = self.own_store(id, 0)?;
        let held = over.held.as_ref().map(|_| self.own_store(id, 1)).transpose()?;
        let held = held.map(|held| Ok::<_, QueryError>((held, self.codecs.of_store(held)?)));
        let stores = OverStores {
            last: (last, self.codecs.of_store(last)?),
            held: held.transpose()?,
            has_cache: self.options.cached_groups > 0,
        };
        Ok(Box::new(Over::new(self.plan.node(id), over, stores)))
    }

    fn stream_stream_join(
        &mut self,
        id: NodeId,
        join: &plan::StreamStreamJoin,
    ) -> Result<Box<dyn Operator>, QueryError> {
        let (this, other) = (self.own_store(id, 0)?, self.own_store(id, 1)?);
        let stores = JoinStores {
            this: (this, self.codecs.of_store(this)?),
            other: (other, self.codecs.of_store(other)?),
            unmatched: join.unmatched.as_ref().map(|_| self.own_store(id, 2)).transpose()?,
        };
        Ok(Box::new(StreamStreamJoin::new(join, stores, self.options.emit_interval_ms)))
    }

    /// Whether something after a node asks for the row before: `HAVING`.
    fn needs_old(&self, id: NodeId) -> bool {
        let mut at = self.plan.successor(id);
        while let Some((next, _)) = at {
            if matches!(self.plan.node(next).kind, NodeKind::Filter { .. }) {
                return true;
            }
            at = self.plan.successor(next);
        }
        false
    }
}

impl Topology {
    /// Builds the operators of a part of a plan.
    pub fn build(
        plan: &QueryPlan,
        part: &SubTopology,
        options: TopologyOptions,
        codecs: &dyn Codecs,
    ) -> Result<Self, QueryError> {
        Builder::new(plan, options, codecs).build(part)
    }
}
