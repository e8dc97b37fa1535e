//! HISTOGRAM: how often each text occurs.
//!
//! The order of the entries reaches topics: [`Counts`] has that of Java.

use super::counts::{Counts, Entry, NULL_KEY};
use super::{Aggregate, AggregateRow, Bind, Sequence, State, StoredMaps, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, SqlType, Value};

pub(super) static ROWS: &[AggregateRow] = &[AggregateRow {
    signature: "HISTOGRAM(val1 STRING) -> MAP<STRING, BIGINT>",
    shown_as: Some("histogram"),
    summary: "Counts how often each text occurs in a group, for up to 1000 texts.",
    examples: &[("'x'", "MAP('x' := 1)")],
    undoable: true,
    make: |bind| Bind::to(Histogram { maps: bind.maps }),
    ..AggregateRow::NEW
}];

#[derive(Debug, Default)]
struct Histogram {
    maps: StoredMaps,
}

fn text<'a>(args: &[Value<'a>]) -> Option<&'a str> {
    match args.first() {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

impl Aggregate for Histogram {
    fn state_type(&self) -> SqlType {
        SqlType::map(SqlType::String, SqlType::Bigint)
    }

    fn result_type(&self) -> SqlType {
        SqlType::map(SqlType::String, SqlType::Bigint)
    }

    fn updates_in_place(&self) -> bool {
        true
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::Counts(Box::default())
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        if let State::Counts(counts) = state {
            counts.reload(self.maps);
            counts.merge(text(args), 1);
        }
        Ok(())
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        match state {
            State::Counts(counts) => {
                counts.reload(self.maps);
                counts.remove(text(args))
            }
            _ => Ok(()),
        }
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Counts(counts), State::Counts(mut newer)) = (&mut older, newer) {
            newer.reload(self.maps);
            for entry in newer.entries {
                counts.merge(entry.key.as_deref(), entry.count);
            }
        }
        Ok(older)
    }

    fn result<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        self.to_value(state, arena)
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let State::Counts(counts) = state else { return Value::Null };
        let entry = |entry: &'a Entry| {
            let key = entry.key.as_deref().map_or(Value::Null, Value::String);
            (key, Value::Bigint(entry.count))
        };
        let mut entries: Vec<_> = counts.entries.iter().map(entry).collect();
        // Both are written as `null`: the first place and the last count stay.
        let written = entries.iter().position(|(key, _)| *key == Value::String(NULL_KEY));
        if let (Some((Value::Null, _)), Some(written)) = (entries.first(), written) {
            entries[0].1 = entries.remove(written).1;
        }
        Value::Map(arena.entries(&entries))
    }

    fn restore(&self, value: Value<'_>) -> State {
        let mut counts = Counts::default();
        if let Value::Map(entries) = value {
            for (key, count) in entries {
                counts.push(text(&[*key]), numbers::whole(*count).unwrap_or(0));
            }
        }
        counts.reload(self.maps);
        State::Counts(Box::new(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys in order after each of `texts` was added.
    fn check(texts: &[Option<&str>], expected: &str) {
        let mut state = Histogram::default().init(&mut Sequence::default());
        for text in texts {
            let value = text.map_or(Value::Null, Value::String);
            Histogram::default().add(&mut state, &[value], &mut Sequence::default()).unwrap();
        }
        let State::Counts(counts) = state else { panic!("not a histogram") };
        let keys = counts.entries.iter().map(|entry| entry.key.as_deref().unwrap_or("NULL"));
        assert_eq!(keys.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn a_null_that_was_stored_hides_a_new_one() {
        let mut state = Histogram::default().init(&mut Sequence::default());
        for _ in 0..3 {
            Histogram::default().add(&mut state, &[Value::Null], &mut Sequence::default()).unwrap();
        }
        let arena = Arena::new();
        let expected = [(Value::Null, Value::Bigint(1))];
        assert_eq!(Histogram::default().result(&state, &arena), Value::Map(&expected));
    }

    #[test]
    fn keys_come_in_the_order_of_a_hash_map() {
        check(&[Some("foo"), Some("bar")], "bar foo");
        check(&[Some("carol"), Some("dave")], "dave carol");
        check(&[Some("carol"), Some("dave"), Some("bob")], "bob carol dave");
        check(&[Some("b"), Some("Z"), Some("é😀")], "é😀 Z b");
        check(&[Some("ä"), None], "NULL ä");
    }
}
