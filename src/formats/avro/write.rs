//! Rows as records of a schema, which may be another one than ksqlDB's own.

use serde_json::Value as Json;

use super::cursor::{write_bytes, write_long};
use super::schema::{AvroSchema, Field, Node, optional};
use crate::formats::{Encoded, Row};
use crate::java::to_utf8_bytes;
use crate::types::{ColumnDef, SqlType, Value};

/// Why a row cannot be written: the message of Java's exception.
pub(in crate::formats) type WriteError = String;

/// How values of one type are written.
#[derive(Clone, Debug)]
enum Op {
    Null,
    Boolean,
    Whole,
    Float,
    Double,
    /// Text, bytes, and the bytes of decimals.
    Bytes,
    Fixed(usize),
    Enum(Vec<String>),
    /// The branches of NULL and of everything else.
    Optional {
        null: usize,
        other: usize,
        op: Box<Op>,
    },
    Array(Box<Op>),
    Map(Box<Op>),
    Entries(Box<Op>, Box<Op>),
    Record(Vec<FieldOp>),
}

/// How a field is written.
#[derive(Clone, Debug)]
struct FieldOp {
    name: String,
    from: From,
    op: Op,
    /// What stands for NULL where the type has none.
    default: Option<Vec<u8>>,
}

/// Where the value of a field comes from.
#[derive(Clone, Debug)]
enum From {
    /// A column, or a field of a STRUCT.
    Value(usize),
    /// These bytes, as no column has its name.
    Default(Vec<u8>),
}

/// Writes rows of some columns.
#[derive(Debug)]
pub(in crate::formats) struct AvroWriter {
    op: Op,
    wrapped: bool,
    /// Whether the root is of type `bytes`.
    is_binary: bool,
}

impl AvroWriter {
    /// Writes `columns` as records of `schema`; the error is that of each row.
    pub(super) fn new(
        schema: &AvroSchema,
        columns: &[ColumnDef],
        wrapped: bool,
    ) -> Result<Self, WriteError> {
        let compiler = Compiler { schema };
        let op = match columns {
            [column] if !wrapped => compiler.op(&schema.root, &column.ty)?,
            _ => {
                let names: Vec<_> =
                    columns.iter().map(|column| (&*column.name, &column.ty)).collect();
                compiler.columns(&schema.root, &names)?
            }
        };
        let is_binary = matches!(schema.root, Node::Bytes(_));
        Ok(Self { op, wrapped: wrapped || columns.len() != 1, is_binary })
    }

    /// Appends a row.
    pub(in crate::formats) fn write<R: Row + ?Sized>(
        &self,
        row: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        match (&self.op, self.wrapped) {
            // Bytes are all that is written, without their length.
            (Op::Bytes, false) if self.is_binary => {
                match row.value(0) {
                    Value::Bytes(bytes) => out.extend_from_slice(bytes),
                    Value::Decimal(decimal) => {
                        out.extend_from_slice(&decimal.unscaled.to_signed_bytes_be());
                    }
                    _ => return Err(unfit()),
                }
                Ok(())
            }
            (op, false) => write(op, row.value(0), out),
            (Op::Record(fields), true) => write_fields(fields, |index| row.value(index), out),
            (Op::Optional { other, op, .. }, true) => {
                write_long(*other as i64, out);
                let Op::Record(fields) = &**op else { unreachable!("rows are records") };
                write_fields(fields, |index| row.value(index), out)
            }
            _ => unreachable!("rows are records"),
        }
    }

    /// What becomes of a row whose only, bare column is NULL.
    pub(in crate::formats) fn bare_null(&self, value: Value<'_>) -> Option<Encoded> {
        (!self.wrapped && value.is_null()).then_some(Encoded::Null)
    }
}

struct Compiler<'s> {
    schema: &'s AvroSchema,
}

