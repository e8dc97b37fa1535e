//! `OVER`: columns that are computed of the rows around each row of a stream, an extension of ksqlDB's SQL.
//!
//! ```text
//! source ─ filter ─ group by ─ select ─ repartition ═ over ─┬─ over ─ partition by ─ select ─▶ sink
//!                   └ where PARTITION BY is not the key ┘   └ of another PARTITION BY
//! ```
//! Calls with the same `PARTITION BY` share a node, those with another follow in one of their own. Where the key has
//! changed on the way, rows have that of their source again in the end.

mod functions;
mod group;
mod refused;
mod rows;
mod taken;

use std::sync::Arc;

use self::functions::Function;
use self::group::{Call, Group, groups};
use self::rows::{OverColumns, over_node};
pub(super) use self::taken::{OverCalls, check_places, take_calls};
use super::PlanError;
use super::builder::{Builder, untyped};
use super::expression::{Clause, OVER_PREFIX};
use super::frame::defs;
use super::internal_formats::internal_key_format;
use super::keys::check_keys;
use super::names::columns;
use super::node::{GroupPurpose, NamedExpr, NodeKind, RepartitionKind, RepartitionTopic};
use super::select::{Item, column, selected};
use crate::expr;
use crate::formats::{Format, FormatSpec, Role};
use crate::sql::ast::{Expr, ExprKind, SourceKind};
use crate::sql::print;
use crate::types::{ColumnDef, SqlType};

/// The columns that the nodes of `OVER` read: those that the query names, then computed arguments.
#[derive(Default)]
struct Prepared {
    columns: Vec<NamedExpr>,
    /// What each was written as; nothing for what is converted besides.
    written: Vec<Option<Expr>>,
}

