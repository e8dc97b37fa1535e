//! Deleting subjects and versions: softly at first, so that ids go on working, then for good.

use super::level::Mode;
use super::record::{Record, Version};
use super::refusal::Refusal;
use super::register::Planned;
use super::state::{State, VersionSpec, Which};
use crate::registry::schema::Subject;

/// How a deletion is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    /// The id goes on working, and versions are not given again.
    Soft,
    /// Nothing is left.
    Permanent,
}

/// Deletes all versions of a subject, and answers which they were.
pub(super) fn delete_subject(
    state: &State,
    subject: &Subject,
    deletion: Deletion,
) -> Result<Planned<Vec<i32>>, Refusal> {
    check_mode(state, subject)?;
    if !state.has(subject, Which::All) {
        return Err(Refusal::subject_not_found(subject));
    }
    let has_active = state.has(subject, Which::Active);
    let which = match deletion {
        Deletion::Soft if !has_active => return Err(Refusal::subject_soft_deleted(subject)),
        Deletion::Permanent if has_active => {
            return Err(Refusal::subject_not_soft_deleted(subject));
        }
        Deletion::Soft => Which::Active,
        Deletion::Permanent => Which::All,
    };
    let versions: Vec<i32> = state.versions(subject, which).map(|(number, _)| number).collect();
    for version in &versions {
        check_references(state, subject, *version)?;
    }
    let mut records = Vec::new();
    match deletion {
        Deletion::Soft => {
            let up_to = versions.last().copied();
            records.push(Record::DeleteSubject { subject: subject.clone(), up_to });
        }
        Deletion::Permanent => {
            records.extend(versions.iter().map(|version| Record::Version {
                subject: subject.clone(),
                version: *version,
                value: None,
            }));
            // Compaction then leaves nothing of it.
            records.push(Record::DeleteSubject { subject: subject.clone(), up_to: None });
        }
    }
    records.extend(forgotten_settings(state, subject));
    Ok(Planned { records, answer: versions })
}

/// Deletes a version of a subject, and answers which it was.
pub(super) fn delete_version(
    state: &State,
    subject: &Subject,
    spec: VersionSpec,
    deletion: Deletion,
) -> Result<Planned<i32>, Refusal> {
    let which = match (deletion, spec) {
        // The latest is the latest of those that are left to delete.
        (Deletion::Soft, VersionSpec::Latest) if state.has(subject, Which::Active) => Which::Active,
        _ => Which::All,
    };
    let (number, version) = state.version(subject, spec, which)?;
    check_mode(state, subject)?;
    match deletion {
        Deletion::Soft if version.is_deleted => {
            return Err(Refusal::version_soft_deleted(subject, number));
        }
        Deletion::Permanent if !version.is_deleted => {
            return Err(Refusal::version_not_soft_deleted(subject, number));
        }
        _ => {}
    }
    check_references(state, subject, number)?;
    let value = match deletion {
        Deletion::Soft => Some(Version { is_deleted: true, ..version.clone() }),
        Deletion::Permanent => None,
    };
    let mut records = vec![Record::Version { subject: subject.clone(), version: number, value }];
    let mut left = state.versions(subject, Which::Active);
    if left.all(|(other, _)| other == number) {
        records.extend(forgotten_settings(state, subject));
    }
    Ok(Planned { records, answer: number })
}

fn check_mode(state: &State, subject: &Subject) -> Result<(), Refusal> {
    match state.mode(subject) {
        Mode::ReadOnly | Mode::ReadOnlyOverride => {
            Err(Refusal::not_permitted(format!("Subject {subject} is in read-only mode")))
        }
        Mode::ReadWrite | Mode::Import => Ok(()),
    }
}

fn check_references(state: &State, subject: &Subject, version: i32) -> Result<(), Refusal> {
    if state.users(subject, version).is_empty() {
        Ok(())
    } else {
        Err(Refusal::is_referenced(subject, version))
    }
}

/// A subject without versions has no level and no mode of its own.
fn forgotten_settings(state: &State, subject: &Subject) -> Vec<Record> {
    let own = Some(subject);
    let level = state.own_level(own);
    let mode = state.own_mode(own);
    let level = level.map(|_| Record::Level { subject: own.cloned(), value: None });
    let mode = mode.map(|_| Record::Mode { subject: own.cloned(), value: None });
    level.into_iter().chain(mode).collect()
}
