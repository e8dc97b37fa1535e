//! What deciding keeps from one statement of files to the next, and how a statement is planned for it.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Decision, Step, Verdict};
use super::compare::{InsertMeaning, Meaning};
use super::existing::{Existing, ExistingInsert};
use crate::engine::{Change, Engine, Known, Session};
use crate::plan::PlanError;
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, Span};

/// Decides about statements.
pub(super) struct Decider {
    /// What the server has.
    pub(super) existing: Existing,
    /// What is there once the statements before have been run.
    pub(super) engine: Engine,
    pub(super) known: Known,
    pub(super) session: Session,
    pub(super) has_registry: bool,
    /// The streams and tables of the statements before.
    pub(super) defined: BTreeMap<String, Defined>,
    /// The topics that refused statements were to make, each with their stream or table.
    pub(super) refused_topics: BTreeMap<String, String>,
    pub(super) types: BTreeSet<String>,
    pub(super) inserts: Inserts,
    pub(super) decision: Decision,
    number: i64,
}

/// What a statement before says of a stream or table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Defined {
    /// This.
    As(Box<Meaning>),
    /// What it is, only the registry knows.
    InRegistry,
    /// It is refused.
    Not,
}

/// What is known of statements of `INSERT INTO` so far.
#[derive(Default)]
pub(super) struct Inserts {
    /// The queries there, by their places, that a statement makes.
    pub(super) used: BTreeSet<usize>,
    /// The statements that make new queries, each with the place of its action.
    pub(super) new: Vec<(usize, InsertMeaning)>,
    /// What statements say so far.
    pub(super) said: Vec<SaidInsert>,
}

/// What a statement of `INSERT INTO` says.
#[derive(PartialEq, Eq)]
pub(super) struct SaidInsert {
    /// The id that it asks for.
    pub(super) id: Option<String>,
    /// What is to be done.
    pub(super) meaning: Option<InsertMeaning>,
    /// The properties of that.
    pub(super) overrides: BTreeMap<String, String>,
}

impl Inserts {
    /// The queries there that no statement makes.
    pub(super) fn unused<'e>(
        &self,
        existing: &'e [ExistingInsert],
    ) -> impl Iterator<Item = &'e ExistingInsert> {
        let unused = existing.iter().enumerate().filter(|(at, _)| !self.used.contains(at));
        unused.map(|(_, insert)| insert)
    }
}

impl Decider {
    pub(super) fn new(existing: Existing, session: Session, has_registry: bool) -> Self {
        Self {
            engine: existing.engine.clone(),
            known: existing.known.clone().comparing_topics(),
            inserts: Inserts::default(),
            existing,
            session,
            has_registry,
            defined: BTreeMap::new(),
            refused_topics: BTreeMap::new(),
            types: BTreeSet::new(),
            decision: Decision::default(),
            number: 0,
        }
    }

    /// Plans a statement over an engine: that engine afterwards, and what follows.
    pub(super) fn plan(
        &self,
        engine: &Engine,
        parsed: &ParsedStatement,
        known: &Known,
    ) -> Result<(Engine, Change), PlanError> {
        let mut engine = engine.clone();
        let planned = engine.plan(parsed, &self.session, known)?;
        // Numbers that no query there has: those are counted from 1.
        let change = engine.apply(planned, -self.number - 1);
        Ok((engine, change))
    }

    /// Notes what becomes of a statement.
    pub(super) fn note(
        &mut self,
        parsed: &ParsedStatement,
        (kind, name): (&str, &str),
        verdict: Verdict,
    ) {
        self.number += 1;
        let text = match verdict {
            Verdict::Replaced => replacing_text(parsed),
            _ => parsed.text.clone(),
        };
        self.decision.steps.push(Step::Change { action: self.decision.actions.len(), text });
        self.decision.actions.push(Action {
            kind: kind.to_owned(),
            name: name.to_owned(),
            place: parsed.place,
            verdict,
            note: None,
            there: None,
            file: parsed.text.clone(),
        });
    }

    /// Adds to what was noted last.
    pub(super) fn annotate(&mut self, note: Option<String>, there: Option<String>) {
        if let Some(action) = self.decision.actions.last_mut() {
            (action.note, action.there) = (note, there);
        }
    }
}

/// The same statement with another tree.
pub(super) fn with(parsed: &ParsedStatement, statement: Statement) -> ParsedStatement {
    ParsedStatement { statement, ..parsed.clone() }
}

/// The text of a statement as one that replaces: all behind the name stays as it is written.
fn replacing_text(parsed: &ParsedStatement) -> String {
    let (kind, name) = match &parsed.statement {
        Statement::CreateSource(create) => (create.kind, &create.name),
        Statement::CreateAs(create) => (create.kind, &create.name),
        _ => return parsed.text.clone(),
    };
    let rest = Span::new(name.span.start, parsed.span.end).text(&parsed.source);
    let semicolon = if rest.ends_with(';') { "" } else { ";" };
    format!("CREATE OR REPLACE {} {rest}{semicolon}", kind.as_str())
}
