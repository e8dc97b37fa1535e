//! Sums, products and signs.

use super::super::EvalError;
use super::super::functions::check_size;
use super::super::operator::{ArithmeticOp, Sign};
use super::super::tree::Expr;
use super::super::typing::digits;
use super::operand::{Number, Operand, is_all_valid, zip};
use super::{Failures, Part, Rows, Run, has_failed, loop_rows, merge, null_text};
use crate::types::{Column, Decimal, DecimalError, Rounding, SqlType, Validity, Value};

impl<'f, 'a> Run<'_, 'f, 'a> {
    pub(super) fn arithmetic(
        &mut self,
        expr: &Expr,
        op: ArithmeticOp,
        (left_expr, right_expr): (&Expr, &Expr),
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        if expr.ty == Some(SqlType::String) {
            return self.join_text(left_expr, right_expr, rows);
        }
        let left = self.evaluate(left_expr, rows);
        let failed = null_failures(left.failed, &left.column, rows.len(), || {
            null_operand(expr, left_expr, op)
        });
        let right = if failed.is_empty() {
            self.evaluate(right_expr, rows)
        } else {
            self.evaluate_unless(right_expr, |at| has_failed(&failed, at), rows)
        };
        let failed = merge(failed, right.failed);
        let failed = null_failures(failed, &right.column, rows.len(), || match expr.ty {
            Some(SqlType::Decimal { .. }) => null_decimal(op),
            _ => null_text::unboxed(right_expr),
        });
        let columns = (left.column.as_ref(), right.column.as_ref());
        match &expr.ty {
            Some(SqlType::Double) => doubles(op, columns, rows.len(), failed),
            Some(SqlType::Bigint) => {
                whole::<i64>(columns, rows.len(), failed, |a, b| whole_i64(op, a, b))
            }
            Some(SqlType::Int) => {
                whole::<i32>(columns, rows.len(), failed, |a, b| whole_i32(op, a, b))
            }
            Some(ty @ SqlType::Decimal { .. }) => {
                self.decimals(op, columns, ty, (rows.len(), failed))
            }
            _ => unreachable!("arithmetic is on numbers"),
        }
    }

    fn decimals(
        &self,
        op: ArithmeticOp,
        (left, right): (&Column<'a>, &Column<'a>),
        ty: &SqlType,
        (len, failed): (usize, Failures),
    ) -> Part<'f, 'a> {
        let (precision, scale) = digits(ty);
        loop_rows(ty, len, failed, |at| {
            let (Some(a), Some(b)) = (decimal(left.value(at)), decimal(right.value(at))) else {
                return Ok(Value::Null);
            };
            let result =
                compute(op, &a, &b, precision)?.set_scale(scale as i32, Rounding::Unnecessary)?;
            Ok(Value::Decimal(self.context.arena.decimal(result)))
        })
    }

    /// Java's `+` of texts, to which a null is the text `null`.
    fn join_text(&mut self, left: &Expr, right: &Expr, rows: Rows<'_>) -> Part<'f, 'a> {
        let (left, right) = self.operands(left, right, rows);
        let text = |value: Value<'a>| match value {
            Value::String(text) => text,
            _ => "null",
        };
        let failed = merge(left.failed, right.failed);
        loop_rows(&SqlType::String, rows.len(), failed, |at| {
            let (a, b) = (text(left.column.value(at)), text(right.column.value(at)));
            check_size(a.len() + b.len())?;
            let mut joined = bumpalo::collections::String::with_capacity_in(
                a.len() + b.len(),
                self.context.arena.bump(),
            );
            joined.push_str(a);
            joined.push_str(b);
            Ok(Value::String(joined.into_bump_str()))
        })
    }

    pub(super) fn sign(
        &mut self,
        expr: &Expr,
        sign: Sign,
        value: &Expr,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let part = self.evaluate(value, rows);
        let failed = null_failures(part.failed, &part.column, rows.len(), || match expr.ty {
            Some(SqlType::Decimal { .. }) => {
                let method = if sign == Sign::Minus { "negate" } else { "plus" };
                let method = format!("java.math.BigDecimal.{method}(java.math.MathContext)");
                null_text::on_call(value, &method)
            }
            _ => null_text::unboxed(value),
        });
        let ty = expr.ty.as_ref().unwrap_or(&SqlType::Int);
        let (precision, _) = digits(ty);
        let minus = sign == Sign::Minus;
        loop_rows(ty, rows.len(), failed, |at| {
            Ok(match part.column.value(at) {
                Value::Int(value) if minus => Value::Int(value.wrapping_neg()),
                Value::Bigint(value) if minus => Value::Bigint(value.wrapping_neg()),
                Value::Double(value) if minus => Value::Double(-value),
                Value::Decimal(value) => {
                    let value = if minus { value.negate() } else { value.clone() };
                    Value::Decimal(self.context.arena.decimal(value.fit(precision)?))
                }
                other => other,
            })
        })
    }
}

/// Adds the NULLs among the values to what has failed before.
fn null_failures(
    failed: Failures,
    column: &Column<'_>,
    len: usize,
    error: impl FnOnce() -> EvalError,
) -> Failures {
    if is_all_valid(column) {
        return failed;
    }
    let error = error();
    let nulls = (0..len).filter(|at| column.is_null(*at));
    merge(failed, nulls.map(|at| (at as u32, error.clone())).collect())
}

