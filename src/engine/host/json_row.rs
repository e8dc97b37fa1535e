//! Rows that clients give as JSON objects, as values of columns.
//!
//! As ksqlDB's `ApiSqlValueCoercer`: a value becomes one of its column's type where nothing can be lost, and numbers and
//! texts become DECIMALs by rounding.

use serde_json::{Map, Number, Value as Json};

use super::HostError;
use crate::expr::{EvalError, fit_strictly};
use crate::java::double_to_string;
use crate::plan::{InsertedRow, Source};
use crate::runtime::clock;
use crate::sql::identifier_text;
use crate::types::{Arena, ColumnDef, Decimal, OwnedValue, Rounding, SqlType, Value};

/// The row of an object. Fields that are no columns are passed over; every column of the key has to be there.
pub(super) fn inserted(row: Map<String, Json>, source: &Source) -> Result<InsertedRow, HostError> {
    let fields = named(row);
    let mut key = Vec::with_capacity(source.schema.key.len());
    for column in &source.schema.key {
        let Some(value) = present(&fields, &column.name) else {
            let message = format!("Key field must be specified: {}", column.name);
            return Err(HostError::request(message));
        };
        key.push(of_column(value, column)?);
    }
    let value = source.schema.value.iter().map(|column| match present(&fields, &column.name) {
        Some(value) => of_column(value, column),
        None => Ok(OwnedValue::Null),
    });
    Ok(InsertedRow { key, value: value.collect::<Result<_, _>>()?, timestamp_ms: clock::now().0 })
}

/// The fields of an object, by the names that theirs stand for.
fn named(object: Map<String, Json>) -> Map<String, Json> {
    object.into_iter().map(|(name, value)| (identifier_text(&name), value)).collect()
}

fn present<'f>(fields: &'f Map<String, Json>, name: &str) -> Option<&'f Json> {
    fields.get(name).filter(|value| !value.is_null())
}

fn of_column(value: &Json, column: &ColumnDef) -> Result<OwnedValue, HostError> {
    let found = match (value, &column.ty) {
        (Json::Number(number), SqlType::Decimal { scale, .. }) => {
            decimal(&number_text(number), *scale).map(Some)
        }
        (value, ty) => coerced(value, ty),
    };
    match found {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(HostError::request(format!(
            "Can't coerce a field of type {} ({}) into type {}",
            class(value),
            shown(value),
            column.ty
        ))),
        Err(error) => Err(HostError::server(error.message)),
    }
}

/// A value as one of a type; none if it would not be the same.
fn coerced(value: &Json, ty: &SqlType) -> Result<Option<OwnedValue>, EvalError> {
    match (value, ty) {
        (Json::Null, _) => Ok(Some(OwnedValue::Null)),
        (Json::String(text), SqlType::Decimal { scale, .. }) => decimal(text, *scale).map(Some),
        (Json::Number(number), SqlType::Decimal { scale, .. }) if is_double(number) => {
            decimal(&number_text(number), *scale).map(Some)
        }
        (Json::Array(items), SqlType::Array(ty)) => {
            let items = items.iter().map(|item| coerced(item, ty));
            Ok(items.collect::<Result<Option<_>, _>>()?.map(OwnedValue::Array))
        }
        (Json::Object(entries), SqlType::Map(key_type, ty)) => {
            let entry = |(key, value): (&String, &Json)| {
                let key = coerced(&Json::String(key.clone()), key_type)?;
                Ok::<_, EvalError>(key.zip(coerced(value, ty)?))
            };
            let entries = entries.iter().map(entry);
            Ok(entries.collect::<Result<Option<_>, _>>()?.map(OwnedValue::Map))
        }
        (Json::Object(fields), SqlType::Struct(ty)) => {
            let given = named(fields.clone());
            let field = |field: &crate::types::Field| {
                given
                    .get(&*field.name)
                    .map_or(Ok(Some(OwnedValue::Null)), |value| coerced(value, &field.ty))
            };
            let fields = ty.fields.iter().map(field);
            Ok(fields.collect::<Result<Option<_>, _>>()?.map(OwnedValue::Struct))
        }
        (value, ty) => {
            let arena = Arena::new();
            let Some((value, from)) = scalar(value) else { return Ok(None) };
            if from == *ty {
                return Ok(Some(value.to_owned()));
            }
            Ok(fit_strictly(value, &from, ty, &arena)?.map(|value| value.to_owned()))
        }
    }
}

