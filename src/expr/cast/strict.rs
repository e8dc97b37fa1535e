//! Conversions that lose nothing, as `INSERT INTO … VALUES` makes them: ksqlDB's `DefaultSqlValueCoercer.STRICT`.

use super::{decode_base64, parse_time};
use crate::expr::EvalError;
use crate::types::{Arena, Rounding, SqlType, Value};

/// `value` as one of type `to`; none where no value of `from` becomes one. An error is that of a value that does not fit.
pub fn fit_strictly<'a>(
    value: Value<'a>,
    from: &SqlType,
    to: &SqlType,
    arena: &'a Arena,
) -> Result<Option<Value<'a>>, EvalError> {
    if value.is_null() || from == to {
        return Ok(Some(value));
    }
    Ok(match (value, from, to) {
        (Value::Int(value), _, SqlType::Bigint) => Some(Value::Bigint(value.into())),
        (_, _, SqlType::Double | SqlType::Decimal { .. }) => number(value, to, arena)?,
        (Value::String(text), _, to) if to.is_time() => Some(parse_time(text.trim(), to)?),
        (Value::String(text), _, SqlType::Bytes) => {
            Some(Value::Bytes(arena.bytes(&decode_base64(text)?)))
        }
        (Value::Array(items), SqlType::Array(from), SqlType::Array(to)) => {
            let items = items.iter().map(|item| fit_strictly(*item, from, to, arena));
            let items = items.collect::<Result<Option<Vec<_>>, _>>()?;
            items.map(|items| Value::Array(arena.values(&items)))
        }
        (Value::Map(entries), SqlType::Map(from_key, from), SqlType::Map(to_key, to)) => {
            let mut fitted = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let key = fit_strictly(*key, from_key, to_key, arena)?;
                let value = fit_strictly(*value, from, to, arena)?;
                let Some(entry) = key.zip(value) else { return Ok(None) };
                fitted.push(entry);
            }
            Some(Value::Map(arena.entries(&fitted)))
        }
        (Value::Struct(fields), SqlType::Struct(from), SqlType::Struct(to)) => {
            // Fields that the type has not are passed over.
            let field = |to: &crate::types::Field| match from.field(&to.name) {
                Some((at, from)) => {
                    let value = fields.get(at).copied().unwrap_or_default();
                    fit_strictly(value, from, &to.ty, arena)
                }
                None => Ok(Some(Value::Null)),
            };
            let fields = to.fields.iter().map(field).collect::<Result<Option<Vec<_>>, _>>()?;
            fields.map(|fields| Value::Struct(arena.values(&fields)))
        }
        _ => None,
    })
}

/// A number as one of a wider type; a DECIMAL takes no digit too many.
fn number<'a>(
    value: Value<'a>,
    to: &SqlType,
    arena: &'a Arena,
) -> Result<Option<Value<'a>>, EvalError> {
    use crate::types::Decimal;
    let exact = match value {
        Value::Int(value) => Decimal::new(i64::from(value), 0),
        Value::Bigint(value) => Decimal::new(value, 0),
        Value::Decimal(value) => value.clone(),
        _ => return Ok(None),
    };
    Ok(match to {
        SqlType::Decimal { precision, scale } => {
            exact.check_range(*precision, *scale)?;
            let fitted = exact.set_scale(*scale as i32, Rounding::Unnecessary)?;
            Some(Value::Decimal(arena.decimal(fitted)))
        }
        _ => Some(Value::Double(exact.to_f64())),
    })
}
