//! Aggregates that only ksqlDB's own test cases use. No registry shows them unless asked to.

use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::java::utf16_len;
use crate::types::{Arena, OwnedValue, SqlType, Value};

const fn row(
    signature: &'static str,
    init_args: usize,
    make: fn(&Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError>,
) -> AggregateRow {
    AggregateRow {
        signature,
        summary: "Serves a test case.",
        init_args,
        hidden: true,
        make,
        ..AggregateRow::NEW
    }
}

pub(super) static ROWS: &[AggregateRow] = &[
    AggregateRow { undoable: true, ..row("TEST_UDAF(val1 BIGINT) -> BIGINT", 0, lengths) },
    AggregateRow {
        undoable: true,
        ..row("TEST_UDAF(val1 STRUCT<A INT, B INT>) -> BIGINT", 0, lengths)
    },
    row("VAR_ARG(val1 BIGINT, val2 STRING...) -> BIGINT", 0, lengths),
    row("MID_VAR_ARG(val1 BIGINT, val2 STRING..., first INT, second INT) -> BIGINT", 2, lengths),
    row(
        "MULTI_ARG(val1 BIGINT, val2 STRING, initArg1 INT, initArg2 STRING...) -> BIGINT",
        2,
        lengths,
    ),
    row(
        "FOUR_ARG(val1 BIGINT, val2 STRING, val3 STRING, val4 STRING, initArg1 INT, \
         initArg2 STRING...) -> BIGINT",
        2,
        lengths,
    ),
    row(
        "FIVE_ARG(val1 BIGINT, val2 STRING, val3 STRING, val4 STRING, val5 INT, \
         initArg1 INT, initArg2 STRING...) -> BIGINT",
        2,
        lengths,
    ),
    row("GENERIC_VAR_ARG(val1 A, val2 B, val3 C...) -> ARRAY<A>", 0, first_arguments),
    row("OBJ_COL_ARG(val1 INT, val2 ANY...) -> ARRAY<INT>", 0, first_arguments),
];

fn lengths(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    let arena = Arena::new();
    let sizes = bind.init.iter().map(|value| size(value.as_value(&arena)));
    let start = sizes.fold(0, i64::wrapping_add);
    Bind::to(Lengths { start })
}

fn first_arguments(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    Bind::to(FirstArguments { ty: bind.argument(0) })
}

/// A number itself, or the length of a text; 0 for NULL.
fn size(value: Value<'_>) -> i64 {
    match value {
        Value::String(text) => utf16_len(text) as i64,
        Value::Struct(fields) => fields.iter().map(|field| size(*field)).fold(0, i64::wrapping_add),
        other => numbers::whole(other).unwrap_or(0),
    }
}

/// Adds up numbers and the lengths of texts.
#[derive(Debug)]
struct Lengths {
    start: i64,
}

impl Lengths {
    fn change(state: &mut State, args: &[Value<'_>], sign: i64) {
        if let State::Value(OwnedValue::Bigint(sum)) = state {
            let sizes = args.iter().map(|value| sign.wrapping_mul(size(*value)));
            *sum = sizes.fold(*sum, i64::wrapping_add);
        }
    }
}

impl Aggregate for Lengths {
    fn state_type(&self) -> SqlType {
        SqlType::Bigint
    }

    fn result_type(&self) -> SqlType {
        SqlType::Bigint
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::Value(OwnedValue::Bigint(self.start))
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
        if let State::Value(OwnedValue::Bigint(sum)) = newer {
            Self::change(&mut older, &[Value::Bigint(sum)], 1);
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
}

/// Collects the first argument of each row that has no NULL.
#[derive(Debug)]
struct FirstArguments {
    ty: SqlType,
}

impl Aggregate for FirstArguments {
    fn state_type(&self) -> SqlType {
        SqlType::array(self.ty.clone())
    }

    fn result_type(&self) -> SqlType {
        SqlType::array(self.ty.clone())
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
        if let (State::Value(OwnedValue::Array(items)), [first, ..]) = (state, args)
            && !args.iter().any(Value::is_null)
        {
            items.push(first.to_owned());
        }
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Value(OwnedValue::Array(items)), State::Value(OwnedValue::Array(newer))) =
            (&mut older, newer)
        {
            items.extend(newer);
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
}
