//! Takes what leaves a topology, and turns rows into records and entries of the log.

use std::collections::BTreeMap;

use super::encode::{RepartitionEncoder, SinkWriter, Spread};
use super::given::Given;
use super::ids::RecordId;
use super::origin::{Lending, LentRows, Origin};
use super::processing_log::{LogEvent, LoggedRecord, ProcessingLogEntry};
use super::skipped::{RecordPlace, SkipCause, SkipExample};
use super::skipped_row::SkippedRow;
use super::source::SourceRecords;
use crate::expr::EvalError;
use crate::formats::{ColumnsRow, row_text};
use crate::java::time::date_text;
use crate::operators::{
    Collector, Dropped, Late, LogEntry, LoggedRow, PackedChange, QueryError, StoreChange,
};
use crate::plan::{Input, NodeId, QueryPlan, RepartitionId};
use crate::types::{Arena, Column, Offset, Partition, Rows, Schema, Timestamp};

/// How a task gives rows to other tasks: in memory if it is known how they are spread, else through
/// a topic.
pub(super) struct Rekeying {
    pub(super) encoder: RepartitionEncoder,
    pub(super) spread: Option<Spread>,
}

/// Takes what leaves a topology.
pub(super) struct TaskCollector<'t, 'a> {
    pub(super) query_id: &'t str,
    pub(super) plan: &'t QueryPlan,
    pub(super) partition: Partition,
    pub(super) sink: Option<&'t SinkWriter>,
    pub(super) repartitions: &'t BTreeMap<RepartitionId, Rekeying>,
    pub(super) given: &'t mut Given,
    /// Rows for other tasks, in memory.
    pub(super) lent: &'t mut Vec<LentRows<'a>>,
    pub(super) arena: &'a Arena,
    pub(super) batch: BatchSource<'t, 'a>,
    /// The step that takes rows now.
    pub(super) at: NodeId,
    /// The first row that came too late.
    pub(super) late: Option<(Late, Offset)>,
    /// What had moved stream time before this batch.
    pub(super) moved_before: Option<TimeMoved>,
    /// What has moved it in this batch.
    pub(super) moved: Option<TimeMoved>,
}

/// Where the rows come from that a task was given.
#[derive(Clone, Copy)]
pub(super) struct BatchSource<'t, 'a> {
    /// The records of a source.
    pub(super) records: Option<SourceRecords<'t, 'a>>,
    /// Their times on their lanes.
    pub(super) times: RowTimes<'t>,
    /// Their own times.
    pub(super) timestamps: &'t [i64],
    /// What their offsets mean.
    pub(super) origin: Origin<'a>,
}

impl BatchSource<'_, '_> {
    /// What the record holds that a row comes from, as far as the batch has it.
    fn skipped_row(&self, offset: Offset) -> SkippedRow {
        if let Some(SourceRecords { records, .. }) = self.records
            && let Ok(row) = records.offsets.binary_search(&offset.0)
        {
            return SkippedRow::of_record(records, row);
        }
        let row = self.times.offsets.binary_search(&offset.0).ok();
        let timestamp = row.and_then(|row| self.timestamps.get(row)).copied().map(Timestamp);
        SkippedRow { timestamp, ..SkippedRow::default() }
    }
}

/// Stream time, and the record that has moved it there.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeMoved {
    to: Timestamp,
    by: Option<RecordId>,
}

/// The times on their lanes of the rows that a task was given.
#[derive(Clone, Copy)]
pub(super) struct RowTimes<'t> {
    /// The offsets by which operators pass on which row another comes from; they ascend.
    pub(super) offsets: &'t [i64],
    /// Which of the rows are meant; `None` if that are all.
    pub(super) selected: Option<&'t [u32]>,
    /// The times of those that are meant.
    pub(super) times: &'t [i64],
}

impl RowTimes<'_> {
    /// The times of rows that come from them. A row that does not say where it comes from has the
    /// time of the last.
    fn of(&self, rows: &Rows<'_>) -> Vec<i64> {
        let last = self.times.last().copied().unwrap_or(i64::MIN);
        let len = self.selected.map_or(self.offsets.len(), <[u32]>::len);
        if rows.meta.offsets.len() != rows.len || len != self.times.len() {
            return vec![last; rows.len];
        }
        if self.selected.is_none() && *rows.meta.offsets == *self.offsets {
            return self.times.to_vec();
        }
        let mut at = 0;
        let mut highest = i64::MIN;
        let times = rows.meta.offsets.iter().map(|offset| {
            while self.offset(at).is_some_and(|other| other < *offset) {
                at += 1;
            }
            highest = highest.max(self.times.get(at).copied().unwrap_or(last));
            highest
        });
        times.collect()
    }

    /// The row at a place among those that are meant.
    fn row(&self, at: usize) -> Option<usize> {
        match self.selected {
            Some(selected) => selected.get(at).map(|row| *row as usize),
            None => Some(at),
        }
    }

    fn offset(&self, at: usize) -> Option<i64> {
        self.offsets.get(self.row(at)?).copied()
    }
}

