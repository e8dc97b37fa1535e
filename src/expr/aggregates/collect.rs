//! `COLLECT_LIST` and `COLLECT_SET`.

use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, OwnedValue, SqlType, Value};

pub(super) static ROWS: &[AggregateRow] = &[
    AggregateRow {
        signature: "COLLECT_LIST(val1 T) -> ARRAY<T>",
        shown_as: Some("collect_list"),
        summary: "Collects the values of a group in a list, NULLs included.",
        examples: &[("1; NULL; 1", "ARRAY[1, NULL, 1]")],
        undoable: true,
        make: |bind| {
            let limit = bind.limits.collect_list;
            Bind::to(Collect { ty: bind.argument(0), limit, is_set: false })
        },
        ..AggregateRow::NEW
    },
    AggregateRow {
        signature: "COLLECT_SET(val1 T) -> ARRAY<T>",
        shown_as: Some("collect_set"),
        summary: "Collects the distinct values of a group in a list, NULL included.",
        examples: &[("1; NULL; 1", "ARRAY[1, NULL]")],
        make: |bind| {
            let limit = bind.limits.collect_set;
            Bind::to(Collect { ty: bind.argument(0), limit, is_set: true })
        },
        ..AggregateRow::NEW
    },
];

#[derive(Debug)]
struct Collect {
    ty: SqlType,
    limit: usize,
    is_set: bool,
}

impl Collect {
    fn offer(&self, items: &mut Vec<OwnedValue>, value: Value<'_>) {
        let is_known = || self.is_set && items.iter().any(|item| numbers::is_same(item, value));
        if items.len() < self.limit && !is_known() {
            items.push(value.to_owned());
        }
    }
}

impl Aggregate for Collect {
    fn state_type(&self) -> SqlType {
        SqlType::array(self.ty.clone())
    }

    fn result_type(&self) -> SqlType {
        SqlType::array(self.ty.clone())
    }

    fn updates_in_place(&self) -> bool {
        true
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::Value(OwnedValue::Array(Vec::new()))
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        if let (State::Value(OwnedValue::Array(items)), Some(value)) = (state, args.first()) {
            self.offer(items, *value);
        }
        Ok(())
    }

    /// Takes out the last equal item, wherever the row's own one is.
    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        if let (State::Value(OwnedValue::Array(items)), Some(value)) = (state, args.first())
            && let Some(last) = items.iter().rposition(|item| numbers::is_same(item, *value))
        {
            items.remove(last);
        }
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Value(OwnedValue::Array(items)), State::Value(OwnedValue::Array(other))) =
            (&mut older, newer)
        {
            let arena = Arena::new();
            for item in &other {
                self.offer(items, item.as_value(&arena));
            }
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
        let items = numbers::items(value).iter().map(Value::to_owned).collect();
        State::Value(OwnedValue::Array(items))
    }
}
