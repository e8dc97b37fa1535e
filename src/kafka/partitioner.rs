//! Which partition a record goes to, exactly as Java's producer has it.

use super::random::random_below;

/// Java's murmur2 with Kafka's seed.
///
/// ```
/// use millstream::kafka::partitioner::murmur2;
///
/// assert_eq!(murmur2(b"foobar"), -790332482);
/// ```
pub fn murmur2(bytes: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (word ^ (word >> 24)).wrapping_mul(M);
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        let word = tail.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        hash = (hash ^ word).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}

/// The partition of a record with a key, out of `partitions` of them.
pub fn partition_for_key(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & 0x7fff_ffff) % partitions.max(1)
}

/// Spreads records without a key: one partition until it has a batch's worth of bytes, then another.
#[derive(Debug, Clone)]
pub struct StickyPartitioner {
    partition: i32,
    left_bytes: usize,
    batch_bytes: usize,
}

impl StickyPartitioner {
    /// Starts at a random partition; `batch_bytes` is the producer's `batch.size`.
    pub fn new(batch_bytes: usize) -> Self {
        Self {
            partition: random_below(i32::MAX as u32) as i32,
            left_bytes: batch_bytes,
            batch_bytes,
        }
    }

    /// The partition of the next record, of `record_bytes`, out of `partitions`.
    pub fn partition(&mut self, record_bytes: usize, partitions: i32) -> i32 {
        if self.left_bytes == 0 {
            self.left_bytes = self.batch_bytes;
            self.partition = (self.partition + 1) & 0x7fff_ffff;
        }
        self.left_bytes = self.left_bytes.saturating_sub(record_bytes.max(1));
        self.partition % partitions.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Kafka's own tests.
    #[test]
    fn hashes_are_javas() {
        let check = |text: &str, expected| assert_eq!(murmur2(text.as_bytes()), expected, "{text}");
        check("21", -973_932_308);
        check("foobar", -790_332_482);
        check("a-little-bit-long-string", -985_981_536);
        check("a-little-bit-longer-string", -1_486_304_829);
        check("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971);
        check("abc", 479_470_107);
    }

    #[test]
    fn a_sticky_partition_changes_after_a_batch() {
        let mut sticky = StickyPartitioner::new(100);
        let first = sticky.partition(60, 3);
        assert_eq!(sticky.partition(60, 3), first);
        assert_ne!(sticky.partition(60, 3), first);
    }
}
