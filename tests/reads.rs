//! Queries whose rows go to whoever asks for them: push queries, and pull queries over streams and tables; and what these see
//! of a query that is replaced.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "reads/pull.rs"]
mod pull;
#[path = "reads/push.rs"]
mod push;
#[path = "reads/replace.rs"]
mod replace;
#[path = "reads/world.rs"]
mod world;
