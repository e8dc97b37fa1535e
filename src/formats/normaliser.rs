//! What a row is after it was written and read again, without the bytes.
//!
//! Formats leave marks: Protobuf turns NULL into 0 or '', DELIMITED '' into NULL, JSON −0.0 into
//! 0.0, and each orders the entries of a MAP anew. Where rows pass from task to task in memory they
//! must look as if they had gone through a topic.

use super::map_order::in_map_order;
use super::{Format, FormatSpec, NullableRepresentation};
use crate::java::{DEFAULT_CAPACITY, from_utf16_units, is_lone_surrogate, utf16_units};
use crate::types::{Arena, Column, ColumnDef, Decimal, Rounding, SqlType, Value};

/// Normalises rows of some columns.
#[derive(Debug)]
pub struct Normaliser {
    format: Format,
    nullable: Option<NullableRepresentation>,
    columns: Vec<(SqlType, bool)>,
}

impl Normaliser {
    /// A normaliser for `columns`, which are written in `spec`'s format.
    pub fn new(spec: &FormatSpec, columns: &[ColumnDef]) -> Self {
        let mut normaliser =
            Self { format: spec.format, nullable: spec.nullable, columns: Vec::new() };
        let columns = columns
            .iter()
            .map(|column| (column.ty.clone(), normaliser.can_change(&column.ty, true)));
        normaliser.columns = columns.collect();
        normaliser
    }

    fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::JsonSr)
    }

    /// Whether no row of these columns can change.
    pub fn is_identity(&self) -> bool {
        self.columns.iter().all(|(_, can_change)| !can_change)
    }

    /// The columns of `rows` rows as they are after being written and read.
    pub fn normalise<'a>(
        &self,
        columns: Vec<Column<'a>>,
        rows: usize,
        arena: &'a Arena,
    ) -> Vec<Column<'a>> {
        let normalise = |(index, column)| self.column(index, column, rows, arena);
        columns.into_iter().enumerate().map(normalise).collect()
    }

    /// One column of `rows` rows, at `index` of the schema.
    pub fn column<'a>(
        &self,
        index: usize,
        column: Column<'a>,
        rows: usize,
        arena: &'a Arena,
    ) -> Column<'a> {
        let Some((ty, true)) = self.columns.get(index) else { return column };
        match column {
            Column::Absent => Column::Absent,
            Column::Constant(value) => Column::Constant(self.value(ty, value, true, arena)),
            column if !self.changes(ty, &column) => column,
            column => {
                let values = (0..rows).map(|row| self.value(ty, column.value(row), true, arena));
                Column::from_values(ty, values)
            }
        }
    }

    /// A single value of the column at `index` of the schema.
    pub fn single<'a>(&self, index: usize, value: Value<'a>, arena: &'a Arena) -> Value<'a> {
        match self.columns.get(index) {
            Some((ty, true)) => self.value(ty, value, true, arena),
            _ => value,
        }
    }

    /// Whether values of a type can change. `is_field` is false for the parts of ARRAY and MAP.
    fn can_change(&self, ty: &SqlType, is_field: bool) -> bool {
        let is_protobuf = self.format.is_protobuf();
        match ty {
            SqlType::Array(item) if !is_protobuf => self.can_change(item, false),
            SqlType::Struct(ty) if !is_protobuf => {
                ty.fields.iter().any(|field| self.can_change(&field.ty, true))
            }
            SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) | SqlType::String => true,
            SqlType::Double => self.is_json() || self.fills(ty, is_field),
            SqlType::Decimal { .. } => matches!(self.format, Format::Json | Format::Delimited),
            SqlType::Bytes => self.format == Format::Delimited || self.fills(ty, is_field),
            _ => self.fills(ty, is_field),
        }
    }

    /// Whether a NULL of this type becomes a default.
    fn fills(&self, ty: &SqlType, is_field: bool) -> bool {
        let is_scalar = matches!(
            ty,
            SqlType::Boolean
                | SqlType::Int
                | SqlType::Bigint
                | SqlType::Double
                | SqlType::String
                | SqlType::Bytes
        );
        let is_list = matches!(ty, SqlType::Array(_) | SqlType::Map(..));
        self.format.is_protobuf()
            && (is_list || !is_field || (is_scalar && self.nullable.is_none()))
    }

    /// Whether any value of a typed column changes: a quick look before all are made anew.
    fn changes(&self, ty: &SqlType, column: &Column<'_>) -> bool {
        match column {
            Column::Booleans(_, valid) | Column::Ints(_, valid) | Column::Bigints(_, valid) => {
                !valid.is_all_valid()
            }
            Column::Doubles(values, valid) => {
                let is_json = self.is_json();
                (self.fills(ty, true) && !valid.is_all_valid())
                    || (is_json && values.iter().any(|value| is_negative_zero(*value)))
                    || (self.format == Format::JsonSr && !values.iter().all(|v| v.is_finite()))
            }
            Column::Strings(values, valid) => {
                let is_delimited = self.format == Format::Delimited;
                (self.fills(ty, true) && !valid.is_all_valid())
                    || values
                        .iter()
                        .any(|text| (is_delimited && text.is_empty()) || has_lone_surrogate(text))
            }
            _ => true,
        }
    }

    fn value<'a>(
        &self,
        ty: &SqlType,
        value: Value<'a>,
        is_field: bool,
        arena: &'a Arena,
    ) -> Value<'a> {
        match (value, ty) {
            (Value::Null, ty) if self.fills(ty, is_field) => self.filled(ty, arena),
            // A number that is written as text is none to those who read it with a schema.
            (Value::Double(value), _) if self.format == Format::JsonSr && !value.is_finite() => {
                Value::Double(0.0)
            }
            (Value::Double(value), _) if self.is_json() && value == 0.0 => Value::Double(0.0),
            (Value::String("") | Value::Bytes([]), _) if self.format == Format::Delimited => {
                Value::Null
            }
            (Value::String(text), _) => Value::String(self.text(text, arena)),
            (Value::Decimal(value), SqlType::Decimal { scale, .. }) => {
                Value::Decimal(self.decimal(value, *scale, arena))
            }
            (Value::Array(items), SqlType::Array(ty)) => {
                let items: Vec<_> =
                    items.iter().map(|item| self.value(ty, *item, false, arena)).collect();
                Value::Array(arena.values(&items))
            }
            (Value::Struct(fields), SqlType::Struct(ty)) => {
                let fields = ty.fields.iter().zip(fields.iter());
                let fields: Vec<_> = fields
                    .map(|(field, value)| self.value(&field.ty, *value, true, arena))
                    .collect();
                Value::Struct(arena.values(&fields))
            }
            (Value::Map(entries), SqlType::Map(key_ty, ty)) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| {
                        let key = self.value(key_ty, *key, false, arena);
                        (key, self.value(ty, *value, false, arena))
                    })
                    .collect();
                let capacity =
                    if self.format == Format::Json { entries.len() } else { DEFAULT_CAPACITY };
                Value::Map(arena.entries(&in_map_order(&entries, capacity)))
            }
            (value, _) => value,
        }
    }

    /// What Protobuf reads where nothing was written.
    fn filled<'a>(&self, ty: &SqlType, arena: &'a Arena) -> Value<'a> {
        match ty {
            SqlType::Boolean => Value::Boolean(false),
            SqlType::Int => Value::Int(0),
            SqlType::Bigint => Value::Bigint(0),
            SqlType::Double => Value::Double(0.0),
            SqlType::String => Value::String(""),
            SqlType::Bytes => Value::Bytes(&[]),
            SqlType::Time => Value::Time(0),
            SqlType::Timestamp => Value::Timestamp(0),
            SqlType::Array(_) => Value::Array(&[]),
            SqlType::Map(..) => Value::Map(&[]),
            SqlType::Struct(ty) => {
                let fields: Vec<_> = ty
                    .fields
                    .iter()
                    .map(|field| self.value(&field.ty, Value::Null, true, arena))
                    .collect();
                Value::Struct(arena.values(&fields))
            }
            SqlType::Decimal { .. } | SqlType::Date => Value::Null,
        }
    }

    fn text<'a>(&self, text: &'a str, arena: &'a Arena) -> &'a str {
        if !has_lone_surrogate(text) {
            return text;
        }
        let joined = from_utf16_units(utf16_units(text));
        if self.is_json() {
            return arena.text(&joined);
        }
        let plain: String =
            joined.chars().map(|c| if is_lone_surrogate(c) { '?' } else { c }).collect();
        arena.text(&plain)
    }

    fn decimal<'a>(&self, value: &'a Decimal, scale: u32, arena: &'a Arena) -> &'a Decimal {
        let is_fitted = matches!(self.format, Format::Json | Format::Delimited);
        if !is_fitted || value.scale == scale as i32 {
            return value;
        }
        let fitted = value.set_scale(scale as i32, Rounding::Unnecessary);
        fitted.map_or(value, |value| arena.decimal(value))
    }
}

fn is_negative_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

fn has_lone_surrogate(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(is_lone_surrogate)
}
