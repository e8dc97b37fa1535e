//! `=`, `<` and their like, BETWEEN and IN.
//!
//! A NULL on either side makes a comparison FALSE, not NULL, and the right side is not evaluated
//! where the left one is NULL.

use std::cmp::Ordering;

use super::super::operator::Comparison;
use super::super::tree::Expr;
use super::super::typing::java_class;
use super::super::{EvalError, cast};
use super::arithmetic::decimal;
use super::decimal_threshold::Threshold;
use super::operand::{Operand, is_all_valid, zip};
use super::{Part, Rows, Run, has_failed, loop_rows, merge};
use crate::java;
use crate::types::{Column, Decimal, SqlType, Validity, Value};

/// How values of two types are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Long,
    Double,
    Decimal,
    Text,
    Boolean,
    Bytes,
    Time,
    /// Lists, maps and structs, which are equal or not.
    Whole {
        same_type: bool,
    },
    /// A text with another type, which only BETWEEN lets pass.
    Mismatch,
}

impl Kind {
    fn of(left: &Expr, right: &Expr) -> Self {
        let (Some(a), Some(b)) = (&left.ty, &right.ty) else { return Self::Mismatch };
        let either = |test: fn(&SqlType) -> bool| test(a) || test(b);
        if either(|ty| matches!(ty, SqlType::Decimal { .. })) {
            return Self::Decimal;
        }
        match (a, b) {
            (a, b) if a.is_numeric() && b.is_numeric() => {
                if either(|ty| *ty == SqlType::Double) {
                    Self::Double
                } else {
                    Self::Long
                }
            }
            (a, b) if a.is_time() && b.is_time() => Self::Time,
            (SqlType::String, SqlType::String) => Self::Text,
            (SqlType::Boolean, _) => Self::Boolean,
            (SqlType::Bytes, _) => Self::Bytes,
            (SqlType::String, _) => Self::Mismatch,
            _ => Self::Whole { same_type: a == b },
        }
    }
}

impl<'f, 'a> Run<'_, 'f, 'a> {
    pub(super) fn comparison(
        &mut self,
        op: Comparison,
        left_expr: &Expr,
        right_expr: &Expr,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let left = self.evaluate(left_expr, rows);
        let right = if left.failed.is_empty() && is_all_valid(&left.column) {
            self.evaluate(right_expr, rows)
        } else {
            let skip_null = op != Comparison::DistinctFrom;
            let skip = |at: u32| {
                has_failed(&left.failed, at) || (skip_null && left.column.is_null(at as usize))
            };
            self.evaluate_unless(right_expr, skip, rows)
        };
        let failed = merge(left.failed, right.failed);
        let part = Part { column: left.column, failed };
        compare(op, Kind::of(left_expr, right_expr), part, &right.column, rows.len())
    }

    pub(super) fn between(
        &mut self,
        value_expr: &Expr,
        low_expr: &Expr,
        high_expr: &Expr,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let value = self.evaluate(value_expr, rows);
        let skip = |at: u32| has_failed(&value.failed, at) || value.column.is_null(at as usize);
        let low = self.evaluate_unless(low_expr, skip, rows);
        let failed = merge(value.failed.clone(), low.failed);
        let part = Part { column: value.column.clone(), failed };
        let kind = Kind::of(value_expr, low_expr);
        let above = compare(Comparison::GreaterOrEqual, kind, part, &low.column, rows.len());
        // What is below the range is not compared with its upper bound.
        let is_above = |at: u32| above.column.value(at as usize) == Value::Boolean(true);
        let high = self.evaluate_unless(high_expr, |at| !is_above(at), rows);
        let failed = merge(above.failed, high.failed);
        let positions: Vec<u32> = (0..rows.len() as u32).filter(|at| is_above(*at)).collect();
        let kind = Kind::of(value_expr, high_expr);
        let part = Part::new(value.column.take(&positions));
        let high_column = high.column.take(&positions);
        let below = compare(Comparison::LessOrEqual, kind, part, &high_column, positions.len());
        let mut truths = vec![false; rows.len()];
        for (from, at) in positions.iter().enumerate() {
            truths[*at as usize] = below.column.value(from) == Value::Boolean(true);
        }
        let late = below.failed.into_iter().map(|(at, e)| (positions[at as usize], e)).collect();
        let failed = merge(failed, late);
        Part::with(Column::Booleans(truths.into(), validity(&failed, rows.len())), failed)
    }

    pub(super) fn in_list(&mut self, value: &Expr, list: &[Expr], rows: Rows<'_>) -> Part<'f, 'a> {
        let exprs = std::iter::once(value).chain(list);
        let (columns, failed) = self.all(exprs, rows, |_, _, part| part);
        let Some((value, list)) = columns.split_first() else {
            unreachable!("there is a value to look for")
        };
        loop_rows(&SqlType::Boolean, rows.len(), failed, |at| {
            let value = value.value(at);
            if value.is_null() {
                return Ok(Value::Boolean(false));
            }
            for item in list {
                if matches(value, item.value(at))? {
                    return Ok(Value::Boolean(true));
                }
            }
            Ok(Value::Boolean(false))
        })
    }
}

