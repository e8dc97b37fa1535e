//! What the nodes of a plan do.

use std::fmt;
use std::sync::Arc;

use super::Source;
use super::ids::NodeId;
use super::store::StoreSpec;
use super::stream_stream_join::StreamStreamJoin;
use crate::expr::Expr;
use crate::expr::aggregates::Aggregate;
use crate::formats::FormatSpec;
pub use crate::sql::ast::JoinKind;
use crate::types::{Schema, SqlType, TimeWindows};

/// What a node does.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Reads a stream: adds the pseudo-columns and the key to the value.
    StreamSource {
        /// The stream.
        source: Arc<Source>,
    },
    /// Reads a table: the same, and remembers the row before.
    TableSource {
        /// The table.
        source: Arc<Source>,
        /// Its rows, with the partition and the offset that each came from.
        store: StoreSpec,
    },
    /// Gives rows that another query keeps, when they are asked for.
    Held,
    /// Gives rows of a table the columns that expressions over it can name.
    Frame {
        /// The table.
        source: Arc<Source>,
    },
    /// Keeps the rows for which an expression is true.
    Filter {
        /// The expression.
        predicate: Arc<Expr>,
        /// Its text, for the processing log.
        text: String,
    },
    /// Computes the columns of the value.
    Select {
        /// The columns, in order.
        columns: Vec<NamedExpr>,
    },
    /// Computes a new key.
    PartitionBy {
        /// The expressions; none for `PARTITION BY NULL`.
        keys: Vec<NamedExpr>,
    },
    /// Makes a row of each element that table functions give.
    FlatMap {
        /// The table functions, whose results become further columns.
        functions: Vec<TableCall>,
    },
    /// Computes the grouping key.
    GroupBy {
        /// The expressions.
        keys: Vec<NamedExpr>,
        /// What rows are put together for.
        purpose: GroupPurpose,
    },
    /// Sends rows through a topic, or from task to task in memory.
    Repartition(RepartitionTopic),
    /// Aggregates the rows of each group.
    Aggregate(Aggregation),
    /// Computes columns of the rows around each row.
    Over(Box<Over>),
    /// Gives the rows of a stream the key that a join needs.
    SelectKey {
        /// The key.
        key: NamedExpr,
        /// Whether it is added to the value as well, as its last column.
        appends_key: bool,
    },
    /// Keeps the rows of a table, so that they can be looked up and each change knows what was before.
    Materialize {
        /// The rows.
        store: StoreSpec,
    },
    /// Joins two streams within a span of time. Port 0 is Kafka Streams' "this" side, port 1 its
    /// "other" side.
    StreamStreamJoin(Box<StreamStreamJoin>),
    /// Joins the rows of a stream, port 0, with what a table, port 1, holds under their keys.
    StreamTableJoin(Joined),
    /// Joins two tables on their keys.
    TableTableJoin(Joined),
    /// Lets the rows of the left table of a foreign-key join ask for those of the right one.
    ForeignKeySubscribe(Box<ForeignKeySubscribe>),
    /// Answers them: registrations, port 0, and changes of the right table, port 1.
    ForeignKeyAnswer(Box<ForeignKeyAnswer>),
    /// Joins answers with the rows of the left table.
    ForeignKeyResolve(Box<ForeignKeyResolve>),
}

/// A join whose sides are told by their ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Which rows without a partner are kept.
    pub kind: JoinKind,
    /// Whether the value ends in a column for a key that neither side has. It is never filled, as
    /// ksqlDB's `KsqlValueJoiner` has it.
    pub appends_key: bool,
}

