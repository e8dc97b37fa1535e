//! Millstream runs ksqlDB's SQL on Kafka in one static binary.
pub mod expr;
pub mod formats;
pub mod sql;
pub mod state;
pub mod types;

pub mod kafka;

pub mod devices;
