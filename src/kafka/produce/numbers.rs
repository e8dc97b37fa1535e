//! The sequence numbers of one partition's batches, by which a broker tells what it has already and what is missing.
//!
//! A broker takes a batch only if its number follows the one before, so what comes behind a batch that was not taken is
//! refused too, and keeps its place. There is one exception: a broker that knows nothing of a producer takes any number
//! from it. Therefore the first batch of an identity goes alone; what follows it is sent once it is acknowledged.
use std::collections::VecDeque;
use std::time::Duration;

use super::batch::{Batch, Identity};
use crate::kafka::clock::{self, Instant};

/// How long a broker surely remembers a producer that is silent; Kafka's `producer.id.expiration.ms` is a day.
const REMEMBERED_FOR: Duration = Duration::from_mins(10);

/// The earliest batch that was given up although it had a number: nothing that stands behind it can be written with the
/// number that it has.
#[derive(Clone, Copy, Debug)]
struct Hole {
    /// The place of the batch.
    place: u64,
    /// Its number, which the next batch gets.
    sequence: i32,
}

/// Who numbers the batches of a partition, and how far.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    identity: Option<Identity>,
    next: i32,
    hole: Option<Hole>,
    /// Whether nobody knows which numbers the broker has taken.
    is_lost: bool,
    /// When a batch of this identity was last acknowledged.
    known_at: Option<Instant>,
}

impl Numbers {
    /// Whether batches can be numbered.
    pub(super) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// Whether the broker is sure to refuse a number that does not follow the one before.
    pub(super) fn is_known(&self) -> bool {
        self.known_at.is_some_and(|at| at.elapsed() < REMEMBERED_FOR)
    }

    /// Whether nothing may be sent before what is in flight is settled.
    pub(super) fn is_held(&self) -> bool {
        self.hole.is_some() || self.is_lost
    }

    /// Whether a batch that was given up stands before `batch`.
    pub(super) fn has_hole_before(&self, batch: &Batch) -> bool {
        self.hole.is_some_and(|hole| hole.place < batch.first())
    }

    /// Starts anew as `identity`.
    pub(super) fn begin(&mut self, identity: Identity, waiting: &mut VecDeque<Batch>) {
        *self = Self { identity: Some(identity), ..Self::default() };
        unnumber(waiting);
    }

    /// Numbers a batch that is to be sent.
    pub(super) fn number(&mut self, batch: &mut Batch) {
        let Some(identity) = self.identity.filter(|identity| *identity != Identity::NONE) else {
            return;
        };
        batch.identity = identity;
        if batch.sequence.is_none() {
            batch.sequence = Some(self.next);
            self.next = after(self.next, batch.records as i32);
        }
    }

    /// Notes that the broker has taken a batch.
    pub(super) fn taken(&mut self) {
        self.known_at = Some(clock::now());
    }

    /// Notes that the broker may refuse what comes next, as the partition is led by another one now, is another one, or is
    /// to be part of a new transaction.
    pub(super) fn first_goes_alone(&mut self) {
        self.known_at = None;
    }

    /// Notes that a batch will not be written; what stands behind it moves up.
    pub(super) fn give_up(&mut self, batch: &Batch) {
        let Some(sequence) = batch.sequence else { return };
        if batch.is_in_doubt {
            // It may have been written: its number is then taken, and given again it would pass for a copy.
            self.is_lost = true;
        } else if self.hole.is_none_or(|hole| batch.first() < hole.place) {
            self.hole = Some(Hole { place: batch.first(), sequence });
        }
    }

    /// Notes that the broker and we do not agree on the numbers.
    pub(super) fn lose(&mut self) {
        self.is_lost = true;
    }