impl NodeKind {
    /// The source that the node reads, if it reads one.
    pub fn source(&self) -> Option<&Arc<Source>> {
        match self {
            Self::StreamSource { source } | Self::TableSource { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The stores that the node keeps, in the order of their changelogs.
    pub fn stores(&self) -> Vec<&StoreSpec> {
        match self {
            Self::TableSource { store, .. } | Self::Materialize { store } => vec![store],
            Self::ForeignKeyAnswer(answer) => vec![&answer.store],
            Self::Aggregate(aggregation) => vec![&aggregation.store],
            Self::Over(over) => over.stores().collect(),
            Self::StreamStreamJoin(join) => join.stores().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it gives windows once they are closed.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Aggregate(aggregation) if aggregation.is_final)
    }

    /// The nodes whose rows the node looks up besides those that it reads.
    pub fn looks_up(&self) -> impl Iterator<Item = &NodeId> {
        let nodes = match self {
            Self::ForeignKeyAnswer(answer) => std::slice::from_ref(&answer.right),
            Self::ForeignKeyResolve(resolve) => std::slice::from_ref(&resolve.left),
            _ => &[],
        };
        nodes.iter()
    }

    /// The repartition topic that the node writes, if it writes one.
    pub fn repartition(&self) -> Option<&RepartitionTopic> {
        match self {
            Self::Repartition(topic) => Some(topic),
            _ => None,
        }
    }
}

/// A topic that rows with a new key go through.
#[derive(Clone, Debug)]
pub struct RepartitionTopic {
    /// The end of its name.
    pub name: String,
    /// How keys are written.
    pub key_format: FormatSpec,
    /// How values are written.
    pub value_format: FormatSpec,
    /// Whether rows without a key are left out, as before a join.
    pub drops_null_keys: bool,
    /// What its records are.
    pub kind: RepartitionKind,
}

/// What the records of a repartition topic are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepartitionKind {
    /// Rows, or changes of a table.
    Rows,
    /// Registrations of a foreign-key join: the bytes of a subscription.
    Subscriptions,
    /// Responses of a foreign-key join: a row of the right table, then a hash and a partition, which is
    /// where they go.
    Responses,
}

/// An expression and the column that it fills.
#[derive(Clone, Debug)]
pub struct NamedExpr {
    /// The column.
    pub name: String,
    /// The expression.
    pub expr: Arc<Expr>,
    /// Its text, for the processing log.
    pub text: String,
}

/// A call of a table function.
#[derive(Clone, Debug)]
pub struct TableCall {
    /// The column that it fills.
    pub name: String,
    /// The function.
    pub function: crate::expr::functions::TableResolved,
    /// The types of its arguments.
    pub arg_types: Vec<crate::expr::functions::ArgType>,
    /// Its arguments.
    pub args: Vec<Arc<Expr>>,
    /// Its text, for the processing log.
    pub text: String,
}

/// How the rows of a group become one.
#[derive(Clone, Debug)]
pub struct Aggregation {
    /// How many leading columns are kept from the last row.
    pub kept_columns: usize,
    /// The aggregates.
    pub calls: Vec<AggregateCall>,
    /// The windows of the groups.
    pub window: Option<AggregateWindow>,
    /// Whether only closed windows are emitted (`EMIT FINAL`).
    pub is_final: bool,
    /// The store: the kept columns, then one for each aggregate.
    pub store: StoreSpec,
}

/// A call of an aggregate.
#[derive(Clone)]
pub struct AggregateCall {
    /// The aggregate.
    pub function: Arc<dyn Aggregate>,
    /// The columns of its arguments.
    pub args: Vec<usize>,
    /// The name of the function, for messages.
    pub name: String,
    /// The call, over the columns that it reads.
    pub text: String,
}

/// What rows are put together for, which says how one is refused that belongs nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupPurpose {
    /// `GROUP BY`.
    Aggregation,
    /// The `PARTITION BY` of an `OVER`.
    Over,
}

/// Computes columns of the rows around each row, among those with its key. They come behind those of its input.
#[derive(Clone, Debug)]
pub struct Over {
    /// What fills the columns, in order.
    pub calls: Vec<OverCall>,
    /// Which columns of the input are kept of a row.
    pub kept: Vec<usize>,
    /// The columns of the input that say which partition and which offset of the source a row comes from.
    pub origin: RowOrigin,
    /// How many of the last rows are kept for each key, at least one.
    pub depth: usize,
    /// How many rows have to come before a row is given.
    pub lead: usize,
    /// The last rows of each key: their number, the kept columns, what was computed of a row that is not given yet,
    /// its headers, and the states of aggregates over all rows.
    pub last_rows: StoreSpec,
    /// How much later a row of whatever key has to come for a key to be forgotten, if any ever is.
    pub retention_ms: Option<i64>,
    /// The rows that wait to be put in the order of their time.
    pub held: Option<HeldRows>,
}

/// The columns that say which record of the source a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowOrigin {
    /// That of its partition.
    pub partition: usize,
    /// That of its offset.
    pub offset: usize,
    /// Whether the rows of a key that come from one partition come in the order of their offsets.
    pub ascends: bool,
}

