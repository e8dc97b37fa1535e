//! Records of one schema of the registry, read as that schema says.

use super::convert::{default, nested};
use super::descriptor::Descriptor;
use super::parse::{Parsed, Slot};
use super::schema::{Field, Kind, Message, Presence};
use crate::formats::connect::{ConnectField, ConnectType, StructTarget, Target, struct_target};
use crate::formats::maps::map_value;
use crate::formats::rows::Rows;
use crate::java::double_to_string;
use crate::types::{Arena, ColumnDef, Value};

/// How many indexes may stand in front of a record.
const INDEXES_MAX: usize = 64;

/// Why a record cannot be read.
#[derive(Debug, PartialEq)]
pub(in crate::formats) enum ReadError {
    /// Its bytes are no message.
    Wire(String),
    /// A value is not what its column takes.
    Convert(String),
}

/// Reads the records of one schema.
#[derive(Debug)]
pub(in crate::formats) struct ProtobufReader {
    descriptor: Descriptor,
    columns: Vec<ColumnDef>,
    /// The first message, which nearly all records are of.
    first: Option<Result<Compiled, String>>,
}

/// A message, and what becomes of its fields.
#[derive(Debug)]
struct Compiled {
    message: Message,
    target: StructTarget,
    has_required: bool,
}

impl ProtobufReader {
    pub(super) fn new(descriptor: Descriptor, columns: &[ColumnDef]) -> Self {
        let mut reader = Self { descriptor, columns: columns.to_vec(), first: None };
        reader.first = reader.descriptor.at(&[0]).map(|name| reader.compile(&name));
        reader
    }

    fn compile(&self, name: &str) -> Result<Compiled, String> {
        let message = self.descriptor.message(name)?;
        let target = struct_target(&connect_fields(&message), &self.columns, "");
        let has_required = has_required(&message);
        Ok(Compiled { message, target, has_required })
    }

    pub(in crate::formats) fn read<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
    ) -> Result<(), ReadError> {
        let (indexes, body) = message_indexes(bytes).map_err(ReadError::Wire)?;
        let name = || {
            let unknown = "Invalid message indexes: \
                           io.confluent.kafka.schemaregistry.protobuf.MessageIndexes";
            self.descriptor.at(&indexes).ok_or_else(|| ReadError::Wire(unknown.to_owned()))
        };
        let other;
        let compiled = match &self.first {
            Some(first) if *indexes == [0] => first,
            _ => {
                other = self.compile(&name()?);
                &other
            }
        };
        let compiled = compiled.as_ref().map_err(|error| ReadError::Convert(error.clone()))?;
        let parsed = Parsed::parse(&compiled.message, body).map_err(ReadError::Wire)?;
        let mut missing = Vec::new();
        if compiled.has_required {
            find_missing(&compiled.message, &parsed, "", &mut missing);
        }
        if !missing.is_empty() {
            let message = format!("Message missing required fields: {}", missing.join(", "));
            return Err(ReadError::Wire(message));
        }
        if let Some(message) = compiled.target.mismatch() {
            return Err(ReadError::Convert(message.to_owned()));
        }
        let row = Reading { arena }.row(&compiled.message, &parsed, &compiled.target);
        rows.push_row(&row.map_err(ReadError::Convert)?);
        Ok(())
    }
}

fn has_required(message: &Message) -> bool {
    message.fields.iter().any(|field| match &field.kind {
        _ if field.is_required => true,
        Kind::Message(message) => has_required(message),
        _ => false,
    })
}

/// Adds the paths of the required fields that a message lacks, and those within it.
fn find_missing(message: &Message, parsed: &Parsed<'_>, path: &str, missing: &mut Vec<String>) {
    for (index, field) in message.fields.iter().enumerate() {
        match (parsed.slot(index), &field.kind) {
            (Slot::Absent, _) if field.is_required => missing.push(format!("{path}{}", field.name)),
            (Slot::Message(inner), Kind::Message(message)) => {
                find_missing(message, inner, &format!("{path}{}.", field.name), missing);
            }
            (Slot::Messages(all), Kind::Message(message)) => {
                for (at, inner) in all.iter().enumerate() {
                    find_missing(message, inner, &format!("{path}{}[{at}].", field.name), missing);
                }
            }
            _ => {}
        }
    }
}

