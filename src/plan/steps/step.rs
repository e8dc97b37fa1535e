//! What a step is.

use std::sync::Arc;

use crate::formats::FormatSpec;
use crate::plan::{
    Aggregation, ForeignKeySubscribe, Gives, Joined, NamedExpr, Over, RepartitionTopic, Sink,
    Source, StoreSpec, StreamStreamJoin, TableCall,
};
use crate::types::Schema;

/// A step, with those that it reads.
#[derive(Clone, Debug)]
pub struct Step<'p> {
    /// What it does.
    pub kind: StepKind<'p>,
    /// Where it stands in the query, such as `Aggregate.Project`.
    pub context: &'p str,
    /// What it gives.
    pub schema: &'p Schema,
    /// Whether what it gives are facts or changes.
    pub gives: Gives,
    /// The topic that its rows go through before the next step.
    pub through: Option<&'p RepartitionTopic>,
    /// How keys of what it gives are written where they are written.
    pub key_format: &'p FormatSpec,
    /// The same of values.
    pub value_format: &'p FormatSpec,
    /// The steps that it reads: of a join the left one, then the right one.
    pub inputs: Vec<Step<'p>>,
}

/// What a step does.
#[derive(Clone, Copy, Debug)]
pub enum StepKind<'p> {
    /// It reads a stream or a table.
    Source {
        /// It.
        source: &'p Arc<Source>,
        /// Where a table is kept.
        store: Option<&'p StoreSpec>,
    },
    /// It keeps the rows for which an expression is true.
    Filter {
        /// The text of the expression.
        text: &'p str,
    },
    /// It computes the columns of the value.
    Select {
        /// The columns.
        columns: &'p [NamedExpr],
        /// Where the rows of a table are kept.
        store: Option<&'p StoreSpec>,
    },
    /// It makes rows of what table functions give.
    FlatMap {
        /// The functions.
        functions: &'p [TableCall],
    },
    /// It gives rows another key.
    SelectKey {
        /// The key.
        keys: KeyedBy<'p>,
        /// Where the rows of a table are kept.
        store: Option<&'p StoreSpec>,
    },
    /// It groups rows.
    GroupBy {
        /// By what; `None` for the key that they have.
        keys: Option<&'p [NamedExpr]>,
    },
    /// It aggregates groups.
    Aggregate(&'p Aggregation),
    /// It computes columns of the rows around each row, which ksqlDB cannot.
    Over(&'p Over),
    /// It joins two streams.
    StreamStreamJoin(&'p StreamStreamJoin),
    /// It joins a stream with a table.
    StreamTableJoin(Joined),
    /// It joins two tables on their keys.
    TableTableJoin(Joined),
    /// It joins two tables on a foreign key.
    ForeignKeyJoin {
        /// What the rows of the left one ask for.
        subscribe: &'p ForeignKeySubscribe,
        /// Where who asked is kept.
        subscriptions: &'p StoreSpec,
        /// Where joined rows are kept, if they are looked up.
        output: Option<&'p StoreSpec>,
    },
    /// It writes rows into a topic.
    Sink(&'p Sink),
}

/// What rows are keyed by.
#[derive(Clone, Copy, Debug)]
pub enum KeyedBy<'p> {
    /// Expressions.
    Expressions(&'p [NamedExpr]),
    /// Nothing: `PARTITION BY NULL`.
    Nothing,
}

impl StepKind<'_> {
    /// What ksqlDB calls it in the text of a plan.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Source { .. } => "SOURCE",
            Self::Filter { .. } => "FILTER",
            Self::Select { .. } => "PROJECT",
            Self::FlatMap { .. } => "FLAT_MAP",
            Self::SelectKey { .. } => "REKEY",
            Self::GroupBy { .. } => "GROUP_BY",
            Self::Aggregate(_) => "AGGREGATE",
            Self::Over(_) => "OVER",
            Self::StreamStreamJoin(_)
            | Self::StreamTableJoin(_)
            | Self::TableTableJoin(_)
            | Self::ForeignKeyJoin { .. } => "JOIN",
            Self::Sink(_) => "SINK",
        }
    }
}

impl Step<'_> {
    /// Whether the step, or one before it, is one that ksqlDB does not have.
    pub fn is_beyond_ksqldb(&self) -> bool {
        matches!(self.kind, StepKind::Over(_)) || self.inputs.iter().any(Self::is_beyond_ksqldb)
    }

    /// Whether it gives the changes of a table.
    pub fn is_table(&self) -> bool {
        self.gives == Gives::Changes
    }
}
