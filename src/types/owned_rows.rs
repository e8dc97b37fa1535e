//! Rows that outlive the batch that they come from, on their way from task to task.

use super::owned_column::{OwnedColumn, Stretch, gather_validity, rows_of};
use super::{
    Arena, Column, Headers, KeyColumns, Meta, OldRows, OwnedHeaders, Partition, Rows, Shared,
    Validity, Window, owned_headers,
};

/// Rows in the order in which they were given, column by column, with all that they point to.
#[derive(Clone, Debug, Default)]
pub struct OwnedRows {
    len: usize,
    key: Vec<OwnedColumn>,
    key_valid: Validity,
    /// The key of each row, where `key` holds distinct keys only.
    key_index: Option<Vec<u32>>,
    keys: usize,
    value: Vec<OwnedColumn>,
    value_valid: Validity,
    old: Option<(Vec<OwnedColumn>, Validity)>,
    timestamps: Vec<i64>,
    offsets: Vec<i64>,
    headers: Option<Vec<OwnedHeaders>>,
    windows: Option<Vec<Window>>,
}

/// What a column is that a batch does not have.
static ABSENT: OwnedColumn = OwnedColumn::Absent;

impl OwnedRows {
    /// A copy of `rows`.
    pub fn of(rows: &Rows<'_>) -> Self {
        let columns = |columns: &[Column<'_>]| columns.iter().map(OwnedColumn::of).collect();
        let headers = rows.meta.headers.as_ref();
        Self {
            len: rows.len,
            key: columns(&rows.key.columns),
            key_valid: rows.key.valid.clone(),
            key_index: rows.key.index.as_ref().map(|index| index.to_vec()),
            keys: rows.key.len,
            value: columns(&rows.value),
            value_valid: rows.value_valid.clone(),
            old: rows.old.as_ref().map(|old| (columns(&old.value), old.valid.clone())),
            timestamps: rows.meta.timestamps.to_vec(),
            offsets: rows.meta.offsets.to_vec(),
            headers: headers.map(|all| all.iter().map(|one| owned_headers(one)).collect()),
            windows: rows.meta.windows.clone(),
        }
    }

    /// A copy of those of `rows` that `taken` names, in that order.
    pub fn taken(rows: &Rows<'_>, taken: &[u32]) -> Self {
        let columns = |columns: &[Column<'_>], taken: &[u32]| {
            columns.iter().map(|column| OwnedColumn::taken(column, taken)).collect()
        };
        let (keys, key_index) = rows.key.kept(taken);
        let meta = rows.meta.take(taken);
        let headers = meta.headers.as_ref();
        Self {
            len: taken.len(),
            key: columns(&rows.key.columns, &keys),
            key_valid: rows.key.valid.take(&keys),
            key_index,
            keys: keys.len(),
            value: columns(&rows.value, taken),
            value_valid: rows.value_valid.take(taken),
            old: rows.old.as_ref().map(|old| (columns(&old.value, taken), old.valid.take(taken))),
            headers: headers.map(|all| all.iter().map(|one| owned_headers(one)).collect()),
            timestamps: meta.timestamps.to_vec(),
            offsets: meta.offsets.to_vec(),
            windows: meta.windows,
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The event time of each row.
    pub fn timestamps(&self) -> &[i64] {
        &self.timestamps
    }

    /// The offset of the record that each row comes from, where that is known.
    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    /// About how many bytes they take, nested values and headers left out.
    pub fn bytes(&self) -> usize {
        let old = self.old.iter().flat_map(|(columns, _)| columns);
        let columns = self.key.iter().chain(&self.value).chain(old);
        columns.map(OwnedColumn::bytes).sum::<usize>() + self.len * 16
    }

    /// The rows, as those of a task of `partition`.
    pub fn view<'a>(&'a self, partition: Partition, arena: &'a Arena) -> Rows<'a> {
        let all = Stretch { of: 0, start: 0, len: self.len as u32 };
        Self::gather(&[self], &[all], partition, arena)
    }

    /// The rows of `stretches`, in that order, as those of a task of `partition`.
    ///
    /// All batches have the same columns.
    pub fn gather<'a>(
        batches: &[&'a Self],
        stretches: &[Stretch],
        partition: Partition,
        arena: &'a Arena,
    ) -> Rows<'a> {
        let value_valid: Vec<_> = batches.iter().map(|batch| &batch.value_valid).collect();
        Rows {
            len: rows_of(stretches),
            key: keys(batches, stretches, arena),
            value: columns(batches, stretches, arena, |batch| &batch.value),
            value_valid: gather_validity(&value_valid, stretches),
            old: old_rows(batches, stretches, arena),
            meta: meta(batches, stretches, partition, arena),
        }
    }
}

/// Columns put together from several batches.
fn columns<'a>(
    batches: &[&'a OwnedRows],
    stretches: &[Stretch],
    arena: &'a Arena,
    of: impl Fn(&'a OwnedRows) -> &'a [OwnedColumn],
) -> Vec<Column<'a>> {
    let width = batches.iter().map(|batch| of(batch).len()).max().unwrap_or(0);
    let column = |index: usize| {
        let parts: Vec<_> =
            batches.iter().map(|batch| of(batch).get(index).unwrap_or(&ABSENT)).collect();
        OwnedColumn::gather(&parts, stretches, arena)
    };
    (0..width).map(column).collect()
}

/// Keys put together from several batches: distinct within each where all of them have it so.
fn keys<'a>(batches: &[&'a OwnedRows], stretches: &[Stretch], arena: &'a Arena) -> KeyColumns<'a> {
    let is_indexed = batches.iter().all(|batch| batch.key_index.is_some());
    let mut index = is_indexed.then(|| Vec::with_capacity(rows_of(stretches)));
    let mut places: Vec<Vec<u32>> = if is_indexed {
        batches.iter().map(|batch| vec![u32::MAX; batch.keys]).collect()
    } else {
        Vec::new()
    };
    let mut kept: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        let of = stretch.of as usize;
        let Some(keys) = &batches[of].key_index else {
            kept.push(*stretch);
            continue;
        };
        for key in &keys[stretch.range()] {
            let one = Stretch { of: stretch.of, start: *key, len: 1 };
            let Some(index) = &mut index else {
                kept.push(one);
                continue;
            };
            let place = &mut places[of][*key as usize];
            if *place == u32::MAX {
                *place = kept.len() as u32;
                kept.push(one);
            }
            index.push(*place);
        }
    }
    let valid: Vec<_> = batches.iter().map(|batch| &batch.key_valid).collect();
    KeyColumns {
        columns: columns(batches, &kept, arena, |batch| &batch.key),
        valid: gather_validity(&valid, &kept),
        index: index.map(Shared::from),
        len: rows_of(&kept),
    }
}

