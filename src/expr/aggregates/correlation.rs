//! CORRELATION: Pearson's coefficient of two columns, in one pass.

use super::state::PairSums;
use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, SqlType, StructType, Value};

const fn row(signature: &'static str) -> AggregateRow {
    AggregateRow {
        signature,
        shown_as: Some("correlation"),
        summary: "Returns the correlation of two columns, NaN if it is not defined.",
        examples: &[],
        undoable: true,
        make: |_| Bind::to(Correlation),
        ..AggregateRow::NEW
    }
}

pub(super) static ROWS: &[AggregateRow] = &[
    AggregateRow {
        examples: &[("1E0, 1E0; 2E0, 2E0", "1E0")],
        ..row("CORRELATION(val1 DOUBLE, val2 DOUBLE) -> DOUBLE")
    },
    AggregateRow {
        examples: &[("1, 4; 2, 2", "-1E0")],
        ..row("CORRELATION(val1 INT, val2 INT) -> DOUBLE")
    },
    AggregateRow {
        examples: &[("1, 4; 2, 2; NULL, 1", "-1E0")],
        ..row("CORRELATION(val1 BIGINT, val2 BIGINT) -> DOUBLE")
    },
];

#[derive(Debug)]
struct Correlation;

impl Correlation {
    fn update(state: &mut State, args: &[Value<'_>], sign: f64) {
        let State::Pairs(sums) = state else { return };
        let [x, y] = args else { return };
        let (Some(x), Some(y)) = (numbers::double(*x), numbers::double(*y)) else { return };
        sums.x += sign * x;
        sums.y += sign * y;
        sums.xx += sign * (x * x);
        sums.yy += sign * (y * y);
        sums.xy += sign * (x * y);
        sums.count = sums.count.wrapping_add(sign as i64);
    }
}

impl Aggregate for Correlation {
    fn state_type(&self) -> SqlType {
        let sums = ["X_SUM", "Y_SUM", "X_SQUARED_SUM", "Y_SQUARED_SUM", "XY_SUM"];
        let sums = sums.into_iter().map(|name| (name, SqlType::Double));
        SqlType::Struct(StructType::new(sums.chain([("COUNT", SqlType::Bigint)])))
    }

    fn result_type(&self) -> SqlType {
        SqlType::Double
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::Pairs(Box::default())
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        Self::update(state, args, 1.0);
        Ok(())
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        Self::update(state, args, -1.0);
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Pairs(sums), State::Pairs(other)) = (&mut older, newer) {
            sums.x += other.x;
            sums.y += other.y;
            sums.xx += other.xx;
            sums.yy += other.yy;
            sums.xy += other.xy;
            sums.count = sums.count.wrapping_add(other.count);
        }
        Ok(older)
    }

    fn result<'a>(&self, state: &'a State, _: &'a Arena) -> Value<'a> {
        let State::Pairs(sums) = state else { return Value::Null };
        let count = sums.count as f64;
        let above = count * sums.xy - sums.x * sums.y;
        let below = (count * sums.xx - sums.x * sums.x) * (count * sums.yy - sums.y * sums.y);
        Value::Double(above / below.sqrt())
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let State::Pairs(sums) = state else { return Value::Null };
        let [x, y, xx, yy, xy] = [sums.x, sums.y, sums.xx, sums.yy, sums.xy].map(Value::Double);
        Value::Struct(arena.values(&[x, y, xx, yy, xy, Value::Bigint(sums.count)]))
    }

    fn restore(&self, value: Value<'_>) -> State {
        let sum = |index| numbers::double(numbers::field(value, index)).unwrap_or(0.0);
        State::Pairs(Box::new(PairSums {
            x: sum(0),
            y: sum(1),
            xx: sum(2),
            yy: sum(3),
            xy: sum(4),
            count: numbers::whole(numbers::field(value, 5)).unwrap_or(0),
        }))
    }
}
