//! What clients may have of a server at the same time, each by the name of a property.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::api::errors;
use crate::engine::{Properties, PropertyError};

/// What clients may have at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The longest body of a request, and the longest line of one that comes line by line.
    pub(super) body_bytes_max: usize,
    /// How many clients may be connected; others wait.
    pub(super) connections_max: usize,
    /// How long a connection may rest.
    pub(super) idle_within: Duration,
    /// How many requests may be under way until their answers begin; others are refused.
    pub(super) requests_max: usize,
    /// How many rows a second the answer of one query has, if there is a limit.
    pub(super) rows_per_second: Option<u32>,
}

impl Limits {
    /// The limits that properties name.
    pub(super) fn new(properties: &Properties) -> Result<Self, PropertyError> {
        let limit = |name, default| {
            let found = properties.number(name, default)?;
            Ok::<_, PropertyError>(usize::try_from(found).unwrap_or(0).max(1))
        };
        let rows = properties.number("ksql.server.max.rows.per.second", 0)?;
        Ok(Self {
            body_bytes_max: limit("ksql.server.max.request.bytes", 8 << 20)?,
            connections_max: with_files(
                limit("ksql.server.max.connections", 10_000)?,
                super::files::files_max(),
            ),
            idle_within: Duration::from_secs(limit(
                "ksql.idle.connection.timeout.seconds",
                24 * 60 * 60,
            )? as u64),
            requests_max: limit("ksql.server.max.concurrent.requests", 1_000)?,
            rows_per_second: u32::try_from(rows).ok().filter(|rows| *rows > 0),
        })
    }
}

/// How many clients may be connected where so many are wanted and the process may have so many files open: what it needs
/// besides, for Kafka above all, is a quarter of them.
fn with_files(wanted: usize, files_max: Option<usize>) -> usize {
    let most = files_max.map_or(usize::MAX, |files| files - files / 4).max(1);
    if wanted > most {
        tracing::warn!(
            "ksql.server.max.connections is {wanted}, and {most} clients can be connected: the process may have no more \
             files open (ulimit -n)"
        );
    }
    wanted.min(most)
}

/// The requests that are under way.
#[derive(Clone)]
pub(super) struct UnderWay {
    count: Arc<AtomicUsize>,
    max: usize,
}

/// A request that is under way.
pub(super) struct One(Arc<AtomicUsize>);

impl Drop for One {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl UnderWay {
    pub(super) fn new(max: usize) -> Self {
        Self { count: Arc::default(), max }
    }

    /// Counts a request for as long as what is given lives, or refuses it where there are too many.
    pub(super) fn begin(&self) -> Result<One, Box<Response>> {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        let one = One(Arc::clone(&self.count));
        if before < self.max {
            return Ok(one);
        }
        let message = format!("The server has {before} requests under way, more than it takes");
        let error = errors::generic(42900, message);
        Err(Box::new((StatusCode::TOO_MANY_REQUESTS, super::body::json(&error)).into_response()))
    }
}

/// Holds rows back that come faster than they may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    each: Option<Duration>,
}

impl Pace {
    pub(super) fn new(rows_per_second: Option<u32>) -> Self {
        Self { each: rows_per_second.map(|rows| Duration::from_secs(1) / rows) }
    }

    /// Whether rows may come as fast as they like.
    pub(super) fn is_any(self) -> bool {
        self.each.is_none()
    }

    /// Waits for as long as so many rows take.
    pub(super) async fn wait(self, rows: usize) {
        let Some(each) = self.each else { return };
        tokio::time::sleep(each.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_what_else_is_needed() {
        assert_eq!(with_files(10_000, None), 10_000);
        assert_eq!(with_files(10_000, Some(20_000)), 10_000);
        assert_eq!(with_files(10_000, Some(1_024)), 768);
        assert_eq!(with_files(10_000, Some(0)), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_keep_their_pace() {
        let second = Duration::from_secs(1);
        let within = async |pace: Pace, rows, time| {
            tokio::time::timeout(time, pace.wait(rows)).await.is_ok()
        };
        let pace = Pace::new(Some(100));
        assert!(within(pace, 50, second).await);
        assert!(!within(pace, 150, second).await);
        assert!(within(Pace::new(None), usize::MAX, second).await);
    }
}
