//! Types as they are written. Custom types are resolved later, by those who have a catalog.

use super::{Name, Span};

/// A type and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// A type without parts. Parameters such as the 10 of `VARCHAR(10)` mean nothing and are not kept.
    Primitive(Primitive),
    /// `DECIMAL(precision, scale)`, not yet checked against the limits of either.
    Decimal {
        /// Number of digits.
        precision: i32,
        /// Number of digits after the point.
        scale: i32,
    },
    /// `ARRAY<element>`.
    Array(Box<Type>),
    /// `MAP<key, value>`.
    Map(Box<Type>, Box<Type>),
    /// `STRUCT<name type, …>`.
    Struct(Vec<Field>),
    /// Any other name: a custom type, or a type that does not exist.
    Custom(Name),
}

/// A type without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// `BOOLEAN`.
    Boolean,
    /// `INT` or `INTEGER`.
    Int,
    /// `BIGINT`.
    Bigint,
    /// `DOUBLE`.
    Double,
    /// `STRING` or `VARCHAR`.
    String,
    /// `BYTES`.
    Bytes,
    /// `DATE`.
    Date,
    /// `TIME`.
    Time,
    /// `TIMESTAMP`.
    Timestamp,
}

/// A field of a `STRUCT` type.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
}
