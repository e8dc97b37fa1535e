//! Files of definitions against a server: what is there and equal is kept, the rest is made, replaced or refused.
//!
//! ```text
//! server ─[target]→ answers ─[there]→ texts and facts ─[existing]→ an engine as the server's ─┐
//! files ─ statements, one after another ──────────────────────[decider], [decide]─────────────┴→ actions, a batch
//! ```
//! A server is one of ours or a ksqlDB: only its REST is used. Both sides are planned by an engine that nobody runs, so
//! what counts is what statements mean, and not how they are written. What is decided here goes to the server as one
//! batch, which it tries as a whole before it writes anything.

mod action;
mod as_new;
mod compare;
mod decide;
mod decider;
mod error;
mod existing;
mod from_registry;
mod gained;
mod inserts;
mod run;
mod sources;
mod target;
mod there;

pub use action::{Action, Decision, LeftAlone, Verdict};
pub use error::ApplyError;
pub use run::{ApplyOptions, carry_out, decide, decide_over};
pub use target::Target;
pub use there::There;
