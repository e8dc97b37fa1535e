//! What a worker has of a query: its tasks, where they are, and what they may take.
//!
//! ```text
//! Start ─▶ held ─GoOn─▶ running ─Cut─▶ cut ─ReadTo─▶ level ─Drain─▶ drained ─Release─▶ held
//!                         ▲                                            │
//!                         └────────────── Release, and go on ──────────┘
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::decode::RepartitionReader;
use super::definitions::DefinitionId;
use super::figures::Figures;
use super::ids::SessionId;
use super::lane_figures::LaneFigures;
use super::lane_start::LaneStart;
use super::lost::{Lost, LostRange};
use super::manner::Manner;
use super::message::{Event, Start};
use super::pressure::Pressure;
use super::progress_round::WrittenUpTo;
use super::session_figures::SessionFigures;
use super::track::Wish;
use super::trail::Trail;
use crate::expr::RandomSource;
use crate::kafka::TopicId;
use crate::kafka::admin::OffsetSpec;
use crate::plan::{Input, NodeId, RepartitionId, Sought, SubTopologyId};
use crate::runtime::panics::guard;
use crate::runtime::{FaultRules, LaneId, Panic, Surroundings, Tasks, clock};

/// A query on a worker.
pub(super) struct Shard {
    pub(super) id: SessionId,
    pub(super) worker: usize,
    pub(super) tasks: Tasks,
    pub(super) lanes: BTreeMap<LaneId, Lane>,
    pub(super) stage: Stage,
    /// The time of the cut, while there is a barrier.
    pub(super) cut_time: i64,
    /// How many commits have begun.
    pub(super) interval: u64,
    stops_at_lost_records: bool,
    pub(super) world: World,
    pub(super) events: UnboundedSender<Event>,
    pub(super) pressure: Arc<Pressure>,
    /// Lanes that have moved, which others learn with what has come of their rows; up to where a barrier has read them, if
    /// one has.
    pub(super) moved: BTreeMap<LaneId, Option<i64>>,
    pub(super) trail: Arc<Trail>,
    pub(super) manner: Manner,
    pub(super) figures: Arc<Figures>,
    /// What others see of it as long as its session lasts.
    pub(super) session: Arc<SessionFigures>,
    pub(super) repartitions: BTreeMap<RepartitionId, RepartitionReader>,
    /// Whether nothing of it waits for anything: each row goes straight through.
    pub(super) is_plain: bool,
    /// Whether anything was done since what came of it was handed on.
    pub(super) has_worked: bool,
}

/// What evaluation gets from outside.
pub(super) struct World {
    fault_rules: FaultRules,
    random: Box<dyn RandomSource + Send>,
}

impl World {
    /// The world as it is now.
    pub(super) fn now(&self) -> Surroundings<'_> {
        let fault_rules = self.fault_rules;
        Surroundings { now: clock::now(), random: &*self.random, fault_rules }
    }
}

/// A partition that it reads.
pub(super) struct Lane {
    topic: Arc<str>,
    topic_id: TopicId,
    pub(super) position: i64,
    /// Where the partition ends, as far as is known.
    pub(super) end: i64,
    /// Where it is to be read on if its position is not there any more.
    reset: OffsetSpec,
    /// Where it is read no further.
    pub(super) stop: Option<i64>,
    /// Where it goes on once it has come to records that were deleted.
    pub(super) jump: Option<Jump>,
    /// Whether the worker gives it what is fetched.
    is_attached: bool,
    /// Where its tasks know that it is at its end: until when, by the wall clock, it is waited for there.
    pub(super) noted_at_end: Option<i64>,
    /// How many records it is likely to take at once at most.
    pub(super) records: i64,
    /// The next row, where it came too early to be taken.
    pub(super) next: Option<NextRow>,
    pub(super) definition: Option<DefinitionId>,
    /// The value that its rows have to have for the tasks to take any notice of them.
    pub(super) sought: Option<Arc<Sought>>,
    /// How far it is written, where it is a repartition topic that is not read so far yet.
    pub(super) written: Option<WrittenUpTo>,
    /// Whether its next records are of a schema that is not known yet, so that it waits.
    pub(super) lacks_schema: bool,
    pub(super) figures: Arc<LaneFigures>,
}

