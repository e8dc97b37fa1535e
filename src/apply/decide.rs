//! What becomes of each statement of files, one after another, over what a server has and what those before it make.

use super::action::{Decision, LeftAlone, Step, Verdict};
use super::decider::Decider;
use crate::engine::diagnostic;
use crate::plan::resolve_type;
use crate::sql::ast::{CreateType, Statement};
use crate::sql::print::identifier;
use crate::sql::{Diagnostic, ParsedStatement};

impl Decider {
    /// Decides about the next statement.
    pub(super) fn take(&mut self, parsed: &ParsedStatement) {
        match &parsed.statement {
            Statement::Define { .. } | Statement::Undefine { .. } => {}
            Statement::Set { .. } | Statement::Unset { .. } => self.property(parsed),
            Statement::CreateType(create) => self.custom_type(parsed, create),
            Statement::CreateSource(create) => self.source(parsed, create.kind, &create.name),
            Statement::CreateAs(create) => self.source(parsed, create.kind, &create.name),
            Statement::InsertInto(insert) => self.insert(parsed, &insert.target.text),
            _ => self.misplaced(parsed),
        }
    }

    /// What was decided, once there are no more statements.
    pub(super) fn decision(mut self) -> Decision {
        self.refuse_doubled_inserts();
        let sources = self
            .existing
            .sources
            .values()
            .filter(|source| !self.defined.contains_key(&source.there.name));
        let sources = sources.map(|source| (source.there.kind.as_str(), source.there.name.clone()));
        let types = self.existing.types.iter().filter(|name| !self.types.contains(*name));
        let types = types.map(|name| ("TYPE", name.clone()));
        let inserts = self.inserts.unused(&self.existing.inserts).map(|insert| {
            ("INSERT INTO", format!("{} ({})", insert.query.sinks.join(", "), insert.query.id))
        });
        let all = types.chain(sources).chain(inserts);
        self.decision.left_alone =
            all.map(|(kind, name)| LeftAlone { kind: kind.to_owned(), name }).collect();
        self.decision
    }

    fn property(&mut self, parsed: &ParsedStatement) {
        match self.plan(&self.engine, parsed, &self.known) {
            Ok((_, change)) => {
                change.session.iter().for_each(|change| self.session.apply(change));
                self.decision.steps.push(Step::Session(parsed.text.clone()));
            }
            Err(error) => {
                let name = match &parsed.statement {
                    Statement::Set { name, .. } | Statement::Unset { name } => name,
                    _ => "",
                };
                self.note(parsed, ("SET", name), Verdict::Refused(diagnostic(&error, parsed)));
            }
        }
    }

    fn custom_type(&mut self, parsed: &ParsedStatement, create: &CreateType) {
        let name = &create.name.text;
        let catalog = self.engine.catalog();
        let verdict = match (resolve_type(&create.ty, catalog), catalog.custom_type(name)) {
            (Err(error), _) => Verdict::Refused(diagnostic(&error, parsed)),
            (Ok(made), Some(there)) if made == *there => Verdict::Kept,
            (Ok(_), Some(there)) => Verdict::Refused(
                Diagnostic::new(format!("type {name} is there and means {there}"))
                    .at(parsed.written_place(create.name.span), "this is another")
                    .help(format!("a type cannot be replaced: DROP TYPE {name}, then apply again")),
            ),
            (Ok(_), None) if self.existing.types.contains(name) => {
                let fault = format!("type {name} is there, and cannot be compared");
                Verdict::Refused(Diagnostic::new(fault).at(parsed.place, "in this statement"))
            }
            (Ok(_), None) => match self.plan(&self.engine, parsed, &self.known) {
                Ok((engine, _)) => {
                    self.engine = engine;
                    Verdict::Created
                }
                Err(error) => Verdict::Refused(diagnostic(&error, parsed)),
            },
        };
        let there = self.existing.engine.catalog().custom_type(name);
        let there = there.map(|ty| format!("CREATE TYPE {} AS {ty};", identifier(name)));
        let there = there.filter(|_| matches!(verdict, Verdict::Refused(_)));
        if self.types.insert(name.clone()) || verdict != Verdict::Kept {
            self.note(parsed, ("TYPE", name), verdict);
            self.annotate(None, there);
        }
    }

    fn misplaced(&mut self, parsed: &ParsedStatement) {
        let first = parsed.text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let words = match &parsed.statement {
            Statement::InsertValues(_) => "INSERT INTO … VALUES".to_owned(),
            _ => first.trim_end_matches(';').to_uppercase(),
        };
        let help = match &parsed.statement {
            Statement::InsertValues(_) => {
                "rows are no definitions, and would be written each time: `millstream sql -f FILE` writes them"
            }
            Statement::AlterSource(_) => {
                "write the columns in the CREATE statement: what that adds is added"
            }
            Statement::CreateConnector(_) => {
                "what configures a connector is not shown, so it cannot be compared: `millstream sql -f FILE` makes it"
            }
            _ => {
                "files that are applied say what is to be there: CREATE STREAM, TABLE and TYPE, INSERT INTO … SELECT, SET, UNSET, DEFINE, UNDEFINE"
            }
        };
        let fault = Diagnostic::new(format!("{words} is no definition"))
            .at(parsed.place, "in this statement")
            .help(help);
        self.note(parsed, (&words, ""), Verdict::Refused(fault));
    }
}
