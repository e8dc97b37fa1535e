//! One value for each row of a chunk, in vectors of one type where that is worth it.

use super::{Shared, SqlType, Value};

/// Which rows of a typed column hold a value.
#[derive(Clone, Debug, Default)]
pub struct Validity {
    /// `None` while every row is valid; else one flag for each row.
    flags: Option<Vec<bool>>,
}

impl Validity {
    /// Every row holds a value.
    pub fn all() -> Self {
        Self { flags: None }
    }

    /// Takes one flag for each row.
    pub fn from_flags(flags: Vec<bool>) -> Self {
        if flags.iter().all(|valid| *valid) { Self::all() } else { Self { flags: Some(flags) } }
    }

    /// Whether `row` holds a value.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.flags.as_ref().is_none_or(|flags| flags[row])
    }

    /// Whether every row holds a value.
    #[inline]
    pub fn is_all_valid(&self) -> bool {
        self.flags.is_none()
    }

    /// Makes `row` of a column of `len` rows NULL.
    pub fn set_null(&mut self, row: usize, len: usize) {
        self.flags.get_or_insert_with(|| vec![true; len])[row] = false;
    }

    /// The flags, if any row is NULL.
    pub fn flags(&self) -> Option<&[bool]> {
        self.flags.as_deref()
    }

    /// The validity of the rows in `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        match &self.flags {
            None => Self::all(),
            Some(flags) => Self::from_flags(rows.iter().map(|row| flags[*row as usize]).collect()),
        }
    }
}

/// The values of one column of a chunk.
#[derive(Clone, Debug)]
pub enum Column<'a> {
    /// A column that no query uses, so it was not decoded. Reading it gives NULL.
    Absent,
    /// The same value in every row.
    Constant(Value<'a>),
    /// BOOLEAN.
    Booleans(Shared<bool>, Validity),
    /// INT.
    Ints(Shared<i32>, Validity),
    /// BIGINT.
    Bigints(Shared<i64>, Validity),
    /// DOUBLE.
    Doubles(Shared<f64>, Validity),
    /// VARCHAR, borrowing from the batch or the arena. A NULL is an empty text.
    Strings(Shared<&'a str>, Validity),
    /// Any other type, and mixtures.
    Values(Shared<Value<'a>>),
}

impl<'a> Column<'a> {
    /// The value in `row`.
    #[inline]
    pub fn value(&self, row: usize) -> Value<'a> {
        match self {
            Column::Constant(value) => *value,
            Column::Booleans(values, valid) if valid.is_valid(row) => Value::Boolean(values[row]),
            Column::Ints(values, valid) if valid.is_valid(row) => Value::Int(values[row]),
            Column::Bigints(values, valid) if valid.is_valid(row) => Value::Bigint(values[row]),
            Column::Doubles(values, valid) if valid.is_valid(row) => Value::Double(values[row]),
            Column::Strings(values, valid) if valid.is_valid(row) => Value::String(values[row]),
            Column::Values(values) => values[row],
            _ => Value::Null,
        }
    }

    /// Whether `row` is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Absent => true,
            Column::Constant(value) => value.is_null(),
            Column::Booleans(_, valid)
            | Column::Ints(_, valid)
            | Column::Bigints(_, valid)
            | Column::Doubles(_, valid)
            | Column::Strings(_, valid) => !valid.is_valid(row),
            Column::Values(values) => values[row].is_null(),
        }
    }

    /// The rows in `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Shared<T> {
            rows.iter().map(|row| values[*row as usize]).collect()
        }
        match self {
            Column::Absent => Column::Absent,
            Column::Constant(value) => Column::Constant(*value),
            Column::Booleans(values, valid) => {
                Column::Booleans(pick(values, rows), valid.take(rows))
            }
            Column::Ints(values, valid) => Column::Ints(pick(values, rows), valid.take(rows)),
            Column::Bigints(values, valid) => Column::Bigints(pick(values, rows), valid.take(rows)),
            Column::Doubles(values, valid) => Column::Doubles(pick(values, rows), valid.take(rows)),
            Column::Strings(values, valid) => Column::Strings(pick(values, rows), valid.take(rows)),
            Column::Values(values) => Column::Values(pick(values, rows)),
        }
    }

    /// Collects values into the vector that suits `ty`.
    pub fn from_values(ty: &SqlType, values: impl IntoIterator<Item = Value<'a>>) -> Self {
        let mut builder = ColumnBuilder::new(ty, 0);
        for value in values {
            builder.push(value);
        }
        builder.finish()
    }
}

/// Collects one column row by row.
#[derive(Debug)]
pub struct ColumnBuilder<'a> {
    values: Values<'a>,
    /// The flags of a typed column, from its first NULL on.
    flags: Option<Vec<bool>>,
    len: usize,
}

