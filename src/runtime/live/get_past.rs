//! How a query gets past a record that a panic comes of, and finds the one that it stops at.
//!
//! ```text
//! running ─panic─▶ restored, row by row ─panic at a record─▶ restored, without it ─▶ running
//!    ▲                  │    └─panic at no record─▶ failed
//!    └── nothing found ─┘
//! ```
//!
//! A panic leaves state that has changed by half. So the query's tasks are thrown away and restored from
//! what was committed, and what follows is read again one row at a time until it panics at a record.
//! That is left out from then on, until a position behind it is committed.
//!
//! A query that stops at a record goes on as ksqlDB has it, after a while. If it is not known which record
//! that was, the next try is row by row too.

use super::error::LiveError;
use super::life::Life;
use super::session::Session;
use crate::runtime::panicked::PanickedRecord;
use crate::runtime::{Panic, RecordPlace, Skipped};

impl Life {
    /// Decides whether the query goes on at once after a session that ended with an error: without the
    /// record that a panic came of, or to find it.
    pub(super) async fn get_past(
        &mut self,
        session: &Session,
        error: LiveError,
    ) -> Result<(), LiveError> {
        self.quarantine.looks_to = session.looks_to().cloned();
        match &error {
            LiveError::Record { at, cause } => match &**cause {
                LiveError::Panic(panic) if self.quarantine.leave_out(at) => {
                    self.tell_skipped(at, panic).await;
                    Ok(())
                }
                _ => Err(error),
            },
            LiveError::Panic(_) if self.quarantine.look(session.taken()) => {
                let query = &self.id;
                tracing::warn!(
                    "query {query}: {error}; it goes back to what was committed and on row by row, to \
                     find the record"
                );
                Ok(())
            }
            LiveError::Query(_) => {
                self.quarantine.look(session.taken());
                Err(error)
            }
            _ => Err(error),
        }
    }

    async fn tell_skipped(&self, at: &RecordPlace, panic: &Panic) {
        let panicked = PanickedRecord { place: Some(at.clone()), panic };
        self.log.write(&[panicked.entry(self.id.as_str())]).await;
        self.log.flush().await;
        let mut skipped = Skipped::default();
        panicked.note(&mut skipped);
        self.figures.skips.note(skipped);
    }
}
