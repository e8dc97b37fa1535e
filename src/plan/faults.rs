//! Several faults of one statement. ksqlDB stops at the first.

use super::PlanError;

/// Goes on after a fault, to find those that do not follow from it.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<PlanError>,
}

impl Faults {
    /// The value, or nothing where there is a fault instead.
    pub(super) fn keep<T>(&mut self, result: Result<T, PlanError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.found.push(error);
                None
            }
        }
    }

    /// The first fault with all others, or `value` if there is none.
    pub(super) fn result<T>(self, value: T) -> Result<T, PlanError> {
        self.first().map_or(Ok(value), Err)
    }

    /// The first fault with all others.
    fn first(self) -> Option<PlanError> {
        let mut found = self.found.into_iter();
        found.next().map(|first| first.and(found))
    }

    /// Both values, or the first fault with all others.
    pub(super) fn both<A, B>(self, a: Option<A>, b: Option<B>) -> Result<(A, B), PlanError> {
        match (a, b) {
            (Some(a), Some(b)) => self.result((a, b)),
            _ => Err(self
                .first()
                .unwrap_or_else(|| unreachable!("a value is missing only where there is a fault"))),
        }
    }
}
