//! Joins of two tables on a foreign key: rows of the left one ask, the right one answers.

mod answer;
mod murmur3;
mod resolve;
mod subscribe;

pub(super) use answer::Answer;
pub(super) use resolve::Resolve;
pub(super) use subscribe::{LeftCodecs, Subscribe};

use super::QueryError;
use crate::state::SubscriptionError;

impl From<SubscriptionError> for QueryError {
    fn from(error: SubscriptionError) -> Self {
        Self::new(error.to_string())
    }
}
