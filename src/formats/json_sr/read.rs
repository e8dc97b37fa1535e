//! Records of one JSON schema: the plain way over a tape, and for flat records the fast one of JSON.
//!
//! The schema says how a value is taken, and nothing is validated: text where a number should be is
//! 0, as in Confluent's converter.

use serde_json::Value as Json;

use super::schema::{Kind, Node, Property};
use crate::formats::connect::{ConnectType, StructTarget, Target, struct_target, target};
use crate::formats::json::{self, Scan, Tape, TapeNode, TapeNumber};
use crate::formats::maps::map_value;
use crate::formats::rows::{Outcome, Rows};
use crate::java::double_to_string;
use crate::types::{Arena, ColumnDef, Decimal, Value};

/// How deeply values may be nested.
const DEPTH_MAX: usize = 500;

/// Why a record cannot be read.
#[derive(Debug, PartialEq)]
pub(in crate::formats) enum ReadError {
    /// It is no JSON.
    Parse(String),
    /// A value is not what its schema or its column takes.
    Convert(String),
}

/// Reads the records of one schema.
#[derive(Debug)]
pub(in crate::formats) struct JsonSrReader {
    node: Node,
    shape: Shape,
    /// For each column the property that it takes, if all can be read the fast way.
    fast: Option<Vec<ColumnDef>>,
}

#[derive(Debug)]
enum Shape {
    /// An object, whose members are columns: always [`Target::Struct`].
    Fields(Target),
    Bare(Target),
    Mismatch(String),
}

impl JsonSrReader {
    /// Reads `columns` from records of a schema; the error is that of each record.
    pub(super) fn new(node: Node, columns: &[ColumnDef], wrapped: bool) -> Self {
        let ty = node.connect_type();
        let shape = match (&ty, columns) {
            (ty, [column]) if !wrapped => Shape::Bare(target(ty, &column.ty, "")),
            (ConnectType::Struct(fields), columns) => {
                let target = struct_target(fields, columns, "");
                match target.mismatch() {
                    Some(message) => Shape::Mismatch(message.to_owned()),
                    None => Shape::Fields(Target::Struct(target)),
                }
            }
            (ty, _) => Shape::Mismatch(format!(
                "Cannot deserialize type {} as type struct for path: ",
                ty.name()
            )),
        };
        let fast = match (&shape, &node.kind) {
            (Shape::Fields(Target::Struct(target)), Kind::Struct(properties)) => {
                fast_columns(target, properties, columns)
            }
            _ => None,
        };
        Self { node, shape, fast }
    }

    pub(in crate::formats) fn read<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
        scan: &mut Scan,
    ) -> Result<Outcome, ReadError> {
        if let Some(columns) = &self.fast
            && scan.read(bytes, columns, rows)
        {
            return Ok(Outcome::Row);
        }
        let utf8 = json::to_utf8(bytes).map_err(ReadError::Parse)?;
        let tape = json::read_tape(&utf8, bytes).map_err(ReadError::Parse)?;
        let Some(tape) = tape else {
            return Err(ReadError::Parse("No content to map due to end-of-input".to_owned()));
        };
        let reading = Reading { tape: &tape, arena };
        match &self.shape {
            Shape::Mismatch(message) => Err(ReadError::Convert(message.clone())),
            Shape::Bare(target) => {
                let value = reading.value(Some(0), &self.node, target, 0)?;
                if value.is_null() {
                    return Ok(Outcome::Null);
                }
                rows.push(0, value);
                Ok(Outcome::Row)
            }
            Shape::Fields(target) => match reading.value(Some(0), &self.node, target, 0)? {
                Value::Struct(row) => {
                    rows.push_row(row);
                    Ok(Outcome::Row)
                }
                _ => Ok(Outcome::Null),
            },
        }
    }
}

