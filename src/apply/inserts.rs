//! Statements of `INSERT INTO … SELECT`, which make queries without a name of their own: one is known by what it does.
//!
//! Such a query cannot be replaced. A changed statement would begin a second one beside the first, and rows would come
//! twice; so it is refused while there is a query from the same sources into the same target that no statement makes.

use super::action::Verdict;
use super::compare::{InsertMeaning, insert_meaning, lasting, logged_form, options};
use super::decider::{Decider, Defined, with};
use super::existing::ExistingInsert;
use crate::engine::{Answer, diagnostic, read_names};
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
        let meaning = match self.meaning_of_insert(parsed) {
            Ok(meaning) => meaning,
            Err(error) => {
                return self.note(parsed, object, Verdict::Refused(diagnostic(&error, parsed)));
            }
        };
        let id = options(&parsed.statement).query_id;
        let overrides = lasting(&self.session.overrides().to_map());
        let is_equal = |insert: &ExistingInsert| {
            insert.meaning.is_some()
                && insert.meaning == meaning
                && lasting(&insert.query.overrides) == overrides
        };
        let unused = self.existing.inserts.iter().enumerate();
        let mut unused = unused.filter(|(at, _)| !self.inserts.used.contains(at));
        let found = match &id {
            Some(id) => unused.find(|(_, insert)| insert.query.id == *id),
            None => unused.find(|(_, insert)| is_equal(insert)),
        };
        let Some((at, insert)) = found else {
            let action = self.decision.actions.len();
            self.inserts.new.extend(meaning.map(|meaning| (action, meaning)));
            return self.note(parsed, object, Verdict::Created);
        };
        let (is_equal, query) = (is_equal(insert), insert.query.clone());
        self.inserts.used.insert(at);
        if is_equal {
            self.note(parsed, object, Verdict::Kept);
            let paused = query.is_paused.then(|| format!("query {} is paused", query.id));
            return self.annotate(paused, None);
        }
        self.note(parsed, object, Verdict::Refused(differs(&query.id, parsed)));
        self.annotate(None, Some(query.statement));
    }

    /// What such a statement does, whatever the id of its query.
    fn meaning_of_insert(
        &self,
        parsed: &ParsedStatement,
    ) -> Result<Option<InsertMeaning>, PlanError> {
        let Statement::InsertInto(insert) = &parsed.statement else { return Ok(None) };
        let mut insert = insert.clone();
        insert.with.retain(|property| property.name.text != "QUERY_ID");
        let parsed = with(parsed, Statement::InsertInto(insert));
        let known = self.known.clone().of_the_past();
        self.plan(&self.engine, &parsed, &known)?;
        let logged = logged_form(&parsed, self.engine.catalog());
        let (engine, change) = self.plan(&self.engine, &logged, &known)?;
        let Answer::Query { id } = change.answer else { return Ok(None) };
        Ok(engine.catalog().query(&id).map(|query| insert_meaning(query)))
    }

    /// Refuses new queries beside others that do the like and that no statement makes.
    pub(super) fn refuse_doubled_inserts(&mut self) {
        for (action, meaning) in &self.inserts.new {
            let does_the_like = |insert: &&ExistingInsert| {
                let of = insert.meaning.as_ref();
                of.is_some_and(|of| of.sink == meaning.sink && of.sources == meaning.sources)
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
