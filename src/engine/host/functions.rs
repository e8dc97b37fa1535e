//! `SHOW FUNCTIONS` and `DESCRIBE FUNCTION`, from the rows of which calls are made.

use super::answer::{AnswerBody, ArgumentText, FunctionDetail, FunctionText, OverloadText};
use super::{HostError, HostFault};
use crate::expr::aggregates::Aggregates;
use crate::expr::functions::{self, Signature};
use crate::plan::function_help;
use crate::sql::Span;

/// What aggregates are listed under.
pub(super) const AGGREGATE: &str = "AGGREGATE";

/// All functions.
pub(super) fn list() -> Vec<FunctionText> {
    let plain = functions::list().map(|function| FunctionText {
        name: function.name.to_owned(),
        kind: kind(function.is_table),
        category: function.category.to_owned(),
    });
    let aggregates = Aggregates::default().list().map(|function| FunctionText {
        name: function.name.to_owned(),
        kind: AGGREGATE,
        category: AGGREGATE.to_owned(),
    });
    plain.chain(aggregates).collect()
}

/// A function in all its forms, by the name as it is written.
pub(super) fn describe(name: &str) -> Result<AnswerBody, HostError> {
    let plain = functions::describe(name).map(|function| {
        let overloads = function.overloads.iter();
        let overloads = overloads.map(|overload| text(&overload.signature, overload.summary));
        of(function.name, kind(function.is_table), overloads.collect())
    });
    let aggregate = || {
        let function = Aggregates::default().find(name)?;
        let overloads = function.overloads.iter().filter(|(_, row)| !row.hidden);
        let overloads = overloads.map(|(signature, row)| text(signature, row.summary));
        Some(of(function.name, AGGREGATE, overloads.collect()))
    };
    let found = plain.or_else(aggregate);
    found.map(AnswerBody::Function).ok_or_else(|| unknown(name))
}

/// Refuses a name, at its place in the request, that is none of a function.
pub(super) fn check(name: &str, place: Span) -> Result<(), HostError> {
    if functions::describe(name).is_some() || Aggregates::default().find(name).is_some() {
        return Ok(());
    }
    Err(unknown(name).shown_at(place, function_help(name)))
}

fn unknown(name: &str) -> HostError {
    HostError::new(HostFault::Request, format!("Can't find any functions with the name '{name}'"))
}

/// What a function that is no aggregate is listed as.
pub(super) fn kind(is_table: bool) -> &'static str {
    if is_table { "TABLE" } else { "SCALAR" }
}

fn of(name: &str, kind: &'static str, overloads: Vec<OverloadText>) -> FunctionDetail {
    let summary = overloads.first().map(|overload| overload.summary.clone()).unwrap_or_default();
    FunctionDetail { name: name.to_owned(), kind, summary, overloads }
}

fn text(signature: &Signature, summary: &str) -> OverloadText {
    let argument = |parameter: &functions::Parameter| ArgumentText {
        name: parameter.name.clone(),
        ty: parameter.ty.to_string(),
        is_variadic: parameter.variadic,
    };
    OverloadText {
        arguments: signature.parameters.iter().map(argument).collect(),
        returns: signature.returns.to_string(),
        summary: summary.to_owned(),
    }
}
