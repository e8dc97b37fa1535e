//! Kafka Connect's types, between which and SQL's ksqlDB converts for every format that has schemas
//! in the registry.
//!
//! ```text
//! a writer's schema ─▶ ConnectType ─┬─ infer ─▶ columns               (CREATE without columns)
//!                                   └─ Target(columns) ─▶ what is read into which column
//! ```

mod infer;
mod target;

pub(super) use infer::{Naming, columns_of};
pub(super) use target::{StructTarget, Target, struct_target, target};

use crate::types::SqlType;

/// What Kafka Connect calls a type of SQL.
pub(super) fn connect_name(ty: &SqlType) -> &'static str {
    match ty {
        SqlType::Boolean => "boolean",
        SqlType::Int | SqlType::Date | SqlType::Time => "int32",
        SqlType::Bigint | SqlType::Timestamp => "int64",
        SqlType::Double => "float64",
        SqlType::String => "string",
        SqlType::Bytes | SqlType::Decimal { .. } => "bytes",
        SqlType::Array(_) => "array",
        SqlType::Map(..) => "map",
        SqlType::Struct(_) => "struct",
    }
}

/// A type of Kafka Connect. All of them may be NULL.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ConnectType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    String,
    Bytes,
    Decimal { precision: u32, scale: i32 },
    Date,
    Time,
    Timestamp,
    Array(Box<ConnectType>),
    Map(Box<ConnectType>, Box<ConnectType>),
    Struct(Vec<ConnectField>),
}

/// A field of a STRUCT.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConnectField {
    pub(super) name: String,
    pub(super) ty: ConnectType,
}

/// The precision of a DECIMAL whose schema does not say it.
pub(super) const DECIMAL_PRECISION: u32 = 64;

impl ConnectType {
    /// What messages call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 | Self::Date | Self::Time => "int32",
            Self::Int64 | Self::Timestamp => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Bytes | Self::Decimal { .. } => "bytes",
            Self::Array(_) => "array",
            Self::Map(..) => "map",
            Self::Struct(_) => "struct",
        }
    }
}
