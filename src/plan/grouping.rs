//! What `GROUP BY` may group by, and what may stand beside it.

use super::builder::Builder;
use super::expression::Clause;
use super::names::{calls, columns, unqualified};
use super::relation::Aliased;
use super::select::{Item, is_called};
use super::{PlanError, Stage};
use crate::formats::Format;
use crate::sql::ast::{Expr, ExprKind, Name};
use crate::sql::print;
use crate::sql::span::Span;

/// The grouping expressions; aggregates are none.
pub(super) fn grouping(
    builder: &Builder<'_>,
    is_aggregate: &impl Fn(&str) -> bool,
) -> Result<Vec<Expr>, PlanError> {
    let mut grouping: Vec<Expr> = Vec::new();
    for expr in builder.query.group_by.iter().flatten() {
        let plain = unqualified(expr);
        if grouping.contains(&plain) {
            let alias = &builder.query.from.first.alias;
            let text = print::expression(&super::names::qualified(&plain, alias));
            let message = format!("Duplicate GROUP BY expression: {text}");
            let error = PlanError::new(Stage::Resolve, message).at(expr.span);
            return Err(error.because("rows are grouped by this already"));
        }
        if let Some(call) = calls(&plain, is_aggregate).first()
            && let ExprKind::Call { name, .. } = &call.kind
        {
            return Err(PlanError::analyse(format!(
                "GROUP BY does not support aggregate functions: {} is an aggregate function.",
                name.text
            ))
            .at(call.span)
            .because("its value is known only once rows are grouped"));
        }
        builder.check_columns(expr, Clause::GroupBy)?;
        grouping.push(plain);
    }
    Ok(grouping)
}

/// Refuses sources whose values are in the KAFKA format, which can be neither grouped nor joined.
pub(super) fn check_value_formats(sources: &[Aliased], clause: &str) -> Result<(), PlanError> {
    let kafka =
        sources.iter().filter(|aliased| aliased.source.value_format.format == Format::Kafka);
    let kafka: Vec<&Aliased> = kafka.collect();
    if kafka.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = kafka.iter().map(|aliased| aliased.alias.text.as_str()).collect();
    let places = kafka.iter().map(|aliased| {
        (aliased.alias.span, format!("the values of {} are in KAFKA", aliased.source.name))
    });
    Err(kafka_values(&names.join(", "), clause).at_each(places))
}

/// What is said of sources whose values are in the KAFKA format.
fn kafka_values(sources: &str, clause: &str) -> PlanError {
    PlanError::analyse(format!(
        "Source(s) {sources} are using the 'KAFKA' value format. This format does not yet support \
         {clause}.\nThe KAFKA format is primarily intended for use as a key format. It can be used as a \
         value format, but can not be used in any operation that requires a repartition or changelog \
         topic.\nRemoving this limitation requires enhancements to the core of KSQL. This will come in a \
         future release. Until then, avoid using the KAFKA format for values.\nIf you have an existing \
         topic with KAFKA formatted values you can duplicate the data and serialize using Avro or JSON \
         with a statement such as: \n\n'CREATE STREAM <new-stream-name> WITH(VALUE_FORMAT='Avro') AS \
         SELECT * FROM <existing-kafka-formated-stream-name>;'\nFor more info see \
         https://github.com/confluentinc/ksql/issues/3060"
    ))
}