    /// Brings the numbers of what waits in order, once nothing is in flight. Whether an identity is lacking.
    ///
    /// Nothing behind a hole was taken by the broker, so all numbers from there on are given again. Where nobody knows
    /// what was taken, the next epoch starts from nothing, and keeps out what is still on its way from the last one.
    pub(super) fn settle(&mut self, waiting: &mut VecDeque<Batch>) {
        if self.is_lost {
            let next = |identity: Identity| {
                identity.epoch.checked_add(1).map(|epoch| Identity { epoch, ..identity })
            };
            let identity = self.identity.and_then(next);
            *self = Self { identity, ..Self::default() };
            unnumber(waiting);
        } else if let Some(Hole { place, sequence }) = self.hole.take() {
            unnumber(waiting.iter_mut().filter(|batch| batch.first() > place));
            self.next = sequence;
        }
    }
}

fn unnumber<'b>(batches: impl IntoIterator<Item = &'b mut Batch>) {
    for batch in batches {
        batch.sequence = None;
    }
}

/// The sequence number that comes `count` after `sequence`; after the highest comes 0.
fn after(sequence: i32, count: i32) -> i32 {
    sequence.wrapping_add(count) & i32::MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::records::{BatchBuilder, HeadersRef};

    const IDENTITY: Identity = Identity { producer_id: 5, epoch: 0 };

    /// Batches of two records each, numbered.
    fn numbered(numbers: &mut Numbers, count: u64) -> VecDeque<Batch> {
        let batch = |at: u64| {
            let mut builder = BatchBuilder::new();
            for _ in 0..2 {
                builder.append(0, None, None, HeadersRef::EMPTY);
            }
            Batch::new(at, at * 2, builder)
        };
        let mut batches: VecDeque<_> = (0..count).map(batch).collect();
        numbers.begin(IDENTITY, &mut batches);
        number_all(numbers, &mut batches);
        batches
    }

    fn number_all(numbers: &mut Numbers, batches: &mut VecDeque<Batch>) {
        for batch in batches {
            numbers.number(batch);
        }
    }

    fn sequences(batches: &VecDeque<Batch>) -> Vec<Option<i32>> {
        batches.iter().map(|batch| batch.sequence).collect()
    }

    #[test]
    fn what_is_behind_a_hole_moves_up() {
        let mut numbers = Numbers::default();
        let mut batches = numbered(&mut numbers, 4);
        let gone = batches.remove(1).unwrap();
        numbers.give_up(&gone);
        assert!(numbers.is_held() && numbers.has_hole_before(&batches[1]));
        assert!(!numbers.has_hole_before(&batches[0]));
        numbers.settle(&mut batches);
        assert_eq!(sequences(&batches), [Some(0), None, None]);
        number_all(&mut numbers, &mut batches);
        assert_eq!(sequences(&batches), [Some(0), Some(2), Some(4)]);
    }

    #[test]
    fn the_first_of_two_holes_counts_whichever_is_told_first() {
        let mut numbers = Numbers::default();
        let mut batches = numbered(&mut numbers, 4);
        let later = batches.remove(2).unwrap();
        let earlier = batches.remove(0).unwrap();
        numbers.give_up(&later);
        numbers.give_up(&earlier);
        numbers.settle(&mut batches);
        number_all(&mut numbers, &mut batches);
        assert_eq!(sequences(&batches), [Some(0), Some(2)]);
    }

    #[test]
    fn numbers_that_nobody_is_sure_of_are_given_up_with_their_epoch() {
        let mut numbers = Numbers::default();
        let mut batches = numbered(&mut numbers, 2);
        numbers.taken();
        let mut doubtful = batches.pop_front().unwrap();
        doubtful.is_in_doubt = true;
        numbers.give_up(&doubtful);
        numbers.settle(&mut batches);
        assert!(!numbers.is_known());
        number_all(&mut numbers, &mut batches);
        assert_eq!((batches[0].sequence, batches[0].identity.epoch), (Some(0), 1));
    }

    #[test]
    fn after_the_last_epoch_comes_another_producer() {
        let mut numbers = Numbers::default();
        numbers.begin(Identity { producer_id: 5, epoch: i16::MAX }, &mut VecDeque::new());
        numbers.lose();
        numbers.settle(&mut VecDeque::new());
        assert!(!numbers.has_identity());
    }

    #[test]
    fn after_the_highest_number_comes_the_lowest() {
        assert_eq!((after(i32::MAX, 1), after(i32::MAX - 1, 3)), (0, 1));
    }
}
