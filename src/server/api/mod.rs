//! What ksqlDB's JSON looks like.

pub mod entities;
pub mod errors;
pub mod rows;
pub mod types;
pub mod values;
