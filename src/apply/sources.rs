//! Statements that make streams and tables.
//!
//! One is planned as if nothing of its name were there, and compared with what is there. Where they differ, it is planned
//! as `CREATE OR REPLACE`, which has its rules; where those refuse it, so does this.

use super::action::Verdict;
use super::compare::{Meaning, clause, lasting, logged_form, meaning, options, schema_ids};
use super::decider::{Decider, Defined, with};
use super::existing::ExistingSource;
use super::there::QueryThere;
use crate::engine::{diagnostic, read_names};
use crate::sql::ast::{Name, SourceKind, Statement};
use crate::sql::{Diagnostic, ParsedStatement};

impl Decider {
    pub(super) fn source(&mut self, parsed: &ParsedStatement, kind: SourceKind, name: &Name) {
        let object = (kind.as_str(), name.text.as_str());
        if let Some(fault) = self.over_refused(parsed) {
            self.defined.entry(name.text.clone()).or_insert(Defined::Not);
            self.note_refused_topic(parsed, &name.text);
            return self.note(parsed, object, Verdict::Refused(fault));
        }
        let in_registry = |read: &&str| self.defined.get(*read) == Some(&Defined::InRegistry);
        let read = read_names(&parsed.statement).find(in_registry).map(str::to_owned);
        let new = self.as_new(parsed, &name.text);
        if read.is_some() || self.waits_for_registry(&new, &name.text) {
            return self.unplanned(parsed, object, read.as_deref());
        }
        let is_there = self.existing.sources.contains_key(&name.text);
        let mut fresh = self.engine.clone();
        fresh.forget_source(&name.text);
        let is_repeated = self.defined.contains_key(&name.text);
        let known = self.known.clone();
        let known = if is_there || is_repeated { known.of_the_past() } else { known };
        let (engine, change) = match self.plan(&fresh, &new, &known) {
            Ok(planned) => planned,
            Err(error) => {
                self.defined.entry(name.text.clone()).or_insert(Defined::Not);
                self.note_refused_topic(parsed, &name.text);
                self.note(parsed, object, Verdict::Refused(diagnostic(&error, parsed)));
                let Some(there) = self.existing.sources.get(&name.text) else { return };
                let is_unchanged = self.is_unchanged(there, &new);
                let cause = self.gained(parsed).filter(|_| is_unchanged);
                let there = cause.is_none().then(|| there.there.statement.clone());
                return self.annotate(cause, there);
            }
        };
        let compared = self.plan(&fresh, &logged_form(&new, fresh.catalog()), &known);
        let is = compared.ok().and_then(|(engine, _)| meaning(&engine, &name.text));
        let defined = is.clone().map_or(Defined::InRegistry, |is| Defined::As(Box::new(is)));
        if let Some(before) = self.defined.get(&name.text) {
            if *before != defined {
                let fault =
                    Diagnostic::new(format!("{} is defined twice, and not alike", name.text))
                        .at(parsed.written_place(name.span), "a statement before says what it is");
                self.note(parsed, object, Verdict::Refused(fault));
            }
            return;
        }
        self.defined.insert(name.text.clone(), defined);
        if !is_there {
            self.engine = engine;
            change.topic.iter().for_each(|topic| self.known.add_request(topic));
            return self.note(parsed, object, Verdict::Created);
        }
        self.existing_source(parsed, object, is.as_ref());
    }

    /// Why a statement is not looked at that reads what a refused one would have made.
    pub(super) fn over_refused(&self, parsed: &ParsedStatement) -> Option<Diagnostic> {
        let target = match &parsed.statement {
            Statement::InsertInto(insert) => Some(insert.target.text.as_str()),
            _ => None,
        };
        let mut named = read_names(&parsed.statement).chain(target);
        let refused = named.find(|name| self.defined.get(*name) == Some(&Defined::Not));
        let refused = refused.or_else(|| self.refused_maker(parsed))?;
        Some(Diagnostic::new(format!(
            "not looked at: the statement that makes {refused} is refused"
        )))
    }

