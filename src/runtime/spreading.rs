//! Rows of a source whose topic has got more partitions than there are tasks with state for it.
//!
//! ```text
//! in-0 ─┐  by their keys   ┌─▶ task 0        a key that Kafka's default partitioner puts into one
//! in-1 ─┼──────────────────┤                 partition out of three now was in another one before,
//! in-2 ─┘                  └─▶ task 1        and its state is there
//! ```
//!
//! State stays where it is, and rows go where their keys were before: by the hash of the partitioner that
//! all partitions are taken to be written with. Each task gets the rows of all partitions in order of time.

use super::handover::Handover;
use super::ids::LaneId;
use super::inputs::{Progress, Run, RunOrigin};
use super::task::TaskBatch;
use super::tasks::Tasks;
use crate::formats::windowed;
use crate::plan::Input;
use crate::types::{OwnedRows, Partition};

impl Tasks {
    /// Hands rows of a partition of a source to the tasks that own their keys.
    pub(super) fn hand_out(&mut self, lane: LaneId, batch: TaskBatch<'_, '_>, progress: Progress) {
        let shares = self.shares(lane, batch);
        let runs = shares.into_iter().enumerate().filter(|(_, taken)| !taken.is_empty());
        let runs = runs.map(|(partition, taken)| {
            let times = taken.iter().map(|row| batch.times[*row as usize]).collect();
            let rows = OwnedRows::taken(batch.rows, &taken);
            let origin = RunOrigin::Partition(lane);
            (Partition(partition as i32), Run { rows, times, origin })
        });
        let runs = runs.collect();
        self.hand_over(Handover { lane, runs, progress });
    }

    /// The rows for each task. Those without a key stay with the task that stands for their partition.
    fn shares(&self, lane: LaneId, batch: TaskBatch<'_, '_>) -> Vec<Vec<u32>> {
        let layout = &self.layout;
        let Some(own) = layout.task_at(lane) else { return Vec::new() };
        let source = match lane.input {
            Input::Source(node) => layout.plan().node(node).kind.source(),
            Input::Repartition(_) => None,
        };
        let window = source.and_then(|source| source.window);
        let count = usize::try_from(layout.counts().of_part(own.part)).unwrap_or(1).max(1);
        let mut shares = vec![Vec::new(); count];
        let mut at = 0;
        for (row, offset) in batch.rows.meta.offsets.iter().enumerate() {
            let mut key = None;
            if let Some(records) = batch.records.map(|source| source.records) {
                at += records.offsets[at..].partition_point(|other| other < offset);
                key = records.keys.get(at).copied().flatten();
            }
            if let Some(window) = window {
                // Windows of one key stay together.
                let whole = key.and_then(|key| windowed::decode(window.kind, 0, key));
                key = whole.map(|(key, _)| key);
            }
            let owner = key.map_or(own.partition, |key| layout.owner_of(key, own.part));
            shares[usize::try_from(owner.0).unwrap_or(0) % count].push(row as u32);
        }
        shares
    }
}
