//! What each join of a query is: which pair, on which key, over which columns.
//!
//! The checks and their order are those of ksqlDB's `LogicalPlanner.verifyJoin` and `JoinNode`.

use super::criteria::Criterion;
use super::flatten::flatten_expr;
use super::sides::{Equivalent, aliased_columns, check_partitions, check_windows};
use crate::expr::with_article;
use crate::formats::{Format, FormatSpec};
use crate::plan::expression::Clause;
use crate::plan::frame::named_columns;
use crate::plan::keys::check_keys;
use crate::plan::names::{joined_name, unqualified};
use crate::plan::query_plan::Gives;
use crate::plan::relation::Aliased;
use crate::plan::{PlanContext, PlanError};
use crate::sql::ast::{Expr, ExprKind, Join, JoinKind, Query, SelectItem, SourceKind, Within};
use crate::sql::span::Span;
use crate::types::{ColumnDef, SqlType};

/// One join.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) kind: JoinKind,
    pub(super) within: Option<Within>,
    /// Where the join stands.
    pub(super) span: Span,
    pub(super) left: Gives,
    pub(super) right: Gives,
    pub(super) criterion: Criterion,
    /// The left expression over the columns of the left side: of its source, or of the joined row.
    pub(super) left_expr: Expr,
    /// The right expression over the columns of its source.
    pub(super) right_expr: Expr,
    /// The name of the key of the joined rows.
    pub(super) key_name: String,
    pub(super) key_ty: SqlType,
    /// Whether no column is as good as the key, so that it becomes one of its own.
    pub(super) is_synthetic: bool,
    /// Whether the key is added to the columns of both sides.
    pub(super) appends_key: bool,
    /// Whether a table is joined on an expression that is not its key.
    pub(super) is_foreign: bool,
    pub(super) left_rekeyed: bool,
    pub(super) right_rekeyed: bool,
    pub(super) key_format: FormatSpec,
    /// The columns that the criteria make equal to the key.
    pub(super) equivalent: Equivalent,
}

impl Step {
    /// The key of the joined rows.
    pub(super) fn key(&self) -> ColumnDef {
        ColumnDef::new(self.key_name.as_str(), self.key_ty.clone())
    }
}

/// Columns by name and type.
type Columns = Vec<(String, SqlType)>;

/// What is known of the left side before a join.
struct LeftSide {
    columns: Columns,
    equivalent: Equivalent,
}

/// All joins of a query, in order.
pub(super) fn steps(
    query: &Query,
    sources: &[Aliased],
    criteria: Vec<Criterion>,
    ctx: &PlanContext<'_>,
) -> Result<Vec<Step>, PlanError> {
    let first = &sources[0];
    let mut left =
        LeftSide { columns: named_columns(&first.source), equivalent: Equivalent::default() };
    let mut steps: Vec<Step> = Vec::new();
    for (index, (join, criterion)) in query.from.joins.iter().zip(criteria).enumerate() {
        let stepper = Stepper { query, sources, index, join, ctx };
        let (step, columns) = stepper.step(&left, criterion)?;
        let equivalent =
            if step.is_foreign { Equivalent::keys_of(first) } else { step.equivalent.clone() };
        left = LeftSide { columns, equivalent };
        steps.push(step);
    }
    Ok(steps)
}

fn gives(aliased: &Aliased) -> Gives {
    match aliased.source.kind {
        SourceKind::Stream => Gives::Rows,
        SourceKind::Table => Gives::Changes,
    }
}

struct Stepper<'s> {
    query: &'s Query,
    sources: &'s [Aliased],
    index: usize,
    join: &'s Join,
    ctx: &'s PlanContext<'s>,
}

