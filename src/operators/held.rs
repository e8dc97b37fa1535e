//! Rows that an operator keeps, for whoever asks what there is now.

use super::{CodecPair, QueryError, Tables};
use crate::plan::{SourceColumn, StoreId, Wanted};
use crate::types::{Arena, Column, KeyColumns, Partition, Rows, Validity, Value, Window};

/// How many slots of a store are looked at in one go, so that nobody has to wait for long.
pub const PORTION_SLOTS: u32 = 4_096;

/// A look at what a store holds.
pub struct Look<'l, 'a> {
    /// The store.
    pub store: StoreId,
    /// Which of its rows are wanted.
    pub wanted: &'l Wanted,
    /// The slot from which on all rows are looked at, where no keys are wanted; 0 at the beginning.
    pub from: u32,
    /// The tables of the task.
    pub tables: &'l Tables,
    /// The partition of the task.
    pub partition: Partition,
    /// Where what is found lives.
    pub arena: &'a Arena,
}

/// The rows that a look has found.
#[derive(Debug, Default)]
pub struct Held<'a> {
    /// The rows.
    pub rows: Rows<'a>,
    /// The slot from which on there may be more; `None` if that is all.
    pub next: Option<u32>,
}

impl Look<'_, '_> {
    /// Those of `count` slots of a store that are looked at in this go, and from which on the next one begins. What fits into
    /// one go comes in the order of its keys.
    pub(super) fn slots<'k>(
        &self,
        count: usize,
        key: impl Fn(u32) -> &'k [u8],
    ) -> (Vec<u32>, Option<u32>) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let end = self.from.saturating_add(PORTION_SLOTS).min(count);
        let mut slots: Vec<u32> = (self.from..end).collect();
        if count <= PORTION_SLOTS {
            slots.sort_by(|one, other| key(*one).cmp(key(*other)));
        }
        (slots, (end < count).then_some(end))
    }

    /// Whether a window is wanted.
    pub(super) fn wants_window(&self, window: Window) -> bool {
        let Wanted { starts, ends, .. } = self.wanted;
        starts.contains(&window.start.0) && ends.contains(&window.end.0)
    }

    /// The bytes of the keys that are wanted; `None` for all keys.
    pub(super) fn keys(&self, codecs: &CodecPair) -> Result<Option<Vec<Vec<u8>>>, QueryError> {
        let Some(keys) = &self.wanted.keys else { return Ok(None) };
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let columns = key.iter().map(|value| value.as_value(self.arena));
            let columns = columns.map(|value| Column::Values(vec![value].into())).collect();
            let key = KeyColumns { columns, valid: Validity::all(), index: None, len: 1 };
            let mut bytes = Vec::new();
            if codecs.encode_key(&key, 0, &mut bytes)? {
                found.push(bytes);
            }
        }
        Ok(Some(found))
    }
}

/// The value that a table's row has in a column that is not kept: its time, a part of its key, or a bound of its window.
pub(super) fn not_kept<'a>(
    from: SourceColumn,
    (key, window): (&[Value<'a>], Option<Window>),
    timestamp_ms: i64,
) -> Value<'a> {
    let bound = |of: fn(Window) -> i64| window.map_or(Value::Null, |it| Value::Bigint(of(it)));
    match from {
        SourceColumn::WindowStart => bound(|window| window.start.0),
        SourceColumn::WindowEnd => bound(|window| window.end.0),
        SourceColumn::RowTime => Value::Bigint(timestamp_ms),
        SourceColumn::Key(place) => key.get(place).copied().unwrap_or(Value::Null),
        _ => Value::Null,
    }
}
