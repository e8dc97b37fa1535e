//! Schemas of the registry while statements are planned: the columns that they stand for, and those
//! that statements register.

use super::{PlanContext, PlanError, Source};
use crate::formats::{FormatError, FormatSpec, Role, inferred_columns, message_name};
use crate::registry::schema::{ResolvedSchema, Schema, SchemaId, Subject};
use crate::types::ColumnDef;

/// What planning has to know of the registry.
pub trait KnownSchemas: std::fmt::Debug {
    /// The newest schema of a subject, if there is one.
    fn latest(&self, subject: &Subject) -> Option<&ResolvedSchema>;

    /// The schema with an id, if there is one.
    fn schema(&self, id: SchemaId) -> Option<&ResolvedSchema>;
}

/// Nothing is known of the registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSchemas;

impl KnownSchemas for NoSchemas {
    fn latest(&self, _subject: &Subject) -> Option<&ResolvedSchema> {
        None
    }

    fn schema(&self, _id: SchemaId) -> Option<&ResolvedSchema> {
        None
    }
}

/// A schema that a statement registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRequest {
    /// Under which subject.
    pub subject: Subject,
    /// The schema.
    pub schema: Schema,
}

/// Where ksqlDB sends those who miss a schema.
const HELP: &str = "- Messages on the topic have not been serialized using a Confluent Schema \
    Registry supported serializer\n\t-> See https://docs.confluent.io/current/schema-registry/docs/\
    serializer-formatter.html\n- The schema is registered on a different instance of the Schema \
    Registry\n\t-> Use the REST API to list available subjects\thttps://docs.confluent.io/current/\
    schema-registry/docs/api.html#get--subjects\n- You do not have permissions to access the Schema \
    Registry.\n\t-> See https://docs.confluent.io/current/schema-registry/docs/security.html";

/// The keys or the values of a topic, whose columns a schema stands for.
#[derive(Clone, Copy)]
pub(super) struct Inference<'i> {
    pub(super) topic: &'i str,
    pub(super) spec: &'i FormatSpec,
    pub(super) role: Role,
}

impl Inference<'_> {
    fn subject(&self) -> Subject {
        subject(self.topic, self.role)
    }

    /// The columns of the schema that is meant: the one with the given id, or the newest.
    pub(super) fn columns(&self, ctx: &PlanContext<'_>) -> Result<Vec<ColumnDef>, PlanError> {
        let id = self.spec.schema_id;
        let found = match id {
            Some(id) => ctx.schemas.schema(id),
            None => ctx.schemas.latest(&self.subject()),
        };
        let schema = found.ok_or_else(|| self.missing())?;
        if self.spec.format.schema_type() != Some(schema.ty) {
            return Err(self.of_other_format(schema));
        }
        inferred_columns(schema, self.spec, self.role, id.is_some()).map_err(|error| match error {
            FormatError::Inference { reason } => self.incompatible(&reason, schema),
            // Both texts of this one are the same.
            FormatError::SeveralMessages { reason } => {
                PlanError::execute(reason.clone()).unlogged(reason)
            }
            error => error.into(),
        })
    }

    fn missing(&self) -> PlanError {
        let what = if self.role == Role::Key { "keys" } else { "values" };
        PlanError::execute(match self.spec.schema_id {
            Some(id) => format!(
                "Schema for message {what} on schema id'{id} does not exist in the Schema \
                 Registry.\nSchema Id: {id}\nPossible causes include:\n- Schema Id \
                 Optional[{id}]\n{HELP}"
            ),
            None => format!(
                "Schema for message {what} on topic '{topic}' does not exist in the Schema \
                 Registry.\nSubject: {subject}\nPossible causes include:\n- The topic itself does \
                 not exist\n\t-> Use SHOW TOPICS; to check\n- Messages on the topic are not \
                 serialized using a format Schema Registry supports\n\t-> Use PRINT '{topic}' FROM \
                 BEGINNING; to verify\n{HELP}",
                topic = self.topic,
                subject = self.subject()
            ),
        })
    }

    fn of_other_format(&self, schema: &ResolvedSchema) -> PlanError {
        let (role, found) = (self.role, schema.ty);
        let upper = if role == Role::Key { "KEY" } else { "VALUE" };
        let id = self.spec.schema_id.map(|id| format!(", schema id: {id}")).unwrap_or_default();
        PlanError::execute(format!(
            "{role} schema is not in the expected format. You may want to set {upper}_FORMAT to \
             '{found}'.\ntopic: {}{id}\nexpected format: {}\nactual format from Schema Registry: \
             {found}",
            self.topic, self.spec.format
        ))
    }

    fn incompatible(&self, reason: &str, schema: &ResolvedSchema) -> PlanError {
        let role = if self.role == Role::Key { "key" } else { "value" };
        PlanError::execute(format!(
            "Unable to verify if the {role} schema for topic: {} is compatible with ksqlDB.\nReason: \
             {reason}\n\nPlease see https://github.com/confluentinc/ksql/issues/ to see if this \
             particular reason is already known.\nIf not, please log a new issue, including this \
             full error message.\nSchema:{}",
            self.topic, schema.text
        ))
    }

    /// Checks that the first columns of the schema are `columns`, as those of a sink have to be.
    pub(super) fn check_columns(
        &self,
        columns: &[ColumnDef],
        ctx: &PlanContext<'_>,
    ) -> Result<(), PlanError> {
        let found = self.columns(ctx)?;
        let is_same = |(index, column): &(usize, &ColumnDef)| found.get(*index) == Some(*column);
        let others: Vec<_> =
            columns.iter().enumerate().filter(|at| !is_same(at)).map(|(_, c)| c.clone()).collect();
        if others.is_empty() {
            return Ok(());
        }
        let role = if self.role == Role::Key { "key" } else { "value" };
        Err(PlanError::execute(format!(
            "The following {role} columns are changed, missing or reordered: [{}]. Schema from schema \
             registry is [{}]",
            self.list(&others),
            self.list(&found)
        )))
    }

    fn list(&self, columns: &[ColumnDef]) -> String {
        let key = if self.role == Role::Key { " KEY" } else { "" };
        let columns = columns.iter().map(|column| format!("`{}` {}{key}", column.name, column.ty));
        columns.collect::<Vec<_>>().join(", ")
    }
}

