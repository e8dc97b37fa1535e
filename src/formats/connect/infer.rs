//! The columns that a schema of the registry stands for.

use super::{ConnectField, ConnectType};
use crate::types::{ColumnDef, SqlType, StructType};

/// How columns are made of a schema.
#[derive(Clone, Copy, Debug)]
pub(in crate::formats) struct Naming<'n> {
    /// What the only column is called if the schema is that of a bare value.
    pub(in crate::formats) single: Option<&'n str>,
    /// Whether names keep their case.
    pub(in crate::formats) keeps_case: bool,
}

/// A type that has no SQL type, for this reason.
struct Unsupported;

/// The columns, or ksqlDB's reason why there are none.
pub(in crate::formats) fn columns_of(
    ty: &ConnectType,
    naming: Naming<'_>,
) -> Result<Vec<ColumnDef>, String> {
    let single;
    let fields = match (naming.single, ty) {
        (Some(name), _) => {
            single = [ConnectField { name: name.to_owned(), ty: ty.clone() }];
            &single[..]
        }
        (None, ConnectType::Struct(fields)) => fields,
        (None, _) => {
            return Err("Schema returned from schema registry is anonymous type. To use this \
                        schema with ksqlDB, set 'WRAP_SINGLE_VALUE=false' in the WITH clause \
                        properties."
                .to_owned());
        }
    };
    let mut columns: Vec<ColumnDef> = Vec::new();
    for (name, ty) in sql_fields(fields, naming.keeps_case)? {
        columns.push(ColumnDef::new(name, ty));
    }
    if columns.is_empty() {
        return Err(
            "Schema does not include any columns with types that ksqlDB supports.".to_owned()
        );
    }
    Ok(columns)
}

/// The fields of a record that SQL has types for.
fn sql_fields(fields: &[ConnectField], keeps_case: bool) -> Result<Vec<(String, SqlType)>, String> {
    let mut found: Vec<(String, SqlType)> = Vec::new();
    for field in fields {
        let Ok(ty) = sql_type(&field.ty, keeps_case)? else { continue };
        let name = if keeps_case { field.name.clone() } else { field.name.to_uppercase() };
        if found.iter().any(|(other, _)| *other == name) {
            return Err(format!("Cannot create field because of field name duplication {name}"));
        }
        found.push((name, ty));
    }
    Ok(found)
}

fn sql_type(ty: &ConnectType, keeps_case: bool) -> Result<Result<SqlType, Unsupported>, String> {
    let ty = match ty {
        ConnectType::Boolean => SqlType::Boolean,
        ConnectType::Int8 | ConnectType::Int16 | ConnectType::Int32 => SqlType::Int,
        ConnectType::Int64 => SqlType::Bigint,
        ConnectType::Float32 | ConnectType::Float64 => SqlType::Double,
        ConnectType::String => SqlType::String,
        ConnectType::Bytes => SqlType::Bytes,
        ConnectType::Decimal { precision, scale } => {
            let Ok(scale) = u32::try_from(*scale) else { return Ok(Err(Unsupported)) };
            SqlType::Decimal { precision: *precision, scale }
        }
        ConnectType::Date => SqlType::Date,
        ConnectType::Time => SqlType::Time,
        ConnectType::Timestamp => SqlType::Timestamp,
        ConnectType::Array(item) => match sql_type(item, keeps_case)? {
            Ok(item) => SqlType::array(item),
            Err(reason) => return Ok(Err(reason)),
        },
        ConnectType::Map(key, value) => match (is_map_key(key), sql_type(value, keeps_case)?) {
            (true, Ok(value)) => SqlType::map(SqlType::String, value),
            _ => return Ok(Err(Unsupported)),
        },
        ConnectType::Struct(fields) => {
            SqlType::Struct(StructType::new(sql_fields(fields, keeps_case)?))
        }
    };
    Ok(Ok(ty))
}

/// Keys of other types than these are no keys in SQL; all that are become text.
fn is_map_key(ty: &ConnectType) -> bool {
    matches!(
        ty,
        ConnectType::Boolean
            | ConnectType::Int8
            | ConnectType::Int16
            | ConnectType::Int32
            | ConnectType::Int64
            | ConnectType::String
    )
}
