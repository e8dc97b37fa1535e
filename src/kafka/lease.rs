//! How long a member of a group may write without having heard from the coordinator.
//!
//! ```text
//! heartbeat sent ─────────────── answered: renewed, counted from the sending ─── session over: closed by itself
//!       └────────────────────── session.timeout.ms ──────────────────────────────────┘
//!
//! closed ⇄ open, as long as the coordinator has not said that the group went on; then over, for good
//! ```
//!
//! The coordinator counts a session from the moment that a heartbeat *arrives*, which is later than its sending. So
//! whoever counts from the sending, by clocks that run on while a process is stopped or a machine sleeps, knows before
//! the coordinator that his time is over, and stops to write before anybody else may begin.
//!
//! A lease that is only closed may open again: what waits to be written is still in its place if the coordinator says that
//! the member is. Once it is over, nothing that was to be written under it ever is, whatever becomes of the member.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::clock;

/// A moment by the two clocks that a session is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTime {
    /// How long the machine has run, asleep or awake.
    pub boot: Duration,
    /// The time of day.
    pub wall: Duration,
}

impl SessionTime {
    /// How long ago `earlier` was, by the clock that says more.
    pub fn since(self, earlier: Self) -> Duration {
        self.boot.saturating_sub(earlier.boot).max(self.wall.saturating_sub(earlier.wall))
    }
}

/// Tells the time to sessions.
#[derive(Clone)]
pub struct SessionClock(Arc<dyn Fn() -> SessionTime + Send + Sync>);

impl SessionClock {
    /// The clocks of the machine.
    pub fn system() -> Self {
        Self::new(|| SessionTime { boot: clock::since_boot(), wall: clock::since_epoch() })
    }

    /// Clocks of the caller's own, which tests move as they like.
    pub fn new(now: impl Fn() -> SessionTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> SessionTime {
        (self.0)()
    }
}

impl fmt::Debug for SessionClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionClock({:?})", self.now())
    }
}

/// Whether a member may write; clones are the same lease. Asking takes no lock and does not wait.
#[derive(Debug, Clone)]
pub struct Lease(Arc<Terms>);

#[derive(Debug)]
struct Terms {
    clock: SessionClock,
    /// When it ends by each clock, in milliseconds. Nobody who reads one of them old and the other one new is given
    /// more time than one of the two renewals gave.
    boot_until_ms: AtomicU64,
    wall_until_ms: AtomicU64,
    is_over: AtomicBool,
}

impl Lease {
    /// A lease that is closed until it is renewed.
    pub fn new(clock: SessionClock) -> Self {
        let (boot_until_ms, wall_until_ms) = (AtomicU64::new(0), AtomicU64::new(0));
        let is_over = AtomicBool::new(false);
        Self(Arc::new(Terms { clock, boot_until_ms, wall_until_ms, is_over }))
    }

    /// The clock that it is counted by.
    pub fn clock(&self) -> &SessionClock {
        &self.0.clock
    }

    /// Opens it, from the `sending` of what was answered, for as long as a session lasts.
    pub fn renew(&self, sending: SessionTime, lasts: Duration) {
        let until = |from: Duration| {
            u64::try_from(from.saturating_add(lasts).as_millis()).unwrap_or(u64::MAX)
        };
        self.0.boot_until_ms.store(until(sending.boot), Ordering::Release);
        self.0.wall_until_ms.store(until(sending.wall), Ordering::Release);
    }

    /// Closes it, until it is renewed.
    pub fn close(&self) {
        self.0.boot_until_ms.store(0, Ordering::Release);
        self.0.wall_until_ms.store(0, Ordering::Release);
    }

    /// Ends it: it never opens again.
    pub fn end(&self) {
        self.0.is_over.store(true, Ordering::Release);
    }

    /// Whether it never opens again.
    pub fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Acquire)
    }

    /// Whether its holder may write at this moment.
    pub fn is_open(&self) -> bool {
        let now = self.0.clock.now();
        let is_before = |now: Duration, until: &AtomicU64| {
            now.as_millis() < u128::from(until.load(Ordering::Acquire))
        };
        !self.is_over()
            && is_before(now.boot, &self.0.boot_until_ms)
            && is_before(now.wall, &self.0.wall_until_ms)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A lease, and its clocks in seconds: boot and wall.
    fn lease() -> (Lease, impl Fn(u64, u64) -> SessionTime) {
        let time = |boot, wall| SessionTime {
            boot: Duration::from_secs(boot),
            wall: Duration::from_secs(wall),
        };
        let now = Arc::new(Mutex::new(time(0, 1_000)));
        let clock = now.clone();
        let lease = Lease::new(SessionClock::new(move || *clock.lock().unwrap()));
        let set = move |boot, wall| {
            *now.lock().unwrap() = time(boot, wall);
            time(boot, wall)
        };
        (lease, set)
    }

    const SESSION: Duration = Duration::from_secs(45);

    #[test]
    fn it_is_closed_until_it_is_renewed_and_after_a_session() {
        let (lease, set) = lease();
        assert!(!lease.is_open());
        let sending = set(100, 1_100);
        set(130, 1_130);
        lease.renew(sending, SESSION);
        assert!(lease.is_open());
        set(144, 1_144);
        assert!(lease.is_open());
        set(145, 1_145);
        assert!(!lease.is_open());
    }

    #[test]
    fn either_clock_ends_it() {
        let (lease, set) = lease();
        lease.renew(set(100, 1_100), SESSION);
        set(100, 1_145);
        assert!(!lease.is_open(), "the boot clock stood still");
        set(145, 1_100);
        assert!(!lease.is_open(), "the wall clock stood still");
        set(110, 900);
        assert!(lease.is_open(), "the wall clock was set back");
    }

    #[test]
    fn a_closed_lease_opens_with_the_next_answer() {
        let (lease, set) = lease();
        lease.renew(set(100, 1_100), SESSION);
        let same = lease.clone();
        same.close();
        assert!(!lease.is_open());
        lease.renew(set(101, 1_101), SESSION);
        assert!(same.is_open());
    }

    #[test]
    fn one_that_is_over_never_opens_again() {
        let (lease, set) = lease();
        lease.renew(set(100, 1_100), SESSION);
        lease.clone().end();
        assert!(lease.is_over() && !lease.is_open());
        lease.renew(set(101, 1_101), SESSION);
        assert!(!lease.is_open());
    }

    #[test]
    fn the_machines_clocks_run() {
        let clock = SessionClock::system();
        let first = clock.now();
        while clock.now() == first {}
        assert!(clock.now().since(first) > Duration::ZERO && first.wall > Duration::ZERO);
    }
}
