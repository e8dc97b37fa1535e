//! A partition as a worker holds it: what was fetched and not processed, and who reads it.
//!
//! ```text
//!        start                         fetched up to
//!          ├───── batches ─────┬───────────┤
//!          ▲ query that lags   ▲ the other queries: one decode for all of them
//! ```

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::decode::Place;
use super::ids::QueryId;
use super::topic_figures::PartitionFigures;
use crate::kafka::fetch::FetchedPartition;
use crate::plan::Input;
use crate::runtime::clock;

/// By how many records readers may be behind that others wait for.
const CATCH_UP_RECORDS: i64 = 1_000_000;

/// How long after its last move a reader still counts as one that moves.
const MOVES_WITHIN: Duration = Duration::from_millis(100);

/// Who reads a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TrackReader {
    pub(super) query: QueryId,
    pub(super) input: Input,
}

/// What a reader wants of its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) position: i64,
    /// Up to which time it takes rows; `None` if it takes nothing now.
    pub(super) until: Option<i64>,
    /// How many records it is likely to take at most, so that no more are decoded.
    pub(super) records: i64,
}

/// Records that are processed next, and by whom.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Which of the batches that wait.
    pub(super) batch: usize,
    pub(super) offsets: Range<i64>,
    /// Which of the readers.
    pub(super) readers: Vec<usize>,
}

/// A partition that is read.
#[derive(Debug)]
pub(super) struct Track {
    /// What was fetched, in order.
    pub(super) batches: VecDeque<FetchedPartition>,
    /// The offset of the first record that is here, or comes next.
    start: i64,
    /// The offset of the next record that is fetched.
    fetched: i64,
    /// Where the partition ended when it was fetched last.
    pub(super) end: i64,
    pub(super) readers: Vec<TrackReader>,
    bytes: usize,
    /// Where the reader is that others wait for, and since when.
    held_up: Option<(i64, Instant)>,
    /// When a reader moved on last.
    moved_at: Instant,
    /// Where the next record is, if that is known.
    pub(super) place: Option<Place>,
    pub(super) figures: Arc<PartitionFigures>,
}

impl Track {
    /// A partition that is fetched from `start` on.
    pub(super) fn new(start: i64, end: i64, figures: Arc<PartitionFigures>) -> Self {
        Self {
            figures,
            batches: VecDeque::new(),
            start,
            fetched: start,
            end,
            readers: Vec::new(),
            bytes: 0,
            held_up: None,
            moved_at: clock::instant(),
            place: None,
        }
    }

    /// How many bytes are here.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How long the reader that is furthest behind has been at `position`, while others wait for it.
    pub(super) fn held_up_for(&mut self, position: i64, now: Instant) -> Duration {
        let (_, since) = match self.held_up {
            Some(at) if at.0 == position => at,
            _ => *self.held_up.insert((position, now)),
        };
        now.saturating_duration_since(since)
    }

    /// Whether it pays for who is at `position` of another reading to wait for the readers here, so
    /// that all go on together: they move, and are behind by less than is still to come.
    pub(super) fn is_catching_up(&self, position: i64, now: Instant) -> bool {
        let behind = position.saturating_sub(self.start);
        behind > 0
            && behind <= self.end.saturating_sub(position).min(CATCH_UP_RECORDS)
            && self.is_moving(now)
    }

