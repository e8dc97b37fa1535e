//! How rows get from task to task: at once within a circle, else onto the lanes of the tasks that they
//! are for, here or with another worker.

use super::handover::{Handover, Leaving};
use super::ids::{LaneId, TaskId, Way};
use super::inputs::Run;
use super::origin::{Origin, RekeyedRows};
use super::task::{Surrounded, Surroundings, TaskBatch};
use super::tasks::Tasks;
use crate::operators::QueryError;
use crate::plan::{Input, RepartitionId};
use crate::types::{Arena, Partition};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

impl Tasks {
    /// Processes at once what a task has given that stays within its circle; the rest leaves.
    pub(super) fn go_round(
        &mut self,
        from: TaskId,
        leaving: &mut Vec<Leaving>,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let mut round = VecDeque::new();
        let mut from = from;
        loop {
            for rekeyed in self.given.rekeyed.drain(..) {
                if self.layout.is_within_circle(rekeyed.topic) {
                    round.push_back(rekeyed);
                } else {
                    leaving.push(Leaving { from, rekeyed });
                }
            }
            let Some(RekeyedRows { topic, partition, run }) = round.pop_front() else {
                return Ok(());
            };
            let input = Input::Repartition(topic);
            let Some(part) = self.layout.reader_of(input) else { continue };
            from = TaskId { part, partition };
            let arena = Arena::new();
            let mut rows = run.rows.view(partition, &arena);
            rows.meta.offsets = (0..rows.len as i64).collect();
            let origin = Origin::Run(&run);
            let batch = TaskBatch {
                input,
                rows: &rows,
                selected: None,
                times: &run.times,
                records: None,
                origin,
            };
            self.run(from, batch, Surrounded { surroundings, arena: &arena })?;
        }
    }

    /// Hands on what tasks have given to other tasks, and how far those of their junction have come.
    pub(super) fn pass_on(&mut self, id: TaskId, leaving: Vec<Leaving>) {
        let Some(junction) = self.junctions.get_mut(&id) else { return };
        let progress = junction.next_progress();
        let mut by_task: BTreeMap<TaskId, Vec<RekeyedRows>> = BTreeMap::new();
        for Leaving { from, rekeyed } in leaving {
            by_task.entry(from).or_default().push(rekeyed);
        }
        let seats = self.seats.iter_mut().filter(|(task, _)| self.layout.junction(**task) == id);
        let mut telling = Vec::new();
        for (task, seat) in seats {
            if by_task.contains_key(task) || seat.told != Some(progress) {
                seat.told = Some(progress);
                telling.push(*task);
            }
        }
        let layout = Arc::clone(&self.layout);
        for task in telling {
            let mut runs: BTreeMap<RepartitionId, Vec<(Partition, Run)>> = BTreeMap::new();
            for RekeyedRows { topic, partition, run } in by_task.remove(&task).unwrap_or_default() {
                runs.entry(topic).or_default().push((partition, run));
            }
            for &topic in layout.hands_over(task.part) {
                if layout.is_within_circle(topic) {
                    continue;
                }
                let runs = runs.remove(&topic).unwrap_or_default();
                let lane = LaneId { input: Input::Repartition(topic), upstream: task.partition };
                self.hand_over(Handover { lane, runs, progress });
            }
        }
    }

    /// Hands rows to the workers of the tasks that they are for, and tells all of them how far the
    /// giving task has come.
    pub(super) fn hand_over(&mut self, handover: Handover) {
        let Handover { lane, runs, progress } = handover;
        let Some(part) = self.layout.reader_of(lane.input) else { return };
        let count = self.layout.counts().of_part(part);
        let owner = |partition| self.layout.placement().owner(TaskId { part, partition });
        let mut shares: BTreeMap<usize, Vec<(Partition, Run)>> = BTreeMap::new();
        for partition in (0..count).map(Partition) {
            shares.entry(owner(partition)).or_default();
        }
        for (partition, run) in runs {
            shares.entry(owner(partition)).or_default().push((partition, run));
        }
        for (worker, runs) in shares {
            let share = Handover { lane, runs, progress };
            if worker == self.worker {
                self.put_on_lanes(share);
            } else {
                self.outbound.push((worker, share));
            }
        }
    }

    pub(super) fn put_on_lanes(&mut self, handover: Handover) {
        let Handover { lane, runs, progress } = handover;
        let Some(part) = self.layout.reader_of(lane.input) else { return };
        for (partition, run) in runs {
            let to = TaskId { part, partition };
            if let Some(junction) = self.junction(to) {
                junction.inputs.push(Way { lane, to }, Some(run), progress);
            }
        }
        let readers = TaskId { part, partition: Partition(i32::MIN) }..=TaskId {
            part,
            partition: Partition(i32::MAX),
        };
        for to in self.seats.range(readers).map(|(to, _)| *to) {
            let id = self.layout.junction(to);
            if let Some(junction) = self.junctions.get_mut(&id) {
                junction.inputs.push(Way { lane, to }, None, progress);
                self.ready.insert(id);
            }
        }
    }
}
