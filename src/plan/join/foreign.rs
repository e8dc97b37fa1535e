//! Joins on a foreign key, as parts of a query's joins.

use std::sync::Arc;

use super::build::{JoinBuilder, Place};
use super::flatten::flatten_expr;
use super::sides::Side;
use super::steps::Step;
use crate::formats::FormatSpec;
use crate::plan::expression::Clause;
use crate::plan::foreign_key::{ForeignKeyJoin, JoinedTable, plan_foreign_key};
use crate::plan::internal_formats::internal_value_format;
use crate::plan::query_plan::Gives;
use crate::plan::{NamedExpr, PlanError, RowFormats};
use crate::sql::ast::JoinKind;
use crate::sql::print;

impl JoinBuilder<'_> {
    /// Joins two tables where the left one names a row of the right one.
    pub(super) fn foreign_key(
        &mut self,
        left: Side,
        right: Side,
        step: &Step,
        place: &Place,
    ) -> Result<Side, PlanError> {
        let name = format!("{}Join", place.prefix);
        let mut key_of_right = step.criterion.left.clone();
        flatten_expr(&mut key_of_right, &left.columns);
        let scope = self.ctx.scope(&left.columns, &left.key, Clause::JoinOn);
        let foreign_key = NamedExpr {
            name: right.key.first().map(|key| key.name.to_string()).unwrap_or_default(),
            expr: Arc::new(scope.resolve(&key_of_right)?),
            text: print::expression(&key_of_right),
        };
        let right_source = &self.sources[place.index + 1].source;
        let join = ForeignKeyJoin {
            is_left: step.kind == JoinKind::Left,
            is_looked_up: !place.prefix.is_empty(),
            left: self.joined_table(&left, &name, &self.sources[0].source.value_format),
            right: self.joined_table(&right, &name, &right_source.value_format),
            foreign_key,
            number: place.number,
            name,
        };
        let node = plan_foreign_key(&join, &mut self.nodes);
        let columns = left.columns.into_iter().chain(right.columns).collect();
        Ok(Side { node, gives: Gives::Changes, columns, window: None, ..left })
    }

    fn joined_table(&self, side: &Side, name: &str, value_format: &FormatSpec) -> JoinedTable {
        let formats = RowFormats {
            name: name.to_owned(),
            schema: self.nodes[side.node.0].schema.clone(),
            key_format: side.key_format.clone(),
            value_format: internal_value_format(value_format),
        };
        JoinedTable { node: side.node, formats }
    }
}
