//! The registers of a `HyperLogLog` sketch: 2^14 of 5 bits each, six of them in an INT.

/// The number of bits of a hash that choose the register.
const INDEX_BITS: u32 = 14;

/// The number of registers.
const REGISTERS: usize = 1 << INDEX_BITS;

/// How many registers share an INT.
const PER_WORD: usize = 6;

/// The width of a register.
const REGISTER_BITS: usize = 5;

/// How many INTs a sketch has.
const WORDS: usize = REGISTERS / PER_WORD + 1;

/// The registers of a sketch, six in a word.
#[derive(Clone, Debug, PartialEq)]
pub struct Registers {
    pub(super) words: [i32; WORDS],
}

impl Registers {
    /// The registers of no value.
    pub(super) const EMPTY: Self = Self { words: [0; WORDS] };

    /// Counts the value with this hash.
    pub(super) fn offer(&mut self, hash: u32) {
        let index = (hash >> (32 - INDEX_BITS)) as usize;
        let rest = (hash << INDEX_BITS) | ((1 << (INDEX_BITS - 1)) + 1);
        self.raise(index, rest.leading_zeros() + 1);
    }

    /// Makes each register at least that of `newer`.
    pub(super) fn merge(&mut self, newer: &Self) {
        (0..REGISTERS).for_each(|index| self.raise(index, newer.get(index)));
    }

    /// Makes a register at least `rank`.
    fn raise(&mut self, index: usize, rank: u32) {
        let shift = REGISTER_BITS * (index % PER_WORD);
        let word = self.words[index / PER_WORD] as u32;
        if (word >> shift) & 0x1f < rank {
            self.words[index / PER_WORD] = (word & !(0x1f << shift) | rank << shift) as i32;
        }
    }

    fn get(&self, index: usize) -> u32 {
        (self.words[index / PER_WORD] as u32 >> (REGISTER_BITS * (index % PER_WORD))) & 0x1f
    }

    /// How many distinct values were counted, about.
    pub(super) fn estimate(&self) -> i64 {
        let (mut sum, mut zeros) = (0.0, 0.0);
        for index in 0..REGISTERS {
            let rank = self.get(index);
            sum += 1.0 / f64::from(1 << rank);
            zeros += f64::from(u8::from(rank == 0));
        }
        let count = REGISTERS as f64;
        let estimate = 0.7213 / (1.0 + 1.079 / count) * count * count * (1.0 / sum);
        if estimate <= 2.5 * count {
            return (count * (count / zeros).ln() + 0.5).floor() as i64;
        }
        (estimate + 0.5).floor() as i64
    }
}
