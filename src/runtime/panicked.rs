//! A record that is skipped, as a panic came of it.

use super::panics::Panic;
use super::processing_log::{LogEvent, ProcessingLogEntry};
use super::skipped::{RecordPlace, SkipCause, SkipExample, Skipped};

/// A record that is skipped, as a panic came of it.
pub(super) struct PanickedRecord<'p> {
    /// Where it lies, where that is known.
    pub(super) place: Option<RecordPlace>,
    pub(super) panic: &'p Panic,
}

impl PanickedRecord<'_> {
    /// The entry of the processing log that says so.
    pub(super) fn entry(&self, query_id: &str) -> ProcessingLogEntry {
        let place = self
            .place
            .as_ref()
            .map_or_else(|| "a row whose record is not known".to_owned(), ToString::to_string);
        let message =
            format!("{place}: this record is skipped, as processing it ends with {}", self.panic);
        let causes = vec![self.panic.text.clone()];
        let event = LogEvent::Processing { message, record: None, causes };
        ProcessingLogEntry { logger: format!("processing.{query_id}"), event }
    }

    /// Counts it.
    pub(super) fn note(self, skipped: &mut Skipped) {
        let Self { place, panic } = self;
        skipped.add(SkipCause::Panicked, 1, || SkipExample::new(place, &panic.to_string(), &[]));
    }
}
