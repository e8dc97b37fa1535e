//! The records that queries have skipped last.

use super::Host;
use crate::engine::settings;
use crate::runtime::live::{SkippedRecord, WantedSkips};

impl Host {
    /// The number of the record that a query has skipped last, and such records as far as they are wanted and kept, oldest
    /// first.
    pub fn skipped(&self, wanted: &WantedSkips) -> (u64, Vec<SkippedRecord>) {
        self.shared.instance.skipped(wanted)
    }

    /// Whether people may see the rows of queries that begin here (`ksql.logging.processing.rows.include`).
    pub fn shows_rows(&self) -> bool {
        settings(&self.shared.properties).is_ok_and(|settings| settings.logs_rows)
    }
}
