//! The common type of the expressions in a list: `ARRAY[…]`, `MAP(…)`, `IN (…)`.
//!
//! The common type is the widest of all; a struct gets the fields of all. Literals become literals
//! of the common type, so that `ARRAY[1, '2']` holds numbers; other expressions are cast.

use std::collections::HashSet;

use super::super::cast;
use super::super::tree::{Expr, Node};
use super::super::type_error::{TypeError, TypeErrorKind};
use super::arithmetic::digits;
use super::{decimal_type, reasons, shown};
use crate::types::{DIGITS_MAX, Decimal, OwnedValue, SqlType, StructType};

const ISSUE: &str = "(see https://github.com/confluentinc/ksql/issues/4239)";

impl Expr {
    /// `ARRAY[items]`.
    pub fn array(items: Vec<Expr>) -> Result<Self, TypeError> {
        if items.is_empty() {
            return Err(TypeError::rule(format!(
                "Array constructor cannot be empty. Please supply at least one element {ISSUE}."
            )));
        }
        let (items, ty) = coerced(items, |index| index)?;
        let Some(ty) = ty else {
            let error = TypeError::rule(format!(
                "Cannot construct an array with all NULL elements {ISSUE}. As a workaround, you \
                 may cast a NULL value to the desired type."
            ));
            return Err(error.help("write CAST(NULL AS STRING), with the type that is meant"));
        };
        Ok(Self::new(Node::Array(items), Some(SqlType::array(ty))))
    }

    /// `MAP(key := value, …)`.
    pub fn map(entries: Vec<(Expr, Expr)>) -> Result<Self, TypeError> {
        if entries.is_empty() {
            return Err(TypeError::rule(format!(
                "Map constructor cannot be empty. Please supply at least one key value pair \
                 {ISSUE}."
            )));
        }
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let all_null = |what: &str, one: &str| {
            TypeError::rule(format!(
                "Cannot construct a map with all NULL {what} {ISSUE}. As a workaround, you may \
                 cast a NULL {one} to the desired type."
            ))
        };
        let (keys, key_type) = coerced(keys, |index| 2 * index)?;
        let key_type = key_type.ok_or_else(|| all_null("keys", "key"))?;
        let (values, value_type) = coerced(values, |index| 2 * index + 1)?;
        let value_type = value_type.ok_or_else(|| all_null("values", "value"))?;
        let entries = keys.into_iter().zip(values).collect();
        Ok(Self::new(Node::Map(entries), Some(SqlType::map(key_type, value_type))))
    }

    /// `STRUCT(name := value, …)`.
    pub fn structure(fields: Vec<(Box<str>, Expr)>) -> Result<Self, TypeError> {
        let mut names = HashSet::with_capacity(fields.len());
        let mut types: Vec<(Box<str>, SqlType)> = Vec::with_capacity(fields.len());
        let mut values = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            // ksqlDB's message is the name of the parameter that must not be null.
            let part = values.len();
            let ty = value.ty.clone().ok_or_else(|| {
                let help = format!(
                    "write CAST(NULL AS STRING) for {{{part}}}, with the type that is meant"
                );
                TypeError::rule("type").because("NULL has no type").help(help).of_part(part)
            })?;
            if !names.insert(name.clone())
                && let Some((_, other)) = types.iter().find(|(other, _)| *other == name)
            {
                let error = TypeError::rule(StructType::repeated(&name, other, &ty));
                return Err(error.because(format!("{name} has a value already")).of_part(part));
            }
            types.push((name, ty));
            values.push(value);
        }
        let ty = SqlType::Struct(StructType::new(types));
        Ok(Self::new(Node::Struct(values), Some(ty)))
    }

    /// `value IN (list)`; NULLs in the list never match, so they are left out.
    pub fn in_list(value: Expr, list: Vec<Expr>) -> Result<Self, TypeError> {
        let is_null = |e: &Expr| matches!(e.node, Node::Literal(OwnedValue::Null));
        let mut all = vec![value];
        let mut parts = vec![0];
        for (index, item) in list.into_iter().enumerate().filter(|(_, item)| !is_null(item)) {
            parts.push(index + 1);
            all.push(item);
        }
        // The list is looked at when code is generated.
        let to_code = |error: TypeError| TypeError { kind: TypeErrorKind::Code, ..error };
        let (mut all, _) = coerced(all, |index| parts[index]).map_err(to_code)?;
        let list = all.split_off(1);
        let Some(value) = all.pop() else { unreachable!("the value was put in first") };
        Ok(Self::new(Node::In { value: Box::new(value), list }, Some(SqlType::Boolean)))
    }
}

