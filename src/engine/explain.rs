//! What a statement would run, without running it: `EXPLAIN`.

use std::sync::Arc;

use super::planned::Effect;
use super::{Engine, Known, Planning, Session};
use crate::plan::{self, PlanError, QueryPlan, Stage};
use crate::sql::ParsedStatement;
use crate::sql::ast::Statement;

/// A query that a statement would run.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Its id, if it were the next that is made; none where rows go to whoever asks for them.
    pub id: Option<String>,
    /// What it would do.
    pub plan: Arc<QueryPlan>,
    /// The alias of the first source.
    pub alias: String,
}

impl Engine {
    /// Plans the query of a statement, which gets this number; of a `SELECT` as a push query, whichever it is.
    pub fn explain(
        &self,
        parsed: &ParsedStatement,
        session: &Session,
        known: &Known,
        number: i64,
    ) -> Result<Explained, PlanError> {
        let alias = match &parsed.statement {
            Statement::Query(query) => &query.from.first.alias.text,
            Statement::CreateAs(create) => &create.query.from.first.alias.text,
            Statement::InsertInto(insert) => &insert.query.from.first.alias.text,
            _ => return Err(no_query()),
        };
        let alias = alias.clone();
        if let Statement::Query(query) = &parsed.statement {
            let config = self.plan_config(session);
            let planning = Planning { engine: self, session, config, known, parsed };
            // No schema is told of before what is wrong, as there is none to be written.
            let plan = plan::plan_push(query, &planning.context());
            let plan = plan.map_err(|error| match error.stage {
                Stage::Analyse => error.found_at(Stage::Execute),
                _ => error,
            })?;
            return Ok(Explained { id: None, plan: Arc::new(plan), alias });
        }
        match self.plan(parsed, session, known)?.effect {
            Effect::Query(query) => {
                let id = query.id.with_number(number);
                Ok(Explained { id: Some(id), plan: query.plan, alias })
            }
            _ => Err(no_query()),
        }
    }
}

fn no_query() -> PlanError {
    PlanError::execute("The provided statement does not run a ksql query")
}