impl TaskCollector<'_, '_> {
    /// Logs a row that is not written, as its record would have no time.
    fn log_untimed(&mut self, rows: &Rows<'_>, row: usize, error: &EvalError) {
        let causes: Vec<String> = error.chain().map(str::to_owned).collect();
        let cause = causes.first().cloned().unwrap_or_default();
        let message = format!("Error writing row with extracted timestamp: {cause}");
        let Some(last) = self.plan.nodes.last() else { return };
        let record = LoggedRecord::Json(columns_text(&rows.value, row, &last.schema));
        let (step, offset) = (last.name.clone(), rows.meta.offset(row));
        self.log_record(LogEntry { step, message, causes, offset }, Some(record));
    }

    fn log_record(&mut self, entry: LogEntry, record: Option<LoggedRecord>) {
        let LogEntry { step, message, causes, offset } = entry;
        let place = self.batch.origin.record(offset);
        self.given.nodes.at(self.at).failed += 1;
        let (plan, batch) = (self.plan, self.batch);
        self.given.skipped.add(SkipCause::FailedExpression, 1, || {
            let causes = causes.iter().map(String::as_str);
            let java: Vec<&str> = std::iter::once(&*message).chain(causes).collect();
            let place = place.map(|id| place_of(plan, id));
            let row = batch.skipped_row(offset).or_value(record.as_ref().map(LoggedRecord::text));
            SkipExample::new(place, &format!("in step {step}"), &java).with_row(row)
        });
        let logger = format!("processing.{}.{step}", self.query_id);
        let event = LogEvent::Processing { message, record, causes };
        self.given.log.push(ProcessingLogEntry { logger, event });
    }

    /// The text of a row that a step read, for the log.
    fn row_text(&self, step: &str, row: &LoggedRow<'_, '_>) -> Option<LoggedRecord> {
        match *row {
            LoggedRow::None => None,
            LoggedRow::Columns(columns, row) => {
                let schema = self.plan.input_schema(step)?;
                Some(LoggedRecord::Json(columns_text(columns, row, schema)))
            }
            LoggedRow::Text(text) => Some(LoggedRecord::Text(text.to_owned())),
            LoggedRow::Source(offset) => {
                let SourceRecords { reader, records } = self.batch.records?;
                let row = records.offsets.iter().position(|other| *other == offset)?;
                let arena = Arena::new();
                let columns: Vec<Column<'_>> = reader.full_row(records, row, &arena);
                let types: Vec<_> = reader.frame().iter().map(|column| column.ty.clone()).collect();
                let row = ColumnsRow { columns: &columns, row: 0 };
                Some(LoggedRecord::Json(row_text(&row, &types)))
            }
        }
    }
}

