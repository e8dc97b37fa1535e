//! Commands of the log, applied one after the other.

use std::sync::Arc;

use super::answer::{CommandState, CommandStatus};
use super::command::{Command, CommandId, decode_key};
use super::log::{LoggedCommand, Tail};
use super::state::Phase;
use super::terminate::ends_service;
use super::{HostError, Shared, ksql_plan};
use crate::engine::{
    Answer, Change, Engine, Known, PersistentQuery, Properties, QueryChange, QueryKind, Session,
    read_logged, settings,
};
use crate::runtime::clock;
use crate::runtime::live::QuerySpec;
use crate::sql::ParsedStatement;

/// How long the follower waits where the log cannot be read.
const RETRY: std::time::Duration = std::time::Duration::from_secs(1);

impl Shared {
    /// Applies all commands that there are; then starts the queries that are left.
    pub(super) async fn replay(&self) -> Result<Tail, HostError> {
        let log = self.log()?;
        let mut tail = log.tail();
        let end = log.end().await?;
        let mut next = 0;
        // What Kafka and the registry have does not change meanwhile, so that nothing is asked twice.
        let mut known = Known::default();
        while next < end {
            let found = tail.next().await?;
            for command in &found.commands {
                self.apply(command, Some(&mut known)).await;
            }
            next = next.max(found.next);
            self.applied.send_replace(next);
        }
        let queries = self.state().engine().queries().to_vec();
        if let Err(error) = self.forget_ended(&queries).await {
            tracing::warn!("what ended queries kept is not deleted: {error}");
        }
        for query in &queries {
            self.start_query(query);
        }
        Ok(tail)
    }

