//! The stores of a stream–stream join, with Kafka Streams' names.

use super::sides::Side;
use super::steps::Step;
use crate::formats::FormatSpec;
use crate::plan::StreamStreamJoin;
use crate::plan::frame::defs;
use crate::plan::internal_formats::internal_value_format;
use crate::plan::store::{StoreKind, StoreSpec};
use crate::sql::ast::{Duration, JoinKind, Within};
use crate::types::Schema;

/// Names the stores of a stream–stream join.
pub(super) struct JoinStores<'s> {
    pub(super) step: &'s Step,
    /// Kafka Streams' count before the join.
    pub(super) number: usize,
}

impl JoinStores<'_> {
    /// A join within `within`, of a "this" and an "other" side.
    pub(super) fn of(
        &self,
        within: &Within,
        this: (&Side, &FormatSpec),
        other: (&Side, &FormatSpec),
    ) -> StreamStreamJoin {
        let (before_ms, after_ms) = (within.before.as_ms(), within.after.as_ms());
        // A join to the right is one to the left with its sides exchanged; the span stays as it is.
        let kind = if self.step.kind == JoinKind::Right { JoinKind::Left } else { self.step.kind };
        let this_name = if kind == JoinKind::Full { "OUTERTHIS" } else { "JOINTHIS" };
        let other_name = if kind == JoinKind::Inner { "JOINOTHER" } else { "OUTEROTHER" };
        // The two windows of the sides are counted before their stores.
        let (this_number, other_number) = (self.number + 2, self.number + 3);
        let name = |name: &str, number: usize| format!("KSTREAM-{name}-{number:010}-store");
        let grace_ms = within.grace.map(Duration::as_ms);
        let retention_ms = StreamStreamJoin::retention_of(before_ms, after_ms, grace_ms);
        let rows = |name, side| StoreSpec {
            retention_ms: Some(retention_ms),
            ..self.store(name, StoreKind::JoinWindow, side)
        };
        let unmatched = (kind != JoinKind::Inner && grace_ms.is_some())
            .then(|| self.store(name("OUTERSHARED", this_number), StoreKind::Unmatched, this));
        StreamStreamJoin {
            kind,
            before_ms,
            after_ms,
            grace_ms,
            is_exchanged: self.step.kind == JoinKind::Right,
            appends_key: self.step.appends_key,
            window: this.0.window,
            this_store: rows(name(this_name, this_number), this),
            other_store: rows(name(other_name, other_number), other),
            unmatched,
        }
    }

    fn store(
        &self,
        name: String,
        kind: StoreKind,
        (side, format): (&Side, &FormatSpec),
    ) -> StoreSpec {
        StoreSpec {
            name,
            kind,
            stored: Schema { key: side.key.clone(), value: defs(&side.columns) },
            key_format: self.step.key_format.clone(),
            value_format: internal_value_format(format),
            retention_ms: None,
        }
    }
}
