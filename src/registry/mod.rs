//! The Schema Registry: what it holds, and how it is asked.

mod access;
pub mod schema;

pub use access::{Refusal, Registry};
pub use schema::{
    Import, Reference, RegisteredSchema, ResolvedSchema, Schema, SchemaId, SchemaType, Subject,
};
