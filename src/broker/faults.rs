//! Failures on purpose, for tests: connections that break, answers that come late, topics that take nothing.
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kafka_protocol::error::ResponseError;

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

/// What happens to each batch for a topic or a partition, until the fault is lifted.
///
/// As in Kafka, a request is answered as a whole, and the next one on its connection is not looked at before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProduceFault {
    /// It is appended, and answered so much later.
    Late(Duration),
    /// It is appended, and not answered.
    Never,
    /// It is appended and not replicated: once the request's own time is over, the answer says so.
    Unreplicated,
    /// It is refused.
    Refused(ResponseError),
}

/// A topic, or one partition of it.
type Place = (String, Option<i32>);

/// The failures to come.
#[derive(Default)]
pub struct Faults {
    next: Mutex<VecDeque<(i16, Fault)>>,
    produce: Mutex<HashMap<Place, ProduceFault>>,
}

impl Faults {
    /// Lets the next request of the kind `api_key` (Kafka's number) meet `fault`. Several are met in turn.
    pub fn inject(&self, api_key: i16, fault: Fault) {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).push_back((api_key, fault));
    }

    /// Lets all batches for `topic`, or for one partition of it, meet `fault` from now on.
    pub fn on_produce(&self, topic: &str, partition: Option<i32>, fault: ProduceFault) {
        self.produce().insert((topic.to_owned(), partition), fault);
    }

    /// Lets a topic and its partitions be as they should again.
    pub fn lift(&self, topic: &str) {
        self.produce().retain(|(name, _), _| name != topic);
    }

    /// The failure that a request of this kind meets.
    pub(super) fn take(&self, api_key: i16) -> Option<Fault> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.iter().position(|(key, _)| *key == api_key)?;
        next.remove(at).map(|(_, fault)| fault)
    }

    /// The failure that a batch for a partition meets.
    pub(super) fn of_batch(&self, topic: &str, partition: i32) -> Option<ProduceFault> {
        let produce = self.produce();
        if produce.is_empty() {
            return None;
        }
        let of = |partition| produce.get(&(topic.to_owned(), partition)).copied();
        of(Some(partition)).or_else(|| of(None))
    }

    fn produce(&self) -> MutexGuard<'_, HashMap<Place, ProduceFault>> {
        self.produce.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
