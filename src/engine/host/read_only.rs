//! A host over what files make: it answers what asks, and refuses what changes anything.
//!
//! What exists is what the files say, and nobody else has to hear of it: so there is no log of commands, and without one
//! nothing can be changed.

use std::sync::Arc;

use super::answer::{CommandState, CommandStatus};
use super::command::CommandId;
use super::log::CommandLog;
use super::{Host, HostError, HostFault, HostOptions, Shared};
use crate::engine::QueryKind;
use crate::engine::headless::Application;
use crate::engine::services::Services;
use crate::runtime::clock;
use crate::runtime::live::Instance;
use crate::sql::ast::{DropKind, SourceKind, Statement};

/// What is said to whoever wants to change anything.
const REFUSED: &str = "This server runs the statements of its files and only reads: nothing can be created, changed, \
                       filled or ended here. Change the files, or send this to a `millstream server`.";

impl Host {
    /// Starts the queries of files, and answers what asks.
    pub async fn start_reading(
        services: Services,
        options: HostOptions,
        application: Application,
    ) -> Result<Self, HostError> {
        let Application { queries, engine } = application;
        let of_instance = options.of_instance(&services)?;
        let instance = Instance::start(&services.cluster, queries, of_instance).await?;
        let shared = Shared::new(services, options.properties, (instance, engine), None).await?;
        shared.note_statements();
        Ok(Self { shared: Arc::new(shared), follower: None })
    }
}

impl Shared {
    /// The log of commands, without which nothing can be changed.
    pub(super) fn log(&self) -> Result<&CommandLog, HostError> {
        self.log.as_ref().ok_or_else(|| HostError::new(HostFault::ReadOnly, REFUSED))
    }

    /// Refuses a statement that changes anything, where this only reads.
    pub(super) fn check_writes(&self, statement: &Statement) -> Result<(), HostError> {
        if changes(statement) { self.log().map(drop) } else { Ok(()) }
    }

    /// Notes what is told of statements that did not come by commands.
    fn note_statements(&self) {
        let mut state = self.state();
        let engine = state.engine().clone();
        for source in engine.catalog().sources() {
            let message = match source.kind {
                SourceKind::Stream => "Stream created",
                SourceKind::Table => "Table created",
            };
            let id = CommandId::of_source(source.kind, &source.name).to_string();
            state.statuses.insert(id, success(message.to_owned(), None));
        }
        for query in engine.queries() {
            let text = format!("{};", query.plan.sql.trim_end_matches(';'));
            if query.kind == QueryKind::CreateAs {
                let sink = &query.plan.sink;
                let made = format!("Created query with ID {}", query.id);
                let id = CommandId::of_source(sink.kind, &sink.name).to_string();
                state.statuses.insert(id, success(made, Some(query.id.clone())));
                state.made_by.insert(sink.name.clone(), text.clone());
            }
            state.texts.insert(query.id.clone(), text);
            state.started.insert(query.id.clone(), clock::now());
        }
    }
}

fn success(message: String, query: Option<String>) -> CommandStatus {
    CommandStatus { state: CommandState::Success, message, query }
}

/// Whether a statement changes what exists, or writes rows.
fn changes(statement: &Statement) -> bool {
    match statement {
        Statement::InsertValues(_)
        | Statement::CreateConnector(_)
        | Statement::AlterSystem { .. } => true,
        Statement::Drop(drop) if drop.kind == DropKind::Connector => true,
        other => CommandId::of(other).is_some(),
    }
}
