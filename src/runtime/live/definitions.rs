//! How a worker reads sources: each distinct definition once, for all queries over it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::decode::{NextChunk, SourceChunk, past_panics};
use super::ids::QueryId;
use super::message::FoundSchema;
use super::probe::Probe;
use super::sought::RowsByValue;
use crate::operators::QueryError;
use crate::plan::{Sought, Source};
use crate::registry::SchemaId;
use crate::runtime::{Panic, RawRecords, ReadRows, Rejection, SourceReader};
use crate::types::Arena;

/// A definition of a source, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DefinitionId(u64);

/// All definitions that queries of a worker read.
#[derive(Default)]
pub(super) struct Definitions {
    all: BTreeMap<DefinitionId, Definition>,
    next: u64,
}

/// One way to read a topic.
pub(super) struct Definition {
    source: Arc<Source>,
    pub(super) reader: SourceReader,
    /// The columns that some query uses.
    pub(super) used: Vec<bool>,
    users: Vec<User>,
}

struct User {
    query: QueryId,
    used: Vec<bool>,
}

impl Definitions {
    /// Adds a query that uses columns of a source.
    pub(super) fn add(
        &mut self,
        query: &QueryId,
        source: &Arc<Source>,
        used: Vec<bool>,
    ) -> Result<DefinitionId, QueryError> {
        let user = User { query: query.clone(), used };
        let known = self.all.iter_mut().find(|(_, known)| reads_alike(&known.source, source));
        if let Some((id, known)) = known {
            known.users.push(user);
            known.count_used();
            return Ok(*id);
        }
        let reader = SourceReader::new(Arc::clone(source))?;
        let id = DefinitionId(self.next);
        self.next += 1;
        let source = Arc::clone(source);
        let mut definition = Definition { source, reader, used: Vec::new(), users: vec![user] };
        definition.count_used();
        self.all.insert(id, definition);
        Ok(id)
    }

    /// Forgets a query, and the definitions that only it used.
    pub(super) fn remove(&mut self, query: &QueryId) {
        self.all.retain(|_, definition| {
            definition.users.retain(|user| user.query != *query);
            definition.count_used();
            !definition.users.is_empty()
        });
    }

    /// Takes in the schema with an id, or what the registry says where there is none.
    pub(super) fn learn_schema(&mut self, id: SchemaId, found: &FoundSchema) {
        let found = match found {
            FoundSchema::Schema(schema) => Ok(schema.as_ref()),
            FoundSchema::Missing(message) => Err(message.as_str()),
            FoundSchema::Refused(_) => return,
        };
        for definition in self.all.values_mut() {
            definition.reader.learn_schema(id, found);
        }
    }

    /// Forgets of which ids the registry has no schema.
    pub(super) fn forget_missing_schemas(&mut self) {
        self.all.values_mut().for_each(|definition| definition.reader.forget_missing_schemas());
    }

    pub(super) fn get(&self, id: DefinitionId) -> Option<&Definition> {
        self.all.get(&id)
    }
}

impl Definition {
    fn count_used(&mut self) {
        self.used = vec![false; self.reader.frame().len()];
        for user in &self.users {
            self.used.iter_mut().zip(&user.used).for_each(|(used, is_used)| *used |= is_used);
        }
    }
}

/// What is decoded of one chunk, for all queries that take it.
pub(super) struct Decoded<'d, 'a> {
    definitions: &'d Definitions,
    probe: &'d dyn Probe,
    arena: &'a Arena,
    /// Whether rows that queries look for are found for all of them at once.
    pub(super) finds: bool,
    read: BTreeMap<DefinitionId, Result<ReadRows<'a>, NotRead>>,
    found: BTreeMap<(DefinitionId, usize), RowsByValue<'a>>,
}

/// Why a chunk is not read.
pub(super) enum NotRead {
    /// A panic keeps it from being read.
    Panic(Panic),
    /// The schemas of these ids have to be known first.
    Lacks(BTreeSet<SchemaId>),
}

impl<'d, 'a> Decoded<'d, 'a> {
    /// Nothing is decoded yet.
    pub(super) fn new(
        definitions: &'d Definitions,
        probe: &'d dyn Probe,
        arena: &'a Arena,
    ) -> Self {
        let (read, found) = (BTreeMap::new(), BTreeMap::new());
        Self { definitions, probe, arena, finds: false, read, found }
    }

    /// A chunk as a definition reads it, with the rows that are looked for, or why it is not read.
    pub(super) fn read<'t>(
        &'t mut self,
        id: DefinitionId,
        sought: Option<&Sought>,
        chunk: &'t NextChunk<'a>,
    ) -> Option<Result<SourceChunk<'t, 'a>, &'t NotRead>> {
        let definition = self.definitions.get(id)?;
        let (probe, arena) = (self.probe, self.arena);
        let read = self.read.entry(id).or_insert_with(|| {
            let unknown = definition.reader.unknown_schemas(&chunk.records);
            if !unknown.is_empty() {
                return Err(NotRead::Lacks(unknown));
            }
            let read = definition.read(&chunk.records, |records| probe.decode(records), arena);
            read.map_err(NotRead::Panic)
        });
        let reader = &definition.reader;
        let (finds, found) = (self.finds, &mut self.found);
        Some(read.as_ref().map(move |read| {
            let found = sought.filter(|_| finds).and_then(|Sought { column, value }| {
                let values = read.rows.value.get(*column)?;
                let rows = found.entry((id, *column));
                Some(rows.or_insert_with(|| RowsByValue::of(values, read.rows.len)).with(value))
            });
            SourceChunk { chunk, reader, read, found }
        }))
    }
}

impl Definition {
    /// Reads records; those that a panic comes of are rejected.
    fn read<'a>(
        &self,
        records: &RawRecords<'a>,
        before: impl Fn(&RawRecords<'a>),
        arena: &'a Arena,
    ) -> Result<ReadRows<'a>, Panic> {
        let read = past_panics(records, |records| {
            before(records);
            self.reader.read(records, &self.used, arena)
        })?;
        let mut rows = read.done;
        for (row, _) in &mut rows.rejected {
            *row = read.kept.as_ref().map_or(*row, |kept| kept[*row]);
        }
        let faulty = read.faulty.into_iter();
        rows.rejected.extend(faulty.map(|(row, panic)| (row, Rejection::Panicked(panic))));
        rows.rejected.sort_by_key(|(row, _)| *row);
        Ok(rows)
    }
}

/// Whether two sources read the same records in the same way, so that one decode serves both.
fn reads_alike(a: &Source, b: &Source) -> bool {
    a.topic == b.topic
        && a.kind == b.kind
        && a.schema == b.schema
        && a.headers == b.headers
        && a.key_format == b.key_format
        && a.value_format == b.value_format
        && a.window == b.window
        && a.timestamp == b.timestamp
}
