//! Zigzag varints: seven bits a byte, lowest first, the sign in the lowest bit.
//!
//! Those of one and two bytes, which nearly all are, are read without a loop.

/// Reads an `i32` and advances, or `None` if the bytes end early or hold more than 32 bits.
#[inline]
pub(super) fn read_i32(bytes: &mut &[u8]) -> Option<i32> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(i32::from(first >> 1) ^ -i32::from(first & 1));
    }
    if let [second, rest @ ..] = rest
        && *second < 0x80
    {
        *bytes = rest;
        let value = u32::from(first & 0x7f) | u32::from(*second) << 7;
        return Some((value >> 1) as i32 ^ -((value & 1) as i32));
    }
    let value = read_more(bytes, 5)?;
    let value = u32::try_from(value).ok()?;
    Some((value >> 1) as i32 ^ -((value & 1) as i32))
}

/// Reads an `i64` and advances, or `None` if the bytes end early or hold more than 64 bits.
#[inline]
pub(super) fn read_i64(bytes: &mut &[u8]) -> Option<i64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(i64::from(first >> 1) ^ -i64::from(first & 1));
    }
    if let [second, rest @ ..] = rest
        && *second < 0x80
    {
        *bytes = rest;
        let value = u64::from(first & 0x7f) | u64::from(*second) << 7;
        return Some((value >> 1) as i64 ^ -((value & 1) as i64));
    }
    let value = read_more(bytes, 10)?;
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

#[inline(never)]
fn read_more(bytes: &mut &[u8], bytes_max: usize) -> Option<u64> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(bytes_max).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *bytes = &bytes[index + 1..];
            return Some(value);
        }
    }
    None
}

/// Appends `value`.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// How many bytes [`fn@write`] takes for `value`.
#[inline]
pub(super) fn size(value: i64) -> usize {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (zigzag | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reading_gives_back_what_was_written(value: i64, small: i32) {
            let mut out = Vec::new();
            write(&mut out, value);
            prop_assert_eq!(out.len(), size(value));
            let mut bytes = &out[..];
            prop_assert_eq!(read_i64(&mut bytes), Some(value));
            prop_assert!(bytes.is_empty());
            let mut out = Vec::new();
            write(&mut out, i64::from(small));
            prop_assert_eq!(read_i32(&mut &out[..]), Some(small));
        }
    }
}
