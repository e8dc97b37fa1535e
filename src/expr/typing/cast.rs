//! Which types can be cast to which.

use super::super::tree::{Expr, Node};
use super::super::type_error::TypeError;
use crate::types::SqlType;

impl Expr {
    /// `CAST(value AS to)`.
    pub fn cast(value: Expr, to: SqlType) -> Result<Self, TypeError> {
        if let Some(from) = &value.ty
            && !is_castable(from, &to)
        {
            return Err(TypeError::code(format!("Cast of {from} to {to} is not supported")));
        }
        Ok(Self::cast_unchecked(value, to))
    }

    /// A cast that is known to be possible.
    pub(super) fn cast_unchecked(value: Expr, to: SqlType) -> Self {
        let ty = Some(to.clone());
        Self::new(Node::Cast { value: Box::new(value), to }, ty)
    }
}

fn is_castable(from: &SqlType, to: &SqlType) -> bool {
    use SqlType::{
        Array, Bigint, Boolean, Bytes, Date, Decimal, Double, Int, Map, String, Struct, Time,
        Timestamp,
    };
    match (from, to) {
        (from, to) if from == to => true,
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (
            Decimal { .. }
            | Boolean
            | Int
            | Bigint
            | Double
            | Array(_)
            | Map(..)
            | Struct(_)
            | Timestamp
            | Date
            | Time,
            String,
        )
        | (
            String,
            Boolean | Int | Bigint | Double | Decimal { .. } | Timestamp | Date | Time | Bytes,
        )
        | (Timestamp, Time | Date)
        | (Date, Timestamp) => true,
        (Array(from), Array(to)) => is_castable(from, to),
        (Map(k1, v1), Map(k2, v2)) => is_castable(k1, k2) && is_castable(v1, v2),
        (Struct(from), Struct(to)) => from.fields.iter().all(|field| {
            to.field(&field.name).is_none_or(|(_, target)| is_castable(&field.ty, target))
        }),
        _ => false,
    }
}
