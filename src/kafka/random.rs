//! Random ids, drawn from what the standard library seeds its hash maps with.
//!
//! The standard library asks the kernel. `rand`'s default generator would look the call up by its name, which a static
//! binary does not have, and then read `/dev/urandom`, which an empty root does not have.

use std::hash::{BuildHasher, RandomState};

/// 128 bits that no other call has given; good for ids, not for secrets.
pub(crate) fn random_u128() -> u128 {
    let half = |salt: u8| u128::from(RandomState::new().hash_one(salt));
    half(0) << 64 | half(1)
}

/// A number from 0 up to `end`, without `end`.
pub(crate) fn random_below(end: u32) -> u32 {
    (((random_u128() as u64 >> 32) * u64::from(end)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        let ids: std::collections::BTreeSet<_> = (0..1_000).map(|_| random_u128()).collect();
        assert_eq!(ids.len(), 1_000);
    }
}
