//! The client of a Schema Registry: cached, patient, and never in the way of a worker.
//!
//! ```text
//! id or (subject, version) ─cache→ known
//!                             └──→ one request for all who ask ─→ URL after URL ─→ pause ─→ again …
//! ```
//! What a registry never changes is asked for once: a schema by its id, a version of a subject, the id that a schema got.
//! What it may change (the latest version, compatibility) is asked for each time. Connections that fail and answers
//! that a moment may mend are tried again, first at the next URL, then after a pause; a refusal is told at once, with
//! the URL, the status, and the registry's own code and words.
mod api;
mod cache;
mod config;
mod error;
mod request;

pub use api::{Compatibility, RegistryClient};
pub use config::{Login, RegistryConfig};
pub use error::RegistryError;
