//! Statements that say what they said, over streams and tables that are to change.
//!
//! What `CREATE OR REPLACE` takes adds columns, and leaves the queries alone that run: they go on as they were planned. So a
//! query whose statement is as it was is kept, unless the statement would now give other columns, as one with `*` does.

use super::compare::{InsertMeaning, Meaning, logged_form, meaning};
use super::decider::Decider;
use crate::engine::read_names;
use crate::sql::ParsedStatement;
use crate::sql::ast::Statement;

impl Decider {
    /// What the statement of a stream or table means over what is there, if it can be planned there.
    pub(super) fn meaning_there(&self, parsed: &ParsedStatement, name: &str) -> Option<Meaning> {
        let mut engine = self.existing.engine.clone();
        engine.forget_source(name);
        let known = self.existing.known.clone().of_the_past();
        let logged = logged_form(parsed, engine.catalog());
        let (engine, _) = self.plan(&engine, &logged, &known).ok()?;
        meaning(&engine, name)
    }

    /// What an `INSERT INTO` does over what is there, if it can be planned there.
    pub(super) fn insert_there(&self, parsed: &ParsedStatement) -> Option<InsertMeaning> {
        let known = self.existing.known.clone().of_the_past();
        self.meaning_of_insert(parsed, &self.existing.engine, &known).ok().flatten()
    }

    /// Which of the streams and tables that a statement names gain columns by the statements before it, and which.
    pub(super) fn gained(&self, parsed: &ParsedStatement) -> Option<String> {
        let target = match &parsed.statement {
            Statement::InsertInto(insert) => Some(insert.target.text.as_str()),
            _ => None,
        };
        let mut told: Vec<String> = Vec::new();
        for name in read_names(&parsed.statement).chain(target) {
            let was = self.existing.engine.catalog().source(name);
            let is = self.engine.catalog().source(name);
            let (Some(was), Some(is)) = (was, is) else { continue };
            let new = is.order.iter().filter(|column| !was.order.contains(column));
            let new: Vec<&str> = new.map(String::as_str).collect();
            let columns = match &*new {
                [] => continue,
                [one] => format!("column {one}"),
                several => format!("columns {}", several.join(", ")),
            };
            let kind = is.kind.as_str().to_lowercase();
            told.push(format!("{kind} {name} gains {columns}"));
        }
        told.dedup();
        (!told.is_empty()).then(|| told.join(", "))
    }
}
