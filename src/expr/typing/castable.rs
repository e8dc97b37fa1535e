//! What ksqlDB takes a CAST of.

use crate::types::SqlType;

/// Whether values of one type can be cast to another.
pub(super) fn is_castable(from: &SqlType, to: &SqlType) -> bool {
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
