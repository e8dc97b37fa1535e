//! How a query rests while it is paused.
//!
//! Everything that it took is committed, its tasks stay with their workers and take nothing, and its member stays in the
//! group. So what its stores hold can be looked at, stands still, and is not restored when it goes on.

use super::error::LiveError;
use super::figures::QueryState;
use super::life::{Ended, Life};
use super::query_topics::QueryTopics;
use super::session::Session;
use super::stop::{stopped, told};
use crate::kafka::group::{MemberState, Membership};

impl Life {
    /// Lets a session run, and rest while the query is paused.
    pub(super) async fn work(
        &mut self,
        session: &mut Session,
        membership: &Membership,
        topics: &QueryTopics,
    ) -> Result<Ended, LiveError> {
        loop {
            self.figures.set_state(QueryState::Running);
            if let Some(ended) = self.rest(session, membership).await? {
                return Ok(ended);
            }
            session.go_on().await;
            match self.run(session, membership, topics).await? {
                Ended::Held if matches!(membership.state(), MemberState::Stable) => {}
                ended => return Ok(ended),
            }
        }
    }

    /// Waits while the query is paused; how its session ended meanwhile, if it did.
    async fn rest(
        &mut self,
        session: &mut Session,
        membership: &Membership,
    ) -> Result<Option<Ended>, LiveError> {
        if !*self.paused.borrow() {
            return Ok(None);
        }
        self.figures.set_state(QueryState::Paused);
        tokio::select! {
            () = told(&mut self.paused, false) => {
                // One whose lease is over, as the machine slept, may be behind what others have written meanwhile.
                if session.is_stale() {
                    return Ok(Some(Ended::Lost));
                }
                self.figures.set_state(QueryState::Running);
                Ok(None)
            }
            () = stopped(&mut self.stop) => Ok(Some(Ended::Stopped)),
            error = session.failed() => Err(error),
            state = membership.changed() => match state {
                MemberState::Rebalancing => Ok(Some(Ended::Held)),
                MemberState::Failed(error) | MemberState::Fenced(error) => Err(error.into()),
                _ => Ok(Some(Ended::Lost)),
            },
        }
    }
}
