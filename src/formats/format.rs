//! The formats by name, and what each of them can do.

use std::fmt;

/// How a record's key or value is laid out in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON without a schema.
    Json,
    /// JSON with a schema in the registry.
    JsonSr,
    /// Avro, with its schema in the registry.
    Avro,
    /// Protobuf, with its schema in the registry.
    Protobuf,
    /// Protobuf whose schema is the list of columns.
    ProtobufNosr,
    /// Comma-separated values.
    Delimited,
    /// The bytes of Kafka's own serializers.
    Kafka,
    /// No key at all.
    None,
}

/// Whether bytes are a record's key or its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Key { "Key" } else { "Value" })
    }
}

/// Whether a single column is written bare or as the only field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// As a field of a record.
    Wrapped,
    /// Bare.
    Unwrapped,
}

impl Format {
    /// All formats, in the order of their names' first mention in ksqlDB's documentation.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Delimited,
        Self::Json,
        Self::JsonSr,
        Self::Avro,
        Self::Kafka,
        Self::Protobuf,
        Self::ProtobufNosr,
    ];

    /// The name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::JsonSr => "JSON_SR",
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::ProtobufNosr => "PROTOBUF_NOSR",
            Self::Delimited => "DELIMITED",
            Self::Kafka => "KAFKA",
            Self::None => "NONE",
        }
    }

    /// Whether columns can be read from the Schema Registry, and are registered there.
    pub fn supports_schema_inference(self) -> bool {
        matches!(self, Self::JsonSr | Self::Avro | Self::Protobuf)
    }

    /// Whether a single column can be written as `wrapping` says.
    pub fn supports_wrapping(self, wrapping: Wrapping) -> bool {
        match self {
            Self::Json | Self::JsonSr | Self::Avro | Self::ProtobufNosr => true,
            Self::Protobuf => wrapping == Wrapping::Wrapped,
            Self::Delimited | Self::Kafka => wrapping == Wrapping::Unwrapped,
            Self::None => false,
        }
    }

    /// The wrapping of a single column when nothing else is asked for.
    pub fn default_wrapping(self) -> Wrapping {
        match self {
            Self::Delimited | Self::Kafka | Self::None => Wrapping::Unwrapped,
            _ => Wrapping::Wrapped,
        }
    }

    /// Whether `DELIMITER` may be given.
    pub fn supports_delimiter(self) -> bool {
        self == Self::Delimited
    }

    /// Whether `SCHEMA_FULL_NAME` may be given.
    pub fn supports_full_schema_name(self) -> bool {
        self.supports_schema_inference()
    }

    /// Whether this is one of the two Protobuf formats.
    pub fn is_protobuf(self) -> bool {
        matches!(self, Self::Protobuf | Self::ProtobufNosr)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
