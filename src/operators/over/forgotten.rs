//! Keys that are forgotten, as none of their rows has come for long.

use super::Over;
use super::arriving::Arriving;
use super::given::Given;
use crate::operators::{Context, QueryError};

impl Over {
    /// Forgets the keys whose last rows are older, by more than the retention, than a row that comes or one that has come.
    /// Those of their rows that still wait are given: nothing follows them.
    pub(super) fn forget_keys<'a>(
        &mut self,
        row: &Arriving<'a>,
        given: &mut Given<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let Some(oldest_ms) = self.oldest_ms(row) else { return Ok(()) };
        while let Some(slot) = self.last.rows.first_before(oldest_ms) {
            let waiting = self.last.rows.next_number(slot) - self.plan.lead as i64;
            for waiting in self.last.rows.from(slot, waiting) {
                let (row, results) = self.last.given(slot, waiting, row, ctx.eval.arena);
                given.push(&row, &results, self.last.codecs(), ctx.eval.arena)?;
            }
            self.last.forget(slot, row, ctx);
        }
        Ok(())
    }

    /// The time from which on rows are kept, when a row comes.
    pub(super) fn oldest_ms(&self, row: &Arriving<'_>) -> Option<i64> {
        let retention_ms = self.plan.retention_ms?;
        let latest_ms = self.last.rows.latest_ms().map_or(row.time_ms, |ms| ms.max(row.time_ms));
        Some(latest_ms.saturating_sub(retention_ms))
    }
}
