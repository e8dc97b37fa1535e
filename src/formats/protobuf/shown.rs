//! Messages as `TextFormat.shortDebugString` of Protobuf's Java library prints them: what `PRINT` shows.
//!
//! ```text
//! device: "d1" place { x: 0.5 y: 1.0 } tags: "a" tags: "b" 40: 7
//! ```
//! Fields stand in the order of their numbers, then those that the schema does not know. The entries of a map stand in the
//! opposite of their order: what is read without generated classes gives Java's sort nothing to compare them by.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::descriptor::{Descriptor, Meant};
use super::reader::message_indexes;
use super::text::{EnumDef, FieldDef, Label, MessageDef, TypeDef};
use super::wire::{WireError, WireReader, WireType, check_depth};
use crate::java::{double_to_string, float_to_string};

/// The text of a record, or why it has none.
pub(in crate::formats) fn shown(
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<String, WireError> {
    let (indexes, body) = message_indexes(bytes)?;
    let name = descriptor.at(&indexes).ok_or("Invalid message indexes")?;
    let mut printer = Printer { descriptor, out: String::new() };
    printer.named(&name, &[body], 0)?;
    Ok(printer.out.trim_end().to_owned())
}

/// What a field holds.
#[derive(Clone)]
enum Holds<'d> {
    Scalar(Scalar),
    Enum { def: &'d EnumDef, is_proto3: bool },
    Message(String),
    Entry { key: &'d str, value: &'d str, scope: &'d str },
}

/// The scalar types, by how they are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Float,
    Double,
    Text { is_checked: bool },
    Bytes,
}

impl Scalar {
    fn named(name: &str, is_proto3: bool) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            "sint32" => Self::Sint32,
            "sint64" => Self::Sint64,
            "fixed32" => Self::Fixed32,
            "fixed64" => Self::Fixed64,
            "sfixed32" => Self::Sfixed32,
            "sfixed64" => Self::Sfixed64,
            "float" => Self::Float,
            "double" => Self::Double,
            "string" => Self::Text { is_checked: is_proto3 },
            "bytes" => Self::Bytes,
            _ => return None,
        })
    }

    fn wire_type(self) -> WireType {
        match self {
            Self::Fixed32 | Self::Sfixed32 | Self::Float => WireType::Fixed32,
            Self::Fixed64 | Self::Sfixed64 | Self::Double => WireType::Fixed64,
            Self::Text { .. } | Self::Bytes => WireType::Bytes,
            _ => WireType::Varint,
        }
    }

    fn text(self, raw: Raw<'_>) -> Result<String, WireError> {
        let zigzag = |value: u64| (value >> 1) as i64 ^ -((value & 1) as i64);
        Ok(match (self, raw) {
            (Self::Bool, raw) => (raw.number() != 0).to_string(),
            (Self::Int32 | Self::Sfixed32, raw) => (raw.number() as i32).to_string(),
            (Self::Int64 | Self::Sfixed64, raw) => (raw.number() as i64).to_string(),
            (Self::Uint32 | Self::Fixed32, raw) => (raw.number() as u32).to_string(),
            (Self::Sint32, raw) => {
                let value = raw.number() as u32;
                ((value >> 1) as i32 ^ -((value & 1) as i32)).to_string()
            }
            (Self::Sint64, raw) => zigzag(raw.number()).to_string(),
            (Self::Float, raw) => float_to_string(f32::from_bits(raw.number() as u32)),
            (Self::Double, raw) => double_to_string(f64::from_bits(raw.number())),
            (Self::Text { is_checked: true }, Raw::Bytes(bytes))
                if std::str::from_utf8(bytes).is_err() =>
            {
                return Err("Protocol message had invalid UTF-8.".to_owned());
            }
            (Self::Text { .. } | Self::Bytes, Raw::Bytes(bytes)) => quoted(bytes),
            (_, raw) => raw.number().to_string(),
        })
    }
}