/// The rows before, where any batch has them; those of the others were not there.
fn old_rows<'a>(
    batches: &[&'a OwnedRows],
    stretches: &[Stretch],
    arena: &'a Arena,
) -> Option<OldRows<'a>> {
    batches.iter().any(|batch| batch.old.is_some()).then(|| {
        let none = batches.iter().map(|batch| Validity::from_flags(vec![false; batch.len]));
        let none: Vec<Validity> = none.collect();
        let valid = batches.iter().zip(&none);
        let valid: Vec<_> = valid
            .map(|(batch, none)| batch.old.as_ref().map_or(none, |(_, valid)| valid))
            .collect();
        let old = |batch: &'a OwnedRows| -> &'a [OwnedColumn] {
            batch.old.as_ref().map_or(&[], |(columns, _)| columns)
        };
        OldRows {
            value: columns(batches, stretches, arena, old),
            valid: gather_validity(&valid, stretches),
        }
    })
}

fn meta<'a>(
    batches: &[&'a OwnedRows],
    stretches: &[Stretch],
    partition: Partition,
    arena: &'a Arena,
) -> Meta<'a> {
    let len = rows_of(stretches);
    let mut timestamps = Vec::with_capacity(len);
    let has_offsets = batches.iter().all(|batch| batch.offsets.len() == batch.len);
    let mut offsets = Vec::with_capacity(if has_offsets { len } else { 0 });
    for stretch in stretches {
        let batch = batches[stretch.of as usize];
        timestamps.extend_from_slice(&batch.timestamps[stretch.range()]);
        if has_offsets {
            offsets.extend_from_slice(&batch.offsets[stretch.range()]);
        }
    }
    let headers = batches.iter().any(|batch| batch.headers.is_some()).then(|| {
        let headers = stretches.iter().flat_map(|stretch| {
            let all = &batches[stretch.of as usize].headers;
            stretch
                .range()
                .map(move |row| all.as_ref().map_or(&[][..], |all| lent(&all[row], arena)))
        });
        headers.collect()
    });
    let windows = batches.iter().all(|batch| batch.windows.is_some()).then(|| {
        let windows = stretches.iter().flat_map(|stretch| {
            batches[stretch.of as usize].windows.iter().flat_map(|all| &all[stretch.range()])
        });
        windows.copied().collect()
    });
    let (timestamps, offsets) = (timestamps.into(), offsets.into());
    Meta { timestamps, headers, windows, offsets, partition, is_source: false }
}

