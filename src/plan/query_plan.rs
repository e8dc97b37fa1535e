//! The typed plan of a persistent query: steps from its sources to its sink.

use std::fmt;
use std::sync::Arc;

use super::{Source, SourceWindow, TimestampColumn, frame_columns};
use crate::expr::Expr;
use crate::expr::aggregates::Aggregate;
use crate::formats::FormatSpec;
use crate::sql::ast::SourceKind;
use crate::types::{Schema, TimeWindows};

/// A persistent query: a chain of steps for each source, ending in one sink.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// What is read.
    pub source: Arc<Source>,
    /// The steps, each reading what the one before it gives.
    pub steps: Vec<Step>,
    /// Where the result goes.
    pub sink: Sink,
    /// The query as ksqlDB prints it.
    pub sql: String,
}

impl QueryPlan {
    /// Which columns of its source's rows the query reads.
    ///
    /// A table reads all of them, as it keeps its rows.
    pub fn used_columns(&self) -> Vec<bool> {
        let frame = frame_columns(&self.source);
        let mut used = std::collections::BTreeSet::new();
        for step in &self.steps {
            match &step.kind {
                StepKind::TableSource { .. } => return vec![true; frame.len()],
                StepKind::Filter { predicate, .. } => predicate.columns_used(&mut used),
                StepKind::PartitionBy { keys } => {
                    for key in keys {
                        key.expr.columns_used(&mut used);
                    }
                }
                StepKind::FlatMap { functions } => {
                    let args = functions.iter().flat_map(|function| &function.args);
                    args.for_each(|arg| arg.columns_used(&mut used));
                }
                StepKind::Select { columns } => {
                    for column in columns {
                        column.expr.columns_used(&mut used);
                    }
                    break; // what follows reads the columns of this step
                }
                _ => {}
            }
        }
        (0..frame.len()).map(|index| used.contains(&index)).collect()
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
}

/// One step, and the rows it gives.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Its name in the processing log, such as `WhereFilter`.
    pub name: String,
    /// What it gives.
    pub schema: Schema,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Reads a stream: adds the pseudo-columns and the key to the value.
    StreamSource,
    /// Reads a table: the same, and remembers the row before.
    TableSource {
        /// The name of its store.
        store: String,
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
    },
    /// Sends rows through a topic, or from task to task in memory.
    Repartition {
        /// The end of the topic's name.
        topic: String,
        /// How keys are written.
        key_format: FormatSpec,
        /// How values are written.
        value_format: FormatSpec,
    },
    /// Aggregates the rows of each group.
    Aggregate(Aggregation),
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
    /// The name of the store.
    pub store: String,
    /// The columns of the store: the kept ones, then one for each aggregate.
    pub stored: Schema,
    /// How keys are stored.
    pub key_format: FormatSpec,
    /// How values are stored.
    pub value_format: FormatSpec,
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
