//! `LATEST_BY_OFFSET` and `EARLIEST_BY_OFFSET`.
//!
//! Each value is kept with a number that counts up over the whole instance, so that sessions which
//! grow together know which value came first.

use std::cmp::Ordering;

use super::{Aggregate, AggregateRow, Bind, Groups, RowError, Rows, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, Column, OwnedValue, SqlType, StructType, Value};

const LATEST: &str = "Returns the value that came last; NULLs are left out unless asked for.";
const EARLIEST: &str = "Returns the value that came first; NULLs are left out unless asked for.";
const LATEST_N: &str = "Returns the last values, the oldest of them first.";
const EARLIEST_N: &str = "Returns the first values, the oldest of them first.";

const fn row(
    signature: &'static str,
    summary: &'static str,
    init_args: usize,
    examples: &'static [(&'static str, &'static str)],
    make: fn(&Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError>,
) -> AggregateRow {
    AggregateRow { signature, summary, examples, init_args, make, ..AggregateRow::NEW }
}

pub(super) static ROWS: &[AggregateRow] = &[
    row("LATEST_BY_OFFSET(val1 T) -> T", LATEST, 0, &[("1; 2; NULL", "2")], latest),
    row(
        "LATEST_BY_OFFSET(val1 T, latestN INT) -> ARRAY<T>",
        LATEST_N,
        1,
        &[("1, 2; 2, 2; 3, 2", "ARRAY[2, 3]")],
        latest_n,
    ),
    row(
        "LATEST_BY_OFFSET(val1 T, latestN INT, ignoreNulls BOOLEAN) -> ARRAY<T>",
        LATEST_N,
        2,
        &[("1, 2, FALSE; 2, 2, FALSE; NULL, 2, FALSE", "ARRAY[2, NULL]")],
        latest_n,
    ),
    row(
        "LATEST_BY_OFFSET(val1 T, ignoreNulls BOOLEAN) -> T",
        LATEST,
        1,
        &[("1, FALSE; NULL, FALSE", "NULL")],
        latest,
    ),
    row("EARLIEST_BY_OFFSET(val1 T) -> T", EARLIEST, 0, &[("NULL; 1; 2", "1")], earliest),
    row(
        "EARLIEST_BY_OFFSET(val1 T, earliestN INT) -> ARRAY<T>",
        EARLIEST_N,
        1,
        &[("1, 2; 2, 2; 3, 2", "ARRAY[1, 2]")],
        earliest_n,
    ),
    row(
        "EARLIEST_BY_OFFSET(val1 T, earliestN INT, ignoreNulls BOOLEAN) -> ARRAY<T>",
        EARLIEST_N,
        2,
        &[("NULL, 2, FALSE; 2, 2, FALSE; 3, 2, FALSE", "ARRAY[NULL, 2]")],
        earliest_n,
    ),
    row(
        "EARLIEST_BY_OFFSET(val1 T, ignoreNulls BOOLEAN) -> T",
        EARLIEST,
        1,
        &[("NULL, FALSE; 1, FALSE", "NULL")],
        earliest,
    ),
];

fn latest(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    one(bind, End::Latest)
}

fn latest_n(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    several(bind, End::Latest)
}

fn earliest(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    one(bind, End::Earliest)
}

fn earliest_n(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    several(bind, End::Earliest)
}

fn one(bind: &Bind<'_>, end: End) -> Result<Box<dyn Aggregate>, EvalError> {
    let ignore_nulls = bind.boolean(0).unwrap_or(true);
    Bind::to(One { ty: bind.argument(0), end, ignore_nulls })
}

fn several(bind: &Bind<'_>, end: End) -> Result<Box<dyn Aggregate>, EvalError> {
    let count = bind.int(0).unwrap_or(0);
    let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
        let argument = if end == End::Latest { "latestN" } else { "earliestN" };
        return Err(EvalError::new(format!("{argument} must be 1 or greater")));
    };
    let ignore_nulls = bind.boolean(1).unwrap_or(true);
    Bind::to(Several { ty: bind.argument(0), end, count, ignore_nulls })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Latest,
    Earliest,
}

