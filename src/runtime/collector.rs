//! Takes what leaves a topology, and turns rows into records and entries of the log.

use std::collections::BTreeMap;

use super::encode::{Lending, LentRows, RepartitionEncoder, SinkEncoder, Spread};
use super::output::{Placing, Target};
use super::processing_log::{LogEvent, LoggedRecord, ProcessingLogEntry};
use super::source::{RawRecords, SourceReader};
use super::task::Given;
use crate::expr::EvalError;
use crate::formats::{ColumnsRow, row_text};
use crate::operators::{Collector, Dropped, LogEntry, LoggedRow, QueryError, StoreChange};
use crate::plan::{QueryPlan, RepartitionId};
use crate::types::{Arena, Column, Partition, Rows, Schema};

/// The records that rows of a source come from, which are read again for the log.
#[derive(Clone, Copy)]
pub struct SourceRecords<'t, 'a> {
    /// Reads them.
    pub reader: &'t SourceReader,
    /// The records.
    pub records: &'t RawRecords<'a>,
}

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
    pub(super) sink: Option<&'t SinkEncoder>,
    pub(super) repartitions: &'t BTreeMap<RepartitionId, Rekeying>,
    pub(super) given: &'t mut Given,
    /// Rows for other tasks, in memory.
    pub(super) lent: &'t mut Vec<LentRows<'a>>,
    pub(super) arena: &'a Arena,
    pub(super) origin: Origin<'t, 'a>,
}

/// Where the rows come from that a task was given.
#[derive(Clone, Copy)]
pub(super) struct Origin<'t, 'a> {
    /// The records of a source.
    pub(super) records: Option<SourceRecords<'t, 'a>>,
    /// Their times on their lanes.
    pub(super) times: RowTimes<'t>,
}

/// The times on their lanes of the rows that a task was given.
#[derive(Clone, Copy)]
pub(super) struct RowTimes<'t> {
    /// The offsets by which operators pass on which row another comes from; they ascend.
    pub(super) offsets: &'t [i64],
    pub(super) times: &'t [i64],
}

impl RowTimes<'_> {
    /// The times of rows that come from them. A row that does not say where it comes from has the
    /// time of the last.
    fn of(&self, rows: &Rows<'_>) -> Vec<i64> {
        let last = self.times.last().copied().unwrap_or(i64::MIN);
        if rows.meta.offsets.len() != rows.len || self.offsets.len() != self.times.len() {
            return vec![last; rows.len];
        }
        if rows.meta.offsets == self.offsets {
            return self.times.to_vec();
        }
        let mut at = 0;
        let mut highest = i64::MIN;
        let times = rows.meta.offsets.iter().map(|offset| {
            while self.offsets.get(at).is_some_and(|other| other < offset) {
                at += 1;
            }
            highest = highest.max(self.times.get(at).copied().unwrap_or(last));
            highest
        });
        times.collect()
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
        self.log_record(LogEntry { step: last.name.clone(), message, causes }, Some(record));
    }

    fn log_record(&mut self, entry: LogEntry, record: Option<LoggedRecord>) {
        self.given.counts.failed_rows += 1;
        let LogEntry { step, message, causes } = entry;
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
                let SourceRecords { reader, records } = self.origin.records?;
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
        let Some(sink) = self.sink else { return Ok(()) };
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
        match spread {
            Some(spread) => {
                let lending = Lending { arena: self.arena, lent: self.lent };
                encoder.hand_over(rows, self.origin.times.of(rows), *spread, lending)
            }
            None => encoder.write(rows, &mut self.given.output),
        }
    }

    fn changed(&mut self, change: StoreChange<'_>) {
        let placing = Placing::Partition(self.partition.0);
        let target = Target::Changelog(change.store);
        let mut record = self.given.changelog.begin(target, placing, change.timestamp_ms);
        record.copy(change.key, change.value);
        record.finish();
    }

    fn log(&mut self, entry: LogEntry, row: LoggedRow<'_, '_>) {
        let record = self.row_text(&entry.step, &row);
        self.log_record(entry, record);
    }

    fn dropped(&mut self, reason: Dropped, count: u64) {
        match reason {
            Dropped::Late => self.given.counts.late += count,
            Dropped::NullKey | Dropped::NullValue => self.given.counts.null_keys += count,
        }
    }
}
