//! Millstream runs ksqlDB's SQL on Kafka in one static binary.
pub mod types;

pub mod sql;

pub mod expr;

pub mod formats;

pub mod plan;

pub mod state;

pub mod operators;

pub mod kafka;

pub mod runtime;

pub mod engine;

pub mod testing;

pub mod devices;
