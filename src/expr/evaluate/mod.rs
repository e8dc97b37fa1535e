//! Evaluation node by node over the rows of a chunk.
//!
//! The result is as if ksqlDB had evaluated the expression row by row: a node is only evaluated for
//! the rows that reach it, so AND, OR, CASE and a failed operand shorten the list of rows for what
//! comes after. Each node gives a dense column with one value for each of its rows, and the rows in
//! which it failed, which hold NULL. Vectors of one type go through kernels; the rest is a loop over
//! values.
//!
//! An error goes up to the nearest node that catches it: a CAST, a function call or a field as an
//! argument of a call, an item of `ARRAY[…]`, `MAP(…)` or `STRUCT(…)`. There it becomes NULL and an
//! entry of its own for the processing log. Otherwise it reaches the root.

mod arithmetic;
mod call;
mod comparison;
mod construct;
mod decimal_threshold;
mod lambda;
mod like;
mod logic;
mod null_text;
mod operand;

use std::borrow::Cow;

use super::tree::{Expr, Node};
use super::{EvalContext, EvalError, cast};
use crate::types::{Column, ColumnBuilder, OwnedValue, SqlType, Validity, Value};

/// The input of an evaluation: columns of the same number of rows.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'f, 'a> {
    columns: &'f [Column<'a>],
    variables: &'f [Column<'a>],
    rows: usize,
}

impl<'f, 'a> Frame<'f, 'a> {
    /// A frame over `columns` of `rows` rows each.
    pub fn new(columns: &'f [Column<'a>], rows: usize) -> Self {
        Self { columns, variables: &[], rows }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// For which rows of a frame an expression is evaluated.
#[derive(Clone, Copy, Debug)]
pub enum Selection<'s> {
    /// For all.
    All,
    /// For these, in ascending order.
    Rows(&'s [u32]),
}

/// What an expression gave.
#[derive(Clone, Debug)]
pub struct Evaluated<'f, 'a> {
    /// One value for each row of the selection, NULL where the evaluation failed.
    pub column: Cow<'f, Column<'a>>,
    /// What failed, by row. A row has any number of caught errors, and at most one at the root.
    pub errors: Vec<RowError>,
}

/// An error in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The row of the frame.
    pub row: u32,
    /// The message of the entry for an error that was caught on the way, and became NULL there;
    /// `None` for an error at the root, which the operator words.
    pub caught: Option<Cow<'static, str>>,
    /// The error.
    pub error: EvalError,
}

impl Evaluated<'_, '_> {
    /// The errors that reached the root: at most one for each row, in order.
    pub fn root_errors(&self) -> impl Iterator<Item = &RowError> {
        self.errors.iter().filter(|error| error.caught.is_none())
    }
}

impl Expr {
    /// Evaluates the expression for the selected rows of `frame`.
    pub fn evaluate<'f, 'a>(
        &self,
        frame: &Frame<'f, 'a>,
        selection: Selection<'_>,
        context: &EvalContext<'a>,
    ) -> Evaluated<'f, 'a> {
        let rows = match selection {
            Selection::All => Rows::All(frame.rows),
            Selection::Rows(rows) => Rows::Some(rows),
        };
        let mut run = Run { frame: *frame, context, caught: Vec::new() };
        let part = run.evaluate(self, rows);
        let mut errors = run.caught;
        errors.extend(part.failed.into_iter().map(|(at, error)| RowError {
            row: rows.row(at),
            caught: None,
            error,
        }));
        errors.sort_by_key(|error| error.row);
        Evaluated { column: part.column, errors }
    }

    /// Evaluates the expression for the one row of `values`.
    pub fn evaluate_row<'a>(
        &self,
        values: &[Value<'a>],
        context: &EvalContext<'a>,
    ) -> (Value<'a>, Vec<RowError>) {
        let columns: Vec<_> = values.iter().map(|value| Column::Constant(*value)).collect();
        let evaluated = self.evaluate(&Frame::new(&columns, 1), Selection::All, context);
        (evaluated.column.value(0), evaluated.errors)
    }
}

/// The rows that a node is evaluated for. Positions count within them.
#[derive(Clone, Copy)]
enum Rows<'s> {
    All(usize),
    Some(&'s [u32]),
}

impl Rows<'_> {
    fn len(self) -> usize {
        match self {
            Self::All(len) => len,
            Self::Some(rows) => rows.len(),
        }
    }

    fn row(self, at: u32) -> u32 {
        match self {
            Self::All(_) => at,
            Self::Some(rows) => rows[at as usize],
        }
    }

    /// The rows at some positions.
    fn pick(self, positions: &[u32]) -> Vec<u32> {
        positions.iter().map(|at| self.row(*at)).collect()
    }
}

