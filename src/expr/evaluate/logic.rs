//! AND, OR, NOT, IS NULL and CASE: what is not reached is not evaluated.

use super::super::tree::Expr;
use super::comparison::validity;
use super::operand::is_all_valid;
use super::{Failures, Part, Rows, Run, has_failed, loop_rows, merge, null_text};
use crate::types::{Column, SqlType, Value};

impl<'f, 'a> Run<'_, 'f, 'a> {
    /// AND, which FALSE decides, or OR, which TRUE (`deciding`) decides.
    pub(super) fn logical(
        &mut self,
        left_expr: &Expr,
        right_expr: &Expr,
        deciding: bool,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let len = rows.len();
        let left = self.evaluate(left_expr, rows);
        if left_expr.known_truth().is_none() && right_expr.known_truth() == Some(deciding) {
            // Java's compiler drops the left value here, and so does not see that it is NULL.
            let truths = vec![deciding; len];
            return Part::with(
                Column::Booleans(truths.into(), validity(&left.failed, len)),
                left.failed,
            );
        }
        let nulls = null_truths(&left, left_expr, len);
        let failed = merge(left.failed, nulls);
        let mut truths = truths(&left.column, len);
        let open: Vec<u32> = (0..len as u32)
            .filter(|at| truths[*at as usize] != deciding && !has_failed(&failed, *at))
            .collect();
        if open.len() == len {
            return self.truth_of(right_expr, rows);
        }
        let picked = rows.pick(&open);
        let right = self.truth_of(right_expr, Rows::Some(&picked));
        for (from, at) in open.iter().enumerate() {
            truths[*at as usize] = right.column.value(from) == Value::Boolean(true);
        }
        let late = right.failed.into_iter().map(|(at, error)| (open[at as usize], error)).collect();
        let failed = merge(failed, late);
        Part::with(Column::Booleans(truths.into(), validity(&failed, len)), failed)
    }

    /// A truth that may not be NULL.
    fn truth_of(&mut self, expr: &Expr, rows: Rows<'_>) -> Part<'f, 'a> {
        let part = self.evaluate(expr, rows);
        let nulls = null_truths(&part, expr, rows.len());
        Part { column: part.column, failed: merge(part.failed, nulls) }
    }

    pub(super) fn not(&mut self, value: &Expr, rows: Rows<'_>) -> Part<'f, 'a> {
        let len = rows.len();
        let part = self.truth_of(value, rows);
        let truths = truths(&part.column, len).into_iter().map(|truth| !truth);
        Part::with(Column::Booleans(truths.collect(), validity(&part.failed, len)), part.failed)
    }

    pub(super) fn is_null(&mut self, value: &Expr, negated: bool, rows: Rows<'_>) -> Part<'f, 'a> {
        let len = rows.len();
        let part = self.evaluate(value, rows);
        let truths = if is_all_valid(&part.column) {
            vec![negated; len]
        } else {
            (0..len).map(|at| part.column.is_null(at) != negated).collect()
        };
        Part::with(Column::Booleans(truths.into(), validity(&part.failed, len)), part.failed)
    }

    pub(super) fn case(
        &mut self,
        expr: &Expr,
        whens: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let len = rows.len();
        let mut results = vec![Value::Null; len];
        let mut failed = Failures::new();
        let mut open: Vec<u32> = (0..len as u32).collect();
        for (condition, result) in whens {
            if open.is_empty() {
                break;
            }
            let part = self.evaluate(condition, Rows::Some(&rows.pick(&open)));
            let mut met = Vec::new();
            let mut still = Vec::new();
            for (from, at) in open.iter().enumerate() {
                match part.column.value(from) {
                    Value::Boolean(true) => met.push(*at),
                    Value::Boolean(false) => still.push(*at),
                    _ if has_failed(&part.failed, from as u32) => {}
                    _ => failed.push((*at, null_text::condition())),
                }
            }
            failed.extend(part.failed.into_iter().map(|(at, e)| (open[at as usize], e)));
            self.result(result, &met, rows, (&mut results, &mut failed));
            open = still;
        }
        if let Some(otherwise) = otherwise {
            self.result(otherwise, &open, rows, (&mut results, &mut failed));
        }
        failed.sort_by_key(|(at, _)| *at);
        let ty = expr.ty.as_ref().unwrap_or(&SqlType::Boolean);
        Part::with(Column::from_values(ty, results), failed)
    }

    /// Evaluates a result of a CASE for the positions that it is for.
    fn result(
        &mut self,
        expr: &Expr,
        positions: &[u32],
        rows: Rows<'_>,
        (results, failed): (&mut [Value<'a>], &mut Failures),
    ) {
        if positions.is_empty() {
            return;
        }
        let part = self.evaluate(expr, Rows::Some(&rows.pick(positions)));
        for (from, at) in positions.iter().enumerate() {
            results[*at as usize] = part.column.value(from);
        }
        failed.extend(part.failed.into_iter().map(|(at, e)| (positions[at as usize], e)));
    }

    pub(super) fn like(
        &mut self,
        value: &Expr,
        pattern: &Expr,
        escape: Option<char>,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        // Java evaluates the value first, but looks at the pattern first.
        let (value, pattern) = self.operands(value, pattern, rows);
        let failed = merge(value.failed, pattern.failed);
        let mut known: Option<(&str, super::like::Pattern)> = None;
        loop_rows(&SqlType::Boolean, rows.len(), failed, |at| {
            let Value::String(text) = pattern.column.value(at) else {
                return Err(super::EvalError::new(
                    "Cannot invoke \"String.toCharArray()\" because \"<parameter2>\" is null",
                ));
            };
            let matcher = match &mut known {
                Some((of, matcher)) if *of == text => matcher,
                slot => &mut slot.insert((text, super::like::Pattern::parse(text, escape)?)).1,
            };
            match value.column.value(at) {
                Value::String(text) => Ok(Value::Boolean(matcher.matches(text))),
                _ => Err(super::EvalError::new(
                    "Cannot invoke \"java.lang.CharSequence.length()\" because \"this.text\" is \
                     null",
                )),
            }
        })
    }
}

/// The truth of each row, FALSE where there is none.
fn truths(column: &Column<'_>, len: usize) -> Vec<bool> {
    match column {
        Column::Booleans(values, valid) if valid.is_all_valid() => values.to_vec(),
        _ => (0..len).map(|at| column.value(at) == Value::Boolean(true)).collect(),
    }
}

/// The failures of rows that are NULL, but have not failed before.
fn null_truths(part: &Part<'_, '_>, expr: &Expr, len: usize) -> Failures {
    if let Column::Booleans(_, valid) = part.column.as_ref()
        && valid.is_all_valid()
    {
        return Failures::new();
    }
    if is_all_valid(&part.column) {
        return Failures::new();
    }
    let error = null_text::unboxed(expr);
    (0..len as u32)
        .filter(|at| part.column.is_null(*at as usize) && !has_failed(&part.failed, *at))
        .map(|at| (at, error.clone()))
        .collect()
}
