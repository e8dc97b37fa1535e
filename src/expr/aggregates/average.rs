//! AVG, `STDDEV_SAMP` and `STDDEV_SAMPLE`: means and spreads from running moments.
//!
//! The spread follows Youngs and Cramer: with n numbers of sum S, another number x adds
//! `(x·(n+1) − (S+x))² / ((n+1)·n)` to the sum of squared distances. INTs and BIGINTs wrap exactly
//! where ksqlDB's do.

use super::{Aggregate, AggregateRow, Bind, Groups, RowError, Rows, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::types::{Arena, Column, SqlType, StructType, Value};

const fn row(
    signature: &'static str,
    summary: &'static str,
    examples: &'static [(&'static str, &'static str)],
    make: fn(&Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError>,
) -> AggregateRow {
    AggregateRow { signature, summary, examples, undoable: true, make, ..AggregateRow::NEW }
}

const AVG: &str = "Returns the mean of the numbers of a group, 0.0 if there are none.";
const VARIANCE: &str = "Returns the sample variance of the numbers of a group.";
const DEVIATION: &str = "Returns the sample standard deviation of the numbers of a group.";

pub(super) static ROWS: &[AggregateRow] = &[
    row("AVG(val1 BIGINT) -> DOUBLE", AVG, &[("3000000000; 1", "1.5000000005E9")], mean),
    row("AVG(val1 INT) -> DOUBLE", AVG, &[("1; NULL; 2", "1.5E0")], mean),
    row("AVG(val1 DOUBLE) -> DOUBLE", AVG, &[("1E0; NULL; 2E0", "1.5E0")], mean),
    row("STDDEV_SAMP(val1 DOUBLE) -> DOUBLE", VARIANCE, &[("1E0; 3E0", "2E0")], variance),
    row("STDDEV_SAMP(val1 INT) -> DOUBLE", VARIANCE, &[("1; 3", "2E0")], variance),
    row("STDDEV_SAMP(val1 BIGINT) -> DOUBLE", VARIANCE, &[("3000000000", "0E0")], variance),
    row("STDDEV_SAMPLE(val1 DOUBLE) -> DOUBLE", DEVIATION, &[("1E0; 9E0; 5E0", "4E0")], deviation),
    row("STDDEV_SAMPLE(val1 INT) -> DOUBLE", DEVIATION, &[("1; 9; 5", "4E0")], deviation),
    row("STDDEV_SAMPLE(val1 BIGINT) -> DOUBLE", DEVIATION, &[("3000000000", "0E0")], deviation),
];

fn mean(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    Bind::to(Moments { ty: bind.argument(0), kind: Kind::Mean })
}

fn variance(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    Bind::to(Moments { ty: bind.argument(0), kind: Kind::Variance })
}

fn deviation(bind: &Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError> {
    Bind::to(Moments { ty: bind.argument(0), kind: Kind::Deviation })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mean,
    Variance,
    Deviation,
}

#[derive(Debug)]
struct Moments {
    ty: SqlType,
    kind: Kind,
}

impl Moments {
    /// A sum of INTs has 32 bits, one of BIGINTs 64.
    fn wrap(&self, sum: i64) -> i64 {
        if self.ty == SqlType::Int { i64::from(sum as i32) } else { sum }
    }

    /// How far `value` lies from the others, scaled: `x·(n+1) − (S+x)`, in whole numbers.
    fn whole_distance(&self, value: i64, count: i64, sum: i64) -> f64 {
        let total = self.wrap(sum.wrapping_add(value));
        value.wrapping_mul(count.wrapping_add(1)).wrapping_sub(total) as f64
    }

    #[inline]
    fn add_double(&self, state: &mut State, value: f64) {
        let State::Double { sum, count, m2 } = state else { return };
        let new_count = count.wrapping_add(1);
        if self.kind != Kind::Mean && *count > 0 {
            let distance = value * new_count as f64 - (*sum + value);
            *m2 += distance * distance / new_count.wrapping_mul(*count) as f64;
        }
        (*count, *sum) = (new_count, *sum + value);
    }

    fn add_whole(&self, state: &mut State, value: i64) {
        let State::Whole { sum, count, m2 } = state else { return };
        let new_count = count.wrapping_add(1);
        if self.kind != Kind::Mean && *count > 0 {
            let distance = self.whole_distance(value, *count, *sum);
            *m2 += distance * distance / new_count.wrapping_mul(*count) as f64;
        }
        (*count, *sum) = (new_count, self.wrap(sum.wrapping_add(value)));
    }

    fn undo_double(&self, state: &mut State, value: f64) {
        let State::Double { sum, count, m2 } = state else { return };
        let new_count = count.wrapping_sub(1);
        if self.kind != Kind::Mean && new_count > 0 {
            let distance = value * count.wrapping_add(1) as f64 - (*sum + value);
            *m2 -= distance * distance / new_count.wrapping_mul(*count) as f64;
        }
        (*count, *sum) = (new_count, *sum - value);
    }

    fn undo_whole(&self, state: &mut State, value: i64) {
        let State::Whole { sum, count, m2 } = state else { return };
        let new_count = count.wrapping_sub(1);
        if self.kind != Kind::Mean && new_count > 0 {
            let distance = self.whole_distance(value, *count, *sum);
            *m2 -= distance * distance / new_count.wrapping_mul(*count) as f64;
        }
        (*count, *sum) = (new_count, self.wrap(sum.wrapping_sub(value)));
    }

    /// The difference of two means. `STDDEV_SAMP` divides whole numbers, `STDDEV_SAMPLE` does not.
    fn whole_gap(&self, (sum, count): (i64, i64), (other, other_count): (i64, i64)) -> f64 {
        if self.kind == Kind::Variance {
            sum.wrapping_div(count).wrapping_sub(other.wrapping_div(other_count)) as f64
        } else {
            sum as f64 / count as f64 - other as f64 / other_count as f64
        }
    }
}

/// The sum of squared distances of two sets of numbers taken together.
fn merged_m2(m2: (f64, f64), counts: (i64, i64), gap: impl FnOnce() -> f64) -> f64 {
    if counts.0 == 0 || counts.1 == 0 {
        return m2.0 + m2.1;
    }
    let gap = gap();
    let weight = counts.0.wrapping_mul(counts.1) as f64;
    m2.0 + m2.1 + weight * gap * gap / counts.0.wrapping_add(counts.1) as f64
}

impl Aggregate for Moments {
    fn state_type(&self) -> SqlType {
        let mut fields = vec![("SUM", self.ty.clone()), ("COUNT", SqlType::Bigint)];
        if self.kind != Kind::Mean {
            fields.push(("M2", SqlType::Double));
        }
        SqlType::Struct(StructType::new(fields))
    }

    fn result_type(&self) -> SqlType {
        SqlType::Double
    }

    fn init(&self, _: &mut Sequence) -> State {
        match self.ty {
            SqlType::Double => State::Double { sum: 0.0, count: 0, m2: 0.0 },
            _ => State::Whole { sum: 0, count: 0, m2: 0.0 },
        }
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        match args.first() {
            Some(Value::Double(value)) => self.add_double(state, *value),
            Some(value) => {
                if let Some(value) = numbers::whole(*value) {
                    self.add_whole(state, value);
                }
            }
            None => {}
        }
        Ok(())
    }

    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        match args.first() {
            Some(Value::Double(value)) => self.undo_double(state, *value),
            Some(value) => {
                if let Some(value) = numbers::whole(*value) {
                    self.undo_whole(state, value);
                }
            }
            None => {}
        }
        Ok(())
    }

    fn merge(&self, older: State, newer: State) -> Result<State, EvalError> {
        Ok(match (older, newer) {
            (
                State::Double { sum: s1, count: c1, m2: m1 },
                State::Double { sum: s2, count: c2, m2 },
            ) => {
                let gap = || s1 / c1 as f64 - s2 / c2 as f64;
                State::Double {
                    sum: s1 + s2,
                    count: c1.wrapping_add(c2),
                    m2: merged_m2((m1, m2), (c1, c2), gap),
                }
            }
            (
                State::Whole { sum: s1, count: c1, m2: m1 },
                State::Whole { sum: s2, count: c2, m2 },
            ) => {
                let m2 = merged_m2((m1, m2), (c1, c2), || self.whole_gap((s1, c1), (s2, c2)));
                State::Whole { sum: self.wrap(s1.wrapping_add(s2)), count: c1.wrapping_add(c2), m2 }
            }
            (older, _) => older,
        })
    }

    fn result<'a>(&self, state: &'a State, _: &'a Arena) -> Value<'a> {
        let (sum, count, m2) = match state {
            State::Double { sum, count, m2 } => (*sum, *count, *m2),
            State::Whole { sum, count, m2 } => (*sum as f64, *count, *m2),
            _ => return Value::Null,
        };
        Value::Double(match self.kind {
            Kind::Mean if count == 0 => 0.0,
            Kind::Mean => sum / count as f64,
            _ if count < 2 => 0.0,
            Kind::Variance => m2 / (count - 1) as f64,
            Kind::Deviation => (m2 / (count - 1) as f64).sqrt(),
        })
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let (sum, count, m2) = match state {
            State::Double { sum, count, m2 } => (Value::Double(*sum), *count, *m2),
            State::Whole { sum, count, m2 } if self.ty == SqlType::Int => {
                (Value::Int(*sum as i32), *count, *m2)
            }
            State::Whole { sum, count, m2 } => (Value::Bigint(*sum), *count, *m2),
            _ => return Value::Null,
        };
        let fields = [sum, Value::Bigint(count), Value::Double(m2)];
        let shown = if self.kind == Kind::Mean { 2 } else { 3 };
        Value::Struct(arena.values(&fields[..shown]))
    }

    fn restore(&self, value: Value<'_>) -> State {
        let count = numbers::whole(numbers::field(value, 1)).unwrap_or(0);
        let m2 = numbers::double(numbers::field(value, 2)).unwrap_or(0.0);
        match (&self.ty, numbers::field(value, 0)) {
            (SqlType::Double, sum) => {
                State::Double { sum: numbers::double(sum).unwrap_or(0.0), count, m2 }
            }
            (_, sum) => State::Whole { sum: numbers::whole(sum).unwrap_or(0), count, m2 },
        }
    }

    fn add_rows(
        &self,
        groups: Groups<'_, '_>,
        rows: &Rows<'_, '_>,
        sequence: &mut Sequence,
    ) -> Result<(), RowError> {
        match rows.args {
            [Column::Doubles(values, valid)] => {
                let values: &[f64] = values;
                for (row, group) in rows.members().filter(|(row, _)| valid.is_valid(*row)) {
                    self.add_double(&mut groups[group][rows.slot], values[row]);
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