fn null_operand(expr: &Expr, left: &Expr, op: ArithmeticOp) -> EvalError {
    if let Some(SqlType::Decimal { .. }) = expr.ty {
        let method = match op {
            ArithmeticOp::Add => "add",
            ArithmeticOp::Subtract => "subtract",
            ArithmeticOp::Multiply => "multiply",
            ArithmeticOp::Divide => "divide",
            ArithmeticOp::Modulus => "remainder",
        };
        let call =
            format!("java.math.BigDecimal.{method}(java.math.BigDecimal, java.math.MathContext)");
        return null_text::on_call(left, &call);
    }
    null_text::unboxed(left)
}

/// What Java says from inside of `BigDecimal` about an argument that is null.
fn null_decimal(op: ArithmeticOp) -> EvalError {
    EvalError::new(match op {
        ArithmeticOp::Add => {
            "Cannot invoke \"java.math.BigDecimal.signum()\" because \"augend\" is null"
        }
        ArithmeticOp::Subtract => "Cannot read field \"intCompact\" because \"subtrahend\" is null",
        ArithmeticOp::Multiply => "Cannot read field \"scale\" because \"multiplicand\" is null",
        ArithmeticOp::Divide | ArithmeticOp::Modulus => {
            "Cannot read field \"scale\" because \"divisor\" is null"
        }
    })
}

fn validity(failed: &Failures, len: usize) -> Validity {
    let mut valid = Validity::all();
    for (at, _) in failed {
        valid.set_null(*at as usize, len);
    }
    valid
}

fn doubles<'f, 'a>(
    op: ArithmeticOp,
    (left, right): (&Column<'a>, &Column<'a>),
    len: usize,
    failed: Failures,
) -> Part<'f, 'a> {
    let (left, right) = (Operand::<f64>::new(left, len), Operand::<f64>::new(right, len));
    let values = match op {
        ArithmeticOp::Add => zip(&left, &right, len, |a, b| a + b),
        ArithmeticOp::Subtract => zip(&left, &right, len, |a, b| a - b),
        ArithmeticOp::Multiply => zip(&left, &right, len, |a, b| a * b),
        ArithmeticOp::Divide => zip(&left, &right, len, |a, b| a / b),
        ArithmeticOp::Modulus => zip(&left, &right, len, |a, b| a % b),
    };
    Part::with(Column::Doubles(values.into(), validity(&failed, len)), failed)
}

fn whole<'f, 'a, T: Number>(
    (left, right): (&Column<'a>, &Column<'a>),
    len: usize,
    failed: Failures,
    combine: impl Fn(T, T) -> Option<T>,
) -> Part<'f, 'a> {
    let (left, right) = (Operand::<T>::new(left, len), Operand::<T>::new(right, len));
    let mut divided = Failures::new();
    let values: Vec<T> = (0..len)
        .map(|at| {
            combine(left.get(at), right.get(at)).unwrap_or_else(|| {
                divided.push((at as u32, EvalError::new("/ by zero")));
                T::default()
            })
        })
        .collect();
    let failed = merge(failed, divided);
    Part::with(T::column(values, validity(&failed, len)), failed)
}

#[inline]
fn whole_i64(op: ArithmeticOp, a: i64, b: i64) -> Option<i64> {
    Some(match op {
        ArithmeticOp::Add => a.wrapping_add(b),
        ArithmeticOp::Subtract => a.wrapping_sub(b),
        ArithmeticOp::Multiply => a.wrapping_mul(b),
        ArithmeticOp::Divide if b != 0 => a.wrapping_div(b),
        ArithmeticOp::Modulus if b != 0 => a.wrapping_rem(b),
        _ => return None,
    })
}

#[inline]
fn whole_i32(op: ArithmeticOp, a: i32, b: i32) -> Option<i32> {
    Some(match op {
        ArithmeticOp::Add => a.wrapping_add(b),
        ArithmeticOp::Subtract => a.wrapping_sub(b),
        ArithmeticOp::Multiply => a.wrapping_mul(b),
        ArithmeticOp::Divide if b != 0 => a.wrapping_div(b),
        ArithmeticOp::Modulus if b != 0 => a.wrapping_rem(b),
        _ => return None,
    })
}

/// A number as a decimal; `None` for NULL.
pub(super) fn decimal(value: Value<'_>) -> Option<std::borrow::Cow<'_, Decimal>> {
    use std::borrow::Cow;
    match value {
        Value::Decimal(value) => Some(Cow::Borrowed(value)),
        Value::Int(value) => Some(Cow::Owned(value.into())),
        Value::Bigint(value) => Some(Cow::Owned(value.into())),
        _ => None,
    }
}

fn compute(
    op: ArithmeticOp,
    a: &Decimal,
    b: &Decimal,
    precision: u32,
) -> Result<Decimal, DecimalError> {
    match op {
        ArithmeticOp::Add => a.add(b)?.fit(precision),
        ArithmeticOp::Subtract => a.subtract(b)?.fit(precision),
        ArithmeticOp::Multiply => a.multiply(b)?.fit(precision),
        ArithmeticOp::Divide => a.divide(b, precision),
        ArithmeticOp::Modulus => a.remainder(b, precision),
    }
}
