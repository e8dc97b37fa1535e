//! ATTR: the one value that all rows of a group share.

use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, OwnedValue, SqlType, StructType, Value};

pub(super) static ROWS: &[AggregateRow] = &[AggregateRow {
    signature: "ATTR(val1 T) -> T",
    summary: "Returns the value that all rows of a group share, NULL if they differ.",
    examples: &[("1; 1", "1"), ("1; 2", "NULL")],
    undoable: true,
    make: |bind| Bind::to(Attr { ty: bind.argument(0) }),
    ..AggregateRow::NEW
}];

#[derive(Debug)]
struct Attr {
    ty: SqlType,
}

/// Counts `value` up or down, never below 0.
fn count(entries: &mut Vec<(OwnedValue, i32)>, value: Value<'_>, by: i32) {
    match entries.iter_mut().find(|(known, _)| numbers::is_same(known, value)) {
        Some((_, count)) => *count = count.wrapping_add(by).max(0),
        None if by > 0 => entries.push((value.to_owned(), by)),
        None => {}
    }
}

impl Aggregate for Attr {
    fn state_type(&self) -> SqlType {
        let entry = StructType::new([("VALUE", self.ty.clone()), ("COUNT", SqlType::Int)]);
        SqlType::array(SqlType::Struct(entry))
    }

    fn result_type(&self) -> SqlType {
        self.ty.clone()
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::ValueCounts(Vec::new())
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        if let (State::ValueCounts(entries), Some(value)) = (state, args.first()) {
            count(entries, *value, 1);
        }
        Ok(())
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        if let (State::ValueCounts(entries), Some(value)) = (state, args.first()) {
            count(entries, *value, -1);
        }
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::ValueCounts(entries), State::ValueCounts(newer)) = (&mut older, newer) {
            let arena = Arena::new();
            for (value, by) in &newer {
                count(entries, value.as_value(&arena), *by);
            }
        }
        Ok(older)
    }

    fn result<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let State::ValueCounts(entries) = state else { return Value::Null };
        let mut live = entries.iter().filter(|(_, count)| *count > 0);
        match (live.next(), live.next()) {
            (Some((value, _)), None) => value.as_value(arena),
            _ => Value::Null,
        }
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let State::ValueCounts(entries) = state else { return Value::Null };
        let entry = |(value, count): &'a (OwnedValue, i32)| {
            Value::Struct(arena.values(&[value.as_value(arena), Value::Int(*count)]))
        };
        let entries: Vec<_> = entries.iter().map(entry).collect();
        Value::Array(arena.values(&entries))
    }

    fn restore(&self, value: Value<'_>) -> State {
        let entry = |item: &Value<'_>| {
            let count = numbers::whole(numbers::field(*item, 1)).unwrap_or(0);
            (numbers::field(*item, 0).to_owned(), count as i32)
        };
        State::ValueCounts(numbers::items(value).iter().map(entry).collect())
    }
}
