//! The typed plan of a persistent query: a graph from its sources to its sink.
//!
//! ```text
//! source ─ filter ─ select ─ group by ─ repartition ═ aggregate ─ select ─▶ sink
//! ```
//! Nodes stand in topological order, and the last one feeds the sink. A repartition ends one
//! sub-topology and begins another ([`QueryPlan::sub_topologies`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ids::{NodeId, RepartitionId, StoreId};
use super::store::StoreSpec;
use super::{NodeKind, RepartitionTopic, Source, SourceWindow, TimestampColumn, frame_columns};
use crate::formats::{Format, FormatSpec};
use crate::sql::ast::SourceKind;
use crate::types::{OwnedValue, Schema, SqlType};

/// A persistent query.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// The nodes, each after those that it reads.
    pub nodes: Vec<Node>,
    /// Where the result goes.
    pub sink: Sink,
    /// The query as ksqlDB prints it.
    pub sql: String,
}

/// One node, and the rows it gives.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// Its name in the processing log, such as `WhereFilter`.
    pub name: String,
    /// The nodes that it reads, by port.
    pub inputs: Vec<NodeId>,
    /// What it gives.
    pub schema: Schema,
    /// Whether what it gives are facts or changes.
    pub gives: Gives,
}

/// What a node gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Facts: rows of a stream.
    Rows,
    /// Changes of a table: the row before, and the row now.
    Changes,
}

/// A value that a column of a source must have for a query to take any notice of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Which column of the rows of the source.
    pub column: usize,
    /// The value.
    pub value: SoughtValue,
}

/// A value of a type whose values are equal where these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoughtValue {
    /// A VARCHAR.
    Text(Box<str>),
    /// An INT or a BIGINT.
    Number(i64),
}

impl SoughtValue {
    /// A literal that a column of a type is compared with.
    fn of(literal: &OwnedValue, ty: &SqlType) -> Option<Self> {
        match (literal, ty) {
            (OwnedValue::String(text), SqlType::String) => Some(Self::Text(text.clone())),
            (OwnedValue::Int(number), SqlType::Int | SqlType::Bigint) => {
                Some(Self::Number(i64::from(*number)))
            }
            (OwnedValue::Bigint(number), SqlType::Int | SqlType::Bigint) => {
                Some(Self::Number(*number))
            }
            _ => None,
        }
    }
}

