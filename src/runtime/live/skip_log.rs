//! The last records that queries have skipped, for whoever wants to look at them: of each query and cause some, so that a flood
//! of one hides no other. It is independent of the processing log's topic.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::runtime::{ByCause, SkipCause, SkipExample, clock};
use crate::types::Timestamp;

/// How many records of a query are kept for each cause.
const KEPT_MAX: usize = 50;

/// What a record takes besides its texts.
const OVERHEAD_BYTES: usize = 250;

/// A record that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRecord {
    /// The later it came, the higher; none comes twice.
    pub number: u64,
    /// When it was skipped.
    pub at: Timestamp,
    /// The query.
    pub query: Arc<str>,
    /// Why.
    pub cause: SkipCause,
    /// Where it lies, why it was skipped, and what it holds.
    pub example: SkipExample,
}

/// The last records that queries have skipped.
#[derive(Debug)]
pub(super) struct SkipLog {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The number of the newest.
    last: u64,
    bytes: usize,
    records: BTreeMap<(Arc<str>, SkipCause), VecDeque<SkippedRecord>>,
}

/// Which of the records that were skipped are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedSkips {
    /// Those behind this number.
    pub after: u64,
    /// Those of this query alone.
    pub query: Option<String>,
    /// Those of this cause alone.
    pub cause: Option<SkipCause>,
    /// The newest so many.
    pub limit: usize,
}

impl SkipLog {
    /// None yet, and never more than take so many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, kept: Mutex::default() }
    }

    /// Adds records that a query has skipped.
    pub(super) fn add(&self, query: &Arc<str>, examples: ByCause<Vec<SkipExample>>) {
        let at = clock::now();
        let mut kept = self.kept();
        for (cause, examples) in examples {
            for example in examples {
                kept.add(query, (cause, at), example);
            }
        }
        while kept.bytes > self.bytes_max && kept.forget_oldest() {}
    }

    /// The number of the newest record, and the records that are wanted, oldest first.
    pub(super) fn records(&self, wanted: &WantedSkips) -> (u64, Vec<SkippedRecord>) {
        let kept = self.kept();
        let is_wanted = |(query, cause): &(Arc<str>, SkipCause)| {
            wanted.query.as_deref().is_none_or(|wanted| *wanted == **query)
                && wanted.cause.is_none_or(|wanted| wanted == *cause)
        };
        let all = kept.records.iter().filter(|(of, _)| is_wanted(of));
        let all = all.flat_map(|(_, records)| records);
        let mut newer: Vec<&SkippedRecord> =
            all.filter(|record| record.number > wanted.after).collect();
        newer.sort_unstable_by_key(|record| record.number);
        let newest = newer.len().saturating_sub(wanted.limit);
        (kept.last, newer.drain(newest..).cloned().collect())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, query: &Arc<str>, (cause, at): (SkipCause, Timestamp), example: SkipExample) {
        self.last += 1;
        let query = Arc::clone(query);
        let records = self.records.entry((Arc::clone(&query), cause)).or_default();
        if records.len() >= KEPT_MAX {
            self.bytes -= records.pop_front().map_or(0, |first| first.bytes());
        }
        let record = SkippedRecord { number: self.last, at, query, cause, example };
        self.bytes += record.bytes();
        records.push_back(record);
    }

    /// Forgets the oldest record of those of which there are most. False if there is none.
    fn forget_oldest(&mut self) -> bool {
        let oldest = |records: &VecDeque<SkippedRecord>| records.front().map(|first| first.number);
        let by_count = |(_, records): &(&(Arc<str>, SkipCause), &VecDeque<SkippedRecord>)| {
            (records.len(), std::cmp::Reverse(oldest(records)))
        };
        let most = self.records.iter().max_by_key(by_count).map(|(of, _)| of.clone());
        let Some(most) = most else { return false };
        let Some(records) = self.records.get_mut(&most) else { return false };
        self.bytes -= records.pop_front().map_or(0, |first| first.bytes());
        if records.is_empty() {
            self.records.remove(&most);
        }
        true
    }
}

impl SkippedRecord {
    fn bytes(&self) -> usize {
        let SkipExample { record, reason, row } = &self.example;
        let topic = record.as_ref().map_or(0, |record| record.topic.len());
        OVERHEAD_BYTES + topic + reason.len() + row.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Story {
        log: SkipLog,
        next: u64,
    }

    impl Story {
        fn new(bytes_max: usize) -> Self {
            Self { log: SkipLog::new(bytes_max), next: 1 }
        }

        fn skip(&mut self, query: &str, cause: SkipCause, count: u64) {
            for _ in 0..count {
                let mut examples = ByCause::<Vec<SkipExample>>::default();
                let example = SkipExample::new(None, &self.next.to_string(), &[]);
                examples.get_mut(cause).push(example);
                self.log.add(&query.into(), examples);
                self.next += 1;
            }
        }

        /// The numbers of the records that are wanted.
        fn check(&self, wanted: WantedSkips, expected: impl IntoIterator<Item = u64>) {
            let (last, records) = self.log.records(&WantedSkips { limit: 1_000, ..wanted });
            assert_eq!(last, self.next - 1);
            let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
            assert_eq!(numbers, expected.into_iter().collect::<Vec<_>>());
            let said = records.iter().map(|record| record.example.reason.clone());
            assert!(said.eq(numbers.iter().map(ToString::to_string)));
        }
    }

    #[test]
    fn a_flood_of_one_cause_hides_no_other() {
        let mut story = Story::new(1 << 20);
        story.skip("a", SkipCause::Late, 2);
        story.skip("a", SkipCause::UndecodableValue, 1_000);
        story.skip("b", SkipCause::UndecodableValue, 1);
        story.check(WantedSkips::default(), [1, 2].into_iter().chain(953..=1_003));
        let of_query = WantedSkips { query: Some("b".to_owned()), ..WantedSkips::default() };
        story.check(of_query, [1_003]);
        let late = WantedSkips { cause: Some(SkipCause::Late), ..WantedSkips::default() };
        story.check(late, [1, 2]);
        story.check(WantedSkips { after: 1_001, ..WantedSkips::default() }, [1_002, 1_003]);
        let (_, newest) = story.log.records(&WantedSkips { limit: 2, ..WantedSkips::default() });
        assert_eq!(newest.iter().map(|record| record.number).collect::<Vec<_>>(), [1_002, 1_003]);
    }

    #[test]
    fn there_are_never_more_than_there_is_room_for() {
        let mut story = Story::new(10 * OVERHEAD_BYTES);
        story.skip("a", SkipCause::Late, 2);
        story.skip("b", SkipCause::Late, 20);
        // Those go first of which there are most.
        story.check(WantedSkips::default(), [1, 2].into_iter().chain(16..=22));
        let mut none = Story::new(0);
        none.skip("a", SkipCause::Late, 1);
        none.check(WantedSkips::default(), []);
    }
}
