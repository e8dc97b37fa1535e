//! All that the registry knows, and how records change it. It waits for nothing, and reads no clock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::content::Content;
use super::level::{Compatibility, Mode};
use super::record::{Record, Version};
use super::refusal::Refusal;
use super::subject::{context, has_prefix};
use crate::registry::schema::{Import, SchemaId, Subject};

/// How deep references may refer to others.
const REFERENCE_DEPTH_MAX: usize = 32;
/// How many schemas one may use, directly or not.
const REFERENCES_MAX: usize = 1_000;

/// All that the registry knows.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    subjects: BTreeMap<Subject, BTreeMap<i32, Version>>,
    levels: BTreeMap<Option<Subject>, Compatibility>,
    modes: BTreeMap<Option<Subject>, Mode>,
    contexts: BTreeMap<String, Ids>,
}

/// The ids that a context has given out.
#[derive(Clone, Debug, Default)]
struct Ids {
    last: i32,
    by_id: BTreeMap<SchemaId, Known>,
    by_content: HashMap<Arc<Content>, SchemaId>,
}

/// A schema that has an id.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) content: Arc<Content>,
    /// The versions that it is, those that are deleted softly among them.
    pub(super) versions: BTreeSet<(Subject, i32)>,
}

/// Which versions are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that are not deleted.
    #[default]
    Active,
    /// Those that are deleted softly, too.
    All,
    /// Only those that are deleted softly.
    Deleted,
}

impl Which {
    fn has(self, version: &Version) -> bool {
        match self {
            Self::Active => !version.is_deleted,
            Self::All => true,
            Self::Deleted => version.is_deleted,
        }
    }
}

/// A version as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VersionSpec {
    /// The highest one.
    Latest,
    /// That one.
    Number(i32),
}

impl VersionSpec {
    /// Reads `latest`, `-1`, which is the same, or a number from 1 on.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        match text.parse() {
            _ if text == "latest" => Ok(Self::Latest),
            Ok(-1) => Ok(Self::Latest),
            Ok(number) if number > 0 => Ok(Self::Number(number)),
            _ => Err(Refusal::invalid_version(text)),
        }
    }
}

impl State {
    /// Takes over what a record says.
    pub(super) fn apply(&mut self, record: Record) {
        match record {
            Record::Version { subject, version, value } => {
                self.set_version(subject, version, value);
            }
            Record::Level { subject, value } => set(&mut self.levels, subject, value),
            Record::Mode { subject, value } => set(&mut self.modes, subject, value),
            Record::DeleteSubject { subject, up_to } => {
                let versions = self.subjects.get_mut(&subject).into_iter().flatten();
                for (_, kept) in versions.filter(|(version, _)| up_to >= Some(**version)) {
                    kept.is_deleted = true;
                }
            }
        }
    }

    fn set_version(&mut self, subject: Subject, version: i32, value: Option<Version>) {
        let versions = self.subjects.entry(subject.clone()).or_default();
        let ids = self.contexts.entry(context(subject.as_str()).to_owned()).or_default();
        let key = (subject, version);
        if let Some(value) = value {
            ids.add(value.id, &value.content, key);
            versions.insert(version, value);
        } else {
            if let Some(old) = versions.remove(&version) {
                ids.remove(old.id, &key);
            }
            if versions.is_empty() {
                self.subjects.remove(&key.0);
            }
        }
    }

    /// The names of the contexts in which there are schemas, the default one first.
    pub(super) fn contexts(&self) -> Vec<&str> {
        let others = self.contexts.keys().map(String::as_str).filter(|name| *name != ".");
        [super::subject::DEFAULT_CONTEXT].into_iter().chain(others).collect()
    }

    /// The subjects that begin with a prefix, in order.
    pub(super) fn subjects(&self, prefix: &str, which: Which) -> Vec<&Subject> {
        let found = self.subjects.iter().filter(|(subject, versions)| {
            has_prefix(subject.as_str(), prefix)
                && match which {
                    // A subject is deleted if none of its versions is left.
                    Which::Deleted => versions.values().all(|version| version.is_deleted),
                    _ => versions.values().any(|version| which.has(version)),
                }
        });
        found.map(|(subject, _)| subject).collect()
    }

    /// Whether a subject has a version.
    pub(super) fn has(&self, subject: &Subject, which: Which) -> bool {
        self.versions(subject, which).next().is_some()
    }

    /// The versions of a subject, in order.
    pub(super) fn versions(
        &self,
        subject: &Subject,
        which: Which,
    ) -> impl DoubleEndedIterator<Item = (i32, &Version)> {
        let versions = self.subjects.get(subject).into_iter().flatten();
        versions.map(|(number, version)| (*number, version)).filter(move |(_, v)| which.has(v))
    }

    /// The version that is asked for, if there is such a one.
    pub(super) fn find(
        &self,
        subject: &Subject,
        spec: VersionSpec,
        which: Which,
    ) -> Option<(i32, &Version)> {
        match spec {
            VersionSpec::Latest => self.versions(subject, which).next_back(),
            VersionSpec::Number(number) => {
                let version = self.subjects.get(subject)?.get(&number)?;
                which.has(version).then_some((number, version))
            }
        }
    }

