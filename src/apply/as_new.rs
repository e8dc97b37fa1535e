//! Statements as they are where nothing of their names is there, their columns known.

use super::decider::{Decider, with};
use super::from_registry::{fill_columns, left_to_registry, without_schema_ids};
use crate::sql::ParsedStatement;
use crate::sql::ast::Statement;

impl Decider {
    /// A statement as it is where nothing of its name is there; columns that it leaves to a registry that is not known are
    /// those that the server has.
    pub(super) fn as_new(&self, parsed: &ParsedStatement, name: &str) -> ParsedStatement {
        let mut statement = parsed.statement.clone();
        match &mut statement {
            Statement::CreateSource(create) => {
                (create.or_replace, create.if_not_exists) = (false, false);
            }
            Statement::CreateAs(create) => {
                (create.or_replace, create.if_not_exists) = (false, false);
            }
            _ => {}
        }
        if let Some(there) = self.existing.sources.get(name).filter(|_| !self.has_registry) {
            let left = left_to_registry(&statement, &self.engine, &self.session);
            fill_columns(
                &mut statement,
                &there.there.columns,
                left.map(|subject| subject.is_some()),
            );
            without_schema_ids(&mut statement);
        }
        with(parsed, statement)
    }

    /// Whether only the registry knows what a new statement means, and it is not known where that is.
    pub(super) fn waits_for_registry(&self, parsed: &ParsedStatement, name: &str) -> bool {
        let needs = self.engine.needs(&parsed.statement, &self.session);
        let left = left_to_registry(&parsed.statement, &self.engine, &self.session);
        let is_there = self.existing.sources.contains_key(name);
        // Where there is no registry, no columns are there either, and the plan says so.
        let is_known = self.has_registry || is_there || !self.existing.has_registry;
        !is_known && (!needs.schemas.is_empty() || left.iter().any(Option::is_some))
    }
}