impl Stepper<'_> {
    fn right(&self) -> &Aliased {
        &self.sources[self.index + 1]
    }

    /// The join, and the columns of the joined row.
    fn step(&self, left: &LeftSide, criterion: Criterion) -> Result<(Step, Columns), PlanError> {
        let right = self.right();
        let right_frame = named_columns(&right.source);
        let left_expr = self.over_left(&criterion.left, &left.columns);
        let right_expr = unqualified(&criterion.right);
        let left_ty = self.type_of(&left_expr, &left.columns)?;
        let right_ty = self.type_of(&right_expr, &right_frame)?;
        let is_foreign = self.joins_by_foreign_key(&criterion, &left_ty, &right_ty)?;
        let equivalent = if self.join.kind == JoinKind::Full || is_foreign {
            Equivalent::default()
        } else {
            Equivalent::joined(&left.equivalent, &criterion.left, &criterion.right)
        };
        let left_columns = match self.index {
            0 => aliased_columns(&self.sources[0].alias.text, &left.columns),
            _ => left.columns.clone(),
        };
        let right_columns = aliased_columns(&right.alias.text, &right_frame);
        let has_key = if self.index == 0 {
            self.is_key_of(0, &criterion.left)
        } else {
            left.equivalent.contains(&criterion.left)
        };
        let left_rekeyed = !is_foreign && !has_key;
        let right_rekeyed = !is_foreign && !self.is_key_of(self.index + 1, &criterion.right);
        if left_ty != right_ty && !is_foreign {
            let message = format!("Invalid join. Key types differ: {left_ty} vs {right_ty}");
            let error = PlanError::analyse(message).at(self.join.on.span);
            let sides = [(left_ty, &criterion.left), (right_ty, &criterion.right)];
            let sides = sides.map(|(ty, side)| {
                format!("{} is {}", side.span.text(self.ctx.text), with_article(&ty))
            });
            return Err(error
                .because(sides.join(", "))
                .help("CAST one side to the type of the other"));
        }
        let mut columns: Vec<_> = left_columns.into_iter().chain(right_columns).collect();
        let chosen = self.key_column(&equivalent);
        let is_synthetic = chosen.is_none() && !is_foreign;
        let key_name = chosen.unwrap_or_else(|| self.synthetic_name());
        check_keys(&[ColumnDef::new(key_name.as_str(), left_ty.clone())])
            .map_err(|(_, error)| error.at(self.join.on.span))?;
        // As `JoinParamsFactory`: a key that neither side has in its value is added to it.
        let appends_key = !is_foreign && !columns.iter().any(|(name, _)| *name == key_name);
        if appends_key {
            columns.push((key_name.clone(), left_ty.clone()));
        }
        let step = Step {
            span: self.join.span,
            kind: self.join.kind,
            within: self.join.within.clone(),
            left: gives(&self.sources[0]),
            right: gives(right),
            criterion,
            left_expr,
            right_expr,
            key_name,
            key_ty: left_ty,
            is_synthetic,
            appends_key,
            is_foreign,
            left_rekeyed,
            right_rekeyed,
            key_format: Format::Kafka.into(),
            equivalent,
        };
        Ok((step, columns))
    }

    /// The left expression over what stands on the left.
    fn over_left(&self, expr: &Expr, columns: &[(String, SqlType)]) -> Expr {
        if self.index == 0 {
            return unqualified(expr);
        }
        let mut expr = expr.clone();
        flatten_expr(&mut expr, columns);
        expr
    }

    fn type_of(&self, expr: &Expr, columns: &[(String, SqlType)]) -> Result<SqlType, PlanError> {
        let typed = self.ctx.scope(columns, &[], Clause::JoinOn).resolve(expr)?;
        typed.ty().cloned().ok_or_else(crate::plan::builder::untyped)
    }

    /// Refuses what cannot be joined. Whether a table is joined on an expression that is not its key.
    fn verify(
        &self,
        criterion: &Criterion,
        left_ty: &SqlType,
        right_ty: &SqlType,
    ) -> Result<bool, PlanError> {
        let refuse = |message: String| Err(PlanError::analyse(message).at(self.join.span));
        let got = || criterion.shown();
        let on_right_key = self.is_key_of(self.index + 1, &criterion.right);
        let pair = || {
            let (first, right) = (&self.sources[0].source.name, &self.right().source.name);
            format!("{first} {} {right}", join_name(self.join.kind))
        };
        match (gives(&self.sources[0]), gives(self.right())) {
            (Gives::Rows, Gives::Rows) => Ok(false),
            (Gives::Rows, Gives::Changes) => {
                if self.join.kind == JoinKind::Full {
                    return refuse(format!(
                        "Invalid join type: full-outer join not supported for stream-table join. Got {}.",
                        pair()
                    ));
                }
                if !on_right_key {
                    return refuse(format!(
                        "Invalid join condition: stream-table joins require to join on the table's primary \
                         key. Got {}.",
                        got()
                    ));
                }
                Ok(false)
            }
            (Gives::Changes, Gives::Rows) => refuse(format!(
                "Invalid join order: table-stream joins are not supported; only stream-table joins. Got {}.",
                pair()
            )),
            (Gives::Changes, Gives::Changes) => {
                if !on_right_key {
                    return refuse(format!(
                        "Invalid join condition: table-table joins require to join on the primary key of \
                         the right input table. Got {}.",
                        got()
                    ));
                }
                let is_foreign = !self.is_key_of(criterion.left_source, &criterion.left);
                if is_foreign && self.index > 0 {
                    return refuse(format!(
                        "Invalid join condition: foreign-key table-table joins are not supported as part \
                         of n-way joins. Got {}.",
                        got()
                    ));
                }
                if is_foreign && self.join.kind == JoinKind::Full {
                    return refuse(format!(
                        "Invalid join type: full-outer join not supported for foreign-key table-table \
                         join. Got {}.",
                        pair()
                    ));
                }
                if is_foreign && self.join.kind == JoinKind::Right {
                    return refuse("RIGHT OUTER JOIN on a foreign key is not supported".to_owned());
                }
                if left_ty != right_ty {
                    let (one, other) = &criterion.written;
                    let flipped = *one != criterion.left;
                    let (a, b) = if flipped { (right_ty, left_ty) } else { (left_ty, right_ty) };
                    return refuse(format!(
                        "Invalid join condition: types don't match. Got {}{{{a}}} = {}{{{b}}}.",
                        crate::sql::print::expression(one),
                        crate::sql::print::expression(other)
                    ));
                }
                Ok(is_foreign)
            }
        }
    }

    /// Whether the join is one by a foreign key; these are of tables without windows.
    fn joins_by_foreign_key(
        &self,
        criterion: &Criterion,
        left_ty: &SqlType,
        right_ty: &SqlType,
    ) -> Result<bool, PlanError> {
        let is_foreign = self.verify(criterion, left_ty, right_ty)?;
        let mut sources = [&self.sources[0], self.right()].into_iter();
        if is_foreign && sources.any(|aliased| aliased.source.is_windowed()) {
            return Err(PlanError::analyse(
                "Foreign-key table-table joins are not supported on windowed tables.",
            )
            .at(self.join.span));
        }
        Ok(is_foreign)
    }

    /// Whether an expression is the only key column of a source.
    fn is_key_of(&self, source: usize, expr: &Expr) -> bool {
        let key = &self.sources[source].source.schema.key;
        matches!((&**key, &expr.kind), ([only], ExprKind::Column { name, .. }) if *only.name == *name.text)
    }

    /// `ROWKEY`, or with the next number where a source has such a column.
    fn synthetic_name(&self) -> String {
        const NAME: &str = "ROWKEY";
        let sources = self.sources[..=self.index + 1].iter().map(|aliased| &aliased.source.schema);
        let columns = sources.flat_map(|schema| schema.key.iter().chain(&schema.value));
        let taken = columns.filter_map(|column| match column.name.strip_prefix(NAME)? {
            "" => Some(0),
            rest => rest.strip_prefix('_')?.parse::<u32>().ok(),
        });
        match taken.max() {
            None => NAME.to_owned(),
            Some(last) => format!("{NAME}_{}", last.saturating_add(1)),
        }
    }

    /// The column that the key is called after: the first that is selected, else the first.
    fn key_column(&self, equivalent: &Equivalent) -> Option<String> {
        let viable = equivalent.columns();
        let selected = viable.iter().find(|expr| selects(self.query, expr));
        let chosen = selected.or_else(|| viable.first())?;
        match &chosen.kind {
            ExprKind::Column { source: Some(source), name } => {
                Some(joined_name(&source.text, &name.text))
            }
            ExprKind::Column { source: None, name } => Some(name.text.clone()),
            _ => None,
        }
    }
}

