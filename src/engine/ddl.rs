//! Statements that make and change streams, tables and types.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::planned::{Answer, Effect, PlannedId, PlannedQuery};
use super::upgrade::check_upgrade;
use super::{Planned, Planning, QueryKind, Serves};
use crate::formats::Format;
use crate::plan::{self, OptionSet, Options, PlanError, Source, Stage, resolve_type};
use crate::sql::ast::{
    AlterSource, CreateSource, CreateType, Literal, Name, Property, SourceKind, Statement,
};
use crate::sql::span::Span;
use crate::types::ColumnDef;

/// Whether a server keeps the rows of each `CREATE SOURCE TABLE`, so that they can be asked for.
const KEEPS_SOURCE_TABLES: &str = "ksql.source.table.materialization.enabled";

impl Planning<'_> {
    pub(super) fn create_source(&self, create: &CreateSource) -> Result<Planned, PlanError> {
        let name = &create.name.text;
        let existing = self.catalog().source(name);
        if let Some(existing) = existing
            && create.if_not_exists
        {
            return Ok(exists(create.kind, existing));
        }
        self.refuse_formats_of(create)?;
        let made = plan::plan_create_source(create, &self.parsed.text, &self.context());
        // ksqlDB asks whether columns fit their formats once it knows that the name is free, and all else before.
        let is_unfit =
            |error: &PlanError| error.message.contains(" format does not support schema.");
        let is_other_fault = made.as_ref().is_err_and(|error| !is_unfit(error));
        if let Some(existing) = existing.filter(|_| !create.or_replace && !is_other_fault) {
            let kinds = (create.kind, existing.kind);
            return Err(plan::already_exists(&create.name, kinds, Stage::Execute));
        }
        let (source, options) = made?;
        if let Some(existing) = existing {
            check_upgrade(existing, &source)?;
        }
        let topic = self.source_topic(create, &source, &options)?;
        let schemas = plan::register_source(&source, self.known)?;
        let message = match create.kind {
            SourceKind::Stream => "Stream created".to_owned(),
            SourceKind::Table => "Table created".to_owned(),
        };
        let takes_number = create.is_source && create.kind == SourceKind::Table;
        let keeps = self.engine.properties.get(KEEPS_SOURCE_TABLES);
        if create.is_source && keeps.is_some_and(|keeps| keeps.eq_ignore_ascii_case("false")) {
            let message =
                "Cannot execute command because source table materialization is disabled.";
            let help = format!("{KEEPS_SOURCE_TABLES}=false disables it");
            return Err(PlanError::execute(message).at(create.name.span).help(help));
        }
        if takes_number && self.engine.serves == Serves::Clients {
            let source = Arc::new(source.clone());
            if let Some(plan) = plan::plan_source_table(&source) {
                return Ok(Planned::of_query(PlannedQuery {
                    id: PlannedId::Numbered(format!("CST_{}", name.to_uppercase())),
                    kind: QueryKind::SourceTable,
                    plan: Arc::new(plan),
                    source: Some((Source::clone(&source), BTreeSet::new())),
                    topic,
                    schemas,
                    overrides: self.session.overrides().to_map(),
                }));
            }
        }
        Ok(Planned {
            effect: Effect::PutSource {
                source: Box::new(source),
                topic,
                schemas,
                message,
                takes_number,
            },
        })
    }

    /// Formats whose schemas are in a registry need one: before a source is planned, whose columns may be those of its schemas.
    fn refuse_formats_of(&self, create: &CreateSource) -> Result<(), PlanError> {
        let Ok(options) = Options::from_clause(&create.with, OptionSet::Source) else {
            return Ok(()); // the plan says what is wrong with it
        };
        let (key, value) = (&self.config.default_key_format, &self.config.default_value_format);
        let key = options.key_format.as_ref().unwrap_or(key);
        let value = options.value_format.as_ref().or(value.as_ref());
        for name in [Some(key), value].into_iter().flatten() {
            if let Ok(format) = Format::from_name(name)
                && format.supports_schema_inference()
                && !self.engine.has_registry
            {
                let error = no_registry(format, &create.with);
                return Err(self.no_topic_without(create, &options, format).unwrap_or(error));
            }
        }
        Ok(())
    }

    /// What ksqlDB says where it would make a topic whose schemas it could not register.
    fn no_topic_without(
        &self,
        create: &CreateSource,
        options: &Options,
        format: Format,
    ) -> Option<PlanError> {
        let topic = options.topic.as_ref()?;
        let is_made = options.partitions.is_some() && self.known.topic(topic).is_none();
        let message = format!(
            "Cannot create topic '{topic}' with format {format} without configuring \
             'ksql.schema.registry.url'"
        );
        is_made.then(|| {
            let mut error = no_registry(format, &create.with);
            error.message = message;
            error
        })
    }

    /// Formats whose schemas are in a registry need one.
    pub(super) fn refuse_registry_formats(
        &self,
        source: &Source,
        with: &[Property],
    ) -> Result<(), PlanError> {
        for spec in [&source.key_format, &source.value_format] {
            if spec.format.supports_schema_inference() && !self.engine.has_registry {
                return Err(no_registry(spec.format, with));
            }
        }
        Ok(())
    }

    pub(super) fn create_type(&self, create: &CreateType) -> Result<Planned, PlanError> {
        let name = &create.name.text;
        if let Some(existing) = self.catalog().custom_type(name) {
            if create.if_not_exists {
                let message = format!("{name} is already registered with type {existing}");
                return Ok(Planned::unchanged(message));
            }
            let message = format!(
                "Cannot register custom type '{name}' since it is already registered with type: {existing}"
            );
            return Err(PlanError::execute(message).at(create.name.span));
        }
        let ty = resolve_type(&create.ty, self.catalog())?;
        Ok(Planned { effect: Effect::PutType { name: name.clone(), ty } })
    }

    pub(super) fn alter(&self, alter: &AlterSource) -> Result<Planned, PlanError> {
        let name = &alter.name.text;
        let what = alter.kind.as_str().to_lowercase();
        let Some(source) = self.catalog().source(name) else {
            let message = format!("Source {name} does not exist.");
            let help = plan::source_help(self.catalog(), name);
            return Err(PlanError::execute(message).at(alter.name.span).maybe_help(help));
        };
        if source.kind != alter.kind {
            return Err(PlanError::execute(format!(
                "Incompatible data source type is {}, but statement was ALTER {}",
                source.kind.as_str(),
                alter.kind.as_str()
            )));
        }
        if source.is_read_only {
            return Err(PlanError::execute(format!(
                "Cannot alter {what} '{name}': ALTER operations are not supported on source {what}s."
            )));
        }
        if source.is_created_by_query {
            return Err(PlanError::execute(
                "ALTER command is not supported for CREATE ... AS statements.",
            ));
        }
        let mut altered = Source::clone(source);
        for column in &alter.add {
            let ty = resolve_type(&column.ty, self.catalog())?;
            if altered.column_type(&column.name.text).is_some() {
                return Err(PlanError::execute(format!(
                    "Cannot add column `{}` to schema. A column with the same name already exists.",
                    column.name.text
                )));
            }
            altered.order.push(column.name.text.clone());
            altered.schema.value.push(ColumnDef::new(column.name.text.as_str(), ty));
        }
        // Whoever describes it is shown both statements.
        altered.sql = format!("{}\n{}", altered.sql, self.parsed.text);
        let kind = match alter.kind {
            SourceKind::Stream => "Stream",
            SourceKind::Table => "Table",
        };
        let message = format!("{kind} {name} altered.");
        Ok(Planned {
            effect: Effect::PutSource {
                source: Box::new(altered),
                topic: None,
                schemas: Vec::new(),
                message,
                takes_number: false,
            },
        })
    }
}