impl Builder<'_> {
    /// Refuses calls over rows where there are no rows to look at.
    pub(super) fn check_over(&self, calls: &OverCalls) -> Result<(), PlanError> {
        let Some(over) = calls.first() else { return Ok(()) };
        let source = self.relation.leftmost();
        if self.query.group_by.is_some() {
            Err(refused::grouped(over))
        } else if self.relation.is_joined() {
            Err(refused::join(over))
        } else if self.relation.kind == SourceKind::Table {
            Err(refused::table(over, &source.name))
        } else if self.relation.window.is_some() {
            Err(refused::windowed(over, &source.name))
        } else {
            Ok(())
        }
    }

    /// The columns that the nodes of `OVER` read.
    fn prepared_columns(&self) -> &[NamedExpr] {
        let prepared = self.nodes.iter().rev().find_map(|node| match &node.kind {
            NodeKind::Select { columns } => Some(&**columns),
            _ => None,
        });
        prepared.unwrap_or_default()
    }

    /// Adds the nodes that compute calls over rows; `items` name their columns.
    pub(super) fn add_over(&mut self, calls: OverCalls, items: &[Item]) -> Result<(), PlanError> {
        if calls.is_empty() {
            return Ok(());
        }
        for expr in selected(self.query) {
            self.scope(Clause::Select).resolve_columns(expr)?;
        }
        let source_key: Vec<Expr> = self.relation.key.iter().map(|key| column(&key.name)).collect();
        let mut groups = groups(&calls, &source_key, self)?;
        let prepared = self.prepare_over(&mut groups, items)?;
        let mut key = source_key.clone();
        let mut prepared = Some(prepared);
        for (nth, group) in groups.into_iter().enumerate() {
            let name = if nth == 0 { "Over".to_owned() } else { format!("Over{}", nth + 1) };
            let is_rekeyed = group.partition_by != key;
            if is_rekeyed {
                self.group_over(&name, &group.partition_by)?;
                key.clone_from(&group.partition_by);
            }
            if let Some(Prepared { columns, .. }) = prepared.take() {
                let named = |column: &NamedExpr| {
                    (column.name.clone(), column.expr.ty().cloned().unwrap_or(SqlType::String))
                };
                self.columns = columns.iter().map(named).collect();
                self.add(&format!("{name}.Prepare"), NodeKind::Select { columns });
            }
            let key = self.nodes.last().map(|node| node.schema.key.clone()).unwrap_or_default();
            self.key_format = internal_key_format(&self.relation.key_format, &key, self.ctx);
            if is_rekeyed {
                self.repartition_over(&name)?;
            }
            self.compute_over(&name, &group, nth == 0)?;
        }
        self.over = calls.into_exprs();
        self.is_key_lost = key != source_key;
        Ok(())
    }

    /// What the nodes read, with the places of the arguments of all calls.
    fn prepare_over(&self, groups: &mut [Group], items: &[Item]) -> Result<Prepared, PlanError> {
        let mut prepared = Prepared::default();
        let later = groups.iter().skip(1).flat_map(|group| &group.partition_by);
        let named = items.iter().map(|item| &item.expr).chain(later);
        let named = named.chain(self.query.partition_by.iter().flatten());
        for (_, name) in named.flat_map(columns) {
            if !name.text.starts_with(OVER_PREFIX) {
                prepared.add(&column(&name.text), self)?;
            }
        }
        for name in ["ROWPARTITION", "ROWOFFSET"] {
            prepared.add(&column(name), self)?;
        }
        for call in groups.iter_mut().flat_map(|group| &mut group.calls) {
            call.places = match &call.function {
                Function::Lag { value, default, .. } | Function::Lead { value, default, .. } => {
                    let place = prepared.add_value(value, call, self)?;
                    let mut places = vec![place];
                    if let Some(default) = default {
                        let default =
                            prepared.converted_default(default, place, &call.name, self)?;
                        places.extend(default.map(|default| prepared.push(default)));
                    }
                    places
                }
                Function::Aggregate { args, .. } => {
                    args.iter().map(|arg| prepared.add(arg, self)).collect::<Result<_, _>>()?
                }
            };
        }
        Ok(prepared)
    }

    /// Adds the node that gives rows the key of an `OVER`.
    fn group_over(&mut self, name: &str, partition_by: &[Expr]) -> Result<(), PlanError> {
        let mut key = Vec::with_capacity(partition_by.len());
        let mut exprs = Vec::with_capacity(partition_by.len());
        for (index, expr) in partition_by.iter().enumerate() {
            let column = match &expr.kind {
                ExprKind::Column { name, .. } => name.text.clone(),
                _ => format!("KSQL_OVER_KEY_{index}"),
            };
            let named = self.named(&column, expr, Clause::PartitionBy)?;
            let ty = named.expr.ty().cloned().ok_or_else(untyped)?;
            key.push(ColumnDef::new(column, ty));
            exprs.push(named);
        }
        check_keys(&key).map_err(|(_, error)| error)?;
        let purpose = GroupPurpose::Over;
        self.add(&format!("{name}.PartitionBy"), NodeKind::GroupBy { keys: exprs, purpose });
        if let Some(node) = self.nodes.last_mut() {
            node.schema.key = key;
        }
        Ok(())
    }

    /// Adds the repartition topic that rows with the key of an `OVER` go through.
    fn repartition_over(&mut self, name: &str) -> Result<(), PlanError> {
        let repartition = RepartitionTopic {
            name: format!("{name}-PartitionBy-repartition"),
            key_format: self.key_format.clone(),
            value_format: self.over_format(&defs(&self.columns))?,
            drops_null_keys: false,
            kind: RepartitionKind::Rows,
        };
        self.add(&format!("{name}.PartitionBy"), NodeKind::Repartition(repartition));
        Ok(())
    }

    /// Adds the node that computes the calls of a group.
    fn compute_over(&mut self, name: &str, group: &Group, is_first: bool) -> Result<(), PlanError> {
        let key = self.nodes.last().map(|node| node.schema.key.clone()).unwrap_or_default();
        let input = defs(&self.columns);
        let calls = group.calls.iter().map(|call| self.over_call(call, &input));
        let calls = calls.collect::<Result<Vec<_>, PlanError>>()?;
        let results = group.calls.iter().map(|call| call.column.clone());
        let results: Vec<_> = results.zip(calls.iter().map(|call| call.ty.clone())).collect();
        let columns = OverColumns { is_first, key: &key, input: &input, results: &defs(&results) };
        // What comes of the first is in order by then.
        let grace_ms = Some(self.ctx.config.over_grace_ms).filter(|ms| is_first && *ms > 0);
        let mut over = over_node(calls, name, &columns, grace_ms);
        over.retention_ms = self.ctx.config.over_retention_ms;
        over.last_rows.key_format.clone_from(&self.key_format);
        over.last_rows.value_format = self.over_format(&over.last_rows.stored.value)?;
        if let Some(held) = &mut over.held {
            held.store.key_format.clone_from(&self.key_format);
            held.store.value_format = self.over_format(&held.store.stored.value)?;
        }
        self.columns.extend(results);
        self.add(name, NodeKind::Over(Box::new(over)));
        Ok(())
    }

    /// How rows of `OVER` are written: as JSON, in which a NULL stays one; as those of the source where JSON cannot hold
    /// them.
    fn over_format(&self, columns: &[ColumnDef]) -> Result<FormatSpec, PlanError> {
        let json: FormatSpec = Format::Json.into();
        let of_source = FormatSpec { wrap: None, ..self.relation.value_format.clone() };
        match json.validate(columns, Role::Value) {
            Ok(()) => Ok(json),
            Err(_) if of_source.validate(columns, Role::Value).is_ok() => Ok(of_source),
            Err(error) => Err(error.into()),
        }
    }
}

