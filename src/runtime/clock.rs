//! The one place that reads the wall clock.

use crate::types::Timestamp;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// The time now in microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub fn micros() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A moment from which time can be measured.
#[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}
