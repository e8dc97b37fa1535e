//! Whether the rows that a pull query asks a table for can be looked up by their keys, and what is said where they cannot,
//! and all rows may not be looked at: `ksql.query.pull.table.scan.enabled`.
//!
//! As ksqlDB's `QueryFilterNode`: a condition is brought into alternatives, each of them several comparisons that must all
//! hold. Rows are looked up if each alternative says what the whole key is.

use std::collections::BTreeSet;

use super::names::{columns, unqualified};
use super::read_features::ReadFeature;
use super::{PlanConfig, PlanError, Source};
use crate::sql::ast::{Comparison, Expr, ExprKind, Literal, LogicalOp};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::{ColumnDef, SqlType};

/// How many alternatives a condition may have before it is not taken apart any more.
const ALTERNATIVES_MAX: usize = 10_000;

/// Where pull queries are explained.
pub(super) const PULL_HELP: &str = " See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if \
                                    you intended to issue a push query.";

/// Refuses a condition that asks for rows in a way that is switched off, or for keys that cannot be.
pub(super) fn check_lookups(
    filter: Option<&Expr>,
    table: &Source,
    config: &PlanConfig,
    at: Span,
) -> Result<(), PlanError> {
    let lookups = Lookups { table, config };
    let Some(filter) = filter else {
        return lookups.scan(|| lookups.invalid("Missing WHERE clause").at(at));
    };
    lookups.check(&unqualified(filter)).map_err(|error| error.at(filter.span))
}

/// What conditions are checked against.
#[derive(Clone, Copy)]
struct Lookups<'l> {
    table: &'l Source,
    config: &'l PlanConfig,
}

