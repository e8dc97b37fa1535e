//! Bytes of a message, parsed by its fields but not yet turned into SQL values.
//!
//! As in Java, the whole message is parsed before anything is converted, so a fault in its bytes
//! comes before a value that makes no sense. Later occurrences win, and messages are merged.

use std::sync::LazyLock;

use super::schema::{Field, Kind, Message, Presence};
use super::wire::{WireError, WireReader, WireType, check_depth};
use crate::types::Value;

/// The fields of a message that were found.
#[derive(Clone, Debug, Default)]
pub(super) struct Parsed<'a> {
    /// One for each field of the message's type.
    pub(super) slots: Vec<Slot<'a>>,
}

/// What was found of a field.
#[derive(Clone, Debug, Default)]
pub(super) enum Slot<'a> {
    #[default]
    Absent,
    Scalar(Value<'a>),
    Message(Parsed<'a>),
    Scalars(Vec<Value<'a>>),
    Messages(Vec<Parsed<'a>>),
}

impl<'a> Parsed<'a> {
    /// Parses one message.
    pub(super) fn parse(message: &Message, bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut parsed = Self::default();
        parsed.merge(message, bytes, 0)?;
        Ok(parsed)
    }

    /// The slot of a field, which may be absent.
    pub(super) fn slot(&self, index: usize) -> &Slot<'a> {
        self.slots.get(index).unwrap_or(&Slot::Absent)
    }

    /// Of a choice only the last field that is met is there.
    fn clear_others(&mut self, message: &Message, index: usize) {
        let choice = message.fields[index].oneof;
        for (other, field) in message.fields.iter().enumerate() {
            if other != index && field.oneof == choice {
                self.slots[other] = Slot::Absent;
            }
        }
    }

    fn merge(&mut self, message: &Message, bytes: &'a [u8], depth: usize) -> Result<(), WireError> {
        self.slots.resize_with(message.fields.len(), Slot::default);
        let mut reader = WireReader::new(bytes);
        while let Some((number, wire_type)) = reader.tag()? {
            let index = message.place(number);
            match index.and_then(|index| Some((index, message.fields.get(index)?))) {
                Some((index, field)) if accepts(field, wire_type) => {
                    read_field(&mut self.slots[index], field, wire_type, &mut reader, depth)?;
                    if field.oneof.is_some() {
                        self.clear_others(message, index);
                    }
                }
                _ => reader.skip(number, wire_type, depth)?,
            }
        }
        Ok(())
    }
}

impl Message {
    /// The place of the field with a number.
    fn place(&self, number: u32) -> Option<usize> {
        let is_it = |index: &usize| self.fields.get(*index).is_some_and(|f| f.number == number);
        // Mostly they stand in the order of their numbers.
        let expected = Some(number as usize - 1).filter(is_it);
        expected.or_else(|| self.fields.iter().position(|field| field.number == number))
    }
}

fn wire_type(field: &Field) -> WireType {
    match field.kind {
        _ if field.presence == Presence::Wrapper => WireType::Bytes,
        Kind::Int32
        | Kind::Int64
        | Kind::Bool
        | Kind::Uint32
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Enum(_) => WireType::Varint,
        Kind::Double | Kind::Fixed64 => WireType::Fixed64,
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => WireType::Fixed32,
        _ => WireType::Bytes,
    }
}

/// Whether a value of this layout belongs to the field. Any other is an unknown field to Java.
fn accepts(field: &Field, found: WireType) -> bool {
    found == wire_type(field) || is_packed(field, found)
}

fn is_packed(field: &Field, found: WireType) -> bool {
    field.is_repeated
        && found == WireType::Bytes
        && field.kind.is_packable()
        && field.presence != Presence::Wrapper
}

fn read_field<'a>(
    slot: &mut Slot<'a>,
    field: &Field,
    found: WireType,
    reader: &mut WireReader<'a>,
    depth: usize,
) -> Result<(), WireError> {
    if let Some(message) = nested(field) {
        let bytes = reader.bytes()?;
        check_depth(depth + 1)?;
        if !matches!(slot, Slot::Message(_) | Slot::Messages(_)) {
            *slot = if field.is_repeated {
                Slot::Messages(Vec::new())
            } else {
                Slot::Message(Parsed::default())
            };
        }
        let mut fresh = Parsed::default();
        let parsed = if let Slot::Message(parsed) = slot { parsed } else { &mut fresh };
        parsed.merge(message, bytes, depth + 1)?;
        if let Slot::Messages(messages) = slot {
            messages.push(fresh);
        }
        return Ok(());
    }
    if !field.is_repeated {
        *slot = Slot::Scalar(scalar(&field.kind, reader)?);
        return Ok(());
    }
    if !matches!(slot, Slot::Scalars(_)) {
        *slot = Slot::Scalars(Vec::new());
    }
    let Slot::Scalars(items) = slot else { unreachable!("it was just made") };
    if is_packed(field, found) {
        let mut packed = WireReader::new(reader.bytes()?);
        while !packed.is_at_end() {
            items.push(scalar(&field.kind, &mut packed)?);
        }
    } else {
        items.push(scalar(&field.kind, reader)?);
    }
    Ok(())
}

fn scalar<'a>(kind: &Kind, reader: &mut WireReader<'a>) -> Result<Value<'a>, WireError> {
    Ok(match kind {
        Kind::Int32 | Kind::Enum(_) => Value::Int(reader.varint()? as i32),
        Kind::Int64 => Value::Bigint(reader.varint()? as i64),
        Kind::Bool => Value::Boolean(reader.varint()? != 0),
        Kind::Double => Value::Double(reader.double()?),
        Kind::String => Value::String(reader.text()?),
        Kind::Uint32 => Value::Bigint((reader.varint()? as u32).into()),
        Kind::Sint32 => {
            let value = reader.varint()? as u32;
            Value::Int((value >> 1) as i32 ^ -((value & 1) as i32))
        }
        Kind::Sint64 => {
            let value = reader.varint()?;
            Value::Bigint((value >> 1) as i64 ^ -((value & 1) as i64))
        }
        Kind::Fixed32 => Value::Bigint(u32::from_le_bytes(reader.four()?).into()),
        Kind::Sfixed32 => Value::Int(i32::from_le_bytes(reader.four()?)),
        Kind::Float => Value::Double(f32::from_le_bytes(reader.four()?).into()),
        Kind::Fixed64 => Value::Bigint(reader.double()?.to_bits() as i64),
        _ => Value::Bytes(reader.bytes()?),
    })
}

