//! The clocks behind time-outs, back-off and sessions; no data ever depends on them.
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

/// How long the machine has run, as far as the system says: on Linux with the time that it slept.
#[cfg(target_os = "linux")]
pub(super) fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// How long this program has run; whether it counts the time that the machine slept is up to the system.
#[cfg(not(target_os = "linux"))]
pub(super) fn since_boot() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    now().duration_since(*START.get_or_init(now))
}

/// The time of day, since the epoch.
#[expect(clippy::disallowed_methods, reason = "the only place of this layer that reads the clock")]
pub(super) fn since_epoch() -> Duration {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
