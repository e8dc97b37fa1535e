//! The engine as the runners see it.

use crate::expr::aggregates::AggregateLimits;
use crate::formats::{Format, FormatSpec, Role, Wrapping};
use crate::plan::{
    self, Catalog, OptionSet, Options, PlanConfig, PlanContext, PlanError, QueryPlan, Source, Stage,
};
use crate::sql::ast::{self, DropKind, SourceKind, Statement};
use crate::sql::{self, ParseOptions, ParsedStatement};

use super::case::TopicSpec;
use super::system::{FailureKind, FormatInfo, Record, SourceInfo, TopicInfo, WindowInfo};
use super::{Failure, Properties, System, Systems};

/// Starts engines without a broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineSystems;

impl Systems for EngineSystems {
    fn start(&self, properties: &Properties) -> Result<Box<dyn System>, Failure> {
        let engine = Engine { config: config(properties), ..Engine::default() };
        Ok(Box::new(engine))
    }
}

fn config(properties: &Properties) -> PlanConfig {
    let get = |name: &str| properties.get(name).map(String::as_str);
    let limit = |name: &str, default: usize| {
        let limit = get(name).and_then(|text| text.parse::<i64>().ok());
        limit.map_or(default, |limit| usize::try_from(limit).unwrap_or(default))
    };
    let unlimited = AggregateLimits::default();
    let defaults = PlanConfig::default();
    PlanConfig {
        default_key_format: get("ksql.persistence.default.format.key")
            .map_or(defaults.default_key_format, str::to_owned),
        default_value_format: get("ksql.persistence.default.format.value").map(str::to_owned),
        wrap_single_values: get("ksql.persistence.wrap.single.values")
            .and_then(|text| text.parse().ok()),
        output_topic_prefix: get("ksql.output.topic.name.prefix").unwrap_or_default().to_owned(),
        aggregate_limits: AggregateLimits {
            collect_list: limit("ksql.functions.collect_list.limit", unlimited.collect_list),
            collect_set: limit("ksql.functions.collect_set.limit", unlimited.collect_set),
        },
        with_test_functions: true,
    }
}

#[derive(Default)]
struct Engine {
    config: PlanConfig,
    catalog: Catalog,
    queries: Vec<(String, QueryPlan)>,
    topics: Vec<TopicSpec>,
}

impl Engine {
    fn run(&mut self, parsed: &ParsedStatement) -> Result<(), PlanError> {
        let (catalog, config) = (self.catalog.clone(), self.config.clone());
        let ctx = PlanContext { catalog: &catalog, config: &config, text: &parsed.source };
        let text = plan::canonical(&plan::sanitised(&parsed.statement, &catalog));
        match &parsed.statement {
            Statement::CreateSource(create) => self.create_source(create, &parsed.text, &ctx),
            Statement::CreateAs(create) => {
                let exists = catalog.source(&create.name.text).is_some();
                if exists && create.if_not_exists {
                    return Ok(());
                }
                if exists && create.or_replace {
                    return Err(PlanError::unsupported("CREATE OR REPLACE is"));
                }
                let planned = plan::plan_create_as(create, &text, &ctx)?;
                let kind = if create.kind == SourceKind::Stream { "CSAS" } else { "CTAS" };
                self.add_query(&format!("{kind}_{}", create.name.text), planned.query);
                self.catalog.put_source(planned.source);
                Ok(())
            }
            Statement::InsertInto(insert) => {
                let (query, _) = plan::plan_insert_into(insert, &text, &ctx)?;
                self.add_query("INSERTQUERY", query);
                Ok(())
            }
            Statement::CreateType(create) => {
                let ty = plan::resolve_type(&create.ty, &catalog)?;
                self.catalog.put_type(create.name.text.clone(), ty);
                Ok(())
            }
            Statement::Drop(drop) => self.drop(drop),
            Statement::Set { .. }
            | Statement::Unset { .. }
            | Statement::Define { .. }
            | Statement::Undefine { .. } => Ok(()),
            _ => Err(PlanError::unsupported("this statement is")),
        }
    }

    fn create_source(
        &mut self,
        create: &ast::CreateSource,
        text: &str,
        ctx: &PlanContext<'_>,
    ) -> Result<(), PlanError> {
        if let Some(existing) = ctx.catalog.source(&create.name.text) {
            if create.if_not_exists {
                return Ok(());
            }
            if create.or_replace {
                return Err(PlanError::unsupported("CREATE OR REPLACE is"));
            }
            let name = &create.name.text;
            return Err(plan::already_exists(name, create.kind, existing.kind, Stage::Execute));
        }
        let (source, _) = plan::plan_create_source(create, text, ctx)?;
        self.catalog.put_source(source);
        Ok(())
    }

    fn drop(&mut self, drop: &ast::Drop) -> Result<(), PlanError> {
        let name = &drop.name.text;
        let found = match drop.kind {
            DropKind::Source(_) => self.catalog.remove_source(name).is_some(),
            DropKind::Type => self.catalog.remove_type(name).is_some(),
            DropKind::Connector => false,
        };
        if found || drop.if_exists {
            return Ok(());
        }
        Err(PlanError::unsupported("dropping what does not exist is"))
    }

    fn add_query(&mut self, kind: &str, query: QueryPlan) {
        let id = format!("{kind}_{}", self.queries.len());
        self.queries.push((id, query));
    }
}

