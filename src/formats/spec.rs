//! A format with its properties, checked against the columns that it has to hold.

use super::{Format, FormatError, Role, Wrapping};
use crate::registry::schema::SchemaId;
use crate::types::{ColumnDef, SqlType};

/// How Protobuf tells a NULL from a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NullableRepresentation {
    /// `optional` fields.
    Optional,
    /// Fields of `google.protobuf`'s wrapper types.
    Wrapper,
}

/// A format and its properties, as a WITH clause gives them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FormatSpec {
    /// The format.
    pub format: Format,
    /// `WRAP_SINGLE_VALUE`, where it was given. Keys are never asked.
    pub wrap: Option<bool>,
    /// `DELIMITER`, where it was given.
    pub delimiter: Option<char>,
    /// `SCHEMA_FULL_NAME`, where it was given.
    pub full_schema_name: Option<String>,
    /// `PROTOBUF_NULLABLE_REPRESENTATION`, where it was given.
    pub nullable: Option<NullableRepresentation>,
    /// `SCHEMA_ID`, where it was given: records are written with that very schema.
    pub schema_id: Option<SchemaId>,
}

impl Format {
    /// The format called `name`, in any case.
    pub fn from_name(name: &str) -> Result<Self, FormatError> {
        let found = Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| FormatError::Unknown { name: name.into() })
    }
}

impl From<Format> for FormatSpec {
    fn from(format: Format) -> Self {
        Self {
            format,
            wrap: None,
            delimiter: None,
            full_schema_name: None,
            nullable: None,
            schema_id: None,
        }
    }
}

impl FormatSpec {
    /// A format without properties.
    pub fn new(format: Format) -> Self {
        format.into()
    }

    /// The same for what only this program reads: a schema that is given by its id is for the sink.
    #[must_use]
    pub fn internal(&self) -> Self {
        Self { schema_id: None, ..self.clone() }
    }

    /// Reads `DELIMITER`: one character, `TAB` or `SPACE`.
    pub fn parse_delimiter(text: &str) -> Result<char, FormatError> {
        let mut chars = text.chars();
        match (text, chars.next(), chars.next()) {
            ("TAB", ..) => Ok('\t'),
            ("SPACE", ..) => Ok(' '),
            (_, Some(only), None) => Ok(only),
            _ => Err(FormatError::Delimiter { value: text.into() }),
        }
    }

    /// Whether columns are written as fields of a record, and not a single one bare.
    pub fn is_wrapped(&self, columns: usize, role: Role) -> bool {
        if columns != 1 {
            return true;
        }
        let both = self.format.supports_wrapping(Wrapping::Wrapped)
            && self.format.supports_wrapping(Wrapping::Unwrapped);
        match role {
            Role::Key if both => false,
            Role::Value if self.wrap.is_some() => self.wrap == Some(true),
            _ => self.format.default_wrapping() == Wrapping::Wrapped,
        }
    }

    /// Checks that the format can hold `columns`. The error is ksqlDB's.
    pub fn validate(&self, columns: &[ColumnDef], role: Role) -> Result<(), FormatError> {
        self.validate_properties()?;
        self.validate_wrapping(columns, role)?;
        let Some(reason) = self.refusal(columns, role) else { return Ok(()) };
        Err(FormatError::Schema {
            role,
            format: self.format,
            schema: self.persistence(columns, role),
            reason,
        })
    }

    /// Checks that the format knows the properties that are given.
    pub fn validate_properties(&self) -> Result<(), FormatError> {
        let unsupported =
            |property| Err(FormatError::UnsupportedProperty { format: self.format, property });
        if self.delimiter.is_some() && !self.format.supports_delimiter() {
            return unsupported("delimiter");
        }
        match &self.full_schema_name {
            Some(_) if !self.format.supports_full_schema_name() => unsupported("fullSchemaName"),
            Some(name) if name.trim().is_empty() => {
                let others =
                    if self.format == Format::Protobuf { ", unwrapPrimitives=true" } else { "" };
                let value = format!("{name}{others}");
                Err(FormatError::EmptyProperty { property: "fullSchemaName", value })
            }
            _ => Ok(()),
        }
    }

