//! What a real ksqlDB 7.4.0 wrote for the device readings, against what this engine writes for the same input.
//!
//! `recorded/<pipeline>/` holds the statements, and each topic that the real server left, record by record: key, value,
//! timestamp and headers. Each pipeline runs on the embedded broker with repartition topics, and re-keyed in memory on
//! one, two and four workers (law F 6), and every topic must come out the same, byte for byte and in the same order. Not
//! compared are what the real server itself does not repeat: times in the processing log, and the counter of
//! `LATEST_BY_OFFSET` in changelogs. How two topics mix it does not repeat either, so joins run without a broker.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;
mod compare;
mod pipeline;
mod plants;
mod record;
mod run;
mod stub;

mod device;
mod joins;
mod passthrough;
mod protobuf;
mod three_partitions;
mod transitions;
mod windowed;
mod windowed_jump;
