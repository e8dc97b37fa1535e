//! From parsed JSON to values of SQL types, as ksqlDB converts them.

use super::base64;
use super::tape::{Node, Number, Tape};
use crate::formats::decimal::{fit, read};
use crate::formats::map_order::in_map_order;
use crate::java::{is_lone_surrogate, parse_double, parse_int, parse_long};
use crate::types::{Arena, ColumnDef, Decimal, DecimalError, SqlType, Value};

/// How many milliseconds a day has.
const DAY_MS: i64 = 86_400_000;

/// Nesting beyond which a value is not rendered as text. Java's stack is as limited.
const DEPTH_MAX: usize = 2_000;

/// Why a value was refused, on its way from the value to the whole record.
#[derive(Debug)]
pub(super) enum Failure {
    /// An exception, with its message if it has one.
    Raised(Option<String>),
    /// One that has met ksqlDB's path: the message, and the parts of the path, innermost first.
    Coerced { message: String, parts: Vec<String> },
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self::Raised(Some(message.into()))
    }

    /// The failure of the value that the part of a path leads to.
    fn at(self, part: impl FnOnce() -> String) -> Self {
        match self {
            Self::Raised(Some(message)) => Self::Coerced { message, parts: vec![part()] },
            // An exception without a message is one too many for Java's null check.
            Self::Raised(None) => Self::new("message"),
            Self::Coerced { message, mut parts } => {
                parts.push(part());
                Self::Coerced { message, parts }
            }
        }
    }

    /// The messages of the exceptions, outermost first.
    pub(super) fn messages(self) -> Vec<String> {
        match self {
            Self::Raised(message) => message.into_iter().collect(),
            Self::Coerced { message, parts } => {
                let path = |depth: usize| parts[..depth].iter().rev().cloned().collect::<String>();
                let coerced = |depth| format!("{message}, path: {}", path(depth));
                let mut messages: Vec<_> = (1..=parts.len()).rev().map(coerced).collect();
                messages.push(message.clone());
                messages
            }
        }
    }
}

/// Converts values of one tape.
pub(super) struct Converter<'t, 'a> {
    pub(super) tape: &'t Tape<'t>,
    pub(super) arena: &'a Arena,
}

type Converted<'a> = Result<Value<'a>, Failure>;

