//! When something that has failed is tried again.
use super::clock::{self, Instant};
use super::config::ClientConfig;

/// The pauses between attempts at one thing: each twice as long as the one before, up to `retry.backoff.max.ms`.
#[derive(Debug, Clone, Default)]
pub(super) struct Retry {
    attempts: u32,
    at: Option<Instant>,
}

impl Retry {
    /// Notes that an attempt has failed.
    pub(super) fn fail(&mut self, config: &ClientConfig) {
        let pause = config.retry_backoff.saturating_mul(1 << self.attempts.min(10));
        self.attempts += 1;
        self.at = Some(clock::now() + clock::jitter(pause.min(config.retry_backoff_max)));
    }

    /// Notes that an attempt has succeeded.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// When the next attempt may be made, or nothing if at once.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Waits until the next attempt may be made.
    pub(super) async fn wait(&self) {
        if let Some(at) = self.at {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Whether the next attempt may be made.
    pub(super) fn is_due(&self) -> bool {
        self.at.is_none_or(|at| at <= clock::now())
    }
}

/// The earlier of two moments, of which either may never come.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Sleeps until a moment, or for ever.
pub(super) async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
