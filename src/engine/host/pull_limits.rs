//! How many pull queries a server takes: `ksql.query.pull.max.*`. What is more is refused, and not made to wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{HostError, HostFault};
use crate::engine::{Properties, PropertyError};
use crate::runtime::clock;

/// The span that the bytes of answers are counted over, and how finely.
const WINDOW: Duration = Duration::from_hours(1);
const STEP: Duration = Duration::from_mins(1);

/// The number that stands for none: Java's largest.
const UNLIMITED: i64 = i32::MAX as i64;

/// How many pull queries a server takes.
#[derive(Debug, Default)]
pub(super) struct PullLimits {
    /// A second.
    rate: Option<(i64, Mutex<Rate>)>,
    /// At the same time.
    concurrent: Option<usize>,
    /// How many bytes their answers may have in an hour, and how many they had.
    bytes: Option<(u64, Arc<Answered>)>,
    running: Arc<()>,
}

impl PullLimits {
    /// Those that properties name.
    pub(super) fn new(properties: &Properties) -> Result<Self, PropertyError> {
        let limit = |name: &str| {
            let limit = properties.number(name, UNLIMITED)?;
            Ok::<_, PropertyError>(Some(limit).filter(|limit| *limit < UNLIMITED))
        };
        let bytes = limit("ksql.query.pull.max.hourly.bandwidth.megabytes")?;
        let bytes = bytes.map(|megabytes| u64::try_from(megabytes).unwrap_or(0) << 20);
        let bytes = bytes.map(|limit| (limit, Arc::default()));
        let concurrent = limit("ksql.query.pull.max.concurrent.requests")?;
        Ok(Self {
            rate: limit("ksql.query.pull.max.qps")?.map(|rate| (rate, Mutex::default())),
            concurrent: concurrent.map(|limit| usize::try_from(limit).unwrap_or(0)),
            bytes,
            running: Arc::default(),
        })
    }

    /// Takes one more query, or refuses it in ksqlDB's words.
    pub(super) fn enter(&self) -> Result<Pulling, HostError> {
        let refused = |message| HostError::new(HostFault::TooMany, message);
        let now = clock::instant();
        if let Some((limit, rate)) = &self.rate
            && !locked(rate).takes(*limit, now)
        {
            return Err(refused(format!(
                "Host is at rate limit for pull queries. Currently set to {limit}.0 qps."
            )));
        }
        let running = Arc::clone(&self.running);
        if let Some(limit) = self.concurrent
            && Arc::strong_count(&running) - 2 >= limit
        {
            return Err(refused(format!(
                "Host is at concurrency limit for pull queries. Currently set to {limit} maximum concurrent \
                 operations."
            )));
        }
        if let Some((limit, answered)) = &self.bytes
            && answered.within_window(now) >= *limit
        {
            return Err(refused("Host is at bandwidth rate limit for pull queries.".to_owned()));
        }
        let answered = self.bytes.as_ref().map(|(_, answered)| Arc::clone(answered));
        Ok(Pulling { _running: running, answered })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pull query that runs, until it is dropped.
#[derive(Debug)]
pub(super) struct Pulling {
    _running: Arc<()>,
    answered: Option<Arc<Answered>>,
}

impl Pulling {
    /// Notes that so many bytes of its answer are given.
    pub(super) fn note_bytes(&self, bytes: usize) {
        if let Some(answered) = &self.answered {
            answered.recent.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
}

/// How many queries are taken in a second: as Guava's `SmoothBursty`, one whenever it is time for one, and those that
/// nobody asked for within the last second.
#[derive(Debug, Default)]
struct Rate {
    /// When one may be taken that nothing was saved for.
    next: Option<Instant>,
    /// How many are saved.
    saved: f64,
}

impl Rate {
    fn takes(&mut self, per_second: i64, now: Instant) -> bool {
        if per_second <= 0 {
            return false;
        }
        let per_second = per_second as f64;
        let mut next = self.next.unwrap_or(now);
        if next > now {
            return false;
        }
        let saved = self.saved + (now - next).as_secs_f64() * per_second;
        self.saved = saved.min(per_second);
        let spent = self.saved.min(1.0);
        self.saved -= spent;
        next = now + Duration::from_secs_f64((1.0 - spent) / per_second);
        self.next = Some(next);
        true
    }
}

/// How many bytes answers had, by when.
#[derive(Debug, Default)]
struct Answered {
    /// Those that are not among `steps` yet.
    recent: AtomicU64,
    steps: Mutex<VecDeque<(Instant, u64)>>,
}

impl Answered {
    /// How many they were within the last hour.
    fn within_window(&self, now: Instant) -> u64 {
        let mut steps = locked(&self.steps);
        while steps.front().is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            steps.pop_front();
        }
        let recent = self.recent.swap(0, Ordering::Relaxed);
        match steps.back_mut().filter(|(at, _)| now.duration_since(*at) < STEP) {
            Some((_, bytes)) => *bytes += recent,
            None => steps.push_back((now, recent)),
        }
        steps.iter().map(|(_, bytes)| *bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_saves_what_nobody_asked_for_within_a_second() {
        let (mut rate, begin) = (Rate::default(), clock::instant());
        let mut taken = |ms: u64, times: usize| {
            let now = begin + Duration::from_millis(ms);
            (0..times).filter(|_| rate.takes(10, now)).count()
        };
        assert_eq!(taken(0, 5), 1);
        assert_eq!(taken(100, 5), 1);
        // Ten that were saved, and one that is due.
        assert_eq!(taken(60_000, 20), 11);
        assert_eq!(taken(60_000, 20), 0);
        assert!(!Rate::default().takes(0, begin));
    }

    #[test]
    fn bytes_count_for_an_hour() {
        let (answered, begin) = (Answered::default(), clock::instant());
        let after = |seconds| begin + Duration::from_secs(seconds);
        answered.recent.store(7, Ordering::Relaxed);
        assert_eq!(answered.within_window(begin), 7);
        answered.recent.store(3, Ordering::Relaxed);
        assert_eq!(answered.within_window(after(1_800)), 10);
        assert_eq!(answered.within_window(after(3_600)), 3);
        assert_eq!(answered.within_window(after(5_400)), 0);
    }

    #[test]
    fn as_many_run_at_the_same_time_as_may() {
        let mut properties = Properties::default();
        properties.set("ksql.query.pull.max.concurrent.requests", "1");
        let limits = PullLimits::new(&properties).unwrap();
        let one = limits.enter().unwrap();
        let refused = limits.enter().unwrap_err();
        assert_eq!(refused.fault.code(), 42900);
        drop(one);
        assert!(limits.enter().is_ok());
        let unlimited = PullLimits::new(&Properties::default()).unwrap();
        let all: Result<Vec<_>, _> = (0..1_000).map(|_| unlimited.enter()).collect();
        assert!(all.is_ok());
    }
}