/// Whether the items of a query contain an expression, also by a star.
pub(super) fn selects(query: &Query, expr: &Expr) -> bool {
    query.select.iter().any(|item| match item {
        SelectItem::Expr { expr: selected, .. } => selected == expr,
        SelectItem::All { source, .. } => match (&expr.kind, source) {
            (_, None) => true,
            (ExprKind::Column { source: Some(of), .. }, Some(source)) => of.text == source.text,
            _ => false,
        },
        SelectItem::StructAll { .. } => false,
    })
}

/// A kind of join, as messages have it.
pub(super) fn join_name(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "[INNER] JOIN",
        JoinKind::Left => "LEFT [OUTER] JOIN",
        JoinKind::Right => "RIGHT [OUTER] JOIN",
        JoinKind::Full => "[FULL] OUTER JOIN",
    }
}

/// What joins need of their sources, once all criteria are known.
pub(super) fn check_sources(
    sources: &[Aliased],
    steps: &[Step],
    ctx: &PlanContext<'_>,
) -> Result<(), PlanError> {
    for (index, step) in steps.iter().enumerate() {
        let left = if index == 0 { &sources[0] } else { &sources[step.criterion.left_source] };
        check_windows(left, &sources[index + 1])?;
    }
    for (index, step) in steps.iter().enumerate() {
        if !step.is_foreign {
            check_partitions(&sources[0], &sources[index + 1], ctx)?;
        }
    }
    Ok(())
}
