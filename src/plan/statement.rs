//! Statements that make sources and queries, planned against the catalog.

use std::collections::HashSet;

use super::builder::{Analysed, SinkNames, missing_timestamp};
use super::faults::Faults;
use super::keys::check_keys;
use super::options::{OptionSet, Options};
use super::query::{analyse, faults_of, span_of};
use super::schemas::Inference;
use super::select::{RESERVED, list_span};
use super::size::check_columns;
use super::statement_formats::{
    FormatPlaces, infer_columns, sink_formats, source_formats, wrapped,
};
use super::types::resolve_type;
use super::{
    Catalog, HeaderColumn, PlanContext, PlanError, QueryPlan, Sink, Source, Stage, TimestampColumn,
    all_headers,
};
use crate::expr::with_article;
use crate::formats::{FormatError, Role};
use crate::sql::ast::{Constraint, CreateAs, CreateSource, Name, Query, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::{ColumnDef, Schema, SqlType};

/// What a `CREATE … AS SELECT` makes.
#[derive(Clone, Debug)]
pub struct PlannedSink {
    /// The new stream or table.
    pub source: Source,
    /// The query that fills it.
    pub query: QueryPlan,
    /// The partitions, replicas and retention that were asked for.
    pub options: Options,
}

/// Plans a `CREATE STREAM` or `CREATE TABLE`.
pub fn plan_create_source(
    create: &CreateSource,
    sql: &str,
    ctx: &PlanContext<'_>,
) -> Result<(Source, Options), PlanError> {
    let mut faults = Faults::default();
    let options = Options::from_clause(&create.with, OptionSet::Source);
    let options = faults.keep(options.map_err(|error| error.at(create.name.span)));
    let columns = faults.keep(columns(create, ctx.catalog));
    let (options, (mut schema, headers, mut order)) = faults.both(options, columns)?;
    let replaces_read_only =
        ctx.catalog.source(&create.name.text).is_some_and(|existing| existing.is_read_only);
    if create.or_replace && (create.is_source || replaces_read_only) {
        return Err(not_replaceable(&create.name, create.kind));
    }
    for name in &order {
        if RESERVED.contains(&name.as_str()) {
            let error = PlanError::execute(format!(
                "'{name}' is a reserved column name. You cannot use it as a name for a column."
            ));
            return Err(error.at(column_span(create, name)));
        }
    }
    let (key_format, value_format) = source_formats(&options, create, &schema, ctx)?;
    infer_columns(&options, (&key_format, &value_format), (&mut schema, &mut order), ctx)?;
    let value_format = wrapped(value_format, &options, &schema, ctx);
    if order.is_empty() {
        return Err(PlanError::execute("No columns supplied.")
            .at(create.name.span)
            .help("write the columns as (name TYPE, …) after the name"));
    }
    if create.kind == SourceKind::Table && schema.key.is_empty() {
        return Err(no_primary_key(create));
    }
    if options.window.is_some() && schema.key.is_empty() {
        let error = PlanError::execute("Windowed sources require a key column.");
        return Err(error.at(create.name.span).help("write KEY behind the column that is the key"));
    }
    check_columns(schema.key.iter().chain(&schema.value)).map_err(|(_, error)| {
        error.at(create.name.span).because("with all types that they name put in, these have more")
    })?;
    check_keys(&schema.key).map_err(|(name, error)| error.at(column_span(create, &name)))?;
    let places = FormatPlaces { with: &create.with, name: &create.name };
    key_format.validate(&schema.key, Role::Key).map_err(|error| places.refuse(error, Role::Key))?;
    value_format
        .validate(&schema.value, Role::Value)
        .map_err(|error| places.refuse(error, Role::Value))?;
    let source = Source {
        name: create.name.text.clone(),
        kind: create.kind,
        timestamp: timestamp(&options, &schema, &headers, Stage::Execute)
            .map_err(|error| error.at(places.of("TIMESTAMP")))?,
        schema,
        headers,
        order,
        topic: options.topic.clone().unwrap_or_default(),
        key_format,
        value_format,
        window: options.window,
        is_read_only: create.is_source,
        is_created_by_query: false,
        sql: sql.to_owned(),
    };
    Ok((source, options))
}

/// Plans a `CREATE … AS SELECT`.
pub fn plan_create_as(
    create: &CreateAs,
    sql: &str,
    ctx: &PlanContext<'_>,
) -> Result<PlannedSink, PlanError> {
    let name = create.name.text.as_str();
    let places = FormatPlaces { with: &create.with, name: &create.name };
    let options = Options::from_clause(&create.with, OptionSet::Sink)
        .map_err(|error| error.and(faults_of(&create.query, ctx)))?;
    check_limit(&create.query, create.kind)?;
    let timestamp_at = places.of("TIMESTAMP");
    let sink =
        SinkNames { name: Some(name), timestamp: options.timestamp.as_deref(), timestamp_at };
    let analysed = analyse(&create.query, sink, None, ctx)?;
    check_columns(analysed.schema.key.iter().chain(&analysed.schema.value))
        .map_err(|(_, error)| error.at(list_span(&create.query)))?;
    check_kind(create, analysed.kind, sql)?;
    match ctx.catalog.source(name) {
        Some(existing) if !create.or_replace => {
            let kinds = (create.kind, existing.kind);
            return Err(already_exists(&create.name, kinds, Stage::Analyse));
        }
        Some(existing) if existing.is_read_only => {
            return Err(not_replaceable(&create.name, create.kind));
        }
        _ => {}
    }
    let (key_format, value_format) = sink_formats(&options, create, &analysed, ctx)?;
    let topic = options
        .topic
        .clone()
        .unwrap_or_else(|| format!("{}{name}", ctx.config.output_topic_prefix));
    let timestamp = timestamp(&options, &analysed.schema, &[], Stage::Analyse)
        .map_err(|error| error.at(timestamp_at))?;
    for key in [&analysed.grouping, &analysed.schema.key] {
        let at = match &create.query.group_by {
            Some(group_by) => span_of(group_by, &create.query),
            None => list_span(&create.query),
        };
        let refuse = |(_, error): (_, PlanError)| error.at(at);
        check_keys(key).map_err(refuse).map_err(with_statement(sql))?;
    }
    let refuse = |role| move |error: FormatError| with_statement(sql)(places.refuse(error, role));
    key_format.validate(&analysed.schema.key, Role::Key).map_err(refuse(Role::Key))?;
    value_format.validate(&analysed.schema.value, Role::Value).map_err(refuse(Role::Value))?;
    let sides = [
        (Role::Key, &key_format, &analysed.schema.key),
        (Role::Value, &value_format, &analysed.schema.value),
    ];
    for (role, spec, columns) in sides.into_iter().filter(|(_, spec, _)| spec.schema_id.is_some()) {
        Inference { topic: &topic, spec, role }.check_columns(columns, ctx)?;
    }
    let keys = analysed.schema.key.iter().chain(&analysed.schema.value);
    let source = Source {
        name: name.to_owned(),
        kind: create.kind,
        order: keys.map(|column| column.name.to_string()).collect(),
        schema: analysed.schema.clone(),
        headers: Vec::new(),
        topic,
        key_format,
        value_format,
        window: analysed.window,
        timestamp,
        is_read_only: false,
        is_created_by_query: true,
        sql: sql.to_owned(),
    };
    let query = query_plan(analysed, &source, sql);
    Ok(PlannedSink { source, query, options })
}

/// Refuses a stream of a query that gives a table, and the other way round.
fn check_kind(create: &CreateAs, found: SourceKind, sql: &str) -> Result<(), PlanError> {
    if found == create.kind {
        return Ok(());
    }
    let (gives, wanted, reason) = match found {
        SourceKind::Table => (
            "TABLE",
            "CREATE TABLE AS SELECT",
            "the query groups rows or reads tables only: its rows change",
        ),
        SourceKind::Stream => {
            ("STREAM", "CREATE STREAM AS SELECT", "the query gives facts, which do not change")
        }
    };
    let error = PlanError::analyse(format!(
        "Invalid result type. Your SELECT query produces a {gives}. Please use {wanted} statement \
         instead."
    ));
    let help = format!("write CREATE {gives} {} …", create.name.text);
    Err(with_statement(sql)(error).at(create.name.span).because(reason).help(help))
}

fn check_limit(query: &Query, kind: SourceKind) -> Result<(), PlanError> {
    if query.limit.is_none() {
        return Ok(());
    }
    let message =
        format!("CREATE {} AS SELECT statements don't support LIMIT clause.", kind.as_str());
    Err(PlanError::prepare(message).at(query.tail))
}

pub(super) fn query_plan(analysed: Analysed, sink: &Source, sql: &str) -> QueryPlan {
    QueryPlan {
        nodes: analysed.nodes,
        sink: Sink {
            name: sink.name.clone(),
            kind: sink.kind,
            topic: sink.topic.clone(),
            schema: sink.schema.clone(),
            key_format: sink.key_format.clone(),
            value_format: sink.value_format.clone(),
            window: sink.window,
            timestamp: sink.timestamp.clone(),
            client: None,
        },
        sql: sql.to_owned(),
    }
}

pub(super) fn kind_name(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Stream => "stream",
        SourceKind::Table => "table",
    }
}

