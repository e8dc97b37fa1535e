//! Levels and modes, of all subjects and of one.

use super::level::{Compatibility, Mode};
use super::record::Record;
use super::refusal::Refusal;
use super::register::Planned;
use super::state::{State, Which};
use crate::registry::schema::Subject;

/// Sets the level of a subject, or of all that have none of their own.
pub(super) fn set_level(subject: Option<Subject>, level: Compatibility) -> Planned<Compatibility> {
    Planned { records: vec![Record::Level { subject, value: Some(level) }], answer: level }
}

/// Takes back the level of a subject, or of all, and answers what it was.
pub(super) fn delete_level(
    state: &State,
    subject: Option<Subject>,
) -> Result<Planned<Compatibility>, Refusal> {
    let old = state.own_level(subject.as_ref());
    let answer = match (&subject, old) {
        (_, Some(old)) => old,
        (None, None) => Compatibility::default(),
        (Some(subject), None) => return Err(Refusal::subject_not_found(subject)),
    };
    Ok(Planned { records: vec![Record::Level { subject, value: None }], answer })
}

/// The level of a subject, or of all; with `or_global`, of all where the subject has none.
pub(super) fn level(
    state: &State,
    subject: Option<&Subject>,
    or_global: bool,
) -> Result<Compatibility, Refusal> {
    match (subject, state.own_level(subject)) {
        (_, Some(own)) => Ok(own),
        (Some(subject), None) if !or_global => Err(Refusal::no_subject_level(subject)),
        (_, None) => Ok(state.own_level(None).unwrap_or_default()),
    }
}

/// Sets the mode of a subject, or of all that have none of their own. Schemas are imported into what is empty, or by force.
pub(super) fn set_mode(
    state: &State,
    subject: Option<Subject>,
    mode: Mode,
    is_forced: bool,
) -> Result<Planned<Mode>, Refusal> {
    let is_new = state.own_mode(subject.as_ref()) != Some(mode);
    if mode == Mode::Import && is_new && !is_forced {
        let is_empty = match &subject {
            Some(subject) => !state.has(subject, Which::Active),
            None => state.subjects("", Which::Active).is_empty(),
        };
        if !is_empty {
            return Err(Refusal::not_permitted("Cannot import since found existing subjects"));
        }
    }
    Ok(Planned { records: vec![Record::Mode { subject, value: Some(mode) }], answer: mode })
}

/// Takes back the mode of a subject, or of all, and answers what it was.
pub(super) fn delete_mode(
    state: &State,
    subject: Option<Subject>,
) -> Result<Planned<Mode>, Refusal> {
    let old = state.own_mode(subject.as_ref());
    let answer = match (&subject, old) {
        (_, Some(old)) => old,
        (None, None) => Mode::default(),
        (Some(subject), None) => return Err(Refusal::subject_not_found(subject)),
    };
    Ok(Planned { records: vec![Record::Mode { subject, value: None }], answer })
}

/// The mode of a subject, or of all; with `or_global`, of all where the subject has none.
pub(super) fn mode(
    state: &State,
    subject: Option<&Subject>,
    or_global: bool,
) -> Result<Mode, Refusal> {
    match (subject, state.own_mode(subject)) {
        (_, Some(own)) => Ok(own),
        (Some(subject), None) if !or_global => Err(Refusal::no_subject_mode(subject)),
        (_, None) => Ok(state.own_mode(None).unwrap_or_default()),
    }
}
