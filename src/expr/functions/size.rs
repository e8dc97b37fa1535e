//! How large a result may be.

use crate::expr::EvalError;
use crate::types::Value;

/// The most bytes that a result takes, with all its parts.
const RESULT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most items or entries of a result.
const RESULT_ITEMS_MAX: usize = 4 * 1024 * 1024;

/// Fails as Java does where its memory runs out, if a result is to take more bytes than it may.
pub(in crate::expr) fn check_size(bytes: usize) -> Result<(), EvalError> {
    if bytes > RESULT_BYTES_MAX { Err(EvalError::out_of_memory()) } else { Ok(()) }
}

/// The same of the items of a list or the entries of a map.
pub(super) fn check_items(items: usize) -> Result<(), EvalError> {
    if items > RESULT_ITEMS_MAX { Err(EvalError::out_of_memory()) } else { Ok(()) }
}

/// Fails if a value is larger than a result may be. Items may be one and the same text, which is
/// written as often as it occurs.
pub(in crate::expr) fn checked(value: Value<'_>) -> Result<Value<'_>, EvalError> {
    let mut room = RESULT_BYTES_MAX;
    match value {
        Value::Array(items) => check_items(items.len())?,
        Value::Map(entries) => check_items(entries.len())?,
        _ => {}
    }
    if fits(value, &mut room) { Ok(value) } else { Err(EvalError::out_of_memory()) }
}

/// Takes the size of a value off the room that is left, if there is enough.
fn fits(value: Value<'_>, room: &mut usize) -> bool {
    let size = match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 1,
    };
    let Some(left) = room.checked_sub(size) else { return false };
    *room = left;
    match value {
        Value::Array(items) | Value::Struct(items) => items.iter().all(|item| fits(*item, room)),
        Value::Map(entries) => {
            entries.iter().all(|(key, value)| fits(*key, room) && fits(*value, room))
        }
        _ => true,
    }
}
