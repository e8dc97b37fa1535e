//! Runs a `.sql` case: statement after statement, each record that one writes through all queries before the next.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::case::Case;
use super::engine_failures::{died, refused};
use super::engine_system::{EngineSystem, NOW};
use super::failure::{Failure, FailureKind};
use super::script::script;
use super::system::{Given, Record, System as _};
use crate::expr::EvalContext;
use crate::formats::{Role, Wrapping};
use crate::operators::QueryError;
use crate::plan::{self, Catalog, KeyValue, OptionSet, Options, PlanError, Source};
use crate::runtime::{RawRecords, SeededRandom, SourceReader};
use crate::sql::ParsedStatement;
use crate::sql::ast::{AssertSource, AssertTombstone, AssertValues, CreateSource, Name, Statement};
use crate::types::{Arena, OwnedValue};

/// How deep scripts may run others.
const DEPTH_MAX: usize = 10;

/// A case while it runs.
pub(super) struct Script<'s> {
    system: &'s mut EngineSystem,
    folder: &'s Path,
    /// What each topic holds.
    topics: BTreeMap<String, Vec<Record>>,
    /// What each changelog holds.
    changelogs: BTreeMap<String, Vec<Record>>,
    /// How many records of each topic have been looked at.
    read: BTreeMap<String, usize>,
}

/// Runs a case.
pub(super) fn run(system: &mut EngineSystem, case: &Case) -> Result<(), Failure> {
    let folder = case.script_folder.as_deref().unwrap_or(Path::new(""));
    let (topics, changelogs, read) = Default::default();
    Script { system, folder, topics, changelogs, read }.text(&case.statements, 0)
}