    /// The properties of the format by ksqlDB's names.
    pub fn properties(&self) -> Vec<(&'static str, String)> {
        let delimiter = self.delimiter.filter(|_| self.format == Format::Delimited);
        let nullable = self.nullable.map(|nullable| match nullable {
            NullableRepresentation::Optional => "optional",
            NullableRepresentation::Wrapper => "wrapper",
        });
        let is_protobuf = self.format == Format::Protobuf;
        let properties = [
            ("delimiter", delimiter.map(|delimiter| delimiter.to_string())),
            ("fullSchemaName", self.full_schema_name.clone()),
            ("unwrapPrimitives", is_protobuf.then(|| "true".to_owned())),
            ("nullableRepresentation", nullable.map(str::to_owned)),
        ];
        properties.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// What ksqlDB's metadata says of how a single column is written: `WRAP_SINGLES` or `UNWRAP_SINGLES`, where it says it.
    pub fn feature(&self, columns: usize, role: Role) -> Option<&'static str> {
        let both = self.format.supports_wrapping(Wrapping::Wrapped)
            && self.format.supports_wrapping(Wrapping::Unwrapped);
        match (role, self.wrap) {
            (Role::Key, _) if columns == 1 && both => Some("UNWRAP_SINGLES"),
            (Role::Value, Some(true)) => Some("WRAP_SINGLES"),
            (Role::Value, Some(false)) => Some("UNWRAP_SINGLES"),
            _ => None,
        }
    }

    /// Checks that the format can wrap a single column, or not, as it is told to.
    pub fn validate_wrapping(&self, columns: &[ColumnDef], role: Role) -> Result<(), FormatError> {
        let (Role::Value, Some(wrap)) = (role, self.wrap) else { return Ok(()) };
        let wrapping = if wrap { Wrapping::Wrapped } else { Wrapping::Unwrapped };
        if !self.format.supports_wrapping(wrapping) {
            return Err(FormatError::Wrapping { format: self.format, wrap });
        }
        if columns.len() == 1 { Ok(()) } else { Err(FormatError::WrappingSeveral) }
    }

    /// Why the format cannot hold `columns`, or `None`.
    fn refusal(&self, columns: &[ColumnDef], role: Role) -> Option<String> {
        let types = || columns.iter().map(|column| &column.ty);
        match self.format {
            Format::Json | Format::JsonSr => types()
                .any(has_other_map_keys)
                .then(|| "JSON only supports MAP types with STRING keys".into()),
            Format::Avro => types()
                .any(has_other_map_keys)
                .then(|| "Avro only supports MAPs with STRING keys".into()),
            Format::Protobuf | Format::ProtobufNosr => types().any(has_other_map_keys).then(|| {
                "PROTOBUF format only supports MAP types with STRING keys. \
                 See https://github.com/confluentinc/ksql/issues/6177."
                    .into()
            }),
            Format::Delimited => {
                columns.iter().find(|column| is_nested(&column.ty)).map(|column| {
                    format!(
                        "The 'DELIMITED' format does not support type '{}', column: `{}`",
                        column.ty.base_name(),
                        column.name
                    )
                })
            }
            Format::Kafka => kafka_refusal(columns, role),
            Format::None => (!columns.is_empty()).then(|| {
                format!(
                    "The 'NONE' format can only be used when no columns are defined. Got: [{}]",
                    list(columns, role)
                )
            }),
        }
    }

    /// The columns as ksqlDB's `PersistenceSchema` prints them.
    fn persistence(&self, columns: &[ColumnDef], role: Role) -> String {
        let explicit = match (role, self.wrap) {
            (Role::Key, _) if columns.len() == 1 && !self.is_wrapped(1, role) => {
                let both = self.format.supports_wrapping(Wrapping::Wrapped);
                if both { "UNWRAP_SINGLES" } else { "" }
            }
            (Role::Value, Some(true)) => "WRAP_SINGLES",
            (Role::Value, Some(false)) => "UNWRAP_SINGLES",
            _ => "",
        };
        format!("Persistence{{columns=[{}], features=[{explicit}]}}", list(columns, role))
    }
}

