//! HISTOGRAM: how often each text occurs.
//!
//! The order of the entries reaches topics, so the map behaves as Java's `HashMap` does: a new key
//! goes to the head of its slot (that is what `merge` does), and reading the map back from a store
//! puts it into a table that is just large enough.

use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::java::hash_code;
use crate::types::{Arena, SqlType, Value};

/// How many keys there may be; more are ignored.
const KEYS_MAX: usize = 1000;

/// How a NULL key is written.
const NULL_KEY: &str = "null";

pub(super) static ROWS: &[AggregateRow] = &[AggregateRow {
    signature: "HISTOGRAM(val1 STRING) -> MAP<STRING, BIGINT>",
    shown_as: Some("histogram"),
    summary: "Counts how often each text occurs in a group, for up to 1000 texts.",
    examples: &[("'x'", "MAP('x' := 1)")],
    undoable: true,
    make: |_| Bind::to(Histogram),
    ..AggregateRow::NEW
}];

/// How often each text was seen, in the order of a `HashMap`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    entries: Vec<Entry>,
    /// The number of slots of the table, a power of two; 0 before there is one.
    slots: usize,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    hash: u32,
    key: Option<Box<str>>,
    count: i64,
}

fn spread(key: Option<&str>) -> u32 {
    let hash = key.map_or(0, hash_code) as u32;
    hash ^ (hash >> 16)
}

impl Counts {
    fn slot(&self, hash: u32) -> usize {
        hash as usize & (self.slots - 1)
    }

    /// Gives the table another size. The order within a slot stays.
    fn resize(&mut self, slots: usize) {
        self.slots = slots;
        self.entries.sort_by_key(|entry| entry.hash as usize & (slots - 1));
    }

    /// What reading the map back from a store makes of it.
    fn reload(&mut self) {
        if self.entries.first().is_some_and(|entry| entry.key.is_none()) {
            let count = self.entries.remove(0).count;
            if !self.entries.iter().any(|entry| entry.key.as_deref() == Some(NULL_KEY)) {
                let (hash, key) = (spread(Some(NULL_KEY)), Some(NULL_KEY.into()));
                self.entries.insert(0, Entry { hash, key, count });
            }
        }
        let mut slots = self.entries.len().max(1).next_power_of_two();
        if self.entries.len() * 4 > slots * 3 {
            slots *= 2;
        }
        self.resize(slots);
    }

    /// Adds `by` to the count of `key`, which goes to the head of its slot if it is new.
    fn merge(&mut self, key: Option<&str>, by: i64) {
        let hash = spread(key);
        if let Some(entry) = self.find(hash, key) {
            entry.count = entry.count.wrapping_add(by);
            return;
        }
        if self.entries.len() >= KEYS_MAX {
            return;
        }
        if self.slots == 0 {
            self.slots = 16;
        } else if self.entries.len() > self.slots * 3 / 4 {
            self.resize(self.slots * 2);
        }
        let slot = self.slot(hash);
        let at = self.entries.partition_point(|entry| self.slot(entry.hash) < slot);
        self.entries.insert(at, Entry { hash, key: key.map(Into::into), count: by });
    }

    fn find(&mut self, hash: u32, key: Option<&str>) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.hash == hash && entry.key.as_deref() == key)
    }

    fn remove(&mut self, key: Option<&str>) -> Result<(), EvalError> {
        let hash = spread(key);
        let Some(entry) = self.find(hash, key) else {
            return Err(EvalError::new("Cannot unbox a null value"));
        };
        entry.count = entry.count.wrapping_sub(1);
        if entry.count < 1 {
            self.entries.retain(|entry| entry.count > 0);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Histogram;

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
            counts.reload();
            counts.merge(text(args), 1);
        }
        Ok(())
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        match state {
            State::Counts(counts) => {
                counts.reload();
                counts.remove(text(args))
            }
            _ => Ok(()),
        }
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Counts(counts), State::Counts(mut newer)) = (&mut older, newer) {
            newer.reload();
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
                let key = text(&[*key]);
                let count = numbers::whole(*count).unwrap_or(0);
                counts.entries.push(Entry { hash: spread(key), key: key.map(Into::into), count });
            }
        }
        counts.reload();
        State::Counts(Box::new(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys in order after each of `texts` was added.
    fn check(texts: &[Option<&str>], expected: &str) {
        let mut state = Histogram.init(&mut Sequence::default());
        for text in texts {
            let value = text.map_or(Value::Null, Value::String);
            Histogram.add(&mut state, &[value], &mut Sequence::default()).unwrap();
        }
        let State::Counts(counts) = state else { panic!("not a histogram") };
        let keys = counts.entries.iter().map(|entry| entry.key.as_deref().unwrap_or("NULL"));
        assert_eq!(keys.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn a_null_that_was_stored_hides_a_new_one() {
        let mut state = Histogram.init(&mut Sequence::default());
        for _ in 0..3 {
            Histogram.add(&mut state, &[Value::Null], &mut Sequence::default()).unwrap();
        }
        let arena = Arena::new();
        let expected = [(Value::Null, Value::Bigint(1))];
        assert_eq!(Histogram.result(&state, &arena), Value::Map(&expected));
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
