//! What can go wrong with a format, a record that is read, and a row that is written.

use super::Format;

/// A format that cannot hold the columns, or that is asked for what it does not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A name that is no format.
    #[error("Unknown format: {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// A property that the format does not know.
    #[error("{format} does not support the following configs: [{property}]")]
    UnsupportedProperty {
        /// The format.
        format: Format,
        /// ksqlDB's internal name of the property.
        property: &'static str,
    },
    /// A property without text.
    #[error("{property} cannot be empty. Format configuration: {{{property}={value}}}")]
    EmptyProperty {
        /// ksqlDB's internal name of the property.
        property: &'static str,
        /// The blank text.
        value: String,
    },
    /// A delimiter of more than one character.
    #[error(
        "Invalid delimiter value: '{value}'. Delimiter must be a single character or TAB,SPACE"
    )]
    Delimiter {
        /// What was given.
        value: String,
    },
    /// `WRAP_SINGLE_VALUE` that the format cannot follow.
    #[error("Format '{format}' does not support 'WRAP_SINGLE_VALUE' set to '{wrap}'.")]
    Wrapping {
        /// The format.
        format: Format,
        /// What was asked for.
        wrap: bool,
    },
    /// `WRAP_SINGLE_VALUE` for several columns.
    #[error("'WRAP_SINGLE_VALUE' is only valid for single-field value schemas")]
    WrappingSeveral,
    /// Columns that the format cannot hold. Printed as ksqlDB prints it.
    #[error(
        "{role} format does not support schema.\nformat: {format}\nschema: {schema}\nreason: {reason}"
    )]
    Schema {
        /// `Key` or `Value`.
        role: super::Role,
        /// The format.
        format: Format,
        /// The columns, as `Persistence{…}`.
        schema: String,
        /// Why they cannot be held.
        reason: String,
    },
    /// A format whose schemas are in a registry, and there is none.
    #[error("{format} needs a Schema Registry: set 'ksql.schema.registry.url'")]
    NoRegistry {
        /// The format.
        format: Format,
    },
    /// A schema of the registry with several messages, none of which is named.
    #[error("{reason}")]
    SeveralMessages {
        /// ksqlDB's message.
        reason: String,
    },
    /// A schema of the registry that does not stand for columns, and ksqlDB's reason.
    #[error("{reason}")]
    Inference {
        /// The reason.
        reason: String,
    },
}

/// Why a record could not be read, in the words of ksqlDB's processing log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// `errorMessage` of the entry.
    pub message: String,
    /// `cause` of the entry: the messages of what caused it, outermost first.
    pub causes: Vec<String>,
}

/// Why a row could not be written, as ksqlDB's serializers say it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EncodeError {
    /// The Java class of the exception, which stands before the message where it is printed.
    pub class: &'static str,
    /// The message.
    pub message: String,
    /// The messages of what caused it, outermost first.
    pub causes: Vec<String>,
}
