//! Failures on purpose, for tests: connections that break, answers that come late.
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the request is worked on.
    DropRequest,
    /// The connection breaks after the request has taken effect, so that its answer is lost.
    DropAnswer,
    /// The answer comes later.
    Delay(Duration),
}

/// The failures to come.
#[derive(Default)]
pub struct Faults {
    next: Mutex<VecDeque<(i16, Fault)>>,
}

impl Faults {
    /// Lets the next request of the kind `api_key` (Kafka's number) meet `fault`. Several are met in turn.
    pub fn inject(&self, api_key: i16, fault: Fault) {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).push_back((api_key, fault));
    }

    /// The failure that a request of this kind meets.
    pub(super) fn take(&self, api_key: i16) -> Option<Fault> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.iter().position(|(key, _)| *key == api_key)?;
        next.remove(at).map(|(_, fault)| fault)
    }
}
