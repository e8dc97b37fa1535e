//! A query on its way from clauses to nodes: what all clauses need.

use std::collections::HashSet;
use std::sync::Arc;

use super::columns::Columns;
use super::error::{PlanError, Stage};
use super::expression::{Clause, Scope};
use super::frame::defs;
use super::ids::NodeId;
use super::internal_formats::internal_value_format;
use super::names::unqualified;
use super::node::{NamedExpr, NodeKind};
use super::query_plan::{Gives, KeyPlace, Node};
use super::relation::Relation;
use super::select::{Item, list_span};
use super::source::{Source, SourceWindow};
use super::store::{StoreKind, StoreSpec};
use crate::expr::with_article;
use crate::formats::FormatSpec;
use crate::plan::PlanContext;
use crate::sql::ast::{Expr, Query, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::sql::suggest::{self, NameKind};
use crate::types::{ColumnDef, Schema, SqlType};

/// A query on its way from clauses to nodes.
pub(super) struct Builder<'c> {
    pub(super) ctx: &'c PlanContext<'c>,
    pub(super) query: &'c Query,
    pub(super) relation: Relation,
    /// The columns that expressions can name by now.
    pub(super) columns: Columns,
    pub(super) nodes: Vec<Node>,
    pub(super) sink: SinkNames<'c>,
    /// How keys of internal topics and stores are written.
    pub(super) key_format: FormatSpec,
    /// The calls that columns of `OVER` stand for.
    pub(super) over: Vec<Expr>,
    /// Whether rows have another key by now than those of their source.
    pub(super) is_key_lost: bool,
}

/// The sink of a query, as far as its clauses have to know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SinkNames<'c> {
    /// Its name; none where rows go to whoever asks for them. These may have any columns, in the order in which they are
    /// selected: no key has to be among them.
    pub(super) name: Option<&'c str>,
    /// The column that `WITH (TIMESTAMP=…)` names.
    pub(super) timestamp: Option<&'c str>,
    /// Where it does.
    pub(super) timestamp_at: Span,
}

impl SinkNames<'_> {
    /// Rows go to whoever asks for them.
    pub(super) const CLIENT: SinkNames<'static> =
        SinkNames { name: None, timestamp: None, timestamp_at: Span { start: 0, end: 0 } };

    /// Refuses a `TIMESTAMP` that is none of the selected columns, which ksqlDB does before it looks for the key.
    pub(super) fn check_timestamp(&self, items: &[Item]) -> Result<(), PlanError> {
        match self.timestamp {
            Some(column) if items.iter().all(|item| item.name != column) => {
                let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
                Err(missing_timestamp(Stage::Analyse, column, &names).at(self.timestamp_at))
            }
            _ => Ok(()),
        }
    }
}

/// What ksqlDB says of a `TIMESTAMP` that is no column.
pub(super) fn missing_timestamp(stage: Stage, column: &str, names: &[&str]) -> PlanError {
    let message = format!(
        "The TIMESTAMP column set in the WITH clause does not exist in the schema: '{column}'"
    );
    PlanError::new(stage, message).maybe_help(suggest::help(NameKind::Column, column, names))
}

/// What ksqlDB says of two columns of the same name.
pub(super) fn repeated_column(item: &Item, ty: &SqlType) -> PlanError {
    let name = &item.name;
    PlanError::analyse(format!("Duplicate value columns found in schema: `{name}` {ty}"))
        .at(item.span)
        .because(format!("{name} is selected already"))
        .help("give one of them another name with AS")
}

/// What a query gives, before it is put into a sink.
pub(super) struct Analysed {
    pub(super) relation: Relation,
    pub(super) nodes: Vec<Node>,
    pub(super) schema: Schema,
    pub(super) kind: SourceKind,
    pub(super) window: Option<SourceWindow>,
    /// Which of the selected columns are parts of the key.
    pub(super) places: Vec<Option<KeyPlace>>,
    /// Whether the query takes the key away: `PARTITION BY NULL`.
    pub(super) drops_key: bool,
    /// The key by which rows are grouped, as its columns are called before they are selected.
    pub(super) grouping: Vec<ColumnDef>,
}

/// The node that reads a source; a table's rows are kept in `store`.
///
/// As ksqlDB's `SourceBuilder`, a table keeps the headers that it reads beside its value, and where each row came from.
pub(super) fn source_node(source: &Arc<Source>, store: &str) -> NodeKind {
    let source = Arc::clone(source);
    if source.kind == SourceKind::Stream {
        return NodeKind::StreamSource { source };
    }
    let mut stored = source.schema.clone();
    let headers = source.headers.iter();
    stored.value.extend(headers.map(|header| ColumnDef::new(&*header.name, header.ty())));
    stored.value.push(ColumnDef::new("ROWPARTITION", SqlType::Int));
    stored.value.push(ColumnDef::new("ROWOFFSET", SqlType::Bigint));
    let store = StoreSpec {
        name: store.to_owned(),
        kind: StoreKind::Table,
        stored,
        key_format: source.key_format.clone(),
        value_format: internal_value_format(&source.value_format),
        retention_ms: None,
    };
    NodeKind::TableSource { source, store }
}

/// What ksqlDB says of a column that is only NULL.
pub(super) fn untyped() -> PlanError {
    PlanError::analyse(
        "Can't infer a type of null. Please explicitly cast it to a required type, e.g. CAST(null AS \
         VARCHAR).",
    )
    .help("write CAST(NULL AS STRING), with the type that is meant")
}

