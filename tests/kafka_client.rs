//! The Kafka client against a broker: a real one where `KAFKA_BROKERS` names it, the embedded one otherwise.
//!
//! Each test makes topics and groups of its own, so that they can run side by side and again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "kafka_client/admin.rs"]
mod admin;
#[path = "kafka_client/connections.rs"]
mod connections;
#[path = "kafka_client/consumers.rs"]
mod consumers;
#[path = "kafka_client/isolation.rs"]
mod isolation;
#[path = "kafka_client/leases.rs"]
mod leases;
#[path = "kafka_client/members.rs"]
mod members;
#[path = "kafka_client/problems.rs"]
mod problems;
#[path = "kafka_client/records.rs"]
mod records;
#[path = "kafka_client/refused.rs"]
mod refused;
#[path = "kafka_client/support.rs"]
mod support;
#[path = "kafka_client/transactions.rs"]
mod transactions;