/// "Cannot add stream 'S': A stream with the same name already exists"
pub fn already_exists(
    name: &Name,
    (kind, existing): (SourceKind, SourceKind),
    stage: Stage,
) -> PlanError {
    let message = format!(
        "Cannot add {} '{}': A {} with the same name already exists",
        kind_name(kind),
        name.text,
        kind_name(existing)
    );
    PlanError::new(stage, message).at(name.span).help(
        "give it another name; CREATE OR REPLACE changes what is there, IF NOT EXISTS leaves it as it is",
    )
}

/// Sources that are read only are not replaced, nor do they replace others.
fn not_replaceable(name: &Name, kind: SourceKind) -> PlanError {
    let (name_text, what) = (&name.text, kind_name(kind));
    PlanError::execute(format!(
        "Cannot add {what} '{name_text}': CREATE OR REPLACE is not supported on source {what}s."
    ))
    .at(name.span)
}

fn no_primary_key(create: &CreateSource) -> PlanError {
    let error = PlanError::execute("Tables require a PRIMARY KEY. Please define the PRIMARY KEY.");
    let error = error.at(create.name.span);
    if create.columns.is_empty() {
        return error.help(format!(
            "the key may be given alone, the other columns then come from the registry: CREATE TABLE {} \
             (id INT PRIMARY KEY) WITH (…)",
            create.name.text
        ));
    }
    let first = create.columns.iter().find(|column| column.constraint.is_none());
    error.maybe_help(first.map(|column| {
        format!(
            "write PRIMARY KEY behind the column that is the key, as in {} … PRIMARY KEY",
            column.name.text
        )
    }))
}

