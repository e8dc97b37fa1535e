//! Computes the grouping key: `GROUP BY`.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::evaluate::Evaluator;
use super::{Context, Dropped, Minds, Operator, Outcome};
use crate::plan::{GroupPurpose, NamedExpr};
use crate::types::{Column, KeyColumns, Meta, OldRows, Rows, Validity};

/// Gives each row of a stream the key of its group, and drops rows without a value.
///
/// A row with a grouping expression that is NULL or fails is dropped, with an entry in the
/// processing log. Expressions over texts are evaluated once for each distinct combination.
pub(super) struct StreamGroupBy {
    step: String,
    keys: Vec<NamedExpr>,
    purpose: GroupPurpose,
    /// The columns that the keys read, where a dictionary is worth it.
    dictionary: Option<Vec<usize>>,
}

/// Turns each change of a table into the removal of its old row from one group and the addition of
/// its new row to another, in that order, as Kafka Streams' `KTableRepartitionMap`.
pub(super) struct TableGroupBy {
    step: String,
    keys: Vec<NamedExpr>,
}

impl StreamGroupBy {
    pub(super) fn new(step: String, keys: Vec<NamedExpr>, purpose: GroupPurpose) -> Self {
        let mut used = BTreeSet::new();
        for key in &keys {
            key.expr.columns_used(&mut used);
        }
        let is_deterministic = keys.iter().all(|key| key.expr.is_deterministic());
        let dictionary = (is_deterministic && !used.is_empty()).then(|| used.into_iter().collect());
        Self { step, keys, purpose, dictionary }
    }

    /// The keys of all rows, computed once for each distinct combination of the columns they read.
    fn by_dictionary<'a>(
        &self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Option<KeyColumns<'a>> {
        let used = self.dictionary.as_ref()?;
        let columns: Vec<_> = used.iter().map(|index| &rows.value[*index]).collect();
        if !columns.iter().all(|column| matches!(column, Column::Strings(..) | Column::Constant(_)))
        {
            return None;
        }
        let (index, first) = distinct(&columns, rows.len);
        let mut frame = vec![Column::Absent; rows.value.len()];
        for used in used {
            frame[*used] = rows.value[*used].take(&first);
        }
        let valid = Validity::all();
        let meta = Meta::default();
        let evaluator = Evaluator { step: &self.step, columns: &frame, valid: &valid, meta: &meta };
        let mut columns = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let column = evaluator.quietly(&key.expr, first.len(), ctx)?;
            if (0..first.len()).any(|row| column.is_null(row)) {
                return None; // each row of the group gets its own entry in the log
            }
            columns.push(column);
        }
        Some(KeyColumns { columns, valid, index: Some(index.into()), len: first.len() })
    }
}

/// For each row the number of its combination of values, and the first row of each.
fn distinct(columns: &[&Column<'_>], len: usize) -> (Vec<u32>, Vec<u32>) {
    let hasher = FixedState::default();
    let mut table: HashTable<u32> = HashTable::new();
    let mut first: Vec<u32> = Vec::new();
    let mut hashes: Vec<u64> = Vec::new();
    let mut index = Vec::with_capacity(len);
    for row in 0..len {
        let hash = columns
            .iter()
            .fold(0u64, |hash, column| hash.rotate_left(5) ^ hasher.hash_one(text(column, row)));
        let same = |other: &u32| {
            let other = first[*other as usize] as usize;
            columns.iter().all(|column| text(column, row) == text(column, other))
        };
        if let Some(found) = table.find(hash, same) {
            index.push(*found);
            continue;
        }
        let number = first.len() as u32;
        first.push(row as u32);
        hashes.push(hash);
        table.insert_unique(hash, number, |number| hashes[*number as usize]);
        index.push(number);
    }
    (index, first)
}

/// The text in `row`, where a NULL is no text.
fn text<'a>(column: &Column<'a>, row: usize) -> Option<&'a str> {
    match column {
        Column::Strings(values, valid) if valid.is_valid(row) => Some(values[row]),
        _ => None,
    }
}

/// The keys of all rows, and which rows have one. Each row without one gets an entry in the log.
fn by_row<'a>(
    evaluator: &Evaluator<'_, 'a>,
    (keys, purpose): (&[NamedExpr], GroupPurpose),
    rows: &Rows<'a>,
    ctx: &mut Context<'_, 'a>,
) -> (Vec<Column<'a>>, Vec<bool>) {
    let mut kept: Vec<bool> = (0..rows.len).map(|row| evaluator.valid.is_valid(row)).collect();
    let mut results = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let message = || failed_key(purpose, index);
        let (column, failed) = evaluator.evaluate(&key.expr, rows.len, ctx, message);
        for (row, kept) in kept.iter_mut().enumerate() {
            if !*kept || !column.is_null(row) {
                continue;
            }
            *kept = false;
            if failed.contains(&(row as u32)) {
                continue;
            }
            let message = null_key(purpose, index);
            evaluator.log_entry(row as u32, message, Vec::new(), ctx);
        }
        results.push(column);
    }
    (results, kept)
}

