//! The fields of a text as they were read, before anything is made of them.

use super::pattern::FIELDS;
use super::zone::Zone;

/// What was read so far.
#[derive(Clone, Default)]
pub(super) struct Raw {
    pub(super) values: [Option<i64>; FIELDS],
    pub(super) zone: Option<Zone>,
    pub(super) offset: Option<i32>,
}
