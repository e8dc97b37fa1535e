//! Base64 as Jackson reads it from text: blanks between groups of four, and padding required.

use crate::java::base64::sextet;

/// The bytes of `text`, or `None` if it is not Base64.
pub(in crate::formats) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_matches(|c| c <= ' ').as_bytes();
    let (mut bytes, mut at) = (Vec::with_capacity(text.len() / 4 * 3), 0);
    while at < text.len() {
        if text[at] <= b' ' {
            at += 1;
            continue;
        }
        let group = text.get(at..at + 4)?;
        at += 4;
        let bits = |index: usize| sextet(group[index]).map(u32::from);
        let high = bits(0)? << 6 | bits(1)?;
        match (group[2], group[3]) {
            (b'=', b'=') => bytes.push((high >> 4) as u8),
            (_, b'=') => bytes.extend_from_slice(&((high << 6 | bits(2)?) >> 2).to_be_bytes()[2..]),
            _ => {
                let all = high << 12 | bits(2)? << 6 | bits(3)?;
                bytes.extend_from_slice(&all.to_be_bytes()[1..]);
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_padded_groups_only() {
        assert_eq!(decode("aGVsbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode(" aA== \naA== ").as_deref(), Some(&b"hh"[..]));
        assert_eq!(decode("").as_deref(), Some(&b""[..]));
        assert_eq!(decode("aA"), None);
        assert_eq!(decode("a*=="), None);
    }
}
