//! Types as written, resolved against the catalog.

use std::collections::HashSet;

use super::faults::Faults;
use super::size::check_type;
use super::{Catalog, PlanError};
use crate::sql::ast::{self, Primitive, TypeKind};
use crate::sql::suggest::{self, NameKind};
use crate::types::{Field, SqlType, StructType};

/// The type that `ty` names, unless it is too large.
pub fn resolve_type(ty: &ast::Type, catalog: &Catalog) -> Result<SqlType, PlanError> {
    let resolved = resolve(ty, catalog)?;
    check_type(&resolved).map_err(|error| error.at(ty.span))?;
    Ok(resolved)
}

fn resolve(ty: &ast::Type, catalog: &Catalog) -> Result<SqlType, PlanError> {
    Ok(match &ty.kind {
        TypeKind::Primitive(primitive) => primitive_type(*primitive),
        TypeKind::Decimal { precision, scale } => decimal(*precision, *scale)?,
        TypeKind::Array(item) => SqlType::array(resolve(item, catalog)?),
        TypeKind::Map(key, value) => SqlType::map(resolve(key, catalog)?, resolve(value, catalog)?),
        TypeKind::Struct(fields) => {
            let mut resolved: Vec<Field> = Vec::with_capacity(fields.len());
            let mut names = HashSet::new();
            let mut faults = Faults::default();
            for field in fields {
                let name = field.name.text.as_str();
                let Some(ty) = faults.keep(resolve(&field.ty, catalog)) else { continue };
                if !names.insert(name)
                    && let Some(other) = resolved.iter().find(|other| &*other.name == name)
                {
                    let message = StructType::repeated(name, &other.ty, &ty);
                    faults.keep::<()>(Err(PlanError::prepare(message).at(field.name.span)));
                    continue;
                }
                resolved.push(Field { name: name.into(), ty });
            }
            faults.result(SqlType::Struct(StructType { fields: resolved.into() }))?
        }
        TypeKind::Custom(name) => {
            catalog.custom_type(&name.text).cloned().ok_or_else(|| unknown(name, ty, catalog))?
        }
    })
}

fn unknown(name: &ast::Name, ty: &ast::Type, catalog: &Catalog) -> PlanError {
    const OWN: [&str; 15] = [
        "BOOLEAN",
        "INT",
        "BIGINT",
        "DOUBLE",
        "DECIMAL",
        "STRING",
        "BYTES",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "ARRAY",
        "MAP",
        "STRUCT",
        "INTEGER",
        "VARCHAR",
    ];
    let customs = catalog.custom_types().map(|(name, _)| name);
    let names: Vec<&str> = customs.chain(OWN).collect();
    let error = PlanError::prepare(format!("Cannot resolve unknown type: {}", name.text));
    error.at(ty.span).maybe_help(suggest::help(NameKind::Type, &name.text, &names))
}

fn primitive_type(primitive: Primitive) -> SqlType {
    match primitive {
        Primitive::Boolean => SqlType::Boolean,
        Primitive::Int => SqlType::Int,
        Primitive::Bigint => SqlType::Bigint,
        Primitive::Double => SqlType::Double,
        Primitive::String => SqlType::String,
        Primitive::Bytes => SqlType::Bytes,
        Primitive::Date => SqlType::Date,
        Primitive::Time => SqlType::Time,
        Primitive::Timestamp => SqlType::Timestamp,
    }
}

fn decimal(precision: i32, scale: i32) -> Result<SqlType, PlanError> {
    let refuse = |message: String| Err(PlanError::prepare(message));
    if precision < 1 {
        return refuse(format!("DECIMAL precision must be >= 1: DECIMAL({precision},{scale})"));
    }
    if scale < 0 {
        return refuse(format!("DECIMAL scale must be >= 0: DECIMAL({precision},{scale})"));
    }
    if precision < scale {
        return refuse(format!("DECIMAL precision must be >= scale: DECIMAL({precision},{scale})"));
    }
    Ok(SqlType::Decimal { precision: precision.unsigned_abs(), scale: scale.unsigned_abs() })
}