/// What ksqlDB's client of the registry says where there is none.
fn no_registry(format: Format, with: &[Property]) -> PlanError {
    let message = "KSQL is not configured to use a schema registry. To enable it, please set \
                   ksql.schema.registry.url";
    let help = format!(
        "the schemas of {format} are in a Schema Registry: --property ksql.schema.registry.url=URL tells \
         the server, or whatever runs the statement, where it is"
    );
    let names_it = |property: &&Property| {
        matches!(&property.value, Literal::String(name) if name.eq_ignore_ascii_case(format.name()))
            && property.name.text.ends_with("FORMAT")
    };
    let error = PlanError::execute(message).help(help);
    match with.iter().find(names_it) {
        Some(property) => error.at(property.value_span),
        None => error,
    }
}

/// `IF NOT EXISTS`, and it does.
pub(super) fn exists(kind: SourceKind, existing: &Source) -> Planned {
    let what = kind.as_str().to_lowercase();
    let found = existing.kind.as_str().to_lowercase();
    Planned {
        effect: Effect::Nothing(Answer::Warning(format!(
            "Cannot add {what} `{}`: A {found} with the same name already exists.",
            existing.name
        ))),
    }
}

/// What ksqlDB says of a topic that does not exist, with the statement that would make it.
pub(super) fn missing_topic(create: &CreateSource, topic: &str) -> PlanError {
    let mut with = create.clone();
    let mut set = |name: &str, value: Literal| {
        let name = Name::new(name);
        with.with.push(Property { name, value, value_span: Span::default() });
    };
    set("PARTITIONS", Literal::Integer(2));
    let says_format = |name: &str| create.with.iter().any(|property| property.name.text == name);
    if !says_format("FORMAT") && !says_format("KEY_FORMAT") {
        set("KEY_FORMAT", Literal::String("KAFKA".to_owned()));
    }
    with.with.sort_by(|a, b| a.name.text.cmp(&b.name.text));
    let statement = plan::canonical(&Statement::CreateSource(with));
    PlanError::execute(format!(
        "Topic '{topic}' does not exist. If you want to create a new topic for the stream/table please \
         re-run the statement providing the required 'PARTITIONS' configuration in the WITH clause (and \
         optionally 'REPLICAS'). For example: {statement};"
    ))
    .help("create the topic first, or add PARTITIONS to the WITH clause")
}
