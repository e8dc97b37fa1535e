//! Schemas as a registry holds them: plain values, without a way to reach one.
//!
//! ```text
//! subject ──versions──▶ RegisteredSchema { id, Schema { type, text, references } }
//!      id ──────────────▶ ResolvedSchema { type, text, imports }     (all that a parser needs)
//! ```

use std::fmt;

/// The number of a schema, which stands in front of each record that is written with it.
/// The same content has the same number under every subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(pub i32);

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name under which the versions of a schema are registered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(String);

impl Subject {
    /// The subject called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The subject of the keys of a topic.
    pub fn of_keys(topic: &str) -> Self {
        Self(format!("{topic}-key"))
    }

    /// The subject of the values of a topic.
    pub fn of_values(topic: &str) -> Self {
        Self(format!("{topic}-value"))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The language of a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaType {
    /// Avro, which is meant where nothing is said.
    #[default]
    Avro,
    /// JSON Schema.
    Json,
    /// Protobuf.
    Protobuf,
}

impl SchemaType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Avro, Self::Json, Self::Protobuf];

    /// Its name in the registry's API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }

    /// The type called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }
}

impl fmt::Display for SchemaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A schema that another one uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// What the other one calls it: a file to import, a full name, a `$ref`.
    pub name: String,
    /// Where it is registered.
    pub subject: Subject,
    /// Which of its versions is meant, counted from 1.
    pub version: i32,
}

/// A schema to be registered: its content, by which two are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schema {
    /// The language of the text.
    pub ty: SchemaType,
    /// The text.
    pub text: String,
    /// The schemas that it uses.
    pub references: Vec<Reference>,
}

impl Schema {
    /// A schema that uses no others.
    pub fn new(ty: SchemaType, text: impl Into<String>) -> Self {
        Self { ty, text: text.into(), references: Vec::new() }
    }
}

/// A version of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredSchema {
    /// The subject.
    pub subject: Subject,
    /// Its version, counted from 1.
    pub version: i32,
    /// The number of the schema.
    pub id: SchemaId,
    /// The schema.
    pub schema: Schema,
}

/// The text of a schema that another one uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What the other one calls it.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A schema with the texts of all that it uses, directly or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedSchema {
    /// Its number.
    pub id: SchemaId,
    /// The language of the texts.
    pub ty: SchemaType,
    /// Its text.
    pub text: String,
    /// Those that it uses, each before those that use it.
    pub imports: Vec<Import>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_the_names_of_the_api() {
        for ty in SchemaType::ALL {
            assert_eq!(SchemaType::from_name(&ty.to_string()), Some(ty));
        }
        assert_eq!(SchemaType::from_name("avro"), None);
        assert_eq!(Subject::of_keys("a").as_str(), "a-key");
        assert_eq!(Subject::of_values("a").to_string(), "a-value");
    }
}
