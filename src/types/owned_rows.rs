//! Rows that outlive the batch that they come from, on their way from task to task.

use super::{
    Arena, Column, Headers, KeyColumns, Meta, OldRows, OwnedHeaders, OwnedValue, Partition, Rows,
    Validity, Value, Window, owned_headers,
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
    headers: Option<Vec<OwnedHeaders>>,
    windows: Option<Vec<Window>>,
}

/// A column that owns its values; texts lie in one piece.
#[derive(Clone, Debug)]
enum OwnedColumn {
    Absent,
    Constant(OwnedValue),
    Booleans(Vec<bool>, Validity),
    Ints(Vec<i32>, Validity),
    Bigints(Vec<i64>, Validity),
    Doubles(Vec<f64>, Validity),
    Strings { text: String, ends: Vec<u32>, valid: Validity },
    Values(Vec<OwnedValue>),
}

impl OwnedColumn {
    fn of(column: &Column<'_>) -> Self {
        match column {
            Column::Absent => Self::Absent,
            Column::Constant(value) => Self::Constant(value.to_owned()),
            Column::Booleans(values, valid) => Self::Booleans(values.clone(), valid.clone()),
            Column::Ints(values, valid) => Self::Ints(values.clone(), valid.clone()),
            Column::Bigints(values, valid) => Self::Bigints(values.clone(), valid.clone()),
            Column::Doubles(values, valid) => Self::Doubles(values.clone(), valid.clone()),
            Column::Strings(values, valid) => Self::strings(values, valid),
            Column::Values(values) => Self::Values(values.iter().map(Value::to_owned).collect()),
        }
    }

    /// Texts beyond 4 GiB do not fit into one piece.
    fn strings(values: &[&str], valid: &Validity) -> Self {
        let bytes: usize = values.iter().map(|text| text.len()).sum();
        if u32::try_from(bytes).is_err() {
            let value = |(row, text): (usize, &&str)| {
                if valid.is_valid(row) {
                    OwnedValue::String((*text).into())
                } else {
                    OwnedValue::Null
                }
            };
            return Self::Values(values.iter().enumerate().map(value).collect());
        }
        let mut text = String::with_capacity(bytes);
        let ends = values.iter().map(|value| {
            text.push_str(value);
            text.len() as u32
        });
        let ends = ends.collect();
        Self::Strings { text, ends, valid: valid.clone() }
    }

    fn view<'a>(&'a self, arena: &'a Arena) -> Column<'a> {
        match self {
            Self::Absent => Column::Absent,
            Self::Constant(value) => Column::Constant(value.as_value(arena)),
            Self::Booleans(values, valid) => Column::Booleans(values.clone(), valid.clone()),
            Self::Ints(values, valid) => Column::Ints(values.clone(), valid.clone()),
            Self::Bigints(values, valid) => Column::Bigints(values.clone(), valid.clone()),
            Self::Doubles(values, valid) => Column::Doubles(values.clone(), valid.clone()),
            Self::Strings { text, ends, valid } => {
                let mut start = 0;
                let texts = ends.iter().map(|end| {
                    let end = *end as usize;
                    let part = text.get(start..end).unwrap_or_default();
                    start = end;
                    part
                });
                Column::Strings(texts.collect(), valid.clone())
            }
            Self::Values(values) => {
                Column::Values(values.iter().map(|value| value.as_value(arena)).collect())
            }
        }
    }
}

impl OwnedRows {
    /// A copy of `rows`.
    pub fn of(rows: &Rows<'_>) -> Self {
        let columns = |columns: &[Column<'_>]| columns.iter().map(OwnedColumn::of).collect();
        let headers = rows.meta.headers.as_ref();
        Self {
            len: rows.len,
            key: columns(&rows.key.columns),
            key_valid: rows.key.valid.clone(),
            key_index: rows.key.index.clone(),
            keys: rows.key.len,
            value: columns(&rows.value),
            value_valid: rows.value_valid.clone(),
            old: rows.old.as_ref().map(|old| (columns(&old.value), old.valid.clone())),
            timestamps: rows.meta.timestamps.clone(),
            headers: headers.map(|all| all.iter().map(|one| owned_headers(one)).collect()),
            windows: rows.meta.windows.clone(),
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

    /// The rows, as those of a task of `partition`.
    pub fn view<'a>(&'a self, partition: Partition, arena: &'a Arena) -> Rows<'a> {
        let columns = |columns: &'a [OwnedColumn]| -> Vec<Column<'a>> {
            columns.iter().map(|column| column.view(arena)).collect()
        };
        let headers = self.headers.as_ref().map(|all| {
            all.iter().map(|headers| lent(headers, arena)).collect::<Vec<Headers<'a>>>()
        });
        Rows {
            len: self.len,
            key: KeyColumns {
                columns: columns(&self.key),
                valid: self.key_valid.clone(),
                index: self.key_index.clone(),
                len: self.keys,
            },
            value: columns(&self.value),
            value_valid: self.value_valid.clone(),
            old: self
                .old
                .as_ref()
                .map(|(value, valid)| OldRows { value: columns(value), valid: valid.clone() }),
            meta: Meta {
                timestamps: self.timestamps.clone(),
                headers,
                windows: self.windows.clone(),
                offsets: Vec::new(),
                partition,
                is_source: false,
            },
        }
    }
}

/// Headers as operators see them.
fn lent<'a>(headers: &'a OwnedHeaders, arena: &'a Arena) -> Headers<'a> {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    arena.headers(&headers)
}
