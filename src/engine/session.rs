//! What one user has set, over what the server is configured with.

use super::known_properties::{self, SessionError};
use super::planned::Effect;
use super::{Planned, Properties, SessionChange};
use crate::plan::PlanError;
use crate::sql::Span;

/// The name of the service, which no session may set though it may name it.
pub(super) const SERVICE_ID: &str = "ksql.service.id";

/// The properties that a session has set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    overrides: Properties,
}

impl Session {
    /// A session that has set these properties.
    pub fn new(overrides: Properties) -> Self {
        Self { overrides }
    }

    /// What the session has set.
    pub fn overrides(&self) -> &Properties {
        &self.overrides
    }

    /// The session's properties over those of the server.
    pub fn over(&self, server: &Properties) -> Properties {
        let mut properties = server.clone();
        properties.extend(&self.overrides);
        properties
    }

    /// Changes the session as a statement says.
    pub fn apply(&mut self, change: &SessionChange) {
        match change {
            SessionChange::Set { name, value } => self.overrides.set(name, value),
            SessionChange::Unset { name } => self.overrides.unset(name),
        }
    }

    /// Whether statements may run under what the session has set.
    pub(super) fn check_overrides(&self) -> Result<(), PlanError> {
        let names = self.overrides.iter().map(|(name, _)| name);
        let immutable: Vec<_> = names.filter(|name| known_properties::is_immutable(name)).collect();
        match &*immutable {
            [] => Ok(()),
            names => Err(cannot_override(&names.join(","))),
        }
    }
}

/// What ksqlDB says of properties that a session has set but may not.
pub(super) fn cannot_override(names: &str) -> PlanError {
    PlanError::execute(format!("Cannot override properties: {names}"))
        .help("set it with --property or in the file of --config")
}

/// Checks a property that a session is to have from the beginning, as `SET` checks one.
pub fn check_property(name: &str, value: &str) -> Result<(), PlanError> {
    known_properties::check_session(name, value).map_err(|error| refused(name, &error))
}

/// Whether a property is one of a server, which no session may set.
pub fn is_of_servers(name: &str) -> bool {
    let is_known = known_properties::is_known_to_servers(name);
    let is_open = known_properties::is_known_to_sessions(name)
        && !known_properties::is_immutable(name)
        && name != SERVICE_ID;
    is_known && !is_open
}

/// Plans a `SET`: the property must exist, and take the value.
pub(super) fn plan_set(
    name: &str,
    value: &str,
    place_of: impl Fn(&str) -> Span,
) -> Result<Planned, PlanError> {
    known_properties::check_session(name, value).map_err(|error| {
        let at = if matches!(error, SessionError::Unknown(_)) { name } else { value };
        refused(name, &error).at(place_of(at))
    })?;
    let change = SessionChange::Set { name: name.to_owned(), value: value.to_owned() };
    Ok(Planned { effect: Effect::Session(change) })
}

/// Plans an `UNSET`: the property must exist.
pub(super) fn plan_unset(name: &str) -> Result<Planned, PlanError> {
    if !known_properties::is_known_to_sessions(name) {
        return Err(refused(name, &SessionError::Unknown(name.to_owned())));
    }
    Ok(Planned { effect: Effect::Session(SessionChange::Unset { name: name.to_owned() }) })
}

fn refused(name: &str, error: &SessionError) -> PlanError {
    let refused = PlanError::execute(error.to_string());
    match (error, known_properties::nearest(name)) {
        (SessionError::Unknown(_), Some(nearest)) => {
            refused.help(format!("did you mean {nearest}?"))
        }
        _ => refused,
    }
}
