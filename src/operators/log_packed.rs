//! How the row of a store comes into its changelog, where it is kept packed.

use super::{Collector, PackedChange, QueryError, StoreChange};
use crate::state::PackedValues;
use crate::types::Arena;

/// Logs a change: its row as it is, if every row of the store can be written later, else written now.
pub(super) fn log_packed(
    change: PackedChange<'_>,
    out: &mut dyn Collector<'_>,
) -> Result<(), QueryError> {
    let PackedChange { store, key, values, columns, codec, timestamp_ms } = change;
    if codec.bytes_max(0).is_some() {
        out.changed_packed(change);
        return Ok(());
    }
    let (arena, mut values, mut written) = (Arena::new(), PackedValues::new(values), Vec::new());
    let values = arena.collect((0..columns).map(|_| values.lent(&arena)));
    let has_value = codec.encode_values(values, &mut written)?;
    let value = has_value.then_some(&*written);
    out.changed(StoreChange { store, key, value, timestamp_ms });
    Ok(())
}
