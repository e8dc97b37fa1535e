//! Windows of time.

use super::Timestamp;

/// A span of time: `[start, end)` for time windows, `[start, end]` for sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
}

/// Which bytes follow the key of a windowed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// TUMBLING: the start.
    Tumbling,
    /// HOPPING: the start.
    Hopping,
    /// SESSION: the end, then the start.
    Session,
}

impl WindowKind {
    /// `TUMBLING`, `HOPPING` or `SESSION`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tumbling => "TUMBLING",
            Self::Hopping => "HOPPING",
            Self::Session => "SESSION",
        }
    }
}

/// Windows of one size, one every `advance_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindows {
    /// How long a window is.
    pub size_ms: i64,
    /// From one start to the next; the size for tumbling windows.
    pub advance_ms: i64,
    /// How long after its end a window takes records that are out of order.
    pub grace_ms: i64,
}

impl TimeWindows {
    /// The windows that contain `at`, earliest first. No window starts before the epoch.
    ///
    /// As in Kafka Streams' `TimeWindows.windowsFor`.
    pub fn containing(self, at: Timestamp) -> impl Iterator<Item = Window> {
        let earliest = (at.0 - self.size_ms).saturating_add(self.advance_ms).max(0);
        let first = earliest / self.advance_ms * self.advance_ms;
        let next = move |start: &i64| start.checked_add(self.advance_ms);
        let starts = std::iter::successors(Some(first), next);
        starts.take_while(move |start| *start <= at.0).map(move |start| Window {
            start: Timestamp(start),
            end: Timestamp(start.saturating_add(self.size_ms)),
        })
    }

    /// Whether a window that contains `at` would end after the end of time.
    pub fn overflows(self, at: Timestamp) -> bool {
        let last = at.0.max(0) / self.advance_ms * self.advance_ms;
        last.checked_add(self.size_ms).is_none()
    }

    /// Whether `window` takes no more records: stream time has passed its end by the grace period.
    pub fn is_closed(self, window: Window, stream_time: Timestamp) -> bool {
        window.end.0.saturating_add(self.grace_ms) <= stream_time.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_in_each_hopping_window_that_covers_it() {
        let windows = TimeWindows { size_ms: 60, advance_ms: 20, grace_ms: 0 };
        let starts: Vec<_> = windows.containing(Timestamp(65)).map(|w| w.start.0).collect();
        assert_eq!(starts, [20, 40, 60]);
        let starts: Vec<_> = windows.containing(Timestamp(5)).map(|w| w.start.0).collect();
        assert_eq!(starts, [0]);
    }

    #[test]
    fn no_window_ends_after_the_end_of_time() {
        let windows = TimeWindows { size_ms: 60, advance_ms: 20, grace_ms: 0 };
        assert!(windows.overflows(Timestamp(i64::MAX)));
        assert!(!windows.overflows(Timestamp(i64::MAX - 60)));
        let last = windows.containing(Timestamp(i64::MAX)).last();
        assert_eq!(last.map(|window| window.end.0), Some(i64::MAX));
    }
}