/// Gives the format of a side its `SCHEMA_ID`, where that can be had.
pub(super) fn with_schema_id(
    spec: &mut FormatSpec,
    id: Option<i32>,
    role: Role,
    ctx: &PlanContext<'_>,
) -> Result<(), PlanError> {
    let Some(id) = id else { return Ok(()) };
    let role = if role == Role::Key { "KEY" } else { "VALUE" };
    if !spec.format.supports_schema_inference() {
        return Err(PlanError::execute(format!(
            "{role}_FORMAT should support schema inference when {role}_SCHEMA_ID is provided. \
             Current format is {}.",
            spec.format
        )));
    }
    let id = SchemaId(id);
    spec.schema_id = Some(id);
    if spec.full_schema_name.is_none() {
        let schema = ctx.schemas.schema(id);
        spec.full_schema_name = schema.and_then(|schema| message_name(spec.format, schema));
    }
    Ok(())
}

/// What a `CREATE STREAM` or `CREATE TABLE` registers: the schemas of topics that have none.
pub fn register_source(
    source: &Source,
    schemas: &dyn KnownSchemas,
) -> Result<Vec<SchemaRequest>, PlanError> {
    let is_new = |request: &SchemaRequest| schemas.latest(&request.subject).is_none();
    Ok(requests(source)?.into_iter().filter(is_new).collect())
}

/// What a `CREATE … AS SELECT` registers.
pub fn register_sink(
    sink: &Source,
    schemas: &dyn KnownSchemas,
) -> Result<Vec<SchemaRequest>, PlanError> {
    let mut requests = requests(sink)?;
    for (role, spec) in [(Role::Key, &sink.key_format), (Role::Value, &sink.value_format)] {
        let given = spec.schema_id.and_then(|id| schemas.schema(id));
        // Where that one uses others, it stays known by its id alone.
        let Some(schema) = given.filter(|schema| schema.imports.is_empty()) else { continue };
        let subject = subject(&sink.topic, role);
        requests.push(SchemaRequest { subject, schema: Schema::new(schema.ty, &*schema.text) });
    }
    Ok(requests)
}

fn subject(topic: &str, role: Role) -> Subject {
    match role {
        Role::Key => Subject::of_keys(topic),
        Role::Value => Subject::of_values(topic),
    }
}

fn requests(source: &Source) -> Result<Vec<SchemaRequest>, PlanError> {
    let sides = [
        (Role::Key, &source.key_format, &source.schema.key),
        (Role::Value, &source.value_format, &source.schema.value),
    ];
    let mut requests = Vec::new();
    for (role, spec, columns) in sides {
        if spec.schema_id.is_some() {
            continue;
        }
        let schema = spec.registered_schema(columns, role).map_err(PlanError::execute)?;
        let Some(schema) = schema else { continue };
        requests.push(SchemaRequest { subject: subject(&source.topic, role), schema });
    }
    Ok(requests)
}
