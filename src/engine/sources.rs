//! Statements that make, change and drop streams, tables and types.

use super::{Engine, Outcome, TopicRequest, TopicShape};
use crate::plan::{self, PlanError, Source, Stage, resolve_type};
use crate::sql::ParsedStatement;
use crate::sql::ast::{
    AlterSource, CreateAs, CreateSource, CreateType, Drop, DropKind, InsertInto, SourceKind,
};
use crate::types::ColumnDef;

impl Engine<'_> {
    pub(super) fn create_source(
        &mut self,
        create: &CreateSource,
        parsed: &ParsedStatement,
    ) -> Result<Outcome, PlanError> {
        let name = &create.name.text;
        let existing = self.catalog.source(name).cloned();
        if existing.is_some() && create.if_not_exists {
            return Ok(Outcome::Done);
        }
        let (source, options) =
            plan::plan_create_source(create, &parsed.text, &self.context(parsed))?;
        match existing {
            Some(existing) if !create.or_replace => {
                return Err(plan::already_exists(name, create.kind, existing.kind, Stage::Execute));
            }
            Some(existing) => check_upgrade(&existing, &source)?,
            None => {}
        }
        let request = match (self.topics.0.describe(&source.topic), options.partitions) {
            (Some(_), _) => None,
            (None, Some(partitions)) => Some(TopicRequest {
                name: source.topic.clone(),
                shape: TopicShape {
                    partitions,
                    replicas: options.replicas.unwrap_or(1),
                    retention_ms: options.retention_ms,
                },
                cleanup_policy: match create.kind {
                    SourceKind::Stream => "delete",
                    SourceKind::Table if source.is_windowed() => "compact,delete",
                    SourceKind::Table => "compact",
                },
            }),
            (None, None) => return Err(missing_topic(create, &source.topic)),
        };
        self.refuse_registry_formats(&source)?;
        self.catalog.put_source(source);
        Ok(Outcome::Created(request))
    }

    /// Formats whose schemas live in a registry are not read or written yet.
    fn refuse_registry_formats(&self, source: &Source) -> Result<(), PlanError> {
        for spec in [&source.key_format, &source.value_format] {
            if spec.format.supports_schema_inference() && !self.plans_registry_formats {
                return Err(PlanError::unsupported(format!("the format {} is", spec.format)));
            }
        }
        Ok(())
    }

    pub(super) fn create_as(
        &mut self,
        create: &CreateAs,
        parsed: &ParsedStatement,
    ) -> Result<Outcome, PlanError> {
        let name = &create.name.text;
        let existing = self.catalog.source(name).cloned();
        if existing.is_some() && create.if_not_exists {
            return Ok(Outcome::Done);
        }
        let sql = plan::canonical(&plan::sanitised(&parsed.statement, &self.catalog));
        let planned = plan::plan_create_as(create, &sql, &self.context(parsed))?;
        if let Some(existing) = existing {
            check_upgrade(&existing, &planned.source)?;
            return Err(PlanError::unsupported("replacing a running query is"));
        }
        self.refuse_registry_formats(&planned.source)?;
        let from = std::sync::Arc::clone(planned.query.leftmost_source());
        let request = self.sink_topic(&planned.source, &from, &planned.options);
        let prefix = match create.kind {
            SourceKind::Stream => format!("CSAS_{name}"),
            SourceKind::Table => format!("CTAS_{name}"),
        };
        self.catalog.put_source(planned.source);
        let query = self.add_query(&prefix, None, planned.query);
        Ok(Outcome::Query(Box::new(query), request))
    }

    pub(super) fn insert_into(
        &mut self,
        insert: &InsertInto,
        parsed: &ParsedStatement,
    ) -> Result<Outcome, PlanError> {
        let sql = plan::canonical(&plan::sanitised(&parsed.statement, &self.catalog));
        let (query, options) = plan::plan_insert_into(insert, &sql, &self.context(parsed))?;
        let query = self.add_query("INSERTQUERY", options.query_id, query);
        Ok(Outcome::Query(Box::new(query), None))
    }

    pub(super) fn create_type(&mut self, create: &CreateType) -> Result<Outcome, PlanError> {
        let name = &create.name.text;
        if self.catalog.custom_type(name).is_some() {
            if create.if_not_exists {
                return Ok(Outcome::Done);
            }
            let message = format!(
                "Cannot register custom type '{name}' since it is already registered with type: {}",
                self.catalog.custom_type(name).map(ToString::to_string).unwrap_or_default()
            );
            return Err(PlanError::execute(message).at(create.name.span));
        }
        let ty = resolve_type(&create.ty, &self.catalog)?;
        self.catalog.put_type(name.clone(), ty);
        Ok(Outcome::Done)
    }

    pub(super) fn drop(&mut self, drop: &Drop) -> Result<Outcome, PlanError> {
        let name = &drop.name.text;
        match drop.kind {
            DropKind::Connector => return Err(PlanError::unsupported("DROP CONNECTOR is")),
            DropKind::Type => {
                if self.catalog.remove_type(name).is_none() && !drop.if_exists {
                    let message = format!("Type {name} does not exist.");
                    return Err(PlanError::execute(message).at(drop.name.span));
                }
                return Ok(Outcome::Done);
            }
            DropKind::Source(kind) => self.check_drop(drop, kind)?,
        }
        self.catalog.remove_source(name);
        Ok(Outcome::Done)
    }

    fn check_drop(&self, drop: &Drop, kind: SourceKind) -> Result<(), PlanError> {
        let name = &drop.name.text;
        let what = if kind == SourceKind::Stream { "Stream" } else { "Table" };
        let Some(source) = self.catalog.source(name) else {
            if drop.if_exists {
                return Ok(());
            }
            let message = format!("{what} {name} does not exist.");
            return Err(PlanError::execute(message).at(drop.name.span));
        };
        if source.kind != kind {
            return Err(PlanError::execute(format!(
                "Incompatible data source type is {}, but statement was DROP {}",
                source.kind.as_str(),
                kind.as_str()
            )));
        }
        if drop.delete_topic && source.is_read_only {
            let message = format!("Cannot delete topic for read-only source: {name}");
            return Err(PlanError::execute(message));
        }
        let readers = self
            .queries
            .iter()
            .filter(|query| query.plan.sources().any(|(_, source)| source.name == *name));
        let readers: Vec<_> = readers.map(|query| query.id.as_str()).collect();
        if readers.is_empty() {
            return Ok(());
        }
        Err(PlanError::execute(format!(
            "Cannot drop {name}.\nThe following queries read from this source: [{}].\nThe following \
             queries write into this source: [].\nYou need to terminate them before dropping {name}.",
            readers.join(", ")
        )))
    }

    pub(super) fn alter(&mut self, alter: &AlterSource) -> Result<Outcome, PlanError> {
        let name = &alter.name.text;
        let what = alter.kind.as_str().to_lowercase();
        let Some(source) = self.catalog.source(name) else {
            let message = format!("Source {name} does not exist.");
            return Err(PlanError::execute(message).at(alter.name.span));
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
            return Err(PlanError::execute(format!(
                "ALTER command is not supported for CREATE ... AS statements: {name}"
            )));
        }
        let mut altered = Source::clone(source);
        for column in &alter.add {
            let ty = resolve_type(&column.ty, &self.catalog)?;
            if altered.column_type(&column.name.text).is_some() {
                return Err(PlanError::execute(format!(
                    "Cannot add column `{}` to schema. A column with the same name already exists.",
                    column.name.text
                )));
            }
            altered.order.push(column.name.text.clone());
            altered.schema.value.push(ColumnDef::new(column.name.text.as_str(), ty));
        }
        self.catalog.put_source(altered);
        Ok(Outcome::Done)
    }
}