impl Lookups<'_> {
    fn allows(self, feature: ReadFeature) -> bool {
        !self.config.switched_off.contains(&feature)
    }

    /// Nothing, where all rows may be looked at; else the error.
    fn scan(self, error: impl FnOnce() -> PlanError) -> Result<(), PlanError> {
        if self.allows(ReadFeature::TableScan) { Ok(()) } else { Err(error()) }
    }

    fn check(self, filter: &Expr) -> Result<(), PlanError> {
        let Some(alternatives) = alternatives(filter, true) else {
            return self.scan(|| self.invalid("WHERE clause has too many alternatives"));
        };
        let mut scans = false;
        for alternative in &alternatives {
            let checked = self.check_alternative(alternative);
            match checked {
                Ok(()) => {}
                Err(error) => {
                    self.scan(|| error)?;
                    scans = true;
                }
            }
        }
        if scans {
            return Ok(());
        }
        for comparison in alternatives.iter().flatten() {
            self.check_key(comparison)?;
        }
        if alternatives.iter().all(|alternative| self.is_looked_up(alternative)) {
            return Ok(());
        }
        self.scan(|| {
            PlanError::execute(
                "Query requires table scan to be enabled. Table scans can be enabled by setting \
                 ksql.query.pull.table.scan.enabled=true",
            )
        })
    }

    /// Whether an alternative says what the whole key is, or where it lies.
    fn check_alternative(self, alternative: &[Expr]) -> Result<(), PlanError> {
        let mut seen = BTreeSet::new();
        for condition in alternative {
            let Some((column, op, other)) = self.comparison(condition)? else { continue };
            if !columns(other).is_empty() {
                return Err(self.invalid(
                    "A comparison must be between a key column and a resolvable expression",
                ));
            }
            if matches!(op, Comparison::NotEqual | Comparison::DistinctFrom) {
                return Err(self.invalid(&format!(
                    "Bound on key columns '{}' must currently be '='",
                    self.keys()
                )));
            }
            if !seen.insert(column) {
                return Err(self.invalid(
                    "A comparison condition on the key column cannot be combined with other comparisons \
                     such as an IN predicate",
                ));
            }
        }
        if seen.is_empty() {
            let text = shown(alternative);
            return Err(
                self.invalid(&format!("WHERE clause missing key column for disjunct: {text}"))
            );
        }
        if seen.len() < self.table.schema.key.len() {
            let found: Vec<String> = seen.iter().map(ToString::to_string).collect();
            return Err(self.invalid(&format!(
                "Multi-column sources must specify every key in the WHERE clause. Specified: {{{}}} \
                 Expected: {}",
                found.join(", "),
                self.keys()
            )));
        }
        Ok(())
    }

    /// The number of the key column that a condition compares, how, and with what; nothing if it compares no part of the
    /// key.
    fn comparison(self, condition: &Expr) -> Result<Option<(usize, Comparison, &Expr)>, PlanError> {
        let ExprKind::Comparison { op, left, right } = &condition.kind else {
            return Err(self.invalid(&format!(
                "Unsupported expression in WHERE clause: {}",
                print::expression(condition)
            )));
        };
        let (name, other) = match (&left.kind, &right.kind) {
            (ExprKind::Column { .. }, ExprKind::Column { .. }) => {
                return Err(self.invalid(
                    "A comparison must be between a key column and a resolvable expression",
                ));
            }
            (ExprKind::Column { name, .. }, _) => (name, right),
            (_, ExprKind::Column { name, .. }) => (name, left),
            _ => {
                let message = "A comparison must directly reference a key column";
                return Err(self.invalid(message));
            }
        };
        let key = self.table.schema.key.iter().position(|column| *column.name == *name.text);
        if key.is_none() && matches!(name.text.as_str(), "WINDOWSTART" | "WINDOWEND") {
            let is_bound = !matches!(op, Comparison::NotEqual | Comparison::DistinctFrom);
            if !is_bound {
                let message =
                    format!("Unsupported {} bounds: {}", name.text, print::expression(condition));
                return Err(self.invalid(&message));
            }
        }
        Ok(key.map(|key| (key, *op, &**other)))
    }

    /// Refuses a value that no key has.
    fn check_key(self, condition: &Expr) -> Result<(), PlanError> {
        let Ok(Some((key, Comparison::Equal, other))) = self.comparison(condition) else {
            return Ok(());
        };
        let column = &self.table.schema.key[key];
        let ExprKind::Literal(literal) = &other.kind else { return Ok(()) };
        if *literal == Literal::Null {
            return Err(PlanError::execute(format!(
                "Primary key columns can not be NULL: {}",
                print::expression(condition)
            ))
            .at(other.span));
        }
        if is_convertible(literal, &column.ty) {
            return Ok(());
        }
        let text = match literal {
            Literal::String(text) => text.clone(),
            _ => print::expression(other),
        };
        Err(PlanError::execute(format!(
            "'{text}' can not be converted to the type of the key column: {} {} KEY",
            column.name, column.ty
        ))
        .at(other.span))
    }

    /// Whether an alternative that says something of the whole key finds its rows by that.
    fn is_looked_up(self, alternative: &[Expr]) -> bool {
        let is_equal = |condition: &Expr| match self.comparison(condition) {
            Ok(Some((_, op, _))) => op == Comparison::Equal,
            _ => true,
        };
        let key: &[ColumnDef] = &self.table.schema.key;
        let is_range = matches!(key, [only] if only.ty == SqlType::String)
            && !self.table.is_windowed()
            && self.allows(ReadFeature::RangeScan);
        is_range || alternative.iter().all(is_equal)
    }

    /// The key columns as ksqlDB lists them.
    fn keys(self) -> String {
        let key = self.table.schema.key.iter();
        let keys: Vec<String> =
            key.map(|column| format!("`{}` {} KEY", column.name, column.ty)).collect();
        format!("[{}]", keys.join(", "))
    }

    fn invalid(self, message: &str) -> PlanError {
        let windows = if self.table.is_windowed() {
            "\n - (optionally) limits the time bounds of the windowed table.\n\t Bounds on \
             [`WINDOWSTART`, `WINDOWEND`] are supported\n\t Supported operators are [EQUAL, \
             GREATER_THAN, GREATER_THAN_OR_EQUAL, LESS_THAN, LESS_THAN_OR_EQUAL]"
        } else {
            ""
        };
        PlanError::execute(format!(
            "{message}. {PULL_HELP}\nPull queries require a WHERE clause that:\n - includes a key \
             equality expression, e.g. `SELECT * FROM X WHERE <key-column> = Y;`.\n - in the case of a \
             multi-column key, is a conjunction of equality expressions that cover all key \
             columns.\n - to support range expressions, e.g.,  SELECT * FROM X WHERE <key-column> < Y;`, \
             range scans need to be enabled by setting {}=true{windows}\nIf more flexible queries are \
             needed, , table scans can be enabled by setting {}=true.",
            ReadFeature::RangeScan.property(),
            ReadFeature::TableScan.property(),
        ))
    }
}

/// Whether a constant can be a key of a type.
fn is_convertible(literal: &Literal, ty: &SqlType) -> bool {
    match literal {
        Literal::Null => false,
        Literal::Boolean(_) => *ty == SqlType::Boolean,
        Literal::Integer(_) => {
            matches!(ty, SqlType::Int | SqlType::Bigint | SqlType::Double | SqlType::Decimal { .. })
        }
        Literal::Bigint(_) => {
            matches!(ty, SqlType::Bigint | SqlType::Double | SqlType::Decimal { .. })
        }
        Literal::Decimal(_) => matches!(ty, SqlType::Double | SqlType::Decimal { .. }),
        Literal::Double(_) => *ty == SqlType::Double,
        Literal::String(_) => matches!(
            ty,
            SqlType::String | SqlType::Bytes | SqlType::Date | SqlType::Time | SqlType::Timestamp
        ),
    }
}