/// Compares the values of `left` that have not failed with those of `right`.
fn compare<'f, 'a>(
    op: Comparison,
    kind: Kind,
    left: Part<'f, 'a>,
    right: &Column<'a>,
    len: usize,
) -> Part<'f, 'a> {
    let Part { column, failed } = left;
    let clean = failed.is_empty() && is_all_valid(&column) && is_all_valid(right);
    if clean {
        let truths = match kind {
            Kind::Double => Some(doubles(op, &column, right, len)),
            Kind::Long => Some(longs(op, &column, right, len)),
            Kind::Text if op.is_equality() => Some(texts(op, &column, right, len)),
            _ => None,
        };
        if let Some(truths) = truths {
            return Part::new(Column::Booleans(truths.into(), Validity::all()));
        }
    }
    if kind == Kind::Decimal
        && let (Column::Doubles(values, valid), Column::Constant(Value::Decimal(limit))) =
            (column.as_ref(), right)
        && let Some(threshold) = Threshold::new(limit)
    {
        if clean && let Some(truths) = beside(op, &threshold, values) {
            return Part::new(Column::Booleans(truths.into(), Validity::all()));
        }
        return loop_rows(&SqlType::Boolean, len, failed, |at| {
            if !valid.is_valid(at) {
                return Ok(Value::Boolean(op == Comparison::DistinctFrom));
            }
            let order = threshold.order(values[at]).map_or_else(|| no_digits(values[at]), Ok)?;
            Ok(Value::Boolean(op.holds(order)))
        });
    }
    loop_rows(&SqlType::Boolean, len, failed, |at| {
        let (a, b) = (column.value(at), right.value(at));
        let truth = match (a.is_null(), b.is_null()) {
            (false, false) => compare_values(op, kind, a, b)?,
            (a, b) => op == Comparison::DistinctFrom && a != b,
        };
        Ok(Value::Boolean(truth))
    })
}

/// How doubles compare with a decimal, if all of them do.
fn beside(op: Comparison, threshold: &Threshold, values: &[f64]) -> Option<Vec<bool>> {
    let mut has_order = true;
    let truths = values
        .iter()
        .map(|value| {
            let order = threshold.order(*value);
            has_order &= order.is_some();
            order.is_some_and(|order| op.holds(order))
        })
        .collect();
    has_order.then_some(truths)
}

/// NaN and the infinities are no decimals; Java complains about the first letter of their text.
fn no_digits(value: f64) -> Result<Ordering, EvalError> {
    Err(java::printed_decimal(value)
        .map_or_else(EvalError::from, |_| unreachable!("a finite number has an order")))
}

fn doubles(op: Comparison, left: &Column<'_>, right: &Column<'_>, len: usize) -> Vec<bool> {
    let (left, right) = (Operand::<f64>::new(left, len), Operand::<f64>::new(right, len));
    match op {
        Comparison::Equal => zip(&left, &right, len, |a, b| a == b),
        // Java's `a < b || a > b`, which NaN never is.
        Comparison::NotEqual | Comparison::DistinctFrom => {
            zip(&left, &right, len, |a, b| a.partial_cmp(&b).is_some_and(Ordering::is_ne))
        }
        Comparison::Less => zip(&left, &right, len, |a, b| a < b),
        Comparison::LessOrEqual => zip(&left, &right, len, |a, b| a <= b),
        Comparison::Greater => zip(&left, &right, len, |a, b| a > b),
        Comparison::GreaterOrEqual => zip(&left, &right, len, |a, b| a >= b),
    }
}

fn longs(op: Comparison, left: &Column<'_>, right: &Column<'_>, len: usize) -> Vec<bool> {
    let (left, right) = (Operand::<i64>::new(left, len), Operand::<i64>::new(right, len));
    match op {
        Comparison::Equal => zip(&left, &right, len, |a, b| a == b),
        Comparison::NotEqual | Comparison::DistinctFrom => zip(&left, &right, len, |a, b| a != b),
        Comparison::Less => zip(&left, &right, len, |a, b| a < b),
        Comparison::LessOrEqual => zip(&left, &right, len, |a, b| a <= b),
        Comparison::Greater => zip(&left, &right, len, |a, b| a > b),
        Comparison::GreaterOrEqual => zip(&left, &right, len, |a, b| a >= b),
    }
}

