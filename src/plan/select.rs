//! The items of a `SELECT`: stars expanded, names given, keys told from values.

use std::collections::{HashMap, HashSet};

use super::names::{joined_name, unqualified};
use super::relation::{Aliased, Relation};
use super::{PlanError, frame_columns};
use crate::sql::ast::{Expr, ExprKind, Name, Query, SelectItem};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::SqlType;

/// An item of a `SELECT`, with the name of its column.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The column.
    pub(super) name: String,
    /// What it computes; columns are named without their source.
    pub(super) expr: Expr,
    /// Where it stands, or the star that stands for it.
    pub(super) span: Span,
}

/// Names of pseudo-columns and window bounds, which no other column may have.
pub(super) const RESERVED: [&str; 5] =
    ["ROWTIME", "ROWPARTITION", "ROWOFFSET", "WINDOWSTART", "WINDOWEND"];

/// Gives each item a name, and expands `*`. Pseudo-columns and bounds of windows cannot be put into a sink as they are
/// called.
pub(super) fn items(
    query: &Query,
    relation: &Relation,
    columns: &[(String, SqlType)],
    has_sink: bool,
) -> Result<Vec<Item>, PlanError> {
    let mut names = Aliases::new(columns);
    let mut items = Vec::new();
    for item in &query.select {
        match item {
            SelectItem::All { source: qualifier, span } => {
                if relation.is_joined() {
                    items.extend(joined_star(query, relation, (qualifier.as_ref(), *span))?);
                    continue;
                }
                check_qualifier(qualifier.as_ref(), query)?;
                items.extend(star(query, relation, *span, has_sink));
            }
            SelectItem::StructAll { base, span } => {
                for field in struct_fields(base, columns)? {
                    let expr = Expr {
                        kind: ExprKind::Field {
                            base: Box::new(unqualified(base)),
                            name: Name::new(&*field),
                        },
                        span: base.span,
                    };
                    items.push(Item { name: names.field(&field), expr, span: *span });
                }
            }
            SelectItem::Expr { expr, alias, span } => {
                let plain = unqualified(expr);
                if let ExprKind::Column { source: Some(qualifier), .. } = &expr.kind
                    && !relation.is_joined()
                    && qualifier.text != query.from.first.alias.text
                {
                    check_qualifier(Some(qualifier), query)?;
                }
                let (name, has_alias) = match (alias, &plain.kind) {
                    (Some(alias), _) => (alias.text.clone(), true),
                    (None, ExprKind::Column { name, .. }) => (name.text.clone(), false),
                    (None, ExprKind::Field { name, .. }) => (names.field(&name.text), false),
                    (None, _) => (names.generated(), false),
                };
                let has_alias = has_alias && !is_called(&plain, &name);
                let at = alias.as_ref().map_or(*span, |alias| alias.span);
                if has_sink || has_alias {
                    check_reserved(&name, has_alias).map_err(|error| error.at(at))?;
                }
                items.push(Item { name, expr: plain, span: *span });
            }
        }
    }
    Ok(items)
}

fn check_qualifier(qualifier: Option<&Name>, query: &Query) -> Result<(), PlanError> {
    let Some(qualifier) = qualifier else { return Ok(()) };
    if qualifier.text == query.from.first.alias.text {
        return Ok(());
    }
    let message = format!("'{}' is not a valid stream/table name or alias.", qualifier.text);
    let alias = &query.from.first.alias.text;
    Err(PlanError::prepare(message).at(qualifier.span).help(format!("the source here is {alias}")))
}

fn check_reserved(name: &str, has_alias: bool) -> Result<(), PlanError> {
    if !RESERVED.contains(&name) {
        return Ok(());
    }
    Err(PlanError::analyse(if has_alias {
        format!("`{name}` is a reserved column name. You cannot use it as an alias for a column.")
    } else {
        format!("Reserved column name in select: `{name}`. Please remove or alias the column.")
    }))
}

/// Whether an expression is the column called `name`, also that of a source in a joined row.
pub(super) fn is_called(expr: &Expr, name: &str) -> bool {
    let ExprKind::Column { name: column, .. } = &expr.kind else { return false };
    let rest = column.text.strip_suffix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
}