/// The positions that failed, in ascending order.
type Failures = Vec<(u32, EvalError)>;

/// What a node gave: a dense column, NULL where it failed.
struct Part<'f, 'a> {
    column: Cow<'f, Column<'a>>,
    failed: Failures,
}

impl<'a> Part<'_, 'a> {
    fn new(column: Column<'a>) -> Self {
        Self { column: Cow::Owned(column), failed: Vec::new() }
    }

    fn with(column: Column<'a>, failed: Failures) -> Self {
        Self { column: Cow::Owned(column), failed }
    }
}

/// One evaluation of one expression.
struct Run<'r, 'f, 'a> {
    frame: Frame<'f, 'a>,
    context: &'r EvalContext<'a>,
    caught: Vec<RowError>,
}

impl<'f, 'a> Run<'_, 'f, 'a> {
    fn evaluate(&mut self, expr: &Expr, rows: Rows<'_>) -> Part<'f, 'a> {
        if let Node::Literal(value) = &expr.node {
            return Part::new(Column::Constant(self.literal(value)));
        }
        if expr.constant && rows.len() > 1 {
            return self.evaluate_constant(expr, rows);
        }
        match &expr.node {
            Node::Literal(value) => Part::new(Column::Constant(self.literal(value))),
            Node::Column { index, .. } => Self::column(self.frame.columns, *index, rows),
            Node::Variable { slot, .. } => Self::column(self.frame.variables, *slot, rows),
            Node::Sign { sign, value } => self.sign(expr, *sign, value, rows),
            Node::Arithmetic { op, left, right } => self.arithmetic(expr, *op, (left, right), rows),
            Node::Comparison { op, left, right } => self.comparison(*op, left, right, rows),
            Node::And(left, right) => self.logical(left, right, false, rows),
            Node::Or(left, right) => self.logical(left, right, true, rows),
            Node::Not(value) => self.not(value, rows),
            Node::IsNull { value, negated } => self.is_null(value, *negated, rows),
            Node::Between { value, low, high } => self.between(value, low, high, rows),
            Node::In { value, list } => self.in_list(value, list, rows),
            Node::Like { value, pattern, escape } => self.like(value, pattern, *escape, rows),
            Node::Case { whens, otherwise } => self.case(expr, whens, otherwise.as_deref(), rows),
            Node::Cast { value, to } => self.cast(value, to, rows),
            Node::ParseTime { value, to } => self.parse_time(value, to, rows),
            Node::Call(call) => self.call(call, rows),
            Node::Subscript { base, index } => self.subscript(expr, base, index, rows),
            Node::Field { base, index, .. } => self.field(expr, base, *index, rows),
            Node::Array(items) => self.array(items, rows),
            Node::Map(entries) => self.map(entries, rows),
            Node::Struct(values) => self.structure(values, rows),
        }
    }

    /// Evaluates once what is the same in every row.
    fn evaluate_constant(&mut self, expr: &Expr, rows: Rows<'_>) -> Part<'f, 'a> {
        let before = self.caught.len();
        let once = self.evaluate(expr, Rows::All(1));
        let caught = self.caught.split_off(before);
        let all = || (0..rows.len() as u32).map(|at| (at, rows.row(at)));
        for error in caught {
            self.caught.extend(all().map(|(_, row)| RowError { row, ..error.clone() }));
        }
        let failed = match once.failed.into_iter().next() {
            Some((_, error)) => all().map(|(at, _)| (at, error.clone())).collect(),
            None => Vec::new(),
        };
        Part::with(Column::Constant(once.column.value(0)), failed)
    }

    fn literal(&self, value: &OwnedValue) -> Value<'a> {
        copied(value, self.context)
    }

    fn column(columns: &'f [Column<'a>], index: usize, rows: Rows<'_>) -> Part<'f, 'a> {
        let column = match (columns.get(index), rows) {
            (None, _) => Cow::Owned(Column::Constant(Value::Null)),
            (Some(column), Rows::All(_)) => Cow::Borrowed(column),
            (Some(column), Rows::Some(rows)) => Cow::Owned(column.take(rows)),
        };
        Part { column, failed: Vec::new() }
    }

    /// Evaluates an operand where what comes before it has not failed. The result has a value for
    /// each of `rows`, NULL where it was not evaluated.
    fn evaluate_unless(
        &mut self,
        expr: &Expr,
        skip: impl Fn(u32) -> bool,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        if matches!(expr.node, Node::Literal(_) | Node::Column { .. } | Node::Variable { .. }) {
            return self.evaluate(expr, rows);
        }
        let len = rows.len();
        let positions: Vec<u32> = (0..len as u32).filter(|at| !skip(*at)).collect();
        if positions.len() == len {
            return self.evaluate(expr, rows);
        }
        let picked = rows.pick(&positions);
        let part = self.evaluate(expr, Rows::Some(&picked));
        let failed = part.failed.into_iter().map(|(at, e)| (positions[at as usize], e)).collect();
        Part::with(scatter(&part.column, &positions, len), failed)
    }

    /// Evaluates both operands, the right one where the left one has not failed.
    fn operands(
        &mut self,
        left: &Expr,
        right: &Expr,
        rows: Rows<'_>,
    ) -> (Part<'f, 'a>, Part<'f, 'a>) {
        let left = self.evaluate(left, rows);
        let right = if left.failed.is_empty() {
            self.evaluate(right, rows)
        } else {
            self.evaluate_unless(right, |at| has_failed(&left.failed, at), rows)
        };
        (left, right)
    }

    /// Evaluates operands from left to right, each where those before it have not failed.
    fn all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        rows: Rows<'_>,
        mut catch: impl FnMut(&mut Self, &'e Expr, Part<'f, 'a>) -> Part<'f, 'a>,
    ) -> (Vec<Cow<'f, Column<'a>>>, Failures) {
        let mut failed = Failures::new();
        let mut columns = Vec::new();
        for expr in exprs {
            let part = self.evaluate_unless(expr, |at| has_failed(&failed, at), rows);
            let part = catch(self, expr, part);
            failed = merge(failed, part.failed);
            columns.push(part.column);
        }
        (columns, failed)
    }

    /// Turns errors into NULL, with an entry for each, unless the configuration forbids it.
    fn caught(&mut self, mut part: Part<'f, 'a>, what: &str, rows: Rows<'_>) -> Part<'f, 'a> {
        if !part.failed.is_empty() && self.context.nested_error_set_null {
            let caught = Cow::<'static, str>::Owned(format!("Error processing {what}"));
            self.caught.extend(part.failed.drain(..).map(|(at, error)| RowError {
                row: rows.row(at),
                caught: Some(caught.clone()),
                error,
            }));
        }
        part
    }

    fn cast(&mut self, value: &Expr, to: &SqlType, rows: Rows<'_>) -> Part<'f, 'a> {
        let part = self.evaluate(value, rows);
        let Some(from) = &value.ty else { return part };
        let part = match (part.column.as_ref(), to) {
            _ if from == to => part,
            (Column::Ints(values, valid), SqlType::Double) => {
                let values = values.iter().map(|value| f64::from(*value)).collect();
                Part::with(Column::Doubles(values, valid.clone()), part.failed)
            }
            (Column::Bigints(values, valid), SqlType::Double) => {
                let values = values.iter().map(|value| *value as f64).collect();
                Part::with(Column::Doubles(values, valid.clone()), part.failed)
            }
            (Column::Ints(values, valid), SqlType::Bigint) => {
                let values = values.iter().map(|value| i64::from(*value)).collect();
                Part::with(Column::Bigints(values, valid.clone()), part.failed)
            }
            _ => {
                let arena = self.context.arena;
                each(part, to, rows.len(), |value| cast::convert(value, from, to, arena))
            }
        };
        self.caught(part, &to.to_string(), rows)
    }

    fn parse_time(&mut self, value: &Expr, to: &SqlType, rows: Rows<'_>) -> Part<'f, 'a> {
        let part = self.evaluate(value, rows);
        each(part, to, rows.len(), |value| match value {
            Value::String(text) => cast::parse_time(text, to),
            _ => Ok(Value::Null),
        })
    }
}

