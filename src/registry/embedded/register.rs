//! Registering a schema, and asking whether it could be.
//!
//! What is decided comes out as records for the topic; nothing changes before they are written.

use std::sync::Arc;

use super::content::Content;
use super::language::{self, Parsed};
use super::level::{Compatibility, Mode};
use super::record::{Record, Version};
use super::refusal::Refusal;
use super::state::{State, VersionSpec, Which};
use super::subject::{context, is_valid};
use crate::registry::schema::{SchemaId, Subject};

/// What a request to register brings.
#[derive(Clone, Debug, Default)]
pub(super) struct Registration {
    pub(super) content: Content,
    /// The id that it has elsewhere, to be kept: for imports.
    pub(super) id: Option<SchemaId>,
    /// The version that it has elsewhere, or must become.
    pub(super) version: Option<i32>,
}

/// What a schema has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registered {
    pub(super) id: SchemaId,
    pub(super) version: i32,
    pub(super) content: Arc<Content>,
}

/// An answer, and the records that must be written before it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned<T> {
    pub(super) records: Vec<Record>,
    pub(super) answer: T,
}

impl<T> Planned<T> {
    /// An answer that changes nothing.
    pub(super) fn unchanged(answer: T) -> Self {
        Self { records: Vec::new(), answer }
    }
}

/// Registers a schema under a subject. One that is there already keeps its version; one that is known elsewhere keeps its id.
pub(super) fn register(
    state: &State,
    subject: &Subject,
    mut registration: Registration,
    normalize: bool,
) -> Result<Planned<Registered>, Refusal> {
    if !is_valid(subject.as_str()) {
        return Err(Refusal::invalid_subject(subject));
    }
    let mode = state.mode(subject);
    if mode.is_read_only() {
        return Err(Refusal::not_permitted(format!("Subject {subject} is in read-only mode")));
    }
    fill_from_latest(state, subject, &mut registration.content);
    let (parsed, content) = canonical(state, subject, registration.content, normalize)?;
    if registration.id.is_none()
        && registration.version.is_none()
        && let Some((version, known)) = find_version(state, subject, &content, Which::Active)
    {
        let content = Arc::clone(&known.content);
        return Ok(Planned::unchanged(Registered { id: known.id, version, content }));
    }
    check_mode(subject, mode, registration.id)?;
    if mode != Mode::Import {
        let differences = differences(state, subject, &parsed, Against::Subject);
        if !differences.is_empty() {
            return Err(Refusal::incompatible(subject, &differences));
        }
    }
    let version = version(state, subject, registration.version, mode)?;
    let content = Arc::new(content);
    let id = id(state, subject, registration.id, &content)?;
    // What was deleted softly and is the same gives way to the new version.
    let replaced = state
        .versions(subject, Which::Deleted)
        .filter(|(number, old)| old.id == id && *number < version)
        .map(|(number, _)| Record::Version {
            subject: subject.clone(),
            version: number,
            value: None,
        });
    let mut records: Vec<Record> = replaced.collect();
    let value = Version { id, content: Arc::clone(&content), is_deleted: false };
    // The new version is written first: a reader of the topic must not forget the id in between.
    records.insert(0, Record::Version { subject: subject.clone(), version, value: Some(value) });
    Ok(Planned { records, answer: Registered { id, version, content } })
}

/// The version of a subject that has a schema.
pub(super) fn look_up(
    state: &State,
    subject: &Subject,
    content: Content,
    normalize: bool,
    which: Which,
) -> Result<Registered, Refusal> {
    if !state.has(subject, which) {
        return Err(Refusal::subject_not_found(subject));
    }
    let (_, content) = canonical(state, subject, content, normalize)?;
    let (version, found) =
        find_version(state, subject, &content, which).ok_or_else(Refusal::schema_not_found)?;
    Ok(Registered { id: found.id, version, content: Arc::clone(&found.content) })
}

/// What a schema is to be compared with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Against {
    /// What the level asks for.
    Subject,
    /// One version.
    Version(VersionSpec),
}

/// What keeps a schema from being registered under a subject, in words; nothing if it can be.
pub(super) fn test(
    state: &State,
    subject: &Subject,
    content: Content,
    normalize: bool,
    against: Against,
) -> Result<Vec<String>, Refusal> {
    if let Against::Version(spec) = against {
        match (state.find(subject, spec, Which::Active), spec) {
            (None, VersionSpec::Latest) => return Ok(Vec::new()),
            (None, VersionSpec::Number(number)) => return Err(Refusal::version_not_found(number)),
            (Some(_), _) => {}
        }
    }
    let (parsed, _) = canonical(state, subject, content, normalize)?;
    Ok(differences(state, subject, &parsed, against))
}

