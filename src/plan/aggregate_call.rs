//! The aggregate that a call means.

use std::sync::Arc;

use super::PlanError;
use super::builder::Builder;
use super::expression::Clause;
use super::internal_formats::internal_value_format;
use crate::expr::aggregates::{Aggregate, AggregateRow, AggregateSettings, StoredMaps};
use crate::expr::functions::ArgType;
use crate::expr::{Expr, TypeError};
use crate::formats::{Format, FormatSpec};
use crate::sql::ast::{self, ExprKind, Name};
use crate::sql::span::Span;
use crate::types::{OwnedValue, SqlType};

/// The arguments of a call.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a> {
    pub(super) exprs: &'a [&'a Expr],
    /// Their texts, for messages.
    pub(super) shown: &'a [String],
    /// As they are written.
    pub(super) written: &'a [ast::Expr],
}

/// An aggregate for arguments of given types.
pub(super) struct BoundAggregate {
    pub(super) row: &'static AggregateRow,
    pub(super) function: Arc<dyn Aggregate>,
    /// How many of the arguments rows give; the others configure it.
    pub(super) columns: usize,
}

impl Builder<'_> {
    /// Finds the aggregate that a call means, and makes it.
    pub(super) fn bind_aggregate(
        &self,
        (name, span): (&Name, Span),
        Arguments { exprs, shown, written }: Arguments<'_>,
    ) -> Result<BoundAggregate, PlanError> {
        let refuse = |message: String| PlanError::analyse(message).at(span);
        let ty = |expr: &&Expr| expr.ty().cloned().map_or(ArgType::Null, ArgType::Value);
        let types: Vec<ArgType> = exprs.iter().map(ty).collect();
        let resolved = self.ctx.aggregates().resolve(&name.text, &types).map_err(|error| {
            let kind = ExprKind::Call { name: name.clone(), args: written.to_vec() };
            let error = TypeError::of_call(&name.text, &types, error);
            self.scope(Clause::Select).refuse(error, &ast::Expr { kind, span })
        })?;
        let mut init: Vec<OwnedValue> = Vec::new();
        for (index, (expr, shown)) in exprs.iter().zip(shown).enumerate().skip(resolved.columns) {
            let literal = expr.as_literal().cloned();
            let at = written.get(index).map_or(span, |arg| arg.span);
            init.push(literal.ok_or_else(|| {
                refuse(resolved.not_a_literal(index, shown))
                    .just_at(at)
                    .because("this is no constant")
            })?);
        }
        let of_rows = exprs.iter().take(resolved.columns);
        let arguments: Vec<SqlType> =
            of_rows.map(|expr| expr.ty().cloned().unwrap_or(SqlType::String)).collect();
        let settings = AggregateSettings {
            limits: self.ctx.config.aggregate_limits,
            maps: stored_maps(&self.relation.value_format),
        };
        let function = resolved.make(&arguments, &init, settings).map_err(|error| {
            refuse("Failed to invoke UDAF factory method".to_owned()).because(error.to_string())
        })?;
        Ok(BoundAggregate {
            row: resolved.row,
            function: function.into(),
            columns: resolved.columns,
        })
    }
}

/// How large maps are that a store gives back whose values have the format that goes with that of a source.
fn stored_maps(source: &FormatSpec) -> StoredMaps {
    match internal_value_format(source).format {
        Format::Avro | Format::JsonSr | Format::Protobuf | Format::ProtobufNosr => {
            StoredMaps::Usual
        }
        Format::Json | Format::Delimited | Format::Kafka | Format::None => StoredMaps::Exact,
    }
}
