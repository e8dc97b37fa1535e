//! Files of definitions, applied: what is there is asked for, what is to be done is decided, then done.

use std::collections::BTreeMap;
use std::time::Duration;

use super::action::Decision;
use super::decider::Decider;
use super::error::ApplyError;
use super::existing::Existing;
use super::target::Target;
use super::there::There;
use crate::cli::refusal::Refusal;
use crate::engine::{Engine, Known, Properties, Session, look_up_schemas, read_logged, unread};
use crate::registry::RegistryClient;
use crate::sql::{self, ParsedStatement, Text, Variables};

/// ksqlDB's codes of what the server, and not the statement, is at fault for.
const SERVER_FAULTS: i64 = 50_000;
/// How long it is waited then.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// How often it is tried while nothing changes.
const IN_VAIN_MAX: usize = 20;

/// What files are applied with.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// The properties of the session, as SET gives them; those that files set come over them.
    pub properties: BTreeMap<String, String>,
    /// Variables by their names in small letters; those that files define come over them.
    pub variables: Variables,
    /// Where the columns are that statements do not tell. Without it, those of what is there are taken from the server.
    pub registry: Option<RegistryClient>,
}

/// Decides what is to be done that a server has what files say. Writes nothing.
pub async fn decide(
    target: &Target,
    text: &Text,
    options: &ApplyOptions,
) -> Result<Decision, ApplyError> {
    decide_over(&target.look().await?, text, options).await
}

/// The same over what a server says is there; only the registry is asked, if there is one.
pub async fn decide_over(
    there: &There,
    text: &Text,
    options: &ApplyOptions,
) -> Result<Decision, ApplyError> {
    let properties = Properties::new(there.properties.clone());
    let read = sql::read(text.clone(), &properties.parse_options(options.variables.clone()));
    if !read.faulty.is_empty() {
        let faulty = read.faulty.iter().map(|one| unread(&one.errors));
        return Err(ApplyError::Statements(faulty.collect()));
    }
    let session = Session::new(Properties::new(options.properties.clone()));
    let mut known = Known::default();
    there.topics.iter().for_each(|(name, shape)| known.add_topic(name.as_str(), *shape));
    if let Some(registry) = &options.registry {
        let logged = there.sources.iter().filter_map(|source| read_logged(&source.statement).ok());
        let logged: Vec<ParsedStatement> = logged.flatten().collect();
        let engine = Engine::new(properties.clone());
        for parsed in logged.iter().chain(&read.statements) {
            let needs = engine.needs(&parsed.statement, &session);
            look_up_schemas(registry, &needs, &mut known).await?;
        }
    }
    let existing = Existing::new(there, properties, known);
    let mut decider = Decider::new(existing, session, options.registry.is_some());
    read.statements.iter().for_each(|parsed| decider.take(parsed));
    Ok(decider.decision())
}

/// Does what was decided about a text, if nothing is refused: as one batch. Waits until the server has done it.
///
/// Others may apply the same at the same time, as servers of one service do that start together: one of them comes first, and
/// what the others send is refused, or cannot be written. So where there is something else to be done by now, it is decided anew,
/// and where the server could not, it is tried again, for a while.
pub async fn carry_out(
    target: &Target,
    text: &Text,
    decision: &Decision,
    options: &ApplyOptions,
) -> Result<(), ApplyError> {
    let mut decision = decision.clone();
    let mut in_vain = 0;
    while !decision.is_refused() && decision.has_changes() {
        let done = target.carry_out(&decision.batch(), &options.properties).await;
        let Err(ApplyError::Refused(refusal @ Refusal::Server { code, .. })) = done else {
            return done;
        };
        if code >= SERVER_FAULTS {
            tokio::time::sleep(TRY_AGAIN).await;
        }
        let now = decide(target, text, options).await?;
        let is_other = now.actions != decision.actions;
        in_vain = if is_other { 0 } else { in_vain + 1 };
        if now.is_refused() || (!is_other && code < SERVER_FAULTS) || in_vain > IN_VAIN_MAX {
            return Err(refusal.into());
        }
        decision = now;
    }
    Ok(())
}
