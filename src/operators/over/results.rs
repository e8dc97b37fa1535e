//! What calls over rows compute.

use super::arriving::Arriving;
use super::last::LastRows;
use crate::expr::aggregates::{Sequence, State};
use crate::operators::{Context, QueryError};
use crate::plan::{AggregateCall, OverFunction};
use crate::state::PackedValues;
use crate::types::{Arena, Value};

/// An aggregate over a row and so many before it, on its way.
struct Framed<'p> {
    call: &'p AggregateCall,
    rows: usize,
    state: State,
}

impl LastRows {
    /// What the calls compute for a row that follows those of its key, as far as that needs no later one.
    pub(super) fn results<'a>(
        &mut self,
        slot: u32,
        row: &Arriving<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Vec<Value<'a>>, QueryError> {
        self.add_to_all(slot, row, ctx.sequence)?;
        let mut framed = self.framed(slot, row)?.into_iter();
        let mut running = self.states[slot as usize].iter();
        let (scratch, arena) = (Arena::new(), ctx.eval.arena);
        let result =
            |call: &AggregateCall, state: &State| arena.copy(call.function.result(state, &scratch));
        let calls = self.plan.calls.iter().map(|call| match &call.function {
            OverFunction::Lag { value, rows: 0, .. } => row.values[*value],
            OverFunction::Lag { value, rows, default } => {
                let number = self.rows.next_number(slot) - *rows as i64;
                match self.rows.row(slot, number) {
                    Some(before) => self.value(before, *value, arena),
                    None => default.map_or(Value::Null, |column| row.values[column]),
                }
            }
            OverFunction::Lead { .. } => Value::Null,
            OverFunction::Aggregate { call, rows: None } => {
                running.next().map_or(Value::Null, |state| result(call, state))
            }
            OverFunction::Aggregate { rows: Some(_), .. } => {
                framed.next().map_or(Value::Null, |framed| result(framed.call, &framed.state))
            }
        });
        Ok(calls.collect())
    }

    /// Adds a row to the aggregates over all rows of its key.
    fn add_to_all(
        &mut self,
        slot: u32,
        row: &Arriving<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let states = &mut self.states[slot as usize];
        for (nth, call) in self.plan.running().enumerate() {
            if states.len() <= nth {
                states.push(call.function.init(sequence));
            }
            let args: Vec<_> = call.args.iter().map(|arg| row.values[*arg]).collect();
            call.function.add(&mut states[nth], &args, sequence)?;
        }
        Ok(())
    }

    /// The aggregates over some rows, computed anew of these: what was added and taken back again would drift.
    fn framed(&self, slot: u32, row: &Arriving<'_>) -> Result<Vec<Framed<'_>>, QueryError> {
        let mut sequence = Sequence::default();
        let calls = self.plan.calls.iter().filter_map(|call| match &call.function {
            OverFunction::Aggregate { call, rows: Some(rows) } => Some((call, *rows)),
            _ => None,
        });
        let mut framed: Vec<_> = calls
            .map(|(call, rows)| Framed { call, rows, state: call.function.init(&mut sequence) })
            .collect();
        let widest = framed.iter().map(|framed| framed.rows).max().unwrap_or(0);
        let next = self.rows.next_number(slot);
        let scratch = Arena::new();
        let mut values = vec![Value::Null; row.values.len()];
        if widest > 0 {
            for before in self.rows.from(slot, next - widest as i64) {
                let mut packed = PackedValues::new(&before.bytes);
                for column in &self.plan.kept {
                    values[*column] = packed.lent(&scratch);
                }
                let in_frame =
                    |framed: &&mut Framed<'_>| before.number >= next - framed.rows as i64;
                for framed in framed.iter_mut().filter(in_frame) {
                    framed.add(&values, &mut sequence)?;
                }
            }
        }
        for framed in &mut framed {
            framed.add(row.values, &mut sequence)?;
        }
        Ok(framed)
    }
}

impl Framed<'_> {
    fn add(&mut self, values: &[Value<'_>], sequence: &mut Sequence) -> Result<(), QueryError> {
        let args: Vec<_> = self.call.args.iter().map(|arg| values[*arg]).collect();
        Ok(self.call.function.add(&mut self.state, &args, sequence)?)
    }
}
