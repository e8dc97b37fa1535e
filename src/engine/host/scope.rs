//! What a batch of statements has set so far.

use crate::engine::Session;
use crate::sql::Variables;

/// What a batch has set so far.
pub(super) struct Scope {
    pub(super) session: Session,
    pub(super) variables: Variables,
}