/// The columns with the names of their properties, if each is read as plain JSON is.
fn fast_columns(
    target: &StructTarget,
    properties: &[Property],
    columns: &[ColumnDef],
) -> Option<Vec<ColumnDef>> {
    // A name that no member has, since it is no text that is read the fast way.
    let mut fast: Vec<_> =
        columns.iter().map(|column| ColumnDef::new("\0", column.ty.clone())).collect();
    for (property, (column, target)) in properties.iter().zip(&target.fields) {
        let node = &property.node;
        let is_plain = matches!(
            (&node.kind, target),
            (Kind::Boolean, Target::Boolean)
                | (Kind::Int32, Target::Int)
                | (Kind::Int64, Target::Bigint)
                | (Kind::Float64, Target::Double)
                | (Kind::String, Target::String)
                | (Kind::Timestamp, Target::Timestamp)
        );
        match target {
            Target::Skipped if node.default.is_none() => {}
            _ if is_plain && node.is_optional && node.default.is_none() => {
                fast[*column] = ColumnDef::new(property.name.as_str(), columns[*column].ty.clone());
            }
            _ => return None,
        }
    }
    Some(fast)
}

struct Reading<'t, 'a> {
    tape: &'t Tape<'t>,
    arena: &'a Arena,
}

type Converted<'a> = Result<Value<'a>, ReadError>;

fn fault<T>(message: impl Into<String>) -> Result<T, ReadError> {
    Err(ReadError::Convert(message.into()))
}

