//! Which rows of a task's inputs come next: always the one with the lowest time.
//!
//! Rows come on **lanes**, one for each partition of each input: a topic's, or that of the task which
//! hands its rows over in memory. A lane keeps its own order, so what counts is its *head*, and the
//! time of a row here is that of its lane when it came: the highest event time so far, the rows that
//! went elsewhere or nowhere included. So times on a lane never fall, and taking the lowest head is
//! a merge. Equal times go by lane, and lanes by topic and partition.
//!
//! ```text
//! lane 0: 3 5 9 ─┐
//! lane 1: 4     ─┼─▶ 3 4 5 | lane 1 has nothing, but has come to 7: 9 has to wait
//! lane 2: (end) ─┘         | lane 2 is at its end, and is not waited for
//! ```
//!
//! Where the order in time does not matter, the rows of a [block](super::blocks) all have one time, so
//! that they come out together.
//!
//! Which rows come out in which order depends on the rows and their times alone, not on when they
//! came or how they were cut into batches. A lane without rows that is not at its end is waited for,
//! and one at its end for `max.task.idle.ms`, as Kafka Streams does since KIP-695.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use super::ids::{LaneId, RecordId, TaskId, Way};
use crate::plan::Input;
use crate::types::{Arena, Offset, OwnedRows, Partition, Rows, Stretch};

/// How far a lane has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// No later row has a lower time.
    pub time: i64,
    /// Whether there is no more to come, as far as is known.
    pub is_at_end: bool,
}

impl Progress {
    /// Nothing has come yet.
    pub const START: Self = Self { time: i64::MIN, is_at_end: false };

    /// How far two are together: as far as the one that is behind and has more to come.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self.is_at_end, other.is_at_end) {
            (true, true) => Self { time: self.time.max(other.time), is_at_end: true },
            (true, false) => other,
            (false, true) => self,
            (false, false) => Self { time: self.time.min(other.time), is_at_end: false },
        }
    }
}

/// How long a lane without rows is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxIdle {
    /// Not at all, even if it is not at its end: `max.task.idle.ms=-1`.
    Never,
    /// So long once it is at its end.
    Millis(i64),
}

/// Rows of a lane, as they came.
#[derive(Debug, Default)]
pub struct Run {
    /// The rows.
    pub rows: OwnedRows,
    /// The time of each on its lane.
    pub times: Vec<i64>,
    /// The records that they come from.
    pub origin: RunOrigin,
}

impl Run {
    /// The record that a row comes from.
    pub(super) fn record(&self, row: usize) -> Option<RecordId> {
        self.origin.record(row, self.rows.offsets().get(row).copied())
    }
}

/// What the inputs of one task hold, or of several that go round in a circle.
#[derive(Debug)]
pub struct Inputs {
    /// Equal times go in this order.
    lanes: Vec<Lane>,
    /// Whether a chunk may hold rows of several inputs.
    mixes: bool,
    max_idle: MaxIdle,
    bytes: usize,
}

#[derive(Debug)]
struct Lane {
    way: Way,
    /// Whether its rows come before all others whatever their time, and are never waited for: what
    /// comes back to a task that asked for it.
    is_urgent: bool,
    runs: VecDeque<Arc<Run>>,
    /// The next row of the first run.
    row: usize,
    progress: Progress,
    idle: Idle,
    /// Where the first run stands in the chunk that is being put together.
    in_chunk: Option<u32>,
}

/// How long others have waited for a lane that is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// They do not.
    No,
    /// Since this time.
    Since(i64),
    /// Long enough: it is passed over until it has something.
    Passed,
}

/// Rows of a task's inputs, in the order in which they are to be processed.
#[derive(Debug)]
pub struct Chunk {
    /// The task.
    pub to: TaskId,
    /// The input of the first row, and of all where inputs are not mixed.
    pub input: Input,
    /// The time of each row on its lane.
    pub times: Vec<i64>,
    /// Whether their times say nothing of how far the task has come.
    pub is_urgent: bool,
    runs: Vec<Arc<Run>>,
    /// The input of each run.
    inputs: Vec<Input>,
    stretches: Vec<Stretch>,
    /// The row that each stretch ends before, once somebody has asked for a record.
    ends: OnceCell<Vec<usize>>,
}

