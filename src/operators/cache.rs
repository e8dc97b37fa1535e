//! The record cache of an aggregation: which groups wait to be given away.

/// Groups that changed since the last flush.
///
/// As Kafka Streams' `NamedCache`: at a flush they go out in the order of their last update; a
/// cache that grows beyond its limit gives away the one that waited longest.
#[derive(Default)]
pub(super) struct Cache {
    /// When each slot was updated last; 0 for those that do not wait.
    updated: Vec<u64>,
    /// Slots that may wait, each once.
    waiting: Vec<u32>,
    clock: u64,
}

impl Cache {
    /// Notes that `slot` changed.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        if self.updated.len() <= slot as usize {
            self.updated.resize(slot as usize + 1, 0);
        }
        self.clock += 1;
        let updated = &mut self.updated[slot as usize];
        if *updated == 0 {
            self.waiting.push(slot);
        }
        *updated = self.clock;
    }

    /// How many groups wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes out the `count` groups that were updated first, in that order.
    pub(super) fn take_oldest(&mut self, count: usize) -> Vec<u32> {
        let updated = &self.updated;
        self.waiting.sort_unstable_by_key(|slot| updated[*slot as usize]);
        let count = count.min(self.waiting.len());
        let taken: Vec<u32> = self.waiting.drain(..count).collect();
        for slot in &taken {
            self.updated[*slot as usize] = 0;
        }
        taken
    }

    /// Takes out all groups, in the order of their last update.
    pub(super) fn take_all(&mut self) -> Vec<u32> {
        self.take_oldest(usize::MAX)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
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
        assert_eq!(cache.take_all(), [2, 3, 1]);
        assert_eq!(cache.len(), 0);
    }
}