impl End {
    #[inline]
    fn next(self, sequence: &mut Sequence) -> i64 {
        match self {
            Self::Latest => sequence.next_latest(),
            Self::Earliest => sequence.next_earliest(),
        }
    }

    fn observe(self, sequence: &mut Sequence, number: i64) {
        match self {
            Self::Latest => sequence.observe_latest(number),
            Self::Earliest => sequence.observe_earliest(number),
        }
    }
}

/// The order of numbers; a negative one has overflowed, so it comes after the others.
fn compare_numbers(a: i64, b: i64) -> Ordering {
    (a < 0).cmp(&(b < 0)).then(a.cmp(&b))
}

fn numbered_type(ty: &SqlType) -> SqlType {
    SqlType::Struct(StructType::new([("SEQ", SqlType::Bigint), ("VAL", ty.clone())]))
}

#[derive(Debug)]
struct One {
    ty: SqlType,
    end: End,
    ignore_nulls: bool,
}

impl One {
    fn number(state: &State) -> Option<i64> {
        match state {
            State::NumberedText { number, .. } => Some(*number),
            State::Numbered(entry) => Some(entry.0),
            _ => None,
        }
    }

    fn value<'a>(state: &'a State, arena: &'a Arena) -> Value<'a> {
        match state {
            State::NumberedText { text, .. } => {
                text.as_ref().map_or(Value::Null, |text| Value::String(text.as_str()))
            }
            State::Numbered(entry) => entry.1.as_value(arena),
            _ => Value::Null,
        }
    }

    fn is_empty(state: &State) -> bool {
        match state {
            State::NumberedText { text, .. } => text.is_none(),
            State::Numbered(entry) => entry.1.is_null(),
            _ => true,
        }
    }

    fn set(&self, state: &mut State, number: i64, value: Value<'_>) {
        match (&mut *state, value) {
            (State::NumberedText { number: kept, text }, Value::String(value)) => {
                *kept = number;
                if text.as_ref().is_none_or(|text| text.as_bytes() != value.as_bytes()) {
                    *text = Some(value.into());
                }
            }
            (State::Numbered(entry), value) => {
                entry.0 = number;
                if !numbers::is_same(&entry.1, value) {
                    entry.1 = value.to_owned();
                }
            }
            (state, Value::String(text)) if self.ty == SqlType::String => {
                *state = State::NumberedText { number, text: Some(text.into()) };
            }
            (state, _) if self.ty == SqlType::String => {
                *state = State::NumberedText { number, text: None };
            }
            (state, value) => *state = State::Numbered(Box::new((number, value.to_owned()))),
        }
    }
}

impl Aggregate for One {
    fn state_type(&self) -> SqlType {
        numbered_type(&self.ty)
    }

    fn result_type(&self) -> SqlType {
        self.ty.clone()
    }

    fn init(&self, sequence: &mut Sequence) -> State {
        let mut state = State::default();
        if self.end == End::Latest {
            self.set(&mut state, self.end.next(sequence), Value::Null);
        }
        state
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        sequence: &mut Sequence,
    ) -> Result<(), EvalError> {
        let value = args.first().copied().unwrap_or_default();
        let is_kept = self.end == End::Earliest && Self::number(state).is_some();
        if !(is_kept || self.ignore_nulls && value.is_null()) {
            self.set(state, self.end.next(sequence), value);
        }
        Ok(())
    }

    fn merge(&self, older: State, newer: State) -> Result<State, EvalError> {
        let order = match (Self::number(&older), Self::number(&newer)) {
            (None, _) => return Ok(newer),
            (_, None) => return Ok(older),
            (Some(a), Some(b)) => compare_numbers(a, b),
        };
        let takes_older = match self.end {
            End::Earliest => order.is_lt(),
            End::Latest if self.ignore_nulls => {
                match (Self::is_empty(&older), Self::is_empty(&newer)) {
                    (false, false) => order.is_ge(),
                    (is_empty, other_is_empty) => !is_empty || other_is_empty,
                }
            }
            End::Latest => order.is_ge(),
        };
        Ok(if takes_older { older } else { newer })
    }

