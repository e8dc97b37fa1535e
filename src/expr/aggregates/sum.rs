//! SUM and `SUM_LIST`.

use num_bigint::BigInt;

use super::{Aggregate, AggregateRow, Bind, Groups, RowError, Rows, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, Column, Decimal, OwnedValue, SqlType, Value};

pub(super) static ROWS: &[AggregateRow] = &[
    sum_row("SUM(val1 DECIMAL) -> DECIMAL", &[("1.50; NULL; 2.25", "3.75")]),
    sum_row("SUM(val1 DOUBLE) -> DOUBLE", &[("1E0; NULL; 2E0", "3E0")]),
    sum_row("SUM(val1 INT) -> INT", &[("1; NULL; 2", "3")]),
    sum_row("SUM(val1 BIGINT) -> BIGINT", &[("3000000000; NULL; 1", "3000000001")]),
    list_row("SUM_LIST(val1 ARRAY<DOUBLE>) -> DOUBLE", &[("ARRAY[1E0, 2E0]; NULL", "3E0")]),
    list_row("SUM_LIST(val1 ARRAY<INT>) -> INT", &[("ARRAY[1, 2]; ARRAY[3]", "6")]),
    list_row("SUM_LIST(val1 ARRAY<BIGINT>) -> BIGINT", &[("ARRAY[3000000000]", "3000000000")]),
];

const fn sum_row(
    signature: &'static str,
    examples: &'static [(&'static str, &'static str)],
) -> AggregateRow {
    AggregateRow {
        signature,
        summary: "Adds up the numbers of a group; NULLs are left out.",
        examples,
        undoable: true,
        make: |bind| Bind::to(Sum { ty: bind.argument(0), is_list: false }),
        ..AggregateRow::NEW
    }
}

const fn list_row(
    signature: &'static str,
    examples: &'static [(&'static str, &'static str)],
) -> AggregateRow {
    AggregateRow {
        signature,
        shown_as: Some("sum_list"),
        summary: "Adds up the items of all lists of a group; NULLs are left out.",
        examples,
        undoable: true,
        make: |bind| match bind.argument(0) {
            SqlType::Array(item) => Bind::to(Sum { ty: (*item).clone(), is_list: true }),
            ty => Bind::to(Sum { ty, is_list: false }),
        },
        ..AggregateRow::NEW
    }
}

#[derive(Debug)]
struct Sum {
    ty: SqlType,
    is_list: bool,
}

impl Sum {
    fn zero(&self) -> OwnedValue {
        match self.ty {
            SqlType::Int => OwnedValue::Int(0),
            SqlType::Bigint => OwnedValue::Bigint(0),
            SqlType::Decimal { scale, .. } => OwnedValue::Decimal(Box::new(Decimal {
                unscaled: BigInt::ZERO,
                scale: scale as i32,
            })),
            _ => OwnedValue::Double(0.0),
        }
    }

    /// Adds `value`, or takes it away; integers wrap.
    fn change(sum: &mut OwnedValue, value: Value<'_>, is_minus: bool) {
        match (sum, value) {
            (OwnedValue::Int(sum), Value::Int(value)) if is_minus => {
                *sum = sum.wrapping_sub(value);
            }
            (OwnedValue::Int(sum), Value::Int(value)) => *sum = sum.wrapping_add(value),
            (OwnedValue::Bigint(sum), Value::Bigint(value)) if is_minus => {
                *sum = sum.wrapping_sub(value);
            }
            (OwnedValue::Bigint(sum), Value::Bigint(value)) => *sum = sum.wrapping_add(value),
            (OwnedValue::Double(sum), Value::Double(value)) if is_minus => *sum -= value,
            (OwnedValue::Double(sum), Value::Double(value)) => *sum += value,
            (OwnedValue::Decimal(sum), Value::Decimal(value)) => {
                let scale = sum.scale.max(value.scale);
                let (old, value) = (numbers::scaled(sum, scale), numbers::scaled(value, scale));
                sum.unscaled = if is_minus { old - value } else { old + value };
                sum.scale = scale;
            }
            _ => {}
        }
    }