    /// What a refused statement was to make, with the topic that this one is over and that is not there.
    fn refused_maker(&self, parsed: &ParsedStatement) -> Option<&str> {
        let is_source = matches!(parsed.statement, Statement::CreateSource(_));
        let topic = options(&parsed.statement).topic.filter(|_| is_source)?;
        let maker = self.refused_topics.get(&topic).filter(|_| self.known.topic(&topic).is_none());
        maker.map(String::as_str)
    }

    /// Notes that the topic of a query's results is not made.
    fn note_refused_topic(&mut self, parsed: &ParsedStatement, name: &str) {
        if matches!(parsed.statement, Statement::CreateAs(_)) {
            let topic = options(&parsed.statement).topic;
            self.refused_topics.insert(topic.unwrap_or_else(|| name.to_owned()), name.to_owned());
        }
    }

    /// Decides about a statement whose stream or table is there.
    fn existing_source(
        &mut self,
        parsed: &ParsedStatement,
        object: (&str, &str),
        is: Option<&Meaning>,
    ) {
        let Some(there) = self.existing.sources.get(object.1) else { return };
        let mut text = Some(there.there.statement.clone());
        let is_paused = there.query.as_ref().is_some_and(|query| query.is_paused);
        let is_known = there.meaning.is_ok();
        let note = match self.difference(there, parsed, is) {
            Ok(Difference::None) => {
                self.note(parsed, object, Verdict::Kept);
                return self.annotate(is_paused.then(|| "its query is paused".to_owned()), None);
            }
            Ok(Difference::InText) => None,
            Ok(Difference::Beside(note)) => {
                text = None;
                Some(note)
            }
            Err(fault) => {
                if !is_known {
                    self.defined.insert(object.1.to_owned(), Defined::Not);
                }
                self.note(parsed, object, Verdict::Refused(fault));
                return self.annotate(None, text);
            }
        };
        let replacing = replacing(&self.as_new(parsed, object.1));
        let verdict = match self.plan(&self.engine, &replacing, &self.known) {
            Ok((engine, change)) => {
                self.engine = engine;
                change.topic.iter().for_each(|topic| self.known.add_request(topic));
                Verdict::Replaced
            }
            Err(error) => Verdict::Refused(diagnostic(&error, parsed)),
        };
        let runs = (is_paused && verdict == Verdict::Replaced)
            .then(|| "its query, paused so far, runs from then on".to_owned());
        let notes: Vec<String> = note.into_iter().chain(runs).collect();
        self.note(parsed, object, verdict);
        self.annotate((!notes.is_empty()).then(|| notes.join("; ")), text);
    }

    /// Whether a statement says what is there: planned over what was there as well, it means the same.
    fn is_unchanged(&self, there: &ExistingSource, parsed: &ParsedStatement) -> bool {
        let is_query = matches!(parsed.statement, Statement::CreateAs(_));
        let there_now = self.meaning_there(parsed, &there.there.name).filter(|_| is_query);
        there_now.is_some() && there_now.as_ref() == there.meaning.as_ref().ok()
    }

    /// What a statement wants otherwise than it is there; an error where it cannot be had, whatever the rules of `CREATE OR
    /// REPLACE` are.
    fn difference(
        &self,
        there: &ExistingSource,
        parsed: &ParsedStatement,
        is: Option<&Meaning>,
    ) -> Result<Difference, Diagnostic> {
        let name = &there.there.name;
        let refused = |fault: String, help: String| {
            Err(Diagnostic::new(fault).at(parsed.place, "in this statement").help(help))
        };
        let was = match &there.meaning {
            Ok(was) => was,
            Err(why) => {
                let why = why.lines().next().unwrap_or_default();
                let help = format!("its statement there cannot be planned here: {why}");
                return refused(format!("{name} is there, and cannot be compared"), help);
            }
        };
        let is_query = matches!(parsed.statement, Statement::CreateAs(_));
        if there.query.is_some() && !is_query {
            let help = "DROP it, then apply again: nobody's query is ended without being asked";
            let fault = format!("a query fills {name} there, and none in the files");
            return refused(fault, help.to_owned());
        }
        check_retention(there, parsed)?;
        if self.has_other_schema_ids(there, parsed) || self.has_other_topic(parsed, was) {
            return Ok(Difference::InText);
        }
        if is != Some(was) {
            if !self.is_unchanged(there, &self.as_new(parsed, name)) {
                return Ok(Difference::InText);
            }
            if !is.is_some_and(|is| is.gives_as(was)) {
                let cause = self.gained(parsed).map_or(Difference::InText, Difference::Beside);
                return Ok(cause);
            }
        }
        Ok(match &there.query {
            None if is_query => beside("its query was terminated, and begins anew"),
            _ if there.is_stale => beside("its columns are others than its statement now says"),
            Some(query) if self.has_other_properties(query) => {
                beside("the session of its query had set other properties")
            }
            _ => Difference::None,
        })
    }

