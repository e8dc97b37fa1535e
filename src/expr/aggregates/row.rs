//! A row of a table of aggregates: all there is to an overload.

use super::Aggregate;
use crate::expr::EvalError;
use crate::types::{OwnedValue, SqlType};

/// An overload of an aggregate: all there is to it.
#[derive(Clone, Copy, Debug)]
pub struct AggregateRow {
    /// The name, the arguments and the result, as [`Signature::parse`](crate::expr::functions::Signature::parse) reads them.
    pub signature: &'static str,
    /// How ksqlDB's messages spell the name, where that is not in capitals.
    pub shown_as: Option<&'static str>,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The arguments of successive rows, with `;` between rows, and the result.
    pub examples: &'static [(&'static str, &'static str)],
    /// How many of the arguments, counted from the last, are constants that configure it.
    pub init_args: usize,
    /// Whether rows can be taken back, so that it works over tables.
    pub undoable: bool,
    /// Whether SHOW and DESCRIBE FUNCTION leave it out.
    pub hidden: bool,
    /// Makes the aggregate for given types and constants.
    pub make: fn(&Bind<'_>) -> Result<Box<dyn Aggregate>, EvalError>,
}

impl AggregateRow {
    /// The start of every row.
    pub const NEW: Self = Self {
        signature: "",
        shown_as: None,
        summary: "",
        examples: &[],
        init_args: 0,
        undoable: false,
        hidden: false,
        make: |_| Err(EvalError::new("the aggregate is not defined")),
    };

    /// The name in capitals.
    pub fn name(&self) -> &'static str {
        self.signature.split('(').next().unwrap_or_default()
    }

    /// The name as messages spell it.
    pub fn shown_as(&self) -> &'static str {
        self.shown_as.unwrap_or_else(|| self.name())
    }
}

/// What an aggregate is made for.
#[derive(Clone, Copy, Debug)]
pub struct Bind<'a> {
    /// The types of the arguments that rows give.
    pub arguments: &'a [SqlType],
    /// The constants that follow them.
    pub init: &'a [OwnedValue],
    /// What the configuration says.
    pub limits: AggregateLimits,
    /// How large maps are that stores give back.
    pub maps: StoredMaps,
}

/// What the configuration and the formats of a query say of its aggregates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AggregateSettings {
    /// Sizes that are limited.
    pub limits: AggregateLimits,
    /// How large maps are that stores give back.
    pub maps: StoredMaps,
}

/// How large a Java map is made into which the entries of a store are read, which shows in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoredMaps {
    /// Just large enough, as the reader of JSON makes it.
    #[default]
    Exact,
    /// As large as one is at first, as Kafka Connect's converters make it.
    Usual,
}

impl Bind<'_> {
    /// The type of an argument.
    pub(super) fn argument(&self, index: usize) -> SqlType {
        self.arguments.get(index).cloned().unwrap_or(SqlType::Bigint)
    }

    /// An INT among the constants.
    pub(super) fn int(&self, index: usize) -> Option<i32> {
        match self.init.get(index) {
            Some(OwnedValue::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The first BOOLEAN among the constants from `index` on.
    pub(super) fn boolean(&self, index: usize) -> Option<bool> {
        match self.init.get(index) {
            Some(OwnedValue::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    /// Boxes an aggregate that needs no more checks.
    #[expect(clippy::unnecessary_wraps, reason = "the result of every `make`")]
    pub(super) fn to(aggregate: impl Aggregate + 'static) -> Result<Box<dyn Aggregate>, EvalError> {
        Ok(Box::new(aggregate))
    }
}

/// Sizes that the configuration limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregateLimits {
    /// `ksql.functions.collect_list.limit`.
    pub collect_list: usize,
    /// `ksql.functions.collect_set.limit`.
    pub collect_set: usize,
}

impl Default for AggregateLimits {
    /// No limits.
    fn default() -> Self {
        Self { collect_list: i32::MAX as usize, collect_set: i32::MAX as usize }
    }
}