/// The indexes in front of a message: how many there are, then each; a single zero byte stands for the
/// first message.
pub(super) fn message_indexes(bytes: &[u8]) -> Result<(Vec<i64>, &[u8]), String> {
    let mut rest = bytes;
    let mut next = || {
        let mut value = 0_u64;
        for index in 0..10 {
            let (first, after) = rest.split_first().ok_or("java.nio.BufferUnderflowException")?;
            rest = after;
            value |= u64::from(first & 0x7F) << (7 * index).min(63);
            if *first < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("Varint is too long".to_owned())
    };
    let count = next()?;
    if count == 0 {
        return Ok((vec![0], rest));
    }
    let count = match usize::try_from(count) {
        Ok(count) if count <= INDEXES_MAX => count,
        _ => return Err(format!("Illegal Capacity: {count}")),
    };
    let indexes = (0..count).map(|_| next()).collect::<Result<_, _>>()?;
    Ok((indexes, rest))
}

/// A field of Kafka Connect's record: one of the message, or all those of a choice.
enum Layout<'m> {
    Field(usize),
    Choice(usize, &'m str),
}

/// Choices come first, then the other fields.
fn layout(message: &Message) -> impl Iterator<Item = Layout<'_>> {
    let choices = message.oneofs.iter().enumerate();
    let choices = choices.map(|(index, name)| Layout::Choice(index, name));
    let fields = message.fields.iter().enumerate().filter(|(_, field)| field.oneof.is_none());
    choices.chain(fields.map(|(index, _)| Layout::Field(index)))
}

/// The places of the fields of a choice.
fn members(message: &Message, choice: usize) -> impl Iterator<Item = usize> + '_ {
    let fields = message.fields.iter().enumerate();
    fields.filter(move |(_, field)| field.oneof == Some(choice)).map(|(index, _)| index)
}

/// The fields of a message as Kafka Connect has them.
pub(super) fn connect_fields(message: &Message) -> Vec<ConnectField> {
    let field = |field: &Field| ConnectField { name: field.name.clone(), ty: connect_type(field) };
    let part = |part| match part {
        Layout::Field(index) => field(&message.fields[index]),
        Layout::Choice(choice, name) => {
            let fields = members(message, choice).map(|index| field(&message.fields[index]));
            let ty = ConnectType::Struct(fields.collect());
            ConnectField { name: format!("{name}_{choice}"), ty }
        }
    };
    layout(message).map(part).collect()
}

fn connect_type(field: &Field) -> ConnectType {
    let ty = match &field.kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => ConnectType::Int32,
        Kind::Int64 | Kind::Uint32 | Kind::Fixed32 | Kind::Sint64 | Kind::Fixed64 => {
            ConnectType::Int64
        }
        Kind::Float => ConnectType::Float32,
        Kind::Double => ConnectType::Float64,
        Kind::Bool => ConnectType::Boolean,
        Kind::String | Kind::Enum(_) => ConnectType::String,
        Kind::Bytes | Kind::Unwritable(_) => ConnectType::Bytes,
        Kind::Decimal { precision, scale } => {
            ConnectType::Decimal { precision: *precision, scale: *scale as i32 }
        }
        Kind::Date => ConnectType::Date,
        Kind::TimeOfDay => ConnectType::Time,
        Kind::Timestamp => ConnectType::Timestamp,
        Kind::Message(message) => ConnectType::Struct(connect_fields(message)),
        Kind::Entries(entry) => {
            let part = |index: usize| Box::new(connect_type(&entry.fields[index]));
            return ConnectType::Map(part(0), part(1));
        }
    };
    if field.is_repeated { ConnectType::Array(Box::new(ty)) } else { ty }
}

struct Reading<'a> {
    arena: &'a Arena,
}

type Converted<'a> = Result<Value<'a>, String>;

