//! Statements that make sources and queries, planned against the catalog.

use super::builder::{Analysed, SinkNames, missing_timestamp};
use super::keys::check_keys;
use super::options::{OptionSet, Options};
use super::query::analyse;
use super::schemas::{Inference, with_schema_id};
use super::select::RESERVED;
use super::types::resolve_type;
use super::{
    Catalog, HeaderColumn, PlanContext, PlanError, QueryPlan, Sink, Source, Stage, TimestampColumn,
    all_headers,
};
use crate::formats::{
    Format, FormatError, FormatSpec, NullableRepresentation, Role, default_key_schema_name,
};
use crate::sql::ast::{Constraint, CreateAs, CreateSource, Name, Query, SourceKind};
use crate::sql::print;
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
    let options = Options::from_clause(&create.with, OptionSet::Source)?;
    let (mut schema, headers, mut order) = columns(create, ctx.catalog)?;
    let replaces_read_only =
        ctx.catalog.source(&create.name.text).is_some_and(|existing| existing.is_read_only);
    if create.or_replace && (create.is_source || replaces_read_only) {
        return Err(not_replaceable(&create.name, create.kind));
    }
    for name in &order {
        if RESERVED.contains(&name.as_str()) {
            return Err(PlanError::execute(format!(
                "'{name}' is a reserved column name. You cannot use it as a name for a column."
            )));
        }
    }
    let (key_format, value_format) = source_formats(&options, &create.name.text, &schema, ctx)?;
    infer_columns(&options, (&key_format, &value_format), (&mut schema, &mut order), ctx)?;
    let value_format = wrapped(value_format, &options, &schema, ctx);
    if order.is_empty() {
        return Err(PlanError::execute("No columns supplied.")
            .help("write the columns as (name TYPE, …) after the name"));
    }
    if create.kind == SourceKind::Table && schema.key.is_empty() {
        return Err(no_primary_key(create));
    }
    if options.window.is_some() && schema.key.is_empty() {
        let error = PlanError::execute("Windowed sources require a key column.");
        return Err(error.at(create.name.span));
    }
    check_keys(&schema.key)?;
    key_format.validate(&schema.key, Role::Key)?;
    value_format.validate(&schema.value, Role::Value)?;
    let source = Source {
        name: create.name.text.clone(),
        kind: create.kind,
        timestamp: timestamp(&options, &schema, &headers, Stage::Execute)?,
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
    let options = Options::from_clause(&create.with, OptionSet::Sink)?;
    let name = create.name.text.as_str();
    check_limit(&create.query, create.kind)?;
    let sink = SinkNames { name, timestamp: options.timestamp.as_deref() };
    let analysed = analyse(&create.query, sink, None, ctx)?;
    if analysed.kind != create.kind {
        let (gives, wanted) = match analysed.kind {
            SourceKind::Table => ("TABLE", "CREATE TABLE AS SELECT"),
            SourceKind::Stream => ("STREAM", "CREATE STREAM AS SELECT"),
        };
        return Err(with_statement(sql)(PlanError::analyse(format!(
            "Invalid result type. Your SELECT query produces a {gives}. Please use {wanted} statement \
             instead."
        ))));
    }
    match ctx.catalog.source(name) {
        Some(existing) if !create.or_replace => {
            return Err(already_exists(name, create.kind, existing.kind, Stage::Analyse));
        }
        Some(existing) if existing.is_read_only => {
            return Err(not_replaceable(&create.name, create.kind));
        }
        _ => {}
    }
    let (key_format, value_format) = sink_formats(&options, name, &analysed, ctx)?;
    let topic = options
        .topic
        .clone()
        .unwrap_or_else(|| format!("{}{name}", ctx.config.output_topic_prefix));
    let timestamp = timestamp(&options, &analysed.schema, &[], Stage::Analyse)?;
    for key in [&analysed.grouping, &analysed.schema.key] {
        check_keys(key).map_err(with_statement(sql))?;
    }
    let refuse = |error: FormatError| with_statement(sql)(error.into());
    key_format.validate(&analysed.schema.key, Role::Key).map_err(refuse)?;
    value_format.validate(&analysed.schema.value, Role::Value).map_err(refuse)?;
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

fn check_limit(query: &Query, kind: SourceKind) -> Result<(), PlanError> {
    if query.limit.is_none() {
        return Ok(());
    }
    let message =
        format!("CREATE {} AS SELECT statements don't support LIMIT clause.", kind.as_str());
    Err(PlanError::prepare(message).at(query.span))
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
    name: &str,
    kind: SourceKind,
    existing: SourceKind,
    stage: Stage,
) -> PlanError {
    PlanError::new(
        stage,
        format!(
            "Cannot add {} '{name}': A {} with the same name already exists",
            kind_name(kind),
            kind_name(existing)
        ),
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
    error
}

type Columns = (Schema, Vec<HeaderColumn>, Vec<String>);

fn columns(create: &CreateSource, catalog: &Catalog) -> Result<Columns, PlanError> {
    let mut schema = Schema::default();
    let mut headers: Vec<HeaderColumn> = Vec::new();
    let mut order: Vec<String> = Vec::new();
    for column in &create.columns {
        let name = column.name.text.clone();
        let ty = resolve_type(&column.ty, catalog)?;
        if order.contains(&name) {
            let message = format!("Duplicate column names: `{name}`");
            return Err(PlanError::prepare(message).at(column.span));
        }
        order.push(name.clone());
        match &column.constraint {
            None => schema.value.push(ColumnDef::new(name, ty)),
            Some(Constraint::Key | Constraint::PrimaryKey) => {
                schema.key.push(ColumnDef::new(name, ty));
            }
            Some(Constraint::Headers) => {
                check_header(&ty, &all_headers(), "HEADERS")?;
                headers.push(HeaderColumn { name, key: None });
            }
            Some(Constraint::Header(key)) => {
                check_header(&ty, &SqlType::Bytes, &format!("HEADER('{key}')"))?;
                headers.push(HeaderColumn { name, key: Some(key.clone()) });
            }
        }
    }
    if headers.len() > 1 && headers.iter().any(|header| header.key.is_none()) {
        return Err(PlanError::execute("Schema already contains a HEADERS column."));
    }
    for (index, header) in headers.iter().enumerate() {
        if headers[..index].iter().any(|other| other.key == header.key) {
            let key = header.key.as_deref().unwrap_or_default();
            let message = format!("Schema already contains a HEADER('{key}') column.");
            return Err(PlanError::execute(message));
        }
    }
    Ok((schema, headers, order))
}

fn check_header(found: &SqlType, expected: &SqlType, what: &str) -> Result<(), PlanError> {
    if found == expected {
        return Ok(());
    }
    let message = format!("Invalid type for {what} column: expected {expected}, got {found}");
    Err(PlanError::prepare(message))
}

/// A format with its properties.
struct Named<'o> {
    name: &'o str,
    delimiter: Option<char>,
    schema_name: Option<&'o String>,
    nullable: Option<&'o String>,
}

impl Named<'_> {
    fn spec(&self, role: Role) -> Result<FormatSpec, PlanError> {
        let format = Format::from_name(self.name)?;
        if self.nullable.is_some() && !format.is_protobuf() {
            let role = if role == Role::Key { "KEY" } else { "VALUE" };
            return Err(PlanError::execute(format!(
                "Property {role}_PROTOBUF_NULLABLE_REPRESENTATION can only be enabled with protobuf \
                 format"
            )));
        }
        let nullable = self.nullable.map(|text| match text.as_str() {
            "WRAPPER" => NullableRepresentation::Wrapper,
            _ => NullableRepresentation::Optional,
        });
        Ok(FormatSpec {
            delimiter: self.delimiter,
            full_schema_name: self.schema_name.map(|name| name.trim().to_owned()),
            nullable,
            ..format.into()
        })
    }
}