/// What ksqlDB says of a topic that does not exist, with the statement that would make it.
fn missing_topic(create: &CreateSource, topic: &str) -> PlanError {
    let mut with = create.clone();
    let two = |name: &str, value: i32| crate::sql::ast::Property {
        name: crate::sql::ast::Name::new(name),
        value: crate::sql::ast::Literal::Integer(value),
        value_span: crate::sql::span::Span::default(),
    };
    with.with.push(two("PARTITIONS", 2));
    with.with.push(two("REPLICAS", 1));
    let statement = plan::canonical(&crate::sql::ast::Statement::CreateSource(with));
    PlanError::execute(format!(
        "Topic '{topic}' does not exist. If you want to create a new topic for the stream/table please \
         re-run the statement providing the required 'PARTITIONS' configuration in the WITH clause (and \
         optionally 'REPLICAS'). For example: {statement};"
    ))
    .help("create the topic first, or add PARTITIONS to the WITH clause")
}

/// Whether a source may take the place of another: columns may only be added at the end.
fn check_upgrade(existing: &Source, new: &Source) -> Result<(), PlanError> {
    let refuse = |what: String| {
        Err(PlanError::execute(format!(
            "Cannot upgrade data source: DataSource '`{}`' has {what}",
            existing.name
        )))
    };
    let changed = |old: &[ColumnDef], new: &[ColumnDef], role: &str| {
        let differs = |(index, column): &(usize, &ColumnDef)| new.get(*index) != Some(*column);
        let columns = old.iter().enumerate().filter(differs);
        columns
            .map(|(_, column)| format!("`{}` {}{role}", column.name, column.ty))
            .collect::<Vec<_>>()
    };
    let (from, to) = (&existing.schema, &new.schema);
    let keys = changed(&from.key, &to.key, " KEY");
    if !keys.is_empty() || from.key.len() != to.key.len() {
        return refuse(format!(
            "schema = {from} which is not upgradeable to {to}. (Key columns must be identical. The \
             following key columns are changed, missing or reordered: [{}])",
            keys.join(", ")
        ));
    }
    let values = changed(&from.value, &to.value, "");
    if !values.is_empty() {
        return refuse(format!(
            "schema = {from} which is not upgradeable to {to}. (The following columns are changed, \
             missing or reordered: [{}])",
            values.join(", ")
        ));
    }
    Ok(())
}