/// The values of a column that is not finished.
#[derive(Debug)]
enum Values<'a> {
    Booleans(Vec<bool>),
    Ints(Vec<i32>),
    Bigints(Vec<i64>),
    Doubles(Vec<f64>),
    Strings(Vec<&'a str>),
    Mixed(Vec<Value<'a>>),
}

impl<'a> ColumnBuilder<'a> {
    /// A builder for a column of `ty` with room for `capacity` rows.
    pub fn new(ty: &SqlType, capacity: usize) -> Self {
        let values = match ty {
            SqlType::Boolean => Values::Booleans(Vec::with_capacity(capacity)),
            SqlType::Int => Values::Ints(Vec::with_capacity(capacity)),
            SqlType::Bigint => Values::Bigints(Vec::with_capacity(capacity)),
            SqlType::Double => Values::Doubles(Vec::with_capacity(capacity)),
            SqlType::String => Values::Strings(Vec::with_capacity(capacity)),
            _ => Values::Mixed(Vec::with_capacity(capacity)),
        };
        Self { values, flags: None, len: 0 }
    }

    /// Adds a value. One of another type than the column's turns it into a mixed column.
    #[inline]
    pub fn push(&mut self, value: Value<'a>) {
        match (&mut self.values, value) {
            (Values::Booleans(values), Value::Boolean(value)) => values.push(value),
            (Values::Ints(values), Value::Int(value)) => values.push(value),
            (Values::Bigints(values), Value::Bigint(value)) => values.push(value),
            (Values::Doubles(values), Value::Double(value)) => values.push(value),
            (Values::Strings(values), Value::String(value)) => values.push(value),
            (Values::Mixed(values), value) => {
                values.push(value);
                self.len += 1;
                return;
            }
            (_, value) => {
                self.push_other(value);
                return;
            }
        }
        if let Some(flags) = &mut self.flags {
            flags.push(true);
        }
        self.len += 1;
    }

    /// Adds a DOUBLE, as fast as can be to a column of that type.
    #[inline]
    pub fn push_double(&mut self, value: f64) {
        match (&mut self.values, &self.flags) {
            (Values::Doubles(values), None) => {
                values.push(value);
                self.len += 1;
            }
            _ => self.push(Value::Double(value)),
        }
    }

    /// Adds a BIGINT in the same way.
    #[inline]
    pub fn push_bigint(&mut self, value: i64) {
        match (&mut self.values, &self.flags) {
            (Values::Bigints(values), None) => {
                values.push(value);
                self.len += 1;
            }
            _ => self.push(Value::Bigint(value)),
        }
    }

    /// Adds a VARCHAR in the same way.
    #[inline]
    pub fn push_text(&mut self, value: &'a str) {
        match (&mut self.values, &self.flags) {
            (Values::Strings(values), None) => {
                values.push(value);
                self.len += 1;
            }
            _ => self.push(Value::String(value)),
        }
    }

    /// Adds a NULL, or a value of another type than the column's.
    #[inline(never)]
    fn push_other(&mut self, value: Value<'a>) {
        if !value.is_null() {
            self.widen();
        }
        match &mut self.values {
            Values::Mixed(values) => {
                values.push(value);
                self.len += 1;
            }
            _ => self.push_null(),
        }
    }

    /// Adds a NULL.
    pub fn push_null(&mut self) {
        match &mut self.values {
            Values::Booleans(values) => values.push(false),
            Values::Ints(values) => values.push(0),
            Values::Bigints(values) => values.push(0),
            Values::Doubles(values) => values.push(0.0),
            Values::Strings(values) => values.push(""),
            Values::Mixed(values) => values.push(Value::Null),
        }
        if !matches!(self.values, Values::Mixed(_)) {
            let len = self.len;
            self.flags.get_or_insert_with(|| vec![true; len]).push(false);
        }
        self.len += 1;
    }

    /// How many rows there are so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes the rows from `len` on: a record that failed half-way leaves no row.
    pub fn truncate(&mut self, len: usize) {
        match &mut self.values {
            Values::Booleans(values) => values.truncate(len),
            Values::Ints(values) => values.truncate(len),
            Values::Bigints(values) => values.truncate(len),
            Values::Doubles(values) => values.truncate(len),
            Values::Strings(values) => values.truncate(len),
            Values::Mixed(values) => values.truncate(len),
        }
        if let Some(flags) = &mut self.flags {
            flags.truncate(len);
        }
        self.len = self.len.min(len);
    }

    /// The finished column.
    pub fn finish(self) -> Column<'a> {
        let valid = self.flags.map_or_else(Validity::all, Validity::from_flags);
        match self.values {
            Values::Booleans(values) => Column::Booleans(values.into(), valid),
            Values::Ints(values) => Column::Ints(values.into(), valid),
            Values::Bigints(values) => Column::Bigints(values.into(), valid),
            Values::Doubles(values) => Column::Doubles(values.into(), valid),
            Values::Strings(values) => Column::Strings(values.into(), valid),
            Values::Mixed(values) => Column::Values(values.into()),
        }
    }

    fn widen(&mut self) {
        let done = std::mem::replace(self, Self::new(&SqlType::Bytes, 0));
        let len = done.len;
        let column = done.finish();
        self.values = Values::Mixed((0..len).map(|row| column.value(row)).collect());
        self.len = len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_24_bytes() {
        assert_eq!(std::mem::size_of::<Value<'_>>(), 24);
    }

    #[test]
    fn a_column_gives_back_what_was_pushed() {
        let pushed = [Value::Double(1.5), Value::Null, Value::Int(3), Value::Double(2.0)];
        let column = Column::from_values(&SqlType::Double, pushed);
        for (row, value) in pushed.iter().enumerate() {
            assert_eq!(column.value(row), *value);
        }
        assert_eq!(column.take(&[3, 1]).value(1), Value::Null);
    }
}
