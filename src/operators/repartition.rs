//! Where rows change their task: through a topic, or in memory.

use std::sync::Arc;

use super::{Context, Operator, Outcome};
use crate::types::{OldRows, RowCodec, Rows};

/// Sends re-keyed rows to the tasks that own their keys.
pub(super) enum Repartition {
    /// Through the topic at this position of the topology; they come back as a source.
    Topic(usize),
    /// In memory: one instance owns all tasks, so rows go on at once. Formats leave marks on what
    /// passes through a topic, and so they do here (`RowCodec::normalise`).
    Memory {
        /// How keys would have been written.
        key: Arc<dyn RowCodec>,
        /// How values would have been written.
        value: Arc<dyn RowCodec>,
    },
}

impl Operator for Repartition {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        match self {
            Self::Topic(topic) => {
                Outcome { rows: Rows::default(), failure: ctx.out.repartition(*topic, rows).err() }
            }
            Self::Memory { .. } => self.process_owned(rows.clone(), ctx),
        }
    }

    fn process_owned<'a>(&mut self, mut rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        match self {
            Self::Topic(_) => self.process(&rows, ctx),
            Self::Memory { key, value } => {
                let arena = ctx.eval.arena;
                rows.key.columns = key.normalise(rows.key.columns, arena);
                rows.value = value.normalise(rows.value, arena);
                rows.old = rows.old.map(|old| OldRows {
                    value: value.normalise(old.value, arena),
                    valid: old.valid,
                });
                rows.into()
            }
        }
    }
}