impl Prepared {
    /// The place of the column that holds `expr`.
    fn add(&mut self, expr: &Expr, builder: &Builder<'_>) -> Result<usize, PlanError> {
        let found = self.written.iter().position(|other| other.as_ref() == Some(expr));
        if let Some(index) = found {
            return Ok(index);
        }
        let name = match &expr.kind {
            ExprKind::Column { name, .. } => name.text.clone(),
            _ => self.computed_name(),
        };
        self.columns.push(builder.named(&name, expr, Clause::Select)?);
        self.written.push(Some(expr.clone()));
        Ok(self.columns.len() - 1)
    }

    /// The place of the column that holds the value of `LAG` or `LEAD`.
    fn add_value(
        &mut self,
        value: &Expr,
        call: &Call,
        builder: &Builder<'_>,
    ) -> Result<usize, PlanError> {
        let place = self.add(value, builder)?;
        match self.columns[place].expr.ty() {
            Some(_) => Ok(place),
            None => Err(refused::untyped(&call.name, value.span)),
        }
    }

    /// The default of a call, converted to the type of the value at `place`; none for NULL.
    fn converted_default(
        &self,
        default: &Expr,
        place: usize,
        function: &str,
        builder: &Builder<'_>,
    ) -> Result<Option<NamedExpr>, PlanError> {
        let ty = self.columns[place].expr.ty().cloned().ok_or_else(untyped)?;
        let typed = builder.scope(Clause::Select).resolve(default)?;
        let Some(found) = typed.ty().cloned() else { return Ok(None) };
        let value = expr::Expr::column(0, "", ty.clone());
        let both = expr::Expr::array(vec![value, typed.clone()]);
        let fits = both.is_ok_and(|both| both.ty() == Some(&SqlType::array(ty.clone())));
        match expr::Expr::cast(typed, ty.clone()) {
            Ok(converted) if fits => Ok(Some(NamedExpr {
                name: self.computed_name(),
                expr: Arc::new(converted),
                text: print::expression(default),
            })),
            _ => Err(refused::default_type(function, default, (&found, &ty))),
        }
    }

    /// Adds a column that no other call shares.
    fn push(&mut self, column: NamedExpr) -> usize {
        self.columns.push(column);
        self.written.push(None);
        self.columns.len() - 1
    }

    fn computed_name(&self) -> String {
        format!("KSQL_INTERNAL_COL_{}", self.columns.len())
    }
}