    fn update(&self, state: &mut State, args: &[Value<'_>], is_minus: bool) {
        let (State::Value(sum), Some(value)) = (state, args.first()) else { return };
        if !self.is_list {
            Self::change(sum, *value, is_minus);
        } else if let Value::Array(items) = value {
            // The items are added up first: for DOUBLEs, that is another number.
            let mut total = self.zero();
            for item in *items {
                Self::change(&mut total, *item, false);
            }
            Self::change(sum, total.as_value(&Arena::new()), is_minus);
        }
    }

    /// Refuses a DECIMAL with more digits than its type has. It stops the query, as in ksqlDB.
    fn check(&self, state: &State) -> Result<(), EvalError> {
        let SqlType::Decimal { precision, scale } = self.ty else { return Ok(()) };
        let State::Value(OwnedValue::Decimal(sum)) = state else { return Ok(()) };
        let digits = precision.saturating_sub(scale);
        let limit = BigInt::from(10).pow(digits + sum.scale.unsigned_abs());
        if sum.unscaled.magnitude() < limit.magnitude() {
            return Ok(());
        }
        Err(EvalError::new(format!(
            "Numeric field overflow: A field with precision {precision} and scale {scale} must \
             round to an absolute value less than 10^{digits}. Got {}",
            rounded(sum, precision)
        )))
    }
}

/// The text of a number rounded to `precision` digits, with `HALF_UP`.
fn rounded(decimal: &Decimal, precision: u32) -> String {
    let text = decimal.unscaled.magnitude().to_string();
    let cut = text.len().saturating_sub(precision as usize);
    let unit = BigInt::from(10).pow(cut as u32);
    let half: BigInt = &unit / 2;
    let kept: BigInt = (BigInt::from(decimal.unscaled.magnitude().clone()) + half) / &unit;
    let scale = decimal.scale - cut as i32;
    let sign = if decimal.unscaled.sign() == num_bigint::Sign::Minus { "-" } else { "" };
    if scale <= 0 {
        return format!("{sign}{}", kept * BigInt::from(10).pow(scale.unsigned_abs()));
    }
    let digits = format!("{kept:0>width$}", width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    format!("{sign}{whole}.{fraction}")
}

impl Aggregate for Sum {
    fn state_type(&self) -> SqlType {
        self.ty.clone()
    }

    fn result_type(&self) -> SqlType {
        self.ty.clone()
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::Value(self.zero())
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        self.update(state, args, false);
        self.check(state)
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        self.update(state, args, true);
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Value(sum), State::Value(other)) = (&mut older, newer) {
            Self::change(sum, other.as_value(&Arena::new()), false);
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
        State::Value(if value.is_null() { self.zero() } else { value.to_owned() })
    }

    fn is_fallible(&self) -> bool {
        matches!(self.ty, SqlType::Decimal { .. })
    }

    fn add_rows(
        &self,
        groups: Groups<'_, '_>,
        rows: &Rows<'_, '_>,
        sequence: &mut Sequence,
    ) -> Result<(), RowError> {
        match rows.args {
            [Column::Doubles(values, valid)] if !self.is_list => {
                for (row, group) in rows.members().filter(|(row, _)| valid.is_valid(*row)) {
                    if let State::Value(OwnedValue::Double(sum)) = &mut groups[group][rows.slot] {
                        *sum += values[row];
                    }
                }
            }
            [column] => {
                for (row, group) in rows.members() {
                    let value = column.value(row);
                    self.add(&mut groups[group][rows.slot], &[value], sequence)
                        .map_err(|error| RowError { row, error })?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_that_outgrows_its_type_is_an_error() {
        let sum = Sum { ty: SqlType::Decimal { precision: 4, scale: 2 }, is_list: false };
        let mut sequence = Sequence::default();
        let mut state = sum.init(&mut sequence);
        let value = Decimal { unscaled: 9999.into(), scale: 2 };
        sum.add(&mut state, &[Value::Decimal(&value)], &mut sequence).unwrap();
        let error = sum.add(&mut state, &[Value::Decimal(&value)], &mut sequence).unwrap_err();
        assert_eq!(
            error.message,
            "Numeric field overflow: A field with precision 4 and scale 2 must round to an \
             absolute value less than 10^2. Got 200.0"
        );
    }
}
