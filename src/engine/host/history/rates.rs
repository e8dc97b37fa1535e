//! From what is counted to figures a second.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rings::Subject;
use crate::kafka::TopicPartition;
use crate::runtime::SkipCause;
use crate::runtime::live::{InstanceFigures, QueryFigures};
use crate::types::{Partition, Timestamp};

/// What was counted when it was looked last.
#[derive(Debug, Default)]
pub(super) struct Rates {
    at: Option<Timestamp>,
    busy_us: u64,
    queries: BTreeMap<Arc<str>, [u64; 7]>,
    partitions: BTreeMap<(Arc<str>, Partition), [u64; 2]>,
}

impl Rates {
    /// The figures of all subjects since the last look. Of what is counted for the first time, rates are not known.
    pub(super) fn next(
        &mut self,
        at: Timestamp,
        counted: &InstanceFigures,
        ends: &BTreeMap<TopicPartition, f32>,
    ) -> Vec<(Subject, Vec<f32>)> {
        let before = std::mem::take(self);
        self.at = Some(at);
        let seconds = before.at.map_or(f32::NAN, |before| (at.0 - before.0) as f32 / 1e3);
        // A count that has fallen has begun anew.
        let rate = |now: u64, before: Option<u64>| match before {
            Some(before) if now >= before && seconds > 0.0 => (now - before) as f32 / seconds,
            _ => f32::NAN,
        };
        self.busy_us = counted.busy_us.iter().sum();
        let workers = counted.busy_us.len().max(1) as f32;
        let busy = rate(self.busy_us, before.at.map(|_| before.busy_us)) / 1e6 / workers;
        let mut all = vec![(Subject::Process, vec![busy.min(1.0)])];
        for query in &counted.queries {
            let (id, counts) = (Arc::<str>::from(&*query.status.id), counts_of(query));
            let old = before.queries.get(&id);
            let rates = (0..counts.len()).map(|at| rate(counts[at], old.map(|old| old[at])));
            let mut row: Vec<f32> = rates.collect();
            let lag = query.status.lag.map_or(f32::NAN, |lag| lag as f32);
            // In the order of the names.
            row.splice(4..4, [lag, query.status.stored_rows as f32]);
            row.push(query.restoring as f32);
            all.push((Subject::Query(Arc::clone(&id)), row));
            self.queries.insert(id, counts);
        }
        for read in &counted.topics {
            let (at, counts) =
                ((Arc::clone(&read.topic), read.partition), [read.records, read.bytes]);
            let old = before.partitions.get(&at);
            let row = (0..2).map(|n| rate(counts[n], old.map(|old| old[n]))).collect();
            all.push((Subject::Partition(Arc::clone(&at.0), at.1), row));
            self.partitions.insert(at, counts);
        }
        for (at, per_second) in ends {
            let at = (Arc::<str>::from(&*at.topic), Partition(at.partition));
            if !self.partitions.contains_key(&at) {
                all.push((Subject::Partition(at.0, at.1), vec![*per_second, f32::NAN]));
            }
        }
        all
    }
}

/// What is counted of a query: read, written, skipped, late; commits, failures, restored.
fn counts_of(query: &QueryFigures) -> [u64; 7] {
    let status = &query.status;
    let skipped = &status.skipped;
    let (commits, late) = (query.commits.total(), *skipped.get(SkipCause::Late));
    let counted = [status.records, status.written, skipped.total(), late];
    let [read, written, skipped, late] = counted;
    [read, written, skipped, late, commits, query.failures, query.restored]
}