impl Compiler<'_> {
    fn columns(&self, node: &Node, columns: &[(&str, &SqlType)]) -> Result<Op, WriteError> {
        match node {
            Node::Record(place) => {
                let fields = self.schema.records[*place].fields.iter();
                let fields = fields.map(|field| self.field(field, columns));
                Ok(Op::Record(fields.collect::<Result<_, _>>()?))
            }
            Node::Union(branches) => {
                let (null, other) = optional(branches).ok_or_else(unfit)?;
                let op = Box::new(self.columns(&branches[other], columns)?);
                Ok(Op::Optional { null, other, op })
            }
            _ => Err(unfit()),
        }
    }

    fn field(&self, field: &Field, columns: &[(&str, &SqlType)]) -> Result<FieldOp, WriteError> {
        let name = field.name.clone();
        let is_it = |(name, _): &(&str, &SqlType)| name.replace('.', "_") == field.name;
        let mut bytes = Vec::new();
        let Some(index) = columns.iter().position(is_it) else {
            self.default(field, &mut bytes)?;
            return Ok(FieldOp { name, from: From::Default(bytes), op: Op::Null, default: None });
        };
        let op = self.op(&field.node, columns[index].1)?;
        let has_default = field.default.is_some() && self.default(field, &mut bytes).is_ok();
        let default = has_default.then_some(bytes);
        Ok(FieldOp { name, from: From::Value(index), op, default })
    }

    fn op(&self, node: &Node, ty: &SqlType) -> Result<Op, WriteError> {
        Ok(match (node, ty) {
            (Node::Null, _) => Op::Null,
            (Node::Boolean, _) => Op::Boolean,
            (Node::Int(_) | Node::Long { .. }, _) => Op::Whole,
            (Node::Float, _) => Op::Float,
            (Node::Double, _) => Op::Double,
            (Node::Bytes(_) | Node::String, _) => Op::Bytes,
            (Node::Fixed(size, _), _) => Op::Fixed(*size),
            (Node::Enum { symbols, .. }, _) => Op::Enum(symbols.clone()),
            (Node::Array(item), SqlType::Array(ty)) => Op::Array(Box::new(self.op(item, ty)?)),
            (Node::Map(value), SqlType::Map(_, ty)) => Op::Map(Box::new(self.op(value, ty)?)),
            (Node::Entries(key, value), SqlType::Map(key_ty, ty)) => {
                Op::Entries(Box::new(self.op(key, key_ty)?), Box::new(self.op(value, ty)?))
            }
            (Node::Union(branches), ty) => {
                let (null, other) = optional(branches).ok_or_else(unfit)?;
                Op::Optional { null, other, op: Box::new(self.op(&branches[other], ty)?) }
            }
            (Node::Record(_), SqlType::Struct(ty)) => {
                let columns: Vec<_> =
                    ty.fields.iter().map(|field| (&*field.name, &field.ty)).collect();
                self.columns(node, &columns)?
            }
            _ => return Err(unfit()),
        })
    }

    /// Appends what stands for a field that no column has.
    fn default(&self, field: &Field, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let missing = || {
            format!(
                "Missing default value for required Avro field: [{}]. This field appears in Avro \
                 schema in Schema Registry",
                field.name
            )
        };
        match &field.default {
            Some(default) => self.json(&field.node, default, out).ok_or_else(missing),
            None => match &field.node {
                Node::Union(branches) => {
                    let (null, _) = optional(branches).ok_or_else(missing)?;
                    write_long(null as i64, out);
                    Ok(())
                }
                _ => Err(missing()),
            },
        }
    }

    /// Appends a default, which belongs to the first branch of a union that it fits.
    fn json(&self, node: &Node, json: &Json, out: &mut Vec<u8>) -> Option<()> {
        match (node, json) {
            (Node::Null, Json::Null) => {}
            (Node::Boolean, Json::Bool(value)) => out.push((*value).into()),
            (Node::Int(_) | Node::Long { .. }, Json::Number(number)) => {
                write_long(number.as_i64()?, out);
            }
            (Node::Float, Json::Number(number)) => {
                out.extend_from_slice(&(number.as_f64()? as f32).to_le_bytes());
            }
            (Node::Double, Json::Number(number)) => {
                out.extend_from_slice(&number.as_f64()?.to_le_bytes());
            }
            (Node::String, Json::String(text)) => write_bytes(text.as_bytes(), out),
            // Each character is a byte.
            (Node::Bytes(_), Json::String(text)) => write_bytes(&latin(text)?, out),
            (Node::Fixed(size, _), Json::String(text)) => {
                let bytes = latin(text).filter(|bytes| bytes.len() == *size)?;
                out.extend_from_slice(&bytes);
            }
            (Node::Enum { symbols, .. }, Json::String(text)) => {
                write_long(symbols.iter().position(|symbol| symbol == text)? as i64, out);
            }
            (Node::Array(item), Json::Array(items)) => {
                if !items.is_empty() {
                    write_long(items.len() as i64, out);
                    items.iter().try_for_each(|json| self.json(item, json, out))?;
                }
                out.push(0);
            }
            (Node::Entries(..), Json::Array(items)) if items.is_empty() => out.push(0),
            (Node::Map(value), Json::Object(entries)) => {
                if !entries.is_empty() {
                    write_long(entries.len() as i64, out);
                    entries.iter().try_for_each(|(key, json)| {
                        write_bytes(key.as_bytes(), out);
                        self.json(value, json, out)
                    })?;
                }
                out.push(0);
            }
            (Node::Record(place), Json::Object(object)) => {
                for field in &self.schema.records[*place].fields {
                    match object.get(&field.name) {
                        Some(json) => self.json(&field.node, json, out)?,
                        None => self.default(field, out).ok()?,
                    }
                }
            }
            (Node::Union(branches), json) => {
                for (index, branch) in branches.iter().enumerate() {
                    let mut value = Vec::new();
                    if self.json(branch, json, &mut value).is_some() {
                        write_long(index as i64, out);
                        out.extend_from_slice(&value);
                        return Some(());
                    }
                }
                return None;
            }
            _ => return None,
        }
        Some(())
    }
}