/// Why two types have no common one. Of a clash within a collection, the collection is told.
enum Clash {
    /// The types do.
    Types(TypeError),
    /// A text is not one of the other type.
    Text(TypeError),
}

impl From<Clash> for TypeError {
    fn from(clash: Clash) -> Self {
        let (Clash::Types(error) | Clash::Text(error)) = clash;
        error
    }
}

impl Clash {
    /// The clash of the collection around.
    fn around(self, collection: impl Fn() -> Self) -> Self {
        match self {
            Self::Types(_) => collection(),
            Self::Text(error) => Self::Text(error),
        }
    }
}

/// The expressions converted to their common type; none if there are only NULLs. `part` tells which part of the
/// whole an item is.
fn coerced(
    items: Vec<Expr>,
    part: impl Fn(usize) -> usize,
) -> Result<(Vec<Expr>, Option<SqlType>), TypeError> {
    let mut common = None;
    for (index, item) in items.iter().enumerate() {
        let before = common.clone();
        common = widened(common, item).map_err(|clash| {
            let before = before.as_ref().map_or_else(|| "nothing".to_owned(), reasons::a);
            let reason =
                format!("{}, what stands before it {before}", reasons::is(part(index), item));
            TypeError::from(clash).because(reason).of_part(part(index))
        })?;
    }
    let Some(ty) = common else { return Ok((items, None)) };
    let items = items.into_iter().enumerate().map(|(index, item)| {
        let reason = format!("{}, not {}", reasons::is(part(index), &item), reasons::a(&ty));
        converted(item, &ty).map_err(|error| error.because(reason).of_part(part(index)))
    });
    Ok((items.collect::<Result<_, _>>()?, Some(ty)))
}

fn converted(item: Expr, to: &SqlType) -> Result<Expr, TypeError> {
    match (&item.ty, &item.node) {
        (None, _) => Ok(item),
        (Some(ty), _) if ty == to => Ok(item),
        (_, Node::Literal(value)) => match cast::coerce_literal(value, to) {
            Some(value) => Ok(Expr::new(Node::Literal(value), Some(to.clone()))),
            // ksqlDB's exception here has no message of its own.
            None => Err(TypeError::rule("null")),
        },
        _ => Expr::cast(item, to.clone()),
    }
}

fn widened(common: Option<SqlType>, item: &Expr) -> Result<Option<SqlType>, Clash> {
    let Some(source) = &item.ty else { return Ok(common) };
    let Some(target) = common else { return Ok(Some(source.clone())) };
    let mismatch = || Clash::Types(mismatch(&target, source, item));
    let around = |clash: Clash| clash.around(mismatch);
    let merged = match (&item.node, &target) {
        (Node::Array(items), SqlType::Array(of)) => {
            merge_all(of, items).map_err(around)?.map(SqlType::array)
        }
        (Node::Map(entries), SqlType::Map(key, value)) => {
            let keys = merge_all(key, entries.iter().map(|(key, _)| key)).map_err(around)?;
            let values =
                merge_all(value, entries.iter().map(|(_, value)| value)).map_err(around)?;
            keys.zip(values).map(|(key, value)| SqlType::map(key, value))
        }
        (Node::Struct(values), SqlType::Struct(fields)) => {
            Some(merge_struct(item, values, fields).map_err(around)?)
        }
        (Node::Array(_) | Node::Map(_) | Node::Struct(_), _) => return Err(mismatch()),
        (Node::Literal(OwnedValue::String(text)), target) if target.is_numeric() => {
            Some(number_in_text(text, target)?)
        }
        (Node::Literal(OwnedValue::String(text)), SqlType::Boolean) => {
            if cast::parse_boolean_exact(text.trim()).is_none() {
                return Err(wrong_text(text, &target));
            }
            Some(SqlType::Boolean)
        }
        (node, target) => {
            let lax = matches!(node, Node::Literal(_));
            let either = coercible(source, target, lax).or_else(|| coercible(target, source, lax));
            Some(either.ok_or_else(mismatch)?)
        }
    };
    Ok(merged)
}

fn merge_all<'e>(
    target: &SqlType,
    items: impl IntoIterator<Item = &'e Expr>,
) -> Result<Option<SqlType>, Clash> {
    items.into_iter().try_fold(Some(target.clone()), widened)
}

