//! The keys of a join, as the bytes that its stores know.

use std::ops::Range;
use std::sync::Arc;

use crate::operators::QueryError;
use crate::plan::SourceWindow;
use crate::types::{Arena, RowCodec, Rows, Timestamp, Value, Window, WindowKind};

/// Writes and reads the keys of a join.
pub(super) struct JoinKeys {
    pub(super) codec: Arc<dyn RowCodec>,
    /// The windows of the keys, which their bytes end in.
    pub(super) window: Option<SourceWindow>,
}

/// The bytes of the keys of a batch, each distinct key once.
pub(super) struct BatchKeys {
    bytes: Vec<u8>,
    /// Where each key lies; `None` for a null one.
    places: Vec<Result<Option<Range<usize>>, QueryError>>,
    window: Option<WindowKind>,
}

/// A key read back from a store.
pub(super) struct ReadKey<'a> {
    pub(super) values: Vec<Value<'a>>,
    pub(super) window: Option<Window>,
}

impl JoinKeys {
    /// Writes the keys of a batch.
    pub(super) fn write(&self, rows: &Rows<'_>) -> BatchKeys {
        let mut bytes = Vec::new();
        let mut place = |position: usize| {
            let start = bytes.len();
            let key = &rows.key;
            let has_key = key.valid.is_valid(position)
                && self.codec.encode(&key.columns, position, &mut bytes)?;
            Ok(has_key.then_some(start..bytes.len()))
        };
        let places = (0..rows.key.len).map(&mut place).collect();
        BatchKeys { bytes, places, window: self.window.map(|window| window.kind) }
    }

    /// Reads the bytes of a key back.
    pub(super) fn read<'a>(
        &self,
        bytes: &[u8],
        arena: &'a Arena,
    ) -> Result<ReadKey<'a>, QueryError> {
        let (key, window) = match self.window {
            None => (bytes, None),
            Some(window) => {
                let (key, window) = split_window(window, bytes)
                    .ok_or_else(|| QueryError::new("a key of a join's store has no window"))?;
                (key, Some(window))
            }
        };
        let columns = self.codec.decode(arena.bytes(key), arena)?;
        Ok(ReadKey { values: columns.iter().map(|column| column.value(0)).collect(), window })
    }
}

impl BatchKeys {
    /// Writes the key of `row` in place of what `out` holds. False if it is null.
    pub(super) fn copy(
        &self,
        rows: &Rows<'_>,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, QueryError> {
        out.clear();
        let Some(place) = self.places[rows.key.position(row)].clone()? else { return Ok(false) };
        out.extend_from_slice(&self.bytes[place]);
        if let (Some(kind), Some(window)) = (self.window, rows.meta.window(row)) {
            if kind == WindowKind::Session {
                out.extend_from_slice(&window.end.0.to_be_bytes());
            }
            out.extend_from_slice(&window.start.0.to_be_bytes());
        }
        Ok(true)
    }
}

/// Splits a key from the window that follows it: its start, or for a session its end and start.
fn split_window(window: SourceWindow, bytes: &[u8]) -> Option<(&[u8], Window)> {
    let (rest, start) = split_time(bytes)?;
    if window.kind == WindowKind::Session {
        let (key, end) = split_time(rest)?;
        return Some((key, Window { start, end }));
    }
    let end = start.0.checked_add(window.size_ms.unwrap_or_default()).filter(|end| *end >= 0);
    Some((rest, Window { start, end: Timestamp(end.unwrap_or(i64::MAX)) }))
}

fn split_time(bytes: &[u8]) -> Option<(&[u8], Timestamp)> {
    let (rest, time) = bytes.split_last_chunk::<8>()?;
    Some((rest, Timestamp(i64::from_be_bytes(*time))))
}