impl Chunk {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The record that the row at a place comes from.
    pub(super) fn record(&self, place: usize) -> Option<RecordId> {
        let ends = self.ends.get_or_init(|| {
            let lens = self.stretches.iter().map(|stretch| stretch.len as usize);
            let ends = lens.scan(0, |end, len| {
                *end += len;
                Some(*end)
            });
            ends.collect()
        });
        let at = ends.partition_point(|end| *end <= place);
        let Stretch { of, start, len } = *self.stretches.get(at)?;
        let within = place + len as usize - ends[at];
        self.runs[of as usize].record(start as usize + within)
    }

    /// Whether they are rows of several inputs.
    pub(super) fn is_mixed(&self) -> bool {
        self.inputs.iter().any(|input| *input != self.input)
    }

    /// The rows, as those of a task of `partition`. All are of one input.
    pub fn rows<'a>(&'a self, partition: Partition, arena: &'a Arena) -> Rows<'a> {
        let batches: Vec<&'a OwnedRows> = self.runs.iter().map(|run| &run.rows).collect();
        OwnedRows::gather(&batches, &self.stretches, partition, arena)
    }

    /// The rows of each input, whose offsets are their places in the chunk.
    pub(super) fn by_input<'a>(
        &'a self,
        partition: Partition,
        arena: &'a Arena,
    ) -> Vec<(Input, Rows<'a>)> {
        let mut inputs: BTreeMap<Input, (Vec<Stretch>, Vec<i64>)> = BTreeMap::new();
        let mut place = 0;
        for stretch in &self.stretches {
            let input = self.inputs[stretch.of as usize];
            let (stretches, places) = inputs.entry(input).or_default();
            stretches.push(*stretch);
            places.extend((place..).take(stretch.len as usize));
            place += i64::from(stretch.len);
        }
        let inputs = inputs.into_iter().map(|(input, (stretches, places))| {
            let (runs, stretches) = self.runs_of(input, &stretches);
            let mut rows = OwnedRows::gather(&runs, &stretches, partition, arena);
            rows.meta.offsets = places.into();
            (input, rows)
        });
        inputs.collect()
    }

    /// The runs of an input, and stretches of them that count among them alone.
    fn runs_of<'a>(
        &'a self,
        input: Input,
        stretches: &[Stretch],
    ) -> (Vec<&'a OwnedRows>, Vec<Stretch>) {
        let own = |of: &usize| self.inputs[*of] == input;
        let all: Vec<usize> = (0..self.runs.len()).filter(own).collect();
        let number = |of: u32| all.partition_point(|other| *other < of as usize) as u32;
        let stretches =
            stretches.iter().map(|stretch| Stretch { of: number(stretch.of), ..*stretch });
        (all.iter().map(|of| &self.runs[*of].rows).collect(), stretches.collect())
    }
}

/// What is waited for, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// Lanes are waited for as of this time.
    At(i64),
    /// Everything that is here goes out.
    No,
}

impl Lane {
    fn head(&self) -> Option<i64> {
        self.runs.front().map(|run| run.times[self.row])
    }

    /// Whether it need not be waited for although it has no rows.
    fn is_passed_over(&mut self, waiting: Waiting, max_idle: MaxIdle) -> bool {
        match (waiting, max_idle) {
            (Waiting::No, _) | (_, MaxIdle::Never) => true,
            (Waiting::At(_), _) if !self.progress.is_at_end => false,
            (Waiting::At(now_ms), MaxIdle::Millis(millis)) => {
                self.idle = match self.idle {
                    Idle::No if millis > 0 => Idle::Since(now_ms),
                    Idle::Since(since) if now_ms.saturating_sub(since) < millis => {
                        Idle::Since(since)
                    }
                    _ => Idle::Passed,
                };
                self.idle == Idle::Passed
            }
        }
    }
}

impl Inputs {
    /// Inputs without rows; equal times go in the order of `ways`.
    pub fn new(
        ways: impl IntoIterator<Item = Way>,
        max_idle: MaxIdle,
        is_urgent: impl Fn(Input) -> bool,
    ) -> Self {
        let lane = |way: Way| Lane {
            way,
            is_urgent: is_urgent(way.lane.input),
            runs: VecDeque::new(),
            row: 0,
            progress: Progress::START,
            idle: Idle::No,
            in_chunk: None,
        };
        Self { lanes: ways.into_iter().map(lane).collect(), mixes: false, max_idle, bytes: 0 }
    }