/// The error of a statement that could not be planned.
fn refused(error: &PlanError, parsed: &ParsedStatement, catalog: &Catalog) -> Failure {
    let kind = match error.stage {
        Stage::Prepare => FailureKind::Parse,
        Stage::Resolve | Stage::Analyse | Stage::Execute => FailureKind::Statement,
    };
    let message = error.to_string();
    let unlogged = match error.stage {
        Stage::Analyse => {
            let details = error.unlogged.clone();
            let details = details.map_or_else(
                || message.clone(),
                |details| {
                    let prefix = error.stage.prefix();
                    let details = details.strip_prefix(prefix).unwrap_or(&details).to_owned();
                    format!("{prefix}{details}")
                },
            );
            let canonical = plan::canonical(&plan::sanitised(&parsed.statement, catalog));
            Some(format!("{details}\nStatement: {}", canonical.trim_end_matches(';')))
        }
        _ => error.unlogged.clone(),
    };
    Failure { unlogged, is_unsupported: error.is_unsupported, ..Failure::new(kind, message) }
}

impl System for Engine {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), Failure> {
        self.topics.push(topic.clone());
        Ok(())
    }

    fn declared_topics(&self, sql: &str) -> Vec<TopicSpec> {
        let Ok(statements) = sql::parse(sql, &parse_options()) else { return Vec::new() };
        let topic = |parsed: &ParsedStatement| {
            let Statement::CreateSource(create) = &parsed.statement else { return None };
            let options = Options::from_clause(&create.with, OptionSet::Source).ok()?;
            Some(TopicSpec {
                name: options.topic?,
                partitions: options.partitions.or(Some(4)),
                ..TopicSpec::default()
            })
        };
        statements.iter().filter_map(topic).collect()
    }

    fn execute(&mut self, sql: &str) -> Result<Vec<(String, Record)>, Failure> {
        let statements = sql::parse(sql, &parse_options()).map_err(|errors| {
            let Some(error) = errors.first() else {
                return Failure::new(FailureKind::Parse, "nothing could be read");
            };
            let statement = if error.statement.is_empty() {
                String::new()
            } else {
                format!("\nStatement: {}", error.statement)
            };
            Failure {
                unlogged: Some(format!("{}{statement}", error.unlogged)),
                ..Failure::new(FailureKind::Parse, error.message.clone())
            }
        })?;
        let last = statements.len().saturating_sub(1);
        for (index, parsed) in statements.iter().enumerate() {
            if let Err(error) = self.run(parsed) {
                let failure = refused(&error, parsed, &self.catalog);
                return Err(Failure { is_last_statement: index == last, ..failure });
            }
        }
        Ok(Vec::new())
    }

    fn queries(&self) -> Vec<String> {
        self.queries.iter().map(|(id, _)| id.clone()).collect()
    }

    fn query_topics(&self, query: &str) -> Vec<String> {
        let query = self.queries.iter().find(|(id, _)| id == query);
        query.map(|(_, plan)| plan.source.topic.clone()).into_iter().collect()
    }

    fn pipe(&mut self, _: &str, _: &str, _: &Record) -> Result<Vec<(String, Record)>, Failure> {
        Err(Failure::unsupported("running queries"))
    }

    fn source_on(&self, topic: &str) -> Option<SourceInfo> {
        self.catalog.sources().find(|source| source.topic == topic).map(|source| info(source))
    }

    fn source(&self, name: &str) -> Option<SourceInfo> {
        self.catalog.source(name).map(|source| info(source))
    }

    fn topics(&self) -> Vec<TopicInfo> {
        let of_source = |source: SourceInfo| TopicInfo {
            name: source.topic,
            key_format: source.key_format,
            value_format: source.value_format,
            window: source.window,
            ..TopicInfo::default()
        };
        self.catalog.sources().map(|source| of_source(info(source))).collect()
    }
}

fn parse_options() -> ParseOptions {
    ParseOptions::default()
}

fn info(source: &Source) -> SourceInfo {
    SourceInfo {
        name: source.name.clone(),
        is_table: source.kind == SourceKind::Table,
        is_read_only: source.is_read_only,
        topic: source.topic.clone(),
        schema: source.schema.to_string(),
        key: source.schema.key.clone(),
        value: source.schema.value.clone(),
        key_format: format_info(&source.key_format, source.schema.key.len(), Role::Key),
        value_format: format_info(&source.value_format, source.schema.value.len(), Role::Value),
        window: source
            .window
            .map(|window| WindowInfo { kind: window.kind, size_ms: window.size_ms }),
    }
}

fn format_info(spec: &FormatSpec, columns: usize, role: Role) -> FormatInfo {
    let both = spec.format.supports_wrapping(Wrapping::Wrapped)
        && spec.format.supports_wrapping(Wrapping::Unwrapped);
    let feature = match (role, spec.wrap) {
        (Role::Key, _) if columns == 1 && both => Some("UNWRAP_SINGLES"),
        (Role::Value, Some(true)) => Some("WRAP_SINGLES"),
        (Role::Value, Some(false)) => Some("UNWRAP_SINGLES"),
        _ => None,
    };
    let mut properties = std::collections::BTreeMap::new();
    if let Some(delimiter) = spec.delimiter.filter(|_| spec.format == Format::Delimited) {
        properties.insert("delimiter".to_owned(), delimiter.to_string());
    }
    if let Some(name) = &spec.full_schema_name {
        properties.insert("fullSchemaName".to_owned(), name.clone());
    }
    FormatInfo {
        name: spec.format.name().to_owned(),
        features: feature.map(str::to_owned).into_iter().collect(),
        properties,
    }
}
