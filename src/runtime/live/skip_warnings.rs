//! Warnings of what a query skips: of each cause at once when it comes first, then every ten seconds
//! at most, with one record that may be looked at.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::figures::Figures;
use super::ids::QueryId;
use crate::runtime::{ByCause, SkipCause, SkipCounts, SkipExample, clock};

/// How long nothing more is said of a cause.
const QUIET: Duration = Duration::from_secs(10);

/// Over how long late records are compared with all.
const MINUTE: Duration = Duration::from_mins(1);

/// Lets a query live, and warns of what it skips meanwhile.
pub(super) async fn beside(life: impl Future<Output = ()>, query: QueryId, figures: Arc<Figures>) {
    let mut warnings = Warnings::new(&figures, clock::instant());
    let mut life = std::pin::pin!(life);
    let mut lives = true;
    while lives {
        tokio::select! {
            () = &mut life => lives = false,
            () = figures.skips.arrived() => {}
            () = tokio::time::sleep_until(warnings.next(&figures).into()) => {}
        }
        for Warning { cause, line } in warnings.due(&figures, clock::instant()) {
            if cause == SkipCause::Panicked {
                // It is no fault of the record's.
                tracing::error!("query {query}: {line}");
            } else {
                tracing::warn!("query {query}: {line}");
            }
        }
    }
}

/// What is said of a cause.
struct Warning {
    cause: SkipCause,
    line: String,
}

/// What was told, and when more may be.
struct Warnings {
    told: SkipCounts,
    /// Nothing before, by cause.
    quiet_until: ByCause<Option<Instant>>,
    last_late: Option<SkipExample>,
    minute: Minute,
}

/// A minute of a query's records.
struct Minute {
    ends: Instant,
    /// What was counted before it.
    records: u64,
    late: u64,
}

impl Minute {
    fn after(now: Instant, figures: &Figures) -> Self {
        let late = *figures.skips.counts().get(SkipCause::Late);
        Self { ends: now + MINUTE, records: figures.records.load(Relaxed), late }
    }
}

impl Warnings {
    fn new(figures: &Figures, now: Instant) -> Self {
        Self {
            told: SkipCounts::default(),
            quiet_until: ByCause::default(),
            last_late: None,
            minute: Minute::after(now, figures),
        }
    }

    /// What is to be said now.
    fn due(&mut self, figures: &Figures, now: Instant) -> Vec<Warning> {
        let share = self.late_share(figures, now);
        let by_cause = SkipCause::ALL.into_iter().filter_map(|cause| self.of(cause, figures, now));
        share.into_iter().chain(by_cause.collect::<Vec<_>>()).collect()
    }

    /// When something is to be said that has come by now, or a minute ends.
    fn next(&self, figures: &Figures) -> Instant {
        let waiting = SkipCause::ALL.into_iter().filter(|cause| figures.skips.has_example(*cause));
        let due = waiting.filter_map(|cause| *self.quiet_until.get(cause));
        let late = self.quiet_until.get(SkipCause::Late);
        let minute = late.map_or(self.minute.ends, |until| until.max(self.minute.ends));
        due.fold(minute, Instant::min)
    }

    fn is_quiet(&self, cause: SkipCause, now: Instant) -> bool {
        self.quiet_until.get(cause).is_some_and(|until| now < until)
    }

    fn of(&mut self, cause: SkipCause, figures: &Figures, now: Instant) -> Option<Warning> {
        if self.is_quiet(cause, now) {
            return None;
        }
        let example = figures.skips.take_example(cause)?;
        let is_first = self.quiet_until.get(cause).is_none();
        let count = *figures.skips.counts().get(cause);
        let new = count - std::mem::replace(self.told.get_mut(cause), count);
        *self.quiet_until.get_mut(cause) = Some(now + QUIET);
        let since = if is_first { "" } else { " since the last warning" };
        let such_as = if new == 1 { "" } else { "such as " };
        let line = format!("{}{since}: {such_as}{example}", cause.told(new));
        if cause == SkipCause::Late {
            self.last_late = Some(example);
        }
        Some(Warning { cause, line })
    }

