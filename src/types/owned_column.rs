//! A column that outlives its batch, and columns put together from several of them.

use super::{Arena, Column, OwnedValue, Validity, Value};

/// A column that owns its values; texts lie in one piece.
#[derive(Clone, Debug)]
pub(super) enum OwnedColumn {
    Absent,
    Constant(OwnedValue),
    Booleans(Vec<bool>, Validity),
    Ints(Vec<i32>, Validity),
    Bigints(Vec<i64>, Validity),
    Doubles(Vec<f64>, Validity),
    Strings(Texts, Validity),
    Values(Vec<OwnedValue>),
}

/// Texts one behind the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u32>,
}

/// Some rows one behind the other of one of several batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which batch.
    pub of: u32,
    /// The first row.
    pub start: u32,
    /// How many rows.
    pub len: u32,
}

impl Stretch {
    /// The rows.
    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// How many rows some stretches have.
pub(super) fn rows_of(stretches: &[Stretch]) -> usize {
    stretches.iter().map(|stretch| stretch.len as usize).sum()
}

impl Texts {
    /// Copies texts, unless they are more than fit into one piece: beyond 4 GiB.
    fn of<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Option<Self> {
        let bytes: usize = texts.clone().map(str::len).sum();
        u32::try_from(bytes).ok()?;
        let mut text = String::with_capacity(bytes);
        let ends = texts.map(|one| {
            text.push_str(one);
            text.len() as u32
        });
        let ends = ends.collect();
        Some(Self { text, ends })
    }

    fn get(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..self.ends[row] as usize).unwrap_or_default()
    }

    /// Appends the texts of some rows.
    fn extend<'t>(&'t self, rows: std::ops::Range<usize>, out: &mut Vec<&'t str>) {
        let mut start = rows.start.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        out.extend(self.ends[rows].iter().map(|end| {
            let text = self.text.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            text
        }));
    }
}

impl OwnedColumn {
    /// A copy of the rows in `rows`, in that order.
    pub(super) fn taken(column: &Column<'_>, rows: &[u32]) -> Self {
        fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| values[*row as usize]).collect()
        }
        match column {
            Column::Absent => Self::Absent,
            Column::Constant(value) => Self::Constant(value.to_owned()),
            Column::Booleans(values, valid) => Self::Booleans(pick(values, rows), valid.take(rows)),
            Column::Ints(values, valid) => Self::Ints(pick(values, rows), valid.take(rows)),
            Column::Bigints(values, valid) => Self::Bigints(pick(values, rows), valid.take(rows)),
            Column::Doubles(values, valid) => Self::Doubles(pick(values, rows), valid.take(rows)),
            Column::Strings(values, valid) => {
                match Texts::of(rows.iter().map(|row| values[*row as usize])) {
                    Some(texts) => Self::Strings(texts, valid.take(rows)),
                    None => Self::values(column, rows.iter().map(|row| *row as usize)),
                }
            }
            Column::Values(_) => Self::values(column, rows.iter().map(|row| *row as usize)),
        }
    }

    /// A copy of all rows.
    pub(super) fn of(column: &Column<'_>) -> Self {
        match column {
            Column::Absent => Self::Absent,
            Column::Constant(value) => Self::Constant(value.to_owned()),
            Column::Booleans(values, valid) => Self::Booleans(values.to_vec(), valid.clone()),
            Column::Ints(values, valid) => Self::Ints(values.to_vec(), valid.clone()),
            Column::Bigints(values, valid) => Self::Bigints(values.to_vec(), valid.clone()),
            Column::Doubles(values, valid) => Self::Doubles(values.to_vec(), valid.clone()),
            Column::Strings(values, valid) => match Texts::of(values.iter().copied()) {
                Some(texts) => Self::Strings(texts, valid.clone()),
                None => Self::values(column, 0..values.len()),
            },
            Column::Values(values) => Self::values(column, 0..values.len()),
        }
    }

    fn values(column: &Column<'_>, rows: impl Iterator<Item = usize>) -> Self {
        Self::Values(rows.map(|row| column.value(row).to_owned()).collect())
    }

    /// The value in `row`.
    fn value<'a>(&'a self, row: usize, arena: &'a Arena) -> Value<'a> {
        match self {
            Self::Constant(value) => value.as_value(arena),
            Self::Booleans(values, valid) if valid.is_valid(row) => Value::Boolean(values[row]),
            Self::Ints(values, valid) if valid.is_valid(row) => Value::Int(values[row]),
            Self::Bigints(values, valid) if valid.is_valid(row) => Value::Bigint(values[row]),
            Self::Doubles(values, valid) if valid.is_valid(row) => Value::Double(values[row]),
            Self::Strings(texts, valid) if valid.is_valid(row) => Value::String(texts.get(row)),
            Self::Values(values) => values[row].as_value(arena),
            _ => Value::Null,
        }
    }

    /// About how many bytes it takes, nested values left out.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Absent | Self::Constant(_) => 0,
            Self::Booleans(values, _) => values.len(),
            Self::Ints(values, _) => values.len() * 4,
            Self::Bigints(values, _) => values.len() * 8,
            Self::Doubles(values, _) => values.len() * 8,
            Self::Strings(texts, _) => texts.text.len() + texts.ends.len() * 4,
            Self::Values(values) => values.len() * std::mem::size_of::<OwnedValue>(),
        }
    }

    /// The rows of `stretches`, in that order, from the same column of several batches.
    ///
    /// Where all batches hold it in the same way, so does the result; else it is one of values.
    pub(super) fn gather<'a>(
        columns: &[&'a Self],
        stretches: &[Stretch],
        arena: &'a Arena,
    ) -> Column<'a> {
        let typed = match columns.first() {
            None | Some(Self::Values(_)) => None,
            Some(Self::Absent) => columns
                .iter()
                .all(|column| matches!(column, Self::Absent))
                .then_some(Column::Absent),
            Some(Self::Constant(first)) => {
                let is_same =
                    |column: &&Self| matches!(column, Self::Constant(value) if value == first);
                columns.iter().all(is_same).then(|| Column::Constant(first.as_value(arena)))
            }
            Some(Self::Booleans(..)) => copied(columns, stretches, |column| match column {
                Self::Booleans(values, valid) => Some((values, valid)),
                _ => None,
            })
            .map(|(values, valid)| Column::Booleans(values.into(), valid)),
            Some(Self::Ints(..)) => copied(columns, stretches, |column| match column {
                Self::Ints(values, valid) => Some((values, valid)),
                _ => None,
            })
            .map(|(values, valid)| Column::Ints(values.into(), valid)),
            Some(Self::Bigints(..)) => copied(columns, stretches, |column| match column {
                Self::Bigints(values, valid) => Some((values, valid)),
                _ => None,
            })
            .map(|(values, valid)| Column::Bigints(values.into(), valid)),
            Some(Self::Doubles(..)) => copied(columns, stretches, |column| match column {
                Self::Doubles(values, valid) => Some((values, valid)),
                _ => None,
            })
            .map(|(values, valid)| Column::Doubles(values.into(), valid)),
            Some(Self::Strings(..)) => texts(columns, stretches),
        };
        typed.unwrap_or_else(|| {
            let rows = stretches.iter().flat_map(|stretch| {
                let column = columns[stretch.of as usize];
                stretch.range().map(move |row| column.value(row, arena))
            });
            Column::Values(rows.collect())
        })
    }
}

