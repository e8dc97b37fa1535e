//! MIN and MAX.

use std::cmp::Ordering;

use super::{Aggregate, AggregateRow, Bind, Groups, RowError, Rows, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, Column, OwnedValue, SqlType, Value};

const MIN: &str = "Returns the smallest value of a group; NULLs are left out.";
const MAX: &str = "Returns the greatest value of a group; NULLs are left out.";

const fn row(
    signature: &'static str,
    summary: &'static str,
    examples: &'static [(&'static str, &'static str)],
    make: fn(&Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError>,
) -> AggregateRow {
    AggregateRow { signature, summary, examples, make, ..AggregateRow::NEW }
}

pub(super) static ROWS: &[AggregateRow] = &[
    row("MIN(val1 DECIMAL) -> DECIMAL", MIN, &[("1.5; 1.4", "1.4")], min),
    row("MIN(val1 DOUBLE) -> DOUBLE", MIN, &[("3E0; 1E0", "1E0")], min),
    row("MIN(val1 INT) -> INT", MIN, &[("3; NULL; 1", "1")], min),
    row("MIN(val1 BIGINT) -> BIGINT", MIN, &[("3000000000", "3000000000")], min),
    row("MIN(val1 STRING) -> STRING", MIN, &[("'b'; 'a'", "'a'")], min),
    row("MIN(val1 TIMESTAMP) -> TIMESTAMP", MIN, &[("NULL", "NULL")], min),
    row("MIN(val1 TIME) -> TIME", MIN, &[("NULL", "NULL")], min),
    row("MIN(val1 DATE) -> DATE", MIN, &[("NULL", "NULL")], min),
    row("MIN(val1 BYTES) -> BYTES", MIN, &[("NULL", "NULL")], min),
    row("MAX(val1 DECIMAL) -> DECIMAL", MAX, &[("1.5; 1.4", "1.5")], max),
    row("MAX(val1 DOUBLE) -> DOUBLE", MAX, &[("3E0; 1E0", "3E0")], max),
    row("MAX(val1 INT) -> INT", MAX, &[("3; NULL; 1", "3")], max),
    row("MAX(val1 BIGINT) -> BIGINT", MAX, &[("3000000000", "3000000000")], max),
    row("MAX(val1 STRING) -> STRING", MAX, &[("'b'; 'a'", "'b'")], max),
    row("MAX(val1 TIMESTAMP) -> TIMESTAMP", MAX, &[("NULL", "NULL")], max),
    row("MAX(val1 TIME) -> TIME", MAX, &[("NULL", "NULL")], max),
    row("MAX(val1 DATE) -> DATE", MAX, &[("NULL", "NULL")], max),
    row("MAX(val1 BYTES) -> BYTES", MAX, &[("NULL", "NULL")], max),
];

fn min(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    Bind::to(Extreme { ty: bind.argument(0), keep: Ordering::Less })
}

fn max(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    Bind::to(Extreme { ty: bind.argument(0), keep: Ordering::Greater })
}

/// Keeps a value as long as it compares as `keep` to the next one.
#[derive(Debug)]
struct Extreme {
    ty: SqlType,
    keep: Ordering,
}

impl Extreme {
    fn offer(&self, kept: &mut OwnedValue, value: Value<'_>) {
        let is_better = match (&mut *kept, value) {
            (_, Value::Null) => return,
            (OwnedValue::Null, _) => true,
            (OwnedValue::Int(kept), Value::Int(value)) => (*kept).cmp(&value) != self.keep,
            (OwnedValue::Double(kept), Value::Double(value)) => {
                numbers::compare_doubles(*kept, value) != self.keep
            }
            (kept, value) => numbers::compare(kept.as_value(&Arena::new()), value) != self.keep,
        };
        if is_better {
            *kept = value.to_owned();
        }
    }
}

impl Aggregate for Extreme {
    fn state_type(&self) -> SqlType {
        self.ty.clone()
    }

    fn result_type(&self) -> SqlType {
        self.ty.clone()
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::default()
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        if let (State::Value(kept), Some(value)) = (state, args.first()) {
            self.offer(kept, *value);
        }
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Value(kept), State::Value(other)) = (&mut older, newer) {
            self.offer(kept, other.as_value(&Arena::new()));
        }
        Ok(older)
    }

    fn result<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        state.as_value(arena)
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        state.as_value(arena)
    }

    fn restore(&self, value: Value<'_>) -> State {
        State::Value(value.to_owned())
    }

    fn add_rows(
        &self,
        groups: Groups<'_, '_>,
        rows: &Rows<'_, '_>,
        _: &mut Sequence,
    ) -> Result<(), RowError> {
        match rows.args {
            [Column::Doubles(values, valid)] => {
                let values: &[f64] = values;
                for (row, group) in rows.members().filter(|(row, _)| valid.is_valid(*row)) {
                    let State::Value(kept) = &mut groups[group][rows.slot] else { continue };
                    match kept {
                        OwnedValue::Double(kept)
                            if numbers::compare_doubles(*kept, values[row]) == self.keep => {}
                        kept => *kept = OwnedValue::Double(values[row]),
                    }
                }
            }
            [column] => {
                for (row, group) in rows.members() {
                    if let State::Value(kept) = &mut groups[group][rows.slot] {
                        self.offer(kept, column.value(row));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