    /// The same, but a chunk may hold rows of several inputs.
    #[must_use]
    pub fn mixed(self) -> Self {
        Self { mixes: true, ..self }
    }

    /// Adds rows, whose times do not fall, and says how far their lane is with them.
    pub fn push(&mut self, way: Way, run: Option<Run>, progress: Progress) {
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.way == way) else { return };
        let time = progress.time.max(lane.progress.time);
        if !progress.is_at_end {
            lane.idle = Idle::No;
        }
        lane.progress = Progress { time, ..progress };
        if let Some(run) = run.filter(|run| !run.rows.is_empty()) {
            debug_assert!(run.times.len() == run.rows.len());
            self.bytes += run.rows.bytes();
            lane.idle = Idle::No;
            lane.runs.push_back(Arc::new(run));
        }
    }

    /// Whether there is one way only, so that there is nothing to decide.
    pub fn is_single(&self) -> bool {
        self.lanes.len() == 1
    }

    /// Whether rows that come now on a way, up to a time, are those that come next, so that nobody has
    /// to wait with them.
    pub fn are_next(&self, way: Way, last: i64) -> bool {
        let Some(at) = self.lanes.iter().position(|lane| lane.way == way) else { return false };
        self.lanes.iter().enumerate().all(|(other, lane)| {
            if other == at {
                return lane.runs.is_empty();
            }
            let is_waited_for = match self.max_idle {
                MaxIdle::Never => false,
                MaxIdle::Millis(0) => !lane.progress.is_at_end,
                MaxIdle::Millis(_) => true,
            };
            match lane.head() {
                Some(head) => !lane.is_urgent && (last, at) < (head, other),
                None if lane.is_urgent => true,
                None => !is_waited_for || (last, at) < (lane.progress.time, other),
            }
        })
    }

    /// How far a lane has come: the highest time of its rows so far.
    pub fn lane_time(&self, id: LaneId) -> i64 {
        let lane = self.lanes.iter().find(|lane| lane.way.lane == id);
        lane.map_or(i64::MIN, |lane| lane.progress.time)
    }

    /// Whether no row waits.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.runs.is_empty())
    }

    /// About how many bytes the rows take that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How far the task is: no later row has a lower time, and whether there is none to come.
    pub fn progress(&self) -> Progress {
        let in_order = self.lanes.iter().filter(|lane| !lane.is_urgent);
        let each = in_order.map(|lane| match lane.head() {
            Some(time) => Progress { time, is_at_end: false },
            None => lane.progress,
        });
        each.reduce(Progress::with).unwrap_or(Progress { time: i64::MIN, is_at_end: true })
    }

    /// Until when rows wait for a lane that is at its end, if they do. It does not come up again once
    /// that lane is passed over, so that nobody asks again and again for nothing.
    pub fn idle_until_ms(&self) -> Option<i64> {
        let MaxIdle::Millis(millis) = self.max_idle else { return None };
        if self.is_empty() {
            return None;
        }
        let until = |lane: &Lane| match lane.idle {
            Idle::Since(since_ms) if lane.progress.is_at_end => {
                Some(since_ms.saturating_add(millis))
            }
            _ => None,
        };
        self.lanes.iter().filter_map(until).min()
    }

    /// The next rows: at most `rows_max`, of one input unless they may be mixed. None if there are none, or a lane has to be
    /// waited for.
    pub fn next(&mut self, now_ms: i64, rows_max: usize) -> Option<Chunk> {
        self.take(Waiting::At(now_ms), rows_max)
    }

    /// The next rows of those that are here, whatever may come.
    pub fn drain(&mut self, rows_max: usize) -> Option<Chunk> {
        self.take(Waiting::No, rows_max)
    }

    fn take(&mut self, waiting: Waiting, rows_max: usize) -> Option<Chunk> {
        let first = self.lanes.iter().find(|lane| !lane.runs.is_empty())?;
        let mut chunk = Chunk {
            to: first.way.to,
            input: first.way.lane.input,
            times: Vec::new(),
            is_urgent: first.is_urgent,
            runs: Vec::new(),
            inputs: Vec::new(),
            stretches: Vec::new(),
            ends: OnceCell::new(),
        };
        let mut heads = BinaryHeap::with_capacity(self.lanes.len());
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            lane.in_chunk = None;
            if let Some(time) = lane.next_time(waiting, self.max_idle) {
                heads.push(Reverse((time, at)));
            }
        }
        while let Some(Reverse((_, at))) = heads.pop() {
            let lane = &mut self.lanes[at];
            if lane.runs.is_empty() {
                break;
            }
            let Way { lane: LaneId { input, .. }, to } = lane.way;
            if chunk.is_empty() {
                (chunk.to, chunk.input, chunk.is_urgent) = (to, input, lane.is_urgent);
            }
            let is_other = chunk.to != to || (chunk.input != input && !self.mixes);
            if is_other || chunk.len() >= rows_max {
                break;
            }
            let before = heads.peek().map(|Reverse(next)| *next);
            self.bytes -= lane.take_into(&mut chunk, at, before, rows_max);
            if let Some(time) = lane.next_time(waiting, self.max_idle) {
                heads.push(Reverse((time, at)));
            }
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}