/// Offsets that are left out: whoever has come to `from` goes on at `to`.
#[derive(Clone, Copy)]
pub(super) struct Jump {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// A row that is not taken yet.
#[derive(Clone, Copy)]
pub(super) struct NextRow {
    pub(super) position: i64,
    pub(super) time: i64,
}

impl Lane {
    pub(super) fn is_at_end(&self) -> bool {
        self.position >= self.end || self.is_over()
    }

    /// Whether it is read no further.
    fn is_over(&self) -> bool {
        self.stop.is_some_and(|stop| self.position >= stop)
    }

    /// Lets others see how far it is.
    pub(super) fn publish(&self) {
        self.figures.note_place(self.position, self.end);
    }

    /// The time of its next row, if that is known.
    pub(super) fn next_time(&self) -> Option<i64> {
        self.next.filter(|next| next.position == self.position).map(|next| next.time)
    }
}

/// Where it stands.
pub(super) enum Stage {
    /// Its tasks take what comes.
    Running,
    /// The barrier: nothing is taken.
    Cut,
    /// The barrier: rows are taken up to a time, or up to where each partition ended.
    Reading { until: i64, ends: BTreeMap<LaneId, i64> },
    /// The barrier: caches of a sub-topology are given away.
    Draining(SubTopologyId),
    /// The barrier: they are given away, but not all that came of it may be with the other workers.
    Drained,
    /// It waits to be told to go on.
    Held,
    /// It has failed.
    Failed,
}

impl Shard {
    pub(super) fn new(
        id: SessionId,
        worker: usize,
        start: Start,
        random: Box<dyn RandomSource + Send>,
    ) -> Self {
        let stops_at_lost_records = start.stops_at_lost_records;
        let Start { mut tasks, lanes, fault_rules, events, pressure, .. } = start;
        let Start { trail, manner, figures, session, .. } = start;
        tasks.set_row_by_row(manner.is_row_by_row);
        let lane = |start: LaneStart| {
            let LaneStart { lane, topic, topic_id, position, end, reset, stop } = start;
            let lane_state = Lane {
                figures: session.lane(lane)?,
                topic,
                topic_id,
                position,
                end,
                reset,
                stop,
                jump: None,
                is_attached: false,
                noted_at_end: None,
                records: i64::MAX,
                next: None,
                definition: None,
                sought: None,
                written: None,
                lacks_schema: false,
            };
            Some((lane, lane_state))
        };
        let is_unordered = lanes.iter().all(|start| !pressure.is_ordered(start.lane));
        let is_plain = is_unordered && tasks.layout().plan().has_no_memory();
        Self {
            id,
            worker,
            is_plain,
            has_worked: true,
            tasks,
            lanes: lanes.into_iter().filter_map(lane).collect(),
            stage: Stage::Held,
            cut_time: i64::MIN,
            interval: 0,
            stops_at_lost_records,
            world: World { fault_rules, random },
            events,
            pressure,
            moved: BTreeMap::new(),
            trail,
            manner,
            figures,
            session,
            repartitions: BTreeMap::new(),
        }
    }

    /// Does something with its tasks, unless it has failed; a panic in that fails it.
    pub(super) fn guard(&mut self, work: impl FnOnce(&mut Self)) {
        if self.has_failed() {
            return;
        }
        if let Err(panic) = guard(|| work(self)) {
            self.fail_of(panic);
        }
    }

