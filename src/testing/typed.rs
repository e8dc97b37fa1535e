//! JSON of a case as values of SQL types, and values as what a case expects.
//!
//! For formats that have a schema: field names match in any case, numbers may be texts, BYTES are
//! base64.

use num_bigint::BigInt;
use serde_json::Value as Json;

use super::actual::Actual;
use super::case::from_base64;
use super::json_text;
use super::number::Number;
use crate::types::{ColumnDef, Decimal, OwnedValue, SqlType, Value};

/// The values of columns. A single column that is not wrapped is the JSON itself.
pub(super) fn row(columns: &[ColumnDef], is_wrapped: bool, json: &Json) -> Option<Vec<OwnedValue>> {
    match (columns, json) {
        ([only], json) if !is_wrapped => Some(vec![value(&only.ty, json)?]),
        (columns, Json::Object(fields)) => columns
            .iter()
            .map(|column| value(&column.ty, field(fields, &column.name).unwrap_or(&Json::Null)))
            .collect(),
        _ => None,
    }
}

fn field<'j>(fields: &'j serde_json::Map<String, Json>, name: &str) -> Option<&'j Json> {
    fields.get(name).or_else(|| {
        let found = fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    })
}

/// The value of type `ty` that `json` stands for.
fn value(ty: &SqlType, json: &Json) -> Option<OwnedValue> {
    if json.is_null() {
        return Some(OwnedValue::Null);
    }
    let text = || match json {
        Json::String(text) => text.clone(),
        other => {
            let mut text = String::new();
            json_text::write(other, &mut text);
            text
        }
    };
    let whole = || Number::parse(&text())?.truncated();
    let int = || i32::try_from(whole()?).ok();
    Some(match ty {
        SqlType::Boolean => OwnedValue::Boolean(text().parse().ok()?),
        SqlType::Int => OwnedValue::Int(int()?),
        SqlType::Bigint => OwnedValue::Bigint(whole()?),
        SqlType::Double => OwnedValue::Double(text().parse().ok()?),
        SqlType::Decimal { scale, .. } => OwnedValue::Decimal(Box::new(decimal(&text(), *scale)?)),
        SqlType::String => OwnedValue::String(text().into()),
        SqlType::Bytes => OwnedValue::Bytes(from_base64(&text())?.into()),
        SqlType::Date => OwnedValue::Date(int()?),
        SqlType::Time => OwnedValue::Time(int()?),
        SqlType::Timestamp => OwnedValue::Timestamp(whole()?),
        SqlType::Array(item) => {
            let items = json.as_array()?.iter().map(|json| value(item, json));
            OwnedValue::Array(items.collect::<Option<_>>()?)
        }
        SqlType::Map(key, item) => {
            let entry = |(name, json): (&String, &Json)| {
                Some((value(key, &Json::String(name.clone()))?, value(item, json)?))
            };
            OwnedValue::Map(json.as_object()?.iter().map(entry).collect::<Option<_>>()?)
        }
        SqlType::Struct(ty) => {
            let fields = json.as_object()?;
            let values = ty.fields.iter().map(|declared| {
                value(&declared.ty, field(fields, &declared.name).unwrap_or(&Json::Null))
            });
            OwnedValue::Struct(values.collect::<Option<_>>()?)
        }
    })
}

fn decimal(text: &str, scale: u32) -> Option<Decimal> {
    let number = Number::parse(text)?;
    let missing = u32::try_from(i64::from(scale) - number.scale).ok()?;
    let unscaled = number.unscaled * BigInt::from(10).pow(missing);
    Some(Decimal { unscaled, scale: i32::try_from(scale).ok()? })
}

/// A value as a case's expectation sees it.
pub(super) fn actual(ty: &SqlType, value: Value<'_>) -> Actual {
    match (value, ty) {
        (Value::Boolean(value), _) => Actual::Boolean(value),
        (Value::Int(value) | Value::Date(value) | Value::Time(value), _) => {
            Actual::Whole(value.into())
        }
        (Value::Bigint(value) | Value::Timestamp(value), _) => Actual::Whole(value),
        (Value::Double(value), _) => Actual::Double(value),
        (Value::Decimal(value), _) => {
            Actual::Decimal(format!("{}E{}", value.unscaled, -i64::from(value.scale)))
        }
        (Value::String(value), _) => Actual::Text(value.to_owned()),
        (Value::Bytes(value), _) => Actual::Bytes(value.to_vec()),
        (Value::Array(items), SqlType::Array(item)) => {
            Actual::List(items.iter().map(|value| actual(item, *value)).collect())
        }
        (Value::Map(entries), SqlType::Map(_, item)) => {
            let entry = |(key, value): &(Value<'_>, Value<'_>)| {
                let key = match key {
                    Value::String(key) => (*key).to_owned(),
                    other => actual(&SqlType::String, *other).to_string(),
                };
                (key, actual(item, *value))
            };
            Actual::Map(entries.iter().map(entry).collect())
        }
        (Value::Struct(values), SqlType::Struct(ty)) => Actual::Map(
            ty.fields
                .iter()
                .zip(values)
                .map(|(field, value)| (field.name.to_string(), actual(&field.ty, *value)))
                .collect(),
        ),
        _ => Actual::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Arena, StructType};

    #[test]
    fn json_goes_to_values_and_back() {
        let ty = SqlType::Struct(StructType::new([
            ("A", SqlType::Decimal { precision: 6, scale: 3 }),
            ("B", SqlType::array(SqlType::Bigint)),
            ("C", SqlType::Bytes),
        ]));
        let columns = [ColumnDef::new("S", ty.clone())];
        let json = serde_json::json!({ "s": { "a": "1.5", "B": [1, null], "c": "AQI=" } });
        let row = row(&columns, true, &json).unwrap();
        let arena = Arena::new();
        let shown = actual(&ty, row[0].as_value(&arena)).to_string();
        assert_eq!(shown, r#"{"A": 1500E-3, "B": [1, null], "C": [01, 02]}"#);
    }
}