impl Script<'_> {
    fn text(&mut self, text: &str, depth: usize) -> Result<(), Failure> {
        // An error that is expected may be that of any statement.
        let statements = self.system.statements(text)?;
        statements.iter().try_for_each(|parsed| self.statement(parsed, depth))
    }

    fn statement(&mut self, parsed: &ParsedStatement, depth: usize) -> Result<(), Failure> {
        match &parsed.statement {
            Statement::AssertValues(AssertValues { source, columns, values }) => {
                self.assert_record(source, (columns, values), false, parsed)
            }
            Statement::AssertTombstone(AssertTombstone { source, columns, values }) => {
                self.assert_record(source, (columns, values), true, parsed)
            }
            Statement::AssertSource(assert) => self.assert_source(assert, parsed),
            Statement::RunScript { file } => {
                if depth == DEPTH_MAX {
                    return Err(fault(format!("{file} is run by scripts that it runs")));
                }
                let text = script(self.folder, file)
                    .map_err(|error| fault(format!("{file} cannot be read: {error}")))?;
                self.text(&text, depth + 1)
            }
            _ => {
                self.system.make_topics(parsed);
                let before: BTreeMap<String, _> = self.plans();
                let written = self.system.run(parsed);
                let written = written
                    .map_err(|error| refused(&error, parsed, self.system.engine.catalog()))?;
                self.take_over(&before)?;
                written.map_or(Ok(()), |(topic, record)| self.feed(&topic, record))
            }
        }
    }

    fn plans(&self) -> BTreeMap<String, Arc<crate::plan::PersistentQuery>> {
        let queries = self.system.engine.queries().iter();
        queries.map(|query| (query.id.clone(), Arc::clone(query))).collect()
    }

    /// Has queries that were replaced go on with what their changelogs hold.
    fn take_over(
        &mut self,
        before: &BTreeMap<String, Arc<crate::plan::PersistentQuery>>,
    ) -> Result<(), Failure> {
        for (id, query) in self.plans() {
            if before.get(&id).is_some_and(|before| !Arc::ptr_eq(before, &query)) {
                self.system.driver(&id).map_err(|error| died(&error, "", None))?;
                self.system.restart(&id, &self.changelogs)?;
            }
        }
        Ok(())
    }

    /// Adds a record to a topic, and takes it through all queries that read that, and what they give through others.
    fn feed(&mut self, topic: &str, record: Record) -> Result<(), Failure> {
        let records = self.topics.entry(topic.to_owned()).or_default();
        let record = Record { offset: records.len() as i64, ..record };
        records.push(record.clone());
        for query in self.system.queries() {
            if !self.system.query_topics(&query).iter().any(|read| read == topic) {
                continue;
            }
            let mut given = Given::default();
            let piped = self.system.pipe(&query, topic, std::slice::from_ref(&record), &mut given);
            for (store, record) in given.stored {
                self.changelogs.entry(store).or_default().push(record);
            }
            for (topic, record) in given.written {
                self.feed(&topic, record)?;
            }
            piped?;
        }
        Ok(())
    }

    fn source(&self, name: &Name) -> Result<Arc<Source>, Failure> {
        let source = self.system.engine.catalog().source(&name.text).cloned();
        source.ok_or_else(|| fault(format!("{} does not exist", name.text)))
    }

    /// The next record of a source's topic.
    fn next(&mut self, source: &Source) -> Result<Record, Failure> {
        let at = self.read.entry(source.topic.clone()).or_default();
        let record = self.topics.get(&source.topic).and_then(|records| records.get(*at)).cloned();
        *at += 1;
        record.ok_or_else(|| {
            fault(format!(
                "Expected another record, but all records have already been read from topic {}",
                source.topic
            ))
        })
    }

    /// What a record holds, by column; and whether its value is gone.
    fn decoded(
        &self,
        source: &Arc<Source>,
        record: &Record,
    ) -> Result<(BTreeMap<String, OwnedValue>, bool), Failure> {
        let failed = |error: QueryError| fault(error.message);
        let mut reader = SourceReader::new(Arc::clone(source)).map_err(failed)?;
        let records = RawRecords {
            partition: 0,
            offsets: vec![record.offset],
            timestamps: vec![record.timestamp],
            keys: vec![record.key.as_deref()],
            values: vec![record.value.as_deref()],
            headers: None,
        };
        reader.learn_schemas(&records, &*self.system.registry);
        let arena = Arena::new();
        let read = reader.read(&records, &vec![true; reader.frame().len()], &arena);
        let columns = reader.frame().iter().zip(&read.rows.value);
        let value = |(frame, column): (&plan::FrameColumn, &crate::types::Column<'_>)| {
            (frame.name.clone(), column.value(0).to_owned())
        };
        if read.rows.len == 0 {
            return Err(fault(format!("a record of topic {} cannot be read", source.topic)));
        }
        let is_gone = !read.rows.value_valid.is_valid(0);
        Ok((columns.map(value).collect(), is_gone))
    }

    fn expected(
        &self,
        source: &Arc<Source>,
        (columns, values): (&[Name], &[crate::sql::ast::Expr]),
        parsed: &ParsedStatement,
    ) -> Result<Vec<KeyValue>, Failure> {
        let (arena, random) = (Arena::new(), SeededRandom::new(0));
        let context =
            EvalContext { arena: &arena, now: NOW, random: &random, nested_error_set_null: false };
        let config = crate::plan::PlanConfig::default();
        let found = plan::named_values(
            source,
            columns,
            values,
            &self.system.plan_context(&config, &parsed.source),
        );
        let found = found.and_then(|row| row.named_values(&context));
        found.map_err(|error: PlanError| fault(error.to_string()))
    }

    /// The next record of a source's topic holds these values; or it is a tombstone whose key they are.
    fn assert_record(
        &mut self,
        name: &Name,
        wanted: (&[Name], &[crate::sql::ast::Expr]),
        is_tombstone: bool,
        parsed: &ParsedStatement,
    ) -> Result<(), Failure> {
        let source = self.source(name)?;
        let expected = self.expected(&source, wanted, parsed)?;
        let record = self.next(&source)?;
        let (found, is_gone) = self.decoded(&source, &record)?;
        let is_same = |(column, value): &KeyValue| found.get(column) == Some(value);
        if is_gone == is_tombstone && expected.iter().all(is_same) {
            return Ok(());
        }
        let (of, shown) = match (is_tombstone, is_gone) {
            (true, _) => ("a tombstone of ", format!("{found:?}")),
            (false, true) => ("", "<null>".to_owned()),
            (false, false) => ("", format!("{found:?}")),
        };
        Err(fault(format!(
            "Expected record does not match actual. Expected: {of}{expected:?} vs. Actual: {shown}"
        )))
    }

    fn assert_source(
        &self,
        assert: &AssertSource,
        parsed: &ParsedStatement,
    ) -> Result<(), Failure> {
        let actual = self.source(&assert.name)?;
        let create = CreateSource {
            kind: assert.kind,
            name: assert.name.clone(),
            columns: assert.columns.clone(),
            with: assert.with.clone(),
            or_replace: false,
            if_not_exists: false,
            is_source: false,
        };
        let (catalog, config) = (Catalog::default(), crate::plan::PlanConfig::default());
        let context = self.system.plan_context(&config, &parsed.source);
        let context = plan::PlanContext { catalog: &catalog, ..context };
        let failed = |error: PlanError| refused(&error, parsed, &catalog);
        let (expected, _) =
            plan::plan_create_source(&create, &parsed.text, &context).map_err(failed)?;
        Options::from_clause(&assert.with, OptionSet::Source).map_err(failed)?;
        for (property, expected, actual) in properties(&expected, &actual) {
            if expected != actual {
                return Err(fault(format!(
                    "Expected {property} does not match actual for source {}. Expected: {expected}, \
                     Actual: {actual}",
                    assert.name.text
                )));
            }
        }
        Ok(())
    }
}

