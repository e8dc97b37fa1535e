//! Which other servers of a service have said that they live, and when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::engine::{Properties, PropertyError};

/// Whether servers tell each other that they live, unless it is said.
const HEARTBEAT: (&str, bool) = ("ksql.heartbeat.enable", false);

/// Whether servers tell each other how far behind their state is, unless it is said.
const LAG: (&str, bool) = ("ksql.lag.reporting.enable", false);

/// How long ago a server may have said that it lives, in milliseconds.
const WINDOW: (&str, i64) = ("ksql.heartbeat.window.ms", 2_000);

/// The most servers that are remembered.
const SERVERS_MAX: usize = 1_000;

/// What a host has heard of the other servers of its service.
pub(super) struct Heartbeats {
    /// Whether servers tell each other that they live.
    pub(super) are_told: bool,
    /// Whether they tell each other how far behind their state is.
    pub(super) tell_lags: bool,
    window_ms: i64,
    /// When each said last that it lives, in milliseconds since the epoch.
    heard: Mutex<BTreeMap<String, i64>>,
}

impl Heartbeats {
    pub(super) fn new(properties: &Properties) -> Result<Self, PropertyError> {
        Ok(Self {
            are_told: properties.flag(HEARTBEAT.0, HEARTBEAT.1)?,
            tell_lags: properties.flag(LAG.0, LAG.1)?,
            window_ms: properties.number(WINDOW.0, WINDOW.1)?,
            heard: Mutex::default(),
        })
    }

    fn heard(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a server lives. Where there are too many, the one that has been silent for longest is forgotten.
    pub(super) fn note(&self, address: String, now_ms: i64) {
        let mut heard = self.heard();
        heard.insert(address, now_ms);
        if heard.len() > SERVERS_MAX {
            let oldest = heard.iter().min_by_key(|(_, at_ms)| **at_ms);
            if let Some(oldest) = oldest.map(|(address, _)| address.clone()) {
                heard.remove(&oldest);
            }
        }
    }

    /// All servers, with when each said last that it lives, and whether it is taken to live still.
    pub(super) fn servers(&self, now_ms: i64) -> Vec<(String, i64, bool)> {
        let is_alive = |at_ms: i64| now_ms.saturating_sub(at_ms) <= self.window_ms;
        let heard = self.heard();
        let heard = heard.iter();
        heard.map(|(address, at_ms)| (address.clone(), *at_ms, is_alive(*at_ms))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_for_long_is_taken_for_dead_and_the_most_silent_is_forgotten() {
        let heartbeats = Heartbeats::new(&Properties::default()).unwrap();
        heartbeats.note("a:1".to_owned(), 1_000);
        heartbeats.note("b:1".to_owned(), 3_000);
        let servers = heartbeats.servers(3_001);
        assert_eq!(servers, [("a:1".to_owned(), 1_000, false), ("b:1".to_owned(), 3_000, true)]);
        for server in 0..SERVERS_MAX as i64 - 1 {
            heartbeats.note(format!("c:{server}"), 4_000);
        }
        let servers = heartbeats.servers(4_000);
        assert_eq!((servers.len(), &*servers[0].0), (SERVERS_MAX, "b:1"));
    }
}
