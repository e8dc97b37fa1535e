//! A batch of statements: read, tried on a copy of the engine as a whole, then run one after the other.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{AnswerBody, CommandState, CommandStatus, Entity};
use super::apply::parse_one;
use super::command::{Command, CommandId};
use super::refusal::{LookUpError, not_begun, not_looked_up, not_made, refusal};
use super::rewrite::logged;
use super::scope::Scope;
use super::topics::look_up;
use super::{APPLIED_WITHIN, Host, HostError, HostFault, Request, Shared, ksql_plan};
use crate::engine::reset::delete::delete_topic;
use crate::engine::{Answer, Change, Known, Session, SessionChange, topics};
use crate::kafka::admin::Admin;
use crate::plan::{SchemaRequest, Source};
use crate::sql::ast::Statement;
use crate::sql::print::masked;
use crate::sql::{self, ParseError, ParsedStatement, Variables};

impl Host {
    /// Runs a batch of statements. One that is refused refuses all of them, before anything is written.
    pub async fn run(&self, request: &Request) -> Result<Vec<Entity>, HostError> {
        let mut entities = Vec::new();
        let mut keep = |entity| {
            entities.push(entity);
            Ok(())
        };
        self.run_each(request, &mut keep).await?;
        Ok(entities)
    }

    /// The same, where `give` takes what each statement has to tell, and may refuse to take more: then no more are run.
    pub async fn run_each(
        &self,
        request: &Request,
        give: &mut (dyn FnMut(Entity) -> Result<(), HostError> + Send),
    ) -> Result<(), HostError> {
        let shared = &self.shared;
        if let Some(sequence) = request.sequence {
            shared.wait_for_command(sequence).await?;
        }
        let statements = shared.parse(request)?;
        let first = statements.first().map(masked).unwrap_or_default();
        let session = request.session(&shared.properties).map_err(|error| error.of(first))?;
        let variables: Variables = request.variables.clone().into_iter().collect();
        let mut trial = Scope { session: session.clone(), variables: variables.clone() };
        shared.try_all(&statements, &mut trial).await?;
        let mut scope = Scope { session, variables };
        for parsed in &statements {
            let answer = shared.run_one(parsed, &mut scope).await;
            let answer = answer.and_then(|entity| entity.map_or(Ok(()), &mut *give));
            answer.map_err(|error| error.of(masked(parsed)))?;
        }
        Ok(())
    }
}

impl Shared {
    /// `ksql.server.command.response.timeout.ms`: how long an answer waits for a command.
    fn response_within(&self) -> Result<Duration, HostError> {
        let timeout = self.properties.number("ksql.server.command.response.timeout.ms", 5_000)?;
        Ok(Duration::from_millis(u64::try_from(timeout).unwrap_or(0)))
    }

    /// Waits until the command at an offset is applied.
    pub(super) async fn wait_for_command(&self, sequence: i64) -> Result<(), HostError> {
        let within = self.response_within()?;
        // Without a log, there is none to wait for.
        if sequence < 0
            || self.log.is_none()
            || self.wait_applied(sequence.saturating_add(1), within).await
        {
            return Ok(());
        }
        Err(HostError::new(
            HostFault::Sequence,
            format!(
                "Timed out while waiting for a previous command to execute. command sequence number: \
                 {sequence}"
            ),
        ))
    }

    /// The statements of a request.
    pub(super) fn parse(&self, request: &Request) -> Result<Vec<ParsedStatement>, HostError> {
        request.check_extent()?;
        let options = request.parse_options(&self.properties);
        sql::parse(request.text.as_str(), &options).map_err(|errors| {
            let first = errors.first().map(|error: &ParseError| HostError::from(error));
            first.unwrap_or_else(|| HostError::request("the statements cannot be read"))
        })
    }

