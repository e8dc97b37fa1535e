//! The sources that a query names.

use super::faults::Faults;
use super::name_help::source_help;
use super::relation::Aliased;
use super::{PlanContext, PlanError, Stage};
use crate::sql::ast::Query;

/// The sources of a query, which must all exist.
pub(super) fn find_sources(
    query: &Query,
    ctx: &PlanContext<'_>,
) -> Result<Vec<Aliased>, PlanError> {
    let find = |name: &crate::sql::ast::Name| {
        let missing = || {
            let error = PlanError::new(Stage::Resolve, format!("{} does not exist.", name.text));
            error.at(name.span).maybe_help(source_help(ctx.catalog, &name.text))
        };
        ctx.catalog.source(&name.text).cloned().ok_or_else(missing)
    };
    let all = std::iter::once(&query.from.first);
    let all = all.chain(query.from.joins.iter().map(|join| &join.source));
    let mut faults = Faults::default();
    let found = all.filter_map(|from| {
        let source = faults.keep(find(&from.name))?;
        Some(Aliased { alias: from.alias.clone(), source })
    });
    let found = found.collect();
    faults.result(found)
}
