//! Figures over time: what who looks late sees of the past.

mod ends;
mod rates;
mod rings;
mod topics;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

pub(super) use ends::Ends;
pub use rings::{Step, Subject, Window};
pub use topics::{PartitionGrowth, TopicGrowth};

use crate::engine::{Properties, PropertyError};
use crate::runtime::live::{InstanceFigures, TopicPartitionFigures};
use crate::types::Timestamp;
use rates::Rates;
use rings::Rings;

/// How many bytes figures over time may take, and by which property another number is given.
const BYTES_MAX: (&str, i64) = ("ksql.millstream.history.max.bytes", 32 << 20);

/// Figures over time.
pub(super) struct History {
    kept: Mutex<Kept>,
    looking: Mutex<Option<JoinHandle<()>>>,
}

struct Kept {
    rings: Rings,
    rates: Rates,
    ends: Ends,
}

impl History {
    /// None yet, with the room that properties give.
    pub(super) fn new(properties: &Properties) -> Result<Self, PropertyError> {
        let bytes = properties.number(BYTES_MAX.0, BYTES_MAX.1)?;
        let kept = Kept {
            rings: Rings::new(usize::try_from(bytes).unwrap_or(0)),
            rates: Rates::default(),
            ends: Ends::default(),
        };
        Ok(Self { kept: Mutex::new(kept), looking: Mutex::default() })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What looks once a second, if anything does.
    pub(super) fn looking(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks no more.
    pub(super) async fn end(&self) {
        let looking = self.looking().take();
        if let Some(looking) = looking {
            looking.abort();
            let _ = looking.await;
        }
    }

    /// Adds what is counted at a time.
    pub(super) fn note(&self, at: Timestamp, counted: &InstanceFigures) {
        let mut kept = self.kept();
        let Kept { rings, rates, ends } = &mut *kept;
        let second = at.0.div_euclid(1_000);
        if rings.has(second) {
            // What came since belongs to the next second.
            return;
        }
        let values = rates.next(at, counted, &ends.growth);
        rings.add(second, values);
    }

    /// Notes where topics end.
    pub(super) fn note_ends(&self, ends: &Ends) {
        self.kept().ends = ends.clone();
    }

    /// Figures from a second since 1970 on, as far as they are kept.
    pub(super) fn since(
        &self,
        second: i64,
        step: Step,
        wanted: impl Fn(&Subject) -> bool,
    ) -> Window {
        self.kept().rings.since(second, step, wanted)
    }

    /// How much came to the topics that are read, and to those whose ends are known.
    pub(super) fn growth(&self, read: &[TopicPartitionFigures]) -> Vec<TopicGrowth> {
        topics::growth(read, &self.kept().ends)
    }
}