    /// Tries statements on a copy of the engine.
    async fn try_all(
        &self,
        statements: &[ParsedStatement],
        scope: &mut Scope,
    ) -> Result<(), HostError> {
        let (mut engine, mut number) = {
            let state = self.state();
            (state.engine().clone(), state.next_number())
        };
        let admin = Admin::new(&self.services.cluster);
        let mut known = Known::default();
        known.compares_topics = true;
        for parsed in statements {
            let of = |error: HostError| error.of(masked(parsed));
            refuse_elsewhere(&parsed.statement).map_err(of)?;
            self.check_writes(&parsed.statement).map_err(of)?;
            let is_command = CommandId::of(&parsed.statement).is_some();
            let is_row = matches!(parsed.statement, Statement::InsertValues(_));
            if is_row {
                self.check_takes_rows().map_err(of)?;
            }
            if !is_command && !is_row && !changes_scope(&parsed.statement) {
                super::inspect::check(&engine, parsed).map_err(of)?;
                continue;
            }
            let needs = engine.needs(&parsed.statement, &scope.session);
            let looked_up = self.services.look_up::<LookUpError>(&needs, &mut known).await;
            looked_up.map_err(|error| not_looked_up(error, parsed, &needs))?;
            if is_command && known.default_retention_ms.is_none() {
                known.default_retention_ms = topics::default_retention(&admin).await?;
            }
            let planned = engine.plan(parsed, &scope.session, &known);
            let planned =
                planned.map_err(|error| refusal(error, parsed, engine.catalog(), &known))?;
            let change = engine.apply(planned, number);
            number += 2;
            change.topic.iter().for_each(|topic| known.add_request(topic));
            apply_to_scope(&parsed.statement, &change, scope);
        }
        Ok(())
    }

    /// Runs a statement that has been tried.
    async fn run_one(
        &self,
        parsed: &ParsedStatement,
        scope: &mut Scope,
    ) -> Result<Option<Entity>, HostError> {
        let statement = masked(parsed);
        if let Some(id) = CommandId::of(&parsed.statement) {
            return self.change(parsed, &id, &scope.session).await.map(Some);
        }
        let body = match &parsed.statement {
            Statement::InsertValues(_) => {
                self.insert_values(parsed, &scope.session).await?;
                return Ok(None);
            }
            Statement::Undefine { name } if !scope.variables.contains_key(name) => {
                let message = format!("Cannot undefine variable '{name}' which was never defined");
                Some(AnswerBody::Warning(message))
            }
            other if changes_scope(other) => {
                let engine = self.state().engine().clone();
                let planned = engine.plan(parsed, &scope.session, &Known::default())?;
                let change = engine.clone().apply(planned, 0);
                apply_to_scope(&parsed.statement, &change, scope);
                return Ok(None);
            }
            _ => Some(self.inspect(parsed, scope).await?),
        };
        Ok(body.map(|body| Entity { statement, body }))
    }

    /// Writes a row of `INSERT INTO … VALUES`.
    async fn insert_values(
        &self,
        parsed: &ParsedStatement,
        session: &Session,
    ) -> Result<(), HostError> {
        let mut engine = self.state().engine().clone();
        let known = look_up(&self.services, &engine.needs(&parsed.statement, session)).await?;
        let planned = engine.plan(parsed, session, &known)?;
        let change = engine.apply(planned, 0);
        match change.row {
            Some(row) => self.insert(&row, parsed).await,
            None => Ok(()),
        }
    }

    /// Writes a command, and waits until it is applied.
    async fn change(
        &self,
        parsed: &ParsedStatement,
        id: &CommandId,
        session: &Session,
    ) -> Result<Entity, HostError> {
        let _writing = self.writing.lock().await;
        let log = self.log()?;
        let response_within = self.response_within()?;
        log.begin().await.map_err(|error| not_begun(&error, parsed))?;
        let written = match self.plan_and_write(parsed, id, session).await {
            Ok(written) => written,
            Err(error) => {
                log.give_up().await;
                return Err(error);
            }
        };
        let (text, offset, goes) = match written {
            Written::Command { text, offset, goes } => (text, offset, goes),
            Written::Unneeded(entity) => {
                log.give_up().await;
                return Ok(entity);
            }
        };
        // A topic that is to go is waited for in any case: it goes once its source has.
        let within = if goes.is_some() { APPLIED_WITHIN } else { response_within };
        let applied = self.wait_applied(offset + 1, within).await;
        let command_id = id.to_string();
        let outcome = {
            let state = self.state();
            let outcome = state.outcomes.get(&offset).cloned().filter(|_| applied);
            outcome.or_else(|| state.begun(&command_id))
        };
        let status = outcome.unwrap_or_else(|| CommandStatus {
            state: CommandState::Queued,
            message: "Statement written to command topic".to_owned(),
            query: None,
        });
        if let Some(source) = goes.filter(|_| status.state == CommandState::Success) {
            delete_topic(&Admin::new(&self.services.cluster), &source.topic).await?;
            self.forget_schemas(&source).await;
        }
        Ok(Entity {
            statement: text,
            body: AnswerBody::Status { command_id, status, sequence: offset },
        })
    }