impl QueryPlan {
    /// The node at `id`.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// All nodes with their places.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index), node))
    }

    /// The nodes that read sources.
    pub fn sources(&self) -> impl Iterator<Item = (NodeId, &Arc<Source>)> {
        self.nodes().filter_map(|(id, node)| Some((id, node.kind.source()?)))
    }

    /// The source that stands first in the text, after which the sink is shaped.
    pub fn leftmost_source(&self) -> &Arc<Source> {
        let first = self.sources().next();
        first.map_or_else(|| unreachable!("a query reads a source"), |(_, source)| source)
    }

    /// All stores, in the one order that numbers them, with the nodes that keep them.
    pub fn stores(&self) -> impl Iterator<Item = (StoreId, NodeId, &StoreSpec)> {
        let stores = self
            .nodes()
            .flat_map(|(id, node)| node.kind.stores().into_iter().map(move |store| (id, store)));
        stores.enumerate().map(|(number, (node, store))| (StoreId(number), node, store))
    }

    /// The store with this number, and the node that keeps it.
    pub fn store(&self, id: StoreId) -> Option<(NodeId, &StoreSpec)> {
        let found = self.stores().find(|(other, ..)| *other == id);
        found.map(|(_, node, store)| (node, store))
    }

    /// All repartition topics, in the one order that numbers them, with the nodes that write them.
    pub fn repartitions(&self) -> impl Iterator<Item = (RepartitionId, NodeId, &RepartitionTopic)> {
        let topics = self.nodes().filter_map(|(id, node)| Some((id, node.kind.repartition()?)));
        topics.enumerate().map(|(number, (node, topic))| (RepartitionId(number), node, topic))
    }

    /// The node that reads what `id` gives; the last one feeds the sink.
    pub fn successor(&self, id: NodeId) -> Option<(NodeId, usize)> {
        self.nodes().find_map(|(next, node)| {
            let port = node.inputs.iter().position(|input| *input == id)?;
            Some((next, port))
        })
    }

    /// Whether what `id` gives comes to a foreign-key join as the rows of its left table, in the same
    /// sub-topology.
    pub fn asks_by_foreign_key(&self, id: NodeId) -> bool {
        self.successor(id).is_some_and(|(next, _)| match self.node(next).kind {
            NodeKind::ForeignKeySubscribe(_) => true,
            NodeKind::Repartition(_) => false,
            _ => self.asks_by_foreign_key(next),
        })
    }

    /// Whether what comes of a row depends on that row alone, and goes to the sink with the key that it has.
    pub fn has_no_memory(&self) -> bool {
        self.nodes.iter().all(|node| {
            matches!(
                node.kind,
                NodeKind::StreamSource { .. }
                    | NodeKind::Filter { .. }
                    | NodeKind::FlatMap { .. }
                    | NodeKind::Select { .. }
            )
        })
    }

    /// The value that a column of the source at `source` has in every row that can come to something: the query has no
    /// memory, and first keeps the rows where a column equals a literal.
    pub fn sought(&self, source: NodeId) -> Option<Sought> {
        if !self.has_no_memory() {
            return None;
        }
        let (next, _) = self.successor(source)?;
        let NodeKind::Filter { predicate, .. } = &self.node(next).kind else { return None };
        let (column, value) = predicate.first_equality()?;
        let columns = frame_columns(self.node(source).kind.source()?);
        let value = SoughtValue::of(value, &columns.get(column)?.ty)?;
        Some(Sought { column, value })
    }

    /// What goes into the node called `name`: what its first input gives.
    pub fn input_schema(&self, name: &str) -> Option<&Schema> {
        let node = self.nodes.iter().find(|node| node.name == name)?;
        node.inputs.first().map(|input| &self.node(*input).schema)
    }

    /// Which columns of the rows of the source at `source` the query reads.
    ///
    /// A table reads all of them, as it keeps its rows; so does what is kept or sent on whole.
    pub fn used_columns(&self, source: NodeId) -> Vec<bool> {
        let width = self.node(source).kind.source().map_or(0, |source| frame_columns(source).len());
        let mut used = BTreeSet::new();
        let mut at = Some(source);
        while let Some(id) = at {
            match &self.node(id).kind {
                NodeKind::StreamSource { .. } => {}
                NodeKind::Filter { predicate, .. } => predicate.columns_used(&mut used),
                NodeKind::PartitionBy { keys } | NodeKind::GroupBy { keys, .. } => {
                    for key in keys {
                        key.expr.columns_used(&mut used);
                    }
                }
                NodeKind::FlatMap { functions } => {
                    let args = functions.iter().flat_map(|function| &function.args);
                    args.for_each(|arg| arg.columns_used(&mut used));
                }
                NodeKind::Select { columns } => {
                    for column in columns {
                        column.expr.columns_used(&mut used);
                    }
                    // What follows reads the columns of this node.
                    return (0..width).map(|index| used.contains(&index)).collect();
                }
                _ => return vec![true; width],
            }
            at = self.successor(id).map(|(next, _)| next);
        }
        vec![true; width]
    }
}

/// Where the rows of a query go.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The stream or table.
    pub name: String,
    /// Which of them.
    pub kind: SourceKind,
    /// The topic.
    pub topic: String,
    /// The key and value columns.
    pub schema: Schema,
    /// How keys are written.
    pub key_format: FormatSpec,
    /// How values are written.
    pub value_format: FormatSpec,
    /// The windows of the keys.
    pub window: Option<SourceWindow>,
    /// The column that gives records their time, if it is not that of the row.
    pub timestamp: Option<TimestampColumn>,
    /// Where rows go to whoever asks for them, and to no topic: how they do.
    pub client: Option<ClientSink>,
}

/// How rows go to whoever asks for them.
#[derive(Clone, Debug)]
pub struct ClientSink {
    /// Which of the columns, all of them of the value, are parts of the key, so that it is known of a row that is gone which
    /// one it was.
    pub places: Vec<Option<KeyPlace>>,
    /// Whether rows without a key are left out.
    pub skips_keyless: bool,
}

/// Where a part of a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A column of the key.
    Column(usize),
    /// Where the window begins.
    WindowStart,
    /// Where it ends.
    WindowEnd,
}

impl Sink {
    /// Whoever asks for the rows.
    pub(super) fn client(kind: SourceKind, schema: Schema, places: Vec<Option<KeyPlace>>) -> Self {
        let client = Some(ClientSink { places, skips_keyless: false });
        Self { kind, client, ..Self::nowhere(schema) }
    }

    /// Where the rows of a table end that are only kept.
    pub(super) fn nowhere(schema: Schema) -> Self {
        Self {
            name: String::new(),
            kind: SourceKind::Table,
            topic: String::new(),
            schema,
            key_format: FormatSpec::new(Format::None),
            value_format: FormatSpec::new(Format::None),
            window: None,
            timestamp: None,
            client: None,
        }
    }

    /// Whether rows go into a topic.
    pub fn has_topic(&self) -> bool {
        !self.topic.is_empty()
    }
}
