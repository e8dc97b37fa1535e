//! `ARRAY[…]`, `MAP(…)`, `STRUCT(…)`, and what takes them apart.

use super::super::collections::hash_map;
use super::super::tree::Expr;
use super::{Part, Rows, Run, loop_rows, merge, null_text};
use crate::types::{SqlType, Value};

/// Whatever is not one of the types with a vector of their own.
const MIXED: SqlType = SqlType::Bytes;

impl<'f, 'a> Run<'_, 'f, 'a> {
    pub(super) fn array(&mut self, items: &[Expr], rows: Rows<'_>) -> Part<'f, 'a> {
        let catch = |run: &mut Self, _: &Expr, part| run.caught(part, "array item", rows);
        let (columns, failed) = self.all(items, rows, catch);
        let arena = self.context.arena;
        let mut values = Vec::with_capacity(items.len());
        loop_rows(&MIXED, rows.len(), failed, |at| {
            values.clear();
            values.extend(columns.iter().map(|column| column.value(at)));
            Ok(Value::Array(arena.values(&values)))
        })
    }

    pub(super) fn map(&mut self, entries: &[(Expr, Expr)], rows: Rows<'_>) -> Part<'f, 'a> {
        let mut is_key = false;
        let catch = |run: &mut Self, _: &Expr, part| {
            is_key = !is_key;
            run.caught(part, if is_key { "map key" } else { "map value" }, rows)
        };
        let exprs = entries.iter().flat_map(|(key, value)| [key, value]);
        let (columns, failed) = self.all(exprs, rows, catch);
        let arena = self.context.arena;
        loop_rows(&MIXED, rows.len(), failed, |at| {
            let entries: Vec<_> = columns
                .chunks_exact(2)
                .map(|entry| (entry[0].value(at), entry[1].value(at)))
                .collect();
            let size = entries.len();
            Ok(hash_map(entries, size, arena))
        })
    }

    pub(super) fn structure(&mut self, values: &[Expr], rows: Rows<'_>) -> Part<'f, 'a> {
        let catch = |run: &mut Self, _: &Expr, part| run.caught(part, "struct field", rows);
        let (columns, failed) = self.all(values, rows, catch);
        let arena = self.context.arena;
        let mut fields = Vec::with_capacity(values.len());
        loop_rows(&MIXED, rows.len(), failed, |at| {
            fields.clear();
            fields.extend(columns.iter().map(|column| column.value(at)));
            Ok(Value::Struct(arena.values(&fields)))
        })
    }

    pub(super) fn subscript(
        &mut self,
        expr: &Expr,
        base: &Expr,
        index_expr: &Expr,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let base = self.evaluate(base, rows);
        let skip = |at: u32| base.column.is_null(at as usize);
        let index = self.evaluate_unless(index_expr, skip, rows);
        let failed = merge(base.failed, index.failed);
        let ty = expr.ty.as_ref().unwrap_or(&MIXED);
        loop_rows(ty, rows.len(), failed, |at| {
            let index = index.column.value(at);
            match (base.column.value(at), index) {
                (Value::Array(_), Value::Null) => Err(null_text::unboxed(index_expr)),
                (Value::Array(items), index) => Ok(item(items, index)),
                (Value::Map(entries), key) => {
                    let found = entries.iter().find(|(other, _)| *other == key);
                    Ok(found.map_or(Value::Null, |(_, value)| *value))
                }
                _ => Ok(Value::Null),
            }
        })
    }

    pub(super) fn field(
        &mut self,
        expr: &Expr,
        base: &Expr,
        index: usize,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let base = self.evaluate(base, rows);
        let ty = expr.ty.as_ref().unwrap_or(&MIXED);
        loop_rows(ty, rows.len(), base.failed, |at| {
            Ok(match base.column.value(at) {
                Value::Struct(fields) => fields.get(index).copied().unwrap_or_default(),
                _ => Value::Null,
            })
        })
    }
}

/// The item at a position counted from 1, or from the end if negative; NULL where there is none.
fn item<'a>(items: &[Value<'a>], index: Value<'_>) -> Value<'a> {
    let index = match index {
        Value::Int(index) => i64::from(index),
        Value::Bigint(index) => i64::from(index as i32),
        Value::Double(index) => i64::from(index as i32),
        _ => 0,
    };
    let index = if index >= 0 { index - 1 } else { items.len() as i64 + index };
    usize::try_from(index).ok().and_then(|index| items.get(index)).copied().unwrap_or_default()
}