/// What is compared of two sources, in ksqlDB's words and order.
fn properties(expected: &Source, actual: &Source) -> Vec<(&'static str, String, String)> {
    let both = |name, of: &dyn Fn(&Source) -> String| (name, of(expected), of(actual));
    let timestamp = |source: &Source| {
        source.timestamp.as_ref().map_or_else(String::new, |timestamp| timestamp.column.clone())
    };
    let format = |source: &Source| {
        source.timestamp.as_ref().and_then(|timestamp| timestamp.format.clone()).unwrap_or_default()
    };
    // How a single column is written says something only where there is a choice.
    let wrapping = |source: &Source, role: Role| {
        let (spec, columns) = match role {
            Role::Key => (&source.key_format, source.schema.key.len()),
            Role::Value => (&source.value_format, source.schema.value.len()),
        };
        let both = [Wrapping::Wrapped, Wrapping::Unwrapped];
        let is_choice = both.iter().all(|wrapping| spec.format.supports_wrapping(*wrapping));
        let shown = spec.wrap.map(|_| spec.is_wrapped(columns, role)).filter(|_| is_choice);
        shown.map_or_else(String::new, |wraps| wraps.to_string())
    };
    vec![
        both("schema", &|source| source.schema.to_string()),
        both("type", &|source| source.kind.java_name().to_owned()),
        both("kafka topic", &|source| source.topic.clone()),
        both("key format", &|source| source.key_format.format.name().to_owned()),
        both("key format properties", &|source| properties_of(source, Role::Key)),
        both("key serde features", &|source| wrapping(source, Role::Key)),
        both("value format", &|source| source.value_format.format.name().to_owned()),
        both("value format properties", &|source| properties_of(source, Role::Value)),
        both("value serde features", &|source| wrapping(source, Role::Value)),
        both("timestamp column", &timestamp),
        both("timestamp format", &format),
    ]
}

fn properties_of(source: &Source, role: Role) -> String {
    let spec = match role {
        Role::Key => &source.key_format,
        Role::Value => &source.value_format,
    };
    format!("{:?} {:?} {:?}", spec.delimiter, spec.full_schema_name, spec.schema_id)
}

fn fault(text: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Ksql, text)
}
