//! Functions that choose among their arguments.

use std::cmp::Ordering;

use super::order::compare;
use super::{ArgType, Call, Scalar};
use crate::types::{SqlType, Value};

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "COALESCE(first T, others T...) -> T",
        summary: "Returns the first argument that is not NULL.",
        examples: &[("COALESCE(NULLIF('x', 'x'), 'a', 'b')", "'a'")],
        shown_as: Some("COALESCE"),
        eval: |call| Ok(call.args.iter().copied().find(|v| !v.is_null()).unwrap_or_default()),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "IFNULL(expression T, altValue T) -> T",
        summary: "Returns the first argument, or the second one if that is NULL.",
        examples: &[("IFNULL(NULLIF(1, 1), 2)", "2"), ("IFNULL(1, 2)", "1")],
        eval: |call| Ok(if call.arg(0).is_null() { call.arg(1) } else { call.arg(0) }),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "NULLIF(expression1 T, expression2 T) -> T",
        summary: "Returns NULL if both arguments are equal, and the first one otherwise.",
        examples: &[("NULLIF(1, 1)", "NULL"), ("NULLIF(1, 2)", "1")],
        eval: |call| Ok(if call.arg(0) == call.arg(1) { Value::Null } else { call.arg(0) }),
        ..Scalar::LENIENT
    },
];

/// The rows of GREATEST and LEAST, which differ in nothing but their order and name.
macro_rules! extreme {
    ($name:literal, $ty:literal, $summary:literal, $example:expr, $eval:expr, $returns:expr) => {
        Scalar {
            signature: concat!($name, "(val ", $ty, ", vals ", $ty, "...) -> ", $ty),
            summary: $summary,
            examples: &[$example],
            eval: $eval,
            returns: $returns,
            ..Scalar::LENIENT
        }
    };
}

macro_rules! greatest {
    ($ty:literal, $example:expr, $returns:expr) => {
        extreme!(
            "GREATEST",
            $ty,
            "Returns the greatest argument, leaving out those that are NULL.",
            $example,
            |call| Ok(extreme(call, Ordering::Greater)),
            $returns
        )
    };
}

macro_rules! least {
    ($ty:literal, $example:expr, $returns:expr) => {
        extreme!(
            "LEAST",
            $ty,
            "Returns the least argument, leaving out those that are NULL.",
            $example,
            |call| Ok(extreme(call, Ordering::Less)),
            $returns
        )
    };
}

pub(super) static EXTREMES: &[Scalar] = &[
    greatest!(
        "TIME",
        ("FORMAT_TIME(GREATEST(PARSE_TIME('07', 'HH'), PARSE_TIME('08', 'HH')), 'H')", "'8'"),
        None
    ),
    greatest!("DATE", ("UNIX_DATE(GREATEST(FROM_DAYS(1), FROM_DAYS(2)))", "2"), None),
    greatest!("BYTES", ("LEN(GREATEST(TO_BYTES('a', 'utf8'), TO_BYTES('b', 'utf8')))", "1"), None),
    greatest!(
        "TIMESTAMP",
        ("UNIX_TIMESTAMP(GREATEST(FROM_UNIXTIME(1), FROM_UNIXTIME(2)))", "2"),
        None
    ),
    greatest!("DECIMAL", ("GREATEST(1.5, 2.25)", "2.25"), Some(widest_decimal)),
    greatest!("DOUBLE", ("GREATEST(1E0, NULL, 2E0)", "2.0"), None),
    greatest!("INT", ("GREATEST(1, 3, 2)", "3"), None),
    greatest!("BIGINT", ("GREATEST(3000000000, 4000000000)", "4000000000"), None),
    greatest!("STRING", ("GREATEST('apple', 'banana')", "'banana'"), None),
    least!(
        "TIME",
        ("FORMAT_TIME(LEAST(PARSE_TIME('07', 'HH'), PARSE_TIME('08', 'HH')), 'H')", "'7'"),
        None
    ),
    least!("DATE", ("UNIX_DATE(LEAST(FROM_DAYS(1), FROM_DAYS(2)))", "1"), None),
    least!("TIMESTAMP", ("UNIX_TIMESTAMP(LEAST(FROM_UNIXTIME(1), FROM_UNIXTIME(2)))", "1"), None),
    least!("DECIMAL", ("LEAST(1.5, 2.25)", "1.5"), Some(widest_decimal)),
    least!("INT", ("LEAST(3, 1, 2)", "1"), None),
    least!("BIGINT", ("LEAST(3000000000, 4000000000)", "3000000000"), None),
    least!("DOUBLE", ("LEAST(1E0, NULL, 2E0)", "1.0"), None),
    least!("STRING", ("LEAST('apple', 'banana')", "'apple'"), None),
    least!("BYTES", ("LEN(LEAST(TO_BYTES('a', 'utf8'), TO_BYTES('b', 'utf8')))", "1"), None),
];

/// The argument that lies furthest in the direction of `wanted`; of equal ones, the first.
fn extreme<'a>(call: &Call<'_, 'a>, wanted: Ordering) -> Value<'a> {
    let values = call.args.iter().copied().filter(|value| !value.is_null());
    values
        .reduce(|best, value| if compare(value, best) == Some(wanted) { value } else { best })
        .unwrap_or_default()
}

/// The narrowest DECIMAL that holds all arguments.
fn widest_decimal(args: &[ArgType]) -> Result<SqlType, String> {
    let sizes = args.iter().filter_map(|arg| match arg.sql_type()? {
        SqlType::Decimal { precision, scale } => Some((*precision - *scale, *scale)),
        SqlType::Int => Some((10, 0)),
        SqlType::Bigint => Some((19, 0)),
        _ => None,
    });
    let (whole, scale) = sizes
        .reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
        .ok_or("Cannot determine the type of NULL as a DECIMAL")?;
    SqlType::decimal(whole.saturating_add(scale) as i32, scale as i32)
}
