//! `String.hashCode` and the order in which a `HashMap` is iterated over.

use super::utf16_units;

/// The table that a `HashMap` starts with unless told otherwise.
pub const DEFAULT_CAPACITY: usize = 16;

/// Java's `String.hashCode`.
pub fn hash_code(text: &str) -> i32 {
    if text.is_ascii() {
        return text.bytes().fold(0, |hash, byte| step(hash, byte.into()));
    }
    utf16_units(text).fold(0, step)
}

fn step(hash: i32, unit: u16) -> i32 {
    hash.wrapping_mul(31).wrapping_add(unit.into())
}

/// The order in which a `HashMap` gives back keys that were put in the order of `hashes`.
///
/// `capacity` is what the constructor was given: [`DEFAULT_CAPACITY`] for none. Keys must be
/// distinct. Java turns a slot with more than 8 keys into a tree; that order is not followed.
pub fn hash_map_order(hashes: &[i32], capacity: usize) -> Vec<usize> {
    let mut size = capacity.max(1).next_power_of_two();
    while hashes.len() * 4 > size * 3 {
        size *= 2;
    }
    let slot = |hash: i32| (hash as u32 ^ (hash as u32 >> 16)) as usize & (size - 1);
    let mut order: Vec<usize> = (0..hashes.len()).collect();
    order.sort_by_key(|index| slot(hashes[*index]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_java() {
        assert_eq!(hash_code(""), 0);
        assert_eq!(hash_code("hello"), 99_162_322);
        assert_eq!(hash_code("😀"), 1_772_899);
    }

    #[test]
    fn a_map_is_ordered_by_slot_and_then_by_age() {
        let hashes: Vec<_> = ["banana", "apple", "cherry"].iter().map(|k| hash_code(k)).collect();
        assert_eq!(hash_map_order(&hashes, DEFAULT_CAPACITY), [0, 1, 2]);
        assert_eq!(hash_map_order(&[17, 1, 16], 4), [2, 0, 1]);
    }
}
