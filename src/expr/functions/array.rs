//! Functions of lists.

use hashbrown::HashSet;

use super::order::compare;
use super::{Call, Scalar, check_items, check_size};
use crate::expr::EvalError;
use crate::java::double_to_string;
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "ARRAY_LENGTH(array ARRAY<T>) -> INT",
        summary: "Returns how many items the list has.",
        examples: &[("ARRAY_LENGTH(ARRAY['a', 'b'])", "2")],
        eval: |call| Ok(Value::Int(call.items(0).unwrap_or_default().len() as i32)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_CONCAT(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
        summary: "Appends a list to another; one that is NULL counts as empty.",
        examples: &[("ARRAY_CONCAT(ARRAY[1], ARRAY[2, 1])", "ARRAY[1, 2, 1]")],
        eval: |call| {
            Ok(match (call.items(0), call.items(1)) {
                (None, _) => call.arg(1),
                (_, None) => call.arg(0),
                (Some(left), Some(right)) => call.array(&[left, right].concat()),
            })
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "ARRAY_CONTAINS(array ARRAY<T>, val T) -> BOOLEAN",
        summary: "Tells whether an item of the list equals the value, which may be NULL.",
        examples: &[("ARRAY_CONTAINS(ARRAY[1, 2], 2)", "TRUE")],
        shown_as: Some("ARRAY_CONTAINS"),
        eval: |call| {
            let items = call.items(0).unwrap_or_default();
            Ok(Value::Boolean(items.contains(&call.arg(1))))
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "ARRAY_DISTINCT(array ARRAY<T>) -> ARRAY<T>",
        summary: "Drops items that stand before already.",
        examples: &[("ARRAY_DISTINCT(ARRAY[2, 1, 2])", "ARRAY[2, 1]")],
        eval: |call| Ok(call.array(&distinct(call.items(0).unwrap_or_default(), &[]))),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_EXCEPT(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
        summary: "Returns the distinct items of a list that are not in another.",
        examples: &[("ARRAY_EXCEPT(ARRAY[1, 2, 2, 3], ARRAY[3])", "ARRAY[1, 2]")],
        eval: |call| {
            let right: HashSet<_> = call.items(1).unwrap_or_default().iter().collect();
            let mut items = distinct(call.items(0).unwrap_or_default(), &[]);
            items.retain(|item| !right.contains(item));
            Ok(call.array(&items))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_INTERSECT(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
        summary: "Returns the distinct items of a list that are in another too.",
        examples: &[("ARRAY_INTERSECT(ARRAY[1, 2, 2, 3], ARRAY[3, 2])", "ARRAY[2, 3]")],
        eval: |call| {
            let right: HashSet<_> = call.items(1).unwrap_or_default().iter().collect();
            let mut items = distinct(call.items(0).unwrap_or_default(), &[]);
            items.retain(|item| right.contains(item));
            Ok(call.array(&items))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_UNION(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
        summary: "Returns the distinct items of two lists.",
        examples: &[("ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", "ARRAY[1, 2, 3]")],
        eval: |call| {
            let (left, right) = (call.items(0).unwrap_or_default(), call.items(1));
            Ok(call.array(&distinct(left, right.unwrap_or_default())))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_REMOVE(array ARRAY<T>, element T) -> ARRAY<T>",
        summary: "Drops all items that equal the value, which may be NULL.",
        examples: &[("ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "ARRAY[2]")],
        eval: |call| {
            let Some(items) = call.items(0) else { return Ok(Value::Null) };
            let victim = call.arg(1);
            let kept: Vec<_> = items.iter().copied().filter(|item| *item != victim).collect();
            Ok(call.array(&kept))
        },
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "ARRAY_JOIN(array ARRAY<T>) -> STRING",
        summary: "Writes the items one after the other, with commas between them.",
        examples: &[("ARRAY_JOIN(ARRAY[1, NULL, 3])", "'1,null,3'")],
        shown_as: Some("ARRAY_JOIN"),
        eval: |call| join(call, ","),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_JOIN(array ARRAY<T>, delimiter STRING) -> STRING",
        summary: "Writes the items one after the other, with a text between them.",
        examples: &[("ARRAY_JOIN(ARRAY['a', 'b'], '-')", "'a-b'")],
        eval: |call| join(call, call.text(1).unwrap_or_default()),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "ARRAY_MAX(array ARRAY<T>) -> T",
        summary: "Returns the greatest item, leaving out those that are NULL.",
        examples: &[("ARRAY_MAX(ARRAY[1, 3, 2])", "3")],
        eval: |call| Ok(extreme(call, std::cmp::Ordering::Greater)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_MIN(array ARRAY<T>) -> T",
        summary: "Returns the least item, leaving out those that are NULL.",
        examples: &[("ARRAY_MIN(ARRAY['b', 'a'])", "'a'")],
        eval: |call| Ok(extreme(call, std::cmp::Ordering::Less)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_SORT(array ARRAY<T>) -> ARRAY<T>",
        summary: "Sorts the items in ascending order, NULLs last.",
        examples: &[("ARRAY_SORT(ARRAY[2, NULL, 1])", "ARRAY[1, 2, NULL]")],
        eval: |call| Ok(sort(call, "ASC")),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ARRAY_SORT(array ARRAY<T>, direction STRING) -> ARRAY<T>",
        summary: "Sorts the items ASC or DESC, NULLs last.",
        examples: &[("ARRAY_SORT(ARRAY[2, NULL, 3], 'DESC')", "ARRAY[3, 2, NULL]")],
        eval: |call| Ok(sort(call, call.text(1).unwrap_or_default())),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "GENERATE_SERIES(start INT, end INT) -> ARRAY<INT>",
        summary: "Lists the numbers from a first to a last one, up or down.",
        examples: &[("GENERATE_SERIES(1, 3)", "ARRAY[1, 2, 3]")],
        shown_as: Some("GENERATE_SERIES"),
        eval: series_of_ints,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "GENERATE_SERIES(start INT, end INT, step INT) -> ARRAY<INT>",
        summary: "Lists the numbers from a first to a last one in steps.",
        examples: &[("GENERATE_SERIES(5, 1, -2)", "ARRAY[5, 3, 1]")],
        eval: series_of_ints,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "GENERATE_SERIES(start BIGINT, end BIGINT) -> ARRAY<BIGINT>",
        summary: "Lists the numbers from a first to a last one, up or down.",
        examples: &[("ARRAY_LENGTH(GENERATE_SERIES(3000000000, 3000000002))", "3")],
        eval: series_of_bigints,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "GENERATE_SERIES(start BIGINT, end BIGINT, step INT) -> ARRAY<BIGINT>",
        summary: "Lists the numbers from a first to a last one in steps.",
        examples: &[("ARRAY_LENGTH(GENERATE_SERIES(3000000000, 3000000004, 2))", "3")],
        eval: series_of_bigints,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SLICE(in ARRAY<T>, from INT, to INT) -> ARRAY<T>",
        summary: "Returns the items from a first to a last position, counted from 1.",
        examples: &[("SLICE(ARRAY['a', 'b', 'c'], 2, 3)", "ARRAY['b', 'c']")],
        eval: slice,
        ..Scalar::LENIENT
    },
];

fn distinct<'a>(left: &[Value<'a>], right: &[Value<'a>]) -> Vec<Value<'a>> {
    let mut seen = HashSet::with_capacity(left.len());
    left.iter().chain(right).copied().filter(|item| seen.insert(*item)).collect()
}

fn join<'a>(call: &Call<'_, 'a>, delimiter: &str) -> Result<Value<'a>, EvalError> {
    let Some(items) = call.items(0) else { return Ok(Value::Null) };
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { delimiter });
        out.push_str(&shown(item)?);
        check_size(out.len())?;
    }
    Ok(call.string(&out))
}

fn shown(item: &Value<'_>) -> Result<String, EvalError> {
    let class = match item {
        Value::Null => return Ok("null".to_owned()),
        Value::Boolean(value) => return Ok(value.to_string()),
        Value::Int(value) => return Ok(value.to_string()),
        Value::Bigint(value) => return Ok(value.to_string()),
        Value::Double(value) => return Ok(double_to_string(*value)),
        Value::Decimal(value) => return Ok(value.to_string()),
        Value::String(value) => return Ok((*value).to_owned()),
        Value::Bytes(_) => "java.nio.HeapByteBuffer",
        Value::Date(_) => "java.sql.Date",
        Value::Time(_) => "java.sql.Time",
        Value::Timestamp(_) => "java.sql.Timestamp",
        Value::Array(_) => "java.util.ArrayList",
        Value::Map(_) => "java.util.HashMap",
        Value::Struct(_) => "org.apache.kafka.connect.data.Struct",
    };
    Err(EvalError::new(format!(
        "error: hit element of type {class} which is currently not supported"
    )))
}

fn extreme<'a>(call: &Call<'_, 'a>, wanted: std::cmp::Ordering) -> Value<'a> {
    let items = call.items(0).unwrap_or_default().iter().copied();
    items
        .filter(|item| !item.is_null())
        .reduce(|best, item| if compare(item, best) == Some(wanted) { item } else { best })
        .unwrap_or_default()
}

fn sort<'a>(call: &Call<'_, 'a>, direction: &str) -> Value<'a> {
    let descending = match &*direction.to_uppercase() {
        "ASC" | "ASCENDING" => false,
        "DESC" | "DESCENDING" => true,
        _ => return Value::Null,
    };
    let mut items = call.items(0).unwrap_or_default().to_vec();
    items.sort_by(|a, b| {
        let order = match (a.is_null(), b.is_null()) {
            (false, false) => compare(*a, *b).unwrap_or(std::cmp::Ordering::Equal),
            (a, b) => return a.cmp(&b),
        };
        if descending { order.reverse() } else { order }
    });
    call.array(&items)
}

/// The step and the length of a series, where `diff` is its last number less its first.
fn series(diff: i64, step: Option<i32>) -> Result<(i64, i64), EvalError> {
    let step = i64::from(step.unwrap_or(if diff > 0 { 1 } else { -1 }));
    if step == 0 {
        return Err(EvalError::new("GENERATE_SERIES step cannot be zero"));
    }
    if diff > 0 && step < 0 || diff < 0 && step > 0 {
        return Err(EvalError::new("GENERATE_SERIES step has wrong sign"));
    }
    let length = i64::from(1i32.wrapping_add(diff.wrapping_div(step) as i32));
    match length {
        ..0 => Err(EvalError::new(format!("Illegal Capacity: {length}"))),
        length => check_items(length as usize).map(|()| (step, length)),
    }
}

fn series_of_ints<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (start, end) = (call.int(0).unwrap_or_default(), call.int(1).unwrap_or_default());
    let (step, length) = series(end.wrapping_sub(start).into(), call.int(2))?;
    let item = |index: i64| Value::Int(start.wrapping_add((index * step) as i32));
    Ok(call.array(&(0..length).map(item).collect::<Vec<_>>()))
}

fn series_of_bigints<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (start, end) = (call.long(0).unwrap_or_default(), call.long(1).unwrap_or_default());
    let (step, length) = series(end.wrapping_sub(start), call.int(2))?;
    let item = |index: i64| Value::Bigint(start.wrapping_add(index * step));
    Ok(call.array(&(0..length).map(item).collect::<Vec<_>>()))
}

fn slice<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(items) = call.items(0) else { return Ok(Value::Null) };
    let start = i64::from(call.int(1).unwrap_or(1).wrapping_sub(1));
    let end = call.int(2).map_or(items.len() as i64, i64::from);
    if start < 0 || end > items.len() as i64 {
        return Ok(Value::Null);
    }
    match items.get(start as usize..end.max(0) as usize) {
        Some(items) => Ok(Value::Array(items)),
        None => Err(EvalError::new(format!("fromIndex({start}) > toIndex({end})"))),
    }
}
