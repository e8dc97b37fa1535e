//! The formats of what statements make: those that they name, or take over from a source.

use super::builder::Analysed;
use super::faults::Faults;
use super::options::Options;
use super::schemas::{Inference, with_schema_id};
use super::{PlanContext, PlanError, Stage};
use crate::formats::{
    Format, FormatError, FormatSpec, NullableRepresentation, Role, default_key_schema_name,
};
use crate::sql::ast::{CreateAs, CreateSource, Name, Property};
use crate::sql::span::Span;
use crate::sql::suggest::{self, NameKind};
use crate::types::{ColumnDef, Schema};

/// Where a statement says what formats there are.
#[derive(Clone, Copy)]
pub(super) struct FormatPlaces<'s> {
    pub(super) with: &'s [Property],
    /// The name of what the statement makes.
    pub(super) name: &'s Name,
}

impl FormatPlaces<'_> {
    /// The value of a property, or the name where it is not given.
    pub(super) fn of(self, property: &str) -> Span {
        self.first_of(&[property])
    }

    /// The format of keys or values.
    pub(super) fn format(self, role: Role) -> Span {
        match role {
            Role::Key => self.first_of(&["KEY_FORMAT", "FORMAT"]),
            Role::Value => self.first_of(&["VALUE_FORMAT", "FORMAT"]),
        }
    }

    fn first_of(self, properties: &[&str]) -> Span {
        let given = |name: &&str| self.with.iter().find(|given| given.name.text == **name);
        properties.iter().find_map(given).map_or(self.name.span, |given| given.value_span)
    }

    /// What is said of a format that does not go with what it is for.
    pub(super) fn refuse(self, error: FormatError, role: Role) -> PlanError {
        let at = match &error {
            FormatError::Wrapping { .. } | FormatError::WrappingSeveral => {
                self.first_of(&["WRAP_SINGLE_VALUE"])
            }
            FormatError::Delimiter { .. }
            | FormatError::UnsupportedProperty { property: "delimiter", .. } => match role {
                Role::Key => self.first_of(&["KEY_DELIMITER"]),
                Role::Value => self.first_of(&["VALUE_DELIMITER"]),
            },
            _ => self.format(role),
        };
        PlanError::from(error).at(at)
    }
}

/// What is said of a name that is no format.
fn unknown_format(error: FormatError) -> PlanError {
    let help = match &error {
        FormatError::Unknown { name } => {
            let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
            suggest::help(NameKind::Format, name, &names)
        }
        _ => None,
    };
    PlanError::from(error).maybe_help(help)
}

fn format_names() -> String {
    let formats = Format::ALL.into_iter().filter(|format| *format != Format::None);
    formats.map(Format::name).collect::<Vec<_>>().join(", ")
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
        let format = Format::from_name(self.name).map_err(unknown_format)?;
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

pub(super) fn source_formats(
    options: &Options,
    create: &CreateSource,
    schema: &Schema,
    ctx: &PlanContext<'_>,
) -> Result<(FormatSpec, FormatSpec), PlanError> {
    let places = FormatPlaces { with: &create.with, name: &create.name };
    let at = |role: Role| move |error: PlanError| error.at(places.format(role));
    let missing = |property: &str, config: &str| {
        PlanError::execute(format!(
            "Statement is missing the '{property}' property from the WITH clause. Either provide one or \
             set a default via the '{config}' config."
        ))
        .at(create.name.span)
        .help(format!("add {property}='JSON', or another of {}", format_names()))
    };
    let key_name = options.key_format.as_deref().unwrap_or(&ctx.config.default_key_format);
    let value_name = options.value_format.as_deref().or(ctx.config.default_value_format.as_deref());
    let value_name = value_name
        .ok_or_else(|| missing("VALUE_FORMAT", "ksql.persistence.default.format.value"))?;
    let mut faults = Faults::default();
    let key = Named {
        name: key_name,
        delimiter: options.key_delimiter,
        schema_name: options.key_schema_name.as_ref(),
        nullable: options.key_nullable.as_ref(),
    }
    .spec(Role::Key);
    let value = Named {
        name: value_name,
        delimiter: options.value_delimiter,
        schema_name: options.value_schema_name.as_ref(),
        nullable: options.value_nullable.as_ref(),
    }
    .spec(Role::Value);
    let key = faults.keep(key.map_err(at(Role::Key)));
    let value = faults.keep(value.map_err(at(Role::Value)));
    let (mut key, mut value) = faults.both(key, value)?;
    key.validate_properties().map_err(|error| places.refuse(error, Role::Key))?;
    value.validate_properties().map_err(|error| places.refuse(error, Role::Value))?;
    name_schemas(&mut key, &mut value, options, places, ctx)?;
    let value = wrapped(value, options, schema, ctx);
    Ok((key, value))
}

/// Takes the schemas that the statement names by their ids, and gives the records of keys that have no name of their own
/// one after what it makes.
fn name_schemas(
    key: &mut FormatSpec,
    value: &mut FormatSpec,
    options: &Options,
    places: FormatPlaces<'_>,
    ctx: &PlanContext<'_>,
) -> Result<(), PlanError> {
    let at = |role: Role| move |error: PlanError| error.at(places.format(role));
    if key.full_schema_name.is_none() {
        key.full_schema_name = default_key_schema_name(key.format, &places.name.text);
    }
    with_schema_id(key, options.key_schema_id, Role::Key, ctx).map_err(at(Role::Key))?;
    with_schema_id(value, options.value_schema_id, Role::Value, ctx).map_err(at(Role::Value))
}

/// Takes the columns that are not written from the registry: all of the key, all of the value, or both.
pub(super) fn infer_columns(
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
pub(super) fn wrapped(
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

pub(super) fn sink_formats(
    options: &Options,
    create: &CreateAs,
    analysed: &Analysed,
    ctx: &PlanContext<'_>,
) -> Result<(FormatSpec, FormatSpec), PlanError> {
    // The new planner looks at formats later.
    let stage = if ctx.config.has_new_planner { Stage::Execute } else { Stage::Analyse };
    let places = FormatPlaces { with: &create.with, name: &create.name };
    let analyse =
        |role: Role| move |error: PlanError| PlanError { stage, ..error }.at(places.format(role));
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
        let error = PlanError::analyse("Key format specified for stream without key columns.");
        return Err(error.at(places.format(Role::Key)));
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
    .map_err(analyse(Role::Key))?;
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
    .map_err(analyse(Role::Value))?;
    for (role, spec, old) in [(Role::Key, &mut key, old_key), (Role::Value, &mut value, old_value)]
    {
        if spec.nullable.is_none() && spec.format == Format::ProtobufNosr {
            spec.nullable = old.and_then(|old| old.nullable);
        }
        // Properties that the format does not know are refused while the query is analysed.
        spec.validate_properties()
            .map_err(|error| places.refuse(error, role).found_at(Stage::Analyse))?;
    }
    name_schemas(&mut key, &mut value, options, places, ctx)?;
    let value = wrapped(value, options, &analysed.schema, ctx);
    value
        .validate_wrapping(&analysed.schema.value, Role::Value)
        .map_err(|error| places.refuse(error, Role::Value).found_at(Stage::Analyse))?;
    Ok((key, value))
}