type Columns = (Schema, Vec<HeaderColumn>, Vec<String>);

fn columns(create: &CreateSource, catalog: &Catalog) -> Result<Columns, PlanError> {
    let mut schema = Schema::default();
    let mut headers: Vec<(HeaderColumn, Span)> = Vec::new();
    let mut order: Vec<String> = Vec::new();
    let mut names = HashSet::new();
    let mut faults = Faults::default();
    for column in &create.columns {
        let name = column.name.text.clone();
        let Some(ty) = faults.keep(resolve_type(&column.ty, catalog)) else { continue };
        if !names.insert(name.clone()) {
            let message = format!("Duplicate column names: `{name}`");
            faults.keep::<()>(Err(PlanError::prepare(message).at(column.span)));
            continue;
        }
        order.push(name.clone());
        match &column.constraint {
            None => schema.value.push(ColumnDef::new(name, ty)),
            Some(Constraint::Key | Constraint::PrimaryKey) => {
                schema.key.push(ColumnDef::new(name, ty));
            }
            Some(Constraint::Headers) => {
                let checked = check_header(&ty, &all_headers(), "HEADERS");
                faults.keep(checked.map_err(|error| error.at(column.ty.span)));
                headers.push((HeaderColumn { name, key: None }, column.span));
            }
            Some(Constraint::Header(key)) => {
                let checked = check_header(&ty, &SqlType::Bytes, &format!("HEADER('{key}')"));
                faults.keep(checked.map_err(|error| error.at(column.ty.span)));
                headers.push((HeaderColumn { name, key: Some(key.clone()) }, column.span));
            }
        }
    }
    faults.keep(check_headers(&headers));
    let headers = headers.into_iter().map(|(header, _)| header).collect();
    faults.result((schema, headers, order))
}

