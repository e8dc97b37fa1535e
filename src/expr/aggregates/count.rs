//! COUNT.

use super::{Aggregate, AggregateRow, Bind, Groups, RowError, Rows, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, OwnedValue, SqlType, Value};

pub(super) static ROWS: &[AggregateRow] = &[
    AggregateRow {
        signature: "COUNT(val1 T) -> BIGINT",
        summary: "Counts the rows of a group whose value is not NULL.",
        examples: &[("NULL; 1; 'x'", "2")],
        undoable: true,
        make: |_| Bind::to(Count),
        ..AggregateRow::NEW
    },
    AggregateRow {
        signature: "COUNT() -> BIGINT",
        summary: "Counts the rows of a group.",
        examples: &[("", "1")],
        undoable: true,
        hidden: true,
        make: |_| Bind::to(Count),
        ..AggregateRow::NEW
    },
];

#[derive(Debug)]
struct Count;

impl Count {
    fn change(state: &mut State, args: &[Value<'_>], by: i64) {
        if args.first().is_none_or(|value| !value.is_null())
            && let State::Value(OwnedValue::Bigint(count)) = state
        {
            *count = count.wrapping_add(by);
        }
    }
}

impl Aggregate for Count {
    fn state_type(&self) -> SqlType {
        SqlType::Bigint
    }

    fn result_type(&self) -> SqlType {
        SqlType::Bigint
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::Value(OwnedValue::Bigint(0))
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        Self::change(state, args, 1);
        Ok(())
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        Self::change(state, args, -1);
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Value(OwnedValue::Bigint(a)), State::Value(OwnedValue::Bigint(b))) =
            (&mut older, newer)
        {
            *a = a.wrapping_add(b);
        }
        Ok(older)
    }

    fn result<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        self.to_value(state, arena)
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        state.as_value(arena)
    }

    fn restore(&self, value: Value<'_>) -> State {
        State::Value(OwnedValue::Bigint(numbers::whole(value).unwrap_or(0)))
    }

    fn add_rows(
        &self,
        groups: Groups<'_, '_>,
        rows: &Rows<'_, '_>,
        _: &mut Sequence,
    ) -> Result<(), RowError> {
        for (row, group) in rows.members() {
            if rows.args.first().is_some_and(|column| column.is_null(row)) {
                continue;
            }
            if let State::Value(OwnedValue::Bigint(count)) = &mut groups[group][rows.slot] {
                *count = count.wrapping_add(1);
            }
        }
        Ok(())
    }
}
