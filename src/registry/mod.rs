//! The Schema Registry: what it holds.

pub mod schema;

pub use schema::{
    Import, Reference, RegisteredSchema, ResolvedSchema, Schema, SchemaId, SchemaType, Subject,
};