impl<'a> Converter<'_, 'a> {
    /// Converts the root to a row, or to the only column if it is bare.
    pub(super) fn root(
        &self,
        columns: &[ColumnDef],
        wrapped: bool,
    ) -> Result<Option<Vec<Value<'a>>>, Failure> {
        if matches!(self.tape.nodes[0], Node::Null) {
            return Ok(None);
        }
        let root = || "$".to_owned();
        if !wrapped {
            let column = columns.first().map_or(&SqlType::String, |column| &column.ty);
            let value = self.convert(0, column).map_err(|failure| failure.at(root))?;
            return Ok(Some(vec![value]));
        }
        let fields = columns.iter().map(|column| (&*column.name, &column.ty));
        self.fields(0, fields).map(Some).map_err(|failure| failure.at(root))
    }

    /// Converts the node at `at`. NULL stays NULL.
    fn convert(&self, at: usize, ty: &SqlType) -> Converted<'a> {
        let node = &self.tape.nodes[at];
        match (ty, node) {
            (_, Node::Null) => Ok(Value::Null),
            (SqlType::Boolean, Node::Boolean(value)) => Ok(Value::Boolean(*value)),
            (SqlType::Int, _) => self.integer(at, ty, |number| Value::Int(number.to_int())),
            (SqlType::Bigint, _) => self.long(at, ty).map(Value::Bigint),
            (SqlType::Timestamp, _) => self.long(at, ty).map(Value::Timestamp),
            (SqlType::Date, _) => self.long(at, ty).map(|days| Value::Date(days as i32)),
            (SqlType::Time, _) => match self.long(at, ty)? {
                time @ 0..=DAY_MS => Ok(Value::Time(time as i32)),
                _ => Err(Failure::new(format!(
                    "Time values must use number of milliseconds greater than 0 and less than \
                     {DAY_MS}."
                ))),
            },
            (SqlType::Double, _) => self.double(at, ty),
            (SqlType::Decimal { precision, scale }, _) => {
                let decimal =
                    fit(&self.decimal(at, ty)?, *precision, *scale).map_err(Failure::new)?;
                Ok(Value::Decimal(self.arena.decimal(decimal)))
            }
            (SqlType::String, _) => self.text(at),
            (SqlType::Bytes, Node::Text(text)) => {
                let bytes = base64::decode(text).ok_or_else(|| {
                    Failure::new(format!("Value is not a valid Base64 encoded string: {text}"))
                })?;
                Ok(Value::Bytes(self.arena.bytes(&bytes)))
            }
            (SqlType::Array(item), Node::Array { .. }) => self.array(at, item),
            (SqlType::Map(_, value), Node::Object { .. }) => self.map(at, value),
            (SqlType::Struct(ty), Node::Object { .. }) => {
                let fields = ty.fields.iter().map(|field| (&*field.name, &field.ty));
                Ok(Value::Struct(self.arena.values(&self.fields(at, fields)?)))
            }
            _ => Err(self.refused(at, ty)),
        }
    }

    fn refused(&self, at: usize, ty: &SqlType) -> Failure {
        let source = self.tape.nodes[at].class_name();
        Failure::new(format!(
            "Can't convert type. sourceType: {source}, requiredType: {}",
            type_name(ty)
        ))
    }

    fn integer(
        &self,
        at: usize,
        ty: &SqlType,
        value: impl FnOnce(Number) -> Value<'a>,
    ) -> Converted<'a> {
        let node = &self.tape.nodes[at];
        if let Some(number) = node.number() {
            return Ok(value(number));
        }
        let Node::Text(text) = node else { return Err(self.refused(at, ty)) };
        parse_int(text).map(Value::Int).ok_or_else(|| not_coerced(ty))
    }

    fn long(&self, at: usize, ty: &SqlType) -> Result<i64, Failure> {
        let node = &self.tape.nodes[at];
        if let Some(number) = node.number() {
            return Ok(number.to_long());
        }
        let Node::Text(text) = node else { return Err(self.refused(at, ty)) };
        parse_long(text).ok_or_else(|| not_coerced(ty))
    }

    fn double(&self, at: usize, ty: &SqlType) -> Converted<'a> {
        let value = match &self.tape.nodes[at] {
            Node::Integer(text) | Node::Float(text) => Some(number_to_double(text)),
            Node::Text(text) => parse_double(text),
            _ => return Err(self.refused(at, ty)),
        };
        value.map(Value::Double).ok_or_else(|| not_coerced(ty))
    }

    fn decimal(&self, at: usize, ty: &SqlType) -> Result<Decimal, Failure> {
        let node = &self.tape.nodes[at];
        match (node, node.number()) {
            (_, Some(Number::Long(value))) => Ok(Decimal { unscaled: value.into(), scale: 0 }),
            (_, Some(Number::Decimal(value))) => Ok(value),
            (_, Some(Number::Vast(_))) => Err(Failure::new(DecimalError::TooLarge.to_string())),
            (_, Some(Number::Infinite(_))) => read("Infinity").map_err(Failure::Raised),
            (Node::Text(text), _) => read(text).map_err(Failure::Raised),
            _ => Err(self.refused(at, ty)),
        }
    }

    fn text(&self, at: usize) -> Converted<'a> {
        if self.tape.depth(at) > DEPTH_MAX {
            return Err(Failure::Raised(None));
        }
        Ok(Value::String(self.arena.text(&self.tape.to_text(at))))
    }

    fn array(&self, at: usize, item: &SqlType) -> Converted<'a> {
        let convert = |(index, at)| {
            self.convert(at, item).map_err(|failure| failure.at(|| format!("[{index}]")))
        };
        let items: Result<Vec<_>, _> = self.tape.items(at).enumerate().map(convert).collect();
        Ok(Value::Array(self.arena.values(&items?)))
    }

    fn map(&self, at: usize, ty: &SqlType) -> Converted<'a> {
        let mut entries = Vec::new();
        for (name, at) in self.tape.members(at) {
            let value =
                self.convert(at, ty).map_err(|failure| failure.at(|| format!(".{name}.value")))?;
            entries.push((Value::String(self.arena.text(name)), value));
        }
        let capacity = entries.len();
        Ok(Value::Map(self.arena.entries(&in_map_order(&entries, capacity))))
    }

    /// Converts the members of the object at `at` to fields.
    ///
    /// A field takes the member of exactly its name, else the last of those that are equal to it
    /// in capitals, else NULL.
    fn fields<'f>(
        &self,
        at: usize,
        fields: impl Iterator<Item = (&'f str, &'f SqlType)>,
    ) -> Result<Vec<Value<'a>>, Failure> {
        if !matches!(self.tape.nodes[at], Node::Object { .. }) {
            let fields = fields.map(|(name, ty)| (name, ty.clone()));
            let ty = SqlType::Struct(crate::types::StructType::new(fields));
            return Err(self.refused(at, &ty));
        }
        let members = self.tape.members(at);
        let upper: Vec<_> = members.iter().map(|(name, _)| to_upper(name)).collect();
        let find = |field: &str| {
            let exact = members.iter().position(|(name, _)| *name == field);
            exact.or_else(|| upper.iter().rposition(|name| name == field))
        };
        fields
            .map(|(name, ty)| match find(name) {
                None => Ok(Value::Null),
                Some(member) => self
                    .convert(members[member].1, ty)
                    .map_err(|failure| failure.at(|| format!(".{name}"))),
            })
            .collect()
    }
}

