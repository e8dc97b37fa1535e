//! Columns as the operands of kernels: a slice or one number for all rows, and what is NULL.

use std::borrow::Cow;

use crate::types::{Column, Validity, Value};

/// Numbers of one type for each row.
pub(super) enum Operand<'c, T: Clone> {
    Many(Cow<'c, [T]>),
    One(T),
}

/// A number that a column's values can be read as.
pub(super) trait Number: Copy + Default {
    /// The vector of this type, if the column is one.
    fn slice<'c>(column: &'c Column<'_>) -> Option<&'c [Self]>;
    /// The value as this number; the default for NULL and whatever else.
    fn from_value(value: Value<'_>) -> Self;
    /// A column of these.
    fn column<'a>(values: Vec<Self>, valid: Validity) -> Column<'a>;
}

impl Number for i32 {
    fn slice<'c>(column: &'c Column<'_>) -> Option<&'c [Self]> {
        if let Column::Ints(values, _) = column { Some(values) } else { None }
    }

    fn from_value(value: Value<'_>) -> Self {
        if let Value::Int(value) = value { value } else { 0 }
    }

    fn column<'a>(values: Vec<Self>, valid: Validity) -> Column<'a> {
        Column::Ints(values.into(), valid)
    }
}

impl Number for i64 {
    fn slice<'c>(column: &'c Column<'_>) -> Option<&'c [Self]> {
        if let Column::Bigints(values, _) = column { Some(values) } else { None }
    }

    fn from_value(value: Value<'_>) -> Self {
        match value {
            Value::Int(value) => i64::from(value),
            Value::Bigint(value) => value,
            _ => 0,
        }
    }

    fn column<'a>(values: Vec<Self>, valid: Validity) -> Column<'a> {
        Column::Bigints(values.into(), valid)
    }
}

impl Number for f64 {
    fn slice<'c>(column: &'c Column<'_>) -> Option<&'c [Self]> {
        if let Column::Doubles(values, _) = column { Some(values) } else { None }
    }

    fn from_value(value: Value<'_>) -> Self {
        match value {
            Value::Int(value) => f64::from(value),
            Value::Bigint(value) => value as f64,
            Value::Double(value) => value,
            Value::Decimal(value) => value.to_f64(),
            _ => 0.0,
        }
    }

    fn column<'a>(values: Vec<Self>, valid: Validity) -> Column<'a> {
        Column::Doubles(values.into(), valid)
    }
}

impl<'c, T: Number> Operand<'c, T> {
    pub(super) fn new(column: &'c Column<'_>, len: usize) -> Self {
        match column {
            Column::Absent => Self::One(T::default()),
            Column::Constant(value) => Self::One(T::from_value(*value)),
            other => Self::Many(match T::slice(other) {
                Some(values) => Cow::Borrowed(values),
                None => (0..len).map(|row| T::from_value(other.value(row))).collect(),
            }),
        }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> T {
        match self {
            Self::Many(values) => values[at],
            Self::One(value) => *value,
        }
    }
}

/// Combines two operands row by row.
#[inline]
pub(super) fn zip<T: Number, R>(
    left: &Operand<'_, T>,
    right: &Operand<'_, T>,
    len: usize,
    combine: impl Fn(T, T) -> R,
) -> Vec<R> {
    match (left, right) {
        (Operand::Many(left), Operand::Many(right)) => {
            left.iter().zip(right.iter()).map(|(a, b)| combine(*a, *b)).collect()
        }
        (Operand::Many(left), Operand::One(b)) => left.iter().map(|a| combine(*a, *b)).collect(),
        (Operand::One(a), Operand::Many(right)) => right.iter().map(|b| combine(*a, *b)).collect(),
        (Operand::One(a), Operand::One(b)) => (0..len).map(|_| combine(*a, *b)).collect(),
    }
}

/// Whether no row of a column is NULL.
pub(super) fn is_all_valid(column: &Column<'_>) -> bool {
    match column {
        Column::Absent => false,
        Column::Constant(value) => !value.is_null(),
        Column::Booleans(_, valid)
        | Column::Ints(_, valid)
        | Column::Bigints(_, valid)
        | Column::Doubles(_, valid)
        | Column::Strings(_, valid) => valid.is_all_valid(),
        Column::Values(values) => !values.iter().any(Value::is_null),
    }
}
