//! Whether a ksqlDB and this engine write the same bytes, for the same statements and the same input.
//!
//! ```text
//!          ┌─ under a prefix, sinks of its own ─▶ queries in this process ─▶ topics ─┐
//! files ─[rewrite]                                                             [compare]─▶ report
//!          └─ the same for the server, by REST ─▶ queries of the server ───▶ topics ─┘
//!                                     │
//!                 [wait]: both groups are at the same ends of the inputs
//! ```
//! Both sides read the user's topics, and write none of them. What can be compared is what two runs of one engine would
//! have the same: [`compare()`] has the rules, and [`trace()`] finds out which keys they hold for. What they leave open is
//! told as such, and never as equal.

mod compare;
mod differences;
mod error;
mod feeding;
mod known_schemas;
mod names;
mod ours;
mod record;
mod renamed;
mod report;
mod rewrite;
mod run;
mod sink;
mod theirs;
mod topics;
mod trace;
mod wait;

pub use compare::{compare, first_difference, unmatched};
pub use differences::{Comparison, Difference, DifferenceKind, Origin};
pub use error::ParityError;
pub use feeding::{Fed, Feeding, Keyed};
pub use names::{Names, Side};
pub use record::{Placed, Record, escaped};
pub use report::{Report, SinkReport, Verdict};
pub use rewrite::{Made, Rewritten, Sent, SinkPair, World, rewrite};
pub use run::{Outcome, ParityOptions, run};
pub use trace::{Traced, trace};
