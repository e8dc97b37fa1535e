//! A text of statements as a list of commands, run one after another.
//!
//! ```text
//! while let Some(needs) = program.needs() { find out what it needs; program.step(); }
//! ```
//! Whoever has the text decides where knowledge comes from: Kafka, or the assumption that what has
//! to be there is there. A faulty statement is passed over, so that all faults are found.

use std::collections::VecDeque;
use std::sync::Arc;

use super::faults::{Missing, diagnostic, unread};
use super::known_properties::{is_immutable, set_without_effect};
use super::session::cannot_override;
use super::trial_registry::{TrialRegistry, of_trial};
use super::{Answer, Change, Engine, Known, Needs, Planned, Properties, Session, TopicRequest};
use crate::plan::{PlanError, SchemaRequest};
use crate::runtime::{Driver, DriverOptions, SchemaAccess};
use crate::sql::ast::Statement;
use crate::sql::{self, Diagnostic, ParsedStatement, Read, Span, Text, Variables};

/// The statements that a file may hold, as ksqlDB's headless mode has it, and variables.
const IN_FILES: &str = "CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS \
                        SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET";

/// Statements, and how far they have been run.
#[derive(Clone, Debug)]
pub struct Program {
    statements: VecDeque<ParsedStatement>,
    engine: Engine,
    session: Session,
    known: Known,
    numbers: Numbers,
    /// The numbers that tables took which no query of ours fills.
    table_numbers: Vec<i64>,
    done: Vec<Command>,
    faults: Vec<Diagnostic>,
    /// The places of the statements that are at fault.
    faulty: Vec<Span>,
    notes: Vec<(Span, String)>,
    /// What statements would have made that are at fault.
    missing: Missing,
}

/// A statement that has been run.
#[derive(Clone, Debug)]
pub struct Command {
    /// Where it stands in the text.
    pub place: Span,
    /// The stream or table that it defines, or writes into.
    pub source: Option<String>,
    /// What it did.
    pub change: Change,
}

/// The stream or table that a statement defines, or writes into.
fn defined_by(statement: &Statement) -> Option<&str> {
    match statement {
        Statement::CreateSource(create) => Some(&create.name.text),
        Statement::CreateAs(create) => Some(&create.name.text),
        Statement::InsertInto(insert) => Some(&insert.target.text),
        _ => None,
    }
}

/// The numbers of queries' ids: those that are given, then they count on.
#[derive(Clone, Debug, Default)]
struct Numbers {
    given: VecDeque<i64>,
    next: i64,
}

impl Program {
    /// The statements of a text; what is wrong with their syntax is among the faults. Variables come from DEFINE.
    pub fn parse(text: impl Into<Text>, properties: &Properties) -> Self {
        let options = properties.parse_options(Variables::default());
        let Read { statements, faulty } = sql::read(text, &options);
        let mut missing = Missing::default();
        faulty.iter().flat_map(|one| &one.makes).for_each(|name| missing.note(name));
        Self {
            statements: statements.into(),
            engine: Engine::new(properties.clone()),
            session: Session::default(),
            known: Known::default(),
            numbers: Numbers::default(),
            table_numbers: Vec::new(),
            done: Vec::new(),
            faulty: faulty.iter().map(|one| one.place).collect(),
            faults: faulty.iter().map(|one| unread(&one.errors)).collect(),
            notes: Vec::new(),
            missing,
        }
    }

    /// The same program, whose sources may have formats with schemas in a registry.
    #[must_use]
    pub fn with_registry(self) -> Self {
        Self { engine: self.engine.with_registry(), ..self }
    }

    /// The same program, whose user answers what clients ask too.
    #[must_use]
    pub fn with_clients(self) -> Self {
        Self { engine: self.engine.with_clients(), ..self }
    }

    /// The same program, whose queries get these numbers in their ids instead of 0, 1, 2 ….
    #[must_use]
    pub fn with_query_numbers(mut self, numbers: impl IntoIterator<Item = i64>) -> Self {
        self.numbers.given = numbers.into_iter().collect();
        self
    }

    /// What has to be known to run the next statement; `None` after the last one.
    pub fn needs(&self) -> Option<Needs> {
        let next = self.statements.front()?;
        Some(self.engine.needs(&next.statement, &self.session))
    }

    /// What is known of Kafka.
    pub fn known_mut(&mut self) -> &mut Known {
        &mut self.known
    }

