//! What ksqlDB's JSON looks like.

mod details;
pub mod entities;
pub mod errors;
pub mod rows;
pub mod servers;
pub mod types;
pub mod values;
