//! What is read into which column, worked out once for a writer's schema.
//!
//! Fields are found by name in any case. A type that does not fit is an error of each record that
//! reaches it, NULL or not, as in ksqlDB.

use super::{ConnectField, ConnectType, connect_name};
use crate::types::{ColumnDef, SqlType};

/// What becomes of a value of a writer's type.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) enum Target {
    /// It is not read.
    Skipped,
    /// It cannot be read, and this is the message.
    Mismatch(String),
    Boolean,
    Int,
    Bigint,
    Double,
    /// Text, or a number or a boolean as Java prints it.
    String,
    Bytes,
    Decimal,
    Date,
    Time,
    Timestamp,
    Array(Box<Target>),
    /// The values of a map; its keys become text.
    Map(Box<Target>),
    Struct(StructTarget),
}

/// What becomes of the fields of a writer's record.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) struct StructTarget {
    /// For each of the writer's fields, in its order: the column, and what becomes of the value.
    pub(in crate::formats) fields: Vec<(usize, Target)>,
    /// How many columns there are.
    pub(in crate::formats) columns: usize,
    /// The columns that the writer does not have.
    pub(in crate::formats) missing: Vec<usize>,
}

impl StructTarget {
    /// The message of the first field that cannot be read in any record, if there is one.
    pub(in crate::formats) fn mismatch(&self) -> Option<&str> {
        // Columns are looked at in their own order.
        let mut found: Vec<_> = self
            .fields
            .iter()
            .filter_map(|(column, target)| match target {
                Target::Mismatch(message) => Some((*column, message.as_str())),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found.first().map(|(_, message)| *message)
    }
}

/// What becomes of the fields of a record that holds `columns`.
pub(in crate::formats) fn struct_target(
    fields: &[ConnectField],
    columns: &[ColumnDef],
    path: &str,
) -> StructTarget {
    let columns: Vec<_> = columns.iter().map(|column| (&*column.name, &column.ty)).collect();
    of_fields(fields, &columns, path)
}

fn of_fields(fields: &[ConnectField], columns: &[(&str, &SqlType)], path: &str) -> StructTarget {
    let upper: Vec<_> = fields.iter().map(|field| field.name.to_uppercase()).collect();
    let mut targets: Vec<_> = fields.iter().map(|_| (0, Target::Skipped)).collect();
    let mut missing = Vec::new();
    for (index, (name, ty)) in columns.iter().enumerate() {
        let wanted = name.to_uppercase();
        match upper.iter().rposition(|name| *name == wanted) {
            Some(at) => {
                targets[at] = (index, target(&fields[at].ty, ty, &format!("{path}->{name}")));
            }
            None => missing.push(index),
        }
    }
    StructTarget { fields: targets, columns: columns.len(), missing }
}

/// What becomes of a value that is read as `ty`; `path` leads to it.
pub(in crate::formats) fn target(from: &ConnectType, ty: &SqlType, path: &str) -> Target {
    use ConnectType as C;
    match (ty, from) {
        (SqlType::Boolean, C::Boolean) => Target::Boolean,
        (SqlType::Int, C::Int8 | C::Int16 | C::Int32 | C::Date | C::Time) => Target::Int,
        (SqlType::Bigint, C::Int8 | C::Int16 | C::Int32 | C::Int64 | C::Timestamp) => {
            Target::Bigint
        }
        (SqlType::Double, C::Float32 | C::Float64) => Target::Double,
        (
            SqlType::String,
            C::Boolean
            | C::Int8
            | C::Int16
            | C::Int32
            | C::Int64
            | C::Float32
            | C::Float64
            | C::String,
        ) => Target::String,
        (SqlType::Bytes, C::Bytes) => Target::Bytes,
        (SqlType::Decimal { .. }, C::Decimal { .. }) => Target::Decimal,
        (SqlType::Date, C::Date | C::Int32 | C::Int16 | C::Int8) => Target::Date,
        (SqlType::Time, C::Time | C::Int32 | C::Int16 | C::Int8) => Target::Time,
        (SqlType::Timestamp, C::Timestamp | C::Int64) => Target::Timestamp,
        (SqlType::Array(item), C::Array(from)) => {
            Target::Array(Box::new(target(from, item, &format!("{path}->ARRAY"))))
        }
        (SqlType::Map(_, value), C::Map(_, from)) => {
            Target::Map(Box::new(target(from, value, &format!("{path}->MAP_VAL"))))
        }
        (SqlType::Struct(ty), C::Struct(fields)) => {
            let columns: Vec<_> = ty.fields.iter().map(|field| (&*field.name, &field.ty)).collect();
            Target::Struct(of_fields(fields, &columns, path))
        }
        _ => Target::Mismatch(format!(
            "Cannot deserialize type {} as type {} for path: {path}",
            from.name(),
            connect_name(ty)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_find_their_fields_in_any_case() {
        let field = |name: &str, ty| ConnectField { name: name.to_owned(), ty };
        let fields = [
            field("other", ConnectType::Bytes),
            field("deviceId", ConnectType::Int32),
            field("v", ConnectType::Int64),
        ];
        let columns = [
            ColumnDef::new("V", SqlType::Int),
            ColumnDef::new("DEVICEID", SqlType::Bigint),
            ColumnDef::new("NEW", SqlType::String),
        ];
        let found = struct_target(&fields, &columns, "");
        let mismatch = "Cannot deserialize type int64 as type int32 for path: ->V";
        assert_eq!(found.mismatch(), Some(mismatch));
        assert_eq!(
            found.fields,
            [(0, Target::Skipped), (1, Target::Bigint), (0, Target::Mismatch(mismatch.to_owned()))]
        );
        assert_eq!(found.missing, [2]);
    }
}
