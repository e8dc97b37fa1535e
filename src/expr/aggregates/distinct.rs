//! `COUNT_DISTINCT`: an estimate of how many distinct values there are.
//!
//! A `HyperLogLog` sketch of 2^14 registers with 5 bits each, six of them in an INT, which are the
//! stored form. The hash is `MurmurHash` 2, of a number's bits or of the text that Java's `toString`
//! gives, so that a sketch can be taken over from ksqlDB and back.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate};

use super::{Aggregate, AggregateRow, Bind, Sequence, State, numbers};
use crate::expr::EvalError;
use crate::java::{double_to_string, to_utf8_bytes};
use crate::types::{Arena, Decimal, SqlType, Value};

/// The number of bits of a hash that choose the register.
const INDEX_BITS: u32 = 14;

/// The number of registers.
const REGISTERS: usize = 1 << INDEX_BITS;

/// How many registers share an INT.
const PER_WORD: usize = 6;

/// The width of a register.
const REGISTER_BITS: usize = 5;

/// How many INTs a sketch has.
const WORDS: usize = REGISTERS / PER_WORD + 1;

const MULTIPLIER: u32 = 0x5bd1_e995;

pub(super) static ROWS: &[AggregateRow] = &[AggregateRow {
    signature: "COUNT_DISTINCT(val1 T) -> BIGINT",
    summary: "Estimates how many distinct values a group has, mostly within 1 %.",
    examples: &[("1; 2; 1; NULL", "2")],
    make: |bind| Bind::to(CountDistinct { ty: bind.argument(0) }),
    ..AggregateRow::NEW
}];

/// The registers of a sketch, six in a word.
#[derive(Clone, Debug, PartialEq)]
pub struct Registers {
    words: [i32; WORDS],
}

impl Registers {
    const EMPTY: Self = Self { words: [0; WORDS] };

    fn offer(&mut self, hash: u32) {
        let index = (hash >> (32 - INDEX_BITS)) as usize;
        let rest = (hash << INDEX_BITS) | ((1 << (INDEX_BITS - 1)) + 1);
        self.raise(index, rest.leading_zeros() + 1);
    }

    /// Makes a register at least `rank`.
    fn raise(&mut self, index: usize, rank: u32) {
        let shift = REGISTER_BITS * (index % PER_WORD);
        let word = self.words[index / PER_WORD] as u32;
        if (word >> shift) & 0x1f < rank {
            self.words[index / PER_WORD] = (word & !(0x1f << shift) | rank << shift) as i32;
        }
    }

    fn get(&self, index: usize) -> u32 {
        (self.words[index / PER_WORD] as u32 >> (REGISTER_BITS * (index % PER_WORD))) & 0x1f
    }

    fn estimate(&self) -> i64 {
        let (mut sum, mut zeros) = (0.0, 0.0);
        for index in 0..REGISTERS {
            let rank = self.get(index);
            sum += 1.0 / f64::from(1 << rank);
            zeros += f64::from(u8::from(rank == 0));
        }
        let count = REGISTERS as f64;
        let estimate = 0.7213 / (1.0 + 1.079 / count) * count * count * (1.0 / sum);
        if estimate <= 2.5 * count {
            return (count * (count / zeros).ln() + 0.5).floor() as i64;
        }
        (estimate + 0.5).floor() as i64
    }
}

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
        other => {
            let mut text = String::new();
            write_java(&mut text, other, ty);
            hash_bytes(&to_utf8_bytes(&text))
        }
    }
}

/// What Java's `toString` gives.
fn write_java(text: &mut String, value: Value<'_>, ty: &SqlType) {
    let _ = match (value, ty) {
        (Value::Null, _) => write!(text, "null"),
        (Value::Boolean(value), _) => write!(text, "{value}"),
        (Value::Int(value), _) => write!(text, "{value}"),
        (Value::Bigint(value), _) => write!(text, "{value}"),
        (Value::Double(value), _) => write!(text, "{}", double_to_string(value)),
        (Value::String(value), _) => write!(text, "{value}"),
        (Value::Decimal(value), _) => write_decimal(text, value),
        // All byte buffers of one length look the same.
        (Value::Bytes(value), _) => {
            let len = value.len();
            write!(text, "java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]")
        }
        (Value::Date(days), _) => {
            let days = Days::new(days.unsigned_abs().into());
            let date = NaiveDate::default().checked_add_days(days);
            write!(text, "{}", date.unwrap_or_default().format("%Y-%m-%d"))
        }
        (Value::Time(ms), _) => {
            let seconds = ms / 1000;
            write!(text, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        (Value::Timestamp(ms), _) => {
            let at = DateTime::from_timestamp_millis(ms).unwrap_or_default();
            let whole = at.format("%Y-%m-%d %H:%M:%S");
            let fraction = format!("{:03}", at.timestamp_subsec_millis());
            let fraction = fraction.trim_end_matches('0');
            write!(text, "{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
        }
        (Value::Array(items), SqlType::Array(ty)) => write_list(text, "[", items, ty),
        (Value::Map(entries), SqlType::Map(_, ty)) => write_map(text, entries, ty),
        (Value::Struct(fields), SqlType::Struct(ty)) => {
            text.push_str("Struct{");
            let mut comma = "";
            for (value, field) in fields.iter().zip(&*ty.fields) {
                if !value.is_null() {
                    let _ = write!(text, "{comma}{}=", field.name);
                    write_java(text, *value, &field.ty);
                    comma = ",";
                }
            }
            write!(text, "}}")
        }
        _ => Ok(()),
    };
}

fn write_list(
    text: &mut String,
    open: &str,
    items: &[Value<'_>],
    ty: &SqlType,
) -> std::fmt::Result {
    text.push_str(open);
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        write_java(text, *item, ty);
    }
    write!(text, "]")
}

fn write_map(
    text: &mut String,
    entries: &[(Value<'_>, Value<'_>)],
    ty: &SqlType,
) -> std::fmt::Result {
    text.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        write_java(text, *key, &SqlType::String);
        text.push('=');
        write_java(text, *value, ty);
    }
    write!(text, "}}")
}

/// `BigDecimal.toString`: plain unless the number is very small.
fn write_decimal(text: &mut String, decimal: &Decimal) -> std::fmt::Result {
    let digits = decimal.unscaled.magnitude().to_string();
    let sign = if decimal.unscaled < 0.into() { "-" } else { "" };
    let exponent = digits.len() as i64 - 1 - i64::from(decimal.scale);
    if decimal.scale < 0 || exponent < -6 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return write!(text, "{sign}{first}{point}{rest}E{exponent:+}");
    }
    let scale = decimal.scale as usize;
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    write!(text, "{sign}{whole}{point}{fraction}")
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
            (0..REGISTERS).for_each(|index| registers.raise(index, newer.get(index)));
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
    fn values_are_hashed_by_their_java_text() {
        let check = |value: Value<'_>, ty: SqlType, expected: &str| {
            let mut text = String::new();
            write_java(&mut text, value, &ty);
            assert_eq!(text, expected);
        };
        check(Value::Timestamp(1), SqlType::Timestamp, "1970-01-01 00:00:00.001");
        check(Value::Timestamp(0), SqlType::Timestamp, "1970-01-01 00:00:00.0");
        check(Value::Time(3_723_004), SqlType::Time, "01:02:03");
        let tiny = Decimal { unscaled: 12.into(), scale: 9 };
        check(Value::Decimal(&tiny), SqlType::Double, "1.2E-8");
        let list = [Value::Int(1), Value::Null];
        check(Value::Array(&list), SqlType::array(SqlType::Int), "[1, null]");
    }
}