/// The columns of `*`, or of one source, in a joined row: of each source the key, then the value. A key
/// that is none of them comes first.
fn joined_star(
    query: &Query,
    relation: &Relation,
    (qualifier, span): (Option<&Name>, Span),
) -> Result<Vec<Item>, PlanError> {
    let wanted = |alias: &Name| qualifier.is_none_or(|qualifier| qualifier.text == alias.text);
    let sources: Vec<_> =
        relation.sources.iter().filter(|aliased| wanted(&aliased.alias)).collect();
    if let (true, Some(qualifier)) = (sources.is_empty(), qualifier) {
        let message = format!("'{}' is not a valid stream/table name or alias.", qualifier.text);
        return Err(PlanError::prepare(message).at(qualifier.span));
    }
    let is_rekeyed = query.partition_by.is_some();
    let columns = sources.into_iter().flat_map(|Aliased { alias, source }| {
        if is_rekeyed {
            // ksqlDB takes pseudo-columns of joined rows for columns of their own there.
            let columns = frame_columns(source).into_iter();
            let names: Vec<_> = columns.map(|c| joined_name(&alias.text, &c.name)).collect();
            return names.into_iter();
        }
        let keys = source.schema.key.iter().map(|column| column.name.to_string());
        let values = source.schema.value.iter().map(|column| column.name.to_string());
        let headers = source.headers.iter().map(|column| column.name.clone());
        // Beside the windows of the key, each source has bounds of its own.
        let bounds = source.is_windowed().then_some(["WINDOWSTART", "WINDOWEND"]);
        let bounds = bounds.into_iter().flatten().map(str::to_owned);
        let names = keys.chain(bounds).chain(values).chain(headers);
        let names: Vec<_> = names.map(|name| joined_name(&alias.text, &name)).collect();
        names.into_iter()
    });
    let columns: Vec<String> = columns.collect();
    let synthetic = relation.synthetic_key().filter(|_| qualifier.is_none());
    let taken: Vec<Item> = query
        .partition_by
        .iter()
        .flatten()
        .filter(|expr| !matches!(expr.kind, ExprKind::Literal(_)))
        .enumerate()
        .map(|(index, expr)| match &expr.kind {
            ExprKind::Column { name, .. } | ExprKind::Field { name, .. } => {
                Item { name: name.text.clone(), expr: expr.clone(), span }
            }
            _ => Item { name: format!("KSQL_COL_{index}"), expr: expr.clone(), span },
        })
        .collect();
    let rest = synthetic.into_iter().map(str::to_owned).chain(columns);
    let rest: Vec<Item> = rest
        .filter(|name| !taken.iter().any(|item| item.name == *name))
        .map(|name| Item { expr: column(&name), name, span })
        .collect();
    Ok(taken.into_iter().chain(rest).collect())
}

/// The columns of `*`: the key, then the value; after a `PARTITION BY` the new key comes first and
/// the old one last. Where there is no sink, which has windows of its own, the bounds of windows follow the key.
fn star(query: &Query, relation: &Relation, span: Span, has_sink: bool) -> Vec<Item> {
    let Some(source) = relation.sources.first().map(|aliased| &aliased.source) else {
        return Vec::new();
    };
    let keys: Vec<&str> = source.schema.key.iter().map(|column| &*column.name).collect();
    let values = source.schema.value.iter().map(|column| &*column.name);
    let headers = source.headers.iter().map(|column| column.name.as_str());
    let values: Vec<&str> = values.chain(headers).collect();
    let item = |name: &str| Item { name: name.to_owned(), expr: column(name), span };
    let Some(partition_by) = &query.partition_by else {
        let bounds = ["WINDOWSTART", "WINDOWEND"].into_iter();
        let bounds = bounds.filter(|_| source.is_windowed() && !has_sink);
        return keys.into_iter().chain(bounds).chain(values).map(item).collect();
    };
    let mut first: Vec<Item> = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    for (index, expr) in partition_by.iter().enumerate() {
        let plain = unqualified(expr);
        match &plain.kind {
            ExprKind::Column { name, .. } => {
                taken.push(name.text.clone());
                first.push(item(&name.text));
            }
            ExprKind::Literal(_) => {}
            ExprKind::Field { name, .. } => {
                let name = name.text.clone();
                first.push(Item { name, expr: plain, span });
            }
            _ => {
                let name = format!("KSQL_COL_{index}");
                first.push(Item { name, expr: plain, span });
            }
        }
    }
    let rest =
        values.into_iter().chain(keys).filter(|name| !taken.iter().any(|other| other == name));
    first.into_iter().chain(rest.map(item)).collect()
}

