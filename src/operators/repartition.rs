//! Where rows change their task.

use super::{Context, Dropped, Minds, Operator, Outcome};
use crate::plan::RepartitionId;
use crate::types::Rows;

/// Gives rows to the tasks that own their new keys, through a topic or in memory.
pub(super) struct Repartition {
    topic: RepartitionId,
    /// Whether rows without a key stay behind, as before a join.
    drops_null_keys: bool,
}

impl Repartition {
    pub(super) fn new(topic: RepartitionId, drops_null_keys: bool) -> Self {
        Self { topic, drops_null_keys }
    }
}

impl Operator for Repartition {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let given = if self.drops_null_keys && (0..rows.len).any(|row| !rows.key.is_valid(row)) {
            let (kept, without): (Vec<usize>, Vec<usize>) =
                (0..rows.len).partition(|row| rows.key.is_valid(*row));
            ctx.drop_rows(Dropped::NullKey, &rows.meta, without.into_iter());
            let kept: Vec<u32> = kept.into_iter().map(|row| row as u32).collect();
            ctx.out.repartition(self.topic, &rows.take(&kept))
        } else {
            ctx.out.repartition(self.topic, rows)
        };
        Outcome { rows: Rows::default(), failure: given.err() }
    }
}
