//! Rows as messages.

use super::calendar::civil_from_days;
use super::convert::{check_timestamp, default};
use super::schema::{Field, Kind, Message, Presence, Unwritable};
use super::wire::{WireType, write_bytes, write_nested, write_tag, write_varint};
use crate::java::to_utf8_bytes;
use crate::types::{Decimal, Value};

/// Why a row cannot be written: the message of Java's exception, or `None` if it has none.
pub(super) type WriteError = Option<String>;

/// Appends the fields of a message, in the order of their numbers.
pub(super) fn write_message<'v>(
    message: &Message,
    value: impl Fn(usize) -> Value<'v>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    for field in &message.fields {
        write_field(field.number as usize, field, value(field.column), out)?;
    }
    Ok(())
}

fn write_field(
    number: usize,
    field: &Field,
    value: Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    match (value, &field.kind) {
        (_, Kind::Unwritable(why)) => Err(Some(unwritable(*why, number))),
        (Value::Null, _) => Ok(()),
        (Value::Array(items), _) => write_items(number, field, items, out),
        (Value::Map(entries), Kind::Entries(entry)) => {
            for (key, value) in entries {
                write_tag(number, WireType::Bytes, out);
                write_nested(out, |out| {
                    write_message(entry, |part| if part == 0 { *key } else { *value }, out)
                })?;
            }
            Ok(())
        }
        (value, kind) if field.presence == Presence::Implicit && kind.is_scalar() => {
            if value == default(kind) {
                return Ok(());
            }
            write_value(number, field, value, out)
        }
        (value, _) => write_value(number, field, value, out),
    }
}

fn unwritable(why: Unwritable, number: usize) -> String {
    match why {
        Unwritable::NestedArray => "Array cannot be nested".into(),
        Unwritable::MapInArray => format!(
            "Wrong object type used with protocol message reflection.\nField number: {number}, \
             field java type: MESSAGE, value type: java.util.ArrayList\n"
        ),
    }
}

fn write_items(
    number: usize,
    field: &Field,
    items: &[Value<'_>],
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    if items.iter().any(Value::is_null) {
        return Err(None);
    }
    if !field.kind.is_packable() || field.presence == Presence::Wrapper {
        return items.iter().try_for_each(|item| write_value(number, field, *item, out));
    }
    if items.is_empty() {
        return Ok(());
    }
    write_tag(number, WireType::Bytes, out);
    write_nested(out, |out| {
        for item in items {
            write_scalar(&field.kind, *item, out);
        }
        Ok(())
    })
}

/// Appends a value and its tag, even if it is a default.
fn write_value(
    number: usize,
    field: &Field,
    value: Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    if field.kind.is_scalar() && field.presence != Presence::Wrapper {
        let wire_type = match field.kind {
            Kind::Double | Kind::Fixed64 => WireType::Fixed64,
            Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => WireType::Fixed32,
            Kind::String | Kind::Bytes => WireType::Bytes,
            _ => WireType::Varint,
        };
        write_tag(number, wire_type, out);
        if let (Kind::Enum(_), Value::String(_)) = (&field.kind, value) {
            return Err(Some(
                "DynamicMessage should use EnumValueDescriptor to set Enum Value.".into(),
            ));
        }
        write_scalar(&field.kind, value, out);
        return Ok(());
    }
    write_tag(number, WireType::Bytes, out);
    write_nested(out, |out| write_body(field, value, out))
}

/// Appends the value of a column that stands alone, without its field. What Protobuf has messages of its own for is one.
pub(super) fn write_bare(
    message: &Message,
    value: Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    match message.fields.first() {
        Some(field) if field.kind.is_well_known() => write_body(field, value, out),
        _ => write_message(message, |_| value, out),
    }
}

/// Appends what is in a message: a STRUCT, a time, a DECIMAL, or a wrapper around a primitive.
fn write_body(field: &Field, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), WriteError> {
    match (value, &field.kind) {
        (Value::Struct(fields), Kind::Message(message)) => {
            write_message(message, |index| fields.get(index).copied().unwrap_or_default(), out)
        }
        (Value::Decimal(value), _) => {
            write_decimal(value, out);
            Ok(())
        }
        (Value::Date(days), _) => {
            let (year, month, day) = civil_from_days(days.into());
            write_numbers(&[year, month, day], out);
            Ok(())
        }
        (Value::Time(time_ms), _) => {
            let time_ms = i64::from(time_ms);
            let (hours, minutes) = (time_ms / 3_600_000, time_ms / 60_000 % 60);
            let (seconds, nanos) = (time_ms / 1_000 % 60, time_ms % 1_000 * 1_000_000);
            write_numbers(&[hours, minutes, seconds, nanos], out);
            Ok(())
        }
        (Value::Timestamp(time_ms), _) => {
            let (seconds, nanos) =
                (time_ms.div_euclid(1_000), time_ms.rem_euclid(1_000) * 1_000_000);
            check_timestamp(seconds, nanos).map_err(Some)?;
            write_numbers(&[seconds, nanos], out);
            Ok(())
        }
        (value, kind) => {
            // A wrapper: its only field is absent if it is the default.
            let wrapped =
                Field { presence: Presence::Implicit, is_repeated: false, ..field.clone() };
            if value == default(kind) { Ok(()) } else { write_value(1, &wrapped, value, out) }
        }
    }
}

/// Appends numbers as fields 1, 2, 3 …, those that are 0 left out.
fn write_numbers(numbers: &[i64], out: &mut Vec<u8>) {
    for (index, number) in numbers.iter().enumerate().filter(|(_, number)| **number != 0) {
        write_tag(index + 1, WireType::Varint, out);
        write_varint(*number as u64, out);
    }
}

/// Appends a decimal with the precision and the scale that it has itself.
fn write_decimal(value: &Decimal, out: &mut Vec<u8>) {
    write_tag(1, WireType::Bytes, out);
    write_bytes(&value.unscaled.to_signed_bytes_be(), out);
    let precision = i64::from(value.precision());
    for (number, part) in [(2, precision), (3, i64::from(value.scale))] {
        if part != 0 {
            write_tag(number, WireType::Varint, out);
            write_varint(part as u64, out);
        }
    }
}

fn write_scalar(kind: &Kind, value: Value<'_>, out: &mut Vec<u8>) {
    let zigzag = |value: i64| (value << 1 ^ value >> 63) as u64;
    match (kind, value) {
        (Kind::Uint32, Value::Bigint(value)) => write_varint((value as u32).into(), out),
        (Kind::Sint32, Value::Int(value)) => {
            write_varint((zigzag(value.into()) as u32).into(), out);
        }
        (Kind::Sint64, Value::Bigint(value)) => write_varint(zigzag(value), out),
        (Kind::Fixed32, Value::Bigint(value)) => {
            out.extend_from_slice(&(value as u32).to_le_bytes());
        }
        (Kind::Sfixed32, Value::Int(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (Kind::Fixed64, Value::Bigint(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (Kind::Float, Value::Double(value)) => {
            out.extend_from_slice(&(value as f32).to_le_bytes());
        }
        (_, value) => write_plain(value, out),
    }
}

fn write_plain(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Boolean(value) => out.push(value.into()),
        Value::Int(value) => write_varint(i64::from(value) as u64, out),
        Value::Bigint(value) => write_varint(value as u64, out),
        Value::Double(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::String(value) => write_bytes(&to_utf8_bytes(value), out),
        Value::Bytes(value) => write_bytes(value, out),
        _ => {}
    }
}