impl<'a> Reading<'_, 'a> {
    /// The value at a place, or that of a member that is not there.
    fn value(
        &self,
        at: Option<usize>,
        node: &Node,
        target: &Target,
        depth: usize,
    ) -> Converted<'a> {
        if depth > DEPTH_MAX {
            return fault("java.lang.StackOverflowError");
        }
        if let Target::Mismatch(message) = target {
            return fault(message.clone());
        }
        let present = at.filter(|at| !matches!(self.tape.nodes[*at], TapeNode::Null));
        let Some(at_value) = present else {
            return match (&node.default, at) {
                (Some(default), _) => Ok(self.default(default, target)),
                (None, None) => Ok(Value::Null),
                (None, Some(_)) if node.is_optional => Ok(Value::Null),
                _ => fault(format!(
                    "Invalid null value for required {} field",
                    node.connect_type().name().to_uppercase()
                )),
            };
        };
        self.present(at_value, &node.kind, target, depth)
    }

    fn present(&self, at: usize, kind: &Kind, target: &Target, depth: usize) -> Converted<'a> {
        match (kind, target) {
            (Kind::Struct(properties), Target::Struct(target)) => {
                self.record(at, properties, target, depth)
            }
            (Kind::Choice(properties), Target::Struct(target)) => {
                self.choice(at, properties, target, depth)
            }
            (Kind::Array(item), Target::Array(target)) => {
                let items = self.items(at).map(|at| self.value(Some(at), item, target, depth + 1));
                let items = items.collect::<Result<Vec<_>, _>>()?;
                Ok(Value::Array(self.arena.values(&items)))
            }
            (Kind::Map(key, value), Target::Map(target)) => {
                self.map(at, (key, value), target, depth)
            }
            _ => self.scalar(at, kind, target),
        }
    }

    /// The items of an array; anything else has none.
    fn items(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let is_array = matches!(self.tape.nodes[at], TapeNode::Array { .. });
        is_array.then(|| self.tape.items(at)).into_iter().flatten()
    }

    fn record(
        &self,
        at: usize,
        properties: &[Property],
        target: &StructTarget,
        depth: usize,
    ) -> Converted<'a> {
        if !matches!(self.tape.nodes[at], TapeNode::Object { .. }) {
            return fault(format!(
                "Structs should be encoded as JSON objects, but found {}",
                self.kind_name(at)
            ));
        }
        let members = self.tape.members(at);
        let mut values = vec![Value::Null; target.columns];
        for (property, (column, target)) in properties.iter().zip(&target.fields) {
            let found = members.iter().find(|(name, _)| *name == property.name);
            let at = found.map(|(_, at)| *at);
            if *target == Target::Skipped {
                // What is not read is converted all the same in Java.
                let is_null = at.is_some_and(|at| matches!(self.tape.nodes[at], TapeNode::Null));
                if is_null && !property.node.is_optional && property.node.default.is_none() {
                    self.value(at, &property.node, &Target::Boolean, depth + 1)?;
                }
                continue;
            }
            values[*column] = self.value(at, &property.node, target, depth + 1)?;
        }
        Ok(Value::Struct(self.arena.values(&values)))
    }

    /// The first type of a choice that the value is of.
    fn choice(
        &self,
        at: usize,
        properties: &[Property],
        target: &StructTarget,
        depth: usize,
    ) -> Converted<'a> {
        let mut values = vec![Value::Null; target.columns];
        let found = properties.iter().position(|property| self.is_of(at, &property.node.kind));
        let Some(found) = found else {
            return fault(format!("Did not find matching oneof field for data: {}", self.text(at)));
        };
        let (column, target) = &target.fields[found];
        if *target != Target::Skipped {
            values[*column] = self.value(Some(at), &properties[found].node, target, depth + 1)?;
        }
        Ok(Value::Struct(self.arena.values(&values)))
    }

    fn is_of(&self, at: usize, kind: &Kind) -> bool {
        let node = &self.tape.nodes[at];
        match kind {
            Kind::Boolean => matches!(node, TapeNode::Boolean(_)),
            Kind::Int8
            | Kind::Int16
            | Kind::Int32
            | Kind::Int64
            | Kind::Date
            | Kind::Time
            | Kind::Timestamp => matches!(node, TapeNode::Integer(_)),
            Kind::Float32 | Kind::Float64 | Kind::Decimal { .. } => {
                matches!(node, TapeNode::Integer(_) | TapeNode::Float(_))
            }
            Kind::String | Kind::Bytes => matches!(node, TapeNode::Text(_)),
            Kind::Array(_) => matches!(node, TapeNode::Array { .. }),
            Kind::Map(..) => matches!(node, TapeNode::Array { .. } | TapeNode::Object { .. }),
            Kind::Struct(_) => matches!(node, TapeNode::Object { .. }),
            Kind::Choice(properties) => {
                properties.iter().any(|property| self.is_of(at, &property.node.kind))
            }
        }
    }

    fn map(
        &self,
        at: usize,
        (key, value): (&Node, &Node),
        target: &Target,
        depth: usize,
    ) -> Converted<'a> {
        let mut entries = Vec::new();
        match self.tape.nodes[at] {
            TapeNode::Object { .. } => {
                for (name, at) in self.tape.members(at) {
                    let value = self.value(Some(at), value, target, depth + 1)?;
                    entries.push((Value::String(self.arena.text(name)), value));
                }
            }
            TapeNode::Array { .. } => {
                for at in self.items(at) {
                    let members = match self.tape.nodes[at] {
                        TapeNode::Object { .. } => self.tape.members(at),
                        _ => Vec::new(),
                    };
                    let part = |name: &str| {
                        members.iter().find(|(member, _)| *member == name).map(|(_, at)| *at)
                    };
                    let key = self.value(part("key"), key, &Target::String, depth + 1)?;
                    entries.push((key, self.value(part("value"), value, target, depth + 1)?));
                }
            }
            _ => {
                return fault(format!(
                    "Maps with non-string fields should be encoded as JSON array of objects, but \
                     found {}",
                    self.kind_name(at)
                ));
            }
        }
        Ok(map_value(entries, self.arena))
    }

    fn scalar(&self, at: usize, kind: &Kind, target: &Target) -> Converted<'a> {
        let node = &self.tape.nodes[at];
        let long = || node.number().map_or(0, |number| number.to_long());
        let double = || match node {
            TapeNode::Integer(text) | TapeNode::Float(text) => json::number_to_double(text),
            _ => 0.0,
        };
        Ok(match kind {
            Kind::Boolean => {
                let value = matches!(node, TapeNode::Boolean(true));
                match target {
                    Target::String => Value::String(if value { "true" } else { "false" }),
                    _ => Value::Boolean(value),
                }
            }
            Kind::Int8 => self.whole((long() as i8).into(), target),
            Kind::Int16 => self.whole((long() as i16).into(), target),
            Kind::Int32 | Kind::Date | Kind::Time => self.whole((long() as i32).into(), target),
            Kind::Int64 | Kind::Timestamp => self.whole(long(), target),
            Kind::Float32 => self.real(f64::from(double() as f32), target),
            Kind::Float64 => self.real(double(), target),
            Kind::String => match node {
                TapeNode::Text(text) => Value::String(self.arena.text(text)),
                _ => Value::Null,
            },
            Kind::Bytes => match node {
                TapeNode::Text(text) => match json::decode_base64(text) {
                    Some(bytes) => Value::Bytes(self.arena.bytes(&bytes)),
                    None => return fault("Invalid bytes field"),
                },
                _ => Value::Null,
            },
            Kind::Decimal { scale, .. } => self.decimal(at, *scale)?,
            Kind::Array(_) | Kind::Map(..) | Kind::Struct(_) | Kind::Choice(_) => Value::Null,
        })
    }

    fn whole(&self, value: i64, target: &Target) -> Value<'a> {
        match target {
            Target::Int => Value::Int(value as i32),
            Target::Date => Value::Date(value as i32),
            Target::Time => Value::Time(value as i32),
            Target::Timestamp => Value::Timestamp(value),
            Target::String => Value::String(self.arena.text(&value.to_string())),
            _ => Value::Bigint(value),
        }
    }

    fn real(&self, value: f64, target: &Target) -> Value<'a> {
        match target {
            Target::String => Value::String(self.arena.text(&double_to_string(value))),
            _ => Value::Double(value),
        }
    }

    fn decimal(&self, at: usize, scale: i32) -> Converted<'a> {
        let decimal = match (&self.tape.nodes[at], self.tape.nodes[at].number()) {
            (_, Some(TapeNumber::Long(value))) => Decimal { unscaled: value.into(), scale: 0 },
            (_, Some(TapeNumber::Decimal(decimal))) => decimal,
            (TapeNode::Text(text), _) => match json::decode_base64(text) {
                Some(bytes) if !bytes.is_empty() => {
                    Decimal { unscaled: num_bigint::BigInt::from_signed_bytes_be(&bytes), scale }
                }
                _ => return fault("Invalid bytes for Decimal field"),
            },
            _ => return fault("Invalid type for Decimal, expected numeric or binary"),
        };
        Ok(Value::Decimal(self.arena.decimal(decimal)))
    }

    /// What stands for a value that is not there.
    fn default(&self, json: &Json, target: &Target) -> Value<'a> {
        match (json, target) {
            (Json::Bool(value), Target::Boolean) => Value::Boolean(*value),
            (Json::String(text), Target::String) => Value::String(self.arena.text(text)),
            (Json::Number(number), Target::Double) => {
                number.as_f64().map_or(Value::Null, Value::Double)
            }
            (
                Json::Number(number),
                Target::Int | Target::Bigint | Target::Date | Target::Time | Target::Timestamp,
            ) => number.as_i64().map_or(Value::Null, |value| self.whole(value, target)),
            _ => Value::Null,
        }
    }

    fn text(&self, at: usize) -> String {
        self.tape.to_text(at).into_owned()
    }

    /// Jackson's name for the kind of a node.
    fn kind_name(&self, at: usize) -> &'static str {
        match self.tape.nodes[at] {
            TapeNode::Null => "NULL",
            TapeNode::Boolean(_) => "BOOLEAN",
            TapeNode::Integer(_) | TapeNode::Float(_) => "NUMBER",
            TapeNode::Text(_) | TapeNode::Name(_) => "STRING",
            TapeNode::Array { .. } => "ARRAY",
            TapeNode::Object { .. } => "OBJECT",
        }
    }
}