/// A value as it is laid out.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl Raw<'_> {
    fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Bytes(_) => 0,
        }
    }

    /// Whether it is what an absent field has.
    fn is_default(self) -> bool {
        match self {
            Self::Number(number) => number == 0,
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

/// What a message has that its schema does not know, by number: in the order in which it is printed.
#[derive(Default)]
struct Unknown<'a>(BTreeMap<u32, UnknownField<'a>>);

#[derive(Default)]
struct UnknownField<'a> {
    varints: Vec<u64>,
    fours: Vec<u32>,
    eights: Vec<u64>,
    bytes: Vec<&'a [u8]>,
    groups: Vec<Unknown<'a>>,
}

impl<'a> Unknown<'a> {
    /// All fields up to the end, or to that of a group.
    fn read(
        reader: &mut WireReader<'a>,
        group: Option<u32>,
        depth: usize,
    ) -> Result<Self, WireError> {
        check_depth(depth)?;
        let mut unknown = Self::default();
        while let Some((number, wire_type)) = reader.tag()? {
            if wire_type == WireType::EndGroup {
                if group == Some(number) {
                    return Ok(unknown);
                }
                return Err("Protocol message end-group tag did not match expected tag.".to_owned());
            }
            unknown.add(reader, (number, wire_type), depth)?;
        }
        match group {
            None => Ok(unknown),
            Some(_) => Err("Protocol message end-group tag did not match expected tag.".to_owned()),
        }
    }

    fn add(
        &mut self,
        reader: &mut WireReader<'a>,
        (number, wire_type): (u32, WireType),
        depth: usize,
    ) -> Result<(), WireError> {
        let field = self.0.entry(number).or_default();
        match wire_type {
            WireType::Varint => field.varints.push(reader.varint()?),
            WireType::Fixed32 => field.fours.push(u32::from_le_bytes(reader.four()?)),
            WireType::Fixed64 => field.eights.push(reader.double()?.to_bits()),
            WireType::Bytes => field.bytes.push(reader.bytes()?),
            WireType::StartGroup => {
                field.groups.push(Self::read(reader, Some(number), depth + 1)?);
            }
            WireType::EndGroup => {
                return Err("Protocol message end-group tag did not match expected tag.".to_owned());
            }
        }
        Ok(())
    }

    fn write(&self, out: &mut String, depth: usize) {
        for (number, field) in &self.0 {
            // Writing to a text does not fail.
            for value in &field.varints {
                let _ = write!(out, "{number}: {value} ");
            }
            for value in &field.fours {
                let _ = write!(out, "{number}: 0x{value:08x} ");
            }
            for value in &field.eights {
                let _ = write!(out, "{number}: 0x{value:016x} ");
            }
            for value in &field.bytes {
                // What can be read as a message is taken for one.
                match Self::read(&mut WireReader::new(value), None, depth + 1) {
                    Ok(inner) => {
                        let _ = write!(out, "{number}: {{ ");
                        inner.write(out, depth + 1);
                        out.push_str("} ");
                    }
                    Err(_) => {
                        let _ = write!(out, "{number}: {} ", quoted(value));
                    }
                }
            }
            for group in &field.groups {
                let _ = write!(out, "{number} {{ ");
                group.write(out, depth + 1);
                out.push_str("} ");
            }
        }
    }
}

/// A field that is there.
struct Present<'f, 'd, 'a> {
    field: &'f FieldDef,
    holds: Holds<'d>,
    raws: Vec<Raw<'a>>,
}

struct Printer<'d> {
    descriptor: &'d Descriptor,
    out: String,
}

impl<'d> Printer<'d> {
    /// A message by its full name; `parts` are merged.
    fn named(&mut self, name: &str, parts: &[&[u8]], depth: usize) -> Result<(), WireError> {
        check_depth(depth)?;
        let found = self.descriptor.definition(name);
        let (name, def, is_proto3) = found.ok_or_else(|| format!("\"{name}\" is not defined."))?;
        let mut values: BTreeMap<u32, Present<'_, 'd, '_>> = BTreeMap::new();
        let mut unknown = Unknown::default();
        for part in parts {
            let mut reader = WireReader::new(part);
            while let Some((number, wire_type)) = reader.tag()? {
                let field = def.fields.iter().find(|field| field.number == number);
                let field = match field {
                    Some(field) => self.holds(field, name, is_proto3)?.map(|holds| (field, holds)),
                    None => None,
                };
                let raw = match &field {
                    Some((field, holds)) => read(&mut reader, holds, field.label, wire_type)?,
                    None => None,
                };
                let (Some((field, holds)), Some(raw)) = (field, raw) else {
                    unknown.add(&mut reader, (number, wire_type), depth)?;
                    continue;
                };
                if let Some(choice) = field.oneof {
                    values.retain(|other, present| {
                        *other == number || present.field.oneof != Some(choice)
                    });
                }
                let new = Present { field, holds, raws: Vec::new() };
                let known = values.entry(number).or_insert(new);
                for raw in raw {
                    match &known.holds {
                        Holds::Enum { def, is_proto3: false } if name_of(def, raw).is_none() => {
                            let field = unknown.0.entry(number).or_default();
                            field.varints.push(raw.number());
                        }
                        _ => known.raws.push(raw),
                    }
                }
            }
        }
        require(def, |number| values.contains_key(&number))?;
        for present in values.into_values() {
            self.field(present, is_proto3, depth)?;
        }
        unknown.write(&mut self.out, depth);
        Ok(())
    }

