//! What evaluation gets from the world outside: time and random bits.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::expr::{EvalContext, RandomSource};
use crate::types::{Arena, Timestamp};

/// Random bits from a seed.
pub struct SeededRandom(RefCell<ChaCha8Rng>);

impl SeededRandom {
    /// The same bits for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(RefCell::new(ChaCha8Rng::seed_from_u64(seed)))
    }

    /// Bits that no other process, and no other call, has had.
    pub fn fresh() -> Self {
        let mut seed = <ChaCha8Rng as SeedableRng>::Seed::default();
        for (salt, bytes) in seed.chunks_mut(8).enumerate() {
            // The standard library asks the kernel for the keys of its hash maps.
            let bits = RandomState::new().hash_one(salt).to_le_bytes();
            bytes.copy_from_slice(&bits[..bytes.len()]);
        }
        Self(RefCell::new(ChaCha8Rng::from_seed(seed)))
    }
}

impl RandomSource for SeededRandom {
    fn next_u64(&self) -> u64 {
        self.0.borrow_mut().next_u64()
    }
}

impl fmt::Debug for SeededRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededRandom")
    }
}

/// No random bits: for expressions that ask for none.
#[derive(Debug)]
struct NoRandom;

impl RandomSource for NoRandom {
    fn next_u64(&self) -> u64 {
        0
    }
}

/// A context for expressions that need neither clock nor random bits.
pub(super) fn without_clock(arena: &Arena) -> EvalContext<'_> {
    EvalContext { arena, now: Timestamp(0), random: &NoRandom, nested_error_set_null: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_queries_have_the_same_bits() {
        let first = || SeededRandom::fresh().next_u64();
        let all: std::collections::BTreeSet<u64> = (0..1_000).map(|_| first()).collect();
        assert_eq!(all.len(), 1_000);
    }
}