    fn has_other_properties(&self, query: &QueryThere) -> bool {
        lasting(&query.overrides) != lasting(&self.session.overrides().to_map())
    }

    /// Whether a statement names schemas by other ids, where nothing more of them is known.
    fn has_other_schema_ids(&self, there: &ExistingSource, parsed: &ParsedStatement) -> bool {
        let asked = schema_ids(clause(&parsed.statement));
        !self.has_registry && asked.iter().any(|(name, id)| there.schema_ids.get(name) != Some(id))
    }

    /// Whether a statement says of its topic what that is not.
    fn has_other_topic(&self, parsed: &ParsedStatement, was: &Meaning) -> bool {
        let options = options(&parsed.statement);
        let Some(topic) = self.known.topic(was.topic()) else { return false };
        options.partitions.is_some_and(|partitions| partitions != topic.partitions)
            || options.replicas.is_some_and(|replicas| replicas != topic.replicas)
    }

    /// A statement whose columns, or those that it reads, only the registry knows: the server asks it.
    fn unplanned(&mut self, parsed: &ParsedStatement, object: (&str, &str), read: Option<&str>) {
        self.defined.insert(object.1.to_owned(), Defined::InRegistry);
        let whose = read.unwrap_or(object.1);
        let why = format!("the columns of {whose} are in the Schema Registry");
        let Some(there) = self.existing.sources.get(object.1) else {
            self.note(parsed, object, Verdict::Created);
            return self.annotate(Some(format!("{why}: the server looks there")), None);
        };
        let text = there.there.statement.clone();
        let fault =
            Diagnostic::new(format!("{} is there, and cannot be compared: {why}", object.1));
        let help = "--property ksql.schema.registry.url=URL says where it is";
        self.note(
            parsed,
            object,
            Verdict::Refused(fault.at(parsed.place, "in this statement").help(help)),
        );
        self.annotate(None, Some(text));
    }
}

/// How long a topic keeps records is not changed by statements.
fn check_retention(there: &ExistingSource, parsed: &ParsedStatement) -> Result<(), Diagnostic> {
    let has_window =
        matches!(&parsed.statement, Statement::CreateAs(create) if create.query.window.is_some());
    let (asked, was) = (options(&parsed.statement).retention_ms, there.retention_ms);
    match (asked, was) {
        (Some(asked), Some(was)) if asked != was && !has_window => {
            let fault = format!(
                "the topic of {} was made with RETENTION_MS={was}, not {asked}",
                there.there.name
            );
            let help = "leave RETENTION_MS out to take the topic as it is; how long it keeps records is changed in Kafka";
            Err(Diagnostic::new(fault).at(parsed.place, "in this statement").help(help))
        }
        _ => Ok(()),
    }
}

/// What a statement wants otherwise than it is there.
enum Difference {
    None,
    /// The texts show it.
    InText,
    /// They do not; this is it.
    Beside(String),
}

fn beside(note: &str) -> Difference {
    Difference::Beside(note.to_owned())
}

/// The statement as one that replaces.
fn replacing(parsed: &ParsedStatement) -> ParsedStatement {
    let mut statement = parsed.statement.clone();
    match &mut statement {
        Statement::CreateSource(create) => create.or_replace = true,
        Statement::CreateAs(create) => create.or_replace = true,
        _ => {}
    }
    with(parsed, statement)
}
