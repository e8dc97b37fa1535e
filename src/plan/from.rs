//! The sources that a query names.

use super::faults::Faults;
use super::relation::Aliased;
use super::{PlanContext, PlanError, Stage};
use crate::sql::ast::Query;
use crate::sql::suggest::{self, NameKind};

/// The sources of a query, which must all exist.
pub(super) fn find_sources(
    query: &Query,
    ctx: &PlanContext<'_>,
) -> Result<Vec<Aliased>, PlanError> {
    let find = |name: &crate::sql::ast::Name| {
        let missing = || {
            let sources = ctx.catalog.sources().map(|source| source.name.as_str());
            let sources: Vec<&str> = sources.collect();
            let error = PlanError::new(Stage::Resolve, format!("{} does not exist.", name.text));
            error.at(name.span).maybe_help(suggest::help(NameKind::Source, &name.text, &sources))
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
