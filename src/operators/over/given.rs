//! What calls over rows give.

use super::arriving::Arriving;
use crate::operators::result::ResultBuilder;
use crate::operators::{CodecPair, QueryError};
use crate::types::{Arena, ColumnBuilder, Meta, Rows, SqlType, Value};

/// Rows with their results.
pub(super) enum Given<'a> {
    /// Rows of the batch as they are, behind which results are put.
    Passed { taken: Vec<u32>, results: Vec<ColumnBuilder<'a>> },
    /// Rows of this and of earlier batches, put together anew, with the offsets of those that have let them go on.
    Built { rows: Box<ResultBuilder<'a>>, offsets: Vec<i64> },
}

impl<'a> Given<'a> {
    /// Nothing yet, of rows that go on as they come; `types` are those of the results.
    pub(super) fn passed<'t>(types: impl Iterator<Item = &'t SqlType>) -> Self {
        let results = types.map(|ty| ColumnBuilder::new(ty, 0)).collect();
        Self::Passed { taken: Vec::new(), results }
    }

    /// Nothing yet, of rows that may come later than others; `types` are those of keys and of all columns.
    pub(super) fn built(types: (&[SqlType], &[SqlType]), meta: &Meta<'_>) -> Self {
        let rows = Box::new(ResultBuilder::new(types, meta.partition, false));
        Self::Built { rows, offsets: Vec::new() }
    }

    /// Gives a row.
    pub(super) fn push(
        &mut self,
        row: &Arriving<'a>,
        results: &[Value<'a>],
        codecs: &CodecPair,
        arena: &'a Arena,
    ) -> Result<(), QueryError> {
        match self {
            Self::Passed { taken, results: columns } => {
                taken.push(row.at as u32);
                for (column, result) in columns.iter_mut().zip(results) {
                    column.push(*result);
                }
            }
            Self::Built { rows, offsets } => {
                let key = codecs.key.decode(row.key, arena)?;
                rows.push_key(key.iter().map(|column| column.value(0)));
                rows.push_value(row.values.iter().chain(results).copied());
                rows.push_meta(row.time_ms, row.headers, None);
                offsets.push(row.offset);
            }
        }
        Ok(())
    }

    /// All rows; `batch` is the one that was taken.
    pub(super) fn finish(self, batch: Rows<'a>) -> Rows<'a> {
        match self {
            Self::Passed { taken, results } => {
                let mut rows = if taken.len() == batch.len { batch } else { batch.take(&taken) };
                rows.value.extend(results.into_iter().map(ColumnBuilder::finish));
                rows.meta.is_source = false;
                rows
            }
            Self::Built { rows, offsets } => {
                let mut rows = rows.finish();
                rows.meta.offsets = offsets.into();
                rows
            }
        }
    }
}