/// Rows that wait to be put in the order of their time.
#[derive(Clone, Debug)]
pub struct HeldRows {
    /// How much later a row has to come before they go on.
    pub grace_ms: i64,
    /// The rows: all columns, and their headers.
    pub store: StoreSpec,
}

/// A call of a function over rows.
#[derive(Clone, Debug)]
pub struct OverCall {
    /// The name of the function, for messages.
    pub name: String,
    /// What it is.
    pub function: OverFunction,
    /// The type of its result.
    pub ty: SqlType,
}

/// A function over rows.
#[derive(Clone, Debug)]
pub enum OverFunction {
    /// The value of a row before.
    Lag {
        /// The column.
        value: usize,
        /// How many rows before.
        rows: usize,
        /// The column of what it is where there are not so many.
        default: Option<usize>,
    },
    /// The value of a row after.
    Lead {
        /// The column.
        value: usize,
        /// How many rows after.
        rows: usize,
        /// The column of what it is where the key is forgotten before there are so many.
        default: Option<usize>,
    },
    /// An aggregate of the row and those before it.
    Aggregate {
        /// The aggregate.
        call: AggregateCall,
        /// How many rows before it; `None` for all.
        rows: Option<usize>,
    },
}

impl Over {
    /// The stores, in the order of their changelogs.
    pub fn stores(&self) -> impl Iterator<Item = &StoreSpec> {
        std::iter::once(&self.last_rows).chain(self.held.iter().map(|held| &held.store))
    }

    /// The aggregates over all rows, whose states are kept.
    pub fn running(&self) -> impl Iterator<Item = &AggregateCall> {
        self.calls.iter().filter_map(|call| match &call.function {
            OverFunction::Aggregate { call, rows: None } => Some(call),
            _ => None,
        })
    }
}

/// The windows of an aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateWindow {
    /// TUMBLING and HOPPING.
    Time {
        /// Which windows.
        windows: TimeWindows,
        /// How long results are kept.
        retention_ms: i64,
        /// Whether it is a HOPPING window.
        is_hopping: bool,
    },
    /// SESSION.
    Session {
        /// The inactivity gap.
        gap_ms: i64,
        /// How long after its end a session takes records that are out of order.
        grace_ms: i64,
        /// How long results are kept.
        retention_ms: i64,
    },
}

impl fmt::Debug for AggregateCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("AggregateCall");
        debug.field("name", &self.name).field("args", &self.args).finish_non_exhaustive()
    }
}

/// The columns that a response has after those of the right row.
pub const RESPONSE_COLUMNS: usize = 2;

/// The columns of a table's rows, and how they are written.
#[derive(Clone, Debug)]
pub struct RowFormats {
    /// What they are called in messages.
    pub name: String,
    /// The columns.
    pub schema: Schema,
    /// How keys are written.
    pub key_format: FormatSpec,
    /// How values are written.
    pub value_format: FormatSpec,
}

/// Lets the rows of the left table ask for those of the right one.
#[derive(Clone, Debug)]
pub struct ForeignKeySubscribe {
    /// The key of the right table, over the columns of the left one.
    pub foreign_key: NamedExpr,
    /// Whether left rows without a right one are given.
    pub is_left: bool,
    /// The left table; its values are hashed as they would be written.
    pub left: RowFormats,
    /// The right table.
    pub right: RowFormats,
}

/// Remembers who asked for which row of the right table, port 1, and answers: once to each
/// registration, port 0, and to all that asked when a row changes.
#[derive(Clone, Debug)]
pub struct ForeignKeyAnswer {
    /// Who asked for what.
    pub store: StoreSpec,
    /// The left table.
    pub left: RowFormats,
    /// The node that gives the right table.
    pub right: NodeId,
}

/// Joins answers with the rows that asked, if these still are what they were.
#[derive(Clone, Debug)]
pub struct ForeignKeyResolve {
    /// Whether left rows without a right one are given.
    pub is_left: bool,
    /// The node that gives the left table.
    pub left: NodeId,
    /// The left table.
    pub formats: RowFormats,
}