fn source_formats(
    options: &Options,
    source: &str,
    schema: &Schema,
    ctx: &PlanContext<'_>,
) -> Result<(FormatSpec, FormatSpec), PlanError> {
    let missing = |property: &str, config: &str| {
        PlanError::execute(format!(
            "Statement is missing the '{property}' property from the WITH clause. Either provide one or \
             set a default via the '{config}' config."
        ))
    };
    let key_name = options.key_format.as_deref().unwrap_or(&ctx.config.default_key_format);
    let value_name = options.value_format.as_deref().or(ctx.config.default_value_format.as_deref());
    let value_name = value_name
        .ok_or_else(|| missing("VALUE_FORMAT", "ksql.persistence.default.format.value"))?;
    let mut key = Named {
        name: key_name,
        delimiter: options.key_delimiter,
        schema_name: options.key_schema_name.as_ref(),
        nullable: options.key_nullable.as_ref(),
    }
    .spec(Role::Key)?;
    let mut value = Named {
        name: value_name,
        delimiter: options.value_delimiter,
        schema_name: options.value_schema_name.as_ref(),
        nullable: options.value_nullable.as_ref(),
    }
    .spec(Role::Value)?;
    key.validate_properties()?;
    value.validate_properties()?;
    name_key_schema(&mut key, source);
    with_schema_id(&mut key, options.key_schema_id, Role::Key, ctx)?;
    with_schema_id(&mut value, options.value_schema_id, Role::Value, ctx)?;
    let value = wrapped(value, options, schema, ctx);
    Ok((key, value))
}

