//! Records that were written with one schema, read straight into columns.

use std::borrow::Cow;

use num_bigint::BigInt;

use super::cursor::{Cursor, WireError};
use super::schema::{AvroSchema, DecimalKind, Node, optional};
use crate::formats::connect::{ConnectType, StructTarget, Target, struct_target, target};
use crate::formats::maps::map_value;
use crate::formats::rows::{Outcome, Rows};
use crate::java::double_to_string;
use crate::types::{Arena, ColumnDef, DIGITS_MAX, Decimal, DecimalError, Value};

/// How deeply values may be nested.
const DEPTH_MAX: usize = 500;

/// How many items that take no bytes an array may have.
const EMPTY_ITEMS_MAX: u64 = 100_000;

/// As many bytes as the most digits of a decimal take.
const DECIMAL_BYTES_MAX: usize = DIGITS_MAX as usize * 10 / 24;

/// Why a record cannot be read.
#[derive(Debug, PartialEq)]
pub(in crate::formats) enum ReadError {
    /// Its bytes are not what its schema says.
    Wire(String),
    /// A value is not what its column takes.
    Convert(String),
}

impl From<WireError> for ReadError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// Reads the records of one schema.
#[derive(Debug)]
pub(in crate::formats) struct AvroReader {
    schema: AvroSchema,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    /// A record, whose fields are columns.
    Fields(StructTarget),
    /// The only column.
    Bare(Target),
    /// Nothing of it can be read.
    Mismatch(String),
}

impl AvroReader {
    /// Reads `columns` from records of a schema; the error is that of each record.
    pub(super) fn new(
        schema: AvroSchema,
        columns: &[ColumnDef],
        wrapped: bool,
    ) -> Result<Self, String> {
        let shape = match (schema.connect_type(true)?, columns) {
            (ty, [column]) if !wrapped => Shape::Bare(target(&ty, &column.ty, "")),
            (ConnectType::Struct(fields), columns) => {
                let target = struct_target(&fields, columns, "");
                match target.mismatch() {
                    Some(message) => Shape::Mismatch(message.to_owned()),
                    None => Shape::Fields(target),
                }
            }
            (ty, _) => Shape::Mismatch(format!(
                "Cannot deserialize type {} as type struct for path: ",
                ty.name()
            )),
        };
        Ok(Self { schema, shape })
    }

    pub(in crate::formats) fn read<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
    ) -> Result<Outcome, ReadError> {
        let before = rows.len();
        let mut reading = Reading { schema: &self.schema, cursor: Cursor::new(bytes), arena };
        let done = match &self.shape {
            Shape::Fields(target) => reading
                .fields(target, rows)
                .map(|is_row| if is_row { Outcome::Row } else { Outcome::Null }),
            Shape::Bare(target) => reading.root(target).map(|value| {
                if value.is_null() {
                    return Outcome::Null;
                }
                rows.push(0, value);
                Outcome::Row
            }),
            Shape::Mismatch(message) => Err(ReadError::Convert(message.clone())),
        };
        if done.is_err() {
            rows.truncate(before);
        }
        match done {
            // In Java the whole record is parsed before anything is converted.
            Err(ReadError::Convert(message)) => {
                Reading { schema: &self.schema, cursor: Cursor::new(bytes), arena }
                    .skip(&self.schema.root, 0)?;
                Err(ReadError::Convert(message))
            }
            done => done,
        }
    }
}

struct Reading<'s, 'a> {
    schema: &'s AvroSchema,
    cursor: Cursor<'a>,
    arena: &'a Arena,
}

type Read<T> = Result<T, ReadError>;

impl<'s, 'a> Reading<'s, 'a> {
    /// Reads the fields of the root into columns; false if the root is NULL.
    fn fields(&mut self, target: &StructTarget, rows: &mut Rows<'a>) -> Read<bool> {
        let Some(Node::Record(place)) = self.branch(&self.schema.root)? else { return Ok(false) };
        for (field, (column, target)) in
            self.schema.records[*place].fields.iter().zip(&target.fields)
        {
            match (&field.node, target) {
                (node, Target::Skipped) => self.skip(node, 0)?,
                (Node::Long { .. }, Target::Bigint) => {
                    rows.push_bigint(*column, self.cursor.long()?);
                }
                (Node::Double, Target::Double) => rows.push_double(*column, self.cursor.double()?),
                (Node::String, Target::String) => rows.push_text(*column, self.text()?),
                (node, target) => {
                    let value = self.value(node, target, 0)?;
                    rows.push(*column, value);
                }
            }
        }
        target.missing.iter().for_each(|column| rows.push(*column, Value::Null));
        Ok(true)
    }