impl Lane {
    /// The time of its next row, or what is known of it; none if it is passed over.
    fn next_time(&mut self, waiting: Waiting, max_idle: MaxIdle) -> Option<i64> {
        match self.head() {
            Some(_) if self.is_urgent => Some(i64::MIN),
            Some(time) => Some(time),
            None if self.is_urgent => None,
            None => (!self.is_passed_over(waiting, max_idle)).then_some(self.progress.time),
        }
    }

    /// Moves rows of the first run that come before the lane and time of `before`; how many bytes of
    /// rows wait no more.
    fn take_into(
        &mut self,
        chunk: &mut Chunk,
        at: usize,
        before: Option<(i64, usize)>,
        rows_max: usize,
    ) -> usize {
        let Some(run) = self.runs.front() else { return 0 };
        let left = &run.times[self.row..];
        let is_next = |time: i64| {
            let time = if self.is_urgent { i64::MIN } else { time };
            before.is_none_or(|before| (time, at) < before)
        };
        // Mostly one row, or all of them.
        let len = match left.last() {
            Some(last) if is_next(*last) => left.len(),
            _ => left.iter().take_while(|time| is_next(**time)).count(),
        };
        let len = len.min(rows_max - chunk.len());
        let of = *self.in_chunk.get_or_insert_with(|| {
            chunk.runs.push(Arc::clone(run));
            chunk.inputs.push(self.way.lane.input);
            chunk.runs.len() as u32 - 1
        });
        chunk.times.extend_from_slice(&left[..len]);
        let start = self.row as u32;
        match chunk.stretches.last_mut() {
            Some(last) if last.of == of && last.start + last.len == start => last.len += len as u32,
            _ => chunk.stretches.push(Stretch { of, start, len: len as u32 }),
        }
        self.row += len;
        if self.row < run.times.len() {
            return 0;
        }
        let bytes = run.rows.bytes();
        self.runs.pop_front();
        (self.row, self.in_chunk) = (0, None);
        bytes
    }
}

/// Where the rows of a run come from.
#[derive(Clone, Debug, Default)]
pub enum RunOrigin {
    /// From one partition of a topic, and their offsets are those of its records.
    Partition(LaneId),
    /// Each from a record of its own, where that is known.
    Each(Vec<Option<RecordId>>),
    /// From nowhere that is known.
    #[default]
    Unknown,
}

impl RunOrigin {
    /// The record of a row, which has this offset in its run.
    pub(super) fn record(&self, row: usize, offset: Option<i64>) -> Option<RecordId> {
        match self {
            Self::Partition(lane) => Some(lane.record(Offset(offset?))),
            Self::Each(records) => records.get(row).copied().flatten(),
            Self::Unknown => None,
        }
    }
}

/// The highest time so far, at each row.
pub(super) fn running_times(mut highest: i64, times: &[i64]) -> Vec<i64> {
    let at = times.iter().map(|time| {
        highest = highest.max(*time);
        highest
    });
    at.collect()
}

#[cfg(test)]
mod tests;