/// The message within a field, if its values are messages.
fn nested(field: &Field) -> Option<&Message> {
    Some(match &field.kind {
        Kind::Message(message) => message,
        Kind::Entries(entry) => entry,
        Kind::Decimal { .. } => &WELL_KNOWN.decimal,
        Kind::Date => &WELL_KNOWN.date,
        Kind::TimeOfDay => &WELL_KNOWN.time_of_day,
        Kind::Timestamp => &WELL_KNOWN.timestamp,
        Kind::Unwritable(_) => &WELL_KNOWN.empty,
        _ if field.presence != Presence::Wrapper => return None,
        Kind::Uint32 => &WELL_KNOWN.uint32,
        Kind::Float => &WELL_KNOWN.float,
        Kind::Int32 => &WELL_KNOWN.int32,
        Kind::Int64 => &WELL_KNOWN.int64,
        Kind::Double => &WELL_KNOWN.double,
        Kind::Bool => &WELL_KNOWN.bool,
        Kind::String => &WELL_KNOWN.string,
        Kind::Bytes => &WELL_KNOWN.bytes,
        // There are no wrappers of these.
        Kind::Sint32
        | Kind::Fixed32
        | Kind::Sfixed32
        | Kind::Sint64
        | Kind::Fixed64
        | Kind::Enum(_) => return None,
    })
}

/// Messages that others import.
struct WellKnown {
    decimal: Message,
    date: Message,
    time_of_day: Message,
    timestamp: Message,
    uint32: Message,
    float: Message,
    int32: Message,
    int64: Message,
    double: Message,
    bool: Message,
    string: Message,
    bytes: Message,
    empty: Message,
}

static WELL_KNOWN: LazyLock<WellKnown> = LazyLock::new(|| {
    let message = |kinds: &[Kind]| {
        let field = |(index, kind): (usize, &Kind)| Field {
            name: String::new(),
            number: index as u32 + 1,
            oneof: None,
            column: index,
            kind: kind.clone(),
            presence: Presence::Implicit,
            is_repeated: false,
            is_required: false,
        };
        let fields = kinds.iter().enumerate().map(field).collect();
        Message { fields, ..Message::default() }
    };
    WellKnown {
        decimal: message(&[Kind::Bytes, Kind::Int32, Kind::Int32]),
        date: message(&[Kind::Int32, Kind::Int32, Kind::Int32]),
        time_of_day: message(&[Kind::Int32, Kind::Int32, Kind::Int32, Kind::Int32]),
        timestamp: message(&[Kind::Int64, Kind::Int32]),
        uint32: message(&[Kind::Uint32]),
        float: message(&[Kind::Float]),
        int32: message(&[Kind::Int32]),
        int64: message(&[Kind::Int64]),
        double: message(&[Kind::Double]),
        bool: message(&[Kind::Bool]),
        string: message(&[Kind::String]),
        bytes: message(&[Kind::Bytes]),
        empty: message(&[]),
    }
});