/// What is said of a row whose key cannot be computed.
fn failed_key(purpose: GroupPurpose, index: usize) -> String {
    match purpose {
        GroupPurpose::Aggregation => format!(
            "Error calculating group-by column with index {index}. The source row will be \
             excluded from the table."
        ),
        GroupPurpose::Over => format!(
            "Error calculating the PARTITION BY column of OVER with index {index}. The row is left out."
        ),
    }
}

/// What is said of a row whose key has a NULL.
pub(super) fn null_key(purpose: GroupPurpose, index: usize) -> String {
    match purpose {
        GroupPurpose::Aggregation => format!(
            "Group-by column with index {index} resolved to null. The source row will be excluded from the table."
        ),
        GroupPurpose::Over => format!(
            "The PARTITION BY column of OVER with index {index} is NULL. The row is left out."
        ),
    }
}

impl Operator for StreamGroupBy {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.process_owned(rows.clone(), ctx)
    }

    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        if rows.value_valid.is_all_valid()
            && let Some(key) = self.by_dictionary(&rows, ctx)
        {
            return Rows { key, ..rows }.into();
        }
        let without_value = (0..rows.len).filter(|row| !rows.value_valid.is_valid(*row));
        ctx.drop_rows(Dropped::NullValue, &rows.meta, without_value);
        let (columns, valid) = (&*rows.value, &rows.value_valid);
        let source = Evaluator { step: &self.step, columns, valid, meta: &rows.meta };
        let (columns, kept) = by_row(&source, (&self.keys, self.purpose), &rows, ctx);
        let key = KeyColumns { columns, valid: Validity::all(), index: None, len: rows.len };
        let rows = Rows { key, ..rows };
        if kept.iter().all(|kept| *kept) {
            return rows.into();
        }
        let kept: Vec<u32> = (0..rows.len).filter(|row| kept[*row]).map(|row| row as u32).collect();
        rows.take(&kept).into()
    }
}

impl TableGroupBy {
    pub(super) fn new(step: String, keys: Vec<NamedExpr>) -> Self {
        Self { step, keys }
    }
}

impl Operator for TableGroupBy {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let (columns, valid) = (&*rows.value, &rows.value_valid);
        let new = Evaluator { step: &self.step, columns, valid, meta: &rows.meta };
        let keys = (&*self.keys, GroupPurpose::Aggregation);
        let (new_keys, new_kept) = by_row(&new, keys, rows, ctx);
        let none = OldRows::none(&rows.value, rows.len);
        let old = rows.old.as_ref().unwrap_or(&none);
        let before = Evaluator { columns: &old.value, valid: &old.valid, ..new };
        let (old_keys, old_kept) = by_row(&before, keys, rows, ctx);
        let mut picks: Vec<(u32, bool)> = Vec::with_capacity(rows.len * 2);
        for row in 0..rows.len {
            if old_kept[row] {
                picks.push((row as u32, true));
            }
            if new_kept[row] {
                picks.push((row as u32, false));
            }
        }
        let order: Vec<u32> = picks.iter().map(|(row, _)| *row).collect();
        let is_old = |position: usize| picks[position].1;
        let merge = |old: &Column<'a>, new: &Column<'a>| {
            let values = picks.iter().map(|(row, is_old)| {
                if *is_old { old.value(*row as usize) } else { new.value(*row as usize) }
            });
            Column::Values(values.collect())
        };
        let columns = old_keys.iter().zip(&new_keys).map(|(old, new)| merge(old, new)).collect();
        let flags = |wanted: bool| (0..picks.len()).map(|at| is_old(at) == wanted).collect();
        Rows {
            len: picks.len(),
            key: KeyColumns { columns, valid: Validity::all(), index: None, len: picks.len() },
            value: rows.value.iter().map(|column| column.take(&order)).collect(),
            value_valid: Validity::from_flags(flags(false)),
            old: Some(OldRows {
                value: old.value.iter().map(|column| column.take(&order)).collect(),
                valid: Validity::from_flags(flags(true)),
            }),
            meta: rows.meta.take(&order),
        }
        .into()
    }
}