    /// Reads the only column. Bytes are all that is there, without a length.
    fn root(&mut self, target: &Target) -> Read<Value<'a>> {
        match (&self.schema.root, target) {
            (Node::Bytes(decimal), Target::Bytes | Target::Decimal) => {
                let bytes = self.cursor.take(self.cursor.left())?;
                self.binary(bytes, *decimal)
            }
            (root, target) => self.value(root, target, 0),
        }
    }

    /// The branch of an optional type that is there, or the type itself; `None` for NULL.
    fn branch(&mut self, node: &'s Node) -> Read<Option<&'s Node>> {
        let Node::Union(branches) = node else { return Ok(Some(node)) };
        let Some((null, _)) = optional(branches) else { return Ok(Some(node)) };
        let index = self.cursor.index(branches.len())?;
        Ok((index != null).then(|| &branches[index]))
    }

    fn text(&mut self) -> Read<&'a str> {
        let bytes = self.cursor.bytes()?;
        Ok(match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => self.arena.text(&text),
        })
    }

    /// Reads a value of any type.
    fn value(&mut self, node: &'s Node, target: &Target, depth: usize) -> Read<Value<'a>> {
        if depth > DEPTH_MAX {
            return Err(ReadError::Wire("java.lang.StackOverflowError".to_owned()));
        }
        if let Target::Mismatch(message) = target {
            return Err(ReadError::Convert(message.clone()));
        }
        let Some(node) = self.branch(node)? else { return Ok(Value::Null) };
        match (node, target) {
            (Node::Array(item), Target::Array(target)) => {
                let mut items = Vec::new();
                self.items(|reading| {
                    items.push(reading.value(item, target, depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::Array(self.arena.values(&items)))
            }
            (Node::Map(value), Target::Map(target)) => {
                let mut entries = Vec::new();
                self.items(|reading| {
                    let key = Value::String(reading.text()?);
                    entries.push((key, reading.value(value, target, depth + 1)?));
                    Ok(())
                })?;
                Ok(map_value(entries, self.arena))
            }
            (Node::Entries(key, value), Target::Map(target)) => {
                let mut entries = Vec::new();
                self.items(|reading| {
                    let key = reading.value(key, &Target::String, depth + 1)?;
                    entries.push((key, reading.value(value, target, depth + 1)?));
                    Ok(())
                })?;
                Ok(map_value(entries, self.arena))
            }
            (Node::Record(place), Target::Struct(target)) => self.record(*place, target, depth),
            (Node::Union(branches), Target::Struct(target)) => self.union(branches, target, depth),
            _ => self.scalar(node, target),
        }
    }

    fn record(&mut self, place: usize, target: &StructTarget, depth: usize) -> Read<Value<'a>> {
        let mut values = vec![Value::Null; target.columns];
        let schema = self.schema;
        for (index, field) in schema.records[place].fields.iter().enumerate() {
            match target.fields.get(index) {
                Some((column, target)) if *target != Target::Skipped => {
                    values[*column] = self.value(&field.node, target, depth + 1)?;
                }
                _ => self.skip(&field.node, depth + 1)?,
            }
        }
        Ok(Value::Struct(self.arena.values(&values)))
    }

    /// A union of several types, as the record that Kafka Connect makes of it.
    fn union(
        &mut self,
        branches: &'s [Node],
        target: &StructTarget,
        depth: usize,
    ) -> Read<Value<'a>> {
        let index = self.cursor.index(branches.len())?;
        if branches[index] == Node::Null {
            return Ok(Value::Null);
        }
        let field = branches[..index].iter().filter(|branch| **branch != Node::Null).count();
        let mut values = vec![Value::Null; target.columns];
        match target.fields.get(field) {
            Some((column, target)) if *target != Target::Skipped => {
                values[*column] = self.value(&branches[index], target, depth + 1)?;
            }
            _ => self.skip(&branches[index], depth + 1)?,
        }
        Ok(Value::Struct(self.arena.values(&values)))
    }

    fn scalar(&mut self, node: &'s Node, target: &Target) -> Read<Value<'a>> {
        let number = |value: i64, text: String, arena: &'a Arena| match target {
            Target::Int => Value::Int(value as i32),
            Target::Bigint => Value::Bigint(value),
            Target::Date => Value::Date(value as i32),
            Target::Time => Value::Time(value as i32),
            Target::Timestamp => Value::Timestamp(value),
            _ => Value::String(arena.text(&text)),
        };
        let is_text = *target == Target::String;
        Ok(match node {
            Node::Null => Value::Null,
            Node::Boolean => {
                let value = self.cursor.boolean()?;
                let text = if value { "true" } else { "false" };
                if is_text { Value::String(text) } else { Value::Boolean(value) }
            }
            Node::Int(_) => {
                let value = self.cursor.int()?;
                let text = if is_text { value.to_string() } else { String::new() };
                number(value.into(), text, self.arena)
            }
            Node::Long { .. } => {
                let value = self.cursor.long()?;
                let text = if is_text { value.to_string() } else { String::new() };
                number(value, text, self.arena)
            }
            Node::Float => {
                let value = self.cursor.float()?;
                if is_text {
                    // The shortest digits are those of the float, in Java's notation.
                    let shortest = value.to_string().parse().unwrap_or(f64::NAN);
                    Value::String(self.arena.text(&double_to_string(shortest)))
                } else {
                    Value::Double(value.into())
                }
            }
            Node::Double => {
                let value = self.cursor.double()?;
                if is_text {
                    Value::String(self.arena.text(&double_to_string(value)))
                } else {
                    Value::Double(value)
                }
            }
            Node::Bytes(decimal) => {
                let bytes = self.cursor.bytes()?;
                self.binary(bytes, *decimal)?
            }
            Node::Fixed(size, decimal) => {
                let bytes = self.cursor.take(*size)?;
                self.binary(bytes, *decimal)?
            }
            Node::String => Value::String(self.text()?),
            Node::Enum { symbols, .. } => {
                let index = self.cursor.index(symbols.len())?;
                Value::String(self.arena.text(&symbols[index]))
            }
            // Their targets were met before.
            Node::Array(_)
            | Node::Entries(..)
            | Node::Map(_)
            | Node::Union(_)
            | Node::Record(_) => {
                self.skip(node, 0)?;
                Value::Null
            }
        })
    }

    fn binary(&self, bytes: &'a [u8], decimal: Option<DecimalKind>) -> Read<Value<'a>> {
        let Some(kind) = decimal else { return Ok(Value::Bytes(bytes)) };
        if bytes.is_empty() {
            return Err(ReadError::Wire("Zero length BigInteger".to_owned()));
        }
        if bytes.len() > DECIMAL_BYTES_MAX || kind.scale.unsigned_abs() > DIGITS_MAX {
            return Err(ReadError::Convert(DecimalError::TooLarge.to_string()));
        }
        let unscaled = BigInt::from_signed_bytes_be(bytes);
        Ok(Value::Decimal(self.arena.decimal(Decimal { unscaled, scale: kind.scale })))
    }

    /// Does something with each item of an array or a map.
    fn items(&mut self, mut each: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        let mut all = 0_u64;
        loop {
            let count = self.cursor.block()?;
            if count == 0 {
                return Ok(());
            }
            all = all.saturating_add(count);
            // So many can only be if they take no bytes, so that what is left does not bound them.
            if all > EMPTY_ITEMS_MAX && count > self.cursor.left() as u64 {
                return Err(ReadError::Wire("java.lang.OutOfMemoryError".to_owned()));
            }
            for _ in 0..count {
                each(self)?;
            }
        }
    }

    /// Skips a value, but checks it.
    fn skip(&mut self, node: &'s Node, depth: usize) -> Read<()> {
        if depth > DEPTH_MAX {
            return Err(ReadError::Wire("java.lang.StackOverflowError".to_owned()));
        }
        match node {
            Node::Null => {}
            Node::Boolean => drop(self.cursor.boolean()?),
            Node::Int(_) => drop(self.cursor.int()?),
            Node::Long { .. } => drop(self.cursor.long()?),
            Node::Float => drop(self.cursor.float()?),
            Node::Double => drop(self.cursor.double()?),
            Node::Bytes(_) | Node::String => drop(self.cursor.bytes()?),
            Node::Fixed(size, _) => drop(self.cursor.take(*size)?),
            Node::Enum { symbols, .. } => drop(self.cursor.index(symbols.len())?),
            Node::Array(item) => self.items(|reading| reading.skip(item, depth + 1))?,
            Node::Map(value) => self.items(|reading| {
                reading.cursor.bytes()?;
                reading.skip(value, depth + 1)
            })?,
            Node::Entries(key, value) => self.items(|reading| {
                reading.skip(key, depth + 1)?;
                reading.skip(value, depth + 1)
            })?,
            Node::Union(branches) => {
                let index = self.cursor.index(branches.len())?;
                self.skip(&branches[index], depth + 1)?;
            }
            Node::Record(place) => {
                let schema = self.schema;
                for field in &schema.records[*place].fields {
                    self.skip(&field.node, depth + 1)?;
                }
            }
        }
        Ok(())
    }
}
