//! The time of a record, read from the column that `WITH (TIMESTAMP=…)` names.

use crate::expr::{Argument, EvalError, Expr};
use crate::operators::QueryError;
use crate::types::{Arena, SqlType, Value};

/// How a column holds a time.
pub(super) enum TimestampFormat {
    /// As a BIGINT of milliseconds, or a TIMESTAMP.
    Number,
    /// As a text: `STRINGTOTIMESTAMP` of the column and a pattern, as ksqlDB parses both the same way.
    Text(Box<Expr>),
}

impl TimestampFormat {
    /// A text of `pattern`, or a number if there is none.
    pub(super) fn new(pattern: Option<&str>) -> Result<Self, QueryError> {
        let Some(pattern) = pattern else { return Ok(Self::Number) };
        let args = [Expr::column(0, "TIMESTAMP", SqlType::String), Expr::string(pattern)];
        let call = Expr::call("STRINGTOTIMESTAMP", args.map(Argument::Value).into());
        call.map(|call| Self::Text(Box::new(call))).map_err(|error| QueryError::new(error.message))
    }

    /// The time in milliseconds that `value` holds; none if it is NULL.
    pub(super) fn read(&self, value: Value<'_>) -> Result<Option<i64>, EvalError> {
        match (value, self) {
            (Value::Bigint(time) | Value::Timestamp(time), _) => Ok(Some(time)),
            (Value::String(_), Self::Text(parse)) => {
                let arena = Arena::new();
                let context = super::random::without_clock(&arena);
                let (value, errors) = parse.evaluate_row(&[value], &context);
                match (value, errors.into_iter().next()) {
                    (Value::Bigint(time), _) => Ok(Some(time)),
                    (_, Some(failed)) => Err(failed.error),
                    (_, None) => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }
}
