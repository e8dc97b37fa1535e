//! What a lane is to send next.
use std::collections::BTreeMap;

use super::outcome::Sent;
use super::queue::{Lane, Queue};
use super::state::Shared;
use crate::kafka::clock::{self, Instant};
use crate::kafka::retry::earlier;

/// How many partitions of a topic are sent apart from the others, at one broker.
const APART_MAX: usize = 8;

/// What a lane is to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// Send these batches in one request. Some of them may be sent apart if they turn out to be slow.
    Send { batches: Vec<Sent>, may_part: bool },
    /// Wait for a change, at most until then.
    Wait(Option<Instant>),
    /// End: nothing is sent there any more.
    End,
}

/// What decides whether a batch is sent now, for all partitions alike.
#[derive(Clone, Copy)]
struct Terms {
    is_urgent: bool,
    is_numbered: bool,
    /// Whether partitions have to be added to the transaction before they are written.
    is_enlisted: bool,
    in_flight_max: usize,
    linger: std::time::Duration,
}

impl Shared {
    /// What `lane` is to do next. The partition behind `turn` comes first, so that none is always before the others.
    pub(super) fn next(&self, lane: &Lane, turn: &mut i32) -> Work {
        let config = self.cluster.config();
        let mut state = self.lock();
        let state = &mut *state;
        let terms = Terms {
            is_urgent: state.flushes > 0 || state.buffer.bytes * 4 > config.buffer_bytes,
            is_numbered: self.is_numbered(),
            is_enlisted: self.is_transactional() && !state.is_version_2,
            in_flight_max: config.in_flight_max,
            linger: config.linger,
        };
        let mut none = BTreeMap::new();
        let queues = state.queues.get_mut(&lane.topic).unwrap_or(&mut none);
        let sharing = queues.values().filter(|queue| queue.is_in(lane)).count();
        if sharing == 0 {
            state.lanes.remove(lane);
            return Work::End;
        }
        let Some(identity) = state.identity else { return Work::Wait(None) };
        let (mut batches, mut bytes, mut wake) = (Vec::new(), 0, None);
        for partition in order(queues, *turn) {
            let Some(queue) = queues.get_mut(&partition).filter(|queue| queue.is_in(lane)) else {
                continue;
            };
            if !queue.numbers.has_identity() {
                queue.numbers.begin(identity, &mut queue.waiting);
            }
            let Some((ready_at, batch_bytes)) = queue.ready_at(terms) else { continue };
            if ready_at > clock::now() {
                wake = earlier(wake, Some(ready_at));
            } else if !batches.is_empty() && bytes + batch_bytes > config.request_bytes_max {
                wake = Some(clock::now());
                break;
            } else if let Some(batch) = queue.take() {
                bytes += batch_bytes;
                *turn = partition;
                batches.push(Sent { partition: queue.partition.clone(), batch });
            }
        }
        if batches.is_empty() {
            return Work::Wait(wake);
        }
        // Where they join by themselves, they do so by being written.
        state.phase.has_part();
        let is_slow = |queue: &&Queue| queue.is_apart && queue.place.leader == Some(lane.broker);
        let may_part =
            terms.is_numbered && sharing > 1 && queues.values().filter(is_slow).count() < APART_MAX;
        Work::Send { batches, may_part }
    }
}

/// The partitions in order, from the one behind `turn` on.
fn order(queues: &BTreeMap<i32, Queue>, turn: i32) -> Vec<i32> {
    let behind = queues.range(turn.saturating_add(1)..);
    behind.chain(queues.range(..=turn)).map(|(partition, _)| *partition).collect()
}

impl Queue {
    /// When its first batch may be sent, and how large that is; nothing if it has to wait for something else.
    fn ready_at(&self, terms: Terms) -> Option<(Instant, usize)> {
        let is_full =
            self.in_flight.len() >= self.in_flight_max(terms.is_numbered, terms.in_flight_max);
        if is_full || self.is_held() || terms.is_enlisted && !self.is_in_transaction {
            return None;
        }
        let batch = self.waiting.front()?;
        let is_ready = batch.is_closed || self.waiting.len() > 1 || terms.is_urgent;
        let ready_at = if is_ready { batch.begun } else { batch.begun + terms.linger };
        let ready_at = self.retry.at().map_or(ready_at, |retry_at| retry_at.max(ready_at));
        Some((ready_at, batch.bytes))
    }
}