    /// Applies commands as they come.
    pub(super) async fn follow(self: Arc<Self>, mut tail: Tail) {
        let mut next = *self.applied.borrow();
        while *self.phase.borrow() == Phase::Running {
            let found = match tail.next().await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!("the command topic cannot be read: {error}");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            };
            for command in found.commands.iter().filter(|command| command.offset >= next) {
                self.apply(command, None).await;
                self.applied.send_replace(command.offset + 1);
            }
            next = next.max(found.next);
            self.applied.send_if_modified(|applied| {
                let is_further = next > *applied;
                *applied = next.max(*applied);
                is_further
            });
        }
    }

    /// Applies a command, or tells why it cannot be. While the log is replayed, `replayed` is what is known by then, and
    /// no query starts.
    async fn apply(&self, logged: &LoggedCommand, replayed: Option<&mut Known>) {
        let key = decode_key(&logged.key);
        if replayed.is_none() {
            self.state().note_begun(&key);
        }
        let applied = self.try_apply(logged, replayed).await;
        let status = applied.unwrap_or_else(|error| {
            let offset = logged.offset;
            tracing::warn!("command {key} at offset {offset} is skipped: {error}");
            CommandStatus { state: CommandState::Error, message: error.message, query: None }
        });
        let mut state = self.state();
        state.last = logged.offset;
        state.note(logged.offset, key, status);
    }

    async fn try_apply(
        &self,
        logged: &LoggedCommand,
        replayed: Option<&mut Known>,
    ) -> Result<CommandStatus, HostError> {
        let command = Command::decode(&logged.value).map_err(HostError::request)?;
        if ends_service(&command) {
            self.end_service(&command).await;
            return Ok(CommandStatus {
                state: CommandState::Success,
                message: "Cluster terminated".to_owned(),
                query: None,
            });
        }
        let parsed = parse_one(&command.statement)?;
        if CommandId::of(&parsed.statement).is_none() {
            return Err(HostError::request("it is none that changes what exists"));
        }
        let session = Session::new(Properties::new(command.overrides));
        let (mut engine, number) = {
            let state = self.state();
            (state.engine().clone(), state.next_number())
        };
        let needs = engine.needs(&parsed.statement, &session);
        let (mut fresh, is_replay) = (Known::default(), replayed.is_some());
        let known = replayed.unwrap_or(&mut fresh);
        self.services.look_up::<HostError>(&needs, known).await?;
        // Topics that had to be there when the command was written may be gone by now.
        known.assume(&needs);
        known.joins_unequal = true;
        let planned = engine.plan(&parsed, &session, known)?;
        let planned = planned.with_query_id(ksql_plan::query_id(&command.plan));
        let change = engine.apply(planned, number);
        let status = status_of(&change.answer);
        self.put(engine, &change, &command.statement);
        if !is_replay {
            self.carry_out(&change).await;
        }
        Ok(status)
    }

    /// Takes a new engine over, with what is known of its queries.
    fn put(&self, engine: Engine, change: &Change, text: &str) {
        let mut state = self.state();
        state.put(engine);
        for query in &change.queries {
            match query {
                QueryChange::Start(query) | QueryChange::Replace(query) => {
                    state.texts.insert(query.id.clone(), text.to_owned());
                    if query.kind == QueryKind::CreateAs {
                        state.made_by.insert(query.plan.sink.name.clone(), text.to_owned());
                    }
                    // One that takes another's place runs, whether that had been paused or not.
                    state.paused.remove(&query.id);
                }
                QueryChange::Terminate { id } => {
                    state.texts.remove(id);
                    state.started.remove(id);
                    state.paused.remove(id);
                    let catalog = Arc::clone(state.engine().catalog());
                    state.made_by.retain(|name, _| catalog.source(name).is_some());
                }
                QueryChange::Pause { id } => drop(state.paused.insert(id.clone())),
                QueryChange::Resume { id } => drop(state.paused.remove(id)),
            }
        }
    }

    /// Starts and stops queries as a change says.
    async fn carry_out(&self, change: &Change) {
        let ends = change.queries.iter().filter_map(|query| match query {
            QueryChange::Terminate { id } => Some(id.clone()),
            _ => None,
        });
        self.end_queries(&ends.collect::<Vec<_>>()).await;
        let stops = change.queries.iter().filter_map(|query| match query {
            QueryChange::Replace(query) => Some(self.instance.stop_query(&query.id)),
            _ => None,
        });
        at_once(stops).await;
        let pauses = change.queries.iter().filter_map(|query| match query {
            QueryChange::Pause { id } => Some(self.instance.pause_query(id)),
            _ => None,
        });
        at_once(pauses).await;
        for query in &change.queries {
            match query {
                QueryChange::Start(query) | QueryChange::Replace(query) => self.start_query(query),
                QueryChange::Terminate { id } => self.forget_query(id),
                QueryChange::Resume { id } => self.instance.resume_query(id),
                QueryChange::Pause { .. } => {}
            }
        }
    }

    /// Ends queries, all at once: each waits for its own broker.
    pub(super) async fn end_queries(&self, ids: &[String]) {
        at_once(ids.iter().map(|id| self.instance.end_query(id))).await;
    }

    /// Deletes what is left here of queries that have ended while this server was away, or in its last moments.
    async fn forget_ended(&self, queries: &[Arc<PersistentQuery>]) -> Result<(), HostError> {
        let kept = queries.iter().map(|query| query.id.clone()).collect();
        let settings = settings(&self.properties)?;
        Ok(self.instance.forget_all_but(kept, &settings).await?)
    }

    /// Starts a query; that it cannot be started is told.
    fn start_query(&self, query: &Arc<PersistentQuery>) {
        let (properties, is_paused) = {
            let mut state = self.state();
            state.started.insert(query.id.clone(), clock::now());
            (state.engine().properties_of(query), state.paused.contains(&query.id))
        };
        let started = settings(&properties).map_err(HostError::from).and_then(|settings| {
            let (id, plan) = (query.id.clone(), Arc::clone(&query.plan));
            Ok(self.instance.start_query(QuerySpec {
                id,
                plan,
                settings,
                is_replacement: query.is_replacement,
                is_paused,
            })?)
        });
        if let Err(error) = started {
            tracing::warn!("query {} cannot be started: {error}", query.id);
        }
    }
}

/// Waits for all of them.
async fn at_once<F: Future>(all: impl IntoIterator<Item = F>) {
    let mut left: Vec<_> = all.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        left.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if left.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// What became of a command that is applied.
fn status_of(answer: &Answer) -> CommandStatus {
    let (message, query) = match answer {
        Answer::Silence => (String::new(), None),
        Answer::Message(message) | Answer::Warning(message) => (message.clone(), None),
        Answer::Query { id } => (format!("Created query with ID {id}"), Some(id.clone())),
    };
    CommandStatus { state: CommandState::Success, message, query }
}

/// The one statement of a command.
pub(super) fn parse_one(text: &str) -> Result<ParsedStatement, HostError> {
    let parsed = read_logged(text);
    let mut parsed = parsed.map_err(|errors| match errors.first() {
        Some(error) => HostError::from(error),
        None => HostError::request("it cannot be read"),
    })?;
    match (parsed.pop(), parsed.len()) {
        (Some(one), 0) => Ok(one),
        _ => Err(HostError::request("it is not one statement")),
    }
}
