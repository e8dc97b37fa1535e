//! Batches in pieces, where a row must not see what a later one of the batch brings.
//!
//! A row of the left table of a foreign-key join asks for a row of the right one and meets the answer
//! in its own table. The answer must find the row that asked: a batch is cut where a key repeats, and
//! each piece is followed to its end before the next.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::layout::Layout;
use crate::formats::{Encoded, Encoder, Format, FormatSpec, Role};
use crate::operators::QueryError;
use crate::plan::Input;
use crate::state::KeyIndex;
use crate::types::{ColumnDef, Rows};

/// Cuts the batches of the inputs of a plan.
pub(super) struct Pieces {
    /// How the keys are written of the inputs whose batches are cut.
    keys: BTreeMap<Input, Encoder>,
}

impl Pieces {
    /// Batches are cut only where rows go round in a circle in memory.
    pub(super) fn new(layout: &Layout) -> Result<Self, QueryError> {
        let mut keys = BTreeMap::new();
        if !layout.has_circle() {
            return Ok(Self { keys });
        }
        let plan = layout.plan();
        let mut add = |input: Input, format: &FormatSpec, key: &[ColumnDef], topic: &str| {
            // Only whether keys are equal counts, for which no schema is needed.
            let json = FormatSpec::new(Format::Json);
            let has_schema = format.format.supports_schema_inference();
            let format = if has_schema { &json } else { format };
            keys.insert(input, Encoder::new(format, key, Role::Key, topic, layout.schemas())?);
            Ok::<_, QueryError>(())
        };
        for (id, source) in plan.sources().filter(|(id, _)| plan.asks_by_foreign_key(*id)) {
            add(Input::Source(id), &source.key_format, &source.schema.key, &source.topic)?;
        }
        for (id, writer, topic) in plan.repartitions() {
            if plan.asks_by_foreign_key(writer) {
                let key = &plan.node(writer).schema.key;
                add(Input::Repartition(id), &topic.key_format, key, &topic.name)?;
            }
        }
        Ok(Self { keys })
    }

    /// The pieces of a batch of an input, in order.
    pub(super) fn cut<'r, 'a>(&self, input: Input, rows: &'r Rows<'a>) -> Vec<Cow<'r, Rows<'a>>> {
        let Some(encoder) = self.keys.get(&input) else { return vec![Cow::Borrowed(rows)] };
        let (mut starts, mut seen) = (vec![0], KeyIndex::default());
        let mut key = Vec::new();
        for row in 0..rows.len {
            key.clear();
            let encoded = encoder.encode(&rows.key.columns, rows.key.position(row), &mut key);
            // A row without a key is dropped by its table, and one that cannot be written fails there.
            if matches!(encoded, Ok(Encoded::Bytes)) && !seen.insert(&key).1 {
                starts.push(row as u32);
                seen = KeyIndex::default();
                seen.insert(&key);
            }
        }
        if starts.len() == 1 {
            return vec![Cow::Borrowed(rows)];
        }
        let ends = starts.iter().skip(1).copied().chain([rows.len as u32]);
        let piece =
            |(start, end): (&u32, u32)| Cow::Owned(rows.take(&(*start..end).collect::<Vec<u32>>()));
        starts.iter().zip(ends).map(piece).collect()
    }
}