/// Java's `toUpperCase`, which leaves halves of surrogate pairs alone.
pub(super) fn to_upper(text: &str) -> String {
    if text.chars().any(is_lone_surrogate) {
        return text
            .chars()
            .map(|c| if is_lone_surrogate(c) { c.to_string() } else { c.to_uppercase().collect() })
            .collect();
    }
    text.to_uppercase()
}

/// The number as a DOUBLE. There is no negative zero, since `BigDecimal` has none.
pub(in crate::formats) fn number_to_double(text: &str) -> f64 {
    let value: f64 = text.parse().unwrap_or(f64::NAN);
    let is_zero = value == 0.0
        && text
            .bytes()
            .take_while(|byte| !matches!(byte, b'e' | b'E'))
            .all(|byte| matches!(byte, b'0' | b'.' | b'-'));
    if is_zero { 0.0 } else { value }
}

impl Number {
    fn to_int(&self) -> i32 {
        match self {
            // Java saturates from a double, and takes the low bits of everything else.
            Number::Infinite(value) => *value as i32,
            other => other.to_long() as i32,
        }
    }

    pub(in crate::formats) fn to_long(&self) -> i64 {
        match self {
            Number::Long(value) => *value,
            Number::Decimal(value) => value.to_i64(),
            Number::Vast(digits) => digits.to_i64(),
            Number::Infinite(value) => *value as i64,
        }
    }
}

fn not_coerced(ty: &SqlType) -> Failure {
    Failure::new(format!("Can't coerce string to type. targetType: {}", ty.base_name()))
}

/// The type as messages name it: base names of plain types, and SQL for the others.
fn type_name(ty: &SqlType) -> String {
    match ty {
        SqlType::Boolean
        | SqlType::Int
        | SqlType::Bigint
        | SqlType::Double
        | SqlType::Date
        | SqlType::Time
        | SqlType::Timestamp => ty.base_name().into(),
        _ => sql_name(ty),
    }
}

fn sql_name(ty: &SqlType) -> String {
    match ty {
        SqlType::Int => "INT".into(),
        SqlType::String => "VARCHAR".into(),
        SqlType::Array(item) => format!("ARRAY<{}>", sql_name(item)),
        SqlType::Map(key, value) => format!("MAP<{}, {}>", sql_name(key), sql_name(value)),
        SqlType::Struct(ty) if ty.fields.is_empty() => "STRUCT< >".into(),
        SqlType::Struct(ty) => {
            let field =
                |field: &crate::types::Field| format!("{} {}", field.name, sql_name(&field.ty));
            let fields: Vec<_> = ty.fields.iter().map(field).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// The type of a row of these columns, as messages name it.
pub(super) fn row_name(columns: &[ColumnDef], wrapped: bool) -> String {
    match columns {
        [column] if !wrapped => type_name(&column.ty),
        _ => {
            let fields = columns.iter().map(|column| (&*column.name, column.ty.clone()));
            sql_name(&SqlType::Struct(crate::types::StructType::new(fields)))
        }
    }
}