    /// What a field holds; `None` if that is of a type which is not known.
    fn holds(
        &self,
        field: &'d FieldDef,
        scope: &'d str,
        is_proto3: bool,
    ) -> Result<Option<Holds<'d>>, WireError> {
        match &field.ty {
            TypeDef::Map(key, value) => Ok(Some(Holds::Entry { key, value, scope })),
            TypeDef::Named(name) => self.meant(name, scope, is_proto3).map(Some),
        }
    }

    fn meant(&self, name: &str, scope: &str, is_proto3: bool) -> Result<Holds<'d>, WireError> {
        if let Some(scalar) = Scalar::named(name, is_proto3) {
            return Ok(Holds::Scalar(scalar));
        }
        match self.descriptor.meant(name, scope) {
            Some(Meant::Enum(def)) => Ok(Holds::Enum { def, is_proto3 }),
            Some(Meant::Message(full)) => Ok(Holds::Message(full)),
            None => Err(format!("\"{name}\" is not defined.")),
        }
    }

    fn field(
        &mut self,
        Present { field, holds, raws }: Present<'_, 'd, '_>,
        is_proto3: bool,
        depth: usize,
    ) -> Result<(), WireError> {
        let name = &field.name;
        if let Holds::Entry { key, value, scope } = holds {
            for raw in raws.into_iter().rev() {
                let Raw::Bytes(bytes) = raw else { continue };
                let _ = write!(self.out, "{name} {{ ");
                self.entry((key, value, scope), bytes, is_proto3, depth + 1)?;
                self.out.push_str("} ");
            }
            return Ok(());
        }
        if field.label == Label::Repeated {
            return raws.into_iter().try_for_each(|raw| self.value(name, &holds, &[raw], depth));
        }
        if let Holds::Message(_) = holds {
            return self.value(name, &holds, &raws, depth);
        }
        let Some(last) = raws.last() else { return Ok(()) };
        let is_implicit = is_proto3 && field.label != Label::Optional && field.oneof.is_none();
        if is_implicit && last.is_default() {
            return Ok(());
        }
        self.value(name, &holds, &[*last], depth)
    }

    /// The key and the value of a map's entry, both of which are always there.
    fn entry(
        &mut self,
        (key, value, scope): (&str, &str, &str),
        bytes: &[u8],
        is_proto3: bool,
        depth: usize,
    ) -> Result<(), WireError> {
        check_depth(depth)?;
        let parts = [
            ("key", self.meant(key, scope, is_proto3)?),
            ("value", self.meant(value, scope, is_proto3)?),
        ];
        let mut found: [Vec<Raw<'_>>; 2] = Default::default();
        let mut unknown = Unknown::default();
        let mut reader = WireReader::new(bytes);
        while let Some((number, wire_type)) = reader.tag()? {
            let place = (number as usize).wrapping_sub(1);
            let raw = match parts.get(place) {
                Some((_, holds)) => read(&mut reader, holds, Label::None, wire_type)?,
                None => None,
            };
            match raw {
                Some(raw) => found[place].extend(raw),
                None => unknown.add(&mut reader, (number, wire_type), depth)?,
            }
        }
        for ((name, holds), raws) in parts.iter().zip(found) {
            let raws = match holds {
                Holds::Message(_) => raws,
                Holds::Scalar(Scalar::Text { .. } | Scalar::Bytes) => {
                    vec![raws.last().copied().unwrap_or(Raw::Bytes(&[]))]
                }
                _ => vec![raws.last().copied().unwrap_or(Raw::Number(0))],
            };
            self.value(name, holds, &raws, depth)?;
        }
        unknown.write(&mut self.out, depth);
        Ok(())
    }

    fn value(
        &mut self,
        name: &str,
        holds: &Holds<'d>,
        raws: &[Raw<'_>],
        depth: usize,
    ) -> Result<(), WireError> {
        let raw = raws.last().copied().unwrap_or(Raw::Number(0));
        match holds {
            Holds::Scalar(scalar) => {
                let text = scalar.text(raw)?;
                let _ = write!(self.out, "{name}: {text} ");
            }
            Holds::Enum { def, .. } => {
                let number = raw.number() as i32;
                let _ = match name_of(def, raw) {
                    Some(value) => write!(self.out, "{name}: {value} "),
                    None => {
                        write!(self.out, "{name}: UNKNOWN_ENUM_VALUE_{}_{number} ", def.name)
                    }
                };
            }
            Holds::Message(full) => {
                let bytes = |raw: &Raw<'_>| matches!(raw, Raw::Bytes(_));
                let parts: Vec<&[u8]> = raws
                    .iter()
                    .filter(|raw| bytes(raw))
                    .map(|raw| match *raw {
                        Raw::Bytes(bytes) => bytes,
                        Raw::Number(_) => &[],
                    })
                    .collect();
                let _ = write!(self.out, "{name} {{ ");
                self.named(full, &parts, depth + 1)?;
                self.out.push_str("} ");
            }
            // These have a name for each of their parts.
            Holds::Entry { .. } => {}
        }
        Ok(())
    }
}

/// The values of a field that come next, unless they are laid out as no such field is.
fn read<'a>(
    reader: &mut WireReader<'a>,
    holds: &Holds<'_>,
    label: Label,
    wire_type: WireType,
) -> Result<Option<Vec<Raw<'a>>>, WireError> {
    let own = match holds {
        Holds::Scalar(scalar) => scalar.wire_type(),
        Holds::Enum { .. } => WireType::Varint,
        Holds::Message(_) | Holds::Entry { .. } => WireType::Bytes,
    };
    if wire_type == own {
        return Ok(Some(vec![one(reader, own)?]));
    }
    if label != Label::Repeated || wire_type != WireType::Bytes || own == WireType::Bytes {
        return Ok(None);
    }
    let mut packed = WireReader::new(reader.bytes()?);
    let mut all = Vec::new();
    while !packed.is_at_end() {
        all.push(one(&mut packed, own)?);
    }
    Ok(Some(all))
}

