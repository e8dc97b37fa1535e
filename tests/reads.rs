//! Queries whose rows go to whoever asks for them: push queries, and pull queries over streams and tables.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "reads/pull.rs"]
mod pull;
#[path = "reads/push.rs"]
mod push;
#[path = "reads/world.rs"]
mod world;