    fn result<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        Self::value(state, arena)
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        match Self::number(state) {
            Some(number) => {
                let fields = [Value::Bigint(number), Self::value(state, arena)];
                Value::Struct(arena.values(&fields))
            }
            None => Value::Null,
        }
    }

    fn restore(&self, value: Value<'_>) -> State {
        let mut state = State::default();
        if let Value::Struct([number, value]) = value {
            self.set(&mut state, numbers::whole(*number).unwrap_or(0), *value);
        }
        state
    }

    fn observe(&self, state: &State, sequence: &mut Sequence) {
        if let Some(number) = Self::number(state) {
            self.end.observe(sequence, number);
        }
    }

    fn add_rows(
        &self,
        groups: Groups<'_, '_>,
        rows: &Rows<'_, '_>,
        sequence: &mut Sequence,
    ) -> Result<(), RowError> {
        match rows.args.first() {
            Some(Column::Strings(values, valid)) if self.end == End::Latest => {
                let values: &[&str] = values;
                for (row, group) in rows.members() {
                    let state = &mut groups[group][rows.slot];
                    if valid.is_valid(row) {
                        self.set(state, sequence.next_latest(), Value::String(values[row]));
                    } else {
                        self.add(state, &[Value::Null], sequence)
                            .map_err(|error| RowError { row, error })?;
                    }
                }
            }
            Some(column) => {
                for (row, group) in rows.members() {
                    let value = column.value(row);
                    self.add(&mut groups[group][rows.slot], &[value], sequence)
                        .map_err(|error| RowError { row, error })?;
                }
            }
            None => {}
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Several {
    ty: SqlType,
    end: End,
    count: usize,
    ignore_nulls: bool,
}

impl Aggregate for Several {
    fn state_type(&self) -> SqlType {
        SqlType::array(numbered_type(&self.ty))
    }

    fn result_type(&self) -> SqlType {
        SqlType::array(self.ty.clone())
    }

    fn updates_in_place(&self) -> bool {
        true
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::NumberedList(Vec::new())
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        sequence: &mut Sequence,
    ) -> Result<(), EvalError> {
        let value = args.first().copied().unwrap_or_default();
        let State::NumberedList(entries) = state else { return Ok(()) };
        if (self.ignore_nulls && value.is_null())
            || (self.end == End::Earliest && entries.len() >= self.count)
        {
            return Ok(());
        }
        if entries.len() >= self.count {
            entries.drain(..=entries.len() - self.count);
        }
        entries.push((self.end.next(sequence), value.to_owned()));
        Ok(())
    }

    fn merge(&self, older: State, newer: State) -> Result<State, EvalError> {
        let (State::NumberedList(mut entries), State::NumberedList(newer)) = (older, newer) else {
            return Ok(State::NumberedList(Vec::new()));
        };
        entries.extend(newer);
        entries.sort_by(|a, b| compare_numbers(a.0, b.0));
        // ksqlDB keeps the first ones here, for `LATEST_BY_OFFSET` too.
        entries.truncate(self.count);
        Ok(State::NumberedList(entries))
    }

    fn result<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let State::NumberedList(entries) = state else { return Value::Null };
        Value::Array(arena.collect(entries.iter().map(|(_, value)| value.as_value(arena))))
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let State::NumberedList(entries) = state else { return Value::Null };
        let entry = |(number, value): &'a (i64, OwnedValue)| {
            let fields = [Value::Bigint(*number), value.as_value(arena)];
            Value::Struct(arena.values(&fields))
        };
        Value::Array(arena.collect(entries.iter().map(entry)))
    }

    fn restore(&self, value: Value<'_>) -> State {
        let entry = |item: &Value<'_>| {
            let number = numbers::whole(numbers::field(*item, 0)).unwrap_or(0);
            (number, numbers::field(*item, 1).to_owned())
        };
        State::NumberedList(numbers::items(value).iter().map(entry).collect())
    }

    fn observe(&self, state: &State, sequence: &mut Sequence) {
        if let State::NumberedList(entries) = state {
            for (number, _) in entries {
                self.end.observe(sequence, *number);
            }
        }
    }
}