/// Gives the records of keys that have no name of their own one after their source.
fn name_key_schema(key: &mut FormatSpec, source: &str) {
    if key.full_schema_name.is_none() {
        key.full_schema_name = default_key_schema_name(key.format, source);
    }
}

/// Takes the columns that are not written from the registry: all of the key, all of the value, or both.
fn infer_columns(
    options: &Options,
    (key_format, value_format): (&FormatSpec, &FormatSpec),
    (schema, order): (&mut Schema, &mut Vec<String>),
    ctx: &PlanContext<'_>,
) -> Result<(), PlanError> {
    let topic = options.topic.as_deref().unwrap_or_default();
    let mut infer = |role: Role, spec: &FormatSpec, columns: &mut Vec<ColumnDef>| {
        if spec.schema_id.is_some() && !columns.is_empty() {
            let role = if role == Role::Key { "KEY" } else { "VALUE" };
            return Err(PlanError::execute(format!(
                "Table elements and {role}_SCHEMA_ID cannot both exist for create statement."
            )));
        }
        if !spec.format.supports_schema_inference() || !columns.is_empty() {
            return Ok(());
        }
        *columns = Inference { topic, spec, role }.columns(ctx)?;
        let names = columns.iter().map(|column| column.name.to_string());
        let place = if role == Role::Key { 0 } else { order.len() };
        order.splice(place..place, names);
        Ok(())
    };
    infer(Role::Key, key_format, &mut schema.key)?;
    infer(Role::Value, value_format, &mut schema.value)
}

/// The value format with its wrapping: what the statement says, else what the configuration says.
fn wrapped(
    value: FormatSpec,
    options: &Options,
    schema: &Schema,
    ctx: &PlanContext<'_>,
) -> FormatSpec {
    let default = ctx.config.wrap_single_values.filter(|wrap| {
        let wrapping = if *wrap {
            crate::formats::Wrapping::Wrapped
        } else {
            crate::formats::Wrapping::Unwrapped
        };
        schema.value.len() == 1 && value.format.supports_wrapping(wrapping)
    });
    FormatSpec { wrap: options.wrap_single_value.or(default), ..value }
}