/// A value that has no parts, and the type that it has by itself.
fn scalar(value: &Json) -> Option<(Value<'_>, SqlType)> {
    match value {
        Json::Bool(value) => Some((Value::Boolean(*value), SqlType::Boolean)),
        Json::String(text) => Some((Value::String(text), SqlType::String)),
        Json::Number(number) if is_double(number) => {
            Some((Value::Double(number.as_f64()?), SqlType::Double))
        }
        Json::Number(number) => {
            let value = number.as_i64()?;
            Some(match i32::try_from(value) {
                Ok(value) => (Value::Int(value), SqlType::Int),
                Err(_) => (Value::Bigint(value), SqlType::Bigint),
            })
        }
        _ => None,
    }
}

fn decimal(text: &str, scale: u32) -> Result<OwnedValue, EvalError> {
    let scale = i32::try_from(scale).unwrap_or(i32::MAX);
    let value = Decimal::parse(text)?.set_scale(scale, Rounding::HalfUp)?;
    Ok(OwnedValue::Decimal(Box::new(value)))
}

/// Whether a number has a fraction or an exponent.
fn is_double(number: &Number) -> bool {
    number.as_str().contains(['.', 'e', 'E'])
}

/// A number as Java shows it.
fn number_text(number: &Number) -> String {
    match number.as_f64().filter(|_| is_double(number)) {
        Some(value) => double_to_string(value),
        None => number.to_string(),
    }
}

/// The class that a value has in ksqlDB, as Java names it.
fn class(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "class java.lang.Boolean",
        Json::String(_) => "class java.lang.String",
        Json::Array(_) => "class io.vertx.core.json.JsonArray",
        Json::Object(_) => "class io.vertx.core.json.JsonObject",
        Json::Number(number) if is_double(number) => "class java.lang.Double",
        Json::Number(number) => match number.as_i64().map(i32::try_from) {
            Some(Ok(_)) => "class java.lang.Integer",
            Some(Err(_)) => "class java.lang.Long",
            None => "class java.math.BigInteger",
        },
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number_text(number),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: &Json, ty: &SqlType, expected: Result<OwnedValue, &str>) {
        let column = ColumnDef { name: "C".into(), ty: ty.clone() };
        let found = of_column(value, &column);
        assert_eq!(
            found.map_err(|error| error.message),
            expected.map_err(str::to_owned),
            "{value}"
        );
    }

    #[test]
    fn values_keep_what_they_are() {
        let decimal = SqlType::Decimal { precision: 6, scale: 2 };
        let of = |text: &str| Ok(OwnedValue::Decimal(Box::new(Decimal::parse(text).unwrap())));
        check(&json!(5), &SqlType::Bigint, Ok(OwnedValue::Bigint(5)));
        check(&json!(5), &SqlType::Double, Ok(OwnedValue::Double(5.0)));
        check(&json!(1.005), &decimal, of("1.01"));
        check(&json!("7.1"), &decimal, of("7.10"));
        check(&json!(7), &decimal, of("7.00"));
        check(&json!("2024-02-29"), &SqlType::Date, Ok(OwnedValue::Date(19_782)));
        let list = SqlType::array(SqlType::Bigint);
        let expected = OwnedValue::Array(vec![OwnedValue::Bigint(1), OwnedValue::Null]);
        check(&json!([1, null]), &list, Ok(expected));
    }

    #[test]
    fn what_would_change_is_refused_in_ksqldbs_words() {
        check(
            &json!("x"),
            &SqlType::Int,
            Err("Can't coerce a field of type class java.lang.String (x) into type INTEGER"),
        );
        check(
            &json!(3_000_000_000_i64),
            &SqlType::Int,
            Err("Can't coerce a field of type class java.lang.Long (3000000000) into type INTEGER"),
        );
        check(
            &json!({"a": 1}),
            &SqlType::String,
            Err(
                "Can't coerce a field of type class io.vertx.core.json.JsonObject ({\"a\":1}) into type STRING",
            ),
        );
    }
}