fn texts(op: Comparison, left: &Column<'_>, right: &Column<'_>, len: usize) -> Vec<bool> {
    let wanted = op == Comparison::Equal;
    match (left, right) {
        (Column::Strings(left, _), Column::Strings(right, _)) => {
            left.iter().zip(right.iter()).map(|(a, b)| (a == b) == wanted).collect()
        }
        (Column::Strings(values, _), Column::Constant(Value::String(text)))
        | (Column::Constant(Value::String(text)), Column::Strings(values, _)) => {
            values.iter().map(|value| (value == text) == wanted).collect()
        }
        _ => (0..len).map(|at| (left.value(at) == right.value(at)) == wanted).collect(),
    }
}

fn compare_values(
    op: Comparison,
    kind: Kind,
    a: Value<'_>,
    b: Value<'_>,
) -> Result<bool, EvalError> {
    let order = match (kind, a, b) {
        (Kind::Double, a, b) => match number(a).partial_cmp(&number(b)) {
            Some(order) => order,
            None => return Ok(false),
        },
        (Kind::Decimal, a, b) => printed_decimal(a)?.compare(&*printed_decimal(b)?),
        (Kind::Long | Kind::Time, a, b) => whole(a).cmp(&whole(b)),
        (Kind::Text, Value::String(a), Value::String(b)) => java::compare_utf16(a, b),
        (Kind::Boolean, Value::Boolean(a), Value::Boolean(b)) => a.cmp(&b),
        (Kind::Bytes, Value::Bytes(a), Value::Bytes(b)) => {
            // Java's bytes are signed.
            a.iter().map(|byte| *byte as i8).cmp(b.iter().map(|byte| *byte as i8))
        }
        (Kind::Whole { same_type }, a, b) => {
            let is_struct = matches!(a, Value::Struct(_));
            let same = (same_type || !is_struct) && a == b;
            return Ok(same == (op == Comparison::Equal));
        }
        (_, _, b) => return Err(class_cast(b)),
    };
    Ok(op.holds(order))
}

/// What Java says when text is compared with something else.
fn class_cast(value: Value<'_>) -> EvalError {
    let ty = match value {
        Value::Int(_) => SqlType::Int,
        Value::Bigint(_) => SqlType::Bigint,
        Value::Double(_) => SqlType::Double,
        _ => SqlType::Boolean,
    };
    let class = java_class(&ty);
    EvalError::new(format!(
        "class {class} cannot be cast to class java.lang.String ({class} and java.lang.String are \
         in module java.base of loader 'bootstrap')"
    ))
}

fn number(value: Value<'_>) -> f64 {
    super::operand::Number::from_value(value)
}

/// A whole number; times in milliseconds, dates at their midnight.
fn whole(value: Value<'_>) -> i64 {
    match value {
        Value::Int(value) | Value::Time(value) => i64::from(value),
        Value::Bigint(value) | Value::Timestamp(value) => value,
        Value::Date(days) => i64::from(days) * cast::time::DAY_MS,
        _ => 0,
    }
}

fn printed_decimal(value: Value<'_>) -> Result<std::borrow::Cow<'_, Decimal>, EvalError> {
    if let Value::Double(value) = value {
        return Ok(std::borrow::Cow::Owned(java::printed_decimal(value)?));
    }
    decimal(value).ok_or_else(|| class_cast(value))
}

/// Whether an item of an IN list is the value. Parts of lists, maps and structs may be NULL.
fn matches(value: Value<'_>, item: Value<'_>) -> Result<bool, EvalError> {
    let part = |a: Value<'_>, b: Value<'_>| match (a.is_null(), b.is_null()) {
        (true, true) => Ok(true),
        _ => matches(a, b),
    };
    match (value, item) {
        (Value::Null, _) | (_, Value::Null) => Ok(false),
        (Value::Array(a), Value::Array(b)) | (Value::Struct(a), Value::Struct(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            all(a.iter().zip(b), |(a, b)| part(*a, *b))
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            all(a.iter(), |(key, value)| {
                let found = b.iter().find(|(other, _)| other == key);
                part(*value, found.map_or(Value::Null, |(_, found)| *found))
            })
        }
        // The item takes the scale of the value, and fails where it has more digits.
        (Value::Decimal(a), Value::Decimal(b)) if a != b => {
            let b = b.set_scale(a.scale, crate::types::Rounding::Unnecessary)?;
            Ok(*a == b)
        }
        (a, b) => Ok(a == b),
    }
}

fn all<T>(
    mut items: impl Iterator<Item = T>,
    mut test: impl FnMut(T) -> Result<bool, EvalError>,
) -> Result<bool, EvalError> {
    items.try_fold(true, |so_far, item| Ok(so_far && test(item)?))
}

pub(super) fn validity(failed: &super::Failures, len: usize) -> Validity {
    let mut valid = Validity::all();
    for (at, _) in failed {
        valid.set_null(*at as usize, len);
    }
    valid
}
