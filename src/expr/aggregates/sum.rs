//! SUM and `SUM_LIST`.

use super::{Aggregate, AggregateRow, Bind, Groups, RowError, Rows, Sequence, State};
use crate::expr::EvalError;
use crate::types::{Arena, Column, Decimal, DecimalError, OwnedValue, Rounding, SqlType, Value};

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
            // Java's `BigDecimal.ZERO`, which a sum of nothing shows.
            SqlType::Decimal { .. } => OwnedValue::Decimal(Box::new(Decimal::new(0, 0))),
            _ => OwnedValue::Double(0.0),
        }
    }

    /// Adds `value`, or takes it away; integers wrap.
    fn change(sum: &mut OwnedValue, value: Value<'_>, is_minus: bool) -> Result<(), DecimalError> {
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
                **sum = if is_minus { sum.subtract(value)? } else { sum.add(value)? };
            }
            _ => {}
        }
        Ok(())
    }

    fn update(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        is_minus: bool,
    ) -> Result<(), DecimalError> {
        let (State::Value(sum), Some(value)) = (state, args.first()) else { return Ok(()) };
        if !self.is_list {
            Self::change(sum, *value, is_minus)?;
        } else if let Value::Array(items) = value {
            // The items are added up first: for DOUBLEs, that is another number.
            let mut total = self.zero();
            for item in *items {
                Self::change(&mut total, *item, false)?;
            }
            Self::change(sum, total.as_value(&Arena::new()), is_minus)?;
        }
        Ok(())
    }

    /// Refuses a DECIMAL with more digits than its type has. It stops the query, as in ksqlDB.
    fn check(&self, state: &State) -> Result<(), EvalError> {
        let SqlType::Decimal { precision, scale } = self.ty else { return Ok(()) };
        let State::Value(OwnedValue::Decimal(sum)) = state else { return Ok(()) };
        if sum.check_range(precision, scale).is_ok() {
            return Ok(());
        }
        // ksqlDB rounds before it complains.
        let rounded = (**sum).clone().round(precision, Rounding::HalfUp)?;
        Err(EvalError::new(
            DecimalError::Overflow { precision, scale, value: rounded.quoted() }.to_string(),
        ))
    }
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
        self.update(state, args, false)?;
        self.check(state)
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        Ok(self.update(state, args, true)?)
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Value(sum), State::Value(other)) = (&mut older, newer) {
            Self::change(sum, other.as_value(&Arena::new()), false)?;
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
                let values: &[f64] = values;
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
    fn decimals_of_any_scale_are_summed_or_refused() {
        // A Protobuf record's decimal has the scale that it says, whatever that of the column is.
        let sum = Sum { ty: SqlType::Decimal { precision: 4, scale: 2 }, is_list: false };
        let mut sequence = Sequence::default();
        for scale in [i32::MIN, -70_000, -5, 0, 70_000, i32::MAX] {
            let mut state = sum.init(&mut sequence);
            for unscaled in [0, 1, 1] {
                let value = Decimal::new(unscaled, scale);
                let added = sum.add(&mut state, &[Value::Decimal(&value)], &mut sequence);
                assert_eq!(added.is_ok(), unscaled == 0 || scale >= 0, "{unscaled} {scale}");
            }
        }
    }

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