fn one<'a>(reader: &mut WireReader<'a>, wire_type: WireType) -> Result<Raw<'a>, WireError> {
    Ok(match wire_type {
        WireType::Fixed32 => Raw::Number(u32::from_le_bytes(reader.four()?).into()),
        WireType::Fixed64 => Raw::Number(reader.double()?.to_bits()),
        WireType::Bytes => Raw::Bytes(reader.bytes()?),
        _ => Raw::Number(reader.varint()?),
    })
}

fn name_of<'d>(def: &'d EnumDef, raw: Raw<'_>) -> Option<&'d str> {
    let number = raw.number() as i32;
    let found = def.values.iter().find(|(_, value)| *value == number);
    found.map(|(name, _)| name.as_str())
}

/// Refuses a message that lacks a field without which it is none.
fn require(def: &MessageDef, is_there: impl Fn(u32) -> bool) -> Result<(), WireError> {
    let required = def.fields.iter().filter(|field| field.label == Label::Required);
    let missing: Vec<&str> =
        required.filter(|field| !is_there(field.number)).map(|field| field.name.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("Message missing required fields: {}", missing.join(", ")))
}

/// Bytes in quotes: ASCII as it is, and all else as in C.
fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for byte in bytes {
        match byte {
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x0b => out.push_str("\\v"),
            b'\\' => out.push_str("\\\\"),
            b'\'' => out.push_str("\\'"),
            b'"' => out.push_str("\\\""),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}
