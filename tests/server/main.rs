//! ksqlDB's REST API over an engine of ours, beside our embedded broker.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod applied;
mod apply;
mod apply_over_changes;
mod bodies;
mod bombs;
mod clusters;
mod commands;
mod connections;
mod connectors;
mod directories;
mod elsewhere;
mod figures;
mod frames;
mod hostile;
mod load;
mod looks;
mod operators;
mod otlp;
mod page;
mod parity;
mod pulls;
mod reading;
mod rests;
mod skipped;
mod statements;
mod streams;
mod tail;
mod waiting;
mod world;
