//! From a parsed message to SQL values.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use num_bigint::BigInt;

use super::calendar::days_from_civil;
use super::parse::{Parsed, Slot};
use super::schema::{Field, Kind, Message, Presence};
use crate::formats::map_order::in_map_order;
use crate::java::DEFAULT_CAPACITY;
use crate::types::{Arena, DIGITS_MAX, Decimal, DecimalError, Value};

/// Why a value makes no sense: the message of Java's exception.
pub(super) type ConvertError = String;

type Converted<'a> = Result<Value<'a>, ConvertError>;

/// As many bytes as the most digits of a decimal take.
const DECIMAL_BYTES_MAX: usize = DIGITS_MAX as usize * 10 / 24;

/// The values of all fields of a message.
pub(super) fn row<'a>(
    message: &Message,
    parsed: &Parsed<'a>,
    arena: &'a Arena,
) -> Result<Vec<Value<'a>>, ConvertError> {
    let fields = message.fields.iter().enumerate();
    fields.map(|(index, field)| value(field, parsed.slot(index), arena)).collect()
}

fn value<'a>(field: &Field, slot: &Slot<'a>, arena: &'a Arena) -> Converted<'a> {
    match (slot, &field.kind) {
        (Slot::Messages(messages), Kind::Entries(entry)) => map(entry, messages, arena),
        (Slot::Absent, Kind::Entries(entry)) => map(entry, &[], arena),
        (Slot::Scalars(items), _) => Ok(Value::Array(arena.values(items))),
        (Slot::Messages(messages), _) => {
            let items: Result<Vec<_>, _> =
                messages.iter().map(|message| nested(field, message, arena)).collect();
            Ok(Value::Array(arena.values(&items?)))
        }
        (Slot::Absent, _) if field.is_repeated => Ok(Value::Array(&[])),
        (Slot::Scalar(value), _) => Ok(*value),
        (Slot::Message(message), _) => nested(field, message, arena),
        (Slot::Absent, kind) if kind.is_scalar() && field.presence == Presence::Implicit => {
            Ok(default(kind))
        }
        (Slot::Absent, _) => Ok(Value::Null),
    }
}

/// The default of a scalar.
pub(super) fn default<'a>(kind: &Kind) -> Value<'a> {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Enum(_) => Value::Int(0),
        Kind::Int64 | Kind::Uint32 | Kind::Fixed32 | Kind::Sint64 | Kind::Fixed64 => {
            Value::Bigint(0)
        }
        Kind::Double | Kind::Float => Value::Double(0.0),
        Kind::Bool => Value::Boolean(false),
        Kind::String => Value::String(""),
        Kind::Bytes => Value::Bytes(&[]),
        _ => Value::Null,
    }
}

/// The value of a field whose values are messages.
pub(super) fn nested<'a>(field: &Field, message: &Parsed<'a>, arena: &'a Arena) -> Converted<'a> {
    match &field.kind {
        Kind::Message(ty) => Ok(Value::Struct(arena.values(&row(ty, message, arena)?))),
        Kind::Decimal { .. } => decimal(message, arena),
        Kind::Date => {
            let civil = (int(message, 0), int(message, 1), int(message, 2));
            days_from_civil(civil).map(|days| Value::Date(days as i32))
        }
        Kind::TimeOfDay => time_of_day(message),
        Kind::Timestamp => timestamp(message),
        kind if kind.is_scalar() => match message.slot(0) {
            Slot::Scalar(value) => Ok(*value),
            _ => Ok(default(kind)),
        },
        _ => Ok(Value::Null),
    }
}

fn int(message: &Parsed<'_>, index: usize) -> i64 {
    match message.slot(index) {
        Slot::Scalar(Value::Int(value)) => (*value).into(),
        Slot::Scalar(Value::Bigint(value)) => *value,
        _ => 0,
    }
}

/// The number keeps the scale of the message, whatever the column's is, within the limits of all
/// decimals.
fn decimal<'a>(message: &Parsed<'a>, arena: &'a Arena) -> Converted<'a> {
    match message.slot(0) {
        Slot::Scalar(Value::Bytes(bytes)) if !bytes.is_empty() => {
            let scale = int(message, 2) as i32;
            if bytes.len() > DECIMAL_BYTES_MAX || scale.unsigned_abs() > DIGITS_MAX {
                return Err(DecimalError::TooLarge.to_string());
            }
            let unscaled = BigInt::from_signed_bytes_be(bytes);
            Ok(Value::Decimal(arena.decimal(Decimal { unscaled, scale })))
        }
        _ => Err("Zero length BigInteger".into()),
    }
}

fn time_of_day<'a>(message: &Parsed<'a>) -> Converted<'a> {
    let units =
        [("HourOfDay", 23, 3_600_000), ("MinuteOfHour", 59, 60_000), ("SecondOfMinute", 59, 1_000)];
    let mut time_ms = 0;
    for (index, (name, max, unit_ms)) in units.into_iter().enumerate() {
        let count = int(message, index);
        check_range(name, count, max)?;
        time_ms += count * unit_ms;
    }
    let nanos = int(message, 3);
    check_range("NanoOfSecond", nanos, 999_999_999)?;
    Ok(Value::Time((time_ms + nanos / 1_000_000) as i32))
}

fn check_range(name: &str, value: i64, max: i64) -> Result<(), ConvertError> {
    if (0..=max).contains(&value) {
        return Ok(());
    }
    Err(format!("Invalid value for {name} (valid values 0 - {max}): {value}"))
}

fn timestamp<'a>(message: &Parsed<'a>) -> Converted<'a> {
    let (seconds, nanos) = (int(message, 0), int(message, 1));
    check_timestamp(seconds, nanos)?;
    Ok(Value::Timestamp(seconds * 1_000 + nanos / 1_000_000))
}

/// Checks that a timestamp is one of the years 1 to 9999.
pub(super) fn check_timestamp(seconds: i64, nanos: i64) -> Result<(), ConvertError> {
    let is_valid = (-62_135_596_800..=253_402_300_799).contains(&seconds)
        && (0..=999_999_999).contains(&nanos);
    if is_valid {
        return Ok(());
    }
    Err(format!(
        "Timestamp is not valid. See proto definition for valid values. Seconds ({seconds}) must \
         be in range [-62,135,596,800, +253,402,300,799]. Nanos ({nanos}) must be in range \
         [0, +999,999,999]."
    ))
}

fn map<'a>(entry: &Message, entries: &[Parsed<'a>], arena: &'a Arena) -> Converted<'a> {
    let mut values: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
    let mut places = HashMap::with_capacity(entries.len());
    for parsed in entries {
        let key = part(&entry.fields[0], parsed.slot(0), arena)?;
        let value = part(&entry.fields[1], parsed.slot(1), arena)?;
        match places.entry(key) {
            Entry::Occupied(place) => {
                let place: &usize = place.get();
                values[*place].1 = value;
            }
            Entry::Vacant(place) => {
                place.insert(values.len());
                values.push((key, value));
            }
        }
    }
    Ok(Value::Map(arena.entries(&in_map_order(&values, DEFAULT_CAPACITY))))
}

/// The key or the value of an entry: the default instance if it is absent, for messages too.
fn part<'a>(field: &Field, slot: &Slot<'a>, arena: &'a Arena) -> Converted<'a> {
    let is_message = field.presence == Presence::Wrapper || field.kind.is_message();
    match slot {
        Slot::Absent if is_message && !field.is_repeated => {
            nested(field, &Parsed::default(), arena)
        }
        slot => value(field, slot, arena),
    }
}