    /// The version that is asked for.
    pub(super) fn version(
        &self,
        subject: &Subject,
        spec: VersionSpec,
        which: Which,
    ) -> Result<(i32, &Version), Refusal> {
        if !self.has(subject, which) {
            return Err(Refusal::subject_not_found(subject));
        }
        self.find(subject, spec, which).ok_or_else(|| match spec {
            VersionSpec::Latest => Refusal::version_not_found("latest"),
            VersionSpec::Number(number) => Refusal::version_not_found(number),
        })
    }

    /// The number of the next version of a subject: it was never taken by one that is still remembered.
    pub(super) fn next_version(&self, subject: &Subject) -> i32 {
        let last = self.versions(subject, Which::All).next_back().map_or(0, |(number, _)| number);
        last.saturating_add(1)
    }

    /// The schema with an id, in the context of a subject.
    pub(super) fn by_id(&self, context: &str, id: SchemaId) -> Option<&Known> {
        self.contexts.get(context)?.by_id.get(&id)
    }

    /// The schema with a number of its content, in any context.
    pub(super) fn by_guid(&self, guid: uuid::Uuid) -> Option<(SchemaId, &Known)> {
        let mut all = self.contexts.values().flat_map(|ids| &ids.by_id);
        all.find(|(_, known)| known.content.guid() == guid).map(|(id, known)| (*id, known))
    }

    /// The id that a content has in the context of a subject.
    pub(super) fn id_of(&self, subject: &Subject, content: &Content) -> Option<SchemaId> {
        self.contexts.get(context(subject.as_str()))?.by_content.get(content).copied()
    }

    /// The highest id that the context of a subject has given out.
    pub(super) fn last_id(&self, context: &str) -> i32 {
        self.contexts.get(context).map_or(0, |ids| ids.last)
    }

    /// The ids of the schemas that use a version, in order.
    pub(super) fn users(&self, subject: &Subject, version: i32) -> BTreeSet<SchemaId> {
        let versions = self.subjects.values().flat_map(BTreeMap::values);
        let users =
            versions.filter(|user| !user.is_deleted && user.content.refers_to(subject, version));
        users.map(|user| user.id).collect()
    }

    /// The level that holds for a subject.
    pub(super) fn level(&self, subject: &Subject) -> Compatibility {
        self.own_level(Some(subject)).or(self.own_level(None)).unwrap_or_default()
    }

    /// The level that is set for a subject, or for all.
    pub(super) fn own_level(&self, subject: Option<&Subject>) -> Option<Compatibility> {
        self.levels.get(&subject.cloned()).copied()
    }

    /// The mode that holds for a subject.
    pub(super) fn mode(&self, subject: &Subject) -> Mode {
        let global = self.own_mode(None).unwrap_or_default();
        if global == Mode::ReadOnlyOverride {
            return global;
        }
        self.own_mode(Some(subject)).unwrap_or(global)
    }

    /// The mode that is set for a subject, or for all.
    pub(super) fn own_mode(&self, subject: Option<&Subject>) -> Option<Mode> {
        self.modes.get(&subject.cloned()).copied()
    }

    /// The texts of all schemas that a schema uses, each before those that use it.
    pub(super) fn imports(&self, content: &Content) -> Result<Vec<Import>, String> {
        let mut found = Vec::new();
        self.add_imports(content, 0, &mut found)?;
        Ok(found)
    }

    fn add_imports(
        &self,
        content: &Content,
        depth: usize,
        found: &mut Vec<Import>,
    ) -> Result<(), String> {
        for reference in &content.schema.references {
            if found.iter().any(|import| import.name == reference.name) {
                continue;
            }
            if depth == REFERENCE_DEPTH_MAX || found.len() == REFERENCES_MAX {
                return Err(format!("more than {REFERENCES_MAX} references, or too deep ones"));
            }
            let spec = match reference.version {
                -1 => VersionSpec::Latest,
                number => VersionSpec::Number(number),
            };
            let used = self.find(&reference.subject, spec, Which::All);
            let (_, used) = used.ok_or_else(|| {
                format!(
                    "No schema reference found for subject \"{}\" and version {}",
                    reference.subject, reference.version
                )
            })?;
            let name = reference.name.clone();
            self.add_imports(&used.content, depth + 1, found)?;
            found.push(Import { name, text: used.content.schema.text.clone() });
        }
        Ok(())
    }
}

fn set<T>(map: &mut BTreeMap<Option<Subject>, T>, subject: Option<Subject>, value: Option<T>) {
    match value {
        Some(value) => {
            map.insert(subject, value);
        }
        None => {
            map.remove(&subject);
        }
    }
}

impl Ids {
    fn add(&mut self, id: SchemaId, content: &Arc<Content>, version: (Subject, i32)) {
        self.last = self.last.max(id.0);
        let known = self
            .by_id
            .entry(id)
            .or_insert_with(|| Known { content: Arc::clone(content), versions: BTreeSet::new() });
        known.versions.insert(version);
        self.by_content.entry(Arc::clone(content)).or_insert(id);
    }

    fn remove(&mut self, id: SchemaId, version: &(Subject, i32)) {
        let Some(known) = self.by_id.get_mut(&id) else { return };
        known.versions.remove(version);
        if known.versions.is_empty() {
            self.by_content.remove(&known.content);
            self.by_id.remove(&id);
        }
    }
}