/// Each column must be grouped or aggregated.
pub(super) fn check_grouped(
    items: &[Item],
    having: Option<&Expr>,
    grouping: &[Expr],
    is_aggregate: &impl Fn(&str) -> bool,
    text: &str,
) -> Result<(), PlanError> {
    fn loose<'e>(
        expr: &'e Expr,
        grouping: &[Expr],
        is_aggregate: &impl Fn(&str) -> bool,
    ) -> Vec<&'e Name> {
        match &expr.kind {
            _ if grouping.contains(expr) => Vec::new(),
            ExprKind::Call { name, .. } if is_aggregate(&name.text) => Vec::new(),
            ExprKind::Column { name, .. }
                if matches!(name.text.as_str(), "WINDOWSTART" | "WINDOWEND") =>
            {
                Vec::new()
            }
            ExprKind::Column { name, .. } => vec![name],
            _ => {
                let children = crate::sql::visit::children(expr).into_iter();
                children.flat_map(|child| loose(child, grouping, is_aggregate)).collect()
            }
        }
    }
    let faulty = items.iter().map(|item| (item, loose(&item.expr, grouping, is_aggregate)));
    let faulty: Vec<_> = faulty.filter(|(_, loose)| !loose.is_empty()).collect();
    if !faulty.is_empty() {
        let list: Vec<_> = faulty.iter().map(|(item, _)| print::expression(&item.expr)).collect();
        let places = faulty.iter().flat_map(|(item, loose)| {
            let of_star = item.span;
            loose.iter().map(move |name| if name.span.is_empty() { of_star } else { name.span })
        });
        let mut places: Vec<Span> = places.collect();
        places.dedup_by_key(|span| span.start);
        let places = places.into_iter().map(|span| (span, NOT_GROUPED.to_owned()));
        let (_, loose) = &faulty[0];
        let help = format!(
            "add {0} to GROUP BY, or take the latest with LATEST_BY_OFFSET({0})",
            loose[0].text
        );
        return Err(not_grouped(&list.join(", ")).at_each(places).help(help));
    }
    let loose = having.map(|having| loose(having, grouping, is_aggregate)).unwrap_or_default();
    if loose.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = loose.iter().map(|name| name.text.as_str()).collect();
    let alias = loose.iter().find_map(|name| {
        let is_alias = |item: &&Item| item.name == name.text && !is_called(&item.expr, &name.text);
        items.iter().find(is_alias).map(|item| (name, item))
    });
    let help = alias.map(|(name, item)| {
        format!(
            "{} is a name that SELECT gives, which HAVING does not see: write {}",
            name.text,
            item.expr.span.text(text)
        )
    });
    Err(PlanError::analyse(format!(
        "Non-aggregate HAVING expression not part of GROUP BY: {}\nConsider switching the HAVING clause \
         to a WHERE clause before the GROUP BY.",
        list.join(", ")
    ))
    .at_each(loose.iter().map(|name| (name.span, NOT_GROUPED.to_owned())))
    .maybe_help(help))
}

/// What is wrong with a column that stands beside groups.
const NOT_GROUPED: &str = "of which row of a group? It is neither grouped nor aggregated";

/// Aggregates may not be nested, nor see window bounds.
pub(super) fn check_calls(
    aggregates: &[Expr],
    is_aggregate: &impl Fn(&str) -> bool,
) -> Result<(), PlanError> {
    for call in aggregates {
        let ExprKind::Call { name, args } = &call.kind else { continue };
        if let Some(inner) = args.iter().flat_map(|arg| calls(arg, is_aggregate)).next()
            && let ExprKind::Call { name: inner_name, .. } = &inner.kind
        {
            let message = format!(
                "Aggregate functions can not be nested: {}({}())",
                name.text, inner_name.text
            );
            let error = PlanError::analyse(message).at(inner.span);
            return Err(error.help("make a table of the inner one first, and aggregate that"));
        }
        for (_, name) in args.iter().flat_map(columns) {
            if matches!(name.text.as_str(), "WINDOWSTART" | "WINDOWEND") {
                return Err(misplaced_bound(name));
            }
        }
    }
    Ok(())
}

/// What is said of a window's bound that stands elsewhere than in the `SELECT`.
pub(super) fn misplaced_bound(name: &Name) -> PlanError {
    PlanError::analyse(format!(
        "Window bounds column {} can only be used in the SELECT clause of windowed aggregations and can \
         not be passed to aggregate functions.\nSee https://github.com/confluentinc/ksql/issues/4397",
        name.text
    ))
    .at(name.span)
}

/// What is said of columns that are neither grouped nor aggregated.
pub(super) fn not_grouped(list: &str) -> PlanError {
    PlanError::analyse(format!(
        "Non-aggregate SELECT expression(s) not part of GROUP BY: {list}\nEither add the column(s) to \
         the GROUP BY or remove them from the SELECT."
    ))
}
