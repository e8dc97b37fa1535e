//! Computes a new key: `PARTITION BY`.

use super::evaluate::Evaluator;
use super::{Context, LogEntry, LoggedRow, Minds, Operator, Outcome};
use crate::plan::NamedExpr;
use crate::types::{Column, KeyColumns, Rows, Validity};

/// Gives each row a new key; `PARTITION BY NULL` takes the key away.
///
/// An expression that fails makes its key column NULL, with an entry in the processing log. What a
/// key of NULLs is in a topic is the format's to say: most have a null key for a single one. A row without a value still has its
/// old key, so that expressions over nothing else have their values there too.
pub(super) struct PartitionBy {
    step: String,
    keys: Vec<NewKey>,
    /// For a join: a key that is NULL is none.
    for_join: Option<ForJoin>,
}

/// What is done with the key that a join needs.
#[derive(Clone, Copy)]
pub(super) struct ForJoin {
    /// Whether it is added to the value as well, as its last column.
    pub(super) appends_key: bool,
}

/// An expression of `PARTITION BY`.
pub(super) struct NewKey {
    pub(super) column: NamedExpr,
    /// Whether it reads no other columns than the old key's.
    pub(super) reads_key_only: bool,
}

impl PartitionBy {
    pub(super) fn new(step: String, keys: Vec<NewKey>) -> Self {
        Self { step, keys, for_join: None }
    }

    /// Makes keys for a join.
    pub(super) fn for_join(self, for_join: ForJoin) -> Self {
        Self { for_join: Some(for_join), ..self }
    }
}

impl NewKey {
    fn evaluate<'a>(&self, step: &str, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Column<'a> {
        let all = Validity::all();
        let valid = if self.reads_key_only { &all } else { &rows.value_valid };
        let evaluator = Evaluator { step, columns: &rows.value, valid, meta: &rows.meta };
        let text = &self.column.text;
        let message = || format!("Error computing new key from expression {text}");
        let column = evaluator.column(&self.column.expr, rows.len, ctx, message);
        for row in (0..rows.len).filter(|row| !valid.is_valid(*row)) {
            // The key of a row without a value fails as `GenericRow.get` does in Java.
            let cause = "Cannot invoke \"io.confluent.ksql.GenericRow.get(int)\" because \
                \"<parameter1>\" is null";
            let entry = LogEntry {
                step: step.to_owned(),
                message: message(),
                causes: vec![cause.to_owned()],
                offset: rows.meta.offset(row),
            };
            ctx.out.log(entry, LoggedRow::None);
        }
        column
    }
}

impl Operator for PartitionBy {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let step = &self.step;
        let columns: Vec<Column<'a>> =
            self.keys.iter().map(|key| key.evaluate(step, rows, ctx)).collect();
        let is_valid = |row: usize| match self.for_join {
            None => !columns.is_empty(),
            Some(_) => columns.iter().all(|column| !column.is_null(row)),
        };
        let valid = Validity::from_flags((0..rows.len).map(is_valid).collect());
        let key = KeyColumns { columns, valid, index: None, len: rows.len };
        let mut rows = rows.clone();
        if self.for_join.is_some_and(|join| join.appends_key) {
            rows.value.extend(key.columns.iter().cloned());
            rows.meta.is_source = false;
        }
        Rows { key, ..rows }.into()
    }
}
