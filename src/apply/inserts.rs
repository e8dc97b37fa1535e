//! Statements of `INSERT INTO … SELECT`, which make queries without a name of their own: one is known by what it does.
//!
//! Such a query cannot be replaced. A changed statement would begin a second one beside the first, and rows would come
//! twice; so it is refused while there is a query from the same sources into the same target that no statement makes.

use super::action::Verdict;
use super::compare::{InsertMeaning, insert_meaning, lasting, logged_form, options};
use super::decider::{Decider, Defined, SaidInsert, with};
use super::existing::ExistingInsert;
use crate::engine::{Answer, Engine, Known, diagnostic, read_names};
use crate::plan::PlanError;
use crate::sql::ast::Statement;
use crate::sql::{Diagnostic, ParsedStatement};

impl Decider {
    pub(super) fn insert(&mut self, parsed: &ParsedStatement, target: &str) {
        let object = ("INSERT INTO", target);
        if let Some(fault) = self.over_refused(parsed) {
            return self.note(parsed, object, Verdict::Refused(fault));
        }
        let mut named = read_names(&parsed.statement).chain([target]);
        if let Some(name) = named.find(|name| self.defined.get(*name) == Some(&Defined::InRegistry))
        {
            let why = format!("the columns of {name} are in the Schema Registry");
            let fault = Diagnostic::new(format!("an INSERT INTO cannot be compared: {why}"));
            let help = "--property ksql.schema.registry.url=URL says where it is";
            let fault = fault.at(parsed.place, "in this statement").help(help);
            return self.note(parsed, object, Verdict::Refused(fault));
        }
        let id = options(&parsed.statement).query_id;
        let overrides = lasting(&self.session.overrides().to_map());
        let was = self.insert_there(parsed);
        let known = self.known.clone().of_the_past();
        let is = match self.meaning_of_insert(parsed, &self.engine, &known) {
            Ok(is) => is,
            Err(error) => {
                self.note(parsed, object, Verdict::Refused(diagnostic(&error, parsed)));
                let does = |insert: &ExistingInsert| insert.does(was.as_ref(), &overrides);
                let there = self.unused(id.as_deref(), does);
                let does_it = |at: &usize| self.existing.inserts.get(*at).is_some_and(does);
                let Some(at) = there.filter(does_it) else { return };
                self.inserts.used.insert(at);
                let cause = self.gained(parsed);
                return self.annotate(cause, None);
            }
        };
        let said = SaidInsert { id: id.clone(), meaning: is.clone(), overrides: overrides.clone() };
        if self.inserts.said.contains(&said) {
            return; // whoever defines the same twice means it once
        }
        self.inserts.said.push(said);
        let does = |insert: &ExistingInsert| {
            insert.does(is.as_ref(), &overrides) || insert.does(was.as_ref(), &overrides)
        };
        let Some(at) = self.unused(id.as_deref(), does) else {
            let action = self.decision.actions.len();
            self.inserts.new.extend(is.map(|meaning| (action, meaning)));
            return self.note(parsed, object, Verdict::Created);
        };
        self.inserts.used.insert(at);
        let Some(there) = self.existing.inserts.get(at) else { return };
        let gives_as =
            is.as_ref().zip(there.meaning.as_ref()).is_some_and(|(is, was)| is.gives_as(was));
        let (does, query) = (does(there), there.query.clone());
        if does && gives_as {
            self.note(parsed, object, Verdict::Kept);
            let paused = query.is_paused.then(|| format!("query {} is paused", query.id));
            return self.annotate(paused, None);
        }
        self.note(parsed, object, Verdict::Refused(differs(&query.id, parsed)));
        match self.gained(parsed).filter(|_| does) {
            Some(cause) => self.annotate(Some(cause), None),
            None => self.annotate(None, Some(query.statement)),
        }
    }

    /// The place of the query there that no statement makes so far: that with an id, or the first that does something.
    fn unused(&self, id: Option<&str>, does: impl Fn(&ExistingInsert) -> bool) -> Option<usize> {
        let unused = self.existing.inserts.iter().enumerate();
        let mut unused = unused.filter(|(at, _)| !self.inserts.used.contains(at));
        let found = match id {
            Some(id) => unused.find(|(_, insert)| insert.query.id == id),
            None => unused.find(|(_, insert)| does(insert)),
        };
        found.map(|(at, _)| at)
    }

    /// What such a statement does over an engine, whatever the id of its query.
    pub(super) fn meaning_of_insert(
        &self,
        parsed: &ParsedStatement,
        engine: &Engine,
        known: &Known,
    ) -> Result<Option<InsertMeaning>, PlanError> {
        let Statement::InsertInto(insert) = &parsed.statement else { return Ok(None) };
        let mut insert = insert.clone();
        insert.with.retain(|property| property.name.text != "QUERY_ID");
        let parsed = with(parsed, Statement::InsertInto(insert));
        self.plan(engine, &parsed, known)?;
        let logged = logged_form(&parsed, engine.catalog());
        let (engine, change) = self.plan(engine, &logged, known)?;
        let Answer::Query { id } = change.answer else { return Ok(None) };
        Ok(engine.catalog().query(&id).map(|query| insert_meaning(query)))
    }

    /// Refuses new queries beside others that do the like and that no statement makes.
    pub(super) fn refuse_doubled_inserts(&mut self) {
        for (action, meaning) in &self.inserts.new {
            let does_the_like = |insert: &&ExistingInsert| {
                insert.query.sinks.contains(&meaning.sink) && insert.sources == meaning.sources
            };
            let other = self.inserts.unused(&self.existing.inserts).find(does_the_like);
            if let (Some(other), Some(action)) = (other, self.decision.actions.get_mut(*action)) {
                let fault = Diagnostic::new(format!(
                    "query {} is there, and writes into {} from the same sources otherwise",
                    other.query.id, meaning.sink
                ));
                let fault = fault
                    .at(action.place, "this would write beside it")
                    .help(help(&other.query.id));
                action.verdict = Verdict::Refused(fault);
                action.there = Some(other.query.statement.clone());
            }
        }
    }
}

fn differs(id: &str, parsed: &ParsedStatement) -> Diagnostic {
    Diagnostic::new(format!("query {id} is there, and does not do this"))
        .at(parsed.place, "in this statement")
        .help(help(id))
}

fn help(id: &str) -> String {
    format!(
        "the query of an INSERT INTO cannot be replaced: TERMINATE {id}, then apply again; or add its statement to the files"
    )
}