fn differences(state: &State, subject: &Subject, parsed: &Parsed, against: Against) -> Vec<String> {
    let level = state.level(subject);
    if level == Compatibility::None {
        return Vec::new();
    }
    let older: Vec<(i32, &Version)> = match against {
        Against::Version(spec) => state.find(subject, spec, Which::Active).into_iter().collect(),
        Against::Subject if level.is_transitive() => {
            state.versions(subject, Which::Active).rev().collect()
        }
        Against::Subject => {
            state.find(subject, VersionSpec::Latest, Which::Active).into_iter().collect()
        }
    };
    for (number, old) in older {
        let mut found = match parse(state, &old.content) {
            Ok(old) => compare(level, parsed, &old),
            Err(cause) => vec![cause],
        };
        if !found.is_empty() {
            found.push(format!("{{oldSchemaVersion: {number}}}"));
            found.push(format!("{{oldSchema: '{}'}}", old.content.schema.text));
            found.push(format!("{{compatibility: '{level}'}}"));
            return found;
        }
    }
    Vec::new()
}

fn compare(level: Compatibility, new: &Parsed, old: &Parsed) -> Vec<String> {
    let mut found = Vec::new();
    if level.is_backward() {
        found.extend(language::differences(new, old, ["new", "old"]));
    }
    if level.is_forward() {
        found.extend(language::differences(old, new, ["old", "new"]));
    }
    found
}

/// A request with an empty text means the latest schema, with other metadata or rules.
fn fill_from_latest(state: &State, subject: &Subject, content: &mut Content) {
    if !content.schema.text.trim().is_empty() {
        return;
    }
    if let Some((_, latest)) = state.find(subject, VersionSpec::Latest, Which::Active) {
        content.schema = latest.content.schema.clone();
    }
}

fn canonical(
    state: &State,
    subject: &Subject,
    mut content: Content,
    normalize: bool,
) -> Result<(Parsed, Content), Refusal> {
    if content.schema.text.trim().is_empty() {
        return Err(Refusal::invalid_schema("Empty schema"));
    }
    let parsed = parse(state, &content).map_err(|cause| {
        let schema = &content.schema;
        Refusal::invalid_schema(format!(
            "Invalid schema {{subject={subject},version=0,id=-1,schemaType={},references={:?},schema={}}}, details: {cause}",
            schema.ty,
            schema.references.iter().map(|reference| &*reference.name).collect::<Vec<_>>(),
            schema.text
        ))
    })?;
    content.schema.text = if normalize { parsed.normalised() } else { parsed.text() };
    Ok((parsed, content))
}

fn parse(state: &State, content: &Content) -> Result<Parsed, String> {
    let imports = state.imports(content)?;
    Parsed::parse(content.schema.ty, &content.schema.text, &imports)
}

fn find_version<'s>(
    state: &'s State,
    subject: &Subject,
    content: &Content,
    which: Which,
) -> Option<(i32, &'s Version)> {
    let id = state.id_of(subject, content)?;
    state.versions(subject, which).rev().find(|(_, version)| version.id == id)
}

fn check_mode(subject: &Subject, mode: Mode, id: Option<SchemaId>) -> Result<(), Refusal> {
    match (id, mode) {
        (Some(_), Mode::Import) | (None, Mode::ReadWrite) => Ok(()),
        (Some(_), _) => {
            Err(Refusal::not_permitted(format!("Subject {subject} is not in import mode")))
        }
        (None, _) => {
            Err(Refusal::not_permitted(format!("Subject {subject} is not in read-write mode")))
        }
    }
}

fn version(
    state: &State,
    subject: &Subject,
    wanted: Option<i32>,
    mode: Mode,
) -> Result<i32, Refusal> {
    let next = state.next_version(subject);
    match wanted {
        Some(wanted) if wanted != next && mode != Mode::Import => {
            Err(Refusal::invalid_schema("Version is not one more than previous version"))
        }
        Some(wanted) => Ok(wanted),
        None => Ok(next),
    }
}

fn id(
    state: &State,
    subject: &Subject,
    wanted: Option<SchemaId>,
    content: &Content,
) -> Result<SchemaId, Refusal> {
    let context = context(subject.as_str());
    if let Some(wanted) = wanted {
        let taken = state.by_id(context, wanted);
        return match taken.filter(|known| *known.content != *content) {
            Some(_) => Err(Refusal::id_is_taken(wanted)),
            None => Ok(wanted),
        };
    }
    let known = state.id_of(subject, content);
    let next = || state.last_id(context).checked_add(1).map(SchemaId);
    known.or_else(next).ok_or_else(|| Refusal::store("there is no id left"))
}

/// The text of a content in another format, if there is one: a Protobuf file as a `serialized` descriptor.
pub(super) fn formatted(
    state: &State,
    content: &Content,
    format: &str,
) -> Result<Option<String>, Refusal> {
    if format != "serialized" {
        return Ok(None);
    }
    match parse(state, content).map_err(Refusal::invalid_schema)? {
        Parsed::Protobuf(schema) => Ok(Some(schema.serialized("default"))),
        Parsed::Avro(_) | Parsed::Json(_) => Ok(None),
    }
}