/// Refuses a condition that is not BOOLEAN.
pub(super) fn check_predicate(
    predicate: &crate::expr::Expr,
    expr: &Expr,
    clause: Clause,
) -> Result<(), PlanError> {
    let clause = clause.name();
    let text = print::expression(&unqualified(expr));
    match predicate.ty() {
        Some(SqlType::Boolean) => Ok(()),
        Some(ty) => Err(PlanError::analyse(format!(
            "Type error in {clause} expression: Should evaluate to boolean but is ({ty}) instead."
        ))
        .unlogged(format!(
            "Type error in {clause} expression: Should evaluate to boolean but is {text} ({ty}) \
             instead.\nStatement: {text}"
        ))
        .at(expr.span)
        .because(format!("this is {}, not a condition", with_article(ty)))
        .help("compare it with a value, as in … = … or … > …")),
        None => Err(PlanError::analyse(
            "Cannot invoke \"io.confluent.ksql.schema.ksql.types.SqlType.toString(io.confluent.ksql.\
             schema.utils.FormatOptions)\" because \"<local2>\" is null",
        )
        .help(format!("{clause} needs a condition, and NULL is none"))
        .at(expr.span)),
    }
}

impl Builder<'_> {
    /// Adds a node that reads the last one, and gives the current columns.
    pub(super) fn add(&mut self, name: &str, kind: NodeKind) {
        let schema = Schema { key: self.key().to_vec(), value: defs(&self.columns) };
        self.push(name, kind, schema);
    }

    /// Adds a node that reads the last one, and gives `schema`.
    pub(super) fn push(&mut self, name: &str, kind: NodeKind, schema: Schema) {
        let last = self.nodes.len().checked_sub(1).map(NodeId);
        let before = last.map(|last| self.nodes[last.0].gives);
        let gives = match kind {
            NodeKind::StreamSource { .. } => Gives::Rows,
            NodeKind::TableSource { .. }
            | NodeKind::Aggregate(_)
            | NodeKind::Materialize { .. } => Gives::Changes,
            _ => before.unwrap_or(Gives::Rows),
        };
        let inputs = last.into_iter().collect();
        self.nodes.push(Node { kind, name: name.to_owned(), inputs, schema, gives });
    }

    /// Keeps what is selected of a join of tables, as ksqlDB's `TableSelectBuilder` does.
    pub(super) fn keep_joined(&mut self, name: &str) {
        let Some(schema) = self.nodes.last().map(|node| node.schema.clone()) else { return };
        let comes_of_joined_tables =
            self.relation.is_joined() && self.relation.kind == SourceKind::Table;
        let is_first = !self.nodes.iter().any(|node| matches!(node.kind, NodeKind::Aggregate(_)));
        if !comes_of_joined_tables || !is_first {
            return;
        }
        let store = StoreSpec {
            name: format!("{}-Last", name.replace('.', "-")),
            kind: StoreKind::Table,
            stored: schema.clone(),
            key_format: self.relation.key_format.clone(),
            value_format: internal_value_format(&self.relation.value_format),
            retention_ms: None,
        };
        self.push(name, NodeKind::Materialize { store }, schema);
    }

    /// The current key.
    fn key(&self) -> &[ColumnDef] {
        self.nodes.last().map_or(&self.relation.key, |node| &node.schema.key)
    }

    /// Types expressions of a clause against the current columns.
    pub(super) fn scope(&self, clause: Clause) -> Scope<'_> {
        let scope = self.ctx.scope(&self.columns, self.key(), clause);
        Scope { calls: &self.over, select: &self.query.select, named: Some(&self.columns), ..scope }
    }

    /// Types an expression that fills a column.
    pub(super) fn named(
        &self,
        name: &str,
        expr: &Expr,
        clause: Clause,
    ) -> Result<NamedExpr, PlanError> {
        let typed = self.scope(clause).resolve(expr)?;
        Ok(NamedExpr {
            name: name.to_owned(),
            expr: Arc::new(typed),
            text: print::expression(expr),
        })
    }

    /// Adds the node that computes the result's value columns.
    pub(super) fn add_projection(
        &mut self,
        name: &str,
        values: &[&Item],
        key: Vec<ColumnDef>,
        clause: Clause,
    ) -> Result<Schema, PlanError> {
        let mut columns = Vec::with_capacity(values.len());
        let mut value: Vec<ColumnDef> = Vec::with_capacity(values.len());
        let is_for_client = self.sink.name.is_none();
        let key_names = key.iter().map(|column| &*column.name).filter(|_| !is_for_client);
        let mut names: HashSet<&str> = key_names.collect();
        for item in values {
            let named = self.named(&item.name, &item.expr, clause)?;
            let ty = named.expr.ty().cloned().ok_or_else(|| untyped().at(item.span))?;
            let column = ColumnDef::new(item.name.as_str(), ty);
            if !names.insert(&item.name) {
                return Err(repeated_column(item, &column.ty));
            }
            value.push(column);
            columns.push(named);
        }
        if value.is_empty() {
            let error = PlanError::analyse("The projection contains no value columns.");
            return Err(error
                .at(list_span(self.query))
                .because("all of this is the key")
                .help("select another column; AS_VALUE(column) copies one of the key"));
        }
        let schema = Schema { key, value };
        self.push(name, NodeKind::Select { columns }, schema.clone());
        self.keep_joined(name);
        Ok(schema)
    }
}
