//! What the clauses of a query stand over: the rows of one source, or those of a join.

use std::sync::Arc;

use super::frame::named_columns;
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
    /// How their keys are written.
    pub(super) key_format: FormatSpec,
    /// How values of internal topics are written.
    pub(super) value_format: FormatSpec,
}

impl Relation {
    /// The name of a key that belongs to no source: the criteria of a join matched no column.
    pub(super) fn synthetic_key(&self) -> Option<&str> {
        let [key] = &*self.key else { return None };
        let is_of_source = |aliased: &Aliased| {
            let prefix = format!("{}_", aliased.alias.text);
            let name = key.name.strip_prefix(prefix.as_str());
            name.is_some_and(|name| frame_columns(&aliased.source).iter().any(|c| c.name == name))
        };
        let is_joined = self.is_joined() && !self.sources.iter().any(is_of_source);
        is_joined.then_some(&*key.name)
    }

    /// Whether its rows are those of a join.
    pub(super) fn is_joined(&self) -> bool {
        self.sources.len() > 1
    }

    /// The source that stands first, whose formats the sink takes over.
    pub(super) fn leftmost(&self) -> &Source {
        match &*self.sources {
            [Aliased { source, .. }, ..] => source,
            [] => unreachable!("the grammar asks for a source"),
        }
    }

    /// The rows of the only source of a query.
    pub(super) fn of_sources(sources: &[Aliased]) -> Self {
        let [Aliased { source, .. }, ..] = sources else {
            unreachable!("the grammar asks for a source")
        };
        Self {
            kind: source.kind,
            key: source.schema.key.clone(),
            columns: named_columns(source),
            window: source.window,
            key_format: source.key_format.clone(),
            value_format: source.value_format.clone(),
            sources: sources.to_vec(),
        }
    }
}

/// The columns of several sources as they are written, in their order.
pub(super) fn written_names(sources: &[Aliased]) -> Vec<String> {
    let columns = sources.iter().flat_map(|Aliased { alias, source }| {
        let columns = frame_columns(source).into_iter();
        columns.map(|column| format!("{}.{}", alias.text, column.name))
    });
    columns.collect()
}