/// The numbers of some stretches, if all columns hold them in the same way.
fn copied<'a, T: Copy + 'a>(
    columns: &[&'a OwnedColumn],
    stretches: &[Stretch],
    of: impl Fn(&'a OwnedColumn) -> Option<(&'a Vec<T>, &'a Validity)>,
) -> Option<(Vec<T>, Validity)> {
    let parts: Vec<_> = columns.iter().map(|column| of(column)).collect::<Option<_>>()?;
    let mut values = Vec::with_capacity(rows_of(stretches));
    for stretch in stretches {
        values.extend_from_slice(&parts[stretch.of as usize].0[stretch.range()]);
    }
    let valid: Vec<_> = parts.into_iter().map(|(_, valid)| valid).collect();
    Some((values, gather_validity(&valid, stretches)))
}

fn texts<'a>(columns: &[&'a OwnedColumn], stretches: &[Stretch]) -> Option<Column<'a>> {
    let parts = columns.iter().map(|column| match column {
        OwnedColumn::Strings(texts, valid) => Some((texts, valid)),
        _ => None,
    });
    let parts: Vec<_> = parts.collect::<Option<_>>()?;
    let mut values = Vec::with_capacity(rows_of(stretches));
    for stretch in stretches {
        parts[stretch.of as usize].0.extend(stretch.range(), &mut values);
    }
    let valid: Vec<_> = parts.into_iter().map(|(_, valid)| valid).collect();
    Some(Column::Strings(values.into(), gather_validity(&valid, stretches)))
}

/// Which rows of some stretches are valid.
pub(super) fn gather_validity(parts: &[&Validity], stretches: &[Stretch]) -> Validity {
    if parts.iter().all(|valid| valid.is_all_valid()) {
        return Validity::all();
    }
    let flags = stretches.iter().flat_map(|stretch| {
        let valid = parts[stretch.of as usize];
        stretch.range().map(move |row| valid.is_valid(row))
    });
    Validity::from_flags(flags.collect())
}
