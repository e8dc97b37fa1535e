//! What the clauses of a query stand over: the rows of one source.

use std::sync::Arc;

use super::{Source, SourceWindow, frame_columns};
use crate::formats::FormatSpec;
use crate::sql::ast::{Name, SourceKind};
use crate::types::{ColumnDef, SqlType};

/// A source under the name that it has in a query.
#[derive(Clone, Debug)]
pub(super) struct Aliased {
    pub(super) alias: Name,
    pub(super) source: Arc<Source>,
}

/// The rows that clauses stand over.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Where they come from, in the order of the text.
    pub(super) sources: Vec<Aliased>,
    /// Whether they are those of a stream or of a table.
    pub(super) kind: SourceKind,
    /// Their key.
    pub(super) key: Vec<ColumnDef>,
    /// The columns that expressions can name.
    pub(super) columns: Vec<(String, SqlType)>,
    /// The windows of their keys.
    pub(super) window: Option<SourceWindow>,
    /// How their keys are written, which the sink takes over.
    pub(super) key_format: FormatSpec,
    /// How values of internal topics are written, which the sink takes over.
    pub(super) value_format: FormatSpec,
}

impl Relation {
    /// The names of its sources, for messages.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> =
            self.sources.iter().map(|aliased| aliased.source.name.as_str()).collect();
        names.join(",")
    }

    /// The rows of one source.
    pub(super) fn of_source(alias: Name, source: Arc<Source>) -> Self {
        let columns = frame_columns(&source).into_iter().map(|column| (column.name, column.ty));
        Self {
            kind: source.kind,
            key: source.schema.key.clone(),
            columns: columns.collect(),
            window: source.window,
            key_format: source.key_format.clone(),
            value_format: source.value_format.clone(),
            sources: vec![Aliased { alias, source }],
        }
    }
}
