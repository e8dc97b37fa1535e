//! Joins two tables on their keys.

use super::lookup::{Lookup, find_each, keeps};
use super::result::push_row;
use super::{Context, Dropped, Minds, Operator, Outcome, Port, QueryError};
use crate::plan::Joined;
use crate::types::{Column, ColumnBuilder, Meta, OldRows, Rows, SqlType, Validity, Value};

/// Joins each change of a table with the row that the other table has under its key.
///
/// As Kafka Streams' `KTableKTableInnerJoin` and its siblings: what was before and what is now are
/// joined with the same other row; the time is the later one of both.
pub(super) struct TableTableJoin {
    joined: Joined,
    sides: [JoinSide; 2],
}

/// One side of a join of tables.
pub(super) struct JoinSide {
    /// Its rows.
    pub(super) rows: Box<dyn Lookup>,
    /// The types of their columns.
    pub(super) types: Vec<SqlType>,
}

impl TableTableJoin {
    pub(super) fn new(joined: Joined, sides: [JoinSide; 2]) -> Self {
        Self { joined, sides }
    }

    /// Whether a row is given, if the side that changed and the other one have one.
    fn keeps(&self, port: Port, has_own: bool, has_other: bool) -> bool {
        let (left, right) = if port.0 == 0 { (has_own, has_other) } else { (has_other, has_own) };
        keeps(self.joined.kind, left, right)
    }

    /// Whether a change is passed over, whatever it says: there is nothing to join it with.
    fn is_passed_over(&self, port: Port, has_partner: bool, has_any: bool) -> bool {
        !(has_partner || has_any && self.keeps(port, true, false))
    }

    fn join<'a>(
        &self,
        port: Port,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let other = &self.sides[1 - port.0];
        let partners = find_each(other.rows.as_ref(), &rows, ctx)?;
        let mut builders: Vec<_> =
            other.types.iter().map(|ty| ColumnBuilder::new(ty, rows.len)).collect();
        let (mut kept, mut timestamps) = (Vec::new(), Vec::new());
        let (mut new_valid, mut old_valid) = (Vec::new(), Vec::new());
        for row in 0..rows.len {
            if !rows.key.is_valid(row) {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            let has_new = rows.value_valid.is_valid(row);
            let has_old = rows.old.as_ref().is_some_and(|old| old.valid.is_valid(row));
            let partner = partners.of(row, &rows.key);
            if self.is_passed_over(port, partner.is_some(), has_new || has_old) {
                continue;
            }
            kept.push(row as u32);
            new_valid.push(self.keeps(port, has_new, partner.is_some()));
            old_valid.push(self.keeps(port, has_old, partner.is_some()));
            let own = rows.meta.timestamps[row];
            timestamps.push(partner.map_or(own, |partner| partner.timestamp_ms.max(own)));
            push_row(&mut builders, partner.map(|partner| partner.values.iter().copied()));
        }
        let mut result = if kept.len() == rows.len { rows } else { rows.take(&kept) };
        let partner: Vec<Column<'a>> = builders.into_iter().map(ColumnBuilder::finish).collect();
        let old = result.old.take().unwrap_or_else(|| OldRows::none(&result.value, result.len));
        let key: &[Column<'a>] =
            if self.joined.appends_key { &[Column::Constant(Value::Null)] } else { &[] };
        let own = Own { value: std::mem::take(&mut result.value), valid: &result.value_valid };
        result.value = own.beside(port, &partner, key);
        let own = Own { value: old.value, valid: &old.valid };
        let old_value = own.beside(port, &partner, key);
        result.value_valid = Validity::from_flags(new_valid);
        result.old = Some(OldRows { value: old_value, valid: Validity::from_flags(old_valid) });
        let timestamps = timestamps.into();
        result.meta = Meta { timestamps, is_source: false, ..result.meta };
        Ok(result)
    }
}

/// The columns of the side that changed.
struct Own<'v, 'a> {
    value: Vec<Column<'a>>,
    valid: &'v Validity,
}

impl<'a> Own<'_, 'a> {
    /// The columns of the joined rows: those of the left side first, the key last. A row that this
    /// side does not have is NULL, whatever its columns hold.
    fn beside(self, port: Port, partner: &[Column<'a>], key: &[Column<'a>]) -> Vec<Column<'a>> {
        let own = self.value.into_iter().map(|column| hide(column, self.valid));
        let partner = partner.iter().cloned();
        let key = key.iter().cloned();
        if port.0 == 0 {
            own.chain(partner).chain(key).collect()
        } else {
            partner.chain(own).chain(key).collect()
        }
    }
}

/// NULL in the rows that are not there.
pub(super) fn hide<'a>(column: Column<'a>, valid: &Validity) -> Column<'a> {
    let Some(flags) = valid.flags() else { return column };
    let value = |(row, valid): (usize, &bool)| if *valid { column.value(row) } else { Value::Null };
    Column::Values(flags.iter().enumerate().map(value).collect())
}

impl Operator for TableTableJoin {
    fn minds(&self) -> Minds {
        Minds::Tables
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.process_port(Port(0), rows.clone(), ctx)
    }

    fn process_port<'a>(
        &mut self,
        port: Port,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        self.join(port, rows, ctx).into()
    }
}
