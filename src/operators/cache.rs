//! A record cache, of an aggregation or a table: in which order groups or rows wait to be given away.

use std::collections::VecDeque;

/// Groups that changed since the last flush.
///
/// As Kafka Streams' `NamedCache`: at a flush they go out in the order of their last update; a
/// cache that grows beyond its limit gives away the one that waited longest.
#[derive(Default)]
pub(super) struct Cache {
    /// When each slot was updated last; 0 for those that do not wait.
    updated: Vec<u32>,
    /// Slots and when they were updated, in that order. An update that was followed by another of
    /// the same slot, or whose slot was given away, is passed over.
    updates: VecDeque<(u32, u32)>,
    /// How many slots wait.
    waiting: usize,
    /// Counts updates. They are numbered anew before it ends.
    clock: u32,
}

/// How many updates are kept at least before those that are passed over are cleared out.
const UPDATES_MIN: usize = 1_024;

/// How many groups or rows are given away or logged at once.
pub(super) const FLUSH_ROWS: usize = 1_000;

impl Cache {
    /// Notes that `slot` changed.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        if self.updated.len() <= slot as usize {
            self.updated.resize(slot as usize + 1, 0);
        }
        if self.clock == u32::MAX {
            self.number_anew();
        }
        self.clock += 1;
        let updated = &mut self.updated[slot as usize];
        self.waiting += usize::from(*updated == 0);
        *updated = self.clock;
        if self.updates.len() > UPDATES_MIN + 2 * self.waiting {
            let updated = &self.updated;
            self.updates.retain(|(slot, at)| updated[*slot as usize] == *at);
        }
        self.updates.push_back((slot, self.clock));
    }

    /// Clears out the updates that are passed over, and numbers the others from 1 on.
    fn number_anew(&mut self) {
        let updated = &mut self.updated;
        self.updates.retain(|(slot, at)| updated[*slot as usize] == *at);
        self.clock = 0;
        for (slot, at) in &mut self.updates {
            self.clock += 1;
            (updated[*slot as usize], *at) = (self.clock, self.clock);
        }
    }

    /// Lets a slot wait no more.
    pub(super) fn forget(&mut self, slot: u32) {
        let updated = self.updated.get_mut(slot as usize).map(std::mem::take);
        self.waiting -= usize::from(updated.is_some_and(|updated| updated > 0));
    }

    /// How many groups wait.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// Takes out the `count` groups that were updated first, in that order.
    pub(super) fn take_oldest(&mut self, count: usize) -> Vec<u32> {
        let mut taken = Vec::with_capacity(count.min(self.waiting));
        while taken.len() < count
            && let Some((slot, at)) = self.updates.pop_front()
        {
            let updated = &mut self.updated[slot as usize];
            if *updated == at {
                *updated = 0;
                taken.push(slot);
            }
        }
        self.waiting -= taken.len();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_go_out_in_the_order_of_their_last_update() {
        let mut cache = Cache::default();
        for slot in [3, 1, 2, 3] {
            cache.touch(slot);
        }
        assert_eq!(cache.len(), 3);
        assert_eq!(cache.take_oldest(1), [1]);
        cache.touch(1);
        cache.touch(4);
        cache.forget(4);
        cache.forget(9);
        assert_eq!(cache.take_oldest(usize::MAX), [2, 3, 1]);
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn the_order_stays_when_the_clock_ends() {
        let mut cache = Cache { clock: u32::MAX - 3, ..Cache::default() };
        for slot in [3, 1, 2, 3, 4] {
            cache.touch(slot);
        }
        assert!(cache.clock < 10);
        cache.forget(2);
        cache.touch(1);
        assert_eq!((cache.take_oldest(usize::MAX), cache.len()), (vec![3, 4, 1], 0));
    }

    #[test]
    fn updates_that_count_no_more_take_no_memory() {
        let mut cache = Cache::default();
        for round in 0..10 * UPDATES_MIN as u32 {
            cache.touch(round % 3);
        }
        assert!(cache.updates.len() <= UPDATES_MIN + 2 * 3 + 1);
        assert_eq!(cache.take_oldest(usize::MAX), [1, 2, 0]);
    }
}
