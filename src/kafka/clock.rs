//! The clock behind time-outs and back-off; no data ever depends on it.
use std::time::Duration;

use super::random::random_below;

pub(super) use tokio::time::Instant;

/// The time, for deadlines alone.
#[expect(clippy::disallowed_methods, reason = "the only place of this layer that reads the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// A duration that is up to a fifth shorter or longer than `around`, so that clients do not all retry at once.
pub(super) fn jitter(around: Duration) -> Duration {
    around.mul_f64(0.8 + f64::from(random_below(400)) / 1_000.0)
}
