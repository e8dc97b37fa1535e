//! TOPK and TOPKDISTINCT.

use std::cmp::Ordering;

use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, OwnedValue, SqlType, StructType, Value};

const TOPK: &str = "Returns the k greatest values of a group, each with further columns if given.";
const DISTINCT: &str = "Returns the k greatest distinct values of a group.";

const fn topk(
    signature: &'static str,
    examples: &'static [(&'static str, &'static str)],
) -> AggregateRow {
    AggregateRow {
        signature,
        summary: TOPK,
        examples,
        init_args: 1,
        make: |bind| make(bind, false),
        ..AggregateRow::NEW
    }
}

const fn distinct(signature: &'static str) -> AggregateRow {
    AggregateRow {
        signature,
        summary: DISTINCT,
        examples: &[("NULL, 2", "ARRAY[]")],
        init_args: 1,
        make: |bind| make(bind, true),
        ..AggregateRow::NEW
    }
}

pub(super) static ROWS: &[AggregateRow] = &[
    topk(
        "TOPK(val1 INT, val2 ANY..., k INT) -> ARRAY<INT>",
        &[("1, 2; 3, 2; 2, 2", "ARRAY[3, 2]")],
    ),
    topk("TOPK(val1 BIGINT, val2 ANY..., k INT) -> ARRAY<BIGINT>", &[("NULL, 2", "ARRAY[]")]),
    topk("TOPK(val1 DOUBLE, val2 ANY..., k INT) -> ARRAY<DOUBLE>", &[("NULL, 2", "ARRAY[]")]),
    topk("TOPK(val1 STRING, val2 ANY..., k INT) -> ARRAY<STRING>", &[("NULL, 2", "ARRAY[]")]),
    AggregateRow {
        examples: &[("1, 2; 3, 2; 3, 2", "ARRAY[3, 1]")],
        ..distinct("TOPKDISTINCT(val1 INT, k INT) -> ARRAY<INT>")
    },
    distinct("TOPKDISTINCT(val1 BIGINT, k INT) -> ARRAY<BIGINT>"),
    distinct("TOPKDISTINCT(val1 DOUBLE, k INT) -> ARRAY<DOUBLE>"),
    distinct("TOPKDISTINCT(val1 STRING, k INT) -> ARRAY<STRING>"),
    distinct("TOPKDISTINCT(val1 DECIMAL, k INT) -> ARRAY<DECIMAL>"),
    distinct("TOPKDISTINCT(val1 DATE, k INT) -> ARRAY<DATE>"),
    distinct("TOPKDISTINCT(val1 TIME, k INT) -> ARRAY<TIME>"),
    distinct("TOPKDISTINCT(val1 TIMESTAMP, k INT) -> ARRAY<TIMESTAMP>"),
    distinct("TOPKDISTINCT(val1 BYTES, k INT) -> ARRAY<BYTES>"),
];

fn make(bind: &Bind<'_>, is_distinct: bool) -> Result<Box<dyn Aggregate>, EvalError> {
    let mut item = bind.argument(0);
    let is_struct = bind.arguments.len() > 1;
    if is_struct {
        let names = (0..bind.arguments.len()).map(|index| match index {
            0 => "sort_col".to_owned(),
            other => format!("col{}", other - 1),
        });
        item = SqlType::Struct(StructType::new(names.zip(bind.arguments.iter().cloned())));
    }
    Bind::to(Top { item, size: bind.int(0).unwrap_or(0), is_distinct, is_struct })
}

#[derive(Debug)]
struct Top {
    item: SqlType,
    /// How many values are kept; without a limit if negative, as in ksqlDB.
    size: i32,
    is_distinct: bool,
    is_struct: bool,
}

impl Top {
    /// What an item is compared by.
    fn key<'a>(&self, item: &'a OwnedValue, arena: &'a Arena) -> Value<'a> {
        match item {
            OwnedValue::Struct(fields) if self.is_struct => {
                fields.first().map_or(Value::Null, |field| field.as_value(arena))
            }
            item => item.as_value(arena),
        }
    }

    fn is_full(&self, items: &[OwnedValue]) -> bool {
        usize::try_from(self.size) == Ok(items.len())
    }

    /// Joins two lists, each with its greatest value first.
    fn join(&self, older: Vec<OwnedValue>, newer: Vec<OwnedValue>) -> Vec<OwnedValue> {
        let arena = Arena::new();
        let mut joined = Vec::new();
        let (mut older, mut newer) = (older.into_iter().peekable(), newer.into_iter().peekable());
        while !self.is_full(&joined) {
            let order = match (older.peek(), newer.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Greater,
                (None, Some(_)) => Ordering::Less,
                (Some(a), Some(b)) => numbers::compare(self.key(a, &arena), self.key(b, &arena)),
            };
            if order.is_eq() && self.is_distinct {
                newer.next();
            }
            joined.extend(if order.is_ge() { older.next() } else { newer.next() });
        }
        joined
    }
}

impl Aggregate for Top {
    fn state_type(&self) -> SqlType {
        SqlType::array(self.item.clone())
    }

    fn result_type(&self) -> SqlType {
        SqlType::array(self.item.clone())
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
        let State::Value(OwnedValue::Array(items)) = state else { return Ok(()) };
        let Some(value) = args.first().copied().filter(|value| !value.is_null()) else {
            return Ok(());
        };
        if self.size == 0 {
            return Err(EvalError::new("Index -1 out of bounds for length 0"));
        }
        let arena = Arena::new();
        let order = |item: &OwnedValue| numbers::compare(self.key(item, &arena), value);
        let is_full = self.is_full(items);
        if is_full && items.last().is_some_and(|last| order(last).is_ge()) {
            return Ok(());
        }
        if self.is_distinct && items.iter().any(|item| numbers::is_same(item, value)) {
            return Ok(());
        }
        if is_full {
            items.pop();
        }
        let at = items.partition_point(|item| order(item).is_ge());
        let item = if self.is_struct {
            OwnedValue::Struct(args.iter().map(Value::to_owned).collect())
        } else {
            value.to_owned()
        };
        items.insert(at, item);
        Ok(())
    }

    fn merge(&self, older: State, newer: State) -> Result<State, EvalError> {
        let (State::Value(OwnedValue::Array(older)), State::Value(OwnedValue::Array(newer))) =
            (older, newer)
        else {
            return Ok(State::Value(OwnedValue::Array(Vec::new())));
        };
        Ok(State::Value(OwnedValue::Array(self.join(older, newer))))
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

    fn is_fallible(&self) -> bool {
        self.size == 0
    }
}
