//! The columns that expressions over a source can read.

use super::Source;
use crate::types::{ColumnDef, SqlType};

/// Where a column of a source's rows comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceColumn {
    /// A value column, by its position in the schema.
    Value(usize),
    /// A header column, by its position.
    Header(usize),
    /// ROWTIME.
    RowTime,
    /// ROWPARTITION.
    RowPartition,
    /// ROWOFFSET.
    RowOffset,
    /// A key column, by its position in the schema.
    Key(usize),
    /// WINDOWSTART.
    WindowStart,
    /// WINDOWEND.
    WindowEnd,
}

/// A column of a source's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// Where it comes from.
    pub from: SourceColumn,
}

/// The columns of a source's rows, in ksqlDB's order: value, headers, ROWTIME, ROWPARTITION,
/// ROWOFFSET, key, window bounds.
pub fn frame_columns(source: &Source) -> Vec<FrameColumn> {
    let column = |name: &str, ty: SqlType, from| FrameColumn { name: name.to_owned(), ty, from };
    let mut columns = Vec::new();
    for (index, value) in source.schema.value.iter().enumerate() {
        columns.push(column(&value.name, value.ty.clone(), SourceColumn::Value(index)));
    }
    for (index, header) in source.headers.iter().enumerate() {
        columns.push(column(&header.name, header.ty(), SourceColumn::Header(index)));
    }
    columns.push(column("ROWTIME", SqlType::Bigint, SourceColumn::RowTime));
    columns.push(column("ROWPARTITION", SqlType::Int, SourceColumn::RowPartition));
    columns.push(column("ROWOFFSET", SqlType::Bigint, SourceColumn::RowOffset));
    for (index, key) in source.schema.key.iter().enumerate() {
        columns.push(column(&key.name, key.ty.clone(), SourceColumn::Key(index)));
    }
    if source.is_windowed() {
        columns.push(column("WINDOWSTART", SqlType::Bigint, SourceColumn::WindowStart));
        columns.push(column("WINDOWEND", SqlType::Bigint, SourceColumn::WindowEnd));
    }
    columns
}

/// The same by name and type alone.
pub(super) fn named_columns(source: &Source) -> Vec<(String, SqlType)> {
    frame_columns(source).into_iter().map(|column| (column.name, column.ty)).collect()
}

/// The definitions of columns that are known by name and type.
pub(super) fn defs(columns: &[(String, SqlType)]) -> Vec<ColumnDef> {
    columns.iter().map(|(name, ty)| ColumnDef::new(name.as_str(), ty.clone())).collect()
}
