//! The aggregates by name: which overload a call means, and what it becomes.

use std::sync::LazyLock;

use super::row::{AggregateRow, AggregateSettings, Bind};
use super::{
    Aggregate, attr, average, collect, correlation, count, distinct, extremes, histogram, offset,
    sum, test_functions, top,
};
use crate::expr::EvalError;
use crate::expr::functions::{ArgType, FunctionError, Signature, resolve_as_is};
use crate::types::{OwnedValue, SqlType};

/// All overloads of one aggregate.
#[derive(Debug)]
pub struct AggregateFunction {
    /// The name in capitals.
    pub name: &'static str,
    /// The overloads in the order that ksqlDB lists them, with their signatures.
    pub overloads: Vec<(Signature, &'static AggregateRow)>,
    is_test: bool,
}

/// The overload that a call means.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The row.
    pub row: &'static AggregateRow,
    /// How many arguments rows give. The others must be literals.
    pub columns: usize,
}

impl Resolved {
    /// Makes the aggregate: `arguments` are the types that rows give.
    ///
    /// An error is the cause of ksqlDB's "Failed to invoke UDAF factory method".
    pub fn make(
        &self,
        arguments: &[SqlType],
        init: &[OwnedValue],
        settings: AggregateSettings,
    ) -> Result<Box<dyn Aggregate>, EvalError> {
        let AggregateSettings { limits, maps } = settings;
        (self.row.make)(&Bind { arguments, init, limits, maps })
    }

    /// ksqlDB's text for an argument that is not a literal though it has to be one.
    pub fn not_a_literal(&self, index: usize, expression: &str) -> String {
        format!(
            "Parameter {} passed to function {} must be a literal constant, but was expression: \
             '{expression}'",
            index + 1,
            self.row.name()
        )
    }
}

static TABLES: &[&[AggregateRow]] = &[
    attr::ROWS,
    average::ROWS,
    collect::ROWS,
    correlation::ROWS,
    count::ROWS,
    distinct::ROWS,
    extremes::ROWS,
    histogram::ROWS,
    offset::ROWS,
    sum::ROWS,
    top::ROWS,
];

static FUNCTIONS: LazyLock<Vec<AggregateFunction>> = LazyLock::new(|| {
    let mut functions: Vec<AggregateFunction> = Vec::new();
    let product = TABLES.iter().flat_map(|rows| rows.iter().map(|row| (row, false)));
    for (row, is_test) in product.chain(test_functions::ROWS.iter().map(|row| (row, true))) {
        // A signature that does not parse is left out here; a test parses every one.
        let Ok(signature) = Signature::parse(row.signature) else { continue };
        match functions.iter_mut().find(|function| function.name == row.name()) {
            Some(function) => function.overloads.push((signature, row)),
            None => functions.push(AggregateFunction {
                name: row.name(),
                overloads: vec![(signature, row)],
                is_test,
            }),
        }
    }
    functions.sort_by_key(|function| function.name);
    functions
});

/// The aggregates that a server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aggregates {
    /// Whether those of ksqlDB's test cases are among them.
    pub with_test_functions: bool,
}

impl Aggregates {
    /// The aggregate called `name`, in whatever case.
    pub fn find(self, name: &str) -> Option<&'static AggregateFunction> {
        let is_found = |function: &&AggregateFunction| {
            (!function.is_test || self.with_test_functions)
                && function.name.eq_ignore_ascii_case(name)
        };
        FUNCTIONS.iter().find(is_found)
    }

    /// All aggregates that users see, by name.
    pub fn list(self) -> impl Iterator<Item = &'static AggregateFunction> {
        FUNCTIONS.iter().filter(|function| !function.is_test)
    }

    /// Finds the overload that a call means.
    pub fn resolve(self, name: &str, args: &[ArgType]) -> Result<Resolved, FunctionError> {
        let Some(function) = self.find(name) else {
            return Err(FunctionError::Unknown { name: name.to_uppercase(), candidates: vec![] });
        };
        // The overload without arguments is not listed by ksqlDB, and only wins where none is given.
        let overloads: Vec<_> = function
            .overloads
            .iter()
            .filter(|(_, row)| !row.hidden || function.is_test || args.is_empty())
            .collect();
        let signatures: Vec<_> = overloads.iter().map(|(signature, _)| signature).collect();
        let bound = resolve_as_is(function.overloads[0].1.shown_as(), &signatures, args)?;
        let row = overloads[bound.overload].1;
        let columns = columns(signatures[bound.overload], row.init_args, args.len());
        Ok(Resolved { row, columns })
    }
}

/// How many of `count` arguments come before the last `init_args` parameters.
fn columns(signature: &Signature, init_args: usize, count: usize) -> usize {
    let first_init = signature.parameters.len().saturating_sub(init_args);
    match signature.variadic() {
        Some(variadic) if variadic < first_init => count.saturating_sub(init_args),
        _ => first_init.min(count),
    }
}