/// The expressions of a `SELECT` as they are written.
pub(super) fn selected(query: &Query) -> impl Iterator<Item = &Expr> {
    query.select.iter().filter_map(|item| match item {
        SelectItem::Expr { expr, .. } => Some(expr),
        SelectItem::All { .. } | SelectItem::StructAll { .. } => None,
    })
}

/// From the first item of a `SELECT` to the last.
pub(super) fn list_span(query: &Query) -> Span {
    let span = |item: &SelectItem| match item {
        SelectItem::Expr { span, .. }
        | SelectItem::All { span, .. }
        | SelectItem::StructAll { span, .. } => *span,
    };
    let spans = query.select.iter().map(span);
    spans.reduce(Span::to).unwrap_or(query.span)
}

/// An expression that names a column.
pub(super) fn column(name: &str) -> Expr {
    Expr { kind: ExprKind::Column { source: None, name: Name::new(name) }, span: Span::default() }
}

/// The fields of the struct that `base` gives.
fn struct_fields(base: &Expr, columns: &[(String, SqlType)]) -> Result<Vec<String>, PlanError> {
    fn type_of(expr: &Expr, columns: &[(String, SqlType)]) -> Option<SqlType> {
        match &expr.kind {
            ExprKind::Column { name, .. } => {
                columns.iter().find(|(column, _)| *column == name.text).map(|(_, ty)| ty.clone())
            }
            ExprKind::Field { base, name } => match type_of(base, columns)? {
                SqlType::Struct(ty) => ty.field(&name.text).map(|(_, ty)| ty.clone()),
                _ => None,
            },
            ExprKind::Subscript { base, .. } => match type_of(base, columns)? {
                SqlType::Array(item) => Some((*item).clone()),
                SqlType::Map(_, value) => Some((*value).clone()),
                _ => None,
            },
            _ => None,
        }
    }
    match type_of(base, columns) {
        Some(SqlType::Struct(ty)) => {
            Ok(ty.fields.iter().map(|field| field.name.to_string()).collect())
        }
        Some(ty) => Err(PlanError::analyse(format!(
            "Cannot use ->* on non-struct {}",
            print::expression(base)
        ))
        .at(base.span)
        .because(format!("this is {}: only a STRUCT has fields", crate::expr::with_article(&ty)))),
        None => Err(PlanError::analyse(format!(
            "Cannot use ->* on non-struct {}",
            print::expression(base)
        ))
        .at(base.span)),
    }
}

/// Makes up names for columns that have none, as ksqlDB's `ColumnAliasGenerator`.
pub(super) struct Aliases {
    used: HashSet<String>,
    next: u32,
    fields: HashMap<String, u32>,
}

impl Aliases {
    pub(super) fn new(columns: &[(String, SqlType)]) -> Self {
        let used = columns.iter().map(|(name, _)| name.clone()).collect();
        Self { used, next: 0, fields: HashMap::new() }
    }

    /// `KSQL_COL_0` and so on, names of the source's columns left out.
    pub(super) fn generated(&mut self) -> String {
        loop {
            let name = format!("KSQL_COL_{}", self.next);
            self.next += 1;
            if !self.used.contains(&name) {
                return name;
            }
        }
    }

    /// The name of the field, with a number where it is taken.
    pub(super) fn field(&mut self, field: &str) -> String {
        loop {
            let count = self.fields.entry(field.to_owned()).or_insert(0);
            let name = if *count == 0 { field.to_owned() } else { format!("{field}_{count}") };
            *count += 1;
            if !self.used.contains(&name) {
                return name;
            }
        }
    }
}