/// A literal whose text and digits live as long as the chunk.
fn copied<'a>(value: &OwnedValue, context: &EvalContext<'a>) -> Value<'a> {
    let arena = context.arena;
    let all = |items: &[OwnedValue]| {
        arena.values(&items.iter().map(|item| copied(item, context)).collect::<Vec<_>>())
    };
    match value {
        OwnedValue::Null => Value::Null,
        OwnedValue::Boolean(value) => Value::Boolean(*value),
        OwnedValue::Int(value) => Value::Int(*value),
        OwnedValue::Bigint(value) => Value::Bigint(*value),
        OwnedValue::Double(value) => Value::Double(*value),
        OwnedValue::Decimal(value) => Value::Decimal(arena.decimal((**value).clone())),
        OwnedValue::String(value) => Value::String(arena.text(value)),
        OwnedValue::Bytes(value) => Value::Bytes(arena.bytes(value)),
        OwnedValue::Date(value) => Value::Date(*value),
        OwnedValue::Time(value) => Value::Time(*value),
        OwnedValue::Timestamp(value) => Value::Timestamp(*value),
        OwnedValue::Array(items) => Value::Array(all(items)),
        OwnedValue::Struct(fields) => Value::Struct(all(fields)),
        OwnedValue::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| (copied(key, context), copied(value, context)))
                .collect();
            Value::Map(arena.entries(&entries))
        }
    }
}

