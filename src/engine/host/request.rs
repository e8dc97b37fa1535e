//! What a client asks: statements, under properties and variables of its own.

use std::collections::BTreeMap;

use super::{HostError, HostFault};
use crate::engine::known_properties::{self, SessionError};
use crate::engine::session::SERVICE_ID;
use crate::engine::{Properties, Session};
use crate::sql::tokens::{Extent, extent};
use crate::sql::{ParseOptions, Variables};

/// How many statements a request may have.
const STATEMENTS_MAX: usize = 10_000;

/// How many words, numbers and signs a request may have: each takes many times the memory of its text.
const TOKENS_MAX: usize = 500_000;

/// What a client asks.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The statements.
    pub text: String,
    /// What the client has set, by name.
    pub properties: BTreeMap<String, String>,
    /// The client's variables.
    pub variables: BTreeMap<String, String>,
    /// The command that has to be applied before.
    pub sequence: Option<i64>,
}

impl Request {
    /// The session in which the statements run. Names that mean nothing are refused.
    pub(super) fn session(&self, server: &Properties) -> Result<Session, HostError> {
        for (name, value) in &self.properties {
            check_overridable(name, server)?;
            match known_properties::check_session(name, value) {
                Err(SessionError::Unknown(name)) => return Err(unknown(&name)),
                checked => checked.map_err(|error| cannot_coerce(name, value, &error))?,
            }
        }
        Ok(Session::new(Properties::new(self.properties.clone())))
    }

    /// The session in which a query runs, which passes over names that mean nothing, as ksqlDB's do.
    pub(super) fn reading_session(&self, server: &Properties) -> Result<Session, HostError> {
        let mut overrides = Properties::default();
        for (name, value) in &self.properties {
            check_overridable(name, server)?;
            match known_properties::check_session(name, value) {
                Err(SessionError::Unknown(_)) => continue,
                checked => checked.map_err(|error| cannot_coerce(name, value, &error))?,
            }
            overrides.set(name, value);
        }
        Ok(Session::new(overrides))
    }

    /// Refuses a text that costs more to read than any that is meant.
    pub(super) fn check_extent(&self) -> Result<(), HostError> {
        let Extent { statements, tokens } = extent(&self.text);
        let (count, most, what) = if statements > STATEMENTS_MAX {
            (statements, STATEMENTS_MAX, "statements")
        } else if tokens > TOKENS_MAX {
            (tokens, TOKENS_MAX, "words and signs")
        } else {
            return Ok(());
        };
        Err(HostError::request(format!(
            "A request has at most {most} {what}, and this one has {count}: send it in several"
        )))
    }

    /// How the statements are read.
    pub(super) fn parse_options(&self, server: &Properties) -> ParseOptions {
        let variables: Variables = self
            .variables
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect();
        server.parse_options(variables)
    }
}

fn unknown(name: &str) -> HostError {
    let message =
        format!("Not recognizable as ksql, streams, consumer, or producer property: '{name}'");
    HostError::new(HostFault::Server, message)
}

fn cannot_coerce(name: &str, value: &str, error: &SessionError) -> HostError {
    // ksqlDB breaks long lines.
    let cause = error.to_string().replace("must be one of", "must be\n\tone of");
    HostError::request(format!(
        "Failed to coerce type of value '{value}' for key '{name}'\nCaused by: {cause}"
    ))
}

/// Whether clients may set a property at all: `ksql.properties.overrides.denylist`.
pub(super) fn check_overridable(name: &str, server: &Properties) -> Result<(), HostError> {
    let denied = server.get("ksql.properties.overrides.denylist").unwrap_or_default();
    let is_denied = denied.split(',').any(|denied| denied.trim() == name);
    if name != SERVICE_ID && !is_denied {
        return Ok(());
    }
    Err(HostError::request(format!(
        "One or more properties overrides set locally are prohibited by the KSQL server (use UNSET to \
         reset their default value): [{name}]"
    )))
}