    /// At the end of a minute: whether more than one in a hundred of its records came too late. It
    /// counts as a warning of late records, of which there is one in ten seconds.
    fn late_share(&mut self, figures: &Figures, now: Instant) -> Option<Warning> {
        if now < self.minute.ends || self.is_quiet(SkipCause::Late, now) {
            return None;
        }
        let next = Minute::after(now, figures);
        let Minute { records, late, .. } = std::mem::replace(&mut self.minute, next);
        let (records, late) = (self.minute.records - records, self.minute.late - late);
        if late.saturating_mul(100) <= records {
            return None;
        }
        figures.late_minutes.fetch_add(1, Relaxed);
        let example = figures.skips.take_example(SkipCause::Late);
        let example = example.or_else(|| self.last_late.clone())?;
        *self.quiet_until.get_mut(SkipCause::Late) = Some(now + QUIET);
        *self.told.get_mut(SkipCause::Late) = *figures.skips.counts().get(SkipCause::Late);
        let line = format!(
            "{late} of the last minute's {records} records came too late for their window, more than \
             1 %: such as {example}"
        );
        self.last_late = Some(example);
        Some(Warning { cause: SkipCause::Late, line })
    }
}

#[cfg(test)]
mod tests {
    use super::super::node_figures::Nodes;
    use super::*;
    use crate::runtime::{RecordPlace, Skipped};
    use crate::types::{Offset, Partition};

    /// A query's figures, and what was said of them.
    struct Story {
        figures: Figures,
        warnings: Warnings,
        now: Instant,
    }

    impl Story {
        fn new() -> Self {
            let (figures, now) =
                (Figures::new(Nodes::default(), Arc::default(), None), clock::instant());
            Self { warnings: Warnings::new(&figures, now), figures, now }
        }

        /// Skips so many records, the first at `offset`, out of a batch of a hundred.
        fn skip(&self, cause: SkipCause, count: u64, offset: i64) {
            let place = |topic: &str| RecordPlace {
                topic: topic.to_owned(),
                partition: Partition(2),
                offset: Offset(offset),
            };
            let mut skipped = Skipped::default();
            *skipped.counts.get_mut(cause) = count;
            skipped.examples.get_mut(cause).push(SkipExample::new(Some(place("t")), "why", &[]));
            self.figures.skips.note(skipped);
            self.figures.records.fetch_add(100, Relaxed);
        }

        /// What is said after so many seconds.
        fn after(&mut self, seconds: u64) -> Vec<String> {
            self.now += Duration::from_secs(seconds);
            let due = self.warnings.due(&self.figures, self.now);
            due.into_iter().map(|warning| warning.line).collect()
        }

        /// In how many seconds something is to be said next.
        fn next(&self) -> u64 {
            (self.warnings.next(&self.figures) - self.now).as_secs()
        }
    }

    #[test]
    fn the_first_is_told_at_once_and_then_one_in_ten_seconds_of_each_cause() {
        let mut story = Story::new();
        assert_eq!(story.after(0), [""; 0]);
        story.skip(SkipCause::NullKey, 1, 7);
        let first = "skipped 1 record without a key: topic t, partition 2, offset 7: why";
        assert_eq!(story.after(1), [first]);
        story.skip(SkipCause::NullKey, 3, 8);
        story.skip(SkipCause::NullKey, 4, 11);
        story.skip(SkipCause::FailedExpression, 2, 9);
        let other = "an expression failed 2 times: such as topic t, partition 2, offset 9: why";
        assert_eq!((story.next(), story.after(3)), (10, vec![other.to_owned()]));
        // Nothing more comes; it is told all the same, with the first of those that were not.
        let more = "skipped 7 records without a key since the last warning: such as topic t, \
                    partition 2, offset 8: why";
        assert_eq!((story.next(), story.after(7)), (7, vec![more.to_owned()]));
        assert_eq!(story.after(100), [""; 0]);
        assert_eq!(
            story.figures.skips.counts().to_string(),
            "8 skipped (8 without a key), an expression failed 2 times"
        );
    }

    #[test]
    fn a_minute_with_more_than_one_late_record_in_a_hundred_is_told() {
        let mut story = Story::new();
        story.skip(SkipCause::Late, 1, 1);
        story.skip(SkipCause::Late, 1, 2);
        assert_eq!(story.after(1).len(), 1);
        // Two of two hundred are no more than that.
        assert_eq!((story.next(), story.after(59)), (59, Vec::new()));
        assert_eq!(story.figures.late_minutes.load(Relaxed), 0);
        story.skip(SkipCause::Late, 3, 3);
        assert_eq!(story.after(55).len(), 1);
        story.skip(SkipCause::Late, 1, 4);
        // The minute is over, but late records were told of right before.
        assert_eq!((story.next(), story.after(5)), (10, Vec::new()));
        let told = "4 of the last minute's 200 records came too late for their window, more than 1 %: \
                    such as topic t, partition 2, offset 4: why";
        assert_eq!(story.after(5), [told]);
        assert_eq!(story.figures.late_minutes.load(Relaxed), 1);
        assert_eq!(story.after(120), [""; 0]);
    }
}