/// The JSON text of the columns of a row.
fn columns_text(columns: &[Column<'_>], row: usize, schema: &Schema) -> String {
    let types: Vec<_> = schema.value.iter().zip(columns).map(|(def, _)| def.ty.clone()).collect();
    row_text(&ColumnsRow { columns, row }, &types)
}

impl<'a> Collector<'a> for TaskCollector<'_, 'a> {
    fn sink(&mut self, rows: &Rows<'_>) -> Result<(), QueryError> {
        let sink = match self.sink {
            None => return Ok(()),
            Some(SinkWriter::Topic(sink)) => sink,
            Some(SinkWriter::Client(packer)) => {
                (0..rows.len).for_each(|row| packer.write(rows, row, &mut self.given.output));
                return Ok(());
            }
        };
        for row in 0..rows.len {
            match sink.time(rows, row) {
                Ok(timestamp_ms) => sink.write(rows, row, timestamp_ms, &mut self.given.output)?,
                Err(error) => self.log_untimed(rows, row, &error),
            }
        }
        Ok(())
    }

    fn repartition(&mut self, topic: RepartitionId, rows: &Rows<'a>) -> Result<(), QueryError> {
        let Some(Rekeying { encoder, spread }) = self.repartitions.get(&topic) else {
            return Ok(());
        };
        self.given.nodes.at(self.at).given += rows.len as u64;
        match spread {
            Some(spread) => {
                let BatchSource { origin, times, .. } = self.batch;
                let lending = Lending { arena: self.arena, origin, lent: self.lent };
                encoder.hand_over(rows, times.of(rows), *spread, lending)
            }
            None => encoder.write(rows, &mut self.given.output),
        }
    }

    fn enters(&mut self, step: NodeId) {
        self.at = step;
    }

    fn passed(&mut self, taken: usize, given: usize) {
        let is_source = self.plan.node(self.at).kind.source().is_some();
        let count = self.given.nodes.at(self.at);
        count.given += given as u64;
        if !is_source {
            // What a source takes are records, counted where they come in.
            count.taken += taken as u64;
        }
    }

    fn changed(&mut self, change: StoreChange<'_>) {
        self.given.changelog.add(self.partition, &change);
    }

    fn changed_packed(&mut self, change: PackedChange<'_>) {
        self.given.changelog.add_packed(self.partition, &change);
    }

    fn log(&mut self, entry: LogEntry, row: LoggedRow<'_, '_>) {
        let record = self.row_text(&entry.step, &row);
        self.log_record(entry, record);
    }

    fn dropped(&mut self, reason: Dropped, first: Offset, count: u64) {
        let (cause, ours) = match reason {
            Dropped::Late(late) => {
                self.late.get_or_insert((late, first));
                self.given.nodes.at(self.at).late += count;
                *self.given.skipped.counts.get_mut(SkipCause::Late) += count;
                return;
            }
            Dropped::NullKey => (SkipCause::NullKey, "it has no key, which is needed here"),
            Dropped::NullValue => (SkipCause::NullValue, "it has no value, which is needed here"),
            Dropped::Repeated => {
                (SkipCause::Repeated, "the state has it already, or one that comes after it")
            }
        };
        self.given.nodes.at(self.at).failed += count;
        let (plan, batch) = (self.plan, self.batch);
        self.given.skipped.add(cause, count, || {
            let place = batch.origin.record(first).map(|id| place_of(plan, id));
            SkipExample::new(place, ours, &[]).with_row(batch.skipped_row(first))
        });
    }

    fn time_moved(&mut self, to: Timestamp, by: Offset) {
        self.moved = Some(TimeMoved { to, by: self.batch.origin.record(by) });
    }
}

/// Where a record lies, by the names of a plan.
pub(super) fn place_of(plan: &QueryPlan, id: RecordId) -> RecordPlace {
    let topic = match id.input {
        Input::Source(node) => plan.node(node).kind.source().map(|source| source.topic.clone()),
        Input::Repartition(id) => {
            let mut topics = plan.repartitions();
            topics.find(|(other, ..)| *other == id).map(|(_, _, topic)| topic.name.clone())
        }
    };
    let topic = topic.unwrap_or_default();
    RecordPlace { topic, partition: id.partition, offset: id.offset }
}

impl TaskCollector<'_, '_> {
    /// Ends the batch; what has moved stream time last.
    pub(super) fn finish(self) -> Option<TimeMoved> {
        if let Some((late, offset)) = self.late {
            let example = self.late_example(late, offset);
            self.given.skipped.describe(SkipCause::Late, || example);
        }
        self.moved.or(self.moved_before)
    }

    fn late_example(&self, late: Late, offset: Offset) -> SkipExample {
        let Late { at, window, stream_time } = late;
        let place = |id: RecordId| place_of(self.plan, id);
        let [at, start, end, now] = [at, window.start, window.end, stream_time].map(utc);
        let mover = self.mover(stream_time).map(place);
        let mover = mover.map(|by| format!(", to where {by} has moved stream time"));
        let reason = format!(
            "its time is {at}, and its window from {start} to {end} is closed since {now}{}",
            mover.unwrap_or_default()
        );
        let example = SkipExample::new(self.batch.origin.record(offset).map(place), &reason, &[]);
        example.with_row(self.batch.skipped_row(offset))
    }

    /// The record that moved stream time to where it was within the batch.
    fn mover(&self, stream_time: Timestamp) -> Option<RecordId> {
        let known = self.moved_before.iter().chain(&self.moved);
        if let Some(moved) = known.into_iter().find(|moved| moved.to == stream_time) {
            return moved.by;
        }
        let BatchSource { times, timestamps, origin, .. } = self.batch;
        let is_it = |row: &usize| timestamps.get(*row) == Some(&stream_time.0);
        let mut rows = (0..times.times.len()).filter_map(|at| times.row(at));
        let row = rows.find(is_it)?;
        origin.record(Offset(*times.offsets.get(row)?))
    }
}

/// A time as people read it.
fn utc(at: Timestamp) -> String {
    const DAY_MS: i64 = 86_400_000;
    let (day, ms) = (at.0.div_euclid(DAY_MS), at.0.rem_euclid(DAY_MS));
    let (seconds, millis) = (ms / 1_000, ms % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{} {hour:02}:{minute:02}:{second:02}.{millis:03} UTC", date_text(day))
}
