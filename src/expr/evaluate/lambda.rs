//! TRANSFORM, FILTER and REDUCE.
//!
//! The body of a lambda is evaluated like any expression, over a frame with a row for each element
//! of each list: the columns that it uses are repeated for the elements, and its variables are
//! columns of their own. REDUCE goes element by element, each time over all rows that have one more.

use std::borrow::Cow;
use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::super::EvalError;
use super::super::cast::to_java_string;
use super::super::collections::ordered;
use super::super::functions::checked;
use super::super::tree::{Argument, Call, Lambda};
use super::call::value_type;
use super::{Failures, Frame, Part, Rows, Run, has_failed, loop_rows, merge};
use crate::java::hash::DEFAULT_CAPACITY;
use crate::types::{Arena, Column, SqlType, Value};

/// The elements of the lists of many rows, one after the other.
#[derive(Default)]
struct Elements<'a> {
    /// The position of the row of each element.
    owner: Vec<u32>,
    /// The variables that stand for an element: the item, or the key and the value.
    variables: [Vec<Value<'a>>; 2],
}

impl<'f, 'a> Run<'_, 'f, 'a> {
    pub(super) fn lambda_call(&mut self, call: &Call, rows: Rows<'_>) -> Part<'f, 'a> {
        let Some(list) = call.args.first() else { return Part::new(Column::Absent) };
        let list = self.argument(list, &Failures::new(), rows);
        let lambdas: Vec<&Lambda> = call
            .args
            .iter()
            .filter_map(|argument| match argument {
                Argument::Lambda(lambda) => Some(lambda),
                _ => None,
            })
            .collect();
        let name = call.name.to_ascii_uppercase();
        match (name.as_str(), lambdas.as_slice()) {
            ("REDUCE", [lambda]) => self.reduce(call, list, lambda, rows),
            (name, lambdas) => {
                let is_filter = name == "FILTER";
                let elements = elements(&list.column, &list.failed, rows.len());
                let mut failed = list.failed;
                let mut results = Vec::with_capacity(lambdas.len());
                for lambda in lambdas {
                    let part = self.body(call, lambda, &elements, rows);
                    let rows_failed = first_failures(part.failed, &elements.owner);
                    failed = merge(failed, rows_failed);
                    results.push(part.column);
                }
                if is_filter {
                    let nulls = null_conditions(&results, &elements.owner, &failed);
                    failed = merge(failed, nulls);
                }
                self.collect(call, (&list.column, failed), (&results, is_filter), rows)
            }
        }
    }

    /// Evaluates the body of a lambda for all elements.
    fn body(
        &mut self,
        call: &Call,
        lambda: &Lambda,
        elements: &Elements<'a>,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let types = list_types(value_type(call.arg_types.first()));
        let variables: Vec<Column<'a>> = types
            .iter()
            .zip(&elements.variables)
            .map(|(ty, values)| Column::from_values(ty, values.iter().copied()))
            .collect();
        let outer: Vec<u32> = elements.owner.iter().map(|at| rows.row(*at)).collect();
        self.over(lambda, &outer, variables)
    }

    /// Evaluates the body of a lambda for some rows of the frame around it, each as often as it
    /// occurs in `outer`.
    fn over(&mut self, lambda: &Lambda, outer: &[u32], own: Vec<Column<'a>>) -> Part<'f, 'a> {
        let mut used = BTreeSet::new();
        lambda.body.columns_used(&mut used);
        let columns: Vec<Column<'a>> = self
            .frame
            .columns
            .iter()
            .enumerate()
            .map(
                |(index, column)| {
                    if used.contains(&index) { column.take(outer) } else { Column::Absent }
                },
            )
            .collect();
        let around = self.frame.variables.iter().take(lambda.first_slot);
        let mut variables: Vec<Column<'a>> = around.map(|column| column.take(outer)).collect();
        variables.extend(own);
        let frame = Frame { columns: &columns, variables: &variables, rows: outer.len() };
        let mut run = Run { frame, context: self.context, caught: Vec::new() };
        let part = run.evaluate(&lambda.body, Rows::All(outer.len()));
        self.caught.extend(run.caught.into_iter().map(|mut error| {
            error.row = outer[error.row as usize];
            error
        }));
        Part { column: Cow::Owned(part.column.into_owned()), failed: part.failed }
    }

    /// Puts the results of the elements of each row back together.
    fn collect(
        &mut self,
        call: &Call,
        (lists, failed): (&Column<'a>, Failures),
        (results, is_filter): (&[Cow<'f, Column<'a>>], bool),
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let arena = self.context.arena;
        let result = |which: usize, element: usize| {
            results.get(which).map_or(Value::Null, |column| column.value(element))
        };
        let kept = |element: usize| !is_filter || result(0, element) == Value::Boolean(true);
        let mut next = 0;
        let mut starts = Vec::with_capacity(rows.len());
        for at in 0..rows.len() {
            starts.push(next);
            next += length(lists.value(at));
        }
        loop_rows(&call.return_type, rows.len(), failed, |at| {
            let start = starts[at];
            Ok(match lists.value(at) {
                Value::Array(items) => {
                    let values: Vec<_> = (start..start + items.len())
                        .zip(items)
                        .filter(|(element, _)| kept(*element))
                        .map(|(element, item)| if is_filter { *item } else { result(0, element) })
                        .collect();
                    checked(Value::Array(arena.values(&values)))?
                }
                Value::Map(entries) => {
                    let entries = (start..start + entries.len())
                        .zip(entries)
                        .filter(|(element, _)| kept(*element))
                        .map(|(element, entry)| {
                            if is_filter {
                                *entry
                            } else {
                                (result(0, element), result(1, element))
                            }
                        });
                    checked(collected_map(entries, arena)?)?
                }
                _ => Value::Null,
            })
        })
    }

    fn reduce(
        &mut self,
        call: &Call,
        list: Part<'f, 'a>,
        lambda: &Lambda,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let initial = match call.args.get(1) {
            Some(argument) => self.argument(argument, &list.failed, rows),
            None => Part::new(Column::Constant(Value::Null)),
        };
        let mut failed = merge(list.failed, initial.failed);
        let len = rows.len();
        let mut states: Vec<Value<'a>> = (0..len).map(|at| initial.column.value(at)).collect();
        let types = list_types(value_type(call.arg_types.first()));
        let lists: Vec<Value<'a>> = (0..len).map(|at| list.column.value(at)).collect();
        // A NULL state, or no list at all, gives back the state as it was.
        let open = |at: u32, failed: &Failures, states: &[Value<'a>]| {
            !has_failed(failed, at) && !initial.column.is_null(at as usize) && !states.is_empty()
        };
        for step in 0.. {
            let positions: Vec<u32> = (0..len as u32)
                .filter(|at| length(lists[*at as usize]) > step && open(*at, &failed, &states))
                .collect();
            if positions.is_empty() {
                break;
            }
            let state_values = positions.iter().map(|at| states[*at as usize]);
            let mut own = vec![Column::from_values(&call.return_type, state_values)];
            for (which, ty) in types.iter().enumerate() {
                let values = positions.iter().map(|at| element(lists[*at as usize], step, which));
                own.push(Column::from_values(ty, values));
            }
            let part = self.over(lambda, &rows.pick(&positions), own);
            for (from, at) in positions.iter().enumerate() {
                states[*at as usize] = part.column.value(from);
            }
            let late = part.failed.into_iter().map(|(at, e)| (positions[at as usize], e)).collect();
            failed = merge(failed, late);
        }
        loop_rows(&call.return_type, len, failed, |at| checked(states[at]))
    }
}