/// Headers as operators see them.
fn lent<'a>(headers: &'a OwnedHeaders, arena: &'a Arena) -> Headers<'a> {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    arena.headers(&headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{SqlType, Value};

    /// A batch of one key and one value column, whose keys are distinct if `index` says so.
    fn batch(
        keys: &[&'static str],
        index: Option<Vec<u32>>,
        values: &[Value<'static>],
        ty: &SqlType,
    ) -> OwnedRows {
        let column = Column::Strings(keys.to_vec().into(), Validity::all());
        let len = values.len();
        let key = KeyColumns {
            columns: vec![column],
            valid: Validity::all(),
            index: index.map(Shared::from),
            len: keys.len(),
        };
        let value = vec![Column::from_values(ty, values.iter().copied())];
        let meta = Meta { timestamps: (0..len as i64).collect(), ..Meta::default() };
        OwnedRows::of(&Rows { len, key, value, meta, ..Rows::default() })
    }

    fn shown(rows: &Rows<'_>) -> Vec<String> {
        let row = |row: usize| {
            let key = rows.key.columns[0].value(rows.key.position(row));
            format!("{key:?} {:?} @ {}", rows.value[0].value(row), rows.meta.timestamps[row])
        };
        (0..rows.len).map(row).collect()
    }

    fn stretch(of: u32, start: u32, len: u32) -> Stretch {
        Stretch { of, start, len }
    }

    #[test]
    fn rows_of_several_batches_become_one_with_the_keys_that_are_used() {
        let ty = SqlType::Double;
        let doubles = |values: &[f64]| values.iter().map(|v| Value::Double(*v)).collect::<Vec<_>>();
        let a = batch(&["x", "y"], Some(vec![0, 1, 0]), &doubles(&[1.0, 2.0, 3.0]), &ty);
        let b = batch(&["z", "x"], Some(vec![0, 1]), &doubles(&[4.0, 5.0]), &ty);
        let arena = Arena::new();
        let order = [stretch(1, 1, 1), stretch(0, 0, 1), stretch(0, 2, 1)];
        let rows = OwnedRows::gather(&[&a, &b], &order, Partition(2), &arena);
        let expected = [
            "String(\"x\") Double(5.0) @ 1",
            "String(\"x\") Double(1.0) @ 0",
            "String(\"x\") Double(3.0) @ 2",
        ];
        assert_eq!(shown(&rows), expected);
        assert!(matches!(rows.value[0], Column::Doubles(..)));
        assert_eq!((rows.key.len, rows.meta.partition), (2, Partition(2)));
    }

    #[test]
    fn columns_that_batches_hold_in_different_ways_are_put_together_too() {
        let a = batch(&["x"], Some(vec![0]), &[Value::Null], &SqlType::String);
        let b = batch(&["y"], None, &[Value::Bigint(7)], &SqlType::Bigint);
        let arena = Arena::new();
        let order = [stretch(0, 0, 1), stretch(1, 0, 1)];
        let rows = OwnedRows::gather(&[&a, &b], &order, Partition(0), &arena);
        let expected = ["String(\"x\") Null @ 0", "String(\"y\") Bigint(7) @ 0"];
        assert_eq!(shown(&rows), expected);
        assert!(rows.key.index.is_none());
    }
}
