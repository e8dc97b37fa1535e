//! What is decided about each thing that files define.

use crate::sql::ast::Statement;
use crate::sql::{Diagnostic, ParseOptions, Span, read};

/// What becomes of a thing that files define.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is there as the files say.
    Kept,
    /// It is new.
    Created,
    /// It takes the place of what is there, by `CREATE OR REPLACE`.
    Replaced,
    /// It cannot be as the files say, or does not belong there.
    Refused(Diagnostic),
}

/// A thing that files define, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// `STREAM`, `TABLE`, `TYPE`, `INSERT INTO`, or how the statement begins that has no place in such files.
    pub kind: String,
    /// Its name; of an `INSERT INTO`, that of its target.
    pub name: String,
    /// Where its statement stands in the files.
    pub place: Span,
    /// What becomes of it.
    pub verdict: Verdict,
    /// What else is to be said of it.
    pub note: Option<String>,
    /// The statement that is there, as the server tells it, where there is one that differs.
    pub there: Option<String>,
    /// The statement of the files, with the values of its variables.
    pub file: String,
}

/// A thing that is there and that no statement of the files is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// `STREAM`, `TABLE`, `TYPE` or `INSERT INTO`.
    pub kind: String,
    /// Its name; of an `INSERT INTO`, that of its target and the id of its query.
    pub name: String,
}

/// What is to be done that a server has what files say.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What the files define, in their order.
    pub actions: Vec<Action>,
    /// What is there besides.
    pub left_alone: Vec<LeftAlone>,
    /// The statements that are to be run, in their order, those among them that set properties.
    pub(super) steps: Vec<Step>,
}

/// A statement that is to be run.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It sets a property for those behind it.
    Session(String),
    /// It makes or replaces the thing of an action.
    Change {
        /// The place of the action in their list.
        action: usize,
        /// The statement.
        text: String,
    },
}

impl Decision {
    /// Whether anything is refused, so that nothing is to be done.
    pub fn is_refused(&self) -> bool {
        self.actions.iter().any(|action| matches!(action.verdict, Verdict::Refused(_)))
    }

    /// Whether anything is to be made or replaced.
    pub fn has_changes(&self) -> bool {
        let is_change =
            |action: &Action| matches!(action.verdict, Verdict::Created | Verdict::Replaced);
        self.actions.iter().any(is_change)
    }

    /// Where a statement stands in the files that is to be run, by what it makes: servers tell statements in their own words.
    pub(super) fn place_of(&self, statement: &str) -> Option<Span> {
        let parsed = read(statement, &ParseOptions::default()).statements.pop()?;
        let (kind, name) = match &parsed.statement {
            Statement::CreateSource(create) => (create.kind.as_str(), &create.name),
            Statement::CreateAs(create) => (create.kind.as_str(), &create.name),
            Statement::CreateType(create) => ("TYPE", &create.name),
            Statement::InsertInto(insert) => ("INSERT INTO", &insert.target),
            _ => return None,
        };
        let is_it = |action: &&Action| action.kind == kind && action.name == name.text;
        Some(self.actions.iter().find(is_it)?.place)
    }

    /// The statements that do it, as one text.
    pub(super) fn batch(&self) -> String {
        let is_change =
            |action: &Action| matches!(action.verdict, Verdict::Created | Verdict::Replaced);
        let wanted = self.steps.iter().filter_map(|step| match step {
            Step::Session(text) => Some(text.as_str()),
            Step::Change { action, text } => {
                self.actions.get(*action).is_some_and(is_change).then_some(text.as_str())
            }
        });
        wanted.collect::<Vec<_>>().join("\n")
    }
}
