//! What tests put into an instance to make one of its parts fail.

use crate::expr::RandomSource;
use crate::runtime::{RawRecords, SeededRandom};

/// Is told what an instance is about to do, and gives it its random bits. One that panics stands for a
/// fault at that place; the one of every other instance does nothing.
pub trait Probe: Send + Sync {
    /// The random bits of a query on one worker.
    fn random(&self) -> Box<dyn RandomSource + Send> {
        Box::new(SeededRandom::fresh())
    }

    /// A worker does whatever comes next, for no query.
    fn turn(&self) {}

    /// Records of a source are decoded.
    fn decode(&self, _records: &RawRecords<'_>) {}

    /// Records of a changelog are taken back.
    fn restore(&self, _topic: &str) {}
}

/// Does nothing.
pub(super) struct NoProbe;

impl Probe for NoProbe {}
