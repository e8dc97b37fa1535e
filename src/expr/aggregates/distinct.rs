//! `COUNT_DISTINCT`: an estimate of how many distinct values there are.
//!
//! The INTs of a sketch are the stored form. The hash is `MurmurHash` 2, of a number's bits or of the text that Java's `toString`
//! gives, so that a sketch can be taken over from ksqlDB and back.

use super::registers::Registers;
use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::expr::cast::to_java_string;
use crate::java::to_utf8_bytes;
use crate::types::{Arena, SqlType, Value};

const MULTIPLIER: u32 = 0x5bd1_e995;

pub(super) static ROWS: &[AggregateRow] = &[AggregateRow {
    signature: "COUNT_DISTINCT(val1 T) -> BIGINT",
    summary: "Estimates how many distinct values a group has, mostly within 1 %.",
    examples: &[("1; 2; 1; NULL", "2")],
    make: |bind| Bind::to(CountDistinct { ty: bind.argument(0) }),
    ..AggregateRow::NEW
}];

fn mix(hash: u32, word: u32) -> u32 {
    let mut word = word.wrapping_mul(MULTIPLIER);
    word ^= word >> 24;
    hash.wrapping_mul(MULTIPLIER) ^ word.wrapping_mul(MULTIPLIER)
}

fn finish(mut hash: u32) -> u32 {
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

fn hash_number(bits: i64) -> u32 {
    finish(mix(mix(0, bits as u32), (bits >> 32) as u32))
}

/// `MurmurHash` 2 of bytes, which Java takes as signed at the end of the text.
fn hash_bytes(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let start = u32::MAX ^ bytes.len() as u32;
    let mut hash = words.iter().fold(start, |hash, word| mix(hash, u32::from_le_bytes(*word)));
    let signed = |index: usize| rest.get(index).map_or(0, |byte| i32::from(*byte as i8)) as u32;
    // The bytes left are read from the end: the last but two is shifted furthest.
    match rest.len() {
        3 => hash ^= (signed(0) << 16) ^ (signed(1) << 8) ^ signed(2),
        2 => hash ^= (signed(0) << 8) ^ signed(1),
        1 => hash ^= signed(0),
        _ => return finish(hash),
    }
    finish(hash.wrapping_mul(MULTIPLIER))
}

/// The hash of a value that is not NULL.
fn hash(value: Value<'_>, ty: &SqlType) -> u32 {
    match value {
        Value::Int(value) => hash_number(value.into()),
        Value::Bigint(value) => hash_number(value),
        Value::Double(value) => hash_number(value.to_bits() as i64),
        Value::String(value) => hash_bytes(&to_utf8_bytes(value)),
        other => hash_bytes(&to_utf8_bytes(&to_java_string(other, ty))),
    }
}

#[derive(Debug)]
struct CountDistinct {
    ty: SqlType,
}

impl Aggregate for CountDistinct {
    fn state_type(&self) -> SqlType {
        SqlType::array(SqlType::Int)
    }

    fn result_type(&self) -> SqlType {
        SqlType::Bigint
    }

    fn init(&self, _: &mut Sequence) -> State {
        State::Registers(Box::new(Registers::EMPTY))
    }

    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        _: &mut Sequence,
    ) -> Result<(), EvalError> {
        if let (State::Registers(registers), Some(value)) = (state, args.first())
            && !value.is_null()
        {
            registers.offer(hash(*value, &self.ty));
        }
        Ok(())
    }

    fn merge(&self, mut older: State, newer: State) -> Result<State, EvalError> {
        if let (State::Registers(registers), State::Registers(newer)) = (&mut older, newer) {
            registers.merge(&newer);
        }
        Ok(older)
    }

    fn result<'a>(&self, state: &'a State, _: &'a Arena) -> Value<'a> {
        match state {
            State::Registers(registers) => Value::Bigint(registers.estimate()),
            _ => Value::Null,
        }
    }

    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a> {
        let State::Registers(registers) = state else { return Value::Null };
        let words: Vec<_> = registers.words.iter().map(|word| Value::Int(*word)).collect();
        Value::Array(arena.values(&words))
    }

    fn restore(&self, value: Value<'_>) -> State {
        let mut registers = Registers::EMPTY;
        for (word, item) in registers.words.iter_mut().zip(numbers::items(value)) {
            *word = numbers::whole(*item).unwrap_or(0) as i32;
        }
        State::Registers(Box::new(registers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_of_values_are_counted_exactly() {
        let aggregate = CountDistinct { ty: SqlType::Bigint };
        let mut state = aggregate.init(&mut Sequence::default());
        for value in 0..100 {
            let value = Value::Bigint(value % 40);
            aggregate.add(&mut state, &[value], &mut Sequence::default()).unwrap();
        }
        assert_eq!(aggregate.result(&state, &Arena::new()), Value::Bigint(40));
    }

    #[test]
    fn dates_before_1970_are_others_than_those_after() {
        let hash_of = |days| hash(Value::Date(days), &SqlType::Date);
        assert_eq!(hash_of(-1), hash_bytes(b"1969-12-31"));
        assert_ne!(hash_of(-1), hash_of(1));
    }
}