impl<'a> Reading<'a> {
    fn row(
        &self,
        message: &Message,
        parsed: &Parsed<'a>,
        target: &StructTarget,
    ) -> Result<Vec<Value<'a>>, String> {
        let mut row = vec![Value::Null; target.columns];
        for (part, (column, target)) in layout(message).zip(&target.fields) {
            row[*column] = match (part, target) {
                (_, Target::Skipped) => continue,
                (Layout::Field(index), target) => {
                    self.field(&message.fields[index], parsed.slot(index), target)?
                }
                (Layout::Choice(choice, _), Target::Struct(target)) => {
                    self.choice(message, choice, parsed, target)?
                }
                (Layout::Choice(..), _) => Value::Null,
            };
        }
        Ok(row)
    }

    fn choice(
        &self,
        message: &Message,
        choice: usize,
        parsed: &Parsed<'a>,
        target: &StructTarget,
    ) -> Converted<'a> {
        let is_there = |index: usize| !matches!(parsed.slot(index), Slot::Absent);
        if !members(message, choice).any(is_there) {
            return Ok(Value::Null);
        }
        let mut values = vec![Value::Null; target.columns];
        for (index, (column, target)) in members(message, choice).zip(&target.fields) {
            if *target != Target::Skipped {
                values[*column] = self.field(&message.fields[index], parsed.slot(index), target)?;
            }
        }
        Ok(Value::Struct(self.arena.values(&values)))
    }

    fn field(&self, field: &Field, slot: &Slot<'a>, target: &Target) -> Converted<'a> {
        match (target, slot) {
            (Target::Mismatch(message), _) => Err(message.clone()),
            (Target::Map(target), slot) => {
                let entries = if let Slot::Messages(entries) = slot { &**entries } else { &[] };
                self.map(field, entries, target)
            }
            (Target::Array(target), Slot::Scalars(items)) => {
                let items = items.iter().map(|item| self.scalar(field, *item, target));
                Ok(Value::Array(self.arena.values(&items.collect::<Vec<_>>())))
            }
            (Target::Array(target), Slot::Messages(messages)) => {
                let items = messages.iter().map(|message| self.nested(field, message, target));
                Ok(Value::Array(self.arena.values(&items.collect::<Result<Vec<_>, _>>()?)))
            }
            (Target::Array(_), _) => Ok(Value::Array(&[])),
            (target, Slot::Scalar(value)) => Ok(self.scalar(field, *value, target)),
            (target, Slot::Message(message)) => self.nested(field, message, target),
            (target, _) if field.kind.is_scalar() && field.presence == Presence::Implicit => {
                Ok(self.scalar(field, default(&field.kind), target))
            }
            _ => Ok(Value::Null),
        }
    }

    fn nested(&self, field: &Field, message: &Parsed<'a>, target: &Target) -> Converted<'a> {
        match (&field.kind, target) {
            (Kind::Message(ty), Target::Struct(target)) => {
                Ok(Value::Struct(self.arena.values(&self.row(ty, message, target)?)))
            }
            _ => Ok(self.scalar(field, nested(field, message, self.arena)?, target)),
        }
    }

    fn map(&self, field: &Field, entries: &[Parsed<'a>], target: &Target) -> Converted<'a> {
        let Kind::Entries(entry) = &field.kind else { return Ok(Value::Null) };
        let mut values = Vec::with_capacity(entries.len());
        for parsed in entries {
            let key = self.part(&entry.fields[0], parsed.slot(0), &Target::String)?;
            values.push((key, self.part(&entry.fields[1], parsed.slot(1), target)?));
        }
        Ok(map_value(values, self.arena))
    }

    /// The key or the value of an entry: the default if it is absent, for messages too.
    fn part(&self, field: &Field, slot: &Slot<'a>, target: &Target) -> Converted<'a> {
        let is_message = field.presence == Presence::Wrapper || field.kind.is_message();
        match slot {
            Slot::Absent if is_message => self.nested(field, &Parsed::default(), target),
            Slot::Absent => Ok(self.scalar(field, default(&field.kind), target)),
            slot => self.field(field, slot, target),
        }
    }

    /// A value of the field's own type as its column takes it.
    fn scalar(&self, field: &Field, value: Value<'a>, target: &Target) -> Value<'a> {
        if let (Kind::Enum(found), Value::Int(number)) = (&field.kind, value) {
            let name = found.values.iter().find(|(_, other)| *other == number);
            return match name {
                Some((name, _)) => Value::String(self.arena.text(name)),
                None if field.presence == Presence::Optional && field.oneof.is_none() => {
                    Value::Null
                }
                None => {
                    let unknown = format!("UNKNOWN_ENUM_VALUE_{}_{number}", found.name);
                    Value::String(self.arena.text(&unknown))
                }
            };
        }
        let text = |text: String| Value::String(self.arena.text(&text));
        match (target, value) {
            (Target::Bigint, Value::Int(value)) => Value::Bigint(value.into()),
            (Target::Bigint, Value::Timestamp(value)) => Value::Bigint(value),
            (Target::Timestamp, Value::Bigint(value)) => Value::Timestamp(value),
            (Target::Date, Value::Int(value)) => Value::Date(value),
            (Target::Time, Value::Int(value)) => Value::Time(value),
            (Target::Int, Value::Date(value) | Value::Time(value)) => Value::Int(value),
            (Target::String, Value::Int(value)) => text(value.to_string()),
            (Target::String, Value::Bigint(value)) => text(value.to_string()),
            (Target::String, Value::Boolean(value)) => text(value.to_string()),
            (Target::String, Value::Double(value)) => {
                let is_float = matches!(field.kind, Kind::Float);
                let shortest = (value as f32).to_string().parse().unwrap_or(value);
                text(double_to_string(if is_float { shortest } else { value }))
            }
            (_, value) => value,
        }
    }
}
