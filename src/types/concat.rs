//! Batches put together into one.

use super::owned_column::gather_validity;
use super::{Column, KeyColumns, Meta, OldRows, Rows, Shared, Stretch, Validity, Value};

impl Rows<'_> {
    /// The rows of several batches of the same columns, one behind the other, as those of the task of
    /// the first.
    #[must_use]
    pub fn concat(mut batches: Vec<Self>) -> Self {
        batches.retain(|batch| batch.len > 0);
        if batches.len() < 2 {
            return batches.pop().unwrap_or_default();
        }
        let lens: Vec<usize> = batches.iter().map(|batch| batch.len).collect();
        let valid: Vec<_> = batches.iter().map(|batch| &batch.value_valid).collect();
        Rows {
            len: lens.iter().sum(),
            key: keys(&batches),
            value: columns(
                &batches.iter().map(|batch| (&*batch.value, batch.len)).collect::<Vec<_>>(),
            ),
            value_valid: validity(&valid, &lens),
            old: old_rows(&batches, &lens),
            meta: meta(&batches),
        }
    }
}

/// Keys one behind the other, one for each row.
fn keys<'a>(batches: &[Rows<'a>]) -> KeyColumns<'a> {
    let each: Vec<KeyColumns<'a>> = batches.iter().map(|batch| batch.key.one_a_row()).collect();
    let lens: Vec<usize> = each.iter().map(|keys| keys.len).collect();
    let valid: Vec<_> = each.iter().map(|keys| &keys.valid).collect();
    KeyColumns {
        columns: columns(&each.iter().map(|keys| (&*keys.columns, keys.len)).collect::<Vec<_>>()),
        valid: validity(&valid, &lens),
        index: None,
        len: lens.iter().sum(),
    }
}

/// The rows before, where any batch has them; those of the others were not there.
fn old_rows<'a>(batches: &[Rows<'a>], lens: &[usize]) -> Option<OldRows<'a>> {
    if batches.iter().all(|batch| batch.old.is_none()) {
        return None;
    }
    let none = |batch: &Rows<'a>| OldRows::none(&batch.value, batch.len);
    let old = batches.iter().map(|batch| batch.old.clone().unwrap_or_else(|| none(batch)));
    let old: Vec<OldRows<'a>> = old.collect();
    let valid: Vec<_> = old.iter().map(|old| &old.valid).collect();
    Some(OldRows {
        value: columns(
            &old.iter().zip(lens).map(|(old, len)| (&*old.value, *len)).collect::<Vec<_>>(),
        ),
        valid: validity(&valid, lens),
    })
}

fn meta<'a>(batches: &[Rows<'a>]) -> Meta<'a> {
    let timestamps = batches.iter().flat_map(|batch| batch.meta.timestamps.iter().copied());
    let offsets = batches.iter().flat_map(|batch| batch.meta.offsets.iter().copied());
    let has_offsets = batches.iter().all(|batch| batch.meta.offsets.len() == batch.len);
    let has_headers = batches.iter().any(|batch| batch.meta.headers.is_some());
    let headers = batches
        .iter()
        .flat_map(|batch| (0..batch.len).map(|row| batch.meta.headers(row)))
        .collect();
    let windows: Option<Vec<_>> = batches.iter().map(|batch| batch.meta.windows.clone()).collect();
    let first = batches.first().map(|batch| &batch.meta);
    Meta {
        timestamps: timestamps.collect(),
        headers: has_headers.then_some(headers),
        windows: windows.map(|windows| windows.concat()),
        offsets: if has_offsets { offsets.collect() } else { Shared::default() },
        partition: first.map(|meta| meta.partition).unwrap_or_default(),
        is_source: first.is_some_and(|meta| meta.is_source),
    }
}

/// Columns one behind the other, each of so many rows.
fn columns<'a>(batches: &[(&[Column<'a>], usize)]) -> Vec<Column<'a>> {
    let width = batches.iter().map(|(columns, _)| columns.len()).max().unwrap_or(0);
    let column = |index: usize| {
        let parts = batches.iter().map(|(columns, len)| (columns.get(index), *len));
        column(
            &parts
                .map(|(column, len)| (column.unwrap_or(&Column::Absent), len))
                .collect::<Vec<_>>(),
        )
    };
    (0..width).map(column).collect()
}