/// The fields of the literal, then those that only the target has.
fn merge_struct(item: &Expr, values: &[Expr], target: &StructType) -> Result<SqlType, Clash> {
    let Some(SqlType::Struct(source)) = &item.ty else { unreachable!("a struct has fields") };
    let mut fields = Vec::new();
    for (field, value) in source.fields.iter().zip(values) {
        let ty = match target.field(&field.name) {
            Some((_, ty)) => widened(Some(ty.clone()), value)?.unwrap_or_else(|| ty.clone()),
            None => field.ty.clone(),
        };
        fields.push((field.name.clone(), ty));
    }
    for field in target.fields.iter().filter(|field| source.field(&field.name).is_none()) {
        fields.push((field.name.clone(), field.ty.clone()));
    }
    Ok(SqlType::Struct(StructType::new(fields)))
}

/// The type that holds the target's numbers and the one in a text.
fn number_in_text(text: &str, target: &SqlType) -> Result<SqlType, Clash> {
    let value = Decimal::parse(text.trim()).map_err(|_| wrong_text(text, target))?;
    if value.scale.unsigned_abs() > DIGITS_MAX {
        return Err(wrong_text(text, target));
    }
    let whole = value.scale == 0 && !text.contains(['.', 'e', 'E']);
    let source = match i64::try_from(&value.unscaled) {
        Ok(number) if whole && number.unsigned_abs() < 1 << 31 => SqlType::Int,
        Ok(number) if whole && number != i64::MIN => SqlType::Bigint,
        _ => decimal_type(&value),
    };
    Ok(match (&source, target) {
        (_, SqlType::Double) => SqlType::Double,
        (SqlType::Decimal { .. }, _) | (_, SqlType::Decimal { .. }) => {
            wide_decimal(&source, target).ok_or_else(|| wrong_text(text, target))?
        }
        (SqlType::Bigint, _) => SqlType::Bigint,
        (_, target) => target.clone(),
    })
}

/// The DECIMAL that holds all numbers of two types, if there is one.
fn wide_decimal(a: &SqlType, b: &SqlType) -> Option<SqlType> {
    let ((p1, s1), (p2, s2)) = (digits(a), digits(b));
    let scale = s1.max(s2);
    let precision = (p1 - s1).max(p2 - s2).checked_add(scale)?;
    SqlType::decimal(precision.try_into().ok()?, scale.try_into().ok()?).ok()
}

/// The type that holds values of both types, if values of `from` can become values of `to`.
fn coercible(from: &SqlType, to: &SqlType, lax: bool) -> Option<SqlType> {
    use SqlType::{
        Array, Bigint, Boolean, Bytes, Date, Decimal, Double, Int, Map, String, Struct, Time,
        Timestamp,
    };
    match (from, to) {
        (Decimal { .. } | Int | Bigint, Decimal { .. }) => wide_decimal(from, to),
        (Array(from), Array(to)) => coercible(from, to, lax).map(SqlType::array),
        (Map(k1, v1), Map(k2, v2)) => {
            coercible(k1, k2, lax).zip(coercible(v1, v2, lax)).map(|(k, v)| SqlType::map(k, v))
        }
        (Struct(from), Struct(to)) => coercible_structs(from, to, lax),
        (from, to) if from == to => Some(to.clone()),
        (Int, Bigint | Double)
        | (Bigint | Decimal { .. }, Double)
        | (String, Timestamp | Time | Date | Bytes) => Some(to.clone()),
        (Boolean | Int | Bigint | Decimal { .. } | Double | Timestamp | Time | Date, String)
        | (String, Boolean | Int | Bigint | Decimal { .. } | Double)
            if lax =>
        {
            Some(to.clone())
        }
        _ => None,
    }
}

fn coercible_structs(from: &StructType, to: &StructType, lax: bool) -> Option<SqlType> {
    let mut fields = Vec::new();
    for field in from.fields.iter() {
        let ty = match to.field(&field.name) {
            Some((_, ty)) => coercible(&field.ty, ty, lax)?,
            None => field.ty.clone(),
        };
        fields.push((field.name.clone(), ty));
    }
    for field in to.fields.iter().filter(|field| from.field(&field.name).is_none()) {
        fields.push((field.name.clone(), field.ty.clone()));
    }
    Some(SqlType::Struct(StructType::new(fields)))
}

fn wrong_text(text: &str, target: &SqlType) -> Clash {
    let name = target.base_name();
    Clash::Text(TypeError::rule(format!("invalid input syntax for type {name}: \"{text}\".")))
}

fn mismatch(target: &SqlType, source: &SqlType, item: &Expr) -> TypeError {
    TypeError::rule(format!(
        "operator does not exist: {target} = {} ({})\n\
         Hint: You might need to add explicit type casts.",
        shown(Some(source)),
        item.label()
    ))
}
