//! Keys of windowed records: the key's bytes, then the window.
//!
//! ```text
//! TUMBLING, HOPPING:  key · start (8 bytes)
//! SESSION:            key · end (8 bytes) · start (8 bytes)
//! ```

use crate::types::{Timestamp, Window, WindowKind};

/// How many bytes of a time that follows a key.
const TIME_BYTES: usize = 8;

/// Appends the window to a key that was just written.
pub fn encode(kind: WindowKind, window: Window, key: &mut Vec<u8>) {
    if kind == WindowKind::Session {
        key.extend_from_slice(&window.end.0.to_be_bytes());
    }
    key.extend_from_slice(&window.start.0.to_be_bytes());
}

/// Splits a windowed key into the bytes of its key and its window.
///
/// The end of a time window is not written, so it follows from `size_ms`. `None` if `bytes` are
/// too few to hold a window.
pub fn decode(kind: WindowKind, size_ms: i64, bytes: &[u8]) -> Option<(&[u8], Window)> {
    let (rest, start) = split_time(bytes)?;
    if kind == WindowKind::Session {
        let (key, end) = split_time(rest)?;
        return Some((key, Window { start, end }));
    }
    let end = start.0.checked_add(size_ms).filter(|end| *end >= 0).unwrap_or(i64::MAX);
    Some((rest, Window { start, end: Timestamp(end) }))
}

fn split_time(bytes: &[u8]) -> Option<(&[u8], Timestamp)> {
    let (rest, time) = bytes.split_at_checked(bytes.len().checked_sub(TIME_BYTES)?)?;
    Some((rest, Timestamp(i64::from_be_bytes(time.try_into().ok()?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_read_back() {
        let window = Window { start: Timestamp(20), end: Timestamp(50) };
        for kind in [WindowKind::Tumbling, WindowKind::Session] {
            let mut key = b"a".to_vec();
            encode(kind, window, &mut key);
            assert_eq!(decode(kind, 30, &key), Some((&b"a"[..], window)));
        }
        assert_eq!(decode(WindowKind::Tumbling, 30, b"short"), None);
    }
}