/// One column, in the way in which all of them are held; else one of values.
fn column<'a>(parts: &[(&Column<'a>, usize)]) -> Column<'a> {
    macro_rules! typed {
        ($kind:ident) => {{
            let of = |part: &(&Column<'a>, usize)| match part.0 {
                Column::$kind(values, valid) => Some((values.clone(), valid.clone())),
                _ => None,
            };
            let parts: Option<Vec<_>> = parts.iter().map(of).collect();
            parts.map(|parts| {
                let lens: Vec<usize> = parts.iter().map(|(values, _)| values.len()).collect();
                let valid: Vec<_> = parts.iter().map(|(_, valid)| valid).collect();
                let values = parts.iter().flat_map(|(values, _)| values.iter().copied()).collect();
                Column::$kind(values, validity(&valid, &lens))
            })
        }};
    }
    let first = parts.first().map(|(column, _)| *column);
    let typed = match first {
        None => Some(Column::Absent),
        Some(Column::Absent) => {
            let is_absent = |(column, _): &(&Column<'a>, usize)| matches!(column, Column::Absent);
            parts.iter().all(is_absent).then_some(Column::Absent)
        }
        Some(Column::Constant(value)) => {
            let is_same = |(column, _): &(&Column<'a>, usize)| matches!(column, Column::Constant(other) if other == value);
            parts.iter().all(is_same).then_some(Column::Constant(*value))
        }
        Some(Column::Booleans(..)) => typed!(Booleans),
        Some(Column::Ints(..)) => typed!(Ints),
        Some(Column::Bigints(..)) => typed!(Bigints),
        Some(Column::Doubles(..)) => typed!(Doubles),
        Some(Column::Strings(..)) => typed!(Strings),
        Some(Column::Values(_)) => None,
    };
    typed.unwrap_or_else(|| {
        let rows = parts.iter().flat_map(|(column, len)| (0..*len).map(|row| column.value(row)));
        Column::Values(rows.collect::<Shared<Value<'a>>>())
    })
}

/// Which rows are valid, of parts of so many.
fn validity(parts: &[&Validity], lens: &[usize]) -> Validity {
    let all = (0..).zip(lens).map(|(of, len)| Stretch { of, start: 0, len: *len as u32 });
    gather_validity(parts, &all.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Offset, SqlType, Window};

    fn batch<'a>(keys: &[&'a str], values: Vec<Value<'a>>, offsets: &[i64]) -> Rows<'a> {
        let key = Column::Strings(keys.to_vec().into(), Validity::all());
        Rows {
            len: values.len(),
            key: KeyColumns {
                columns: vec![key],
                valid: Validity::all(),
                index: (keys.len() == 1).then(|| vec![0; values.len()].into()),
                len: keys.len(),
            },
            value: vec![Column::from_values(&SqlType::Int, values)],
            value_valid: Validity::all(),
            old: None,
            meta: Meta {
                timestamps: offsets.iter().map(|offset| offset * 10).collect(),
                offsets: offsets.iter().copied().collect(),
                ..Meta::default()
            },
        }
    }

    #[test]
    fn rows_stand_one_behind_the_other_with_their_keys_and_places() {
        let one = batch(&["a"], vec![Value::Int(1), Value::Null], &[3, 4]);
        let other = batch(&["b", "c"], vec![Value::Int(5), Value::Int(6)], &[7, 9]);
        let rows = Rows::concat(vec![one, Rows::default(), other]);
        assert_eq!(rows.len, 4);
        let keys: Vec<_> =
            (0..4).map(|row| rows.key.columns[0].value(rows.key.position(row))).collect();
        assert_eq!(keys, ["a", "a", "b", "c"].map(Value::String));
        let values: Vec<_> = (0..4).map(|row| rows.value[0].value(row)).collect();
        assert_eq!(values, [Value::Int(1), Value::Null, Value::Int(5), Value::Int(6)]);
        assert_eq!(rows.meta.offset(3), Offset(9));
        assert_eq!(*rows.meta.timestamps, [30, 40, 70, 90]);
    }

    #[test]
    fn what_only_some_batches_have_is_not_there_in_the_others() {
        let mut one = batch(&["a"], vec![Value::Int(1)], &[3]);
        let mut other = batch(&["b"], vec![Value::String("x")], &[4]);
        one.old = Some(OldRows {
            value: vec![Column::Ints(vec![8].into(), Validity::all())],
            valid: Validity::all(),
        });
        other.value_valid = Validity::from_flags(vec![false]);
        let window = Window { start: crate::types::Timestamp(0), end: crate::types::Timestamp(5) };
        one.meta.windows = Some(vec![window]);
        let rows = Rows::concat(vec![one, other]);
        let old = rows.old.as_ref().unwrap();
        assert_eq!((old.valid.is_valid(0), old.valid.is_valid(1)), (true, false));
        assert_eq!(old.value[0].value(0), Value::Int(8));
        assert_eq!((rows.value_valid.is_valid(0), rows.value_valid.is_valid(1)), (true, false));
        assert_eq!(rows.value[0].value(1), Value::String("x"));
        assert_eq!(rows.meta.window(0), None);
    }
}