    /// Plans a statement against all that is in the log, makes its topics, and writes it.
    async fn plan_and_write(
        &self,
        parsed: &ParsedStatement,
        id: &CommandId,
        session: &Session,
    ) -> Result<Written, HostError> {
        let log = self.log()?;
        let end = log.end().await?;
        if !self.wait_applied(end, APPLIED_WITHIN).await {
            return Err(HostError::server(format!(
                "Could not write the statement '{}' into the command topic.\nCaused by: Timeout while \
                 waiting for command topic consumer to process command topic",
                masked(parsed)
            )));
        }
        let (engine, number) = {
            let state = self.state();
            (state.engine().clone(), state.next_number())
        };
        let admin = Admin::new(&self.services.cluster);
        let mut known = look_up(&self.services, &engine.needs(&parsed.statement, session)).await?;
        known.default_retention_ms = topics::default_retention(&admin).await?;
        known.compares_topics = true;
        let planned = engine.plan(parsed, session, &known)?;
        let change = engine.clone().apply(planned.clone(), number);
        if let Answer::Warning(message) = &change.answer {
            let statement = masked(parsed);
            let body = AnswerBody::Warning(message.clone());
            return Ok(Written::Unneeded(Entity { statement, body }));
        }
        let text = logged(parsed, engine.catalog(), change.topic.as_ref(), &known);
        // Whoever reads the log has this text alone.
        parse_one(&text)?;
        self.make(&admin, &change).await?;
        let overrides = session.overrides().to_map();
        let plan = ksql_plan::write(&planned, &parsed.statement, &text, number);
        let command = Command { statement: text.clone(), overrides, plan };
        let value = command.encode(&self.properties);
        let offset = log.write(&id.key(), &value).await?;
        let goes = match &parsed.statement {
            Statement::Drop(drop) if change.delete_topic.is_some() => {
                engine.catalog().source(&drop.name.text).cloned()
            }
            _ => None,
        };
        Ok(Written::Command { text, offset, goes })
    }

    /// Makes the topics and the schemas that a statement needs.
    async fn make(&self, admin: &Admin, change: &Change) -> Result<(), HostError> {
        if let Some(request) = &change.topic {
            let created = topics::create(admin, request).await;
            created.map_err(|error| not_made(&error, &request.name))?;
        }
        if let Some(registry) = &self.services.registry {
            for SchemaRequest { subject, schema } in &change.schemas {
                registry.register(subject, schema).await?;
            }
        }
        Ok(())
    }
}

/// What became of a statement that was to be written.
enum Written {
    /// It stands in the log; a source goes with its topic.
    Command { text: String, offset: i64, goes: Option<Arc<Source>> },
    /// All is as it wants it.
    Unneeded(Entity),
}

/// Whether a statement changes what those after it in the batch see.
fn changes_scope(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Set { .. }
            | Statement::Unset { .. }
            | Statement::Define { .. }
            | Statement::Undefine { .. }
    )
}

fn apply_to_scope(statement: &Statement, change: &Change, scope: &mut Scope) {
    change.session.iter().for_each(|change: &SessionChange| scope.session.apply(change));
    match statement {
        Statement::Define { name, value } => {
            scope.variables.insert(name.clone(), value.clone());
        }
        Statement::Undefine { name } => drop(scope.variables.remove(name)),
        _ => {}
    }
}

/// Refuses what is sent elsewhere.
fn refuse_elsewhere(statement: &Statement) -> Result<(), HostError> {
    const MESSAGE: &str = "The following statement types should be issued to the websocket endpoint \
                           '/query':\n\t* PRINT\n\t* SELECT";
    match statement {
        Statement::Query(_) | Statement::Print(_) => Err(HostError::new(HostFault::Query, MESSAGE)),
        _ => Ok(()),
    }
}
