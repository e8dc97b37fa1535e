//! Rows on their way in and out: collected into columns, or read from them.

use crate::types::{Column, ColumnBuilder, ColumnDef, Value};

/// What one payload was.
pub(super) enum Outcome {
    /// A row, whose values have been pushed.
    Row,
    /// Null. Nothing has been pushed.
    Null,
}

/// What a row became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// A null key or value. Nothing was appended.
    Null,
    /// Bytes, which were appended.
    Bytes,
}

/// The columns of a chunk while its records are read one by one.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    /// One for each declared column; `None` where nobody uses it.
    builders: Vec<Option<ColumnBuilder<'a>>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(columns: &[ColumnDef], used: &[bool], capacity: usize) -> Self {
        let builder = |(index, column): (usize, &ColumnDef)| {
            let is_used = used.get(index).copied().unwrap_or(true);
            is_used.then(|| ColumnBuilder::new(&column.ty, capacity))
        };
        Self { builders: columns.iter().enumerate().map(builder).collect() }
    }

    /// Adds the value of the current row to a column.
    #[inline]
    pub(super) fn push(&mut self, column: usize, value: Value<'a>) {
        if let Some(builder) = &mut self.builders[column] {
            builder.push(value);
        }
    }

    /// Adds a DOUBLE.
    #[inline]
    pub(super) fn push_double(&mut self, column: usize, value: f64) {
        if let Some(builder) = &mut self.builders[column] {
            builder.push_double(value);
        }
    }

    /// Adds a BIGINT.
    #[inline]
    pub(super) fn push_bigint(&mut self, column: usize, value: i64) {
        if let Some(builder) = &mut self.builders[column] {
            builder.push_bigint(value);
        }
    }

    /// Adds a VARCHAR.
    #[inline]
    pub(super) fn push_text(&mut self, column: usize, value: &'a str) {
        if let Some(builder) = &mut self.builders[column] {
            builder.push_text(value);
        }
    }

    /// How many rows there are. Nothing may have been pushed of another one.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.builders.iter().flatten().next().map_or(0, ColumnBuilder::len)
    }

    /// Takes back what was pushed after so many rows.
    pub(super) fn truncate(&mut self, len: usize) {
        self.builders.iter_mut().flatten().for_each(|builder| builder.truncate(len));
    }

    /// Adds a whole row.
    pub(super) fn push_row(&mut self, row: &[Value<'a>]) {
        for (builder, value) in self.builders.iter_mut().zip(row) {
            if let Some(builder) = builder {
                builder.push(*value);
            }
        }
    }

    /// Adds a row of NULLs: that of a null payload, or of a record that failed.
    pub(super) fn push_nulls(&mut self) {
        for builder in self.builders.iter_mut().flatten() {
            builder.push_null();
        }
    }

    pub(super) fn finish(self) -> Vec<Column<'a>> {
        let finish = |builder: Option<ColumnBuilder<'a>>| {
            builder.map_or(Column::Absent, ColumnBuilder::finish)
        };
        self.builders.into_iter().map(finish).collect()
    }
}

/// A row to be written, whatever holds it.
pub trait Row {
    /// The value of the column at `index`.
    fn value(&self, index: usize) -> Value<'_>;
}

impl Row for [Value<'_>] {
    #[inline]
    fn value(&self, index: usize) -> Value<'_> {
        self.get(index).copied().unwrap_or_default()
    }
}

/// One row of some columns.
#[derive(Clone, Copy, Debug)]
pub struct ColumnsRow<'c, 'a> {
    /// The columns, in the order of the schema that is written.
    pub columns: &'c [Column<'a>],
    /// Which row.
    pub row: usize,
}

impl Row for ColumnsRow<'_, '_> {
    #[inline]
    fn value(&self, index: usize) -> Value<'_> {
        self.columns.get(index).map_or(Value::Null, |column| column.value(self.row))
    }
}
