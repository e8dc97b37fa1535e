//! What statements mean, whatever their words: whitespace, letter case, comments and defaults that are written out do
//! not count, nor whether `OR REPLACE` or `IF NOT EXISTS` stands there.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Engine, PersistentQuery, Properties, QueryKind, Source, read_logged};
use crate::formats::{Format, FormatSpec, Role};
use crate::plan::{self, Catalog, OptionSet, Options, QueryPlan, fingerprint};
use crate::sql::ParsedStatement;
use crate::sql::ast::{Property, Statement};
use crate::sql::print;
use crate::types::Schema;

/// A property that says where a query begins, and nothing of what it does from then on.
const BEGINNING: &str = "auto.offset.reset";

/// What a stream or table is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meaning {
    source: Source,
    /// The fingerprint of the query that fills it.
    query: Option<String>,
}

impl Meaning {
    /// The topic.
    pub(super) fn topic(&self) -> &str {
        &self.source.topic
    }

    /// Whether both give the same, whatever fills them.
    pub(super) fn gives_as(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// What the query of an `INSERT INTO` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InsertMeaning {
    /// What it writes into.
    pub(super) sink: String,
    /// What it reads.
    pub(super) sources: BTreeSet<String>,
    /// The columns that it writes.
    columns: Schema,
    query: String,
}

impl InsertMeaning {
    /// Whether both write the same columns, however they come by them.
    pub(super) fn gives_as(&self, other: &Self) -> bool {
        self.columns == other.columns
    }
}

/// What the stream or table of a name is in an engine.
pub(super) fn meaning(engine: &Engine, name: &str) -> Option<Meaning> {
    let source = normal(engine.catalog().source(name)?);
    let mut writers = engine.catalog().writers(name);
    let query = writers.find(|query| query.kind == QueryKind::CreateAs);
    Some(Meaning { source, query: query.map(|query| fingerprint_of(&query.plan)) })
}

/// What an `INSERT INTO` does.
pub(super) fn insert_meaning(query: &PersistentQuery) -> InsertMeaning {
    InsertMeaning {
        sink: query.plan.sink.name.clone(),
        sources: query.plan.sources().map(|(_, source)| source.name.clone()).collect(),
        columns: query.plan.sink.schema.clone(),
        query: fingerprint_of(&query.plan),
    }
}

/// The fingerprint of a plan, whatever its statement looks like.
fn fingerprint_of(plan: &QueryPlan) -> String {
    let mut plan = plan.clone();
    plan.sql.clear();
    fingerprint(&plan)
}

/// A source with its defaults written out, and without its text.
fn normal(source: &Source) -> Source {
    let mut source = source.clone();
    source.sql.clear();
    let (keys, values) = (source.schema.key.len(), source.schema.value.len());
    write_defaults(&mut source.key_format, keys, Role::Key);
    write_defaults(&mut source.value_format, values, Role::Value);
    source
}

fn write_defaults(spec: &mut FormatSpec, columns: usize, role: Role) {
    spec.wrap = Some(spec.is_wrapped(columns, role));
    if spec.format == Format::Delimited {
        spec.delimiter.get_or_insert(',');
    }
}

/// A statement as a server would log it: every column with its source, every item with its name. What two of them do can be
/// compared.
pub(super) fn logged_form(parsed: &ParsedStatement, catalog: &Catalog) -> ParsedStatement {
    let text = format!("{};", plan::canonical(&plan::sanitised(&parsed.statement, catalog)));
    let again = read_logged(&text).ok().and_then(|mut statements| statements.pop());
    again.unwrap_or_else(|| parsed.clone())
}

/// What a session had set that matters to a query that has begun.
pub(super) fn lasting(overrides: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let named = Properties::new(overrides.clone()).all().into_iter();
    named.filter(|(name, _)| name != BEGINNING).collect()
}

/// The `WITH` clause of a statement.
pub(super) fn clause(statement: &Statement) -> &[Property] {
    match statement {
        Statement::CreateSource(create) => &create.with,
        Statement::CreateAs(create) => &create.with,
        Statement::InsertInto(insert) => &insert.with,
        _ => &[],
    }
}

/// The ids of schemas in a clause.
pub(super) fn schema_ids(with: &[Property]) -> BTreeMap<String, String> {
    let ids = with.iter().filter(|property| is_schema_id(property));
    ids.map(|property| (property.name.text.clone(), print::literal(&property.value))).collect()
}

/// Whether a property names a schema by its id.
pub(super) fn is_schema_id(property: &Property) -> bool {
    matches!(property.name.text.as_str(), "KEY_SCHEMA_ID" | "VALUE_SCHEMA_ID")
}

/// What a clause says, if it can be read.
pub(super) fn options(statement: &Statement) -> Options {
    let set = match statement {
        Statement::CreateSource(_) => OptionSet::Source,
        Statement::InsertInto(_) => OptionSet::Insert,
        _ => OptionSet::Sink,
    };
    Options::from_clause(clause(statement), set).unwrap_or_default()
}