/// A map as Java's `Collectors.toMap` makes it, which takes neither NULLs nor a key twice.
fn collected_map<'a>(
    entries: impl Iterator<Item = (Value<'a>, Value<'a>)>,
    arena: &'a Arena,
) -> Result<Value<'a>, EvalError> {
    let mut distinct: Vec<(Value<'a>, Value<'a>)> = Vec::new();
    let mut known = HashMap::new();
    for (key, value) in entries {
        if value.is_null() {
            return Err(EvalError::new("java.lang.NullPointerException"));
        }
        if let Some(old) = known.insert(key, value) {
            let text = |value: Value<'_>| to_java_string(value, &SqlType::Bytes);
            return Err(EvalError::new(format!(
                "Duplicate key {} (attempted merging values {} and {})",
                text(key),
                text(old),
                text(value)
            )));
        }
        distinct.push((key, value));
    }
    Ok(ordered(&distinct, DEFAULT_CAPACITY, arena))
}

/// The types of the variables that stand for an element.
fn list_types(list: Option<&SqlType>) -> Vec<SqlType> {
    match list {
        Some(SqlType::Array(item)) => vec![(**item).clone()],
        Some(SqlType::Map(key, value)) => vec![(**key).clone(), (**value).clone()],
        _ => Vec::new(),
    }
}

fn length(list: Value<'_>) -> usize {
    match list {
        Value::Array(items) => items.len(),
        Value::Map(entries) => entries.len(),
        _ => 0,
    }
}

fn element(list: Value<'_>, step: usize, which: usize) -> Value<'_> {
    match list {
        Value::Array(items) => items[step],
        Value::Map(entries) if which == 0 => entries[step].0,
        Value::Map(entries) => entries[step].1,
        _ => Value::Null,
    }
}

fn elements<'a>(lists: &Column<'a>, failed: &Failures, len: usize) -> Elements<'a> {
    let mut elements = Elements::default();
    for at in 0..len {
        let list = lists.value(at);
        debug_assert!(list.is_null() || !has_failed(failed, at as u32), "a failed row is NULL");
        for step in 0..length(list) {
            elements.owner.push(at as u32);
            for (which, values) in elements.variables.iter_mut().enumerate() {
                values.push(element(list, step, which));
            }
        }
    }
    elements
}

/// The first failure of each row, from those of its elements.
fn first_failures(failed: Failures, owner: &[u32]) -> Failures {
    let mut failed: Failures =
        failed.into_iter().map(|(element, error)| (owner[element as usize], error)).collect();
    failed.dedup_by_key(|(at, _)| *at);
    failed
}

/// A condition of FILTER that is NULL fails.
fn null_conditions(results: &[Cow<'_, Column<'_>>], owner: &[u32], failed: &Failures) -> Failures {
    let Some(conditions) = results.first() else { return Failures::new() };
    let mut nulls = Failures::new();
    for (element, at) in owner.iter().enumerate() {
        if conditions.is_null(element) && !has_failed(failed, *at) {
            nulls.push((
                *at,
                EvalError::new(
                    "Cannot invoke \"java.lang.Boolean.booleanValue()\" because the return value \
                     of \"java.util.function.Function.apply(Object)\" is null",
                ),
            ));
        }
    }
    nulls.dedup_by_key(|(at, _)| *at);
    nulls
}