/// Applies a function to each value that has not failed.
fn each<'f, 'a>(
    part: Part<'f, 'a>,
    ty: &SqlType,
    len: usize,
    mut function: impl FnMut(Value<'a>) -> Result<Value<'a>, EvalError>,
) -> Part<'f, 'a> {
    if let (Column::Constant(value), true) = (part.column.as_ref(), part.failed.is_empty()) {
        match function(*value) {
            Ok(value) => return Part::new(Column::Constant(value)),
            Err(error) => {
                let failed = (0..len as u32).map(|at| (at, error.clone())).collect();
                return Part::with(Column::Constant(Value::Null), failed);
            }
        }
    }
    loop_rows(ty, len, part.failed, |at| function(part.column.value(at)))
}

/// Collects a value for each position that has not failed before.
fn loop_rows<'f, 'a>(
    ty: &SqlType,
    len: usize,
    failed: Failures,
    mut value_at: impl FnMut(usize) -> Result<Value<'a>, EvalError>,
) -> Part<'f, 'a> {
    let mut builder = ColumnBuilder::new(ty, len);
    let mut before = failed.into_iter().peekable();
    let mut failed = Failures::new();
    for at in 0..len {
        if let Some(failure) = before.next_if(|(position, _)| *position as usize == at) {
            failed.push(failure);
            builder.push_null();
            continue;
        }
        match value_at(at) {
            Ok(value) => builder.push(value),
            Err(error) => {
                failed.push((at as u32, error));
                builder.push_null();
            }
        }
    }
    Part::with(builder.finish(), failed)
}

fn has_failed(failed: &Failures, at: u32) -> bool {
    failed.binary_search_by_key(&at, |(position, _)| *position).is_ok()
}

/// The failures of two operands; where both failed, the first one's.
fn merge(mut first: Failures, second: Failures) -> Failures {
    if !second.is_empty() {
        first.extend(second);
        first.sort_by_key(|(at, _)| *at);
        first.dedup_by_key(|(at, _)| *at);
    }
    first
}

/// Spreads a dense column to the positions that it was made for, NULL elsewhere.
fn scatter<'a>(column: &Column<'a>, positions: &[u32], len: usize) -> Column<'a> {
    fn spread<T: Copy>(
        values: &[T],
        valid: &Validity,
        (positions, len, empty): (&[u32], usize, T),
    ) -> (Vec<T>, Validity) {
        let mut spread = vec![empty; len];
        let mut flags = vec![false; len];
        for (from, to) in positions.iter().enumerate() {
            spread[*to as usize] = values[from];
            flags[*to as usize] = valid.is_valid(from);
        }
        (spread, Validity::from_flags(flags))
    }
    macro_rules! typed {
        ($kind:ident, $values:expr, $valid:expr, $empty:expr) => {{
            let (values, valid) = spread($values, $valid, (positions, len, $empty));
            Column::$kind(values.into(), valid)
        }};
    }
    match column {
        Column::Absent | Column::Constant(Value::Null) => Column::Constant(Value::Null),
        Column::Booleans(values, valid) => typed!(Booleans, values, valid, false),
        Column::Ints(values, valid) => typed!(Ints, values, valid, 0),
        Column::Bigints(values, valid) => typed!(Bigints, values, valid, 0),
        Column::Doubles(values, valid) => typed!(Doubles, values, valid, 0.0),
        Column::Strings(values, valid) => typed!(Strings, values, valid, ""),
        Column::Constant(_) | Column::Values(_) => {
            let mut values = vec![Value::Null; len];
            for (from, to) in positions.iter().enumerate() {
                values[*to as usize] = column.value(from);
            }
            Column::Values(values.into())
        }
    }
}

#[cfg(test)]
mod tests;
