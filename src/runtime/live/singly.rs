//! How tasks take records after a panic: without those that are skipped, and one at a time while the
//! record is looked for that it came of.

use super::decode::{NextChunk, SourceChunk};
use super::shard::Shard;
use crate::plan::{NodeId, RepartitionId};
use crate::runtime::{LaneId, ReadRows};
use crate::types::{Arena, Offset};

impl Shard {
    /// Has its tasks go on with as many rows at once as there are.
    pub(super) fn take_batches(&mut self) {
        self.manner.is_row_by_row = false;
        self.tasks.set_row_by_row(false);
    }

    /// Takes records of a source, in the manner that is called for.
    pub(super) fn take_source<'a>(
        &mut self,
        lane: LaneId,
        node: NodeId,
        source: SourceChunk<'_, 'a>,
        arena: &'a Arena,
    ) {
        let SourceChunk { chunk, reader, read, .. } = source;
        if !self.manner.is_singly(lane, &chunk.records) {
            return self.take_source_chunk(lane, node, source, arena);
        }
        let mut row = 0;
        for at in 0..chunk.records.len() {
            let one = self.single(lane, chunk, at);
            let is_row = read.rows.meta.offsets.get(row) == Some(&chunk.records.offsets[at]);
            let is_left_out = one.records.is_empty();
            let its_row = [row as u32];
            let rows = read.rows.take(if is_row && !is_left_out { &its_row } else { &[] });
            row += usize::from(is_row);
            let rejected = read.rejected.iter().filter(|(of, _)| *of == at && !is_left_out);
            let rejected = rejected.map(|(_, rejection)| (0, rejection.clone())).collect();
            let (next, read) = (one.next, ReadRows { rows, rejected });
            let source = SourceChunk { chunk: &one, reader, read: &read, found: None };
            self.take_source_chunk(lane, node, source, arena);
            if self.stays_before(lane, next) {
                return;
            }
        }
    }

    /// Takes records of a repartition topic in the same way.
    pub(super) fn take_repartitioned<'a>(
        &mut self,
        lane: LaneId,
        topic: RepartitionId,
        chunk: &NextChunk<'a>,
        arena: &'a Arena,
    ) {
        if !self.manner.is_singly(lane, &chunk.records) {
            return self.take_repartitioned_chunk(lane, topic, chunk, arena);
        }
        for at in 0..chunk.records.len() {
            let one = self.single(lane, chunk, at);
            self.take_repartitioned_chunk(lane, topic, &one, arena);
            if self.stays_before(lane, one.next) {
                return;
            }
        }
    }

    /// One record of a chunk, or none in its place if it is skipped.
    fn single<'a>(&self, lane: LaneId, chunk: &NextChunk<'a>, at: usize) -> NextChunk<'a> {
        let offsets = &chunk.records.offsets;
        let is_skipped = self.manner.skipped.contains(&lane.record(Offset(offsets[at])));
        let records = chunk.records.taken(if is_skipped { &[] } else { std::slice::from_ref(&at) });
        let next = offsets.get(at + 1).copied().unwrap_or(chunk.next);
        NextChunk { records, next, place: None }
    }

    /// Whether a record was not taken, as it is too early for it or something has failed.
    fn stays_before(&self, lane: LaneId, next: i64) -> bool {
        self.has_failed() || self.position(lane) != Some(next)
    }
}
