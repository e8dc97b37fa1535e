//! Murmur3 of 128 bits, as Kafka Streams hashes the rows of a foreign-key join.

use crate::state::ValueHash;

/// The seed that Kafka Streams takes.
const SEED: u64 = 104_729;
const FIRST: u64 = 0x87c3_7b91_1142_53d5;
const SECOND: u64 = 0x4cf5_ad43_2745_937f;

/// The hash of `bytes`: its two halves, most significant byte first.
pub(super) fn murmur3(bytes: &[u8]) -> ValueHash {
    let (mut high, mut low) = (SEED, SEED);
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        let (first, second) = block.split_at(8);
        high ^= mixed_high(word(first));
        high = high.rotate_left(27).wrapping_add(low).wrapping_mul(5).wrapping_add(0x52dc_e729);
        low ^= mixed_low(word(second));
        low = low.rotate_left(31).wrapping_add(high).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let tail = blocks.remainder();
    let (first, second) = tail.split_at(tail.len().min(8));
    // A half without bytes mixes to 0.
    high ^= mixed_high(word(first));
    low ^= mixed_low(word(second));

    let len = bytes.len() as u64;
    high ^= len;
    low ^= len;
    high = high.wrapping_add(low);
    low = low.wrapping_add(high);
    high = finished(high);
    low = finished(low);
    high = high.wrapping_add(low);
    low = low.wrapping_add(high);
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// Up to eight bytes, the least significant first.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn mixed_high(word: u64) -> u64 {
    word.wrapping_mul(FIRST).rotate_left(31).wrapping_mul(SECOND)
}

fn mixed_low(word: u64) -> u64 {
    word.wrapping_mul(SECOND).rotate_left(33).wrapping_mul(FIRST)
}

fn finished(mut half: u64) -> u64 {
    half ^= half >> 33;
    half = half.wrapping_mul(0xff51_afd7_ed55_8ccd);
    half ^= half >> 33;
    half = half.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    half ^ half >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected hashes are what Kafka Streams 3.4.1's `Murmur3.hash128` gave.
    #[test]
    fn hashes_as_kafka_streams() {
        let check = |bytes: &[u8], expected: u128| {
            assert_eq!(u128::from_be_bytes(murmur3(bytes)), expected, "{bytes:?}");
        };
        check(b"", 0x9d27_64a0_18e3_2942_8c3c_f3b0_3593_8518);
        check(b"a", 0x3361_634e_7e0f_5188_e9c7_dda2_4eae_326b);
        check(b"{\"L_ID\":1}", 0xb632_a1a8_d7ae_6e3d_71f9_1975_7760_fe97);
        check(b"0123456789abcdef", 0x1a6e_941e_c6a7_6967_d7d8_2808_f505_d6b1);
        check(b"0123456789abcdefg", 0xa936_35c3_ece7_b605_aeed_6784_d1b0_8b32);
        check("äöüß".as_bytes(), 0xbf99_a2fe_d7cb_c9a0_a354_8499_bb3b_ab34);
        let counted: Vec<u8> = (1..=255).collect();
        let check = |len: usize, expected: u128| check(&counted[..len], expected);
        check(7, 0xee44_ad3c_b940_ec17_bab0_4fc0_8ef1_58bd);
        check(8, 0xe68d_5ea3_7c5a_d48d_f508_5c3d_d8db_a0b8);
        check(9, 0xb465_21a8_700d_ed7d_3ebc_5e89_bac1_056e);
        check(15, 0x904f_251f_7e22_7559_3f10_4f93_3b6c_b99c);
        check(31, 0x619b_89df_4330_b518_728f_d337_4e37_cc4c);
        check(100, 0xad38_88a5_1219_ccbd_fdfa_49b2_fe9d_03d3);
        check(255, 0x07f9_229c_855a_d403_1a62_cef5_7b96_e9f5);
    }
}