fn kafka_refusal(columns: &[ColumnDef], role: Role) -> Option<String> {
    match columns {
        [] => None,
        [column] => {
            let supported = matches!(
                column.ty,
                SqlType::Int | SqlType::Bigint | SqlType::Double | SqlType::String | SqlType::Bytes
            );
            (!supported).then(|| {
                format!("The 'KAFKA' format does not support type '{}'", column.ty.base_name())
            })
        }
        _ => Some(format!(
            "The 'KAFKA' format only supports a single field. Got: [{}]",
            list(columns, role)
        )),
    }
}

fn list(columns: &[ColumnDef], role: Role) -> String {
    let key = if role == Role::Key { " KEY" } else { "" };
    let columns: Vec<_> =
        columns.iter().map(|column| format!("`{}` {}{key}", column.name, column.ty)).collect();
    columns.join(", ")
}

fn is_nested(ty: &SqlType) -> bool {
    matches!(ty, SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_))
}

fn has_other_map_keys(ty: &SqlType) -> bool {
    match ty {
        SqlType::Map(key, value) => **key != SqlType::String || has_other_map_keys(value),
        SqlType::Array(item) => has_other_map_keys(item),
        SqlType::Struct(ty) => ty.fields.iter().any(|field| has_other_map_keys(&field.ty)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(types: &[(&str, SqlType)]) -> Vec<ColumnDef> {
        types.iter().map(|(name, ty)| ColumnDef::new(*name, ty.clone())).collect()
    }

    fn refused(format: Format, types: &[(&str, SqlType)], role: Role) -> String {
        FormatSpec::new(format).validate(&columns(types), role).unwrap_err().to_string()
    }

    #[test]
    fn refuses_in_the_words_of_ksqldb() {
        let two = [("A", SqlType::Int), ("B", SqlType::Bigint)];
        assert_eq!(
            refused(Format::Kafka, &two, Role::Key),
            "Key format does not support schema.\nformat: KAFKA\n\
             schema: Persistence{columns=[`A` INTEGER KEY, `B` BIGINT KEY], features=[]}\n\
             reason: The 'KAFKA' format only supports a single field. \
             Got: [`A` INTEGER KEY, `B` BIGINT KEY]"
        );
        assert_eq!(
            refused(Format::Delimited, &[("A", SqlType::array(SqlType::Int))], Role::Value),
            "Value format does not support schema.\nformat: DELIMITED\n\
             schema: Persistence{columns=[`A` ARRAY<INTEGER>], features=[]}\n\
             reason: The 'DELIMITED' format does not support type 'ARRAY', column: `A`"
        );
        assert_eq!(
            refused(Format::Avro, &[("A", SqlType::map(SqlType::Int, SqlType::Int))], Role::Value),
            "Value format does not support schema.\nformat: AVRO\n\
             schema: Persistence{columns=[`A` MAP<INTEGER, INTEGER>], features=[]}\n\
             reason: Avro only supports MAPs with STRING keys"
        );
    }

    #[test]
    fn refuses_properties_that_the_format_does_not_know() {
        let spec = FormatSpec { delimiter: Some('|'), ..Format::Json.into() };
        assert_eq!(
            spec.validate(&[], Role::Value).unwrap_err().to_string(),
            "JSON does not support the following configs: [delimiter]"
        );
        assert_eq!(Format::from_name("XML").unwrap_err().to_string(), "Unknown format: XML");
        let spec = FormatSpec { wrap: Some(false), ..Format::Protobuf.into() };
        assert_eq!(
            spec.validate(&columns(&[("A", SqlType::Int)]), Role::Value).unwrap_err().to_string(),
            "Format 'PROTOBUF' does not support 'WRAP_SINGLE_VALUE' set to 'false'."
        );
    }

    #[test]
    fn a_single_key_column_is_bare_where_that_is_possible() {
        for (format, wrapped) in [
            (Format::Json, false),
            (Format::Protobuf, true),
            (Format::ProtobufNosr, false),
            (Format::Kafka, false),
        ] {
            assert_eq!(FormatSpec::new(format).is_wrapped(1, Role::Key), wrapped, "{format}");
        }
        assert!(FormatSpec::new(Format::Json).is_wrapped(1, Role::Value));
        assert!(FormatSpec::new(Format::Json).is_wrapped(2, Role::Key));
    }
}