/// The alternatives of a condition, or of its opposite: conditions that must all hold, for each of them. `None` if there are
/// too many.
fn alternatives(expr: &Expr, holds: bool) -> Option<Vec<Vec<Expr>>> {
    match &expr.kind {
        ExprKind::Not(inner) => alternatives(inner, !holds),
        ExprKind::Logical { op, left, right } => {
            let (left, right) = (alternatives(left, holds)?, alternatives(right, holds)?);
            if (*op == LogicalOp::Or) == holds { either(left, right) } else { both(&left, &right) }
        }
        ExprKind::In { value, list } => {
            let equal = |item: &Expr| comparison(Comparison::Equal, value, item);
            let each = list.iter().map(|item| vec![vec![held(equal(item), holds)]]);
            let joined = each.map(Some).reduce(|left, right| {
                let (left, right) = (left?, right?);
                if holds { either(left, right) } else { both(&left, &right) }
            });
            joined.flatten()
        }
        ExprKind::Between { value, low, high } => {
            let low = held(comparison(Comparison::GreaterOrEqual, value, low), holds);
            let high = held(comparison(Comparison::LessOrEqual, value, high), holds);
            Some(if holds { vec![vec![low, high]] } else { vec![vec![low], vec![high]] })
        }
        _ => Some(vec![vec![held(expr.clone(), holds)]]),
    }
}

fn either(mut left: Vec<Vec<Expr>>, right: Vec<Vec<Expr>>) -> Option<Vec<Vec<Expr>>> {
    left.extend(right);
    (left.len() <= ALTERNATIVES_MAX).then_some(left)
}

fn both(left: &[Vec<Expr>], right: &[Vec<Expr>]) -> Option<Vec<Vec<Expr>>> {
    if left.len().saturating_mul(right.len()) > ALTERNATIVES_MAX {
        return None;
    }
    let pairs = left.iter().flat_map(|left| {
        right.iter().map(move |right| left.iter().chain(right).cloned().collect())
    });
    Some(pairs.collect())
}

/// A condition, or its opposite.
fn held(expr: Expr, holds: bool) -> Expr {
    if holds {
        return expr;
    }
    Expr { span: expr.span, kind: ExprKind::Not(Box::new(expr)) }
}

fn comparison(op: Comparison, left: &Expr, right: &Expr) -> Expr {
    let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
    Expr { span: right.span, kind: ExprKind::Comparison { op, left, right } }
}

/// Conditions that must all hold, as one.
fn shown(alternative: &[Expr]) -> String {
    let joined = alternative.iter().cloned().reduce(|left, right| Expr {
        span: right.span,
        kind: ExprKind::Logical {
            op: LogicalOp::And,
            left: Box::new(left),
            right: Box::new(right),
        },
    });
    joined.as_ref().map(print::expression).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::ast::Statement;
    use crate::sql::{ParseOptions, parse};

    fn shown_alternatives(condition: &str) -> Option<Vec<String>> {
        let text = format!("SELECT * FROM t WHERE {condition};");
        let parsed = parse(text, &ParseOptions::default()).unwrap().remove(0);
        let Statement::Query(query) = parsed.statement else { panic!("a query") };
        let found = alternatives(&query.filter.unwrap(), true)?;
        Some(found.iter().map(|alternative| shown(alternative)).collect())
    }

    #[test]
    fn a_condition_falls_into_alternatives() {
        let check = |condition: &str, expected: &[&str]| {
            let found = shown_alternatives(condition).unwrap();
            assert_eq!(found, expected, "{condition}");
        };
        check("k = 1", &["(K = 1)"]);
        check("k IN (1, 2) AND v = 3", &["((K = 1) AND (V = 3))", "((K = 2) AND (V = 3))"]);
        check("k BETWEEN 1 AND 2", &["((K >= 1) AND (K <= 2))"]);
        check("NOT (k = 1 OR v = 2)", &["((NOT (K = 1)) AND (NOT (V = 2)))"]);
        check("NOT (k = 1 AND v = 2)", &["(NOT (K = 1))", "(NOT (V = 2))"]);
    }

    #[test]
    fn there_is_an_end_to_alternatives() {
        let list: Vec<String> = (0..101).map(|number: i32| number.to_string()).collect();
        let list = list.join(", ");
        assert_eq!(shown_alternatives(&format!("k IN ({list}) AND v IN ({list})")), None);
        assert_eq!(shown_alternatives(&format!("k IN ({list})")).unwrap().len(), 101);
    }
}
