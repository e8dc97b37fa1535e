//! What exists: streams, tables, custom types, and the queries that read and write them.
//!
//! A catalog is a value. A copy shares everything with the one it was made of, until one of the two
//! changes: so a statement can be tried on a copy, and one statement never sees half of another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::QueryPlan;
use super::source::Source;
use crate::types::SqlType;

/// A persistent query, as the catalog knows it.
#[derive(Clone, Debug)]
pub struct PersistentQuery {
    /// Its id, such as `CTAS_COUNTS_0`.
    pub id: String,
    /// What made it.
    pub kind: QueryKind,
    /// What it does.
    pub plan: Arc<QueryPlan>,
    /// The properties of the session that made it, by name.
    pub overrides: BTreeMap<String, String>,
    /// Whether it took the place of another one, and goes on with the state of that.
    pub is_replacement: bool,
}

/// What made a persistent query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// `CREATE … AS SELECT`: it ends with the source that it fills.
    CreateAs,
    /// `CREATE SOURCE TABLE`: it keeps the rows of the table that it reads, and ends with it.
    SourceTable,
    /// `INSERT INTO … SELECT`: while it runs, neither its sources nor its target can be dropped.
    Insert,
}

impl PersistentQuery {
    /// Whether it reads the source called `name`.
    pub fn reads(&self, name: &str) -> bool {
        self.plan.sources().any(|(_, source)| source.name == name)
    }

    /// Whether it is there for the source called `name` alone, and ends with it.
    pub fn belongs_to(&self, name: &str) -> bool {
        match self.kind {
            QueryKind::CreateAs => self.writes(name),
            QueryKind::SourceTable => self.reads(name),
            QueryKind::Insert => false,
        }
    }

    /// Whether it writes into the source called `name`.
    pub fn writes(&self, name: &str) -> bool {
        self.plan.sink.name == name
    }
}

/// All streams, tables, custom types and queries of an engine.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    sources: Arc<BTreeMap<String, Entry>>,
    types: Arc<BTreeMap<String, SqlType>>,
    /// In the order in which they were made.
    queries: Arc<Vec<Arc<PersistentQuery>>>,
}

/// A source, and what it was made of.
#[derive(Clone, Debug)]
struct Entry {
    source: Arc<Source>,
    /// The sources that the query reads that made this one. They cannot be dropped before it, even
    /// when that query has been terminated.
    made_of: BTreeSet<String>,
}

impl Catalog {
    /// The source called `name`.
    pub fn source(&self, name: &str) -> Option<&Arc<Source>> {
        self.sources.get(name).map(|entry| &entry.source)
    }

    /// All sources, by name.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.sources.values().map(|entry| &entry.source)
    }

    /// Adds a source, or replaces the one of its name.
    pub fn put_source(&mut self, source: Source) {
        self.put_source_made_of(source, []);
    }

    /// The same for a source that a query fills, which reads the sources called `made_of`.
    ///
    /// What was known of a source that is replaced stays known.
    pub fn put_source_made_of(
        &mut self,
        source: Source,
        made_of: impl IntoIterator<Item = String>,
    ) {
        let sources = Arc::make_mut(&mut self.sources);
        let before = sources.remove(&source.name).map(|entry| entry.made_of);
        let made_of = before.into_iter().flatten().chain(made_of).collect();
        sources.insert(source.name.clone(), Entry { source: Arc::new(source), made_of });
    }

    /// Takes a source out.
    pub fn remove_source(&mut self, name: &str) -> Option<Arc<Source>> {
        Arc::make_mut(&mut self.sources).remove(name).map(|entry| entry.source)
    }

    /// The sources that a query makes of the one called `name`, by name.
    pub fn made_of(&self, name: &str) -> impl Iterator<Item = &str> {
        let made = self.sources.iter().filter(move |(_, entry)| entry.made_of.contains(name));
        made.map(|(made, _)| made.as_str())
    }

    /// All queries, in the order in which they were made.
    pub fn queries(&self) -> &[Arc<PersistentQuery>] {
        &self.queries
    }

    /// The query with this id.
    pub fn query(&self, id: &str) -> Option<&Arc<PersistentQuery>> {
        self.queries.iter().find(|query| query.id == id)
    }

    /// The queries that write into the source called `name`.
    pub fn writers(&self, name: &str) -> impl Iterator<Item = &Arc<PersistentQuery>> {
        self.queries.iter().filter(move |query| query.writes(name))
    }

    /// Adds a query, or replaces the one with its id, whose place it takes.
    pub fn put_query(&mut self, query: Arc<PersistentQuery>) {
        let queries = Arc::make_mut(&mut self.queries);
        match queries.iter_mut().find(|other| other.id == query.id) {
            Some(other) => *other = query,
            None => queries.push(query),
        }
    }

    /// Takes a query out.
    pub fn remove_query(&mut self, id: &str) {
        Arc::make_mut(&mut self.queries).retain(|query| query.id != id);
    }

    /// The type that `name` stands for.
    pub fn custom_type(&self, name: &str) -> Option<&SqlType> {
        self.types.get(name)
    }

    /// All custom types, by name.
    pub fn custom_types(&self) -> impl Iterator<Item = (&str, &SqlType)> {
        self.types.iter().map(|(name, ty)| (&**name, ty))
    }

    /// Adds a custom type, or replaces the one of its name.
    pub fn put_type(&mut self, name: String, ty: SqlType) {
        Arc::make_mut(&mut self.types).insert(name, ty);
    }

    /// Takes a custom type out.
    pub fn remove_type(&mut self, name: &str) -> Option<SqlType> {
        Arc::make_mut(&mut self.types).remove(name)
    }
}