    /// Whether the reader that is furthest behind has moved just now.
    pub(super) fn is_moving(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.moved_at) < MOVES_WITHIN
    }

    /// The topic, where something of it is here.
    pub(super) fn topic_of(&self, batch: usize) -> String {
        self.batches.get(batch).map(|batch| batch.partition.topic.to_string()).unwrap_or_default()
    }

    /// Takes in what was fetched.
    pub(super) fn push(&mut self, fetched: FetchedPartition) {
        self.fetched = fetched.next_offset;
        self.end = self.end.max(fetched.last_stable_offset);
        self.bytes += fetched.bytes;
        self.figures.note_fetched(fetched.position..fetched.next_offset, fetched.bytes);
        self.batches.push_back(fetched);
    }

    /// Whether a reader at `position` may read here: its records are here, or are fetched next.
    pub(super) fn has(&self, position: i64) -> bool {
        position >= self.start && (position <= self.fetched || self.fetched >= self.end)
    }

    /// Whether nothing is here although there is more.
    pub(super) fn is_lacking(&self) -> bool {
        self.batches.is_empty() && self.fetched < self.end
    }

    /// The records to be processed next: those of the readers furthest behind that take any, up to
    /// where the next reader is, so that they go on together.
    pub(super) fn next_turn(&self, wishes: &[Option<Wish>]) -> Option<Turn> {
        let here =
            |position: i64| self.batches.iter().position(|batch| batch.next_offset > position);
        let takes = |wish: &Wish| wish.until.is_some() && here(wish.position).is_some();
        let known = wishes.iter().flatten();
        let from = known.clone().filter(|wish| takes(wish)).map(|wish| wish.position).min()?;
        let to = known.map(|wish| wish.position).filter(|position| *position > from).min();
        let takes_here = |wish: &Wish| wish.position == from && wish.until.is_some();
        let readers =
            wishes.iter().enumerate().filter(|(_, wish)| wish.as_ref().is_some_and(takes_here));
        let records = wishes.iter().flatten().filter(|wish| takes_here(wish));
        let records = records.map(|wish| wish.records).max().unwrap_or(i64::MAX);
        Some(Turn {
            batch: here(from)?,
            offsets: from..to.unwrap_or(i64::MAX).min(from.saturating_add(records)),
            readers: readers.map(|(reader, _)| reader).collect(),
        })
    }

    /// Forgets what lies before `position`; how many bytes that were.
    pub(super) fn forget_before(&mut self, position: i64) -> usize {
        let start = self.start.max(position.min(self.fetched));
        if start > self.start {
            (self.start, self.moved_at) = (start, clock::instant());
        }
        let before = self.bytes;
        while self.batches.front().is_some_and(|batch| batch.next_offset <= position) {
            self.bytes -= self.batches.pop_front().map_or(0, |batch| batch.bytes);
        }
        before - self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::TopicPartition;
    use crate::plan::NodeId;

    fn fetched(offsets: Range<i64>) -> FetchedPartition {
        FetchedPartition {
            partition: TopicPartition::new("t", 0),
            position: offsets.start,
            next_offset: offsets.end,
            high_watermark: 100,
            last_stable_offset: 100,
            batches: Vec::new(),
            bytes: 10,
        }
    }

    fn track() -> Track {
        let mut track = Track::new(0, 0, Arc::default());
        let reader =
            |query: &str| TrackReader { query: query.into(), input: Input::Source(NodeId(0)) };
        track.readers = ["a", "b", "c"].map(reader).into();
        track.push(fetched(0..10));
        track.push(fetched(10..20));
        track
    }

    fn takes(position: i64) -> Wish {
        Wish { position, until: Some(i64::MAX), records: i64::MAX }
    }

    fn waits(position: i64) -> Wish {
        Wish { position, until: None, records: i64::MAX }
    }

    #[test]
    fn who_is_behind_reads_first_up_to_the_others_and_then_all_together() {
        let track = track();
        let turn = |wishes: [Wish; 3]| {
            let wishes = wishes.map(Some);
            track.next_turn(&wishes).map(|turn| (turn.batch, turn.offsets, turn.readers))
        };
        assert_eq!(turn([takes(5), takes(3), takes(5)]), Some((0, 3..5, vec![1])));
        assert_eq!(turn([takes(5), takes(5), takes(5)]), Some((0, 5..i64::MAX, vec![0, 1, 2])));
        // Who does not want holds nobody up, but the others stop where it is to join them.
        assert_eq!(turn([takes(5), waits(3), waits(8)]), Some((0, 5..8, vec![0])));
        assert_eq!(turn([takes(12), waits(3), waits(3)]), Some((1, 12..i64::MAX, vec![0])));
        assert_eq!(turn([takes(20), waits(3), waits(3)]), None);
        // Where all who read take a few only, no more are decoded.
        let few = |position| Wish { records: 2, ..takes(position) };
        assert_eq!(turn([few(5), few(5), waits(3)]), Some((0, 5..7, vec![0, 1])));
        assert_eq!(turn([few(5), takes(5), waits(3)]), Some((0, 5..i64::MAX, vec![0, 1])));
    }

    #[test]
    fn what_everybody_has_read_is_forgotten() {
        let mut track = track();
        assert_eq!(track.forget_before(9), 0);
        assert_eq!(track.forget_before(10), 10);
        assert!(track.has(10) && track.has(20) && !track.has(9) && !track.has(21));
        assert_eq!(track.forget_before(20), 10);
        assert!(track.is_lacking());
        // At its end, whoever is a little ahead waits for what comes.
        track.push(fetched(20..100));
        assert!(track.has(120));
    }
}