fn latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn unfit() -> WriteError {
    "the schema of the registry does not fit the columns".to_owned()
}

fn write_fields<'v>(
    fields: &[FieldOp],
    value: impl Fn(usize) -> Value<'v>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    for field in fields {
        match &field.from {
            From::Default(bytes) => out.extend_from_slice(bytes),
            From::Value(index) => {
                let value = value(*index);
                match &field.op {
                    Op::Optional { .. } | Op::Null => write(&field.op, value, out)?,
                    op if value.is_null() => match &field.default {
                        Some(default) => out.extend_from_slice(default),
                        None => return Err(required(&field.name, op)),
                    },
                    op => write(op, value, out)?,
                }
            }
        }
    }
    Ok(())
}

fn required(name: &str, op: &Op) -> WriteError {
    let ty = match op {
        Op::Null | Op::Optional { .. } => "NULL",
        Op::Boolean => "BOOLEAN",
        Op::Whole => "INT64",
        Op::Float => "FLOAT32",
        Op::Double => "FLOAT64",
        Op::Bytes | Op::Enum(_) => "STRING",
        Op::Fixed(_) => "BYTES",
        Op::Array(_) => "ARRAY",
        Op::Map(_) | Op::Entries(..) => "MAP",
        Op::Record(_) => "STRUCT",
    };
    format!("Invalid value: null used for required field: \"{name}\", schema type: {ty}")
}

fn write(op: &Op, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), WriteError> {
    match (op, value) {
        (Op::Optional { null, .. }, Value::Null) => write_long(*null as i64, out),
        (Op::Optional { other, op, .. }, value) => {
            write_long(*other as i64, out);
            write(op, value, out)?;
        }
        (Op::Null, _) => {}
        (op, Value::Null) => return Err(required("", op)),
        (Op::Boolean, Value::Boolean(value)) => out.push(value.into()),
        (Op::Whole, Value::Int(value) | Value::Date(value) | Value::Time(value)) => {
            write_long(value.into(), out);
        }
        (Op::Whole, Value::Bigint(value) | Value::Timestamp(value)) => write_long(value, out),
        (Op::Float, Value::Double(value)) => {
            out.extend_from_slice(&(value as f32).to_le_bytes());
        }
        (Op::Double, Value::Double(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (Op::Bytes, Value::String(text)) => write_bytes(&to_utf8_bytes(text), out),
        (Op::Bytes, Value::Bytes(bytes)) => write_bytes(bytes, out),
        (Op::Bytes, Value::Decimal(decimal)) => {
            write_bytes(&decimal.unscaled.to_signed_bytes_be(), out);
        }
        (Op::Fixed(size), Value::Bytes(bytes)) if bytes.len() == *size => {
            out.extend_from_slice(bytes);
        }
        (Op::Enum(symbols), Value::String(text)) => {
            let index = symbols.iter().position(|symbol| symbol == text);
            let index = index.ok_or_else(|| format!("{text} is no symbol of its enum"))?;
            write_long(index as i64, out);
        }
        (Op::Array(op), Value::Array(items)) => {
            write_items(items, out, |item, out| write(op, *item, out))?;
        }
        (Op::Map(op), Value::Map(entries)) => write_items(entries, out, |(key, value), out| {
            let Value::String(key) = key else { return Err(unfit()) };
            write_bytes(&to_utf8_bytes(key), out);
            write(op, *value, out)
        })?,
        (Op::Entries(key_op, op), Value::Map(entries)) => {
            write_items(entries, out, |(key, value), out| {
                write(key_op, *key, out)?;
                write(op, *value, out)
            })?;
        }
        (Op::Record(fields), Value::Struct(values)) => {
            let value = |index: usize| values.get(index).copied().unwrap_or_default();
            write_fields(fields, value, out)?;
        }
        _ => return Err(unfit()),
    }
    Ok(())
}

/// Appends one block of items, and the empty one that ends them.
fn write_items<T>(
    items: &[T],
    out: &mut Vec<u8>,
    mut write: impl FnMut(&T, &mut Vec<u8>) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    if !items.is_empty() {
        write_long(items.len() as i64, out);
        items.iter().try_for_each(|item| write(item, out))?;
    }
    out.push(0);
    Ok(())
}
