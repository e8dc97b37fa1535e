//! Functions that only ksqlDB's own test cases use. Nobody sees them unless they are enabled.

use std::cell::Cell;

use super::{Call, Scalar, TableFunction};
use crate::expr::EvalError;
use crate::java::double_to_string;
use crate::types::{SqlType, Value};

const ROW: Scalar = Scalar { summary: "Serves a test case.", ..Scalar::LENIENT };

const TABLE: TableFunction = TableFunction {
    signature: "",
    summary: "Serves a test case.",
    examples: &[],
    eval: |call| Ok(vec![call.arg(0)]),
    returns: None,
};

pub(super) static SCALARS: &[Scalar] = &[
    Scalar {
        signature: "WHENCONDITION(retValue BOOLEAN, shouldBeEvaluated BOOLEAN) -> BOOLEAN",
        eval: evaluated,
        ..ROW
    },
    Scalar {
        signature: "WHENRESULT(retValue INT, shouldBeEvaluated BOOLEAN) -> INT",
        eval: evaluated,
        ..ROW
    },
    Scalar { signature: "BAD_UDF(arg INT) -> INT", eval: |_| Err(boom()), ..ROW },
    Scalar {
        signature: "BAD_UDF(arg BOOLEAN) -> INT",
        eval: |call| if is_true(call.arg(0)) { Err(boom()) } else { Ok(Value::Int(0)) },
        ..ROW
    },
    Scalar {
        signature: "BAD_UDF(arg STRING) -> STRING",
        eval: every_other,
        deterministic: false,
        ..ROW
    },
    Scalar {
        signature: "TEST_UDF(arg1 INT, arg2 STRING) -> STRING",
        eval: |_| Ok(Value::String("doStuffIntString")),
        ..ROW
    },
    Scalar {
        signature: "TEST_UDF(arg1 BIGINT, arg2 STRING) -> STRING",
        eval: |_| Ok(Value::String("doStuffLongString")),
        ..ROW
    },
    Scalar {
        signature: "TEST_UDF(arg1 BIGINT, arg2 BIGINT, arg3 STRING) -> STRING",
        eval: |_| Ok(Value::String("doStuffLongLongString")),
        ..ROW
    },
    Scalar {
        signature: "TEST_UDF(longs BIGINT...) -> STRING",
        eval: |_| Ok(Value::String("doStuffLongVarargs")),
        ..ROW
    },
    Scalar {
        signature: "TEST_UDF(struct STRUCT<A STRING>) -> STRING",
        eval: |call| match call.arg(0) {
            Value::Struct(fields) => Ok(fields.first().copied().unwrap_or_default()),
            _ => Ok(Value::Null),
        },
        ..ROW
    },
    Scalar {
        signature: "TEST_UDF() -> STRUCT<A STRING>",
        eval: |call| Ok(Value::Struct(call.context.arena.values(&[Value::String("foo")]))),
        ..ROW
    },
    Scalar {
        signature: "TOSTRUCT(value STRING) -> STRUCT<A STRING>",
        eval: |call| Ok(Value::Struct(call.context.arena.values(&[call.arg(0)]))),
        ..ROW
    },
];

pub(super) static TABLES: &[TableFunction] = &[
    TableFunction { signature: "TEST_UDTF(i INT) -> INT", eval: primitive, ..TABLE },
    TableFunction { signature: "TEST_UDTF(l BIGINT) -> BIGINT", eval: primitive, ..TABLE },
    TableFunction { signature: "TEST_UDTF(d DOUBLE) -> DOUBLE", eval: primitive, ..TABLE },
    TableFunction { signature: "TEST_UDTF(b BOOLEAN) -> BOOLEAN", eval: primitive, ..TABLE },
    TableFunction { signature: "TEST_UDTF(s STRING) -> STRING", ..TABLE },
    TableFunction {
        signature: "TEST_UDTF(d DECIMAL) -> DECIMAL",
        returns: Some(|_| Ok(SqlType::Decimal { precision: 30, scale: 10 })),
        ..TABLE
    },
    TableFunction { signature: "TEST_UDTF(s STRUCT<A STRING>) -> STRUCT<A STRING>", ..TABLE },
    TableFunction {
        signature: "TEST_UDTF(i INT, l BIGINT, d DOUBLE, b BOOLEAN, s STRING, bd DECIMAL, \
                    st STRUCT<A STRING>) -> STRING",
        eval: texts,
        ..TABLE
    },
    TableFunction {
        signature: "TEST_UDTF(i MAP<STRING, INT>, l MAP<STRING, BIGINT>, d MAP<STRING, DOUBLE>, \
                    b MAP<STRING, BOOLEAN>, s MAP<STRING, STRING>, bd MAP<STRING, DECIMAL>, \
                    st MAP<STRING, STRUCT<A STRING>>) -> STRING",
        eval: texts,
        ..TABLE
    },
    TableFunction {
        signature: "THROWING_UDTF(shouldThrow BOOLEAN) -> BOOLEAN",
        eval: |call| if is_true(call.arg(0)) { Err(boom()) } else { Ok(vec![call.arg(0)]) },
        ..TABLE
    },
];

/// One row for the argument, which Java takes as a primitive.
fn primitive<'a>(call: &Call<'_, 'a>) -> Result<Vec<Value<'a>>, EvalError> {
    match call.arg(0) {
        Value::Null => Err(EvalError::new("a primitive cannot be null")),
        value => Ok(vec![value]),
    }
}

fn boom() -> EvalError {
    EvalError::new("boom!")
}

fn is_true(value: Value<'_>) -> bool {
    matches!(value, Value::Boolean(true))
}

/// Fails where the function should not have been called.
fn evaluated<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    if is_true(call.arg(1)) {
        return Ok(call.arg(0));
    }
    Err(EvalError::new("When evaluated, the second argument must be true"))
}

thread_local! {
    /// Whether the next call of [`every_other`] is a second one.
    static IS_SECOND: Cell<bool> = const { Cell::new(false) };
}

/// Forgets what was called on this thread.
pub(super) fn forget_calls() {
    IS_SECOND.set(false);
}

/// Returns NULL on the first, third and so on call.
#[expect(clippy::unnecessary_wraps, reason = "rows of the table call it as it is")]
fn every_other<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let is_second = IS_SECOND.get();
    IS_SECOND.set(!is_second);
    Ok(if is_second { call.arg(0) } else { Value::Null })
}

/// One row for the text of each argument, or of each map's first value.
#[expect(clippy::unnecessary_wraps, reason = "rows of the table call it as it is")]
fn texts<'a>(call: &Call<'_, 'a>) -> Result<Vec<Value<'a>>, EvalError> {
    let row = |value: &Value<'a>| {
        let value = if let Value::Map([(_, first), ..]) = value { first } else { value };
        Value::String(call.context.arena.text(&text(*value)))
    };
    Ok(call.args.iter().map(row).collect())
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Bigint(value) => value.to_string(),
        Value::Double(value) => double_to_string(value),
        Value::Decimal(value) => value.to_string(),
        Value::String(value) => value.to_owned(),
        Value::Struct([value, ..]) => format!("Struct{{A={}}}", text(*value)),
        _ => "null".to_owned(),
    }
}