    /// Stops after a panic. What the tasks have given since they gave something away last may be the
    /// half of something, and goes nowhere.
    fn fail_of(&mut self, panic: Panic) {
        self.stage = Stage::Failed;
        self.tell(Event::Failed { error: panic.into(), record: self.tasks.at() });
    }

    /// Whether there is nothing to do for it before something comes.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_between = matches!(self.stage, Stage::Running | Stage::Held | Stage::Failed);
        self.is_plain && !self.has_worked && is_between
    }

    /// Whether it takes nothing before it is told to.
    pub(super) fn is_resting(&self) -> bool {
        matches!(self.stage, Stage::Held | Stage::Failed)
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.stage, Stage::Failed)
    }

    /// Notes how a source is read, and which of its rows count if those do not that lack a value.
    pub(super) fn set_definition(&mut self, source: NodeId, definition: DefinitionId) {
        let sought = self.tasks.layout().plan().sought(source).map(Arc::new);
        let input = Input::Source(source);
        for (_, lane) in self.lanes.iter_mut().filter(|(lane, _)| lane.input == input) {
            lane.definition = Some(definition);
            lane.sought.clone_from(&sought);
        }
    }

    /// Notes that the next records of a lane are of a schema that is asked for.
    pub(super) fn set_lacking(&mut self, lane: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.lacks_schema = true;
        }
    }

    /// Whether records of a lane wait for their schema.
    pub(super) fn lacks_schemas(&self) -> bool {
        self.lanes.values().any(|lane| lane.lacks_schema)
    }

    /// Has all lanes look again whether they know the schemas of their records.
    pub(super) fn look_at_schemas(&mut self) {
        self.lanes.values_mut().for_each(|lane| lane.lacks_schema = false);
    }

    /// How the rows of a lane are read, and which of them count.
    pub(super) fn reads(&self, lane: LaneId) -> Option<(DefinitionId, Option<&Sought>)> {
        let lane = self.lanes.get(&lane)?;
        Some((lane.definition?, lane.sought.as_deref()))
    }

    pub(super) fn position(&self, lane: LaneId) -> Option<i64> {
        self.lanes.get(&lane).map(|lane| lane.position)
    }

    /// Lanes that would take something but are not given anything: where they are to be read.
    pub(super) fn detached(&mut self) -> Vec<LaneStart> {
        let wanting: Vec<LaneId> = self
            .lanes
            .iter()
            .filter(|(_, lane)| !lane.is_attached)
            .map(|(id, _)| *id)
            .filter(|id| self.wish(*id).is_some_and(|wish| wish.until.is_some()))
            .collect();
        let start = |id: LaneId| {
            let lane = self.lanes.get_mut(&id)?;
            lane.is_attached = true;
            let topic = Arc::clone(&lane.topic);
            let Lane { topic_id, position, end, reset, stop, .. } = *lane;
            Some(LaneStart { lane: id, topic, topic_id, position, end, reset, stop })
        };
        wanting.into_iter().filter_map(start).collect()
    }

    /// Whether it would take more if its outbox and its other lanes let it.
    pub(super) fn is_blocked(&self) -> bool {
        match self.stage {
            Stage::Draining(_) | Stage::Drained => true,
            Stage::Running | Stage::Reading { .. } => {
                self.lanes.values().any(|lane| !lane.is_attached)
            }
            Stage::Cut | Stage::Held | Stage::Failed => false,
        }
    }

    /// Notes that a lane is given nothing more.
    pub(super) fn set_detached(&mut self, lane: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.is_attached = false;
        }
    }

    /// Lets a lane go on behind records that were deleted, or stops the query; where it goes on.
    pub(super) fn skip_lost(&mut self, id: LaneId, lost: &LostRange) -> Option<i64> {
        let lane = self.lanes.get_mut(&id)?;
        if lane.position > lost.position {
            return Some(lane.position);
        }
        let lost = Lost { range: lost.clone(), reset: lane.reset };
        match lost.take(&self.id.query, self.stops_at_lost_records) {
            Ok(()) => {
                let to = lost.goes_on_at();
                lane.jump = Some(Jump { from: lost.range.position, to });
                Some(to)
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Whether a lane takes nothing before the first commit.
    pub(super) fn is_held(&self, id: LaneId) -> bool {
        self.manner.holds_repartitions && self.meets_repartition(id)
    }

    /// Whether the rows of a lane come to tasks that read a repartition topic.
    pub(super) fn meets_repartition(&self, id: LaneId) -> bool {
        let layout = self.tasks.layout();
        let inputs = layout.reader_of(id.input).map_or(&[][..], |part| layout.inputs(part));
        inputs.iter().any(|input| matches!(input, Input::Repartition(_)))
    }

    /// How many records of repartition topics are not read yet.
    pub(super) fn unread(&self) -> usize {
        if self.tasks.layout().is_in_memory() {
            return 0;
        }
        let lanes = self.lanes.iter().filter(|(id, _)| matches!(id.input, Input::Repartition(_)));
        lanes.map(|(_, lane)| usize::try_from(lane.end - lane.position).unwrap_or(0)).sum()
    }

    /// What a lane wants of its partition.
    pub(super) fn wish(&self, id: LaneId) -> Option<Wish> {
        let lane = self.lanes.get(&id)?;
        let until = match &self.stage {
            _ if self.is_held(id) || lane.lacks_schema || lane.is_over() => None,
            Stage::Running => self.running_until(id),
            Stage::Reading { until, ends } => {
                // Others may wait for what has come to the end that it had.
                let is_read = |end: &i64| lane.position < *end || self.pressure.is_even(id);
                let is_read = ends.get(&id).is_some_and(is_read);
                is_read.then_some(self.even_until(id).min(*until))
            }
            _ => None,
        };
        let is_open = |until: &i64| self.next_time(id).is_none_or(|time| time <= *until);
        let (position, until) = (lane.position, until.filter(is_open));
        Some(Wish { position, until, records: lane.records })
    }

    /// Up to which time a lane takes rows while nothing special goes on.
    fn running_until(&self, id: LaneId) -> Option<i64> {
        if self.pressure.is_outbox_full() {
            return None;
        }
        if !self.pressure.is_ordered(id) {
            return Some(i64::MAX);
        }
        if self.tasks.layout().goes_by_block() && !self.is_last_here(id) {
            return None;
        }
        if self.pressure.is_waiting_full()
            && !self.pressure.is_waited_for(id, self.own_mark(id), clock::now().0)
        {
            return None;
        }
        Some(self.even_until(id))
    }

    /// Up to which time a lane takes rows, so that it is not far ahead of others.
    fn even_until(&self, id: LaneId) -> i64 {
        match self.pressure.ahead_ms() {
            Some(ahead_ms) => self.pressure.others(id).saturating_add(ahead_ms),
            None => i64::MAX,
        }
    }

    /// Whether no other lane on this worker is further behind, so that its rows come next, and need
    /// not be put aside.
    fn is_last_here(&self, id: LaneId) -> bool {
        let own = (self.own_mark(id), id);
        let others = self.lanes.iter().filter(|(other, lane)| {
            **other != id && !lane.is_at_end() && self.pressure.is_ordered(**other)
        });
        others.into_iter().all(|(other, _)| own < (self.own_mark(*other), *other))
    }

    /// The time that the next row of a lane goes by, if that is known.
    pub(super) fn next_time(&self, id: LaneId) -> Option<i64> {
        let lane = self.lanes.get(&id)?;
        self.tasks.next_time(id, lane.position).or_else(|| lane.next_time())
    }

    /// How far a lane has come: the time of its next row, if that is known.
    pub(super) fn own_mark(&self, id: LaneId) -> i64 {
        let taken = self.tasks.taken_time(id);
        self.next_time(id).map_or(taken, |next| next.max(taken))
    }
}
