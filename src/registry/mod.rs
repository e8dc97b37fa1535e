//! The Schema Registry: what it holds, how it is asked, its client, and one of our own.

mod access;
pub mod client;
pub mod embedded;
mod json;
pub mod schema;

pub use access::{Refusal, Registry};
pub use client::{RegistryClient, RegistryConfig, RegistryError};
pub use embedded::{EmbeddedRegistry, EmbeddedRegistryConfig, EmbeddedRegistryError};
pub use schema::{
    Import, Reference, RegisteredSchema, ResolvedSchema, Schema, SchemaId, SchemaType, Subject,
};