fn sink_formats(
    options: &Options,
    name: &str,
    analysed: &Analysed,
    ctx: &PlanContext<'_>,
) -> Result<(FormatSpec, FormatSpec), PlanError> {
    // The new planner looks at formats later.
    let stage = if ctx.config.has_new_planner { Stage::Execute } else { Stage::Analyse };
    let analyse = |error: PlanError| PlanError { stage, ..error };
    let source = analysed.relation.leftmost();
    let has_key = !analysed.schema.key.is_empty();
    let inherited_key = if has_key && source.key_format.format == Format::None {
        ctx.config.default_key_format.clone()
    } else if analysed.drops_key {
        Format::None.name().to_owned()
    } else {
        source.key_format.format.name().to_owned()
    };
    if analysed.drops_key
        && options.key_format.as_ref().is_some_and(|name| !name.eq_ignore_ascii_case("NONE"))
    {
        return Err(PlanError::analyse("Key format specified for stream without key columns."));
    }
    let key_name = options.key_format.clone().unwrap_or(inherited_key);
    let value_name = options
        .value_format
        .clone()
        .unwrap_or_else(|| source.value_format.format.name().to_owned());
    let is_same = |name: &str, spec: &FormatSpec| name.eq_ignore_ascii_case(spec.format.name());
    let old_key = is_same(&key_name, &source.key_format).then_some(&source.key_format);
    let old_value = is_same(&value_name, &source.value_format).then_some(&source.value_format);
    let mut key = Named {
        name: &key_name,
        delimiter: options.key_delimiter.or(old_key.and_then(|spec| spec.delimiter)),
        schema_name: options.key_schema_name.as_ref().or(old_key
            .and_then(|s| s.full_schema_name.as_ref())
            .filter(|old| {
                // The name that is made of the source's is not passed on.
                default_key_schema_name(source.key_format.format, &source.name).as_ref()
                    != Some(*old)
            })),
        nullable: options.key_nullable.as_ref(),
    }
    .spec(Role::Key)
    .map_err(analyse)?;
    let mut value = Named {
        name: &value_name,
        delimiter: options.value_delimiter.or(old_value.and_then(|spec| spec.delimiter)),
        schema_name: options
            .value_schema_name
            .as_ref()
            .or(old_value.and_then(|spec| spec.full_schema_name.as_ref())),
        nullable: options.value_nullable.as_ref(),
    }
    .spec(Role::Value)
    .map_err(analyse)?;
    for (spec, old) in [(&mut key, old_key), (&mut value, old_value)] {
        if spec.nullable.is_none() && spec.format == Format::ProtobufNosr {
            spec.nullable = old.and_then(|old| old.nullable);
        }
        // Properties that the format does not know are refused while the query is analysed.
        spec.validate_properties().map_err(|error| PlanError::analyse(error.to_string()))?;
    }
    name_key_schema(&mut key, name);
    with_schema_id(&mut key, options.key_schema_id, Role::Key, ctx)?;
    with_schema_id(&mut value, options.value_schema_id, Role::Value, ctx)?;
    let value = wrapped(value, options, &analysed.schema, ctx);
    value
        .validate_wrapping(&analysed.schema.value, Role::Value)
        .map_err(|error| PlanError::analyse(error.to_string()))?;
    Ok((key, value))
}

/// The `TIMESTAMP` of a `WITH` clause, checked against the columns.
fn timestamp(
    options: &Options,
    schema: &Schema,
    headers: &[HeaderColumn],
    stage: Stage,
) -> Result<Option<TimestampColumn>, PlanError> {
    let Some(column) = &options.timestamp else { return Ok(None) };
    let refuse = |message: String| Err(PlanError::new(stage, message));
    let found =
        schema.key.iter().chain(&schema.value).find(|other| &*other.name == column.as_str());
    let Some(found) = found.filter(|_| !headers.iter().any(|header| header.name == *column)) else {
        return refuse(missing_timestamp(column));
    };
    let format = options.timestamp_format.clone();
    match (&found.ty, &format) {
        (SqlType::String, None) => refuse(
            "A String timestamp field has been specified without also specifying the timestamp_format"
                .to_owned(),
        ),
        (SqlType::String, Some(_)) | (SqlType::Bigint | SqlType::Timestamp, None) => {
            Ok(Some(TimestampColumn { column: column.clone(), format }))
        }
        _ => refuse(format!(
            "Timestamp column, `{column}`, should be LONG(INT64), TIMESTAMP, or a String with a \
             timestamp_format specified."
        )),
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
