//! Figures and traces for a collector of OpenTelemetry, by OTLP: Protobuf over HTTP, when the environment says where to.
//!
//! Metrics are those of the one table that `/metrics` is written from; traces show how each commit of a query came about. Whoever does not take
//! them is tried again ever more seldom, said once, and keeps nothing else waiting.

mod config;
mod export;
mod points;
mod spans;

#[doc(hidden)]
pub mod messages;

pub use config::{OtlpConfig, OtlpConfigError};
pub use export::{Exporter, ExporterError};