/// Each header fills one column, and all of them one, behind which no other header can be declared.
fn check_headers(headers: &[(HeaderColumn, Span)]) -> Result<(), PlanError> {
    let all = headers.iter().position(|(header, _)| header.key.is_none());
    if let Some(at) = all.filter(|at| at + 1 < headers.len()) {
        let error = PlanError::execute("Schema already contains a HEADERS column.");
        return Err(error.at(headers[at].1));
    }
    for (index, (header, span)) in headers.iter().enumerate() {
        if headers[..index].iter().any(|(other, _)| other.key == header.key) {
            let key = header.key.as_deref().unwrap_or_default();
            let message = format!("Schema already contains a HEADER('{key}') column.");
            return Err(PlanError::execute(message).at(*span));
        }
    }
    Ok(())
}

/// Where a column is declared.
fn column_span(create: &CreateSource, name: &str) -> Span {
    let column = create.columns.iter().find(|column| column.name.text == name);
    column.map_or(create.name.span, |column| column.name.span)
}

fn check_header(found: &SqlType, expected: &SqlType, what: &str) -> Result<(), PlanError> {
    if found == expected {
        return Ok(());
    }
    let message = format!("Invalid type for {what} column: expected {expected}, got {found}");
    Err(PlanError::prepare(message))
}

/// The `TIMESTAMP` of a `WITH` clause, checked against the columns.
fn timestamp(
    options: &Options,
    schema: &Schema,
    headers: &[HeaderColumn],
    stage: Stage,
) -> Result<Option<TimestampColumn>, PlanError> {
    let Some(column) = &options.timestamp else { return Ok(None) };
    let refuse = |message: String| PlanError::new(stage, message);
    let found =
        schema.key.iter().chain(&schema.value).find(|other| &*other.name == column.as_str());
    let Some(found) = found.filter(|_| !headers.iter().any(|header| header.name == *column)) else {
        let names = schema.key.iter().chain(&schema.value).map(|column| &*column.name);
        return Err(missing_timestamp(stage, column, &names.collect::<Vec<_>>()));
    };
    let format = options.timestamp_format.clone();
    match (&found.ty, &format) {
        (SqlType::String, None) => Err(refuse(
            "A String timestamp field has been specified without also specifying the timestamp_format"
                .to_owned(),
        )
        .because(format!("{column} is a STRING"))
        .help("add TIMESTAMP_FORMAT='yyyy-MM-dd HH:mm:ss', with the pattern of the text")),
        (SqlType::String, Some(_)) | (SqlType::Bigint | SqlType::Timestamp, None) => {
            Ok(Some(TimestampColumn { column: column.clone(), format }))
        }
        (ty, format) => Err(refuse(format!(
            "Timestamp column, `{column}`, should be LONG(INT64), TIMESTAMP, or a String with a \
             timestamp_format specified."
        ))
        .because(match format {
            Some(_) => format!("{column} is {}: a TIMESTAMP_FORMAT is for text", with_article(ty)),
            None => format!("{column} is {}", with_article(ty)),
        })),
    }
}

/// ksqlDB shows the statement below some refusals, in the text it does not log.
fn with_statement(sql: &str) -> impl Fn(PlanError) -> PlanError {
    move |error| {
        let unlogged = format!("{}\nStatement: {}", error.message, sql.trim_end_matches(';'));
        error.unlogged(unlogged)
    }
}

/// A statement in ksqlDB's own form.
pub fn canonical(statement: &crate::sql::ast::Statement) -> String {
    print::statement(statement)
}