    /// Runs the next statement, or notes why it cannot be run.
    pub fn step(&mut self) {
        let Some(parsed) = self.statements.pop_front() else { return };
        if let Some(missing) = self.missing.read_by(&parsed.statement, self.engine.catalog()) {
            let note = format!("not checked: the statement that makes {missing} is faulty");
            self.notes.push((parsed.place, note));
            self.missing.note_made(&parsed.statement);
            return;
        }
        match self.plan(&parsed) {
            Ok(planned) => {
                let number = self.numbers.next(&planned);
                if planned.takes_number() && planned.query().is_none() {
                    self.table_numbers.push(number);
                }
                let change = self.engine.apply(planned, number);
                change.session.iter().for_each(|change| self.session.apply(change));
                change.topic.iter().for_each(|topic| self.known.add_request(topic));
                self.note_schemas(&change);
                let source = defined_by(&parsed.statement).map(str::to_owned);
                self.done.push(Command { place: parsed.place, source, change });
            }
            Err(fault) => {
                self.faults.push(fault);
                self.faulty.push(parsed.place);
                self.missing.note_made(&parsed.statement);
            }
        }
    }

    /// Lets the statements that follow know the schemas that one registers.
    fn note_schemas(&mut self, change: &Change) {
        for SchemaRequest { subject, schema } in &change.schemas {
            self.known.add_subject(subject.clone(), of_trial(schema, 0));
        }
    }

    /// Plans a statement. One that makes a query must also make one that can be run: what is
    /// planned may need, for one, a format that is not there yet.
    fn plan(&mut self, parsed: &ParsedStatement) -> Result<Planned, Diagnostic> {
        let planned = check_in_file(&parsed.statement)
            .and_then(|()| self.engine.plan(parsed, &self.session, &self.known))
            .map_err(|error| diagnostic(&error, parsed))?;
        if let Some(plan) = planned.query() {
            let registry = Arc::new(TrialRegistry::new(&self.known));
            let access = SchemaAccess { registry, topic_prefix: String::new() };
            let options = DriverOptions::default();
            Driver::with_registry(Arc::clone(plan), "", options, access).map_err(|error| {
                Diagnostic::new(error.to_string()).at(parsed.place, "in this statement")
            })?;
        }
        for (place, help) in &parsed.unset {
            self.notes
                .push((*place, format!("{help}; without it, the text stays as it is written")));
        }
        let set = match &parsed.statement {
            Statement::Set { name, value } => Some((name, value.as_str())),
            Statement::Unset { name } => Some((name, "")),
            _ => None,
        };
        if let Some((name, value)) = set
            && let Some(note) = set_without_effect(name, value)
        {
            self.notes.push((parsed.place, format!("{name} {note}")));
        }
        Ok(planned)
    }

    /// The engine as the statements left it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The numbers that statements took which make no query.
    pub(super) fn table_numbers(&self) -> impl Iterator<Item = i64> {
        self.table_numbers.iter().copied()
    }

    /// Where the statement stands that made a query what it is.
    pub(super) fn place_of(&self, id: &str) -> Span {
        let makes = |command: &&Command| matches!(&command.change.answer, Answer::Query { id: made } if made == id);
        self.done.iter().rev().find(makes).map(|command| command.place).unwrap_or_default()
    }

    /// What has been run.
    pub fn done(&self) -> &[Command] {
        &self.done
    }

    /// The topics that the statements need and that are not there, in the order of the statements.
    pub fn topics(&self) -> impl Iterator<Item = &TopicRequest> {
        self.done.iter().filter_map(|command| command.change.topic.as_ref())
    }

    /// The schemas that the statements register, in the order of the statements.
    pub fn schemas(&self) -> impl Iterator<Item = &SchemaRequest> {
        self.done.iter().flat_map(|command| &command.change.schemas)
    }

    /// What is wrong, in the order of the statements.
    pub fn faults(&self) -> &[Diagnostic] {
        &self.faults
    }

    /// The places of the statements that are at fault.
    pub(super) fn faulty(&self) -> &[Span] {
        &self.faulty
    }

    /// What is not wrong, but perhaps not meant, with its place.
    pub fn notes(&self) -> &[(Span, String)] {
        &self.notes
    }
}

impl Numbers {
    /// The number for what is planned, if it takes one.
    fn next(&mut self, planned: &Planned) -> i64 {
        if !planned.takes_number() {
            return self.next;
        }
        let number = self.given.pop_front().unwrap_or(self.next);
        self.next = number + 1;
        number
    }
}

/// Whether a statement may stand in a file, which is run from its beginning at each start.
fn check_in_file(statement: &Statement) -> Result<(), PlanError> {
    match statement {
        Statement::Set { name, .. } if is_immutable(name) => Err(cannot_override(name)),
        Statement::CreateSource(_)
        | Statement::CreateAs(_)
        | Statement::InsertInto(_)
        | Statement::CreateType(_)
        | Statement::Set { .. }
        | Statement::Unset { .. }
        | Statement::Define { .. }
        | Statement::Undefine { .. } => Ok(()),
        _ => Err(PlanError::execute(format!(
            "Unsupported statement. Only the following statements are supported in standalone \
             mode: {IN_FILES}"
        ))
        .help("a file says what is to be there, and is run from its beginning at each start")),
    }
}
